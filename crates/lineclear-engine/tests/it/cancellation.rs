//! Stopping: cancellation once and twice, time-outs, and the time granted after them.

use expect_test::expect;

use crate::history::{History, check_one};

const MIXED: &str = "
on: push
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  keep: { if: always(), runs-on: x, steps: [{ run: a }] }
  test: { needs: build, runs-on: x, steps: [{ run: a }] }
  clean: { needs: build, if: always() && needs.build.result == 'cancelled', runs-on: x, steps: [{ run: a }] }
  note: { needs: test, if: cancelled(), runs-on: x, steps: [{ run: a }] }
  never: { needs: build, if: failure(), runs-on: x, steps: [{ run: a }] }
";

#[test]
fn cancelling_spares_jobs_whose_condition_still_holds() {
    check_one(
        MIXED,
        "build starts\nkeep starts\ncancel\nbuild ends cancelled\nkeep ends success\nnote ok\nclean ok",
        expect![[r#"
            test waits: needs build
            clean waits: needs build
            note waits: needs test
            never waits: needs build
            dispatch build
            dispatch keep
            > build starts
            > keep starts
            > cancel
            stop build
            > build ends cancelled
            build cancelled: the run was cancelled: interrupted
            test cancelled: the run was cancelled: interrupted
            never cancelled: the run was cancelled: interrupted
            dispatch clean
            dispatch note
            > keep ends success
            keep success
            > note ok
            note success
            > clean ok
            clean success
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn cancelling_twice_kills_everything() {
    check_one(
        MIXED,
        "build starts\nkeep starts\ncancel\ncancel 1\ncancel\nbuild ends cancelled\nkeep ends cancelled",
        expect![[r#"
            test waits: needs build
            clean waits: needs build
            note waits: needs test
            never waits: needs build
            dispatch build
            dispatch keep
            > build starts
            > keep starts
            > cancel
            stop build
            > cancel 1
            test cancelled: the run was cancelled: interrupted
            clean cancelled: the run was cancelled: interrupted
            note cancelled: the run was cancelled: interrupted
            never cancelled: the run was cancelled: interrupted
            kill build
            kill keep
            > cancel
            > build ends cancelled
            build cancelled: the run was cancelled: interrupted
            > keep ends cancelled
            keep cancelled: the run was cancelled: interrupted
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn a_job_that_was_handed_out_but_not_begun_is_stopped_too() {
    check_one(
        MIXED,
        "keep ok\ncancel\nbuild starts\nbuild ends success\nclean ok\nnote ok",
        expect![[r#"
        test waits: needs build
        clean waits: needs build
        note waits: needs test
        never waits: needs build
        dispatch build
        dispatch keep
        > keep ok
        keep success
        > cancel
        stop build
        > build starts
        > build ends success
        build cancelled: the run was cancelled: interrupted
        test cancelled: the run was cancelled: interrupted
        never cancelled: the run was cancelled: interrupted
        dispatch clean
        dispatch note
        > clean ok
        clean success
        > note ok
        note success
        run 1 ended: cancelled
    "#]],
    );
}

#[test]
fn s1_12_s0_29_s4_6_a_job_out_of_time_is_stopped_and_says_so() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
jobs:
  smoke: { timeout-minutes: 20, cancel-timeout-minutes: 2, runs-on: x, steps: [{ run: a }] }
  half: { timeout-minutes: 0.5, runs-on: x, steps: [{ run: a }] }
  default: { runs-on: x, steps: [{ run: a }] }
",
    )]);
    history.in_full = true;
    for line in [
        "run 1 0",
        "smoke starts",
        "half starts",
        "default starts",
        "fire timeout smoke",
        "fire cancel-timeout smoke",
        "smoke ends failure",
        "fire timeout half",
        "half ends success",
        "default ends success",
    ] {
        history.play(line);
    }
    expect![[r#"
        run 1 started: ci.yml of ci.yml
        smoke waits: a runner
        dispatch smoke
        half waits: a runner
        dispatch half
        default waits: a runner
        dispatch default
        > smoke starts
        smoke started
        set timeout of smoke in 1200 s
        > half starts
        half started
        set timeout of half in 30 s
        > default starts
        default started
        set timeout of default in 21600 s
        > fire timeout smoke
        stop smoke
        clear timeout of smoke
        set cancel-timeout of smoke in 120 s
        > fire cancel-timeout smoke
        Warning: smoke did not end within cancel-timeout-minutes: 2, and is killed
        kill smoke
        clear cancel-timeout of smoke
        > smoke ends failure
        smoke timed_out: exceeded timeout-minutes: 20
        > fire timeout half
        stop half
        clear timeout of half
        set cancel-timeout of half in 300 s
        > half ends success
        clear cancel-timeout of half
        half timed_out: exceeded timeout-minutes: 0.5
        > default ends success
        clear timeout of default
        default success
        run 1 finished: timed_out after 9000 ms
        run 1 ended: timed_out
    "#]]
    .assert_eq(&history.text);
}

#[test]
fn what_stops_first_decides_what_a_job_came_to() {
    check_one(
        "
on: push
jobs:
  a: { timeout-minutes: 5, runs-on: x, steps: [{ run: a }] }
",
        "a starts\nfire timeout a\ncancel\ncancel\na ends cancelled",
        expect![[r#"
            dispatch a
            > a starts
            > fire timeout a
            stop a
            > cancel
            > cancel
            kill a
            > a ends cancelled
            a timed_out: exceeded timeout-minutes: 5
            run 1 ended: timed_out
        "#]],
    );
}

#[test]
fn cancelling_everything_reaches_every_run() {
    check_one(
        "
on: push
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
",
        "run 2 0\n2:a starts\ncancel\n2:a ends cancelled\na ends cancelled",
        expect![[r#"
            dispatch a
            > run 2 0
            dispatch 2:a
            > 2:a starts
            > cancel
            stop a
            stop 2:a
            > 2:a ends cancelled
            2:a cancelled: the run was cancelled: interrupted
            run 2 ended: cancelled
            > a ends cancelled
            a cancelled: the run was cancelled: interrupted
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn jobs_held_back_end_without_having_begun() {
    check_one(
        "
on: push
jobs:
  a: { strategy: { max-parallel: 1, matrix: { v: [1, 2, 3] } }, runs-on: x, steps: [{ run: a }] }
",
        "a_(1) starts\ncancel\na_(1) ends cancelled",
        expect![[r#"
            a (2) waits: max-parallel 1
            a (3) waits: max-parallel 1
            dispatch a (1)
            > a_(1) starts
            > cancel
            stop a (1)
            a (2) cancelled: the run was cancelled: interrupted
            a (3) cancelled: the run was cancelled: interrupted
            > a_(1) ends cancelled
            a (1) cancelled: the run was cancelled: interrupted
            run 1 ended: cancelled
        "#]],
    );
}
