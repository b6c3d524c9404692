//! Docker actions.

use std::fs;
use std::path::Path;

use lineclear_testkit::images::busybox;
use lineclear_testkit::{Repository, Started};

use super::{Ran, log_of, reason, repository, with_image};

fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// Runs the workflow with actions in the folder beside the repository.
fn run_with_actions(repository: &Repository, args: &[&str]) -> Ran {
    let mut all = vec!["run", "--format", "json"];
    all.extend(args);
    let mut command = repository.lineclear(&all);
    command.env("LINECLEAR_ACTIONS_DIR", repository.beside("actions"));
    Ran::end(Started::new(command))
}

const DOCKERFILE: &str = "FROM IMAGE
COPY entry.sh pre.sh post.sh /
RUN chmod +x /entry.sh /pre.sh /post.sh
ENTRYPOINT [\"/entry.sh\"]
";

fn docker_action(folder: &Path, name: &str) {
    let at = |file: &str| format!("{name}/{file}");
    write(
        folder,
        &at("action.yml"),
        "
name: a Docker action
inputs:
  text: { required: true }
  with-default: { default: from metadata }
runs:
  using: docker
  image: Dockerfile
  pre-entrypoint: /pre.sh
  post-entrypoint: /post.sh
  post-if: success()
  args: ['${{ inputs.text }}', '', 'two words']
  env: { OF_ACTION: '${{ inputs.with-default }}', GIVEN: by the action }
",
    );
    write(folder, &at("Dockerfile"), &with_image(DOCKERFILE));
    write(folder, &at("pre.sh"), "#!/bin/sh\necho \"pre: $1\"; echo from=pre >> \"$GITHUB_STATE\"\n");
    write(folder, &at("post.sh"), "#!/bin/sh\necho \"post: $STATE_from, $STATE_main\"\n");
    write(
        folder,
        &at("entry.sh"),
        "#!/bin/sh
set -e
echo \"$# arguments: [$1] [$2] [$3]\"
test \"$(pwd)\" = /github/workspace && test \"$GITHUB_WORKSPACE\" = /github/workspace && test -f file
test \"$HOME\" = /github/home && test \"$RUNNER_TEMP\" = /github/runner_temp
test \"$GITHUB_EVENT_PATH\" = /github/workflow/event.json && test -f \"$GITHUB_EVENT_PATH\"
case \"$GITHUB_OUTPUT\" in /github/file_commands/*) ;; *) exit 1 ;; esac
test \"$OF_ACTION\" = 'from metadata' && test \"$GIVEN\" = 'by the workflow'
# The shell of this image hands on no name with a hyphen, so it is looked for where it arrives.
test \"$INPUT_TEXT\" = \"$1\" && tr '\\0' '\\n' < /proc/$$/environ | grep -qx 'INPUT_WITH-DEFAULT=from metadata'
test -n \"$ACTIONS_RUNTIME_TOKEN\" && test \"$CI\" = true && test \"$STATE_from\" = pre
wget -q -O /dev/null \"$GITHUB_API_URL/repos/$GITHUB_REPOSITORY\" --header \"Authorization: Bearer $TOKEN\"
echo 'said=hello' >> \"$GITHUB_OUTPUT\"
echo main=main >> \"$GITHUB_STATE\"
echo ADDED=by-docker >> \"$GITHUB_ENV\"
mkdir -p bin && printf '#!/bin/sh\\necho from the tool' > bin/made && chmod +x bin/made
echo /github/workspace/bin >> \"$GITHUB_PATH\"
echo '::add-mask::hide-me'
echo 'this is hide-me'
echo '::warning file=/github/workspace/file,line=1::look here'
echo made > made-inside
",
    );
}

const MAIN: &str = "
on: push
env: { GIVEN: by the workflow, TOKEN: '${{ github.token }}' }
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: act
        uses: trap/acts@v1
        with: { text: 'a \"quoted\" text' }
      - run: |
          test '${{ steps.act.outputs.said }}' = hello && test \"$ADDED\" = by-docker && test \"$(cat made-inside)\" = made
          test \"$(made)\" = 'from the tool'
      - uses: ./local
        with: { text: local }
";

#[test]
fn trap_76_a_docker_action_has_its_folders_inputs_state_and_stages() {
    let repository = Repository::new("acts");
    repository.write(".github/workflows/w.yml", MAIN);
    repository.write("file", "x");
    docker_action(&repository.root(), "local");
    // A local action has no stage before the first step.
    repository.write("local/entry.sh", "#!/bin/sh\necho \"local: $1\"\n");
    repository.commit("first");
    docker_action(&repository.beside("actions"), "trap/acts@v1");
    let run = run_with_actions(&repository, &[]).succeeds();
    let log = run.log("a").join("\n");
    for line in [
        "pre: a \"quoted\" text",
        "3 arguments: [a \"quoted\" text] [] [two words]",
        "this is ***",
        "post: pre, main",
        "local: local",
    ] {
        assert!(log.contains(line), "{line}:\n{}", run.transcript());
    }
    let annotation = run.events("annotation").find(|event| event["message"] == "look here").expect("an annotation");
    assert_eq!(annotation["file"], "file");
    let names: Vec<&str> = run.events("step_finished").filter_map(|event| event["name"].as_str()).collect();
    assert_eq!(names[..3], ["Set up job", "Build trap/acts@v1", "Pre Run trap/acts@v1"], "{names:?}");
}

#[test]
fn trap_77_the_arguments_of_a_docker_step_are_kept_together_by_double_quotes() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: said
        uses: docker://IMAGE
        with:
          entrypoint: /bin/sh
          args: -c \"echo \\\"$0 and $1\\\"; echo said=$1 >> $GITHUB_OUTPUT; test \\\"$INPUT_ENTRYPOINT\\\" = /bin/sh\" one \"two words\"
      - run: test '${{ steps.said.outputs.said }}' = 'two words'
      - id: plain
        uses: docker://IMAGE
        with: { args: echo from the image }
      - id: code
        continue-on-error: true
        uses: docker://IMAGE
        with: { args: sh -c \"exit 7\" }
      - id: none
        continue-on-error: true
        uses: docker://IMAGE
        with: { args: no-such-program }
";
    let run = Ran::of(&repository("docker-step", workflow), &[]).succeeds();
    assert!(log_of(&run, "a", "said").contains("one and two words"), "{}", run.transcript());
    assert!(log_of(&run, "a", "plain").contains("from the image"), "{}", run.transcript());
    assert_eq!(run.step("a", "code").map(|step| step["exit_code"].clone()), Some(7.into()));
    assert!(reason(&run, "a", "none").contains("no-such-program"), "{}", run.transcript());
}

#[test]
fn a_bare_dockerfile_and_a_docker_action_inside_of_a_composite_run() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: IMAGE
    services:
      web:
        image: IMAGE
        command: sh -c \"mkdir /w && echo found > /w/index.html && httpd -f -h /w\"
    steps:
      - uses: trap/bare@v1
      - id: outer
        uses: trap/outer@v1
      - run: test '${{ steps.outer.outputs.said }}' = 'inner of outer'
";
    let repository = repository("bare", workflow);
    let actions = repository.beside("actions");
    write(
        &actions,
        "trap/bare@v1/Dockerfile",
        &with_image(
            "FROM IMAGE\nCMD [\"sh\", \"-c\", \"for i in 1 2 3 4 5; do wget -q -O- http://web/ && exit 0; sleep 1; done; exit 1\"]\n",
        ),
    );
    write(
        &actions,
        "trap/outer@v1/action.yml",
        "
name: outer
outputs: { said: { value: '${{ steps.inner.outputs.said }}' } }
runs:
  using: composite
  steps:
    - id: inner
      uses: trap/inner@v1
      with: { who: outer }
",
    );
    write(
        &actions,
        "trap/inner@v1/action.yml",
        &format!(
            "
name: inner
inputs: {{ who: {{}} }}
runs:
  using: docker
  image: docker://{}
  entrypoint: /bin/sh
  args: [-c, 'echo \"said=inner of $INPUT_WHO\" >> $GITHUB_OUTPUT']
",
            busybox()
        ),
    );
    let run = run_with_actions(&repository, &[]).succeeds();
    assert!(log_of(&run, "a", "__trap_bare").contains("found"), "{}", run.transcript());
}

#[test]
fn an_image_that_cannot_be_built_fails_the_step_that_needs_it() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo first
      - if: false
        uses: trap/broken@v1
  b:
    runs-on: ubuntu-latest
    steps:
      - run: echo first
      - uses: trap/broken@v1
";
    let repository = repository("broken", workflow);
    write(
        &repository.beside("actions"),
        "trap/broken@v1/Dockerfile",
        &with_image("FROM IMAGE\nRUN echo it breaks here && exit 3\n"),
    );
    let run = run_with_actions(&repository, &[]).fails();
    assert_eq!((run.conclusion("a"), run.conclusion("b")), ("success", "failure"), "{}", run.transcript());
    assert!(run.log("b").iter().any(|line| line.contains("it breaks here")), "{}", run.transcript());
}
