//! Why things came out as they did, and that the recorded inputs give the recorded decisions again.

use lineclear_testkit::{Repository, Started, within};
use serde_json::Value;

use crate::history::{folder, json, redacted};

const CONDITIONS: &str = "
name: reasons
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { image: '${{ steps.image.outputs.tag }}' }
    steps:
      - id: image
        run: echo tag=v1 >> $GITHUB_OUTPUT
      - name: Only on release
        if: github.ref == 'refs/heads/release' && runner.os == 'Linux'
        run: echo never
      - id: restore
        uses: actions/cache/restore@v4
        with: { path: data, key: 'data-${{ github.sha }}', restore-keys: data- }
      - id: shaky
        run: exit 9
        continue-on-error: true
  deploy:
    needs: build
    if: needs.build.outputs.image == 'v2'
    runs-on: ubuntu-latest
    steps: [run: echo never]
  check:
    needs: build
    if: needs.build.outputs.image == 'v1'
    runs-on: ubuntu-latest
    steps:
      - id: fails
        run: |
          echo 'Connection refused'
          exit 7
      - id: after
        run: echo never
";

fn cause<'w>(why: &'w Value, kind: &str, job: &str, step: Option<&str>) -> &'w Value {
    let causes = why["causes"].as_array().expect("a list");
    let wanted = |cause: &&Value| cause["kind"] == *kind && cause["job"] == *job && cause["step"].as_str() == step;
    causes.iter().find(wanted).unwrap_or_else(|| panic!("no {kind} of {job} {step:?} in {why:#}"))
}

/// C5: every skip, wait, miss and failure has the evaluated expression and the value that decided it.
#[test]
fn c5_every_skip_miss_and_failure_says_why_with_the_value_that_decided() {
    let repository = Repository::with("why", CONDITIONS);
    repository.run(&[]);
    let why = json(&repository, &["why"]);
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();

    let skipped = cause(&why, "skipped", "deploy", None);
    assert_eq!(
        text(skipped, "reason"),
        "if: `needs.build.outputs.image == 'v2'` is false: needs.build.outputs.image = v1"
    );
    assert_eq!(text(skipped, "place"), ".github/workflows/w.yml:22");
    let step = cause(&why, "skipped", "build", Some("__run"));
    assert!(text(step, "reason").ends_with("is false: github.ref = refs/heads/main"), "{step}");
    assert_eq!(text(step, "condition"), "github.ref == 'refs/heads/release' && runner.os == 'Linux'");
    assert_eq!(text(step, "place"), ".github/workflows/w.yml:11");

    let miss = cause(&why, "cache_miss", "build", Some("restore"));
    assert!(
        text(miss, "reason").contains("no entry begins with") || text(miss, "reason").contains("no cache"),
        "{miss}"
    );
    let tolerated = cause(&why, "tolerated", "build", Some("shaky"));
    assert_eq!((text(tolerated, "reason"), &tolerated["exit_code"]), ("exit code 9".into(), &9.into()));

    let failed = cause(&why, "failed", "check", Some("fails"));
    assert_eq!(text(failed, "place"), ".github/workflows/w.yml:30");
    assert_eq!(failed["last_lines"][0], "Connection refused");
    assert!(text(failed, "hint").contains("nothing answers at that address"), "{failed}");
    let after = cause(&why, "skipped", "check", Some("after"));
    assert!(text(after, "reason").contains("fails") || text(after, "reason").contains("exit code 7"), "{after}");
    let waited = cause(&why, "waited", "check", None);
    assert_eq!(text(waited, "reason"), "needs build");
    let next = why["next"].to_string();
    assert!(next.contains("lineclear logs") && next.contains("-j check") && next.contains("--run"), "{next}");

    // One job: also why it ran.
    let why = json(&repository, &["why", "last", "check"]);
    assert_eq!(
        text(cause(&why, "ran", "check", None), "reason"),
        "`needs.build.outputs.image == 'v1'` is true: needs.build.outputs.image = v1"
    );
    let said = repository.say(&["why", "last", "deploy"]);
    let expected = expect_test::expect![[r#"
        ✗ w.yml#1 failure  push on main, COMMIT first  AGE, took TIME  (run ID)

        waited  deploy  TIME
          why:  needs build

        skipped  deploy
          why:  if: `needs.build.outputs.image == 'v2'` is false: needs.build.outputs.image = v1
          where:  .github/workflows/w.yml:22

        Type next:
          lineclear replay ID --run
    "#]];
    expected.assert_eq(&redacted(&said));
    let nothing = json(&repository, &["why", "last", "build", "image"]);
    assert_eq!(nothing["causes"].as_array().map(Vec::len), Some(1), "{nothing}");
}

#[test]
fn a_run_without_trouble_needs_no_explanation() {
    let repository =
        Repository::with("why-none", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'true' } ] } }\n");
    repository.run(&[]);
    let said = repository.say(&["why"]);
    assert!(said.stdout.contains("there is nothing to explain"), "{}", said.stdout);
}

