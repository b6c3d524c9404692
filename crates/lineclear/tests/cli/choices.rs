//! What is run, and with what: the options of `lineclear run`.

use lineclear_testkit::{Repository, Run};

fn log(run: &Run, job: &str, line: &str) -> bool {
    run.log(job).iter().any(|known| known == line)
}

const NEEDS: &str = "
on: push
jobs:
  version:
    runs-on: linux
    outputs: { v: '${{ steps.v.outputs.v }}' }
    steps: [ { id: v, run: 'echo v=from-need >> $GITHUB_OUTPUT' } ]
  lint:
    runs-on: linux
    steps: [run: exit 1]
  test:
    needs: version
    strategy: { matrix: { python: ['3.10', '3.11'], os: [a, b] } }
    runs-on: linux
    outputs: { ok: yes }
    steps: [run: 'echo testing ${{ matrix.python }} ${{ needs.version.outputs.v }}']
  deploy:
    needs: [version, test]
    runs-on: linux
    steps: [run: 'echo deploying ${{ needs.version.outputs.v }} ${{ needs.test.outputs.ok }} ${{ needs.test.result }}']
";

/// S1-4, S4-62: the same job, alone, with the same steps.
#[test]
fn a_job_is_run_with_what_it_needs_and_nothing_else() {
    let repository = Repository::with("choices", NEEDS);
    let run = repository.run(&["-j", "test"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let jobs: Vec<&str> = run.events("job_finished").filter_map(|event| event["job"].as_str()).collect();
    assert_eq!(jobs.len(), 5, "{jobs:?}");
    assert!(jobs.contains(&"version") && !jobs.contains(&"lint") && !jobs.contains(&"deploy"), "{jobs:?}");
    assert!(log(&run, "test (3.10, a)", "testing 3.10 from-need"));
    assert_eq!(repository.run(&["-j", "lint"]).exit, 1);
    let both = repository.run(&["-j", "version", "-j", "lint"]);
    assert_eq!(both.events("job_finished").count(), 2);
    let wrong = repository.run(&["-j", "tets"]);
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("there is no job `tets`; did you mean `test`?"), "{}", wrong.stderr);
}

#[test]
fn legs_of_a_matrix_are_chosen_by_their_values() {
    let repository = Repository::with("choices", NEEDS);
    let run = repository.run(&["-j", "test", "--matrix", "python:3.11", "--matrix", "os:b"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let legs: Vec<&str> = run
        .events("job_finished")
        .filter_map(|event| event["job"].as_str())
        .filter(|job| job.starts_with("test"))
        .collect();
    assert_eq!(legs, ["test (3.11, b)"]);
    let none = repository.run(&["-j", "test", "--matrix", "python:2.7"]);
    let reason = none.job("test").expect("it is told of")["reason"].as_str().unwrap_or_default();
    assert_eq!(reason, "no leg of its matrix has python=2.7", "{}", none.transcript());
}

#[test]
fn skip_needs_takes_the_outputs_of_the_last_run() {
    let repository = Repository::with("choices", NEEDS);
    let first = repository.run(&["-j", "deploy", "--skip-needs"]);
    assert_eq!(first.exit, 2, "there is no run yet");
    assert!(first.stderr.contains("there is no earlier run"), "{}", first.stderr);
    assert_eq!(repository.run(&["-j", "deploy"]).exit, 0);
    let again = repository.run(&["-j", "deploy", "--skip-needs"]);
    assert_eq!(again.exit, 0, "{}", again.transcript());
    let ran: Vec<&str> = again.events("job_started").filter_map(|event| event["job"].as_str()).collect();
    assert_eq!(ran, ["deploy"]);
    assert!(log(&again, "deploy", "deploying from-need yes success"), "{}", again.transcript());
    assert_eq!(repository.say(&["run", "--skip-needs"]).exit, 2, "only together with --job");
}

#[test]
fn values_come_from_options_files_and_the_environment() {
    let repository = Repository::with(
        "choices",
        "on: push
env: { LAYER: workflow }
jobs:
  a:
    runs-on: linux
    steps:
      - env: { FIRST: '${{ secrets.FIRST }}', SECOND: '${{ secrets.second }}', THIRD: '${{ secrets.THIRD }}' }
        run: |
          [ \"$FIRST\" = one-secret ] && [ \"$SECOND\" = two-secret ] && [ \"$THIRD\" = three=secret ]
          echo \"${{ vars.A }} ${{ vars.B }} $GIVEN $LAYER ${{ github.actor }} ${{ github.ref }}\"
",
    );
    std::fs::write(repository.beside("secrets.env"), "# mine\nFIRST=overridden\nexport SECOND='two-secret'\n")
        .expect("written");
    std::fs::write(repository.beside("vars.env"), "A=file\nB=\"from file\"\n").expect("written");
    std::fs::write(repository.beside("env.env"), "GIVEN=given\nLAYER=below\n").expect("written");
    let beside = |name: &str| repository.beside(name).to_string_lossy().into_owned();
    let (secrets, vars, env) = (beside("secrets.env"), beside("vars.env"), beside("env.env"));
    let args = [
        "run",
        "--format",
        "json",
        "--secret-file",
        &secrets,
        "--var-file",
        &vars,
        "--env-file",
        &env,
        "--secret",
        "FIRST",
        "--secret",
        "third=three=secret",
        "--var",
        "A=option",
        "--env",
        "OTHER=1",
        "--actor",
        "mona",
        "--ref",
        "refs/heads/dev",
    ];
    let mut command = repository.lineclear(&args);
    command.env("FIRST", "one-secret");
    let run = Run::of(command);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(log(&run, "a", "option from file given workflow mona refs/heads/dev"), "{}", run.transcript());
    for (args, part) in [
        (&["--secret", "NOT_SET_ANYWHERE"][..], "has no value"),
        (&["--secret", "1x=2"], "no name for a secret"),
        (&["--var", "A"], "NAME=VALUE"),
        (&["--secret-file", "none.env"], "cannot read `none.env`"),
        (&["--matrix", "x"], "AXIS:VALUE"),
        (&["--input", "x=1", "--event", "pull_reqest"], "did you mean `pull_request`?"),
    ] {
        let run = repository.run(args);
        assert_eq!(run.exit, 2, "{args:?}");
        assert!(run.stderr.contains(part), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_payload_decides_what_happened() {
    let repository = Repository::with(
        "choices",
        "on: { pull_request: { types: [labeled] } }
jobs:
  a:
    if: github.event.label.name == 'smoke'
    runs-on: linux
    steps:
      - run: |
          echo \"$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_HEAD_REF $GITHUB_BASE_REF ${{ github.event.pull_request.title }}\"
          [ \"$(node -p \"require('$GITHUB_EVENT_PATH').number\")\" = 7 ]
",
    );
    let payload = r#"{"action":"labeled","number":7,"label":{"name":"smoke"},"pull_request":{"number":7,"title":"A title",
        "head":{"ref":"topic","sha":"0123456789012345678901234567890123456789"},"base":{"ref":"main","sha":"9876543210987654321098765432109876543210"}},
        "repository":{"name":"repo","full_name":"Mona/repo","owner":{"login":"Mona"},"default_branch":"main"},"sender":{"login":"mona"}}"#;
    repository.write("event.json", payload);
    let run = repository.run(&["--event", "pull_request", "--payload", "event.json"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(log(&run, "a", "pull_request refs/pull/7/merge topic main A title"), "{}", run.transcript());
    repository.write("event.json", "[1]");
    let run = repository.run(&["--payload", "event.json"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("a webhook's payload is a JSON object"), "{}", run.stderr);
}

#[test]
fn workflows_are_chosen_by_file_or_folder() {
    let job = "jobs: { a: { runs-on: linux, steps: [ { run: echo } ] } }\n";
    let repository = Repository::with("choices", &format!("name: one\non: push\n{job}"));
    repository.write(".github/workflows/two.yaml", &format!("name: two\non: push\n{job}"));
    repository.write(".github/workflows/nested/three.yml", &format!("name: three\non: push\n{job}"));
    repository.write("elsewhere/four.yml", &format!("name: four\non: workflow_dispatch\n{job}"));
    let names = |args: &[&str]| -> Vec<String> {
        let run = repository.run(args);
        assert_eq!(run.exit, 0, "{args:?}: {}", run.transcript());
        let mut names: Vec<String> =
            run.events("run_started").filter_map(|event| event["workflow"].as_str()).map(str::to_owned).collect();
        names.sort();
        names
    };
    // Only the top of the folder counts, as on GitHub.
    assert_eq!(names(&[]), ["one", "two"]);
    assert_eq!(names(&["-W", ".github/workflows/two.yaml"]), ["two"]);
    assert_eq!(names(&["-W", ".github/workflows/two.yaml", "-W", ".github/workflows/w.yml"]), ["one", "two"]);
    // A single file is run for the event it is made for.
    assert_eq!(names(&["-W", "elsewhere/four.yml"]), ["four"]);
    assert_eq!(names(&["-W", "elsewhere", "--event", "workflow_dispatch"]), ["four"]);
    let run = repository.run(&["-W", "nowhere.yml"]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("there is no workflow file or folder `nowhere.yml`"), "{}", run.stderr);
    // From a folder inside, and from elsewhere.
    let inside = repository.root().join("elsewhere");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    assert_eq!(
        Run::of({
            command.current_dir(inside);
            command
        })
        .events("run_started")
        .count(),
        2
    );
    let root = repository.root().to_string_lossy().into_owned();
    let mut command = repository.lineclear(&["-C", &root, "run", "--format", "json"]);
    assert_eq!(
        Run::of({
            command.current_dir("/");
            command
        })
        .events("run_started")
        .count(),
        2
    );
    assert_eq!(repository.say(&["-C", "/no/such/folder", "run"]).exit, 2);
}

#[test]
fn a_dry_run_says_what_would_run_and_runs_nothing() {
    let repository =
        Repository::with("choices", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: touch /tmp/$$ } ] } }\n");
    let said = repository.say(&["run", "--dry-run"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains('a') && said.stdout.contains("1 workflow"), "{}", said.stdout);
    let said = repository.say(&["run", "--dry-run", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&said.stdout).expect("a plan");
    assert_eq!(plan["workflows"][0]["jobs"][0]["key"], "a");
    assert!(!repository.home().join("runs").exists() || repository.home_files_with("job_started").is_empty());
}

#[test]
fn real_actions_stand_in_for_the_built_in_ones_on_request() {
    let repository = Repository::with(
        "choices",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { uses: actions/checkout@v4 } ] } }\n",
    );
    let built_in = repository.run(&[]);
    assert_eq!(built_in.exit, 0, "{}", built_in.transcript());
    let missing = repository.run(&["--no-native-actions"]);
    assert_eq!(missing.exit, 1);
    assert!(missing.transcript().contains("it is not in `"), "{}", missing.transcript());

    let actions = repository.beside("my actions");
    let folder = actions.join("actions/checkout@v4");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("action.yml"), "name: Own\ndescription: Own.\nruns: { using: node20, main: m.js }\n")
        .expect("written");
    std::fs::write(folder.join("m.js"), "console.log('the real one in ' + process.env.GITHUB_ACTION_REPOSITORY)")
        .expect("written");
    let mut command = repository.lineclear(&["run", "--format", "json", "--no-native-actions"]);
    command.env("LINECLEAR_ACTIONS_DIR", &actions);
    let real = Run::of(command);
    assert!(log(&real, "a", "the real one in actions/checkout"), "{}", real.transcript());
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env_remove("LINECLEAR_ACTIONS_DIR");
    assert_eq!(Run::of(command).exit, 0);
}

#[test]
fn an_action_that_is_nowhere_says_where_to_put_it() {
    let repository =
        Repository::with("choices", "on: push\njobs: { a: { runs-on: linux, steps: [ { uses: some/thing@v1 } ] } }\n");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env_remove("LINECLEAR_ACTIONS_DIR");
    let run = Run::of(command);
    assert_eq!(run.exit, 1);
    let step = run.step("a", "__some_thing").expect("the step ended");
    let reason = step["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("`some/thing@v1`") && reason.contains("LINECLEAR_ACTIONS_DIR"), "{reason}");
}

/// Trap 65, S1-100.
#[test]
fn dispatch_inputs_are_checked_before_anything_runs() {
    let repository = Repository::with(
        "choices",
        "on:
  workflow_dispatch:
    inputs:
      where: { type: choice, options: [staging, production], required: true }
      count: { type: number }
jobs: { a: { runs-on: linux, steps: [ { run: 'echo ${{ inputs.where }}' } ] } }
",
    );
    let run = repository.run(&["--event", "workflow_dispatch", "--input", "where=production"]);
    assert!(run.exit == 0 && log(&run, "a", "production"), "{}", run.transcript());
    for (input, part) in [("where=moon", "staging"), ("count=many", "count"), ("wher=staging", "where")] {
        let run = repository.run(&["--event", "workflow_dispatch", "--input", input]);
        assert_eq!(run.exit, 2, "{input}: {}", run.transcript());
        assert!(run.stderr.contains(part), "{input}: {}", run.stderr);
    }
}

#[test]
fn jobs_at_once_are_limited_on_request() {
    let repository = Repository::with(
        "choices",
        "on: push
jobs:
  a: &job
    runs-on: linux
    steps: [run: 'mkdir $LOCK; sleep 0.2; rmdir $LOCK']
    env: { LOCK: '/tmp/lineclear-parallel-${{ github.run_id }}' }
  b: *job
  c: *job
",
    );
    let run = repository.run(&["--parallel", "1"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(repository.say(&["run", "--parallel", "0"]).exit, 2);
}

#[test]
fn a_dry_run_shows_only_what_would_run() {
    let repository = Repository::with("choices", NEEDS);
    let jobs = |arguments: &[&str]| {
        let said = repository.say(&[&["run", "--dry-run"], arguments].concat());
        assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
        let lines = said.stdout.lines().filter_map(|line| line.trim().strip_prefix("● "));
        lines.map(|line| line.split("  ").next().unwrap_or(line).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(jobs(&["-j", "version"]), ["version"]);
    assert_eq!(
        jobs(&["-j", "deploy", "--matrix", "python:3.11"]),
        ["version", "test (3.11, a)", "test (3.11, b)", "deploy"]
    );
    assert_eq!(jobs(&["-j", "deploy", "--skip-needs"]), ["deploy"]);
}

#[test]
fn an_axis_that_no_matrix_has_is_refused() {
    let repository = Repository::with("choices", NEEDS);
    let wrong = repository.run(&["--matrix", "pythn:3.11"]);
    assert_eq!(wrong.exit, 2, "{}", wrong.transcript());
    assert!(wrong.stderr.contains("no matrix has an axis `pythn`; did you mean `python`?"), "{}", wrong.stderr);
}
