//! Jobs in a container of their own.

use lineclear_testkit::images::{busybox, debian};
use lineclear_testkit::official_clients;

use super::{Ran, conclusion, log_of, reason, repository};

#[test]
fn trap_2_a_step_without_a_shell_gets_sh_in_a_container() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: IMAGE
    steps:
      - run: tr '\\0' ' ' < /proc/$$/cmdline
      - id: bash
        shell: bash
        run: echo never
        continue-on-error: true
";
    let run = Ran::of(&repository("no-bash", workflow), &[]).succeeds();
    let log = log_of(&run, "a", "__run");
    assert!(log.contains("shell: sh -e {0}"), "{log}");
    assert!(log.contains("\nsh -e /__w/_temp/"), "{log}");
    assert!(
        reason(&run, "a", "bash").contains("there is no program `bash` in the job's container"),
        "{}",
        run.transcript()
    );
}

#[test]
fn trap_12_variables_have_paths_of_the_container_and_expressions_those_of_the_machine() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: docker://IMAGE
      env: { OF_CONTAINER: here }
    env: { FOLDER: '${{ github.workspace }}/sub', API: '${{ github.api_url }}' }
    steps:
      - run: |
          set -x
          test \"$GITHUB_WORKSPACE\" = /__w/repo/repo
          test \"$(pwd)\" = /__w/repo/repo
          test '${{ github.workspace }}' != /__w/repo/repo
          test \"$RUNNER_TEMP\" = /__w/_temp
          test '${{ runner.temp }}' != /__w/_temp
          test \"$RUNNER_TOOL_CACHE\" = /__t
          test \"$RUNNER_WORKSPACE\" = /__w/repo
          test \"$HOME\" = /github/home && echo kept > ~/file
          test \"$GITHUB_EVENT_PATH\" = /github/workflow/event.json && grep -q refs/heads/main \"$GITHUB_EVENT_PATH\"
          test \"$FOLDER\" = /__w/repo/repo/sub
          test \"$OF_CONTAINER\" = here
          test \"$PATH\" = /usr/bin:/bin
          test \"$CI\" = true
          test '${{ job.status }}' = success
          case '${{ job.container.id }}' in \"$(hostname)\"*) ;; *) exit 1 ;; esac
          test -n '${{ job.container.network }}'
          mkdir -p /__w/repo/repo/bin && printf '#!/bin/sh\\necho found\\n' > bin/tool && chmod +x bin/tool
          echo /__w/repo/repo/bin >> \"$GITHUB_PATH\"
          echo NAME=value >> \"$GITHUB_ENV\"
          echo 'out=put' >> \"$GITHUB_OUTPUT\"
          echo '# summary' >> \"$GITHUB_STEP_SUMMARY\"
        id: first
      - run: |
          test \"$NAME\" = value && test \"${{ steps.first.outputs.out }}\" = put && test \"$(cat ~/file)\" = kept
          test \"$(tool)\" = found && test \"$PATH\" = /__w/repo/repo/bin:/usr/bin:/bin
          echo \"::error file=/__w/repo/repo/bin/tool,line=2::in a file\"
          cd / && pwd
      - run: pwd
        working-directory: bin
      - run: pwd
        working-directory: /tmp
      - run: test -n '${{ hashFiles('bin/tool') }}'
";
    let run = Ran::of(&repository("paths", workflow), &[]).succeeds();
    assert_eq!(log_of(&run, "a", "__run_2").lines().last(), Some("/__w/repo/repo/bin"));
    assert_eq!(log_of(&run, "a", "__run_3").lines().last(), Some("/tmp"));
    let annotation = run.events("annotation").find(|event| event["message"] == "in a file").expect("an annotation");
    assert_eq!(annotation["file"], "bin/tool");
    assert!(run.events("summary").any(|event| event["markdown"] == "# summary\n"));
    // The image is in the record by its digest.
    let used = run.events("fact").find(|event| event["kind"] == "image").expect("the image is told");
    assert!(used["version"].as_str().is_some_and(|version| version.starts_with("sha256:")), "{used}");
}

