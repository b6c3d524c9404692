//! Concurrency groups of runs and of jobs.

use expect_test::expect;

use crate::history::{check, check_one};

const BRANCH: &str = "
on: push
concurrency: { group: '${{ github.workflow }}-${{ github.ref }}', cancel-in-progress: true }
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
";

const QUEUE: &str = "
on: push
concurrency: Deploy
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
";

#[test]
fn s4_68_a_newer_push_cancels_the_run_in_progress() {
    check_one(
        BRANCH,
        "a starts\nrun 2 0\na ends cancelled\n2:a ok\n2:b ok",
        expect![[r#"
        b waits: needs a
        dispatch a
        > a starts
        > run 2 0
        2:a waits: concurrency group `ci.yml-refs/heads/main`, held by run 1
        2:b waits: concurrency group `ci.yml-refs/heads/main`, held by run 1
        stop a
        > a ends cancelled
        a cancelled: the run was cancelled: run 2 takes over concurrency group `ci.yml-refs/heads/main` (cancel-in-progress)
        b cancelled: the run was cancelled: run 2 takes over concurrency group `ci.yml-refs/heads/main` (cancel-in-progress)
        run 1 ended: cancelled
        2:b waits: needs a
        dispatch 2:a
        > 2:a ok
        2:a success
        dispatch 2:b
        > 2:b ok
        2:b success
        run 2 ended: success
    "#]],
    );
}

#[test]
fn trap_62_by_default_the_run_in_progress_is_kept_and_the_pending_one_replaced() {
    check(
        &[("a.yml", QUEUE), ("b.yml", &QUEUE.replace("Deploy", "dEPLOY"))],
        "run 2 0\nrun 3 1\na ok\n3:a ok",
        expect![[r#"
            dispatch a
            > run 2 0
            2:a waits: concurrency group `Deploy`, held by run 1
            > run 3 1
            3:a waits: concurrency group `dEPLOY`, held by run 1
            2:a cancelled: the run was cancelled: run 3 took its place in the queue of concurrency group `dEPLOY`
            run 2 ended: cancelled
            > a ok
            a success
            run 1 ended: success
            dispatch 3:a
            > 3:a ok
            3:a success
            run 3 ended: success
        "#]],
    );
}

#[test]
fn queue_max_lets_all_wait_in_order() {
    check_one(
        &QUEUE.replace("Deploy", "{ group: deploy, queue: max }"),
        "run 2 0\nrun 3 0\na ok\ncancel 3\n2:a ok",
        expect![[r#"
            dispatch a
            > run 2 0
            2:a waits: concurrency group `deploy`, held by run 1
            > run 3 0
            3:a waits: concurrency group `deploy`, held by run 1
            > a ok
            a success
            run 1 ended: success
            dispatch 2:a
            > cancel 3
            3:a cancelled: the run was cancelled: interrupted
            run 3 ended: cancelled
            > 2:a ok
            2:a success
            run 2 ended: success
        "#]],
    );
}

#[test]
fn trap_62_jobs_of_several_runs_share_a_group_and_ignore_case() {
    check_one(
        "
on: push
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  deploy: { needs: build, concurrency: 'prod-${{ github.ref_name }}', runs-on: x, steps: [{ run: a }] }
",
        "run 2 0
         build ok
         deploy starts
         2:build ok
         run 3 0
         3:build ok
         deploy ends success
         3:deploy ok",
        expect![[r#"
            deploy waits: needs build
            dispatch build
            > run 2 0
            2:deploy waits: needs build
            dispatch 2:build
            > build ok
            build success
            dispatch deploy
            > deploy starts
            > 2:build ok
            2:build success
            2:deploy waits: concurrency group `prod-main`, held by job `deploy` of run 1
            > run 3 0
            3:deploy waits: needs build
            dispatch 3:build
            > 3:build ok
            3:build success
            3:deploy waits: concurrency group `prod-main`, held by job `deploy` of run 1
            2:deploy cancelled: job `deploy` of run 3 took its place in the queue of concurrency group `prod-main`
            run 2 ended: cancelled
            > deploy ends success
            deploy success
            run 1 ended: success
            dispatch 3:deploy
            > 3:deploy ok
            3:deploy success
            run 3 ended: success
        "#]],
    );
}

#[test]
fn a_job_may_cancel_the_one_that_runs() {
    check_one(
        "
on: push
jobs:
  deploy: { concurrency: { group: prod, cancel-in-progress: true }, runs-on: x, steps: [{ run: a }] }
",
        "deploy starts\nrun 2 0\nrun 3 0\ndeploy ends cancelled\n3:deploy ok",
        expect![[r#"
            dispatch deploy
            > deploy starts
            > run 2 0
            2:deploy waits: concurrency group `prod`, held by job `deploy` of run 1
            stop deploy
            > run 3 0
            3:deploy waits: concurrency group `prod`, held by job `deploy` of run 1
            2:deploy cancelled: job `deploy` of run 3 took its place in the queue of concurrency group `prod`
            run 2 ended: cancelled
            > deploy ends cancelled
            deploy cancelled: job `deploy` of run 2 takes over concurrency group `prod` (cancel-in-progress)
            run 1 ended: cancelled
            dispatch 3:deploy
            > 3:deploy ok
            3:deploy success
            run 3 ended: success
        "#]],
    );
}

#[test]
fn workflows_and_jobs_share_one_name_space() {
    check(
        &[
            ("run.yml", QUEUE),
            (
                "job.yml",
                "
on: push
jobs:
  one: { concurrency: deploy, runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "run 2 1\na ok\n2:one ok",
        expect![[r#"
            dispatch a
            > run 2 1
            2:one waits: concurrency group `deploy`, held by run 1
            > a ok
            a success
            run 1 ended: success
            dispatch 2:one
            > 2:one ok
            2:one success
            run 2 ended: success
        "#]],
    );
}

#[test]
fn a_job_that_would_wait_for_its_own_run_is_cancelled() {
    check_one(
        "
on: push
concurrency: prod
jobs:
  a: { concurrency: PROD, runs-on: x, steps: [{ run: a }] }
",
        "",
        expect![[r#"
            a cancelled: it would wait for ever: concurrency group `PROD` is held by its own run, which waits for it to end
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn legs_with_one_group_and_max_parallel_one_go_one_by_one() {
    check_one(
        "
on: push
jobs:
  deploy:
    strategy: { max-parallel: 1, matrix: { v: [1, 2, 3] } }
    concurrency: prod
    runs-on: x
    steps: [{ run: a }]
",
        "deploy_(1) ok\ndeploy_(2) ok\ndeploy_(3) ok",
        expect![[r#"
            deploy (2) waits: max-parallel 1
            deploy (3) waits: max-parallel 1
            dispatch deploy (1)
            > deploy_(1) ok
            deploy (1) success
            dispatch deploy (2)
            > deploy_(2) ok
            deploy (2) success
            dispatch deploy (3)
            > deploy_(3) ok
            deploy (3) success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_group_must_have_a_name_and_agree_with_itself() {
    check_one(
        "
on: push
jobs:
  a: { concurrency: '${{ vars.NOPE }}', runs-on: x, steps: [{ run: a }] }
  b:
    concurrency: { group: g, queue: max, cancel-in-progress: \"${{ github.ref != '' }}\" }
    runs-on: x
    steps: [{ run: a }]
",
        "",
        expect![[r#"
            a failure: concurrency at ci.yml:4:21: `${{ vars.NOPE }}`: the name of a concurrency group came out empty
            b failure: concurrency at ci.yml:6:18: `{ group: g, queue: max, cancel-in-progress: "${{ github.ref != '' }}" }`: `cancel-in-progress` and `queue: max` exclude each other; leave one out
            run 1 ended: failure
        "#]],
    );
    check_one(
        "
on: push
concurrency: ${{ vars.NOPE }}
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
",
        "",
        expect![[r#"
            Error: concurrency at ci.yml:3:14: `${{ vars.NOPE }}`: the name of a concurrency group came out empty
            run 1 ended: startup_failure
        "#]],
    );
}

#[test]
fn a_run_that_waits_for_its_group_and_is_cancelled_never_began() {
    check_one(
        &QUEUE.replace("a: {", "b: { if: always(), runs-on: x, steps: [{ run: a }] }\n  a: {"),
        "run 2 0\ncancel 2\nb ok\na ok",
        expect![[r#"
            dispatch b
            dispatch a
            > run 2 0
            2:b waits: concurrency group `Deploy`, held by run 1
            2:a waits: concurrency group `Deploy`, held by run 1
            > cancel 2
            2:b cancelled: the run was cancelled: interrupted
            2:a cancelled: the run was cancelled: interrupted
            run 2 ended: cancelled
            > b ok
            b success
            > a ok
            a success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn two_runs_that_wait_for_each_other_are_found_out() {
    let first = "
on: push
concurrency: one
jobs:
  wait: { runs-on: x, steps: [{ run: a }] }
  job: { needs: wait, concurrency: two, runs-on: x, steps: [{ run: a }] }
";
    let second = first.replace("one", "swap").replace("two", "one").replace("swap", "two");
    check(
        &[("a.yml", first), ("b.yml", &second)],
        "run 2 1\nwait ok\n2:wait ok\njob ok",
        expect![[r#"
            job waits: needs wait
            dispatch wait
            > run 2 1
            2:job waits: needs wait
            dispatch 2:wait
            > wait ok
            wait success
            job waits: concurrency group `two`, held by run 2
            > 2:wait ok
            2:wait success
            2:job cancelled: it would wait for ever: concurrency group `one` is held by run 1, which waits for it to end
            run 2 ended: cancelled
            dispatch job
            > job ok
            job success
            run 1 ended: success
        "#]],
    );
}
