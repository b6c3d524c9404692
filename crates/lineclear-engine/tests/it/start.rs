//! How a run begins, or why it does not.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use lineclear_engine::{GivenNeed, RunRequest};
use lineclear_event::Conclusion;

use crate::history::{History, check, check_one};

const GRAPH: &str = "
on: push
jobs:
  lint: { runs-on: x, steps: [{ run: a }] }
  build: { runs-on: x, steps: [{ run: a }] }
  test: { needs: build, strategy: { matrix: { os: [linux, mac], v: [1, 2] } }, runs-on: x, steps: [{ run: a }] }
  deploy: { needs: [test, lint], if: needs.lint.outputs.ok == 'yes', runs-on: x, steps: [{ run: a }] }
";

fn check_selection(adjust: fn(&mut RunRequest), script: &[&str], expected: Expect) {
    let mut history = History::new(&[("ci.yml", GRAPH)]);
    history.adjust = adjust;
    history.play("run 1 0");
    script.iter().for_each(|line| history.play(line));
    expected.assert_eq(&history.text);
}

#[test]
fn a_run_begins_with_what_is_known_of_it() {
    let mut history = History::new(&[(
        "ci.yml",
        "
name: Continuous integration
on: push
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
",
    )]);
    history.in_full = true;
    history.play("run 1 0");
    history.play("a ok");
    expect![[r#"
        run 1 started: Continuous integration of ci.yml
        a waits: a runner
        dispatch a
        > a ok
        a started
        set timeout of a in 21600 s
        clear timeout of a
        a success
        run 1 finished: success after 2000 ms
        run 1 ended: success
    "#]]
    .assert_eq(&history.text);
}

#[test]
fn a_file_with_errors_is_a_start_up_failure_that_names_them_all() {
    check_one(
        "
on: push
jobs:
  a: { needs: b, runs-on: x, steps: [{ run: a }] }
  c: { runs-on: x, steps: [{ run: '${{ github. }}' }] }
",
        "a starts\ncancel",
        expect![[r#"
            Error: error[needs-unknown]: job `a` needs `b`, which does not exist
             --> ci.yml:4:15
              |
            4 |   a: { needs: b, runs-on: x, steps: [{ run: a }] }
              |               ^
            Error: error[expression-syntax]: Unexpected end of expression: '.'; something is missing behind it
             --> ci.yml:5:46
              |
            5 |   c: { runs-on: x, steps: [{ run: '${{ github. }}' }] }
              |                                              ^
            run 1 ended: startup_failure
            > a starts
            refused: run 1 is over
            > cancel
            refused: no run is going on
        "#]],
    );
    check(
        &[("ci.yml", "[")],
        "",
        expect![[r#"
        Error: error[yaml-syntax]: this `[` is never closed
         --> ci.yml:1:1
          |
        1 | [
          | ^
          |
          = help: add `]` where it ends; quote the value if it is meant to start with `[`
        run 1 ended: startup_failure
    "#]],
    );
}

#[test]
fn a_run_without_its_file_is_a_start_up_failure() {
    let mut history = History::new(&[("ci.yml", GRAPH)]);
    history.play("run 1 other.yml");
    expect![[r#"
        Error: the run was given no text of its workflow file `other.yml`
        run 1 ended: startup_failure
    "#]]
    .assert_eq(&history.text);
}

#[test]
fn a_chosen_job_brings_what_it_needs_and_nothing_else() {
    check_selection(
        |request| request.selection.jobs = vec!["TEST".into()],
        &["build ok"],
        expect![[r#"
        test waits: needs build
        dispatch build
        > build ok
        build success
        dispatch test (linux, 1)
        dispatch test (linux, 2)
        dispatch test (mac, 1)
        dispatch test (mac, 2)
    "#]],
    );
}

#[test]
fn an_unknown_job_is_named_with_the_nearest_one_that_exists() {
    check_selection(
        |request| request.selection.jobs = vec!["biuld".into(), "lint".into()],
        &[],
        expect![[r#"
        Error: ci.yml has no job `biuld`; did you mean `build`?
        run 1 ended: startup_failure
    "#]],
    );
}

#[test]
fn a_given_need_is_not_run_again() {
    check_selection(
        |request| {
            let given = |outputs: &[(&str, &str)]| GivenNeed {
                conclusion: Conclusion::Success,
                outputs: outputs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            };
            request.selection.jobs = vec!["deploy".into()];
            request.selection.given = BTreeMap::from([
                ("test".to_owned(), given(&[])),
                ("lint".to_owned(), given(&[("ok", "yes")])),
                ("gone".to_owned(), given(&[])),
            ]);
        },
        &["deploy ok"],
        expect![[r#"
            Warning: ci.yml has no job `gone`; its result is not used
            Notice: lint is not run again: its result is given, success
            Notice: test is not run again: its result is given, success
            dispatch deploy
            > deploy ok
            deploy success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_given_failure_has_its_consequences_but_is_not_the_runs_own() {
    check_selection(
        |request| {
            let given = GivenNeed { conclusion: Conclusion::Failure, outputs: BTreeMap::new() };
            request.selection.jobs = vec!["test".into()];
            request.selection.given = BTreeMap::from([("build".to_owned(), given)]);
        },
        &[],
        expect![[r#"
            Notice: build is not run again: its result is given, failure
            test skipped: needs build, which failed
            run 1 ended: skipped
        "#]],
    );
}

#[test]
fn only_the_legs_asked_for_run() {
    check_selection(
        |request| {
            request.selection.jobs = vec!["test".into()];
            request.selection.matrix = vec![("os".into(), "mac".into()), ("none".into(), "x".into())];
        },
        &["build ok", "test_(mac,_1) ok", "test_(mac,_2) ok"],
        expect![[r#"
            test waits: needs build
            dispatch build
            > build ok
            build success
            dispatch test (mac, 1)
            dispatch test (mac, 2)
            > test_(mac,_1) ok
            test (mac, 1) success
            > test_(mac,_2) ok
            test (mac, 2) success
            run 1 ended: success
        "#]],
    );
    check_selection(
        |request| request.selection.matrix = vec![("os".into(), "windows".into())],
        &["lint ok", "build ok"],
        expect![[r#"
            test waits: needs build
            deploy waits: needs test, lint
            dispatch lint
            dispatch build
            > lint ok
            lint success
            > build ok
            build success
            test skipped: no leg of its matrix has os=windows
            deploy skipped: needs test, which was skipped
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_run_that_is_over_begins_again_only_as_a_new_attempt() {
    let mut history = History::new(&[("ci.yml", GRAPH)]);
    history.adjust = |request| request.selection.jobs = vec!["lint".into()];
    for line in ["run 1 0", "lint ok", "run 1 0"] {
        history.play(line);
    }
    history.adjust = |request| {
        request.selection.jobs = vec!["lint".into()];
        request.attempt = 2;
    };
    for line in ["run 1 0", "run 1 0", "lint fails"] {
        history.play(line);
    }
    assert_eq!(history.engine.conclusion(lineclear_event::RunId(1)), Some(Conclusion::Failure));
    expect![[r#"
        dispatch lint
        > lint ok
        lint success
        run 1 ended: success
        > run 1 0
        refused: run 1 was asked for before
        > run 1 0
        dispatch lint
        > run 1 0
        refused: run 1 was asked for before
        > lint fails
        lint failure: a step failed
        run 1 ended: failure
    "#]]
    .assert_eq(&history.text);
}