#[test]
fn each_leg_of_a_matrix_has_its_image_and_an_empty_one_means_the_machine() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        container: ['IMAGE', { image: 'IMAGE', env: { OF: object } }, '']
    container: ${{ matrix.container }}
    steps:
      - run: |
          if test \"$GITHUB_WORKSPACE\" = /__w/repo/repo; then echo \"inside ${OF:-text}\"; else echo machine; fi
";
    let run = Ran::of(&repository("legs", workflow), &[]).succeeds();
    let mut said: Vec<String> = run
        .events("log")
        .filter_map(|event| event["line"].as_str())
        .filter(|line| line.starts_with("inside ") || *line == "machine")
        .map(str::to_owned)
        .collect();
    said.sort();
    assert_eq!(said, ["inside object", "inside text", "machine"], "{}", run.transcript());
}

#[test]
fn a_label_stands_for_an_image_unless_the_job_has_a_container() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: my-image
    steps:
      - run: test \"$GITHUB_WORKSPACE\" = /__w/repo/repo
  b:
    runs-on: ubuntu-latest
    steps:
      - run: test \"$GITHUB_WORKSPACE\" != /__w/repo/repo
";
    let image = format!("My-Image={}", busybox());
    Ran::of(&repository("label", workflow), &["--image", &image]).succeeds();
}

#[test]
fn actions_run_in_the_jobs_container() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: NODE
    steps:
      - uses: actions/checkout@v4
      - run: test -f .github/workflows/w.yml
      - id: js
        uses: trap/inside@v1
        with: { file: '${{ github.workspace }}/made' }
      - run: test \"$(cat made)\" = made && test \"${{ steps.js.outputs.where }}\" = /__w/repo/repo && test \"$ADDED\" = yes
      - uses: ./local
        id: composite
      - run: test '${{ steps.composite.outputs.path }}' = /__w/repo/repo/local
      - id: script
        uses: actions/github-script@v7
        with:
          script: |
            core.setOutput('where', process.cwd());
            core.setOutput('repo', (await github.rest.repos.get(context.repo)).data.full_name);
      - run: test '${{ steps.script.outputs.where }}' = /__w/repo/repo && test -n '${{ steps.script.outputs.repo }}'
";
    let repository = lineclear_testkit::Repository::new("inside");
    repository.write(".github/workflows/w.yml", &workflow.replace("NODE", &debian("node:18-slim")));
    repository.write(
        "local/action.yml",
        "
name: local
outputs: { path: { value: '${{ steps.say.outputs.path }}' } }
runs:
  using: composite
  steps:
    - id: say
      shell: sh
      run: echo \"path=$GITHUB_ACTION_PATH\" >> \"$GITHUB_OUTPUT\"
",
    );
    repository.commit("first");
    let actions = repository.beside("actions");
    let action = actions.join("trap/inside@v1");
    std::fs::create_dir_all(&action).expect("a folder");
    std::fs::write(
        action.join("action.yml"),
        "name: inside\ninputs: { file: { required: true } }\nruns: { using: node20, main: main.js, post: post.js }\n",
    )
    .expect("a file");
    std::fs::write(
        action.join("main.js"),
        "const fs = require('fs');
         fs.writeFileSync(process.env.INPUT_FILE, 'made');
         fs.appendFileSync(process.env.GITHUB_OUTPUT, `where=${process.cwd()}\\n`);
         fs.appendFileSync(process.env.GITHUB_STATE, 'kept=state\\n');
         fs.appendFileSync(process.env.GITHUB_ENV, 'ADDED=yes\\n');
         if (process.cwd() !== '/__w/repo/repo') throw new Error('not inside');",
    )
    .expect("a file");
    std::fs::write(action.join("post.js"), "console.log(`post has ${process.env.STATE_kept}`);").expect("a file");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env("LINECLEAR_ACTIONS_DIR", &actions);
    let run = Ran::end(lineclear_testkit::Started::new(command)).succeeds();
    assert!(run.log("a").iter().any(|line| line == "post has state"), "{}", run.transcript());
}