/// A job of a called workflow, with the place in the called file.
#[test]
fn a_failure_in_a_called_workflow_is_found_in_its_own_file() {
    let repository = Repository::new("why-called");
    repository
        .write(".github/workflows/w.yml", "on: push\njobs:\n  release:\n    uses: ./.github/workflows/called.yml\n");
    repository.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs:\n  build:\n    runs-on: linux\n    strategy: { matrix: { os: [a/b] } }\n    steps:\n      - id: fails\n        run: exit 1\n",
    );
    repository.commit("first");
    repository.run(&[]);
    let why = json(&repository, &["why"]);
    let causes = why["causes"].as_array().expect("a list");
    let failed = causes.iter().find(|cause| cause["step"] == "fails").unwrap_or_else(|| panic!("{why:#}"));
    assert_eq!(failed["place"], ".github/workflows/called.yml:7", "{failed}");
    let whole = json(&repository, &["why", "last", "release"]);
    assert!(whole["causes"].as_array().expect("a list").iter().any(|cause| cause["step"] == "fails"), "{whole:#}");
}

const MANY_SHAPES: &str = "
name: shapes
on: push
concurrency: { group: shapes }
jobs:
  matrix:
    strategy: { max-parallel: 1, fail-fast: true, matrix: { v: [1, 2, 3] } }
    runs-on: linux
    steps: [run: '[ ${{ matrix.v }} != 2 ]']
  called:
    uses: ./.github/workflows/called.yml
    with: { word: hello }
  last:
    needs: [matrix, called]
    if: always()
    runs-on: linux
    steps: [run: 'echo ${{ needs.called.outputs.said }}']
";

const CALLED: &str = "
on: { workflow_call: { inputs: { word: { type: string } }, outputs: { said: { value: '${{ jobs.inner.outputs.said }}' } } } }
jobs:
  inner:
    runs-on: linux
    outputs: { said: '${{ steps.say.outputs.said }}' }
    steps: [ { id: say, run: 'echo said=${{ inputs.word }} >> $GITHUB_OUTPUT' } ]
";

