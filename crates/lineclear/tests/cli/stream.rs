//! `lineclear run --format json`: the stream that `docs/events.md` describes.

use std::collections::BTreeSet;

use lineclear_testkit::{Repository, Run};

const WORKFLOW: &str = "
name: stream
on: push
jobs:
  build:
    name: Build it
    runs-on: ubuntu-latest
    outputs: { version: '${{ steps.version.outputs.version }}' }
    steps:
      - id: version
        name: Find the version
        run: |
          echo version=1.2 >> $GITHUB_OUTPUT
          echo hello; echo there >&2
          echo '::warning file=a.py,line=3::careful'
          echo '# Title' >> $GITHUB_STEP_SUMMARY
      - run: exit 3
        continue-on-error: true
      - if: failure()
        run: echo never
  after:
    needs: build
    runs-on: ubuntu-latest
    steps: [run: 'echo ${{ needs.build.outputs.version }}']
";

#[test]
fn every_event_has_its_documented_keys() {
    let repository = Repository::with("stream", WORKFLOW);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let keys: [(&str, &[&str]); 9] = [
        ("run_started", &["version", "workflow", "file", "event_name", "sha", "plan_hash", "run_name"]),
        ("job_waiting", &["job", "name", "reason"]),
        ("job_started", &["job", "name"]),
        ("step_started", &["job", "step", "name"]),
        ("log", &["job", "step", "line"]),
        ("annotation", &["job", "step", "level", "message"]),
        ("summary", &["job", "step", "markdown"]),
        ("step_finished", &["job", "step", "name", "outcome", "conclusion", "duration_ms"]),
        ("job_finished", &["job", "name", "conclusion", "outputs", "duration_ms"]),
    ];
    let known: BTreeSet<&str> = keys.iter().map(|(kind, _)| *kind).chain(["run_finished", "notice"]).collect();
    for event in run.all() {
        let kind = event["event"].as_str().expect("a kind");
        assert!(known.contains(kind), "{kind} is not documented");
        assert!(event["run"].is_u64() && event["at"].is_i64(), "{event}");
        let wanted = keys.iter().find(|(known, _)| *known == kind).map_or(&[][..], |(_, keys)| keys);
        for key in wanted {
            assert!(!event[key].is_null(), "{kind} has no {key}: {event}");
        }
    }
    for (kind, _) in keys {
        assert!(run.events(kind).next().is_some(), "no {kind} happened");
    }
    assert_eq!(run.all()[0]["event"], "run_started");
    assert_eq!(run.last(), "success");
}

#[test]
fn steps_and_jobs_end_with_outcome_conclusion_and_outputs() {
    let run = Repository::with("stream", WORKFLOW).run(&[]);
    let step = run.step("build", "version").expect("it ran");
    assert_eq!((step["name"].as_str(), step["outcome"].as_str()), (Some("Find the version"), Some("success")));
    let tolerated = run.step("build", "__run").expect("it ran");
    assert_eq!(
        (&tolerated["outcome"], &tolerated["conclusion"], &tolerated["exit_code"]),
        (&"failure".into(), &"success".into(), &3.into())
    );
    let skipped = run.step("build", "__run_2").expect("it is told of");
    assert_eq!((&skipped["outcome"], &skipped["conclusion"]), (&"skipped".into(), &"skipped".into()));
    assert!(skipped["reason"].as_str().is_some_and(|reason| reason.contains("failure()")), "{skipped}");
    let job = run.job("build").expect("it ended");
    assert_eq!((job["name"].as_str(), &job["outputs"]), (Some("Build it"), &serde_json::json!({"version": "1.2"})));
    assert!(run.log("build").iter().any(|line| line == "hello") && run.log("build").iter().any(|line| line == "there"));
    assert!(run.log("after").iter().any(|line| line == "1.2"));
}

#[test]
fn an_event_comes_after_what_it_speaks_of() {
    let run = Repository::with("stream", WORKFLOW).run(&[]);
    let at = |kind: &str, job: &str, step: Option<&str>| {
        run.all()
            .iter()
            .position(|event| {
                event["event"] == *kind && event["job"] == *job && step.is_none_or(|step| event["step"] == *step)
            })
            .unwrap_or_else(|| panic!("no {kind} of {job} {step:?}"))
    };
    let order = [
        at("job_started", "build", None),
        at("step_started", "build", Some("version")),
        at("log", "build", Some("version")),
        at("step_finished", "build", Some("version")),
        at("step_started", "build", Some("__run")),
        at("job_finished", "build", None),
        at("job_started", "after", None),
        at("job_finished", "after", None),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn of_several_runs_the_worst_verdict_is_the_last_line_and_the_exit_code() {
    let repository =
        Repository::with("stream", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: exit 1 } ] } }\n");
    repository
        .write(".github/workflows/z.yml", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: exit 0 } ] } }\n");
    let run = repository.run(&[]);
    assert_eq!((run.exit, run.last()), (1, "failure"));
    let ends: Vec<&str> = run.all().iter().rev().take(2).filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(ends, ["run_finished", "run_finished"]);
    assert_eq!(run.events("run_started").count(), 2);
}

#[test]
fn an_event_that_starts_nothing_says_why_and_succeeds() {
    let repository = Repository::with(
        "stream",
        "name: R\non: release\njobs: { a: { runs-on: linux, steps: [ { run: exit 1 } ] } }\n",
    );
    let run = repository.run(&["--event", "push"]);
    assert_eq!((run.exit, run.last()), (0, "skipped"));
    let notice = run.events("notice").next().expect("a notice");
    assert!(
        notice["message"].as_str().is_some_and(|text| text.contains("is not run") && text.contains("push")),
        "{notice}"
    );
}

#[test]
fn equal_inputs_have_equal_plan_hashes_and_runs_are_numbered() {
    let repository = Repository::with(
        "stream",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo number $GITHUB_RUN_NUMBER attempt $GITHUB_RUN_ATTEMPT' } ] } }\n",
    );
    let runs = [repository.run(&[]), repository.run(&[])];
    let started = |run: &Run, key: &str| run.events("run_started").next().expect("it starts")[key].clone();
    assert_eq!(started(&runs[0], "plan_hash"), started(&runs[1], "plan_hash"));
    assert_ne!(started(&runs[0], "run"), started(&runs[1], "run"));
    assert!(runs[0].log("a").iter().any(|line| line == "number 1 attempt 1"), "{}", runs[0].transcript());
    assert!(runs[1].log("a").iter().any(|line| line == "number 2 attempt 1"), "{}", runs[1].transcript());
}

#[test]
fn whatever_a_step_prints_every_line_is_json() {
    let repository = Repository::with(
        "stream",
        "on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: |
          printf 'bad \\xff\\xfe utf8\\n\\0nul\\ttab\\r\\n'
          printf '\\033]0;title\\007\\xe2\\x80\\xa8\\xc2\\x85 \\\"quoted\\\" \\\\ back\\n'
          printf 'progress 1\\rprogress 2\\rdone\\n'
          printf 'no newline at the end'
",
    );
    // `Run` panics on a line that is no JSON.
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let log = run.log("a");
    assert!(log.iter().any(|line| line.starts_with("bad \u{fffd}")), "{log:?}");
    assert!(log.iter().any(|line| line == "no newline at the end"), "{log:?}");
    assert!(log.iter().any(|line| line.contains("\"quoted\" \\ back")), "{log:?}");
}