#[test]
fn the_official_client_uploads_an_artifact_from_inside_of_a_container() {
    let clients = official_clients();
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: NODE
      volumes: ['CLIENTS:/clients:ro']
    steps:
      - run: mkdir dist && echo hello > dist/file
      - uses: trap/upload@v1
  b:
    needs: a
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with: { name: from-inside, path: got }
      - run: test \"$(cat got/dist/file)\" = hello
  c:
    needs: a
    runs-on: ubuntu-latest
    container: IMAGE
    steps:
      - id: got
        uses: actions/download-artifact@v4
        with: { name: from-inside, path: got }
      - run: test \"$(cat got/dist/file)\" = hello && test '${{ steps.got.outputs.download-path }}' = /__w/repo/repo/got
";
    let workflow = workflow.replace("NODE", &debian("node:18-slim")).replace("CLIENTS", &clients.to_string_lossy());
    let repository = repository("artifact", &workflow);
    let actions = repository.beside("actions");
    let action = actions.join("trap/upload@v1");
    std::fs::create_dir_all(&action).expect("a folder");
    std::fs::write(action.join("action.yml"), "name: upload\nruns: { using: node20, main: main.js }\n")
        .expect("a file");
    std::fs::write(
        action.join("main.js"),
        "const { DefaultArtifactClient } = require('/clients/node_modules/artifact2');
         const client = new DefaultArtifactClient();
         client.uploadArtifact('from-inside', ['dist/file'], '.').then(
           (made) => console.log(`uploaded ${made.id}`),
           (error) => { console.log(`::error::${error.message}`); process.exitCode = 1; });",
    )
    .expect("a file");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env("LINECLEAR_ACTIONS_DIR", &actions);
    Ran::end(lineclear_testkit::Started::new(command)).succeeds();
}

#[test]
fn a_built_in_action_that_only_its_container_can_serve_is_the_real_one() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: IMAGE
    steps:
      - id: setup
        uses: actions/setup-python@v5
        continue-on-error: true
      - id: cache
        uses: actions/cache@v4
        continue-on-error: true
        with: { path: /opt/repository, key: k }
      - uses: actions/cache@v4
        with: { path: ~/.npm, key: k }
";
    let run = Ran::of(&repository("real", workflow), &[]).succeeds();
    assert_eq!(conclusion(&run, "a", "setup"), "success");
    let why = reason(&run, "a", "setup");
    assert!(why.contains("this job runs in a container, so the real one is needed"), "{why}");
    let why = reason(&run, "a", "cache");
    assert!(why.contains("`/opt/repository`, which only the job's container has"), "{why}");
}

#[test]
fn a_job_without_an_engine_says_what_was_tried() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: some/image:1
    steps:
      - run: echo never
  b:
    runs-on: ubuntu-latest
    services: { db: { image: 'postgres:15' } }
    steps:
      - run: echo never
  c:
    runs-on: ubuntu-latest
    steps:
      - run: echo fine
      - uses: docker://some/image:1
";
    let repository = lineclear_testkit::Repository::with("engineless", workflow);
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env("DOCKER_HOST", "unix:///nonexistent/engine.sock");
    let run = lineclear_testkit::Run::of(command);
    assert_eq!(run.exit, 1, "{}", run.transcript());
    let tried = "no container engine was found (DOCKER_HOST `unix:///nonexistent/engine.sock`: not there): start Docker or \
                 Podman, or name an engine (`--engine`, DOCKER_HOST)";
    assert_eq!(
        reason(&run, "a", "__initialize_containers"),
        format!("the job runs in the container `some/image:1`, but {tried}")
    );
    assert_eq!(
        reason(&run, "b", "__initialize_containers"),
        format!("the job needs the service `db` (`postgres:15`), but {tried}")
    );
    assert_eq!(reason(&run, "c", "__some_image_1"), format!("`docker://some/image:1` is a Docker action, and {tried}"));
    assert!(run.log("c").iter().any(|line| line == "fine"));
}