/// The recorded inputs give the recorded events again: matrices, called workflows, failures, cancellation.
#[test]
fn what_was_recorded_is_decided_the_same_again() {
    let repository = Repository::new("replay");
    repository.write(".github/workflows/w.yml", MANY_SHAPES);
    repository.write(".github/workflows/called.yml", CALLED);
    repository.commit("first");
    let run = repository.run(&[]);
    assert_eq!(run.last(), "failure", "{}", run.transcript());
    let replay = repository.say(&["replay"]);
    assert_eq!(replay.exit, 0, "{}{}", replay.stdout, replay.stderr);
    for words in
        ["waits: max-parallel", "hand called/inner out, to linux", "last is success", "close the record: failure"]
    {
        assert!(replay.stdout.contains(words), "{words}: {}", replay.stdout);
    }
    let document = json(&repository, &["replay"]);
    assert_eq!((&document["equal"], document["differences"].as_array().map(Vec::len)), (&true.into(), Some(0)));

    // Cancelled.
    let begun = repository.beside("begun");
    repository.write(
        ".github/workflows/w.yml",
        &format!("on: push\njobs: {{ a: {{ runs-on: linux, steps: [ {{ run: 'touch {}; sleep 600' }} ] }}, b: {{ needs: a, runs-on: linux, steps: [ {{ run: 'true' }} ] }} }}\n", begun.display()),
    );
    let started = Started::new(repository.lineclear(&["run", "--format", "json"]));
    assert!(within(std::time::Duration::from_secs(60), || begun.exists()), "the step starts");
    started.signal("INT");
    started.finish();
    let replay = repository.say(&["replay"]);
    assert_eq!(replay.exit, 0, "{}{}", replay.stdout, replay.stderr);
    assert!(replay.stdout.contains("it is to be cancelled"), "{}", replay.stdout);

    // A record that was changed is found out.
    let id = json(&repository, &["runs"])["runs"][1]["id"].clone();
    let record = folder(&repository, &id).join("record.jsonl");
    let text = std::fs::read_to_string(&record).expect("a record");
    let changed: Vec<String> = text
        .lines()
        .map(|line| {
            let is_told = line.contains(r#""event":"job_finished","job":"called""#);
            if is_told {
                line.replace(r#""conclusion":"success""#, r#""conclusion":"failure""#)
            } else {
                line.to_owned()
            }
        })
        .collect();
    std::fs::write(&record, changed.join("\n") + "\n").expect("written");
    let replay = repository.say(&["replay", &id.to_string(), "--quiet"]);
    assert_eq!(replay.exit, 1, "{}", replay.stdout);
    assert!(replay.stdout.contains("1 of what is decided now is not what was recorded"), "{}", replay.stdout);
}

/// Workflows of one command that share a concurrency group decide over each other: they are replayed together.
#[test]
fn runs_of_one_command_that_share_a_group_are_replayed_together() {
    let repository = Repository::new("replay-group");
    for name in ["one", "two"] {
        repository.write(
            &format!(".github/workflows/{name}.yml"),
            &format!("name: {name}\non: push\nconcurrency: {{ group: shared }}\njobs: {{ a: {{ runs-on: linux, steps: [ {{ run: sleep 0.2 }} ] }} }}\n"),
        );
    }
    repository.commit("first");
    assert_eq!(repository.run(&[]).exit, 0);
    for run in ["one.yml", "two.yml"] {
        let replay = repository.say(&["replay", run]);
        assert_eq!(replay.exit, 0, "{}{}", replay.stdout, replay.stderr);
    }
    let together = json(&repository, &["replay", "two.yml"]);
    assert_eq!(together["together_with"].as_array().map(Vec::len), Some(1), "{together:#}");
}

/// A rerun has the recorded commit, inputs, variables and workflow text, whatever the working tree has by then.
#[test]
fn a_run_is_run_again_as_it_was() {
    let workflow = "
on: { workflow_dispatch: { inputs: { target: { type: string } } } }
jobs:
  a:
    runs-on: linux
    outputs: { said: '${{ steps.say.outputs.said }}' }
    steps:
      - uses: actions/checkout@v4
      - id: say
        run: echo \"said=$(cat file.txt) ${{ inputs.target }} ${{ vars.COLOUR }} ${{ secrets.TOKEN != '' }} ${{ github.run_attempt }}\" >> $GITHUB_OUTPUT
";
    let repository = Repository::new("rerun");
    repository.write(".github/workflows/w.yml", workflow);
    repository.write("file.txt", "old");
    repository.commit("first");
    let args = ["--event", "workflow_dispatch", "--input", "target=staging", "--var", "COLOUR=red"];
    let run = repository.run(&args);
    assert_eq!(run.output("a", "said"), Some("old staging red false 1"), "{}", run.transcript());

    repository.write("file.txt", "new");
    repository.write(".github/workflows/w.yml", "on: push\njobs: {}\n");
    repository.commit("second");
    repository.write("file.txt", "newer");
    let mut command =
        repository.lineclear(&["replay", "last", "--run", "--", "--secret", "TOKEN=xyzzy-1", "--format", "json"]);
    command.env("TMPDIR", repository.beside(""));
    let again = lineclear_testkit::Run::of(command);
    assert_eq!(again.exit, 0, "{}", again.transcript());
    assert_eq!(again.output("a", "said"), Some("old staging red true 2"), "{}", again.transcript());
    assert!(again.stderr.contains("again at its commit") && again.stderr.contains("(first)"), "{}", again.stderr);
    assert_eq!(repository.read("file.txt"), "newer", "the working tree stays as it is");
    let left: Vec<_> =
        std::fs::read_dir(repository.beside("")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("lineclear-rerun")), "{left:?}");
    let runs = json(&repository, &["runs"]);
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "a run of its own: {runs}");

    let refused = repository.say(&["replay", "last", "--run", "--", "--input", "target=production"]);
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("--input has no place in a rerun"), "{}", refused.stderr);
}
