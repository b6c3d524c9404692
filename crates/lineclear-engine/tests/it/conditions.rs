//! `needs`, `if`, and what of a job reaches the jobs that need it.

use expect_test::expect;

use crate::history::check_one;

const CHAIN: &str = "
on: push
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  test: { needs: build, runs-on: x, steps: [{ run: a }] }
  deploy: { needs: [test], runs-on: x, steps: [{ run: a }] }
";

#[test]
fn a_job_starts_once_all_its_needs_have_succeeded() {
    check_one(
        CHAIN,
        "build ok\ntest ok\ndeploy ok",
        expect![[r#"
        test waits: needs build
        deploy waits: needs test
        dispatch build
        > build ok
        build success
        dispatch test
        > test ok
        test success
        dispatch deploy
        > deploy ok
        deploy success
        run 1 ended: success
    "#]],
    );
}

#[test]
fn s0_7_s1_85_s4_71_jobs_that_need_nothing_of_each_other_start_together() {
    check_one(
        "
on: push
jobs:
  lint: { runs-on: x, steps: [{ run: a }] }
  test: { runs-on: x, steps: [{ run: a }] }
  build: { runs-on: x, steps: [{ run: a }] }
  gate: { needs: [lint, test, build], runs-on: x, steps: [{ run: a }] }
",
        "test ok\nlint ok\nbuild ok\ngate ok",
        expect![[r#"
            gate waits: needs lint, test, build
            dispatch lint
            dispatch test
            dispatch build
            > test ok
            test success
            > lint ok
            lint success
            > build ok
            build success
            dispatch gate
            > gate ok
            gate success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_failed_need_skips_the_whole_chain_and_says_so() {
    check_one(
        CHAIN,
        "build fails step `Compile` failed",
        expect![[r#"
        test waits: needs build
        deploy waits: needs test
        dispatch build
        > build fails step `Compile` failed
        build failure: step `Compile` failed
        test skipped: needs build, which failed
        deploy skipped: needs test, which was skipped
        run 1 ended: failure
    "#]],
    );
}

#[test]
fn trap_46_a_skipped_ancestor_reaches_past_a_job_that_always_runs() {
    check_one(
        "
on: push
jobs:
  maybe: { if: github.ref == 'refs/heads/other', runs-on: x, steps: [{ run: a }] }
  always: { needs: maybe, if: always(), runs-on: x, steps: [{ run: a }] }
  after: { needs: always, runs-on: x, steps: [{ run: a }] }
  own: { needs: always, if: '!failure()', runs-on: x, steps: [{ run: a }] }
",
        "always ok\nown ok",
        expect![[r#"
            always waits: needs maybe
            after waits: needs always
            own waits: needs always
            maybe skipped: if: `github.ref == 'refs/heads/other'` is false: github.ref = refs/heads/main
            dispatch always
            > always ok
            always success
            after skipped: needs always, and maybe before it was skipped
            dispatch own
            > own ok
            own success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn trap_47_and_48_a_skipped_job_has_a_result_and_empty_outputs() {
    check_one(
        "
on: push
jobs:
  a: { if: 'false', runs-on: x, outputs: { v: '1' }, steps: [{ run: a }] }
  b:
    needs: a
    if: always() && needs.a.result == 'skipped' && needs.a.outputs.v == ''
    runs-on: x
    steps: [{ run: a }]
",
        "b ok",
        expect![[r#"
            b waits: needs a
            a skipped: if: `false` is false
            dispatch b
            > b ok
            b success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn failure_asks_for_every_ancestor() {
    check_one(
        "
on: push
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  test: { needs: build, if: always(), runs-on: x, steps: [{ run: a }] }
  report: { needs: test, if: failure(), runs-on: x, steps: [{ run: a }] }
  cheer: { needs: test, if: success(), runs-on: x, steps: [{ run: a }] }
",
        "build fails\ntest ok\nreport ok",
        expect![[r#"
            test waits: needs build
            report waits: needs test
            cheer waits: needs test
            dispatch build
            > build fails
            build failure: a step failed
            dispatch test
            > test ok
            test success
            cheer skipped: needs test, and build before it failed
            dispatch report
            > report ok
            report success
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn status_functions_take_the_names_of_needs() {
    check_one(
        "
on: push
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
  b: { runs-on: x, steps: [{ run: a }] }
  c: { needs: [a, b], if: success('a'), runs-on: x, steps: [{ run: a }] }
  d: { needs: [a, b], if: failure('a'), runs-on: x, steps: [{ run: a }] }
",
        "a ok\nb fails\nc ok",
        expect![[r#"
            c waits: needs a, b
            d waits: needs a, b
            dispatch a
            dispatch b
            > a ok
            a success
            > b fails
            b failure: a step failed
            d skipped: if: `failure('a')` is false
            dispatch c
            > c ok
            c success
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn a_false_condition_is_explained_with_the_values_that_decided() {
    check_one(
        "
on: push
jobs:
  a: { if: \"${{ github.ref == 'refs/heads/dev' }}\", runs-on: x, steps: [{ run: a }] }
  b: { if: \"github.event_name == 'push' && vars.REGION == 'us'\", runs-on: x, steps: [{ run: a }] }
",
        "",
        expect![[r#"
            a skipped: if: `github.ref == 'refs/heads/dev'` is false: github.ref = refs/heads/main
            b skipped: if: `github.event_name == 'push' && vars.REGION == 'us'` is false: vars.REGION = eu
            run 1 ended: skipped
        "#]],
    );
}

#[test]
fn a_condition_without_a_value_fails_the_job() {
    check_one(
        "
on: push
jobs:
  a: { if: fromJSON(github.ref).x, runs-on: x, steps: [{ run: a }] }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
",
        "",
        expect![[r#"
            b waits: needs a
            a failure: if at ci.yml:4:12: `fromJSON(github.ref).x`: Error parsing fromJson: expected a value but found `r` at line 1, column 1
            b skipped: needs a, which failed
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn a_job_that_may_fail_counts_as_success_for_all_others() {
    check_one(
        "
on: push
jobs:
  lint: { continue-on-error: true, runs-on: x, steps: [{ run: a }] }
  test: { needs: lint, if: needs.lint.result == 'success', runs-on: x, steps: [{ run: a }] }
",
        "lint fails step `Ruff` failed\ntest ok",
        expect![[r#"
            test waits: needs lint
            dispatch lint
            > lint fails step `Ruff` failed
            lint success: failed, and `continue-on-error` lets it pass: step `Ruff` failed
            dispatch test
            > test ok
            test success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn continue_on_error_with_no_value_is_an_error_and_never_ignored() {
    check_one(
        "
on: push
jobs:
  a: { continue-on-error: '${{ vars.NOPE }}', runs-on: x, steps: [{ run: a }] }
  b: { timeout-minutes: '${{ vars.REGION }}', runs-on: x, steps: [{ run: a }] }
  c: { runs-on: '${{ fromJSON(vars.REGION) }}', steps: [{ run: a }] }
  d: { runs-on: x, environment: '${{ fromJSON(vars.REGION) }}', steps: [{ run: a }] }
",
        "",
        expect![[r#"
            a failure: continue-on-error at ci.yml:4:27: `${{ vars.NOPE }}`: this has no value, and true or false is expected; `… == true` makes one of it
            b failure: timeout-minutes at ci.yml:5:25: `${{ vars.REGION }}`: a number of minutes above zero is expected, not `eu`
            c failure: runs-on at ci.yml:6:17: `${{ fromJSON(vars.REGION) }}`: Error parsing fromJson: expected a value but found `e` at line 1, column 1
            d failure: environment at ci.yml:7:33: `${{ fromJSON(vars.REGION) }}`: Error parsing fromJson: expected a value but found `e` at line 1, column 1
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn only_direct_needs_are_in_the_needs_context() {
    check_one(
        "
on: push
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
  c: { needs: b, if: needs.a == null && needs.b.outputs.v == 'b', runs-on: x, steps: [{ run: a }] }
",
        "a ok v=a\nb ok v=b\nc ok",
        expect![[r#"
            b waits: needs a
            c waits: needs b
            dispatch a
            > a ok v=a
            a success v=a
            dispatch b
            > b ok v=b
            b success v=b
            dispatch c
            > c ok
            c success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_run_in_which_every_job_is_skipped_is_skipped() {
    check_one(
        "
on: push
jobs:
  a: { if: 'false', runs-on: x, steps: [{ run: a }] }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
",
        "",
        expect![[r#"
            b waits: needs a
            a skipped: if: `false` is false
            b skipped: needs a, which was skipped
            run 1 ended: skipped
        "#]],
    );
}

#[test]
fn a_timed_out_job_is_cancelled_for_those_that_need_it() {
    check_one(
        "
on: push
jobs:
  a: { timeout-minutes: 5, runs-on: x, steps: [{ run: a }] }
  b: { needs: a, if: failure(), runs-on: x, steps: [{ run: a }] }
  c: { needs: a, if: always() && needs.a.result == 'cancelled', runs-on: x, steps: [{ run: a }] }
",
        "a starts\nfire timeout a\na ends cancelled\nc ok",
        expect![[r#"
            b waits: needs a
            c waits: needs a
            dispatch a
            > a starts
            > fire timeout a
            stop a
            > a ends cancelled
            a timed_out: exceeded timeout-minutes: 5
            b skipped: if: `failure()` is false: nothing that it needs failed
            dispatch c
            > c ok
            c success
            run 1 ended: timed_out
        "#]],
    );
}

#[test]
fn late_doubled_and_impossible_inputs_are_refused_and_change_nothing() {
    check_one(
        CHAIN,
        "test starts
         build starts
         build starts
         build ends success
         build ends failure
         build starts
         fire timeout build
         test ok
         deploy ok
         deploy ends success
         cancel
         cancel 1
         cancel 9
         run 1 0",
        expect![[r#"
            test waits: needs build
            deploy waits: needs test
            dispatch build
            > test starts
            refused: run 1 has no job `test`, or not yet
            > build starts
            > build starts
            refused: build of run 1: a job that is running cannot begin
            > build ends success
            build success
            dispatch test
            > build ends failure
            refused: build of run 1: a job that has finished cannot end
            > build starts
            refused: build of run 1: a job that has finished cannot begin
            > fire timeout build
            refused: the timer of build of run 1 fired too late: it has finished
            > test ok
            test success
            dispatch deploy
            > deploy ok
            deploy success
            run 1 ended: success
            > deploy ends success
            refused: run 1 is over
            > cancel
            refused: no run is going on
            > cancel 1
            refused: run 1 is over
            > cancel 9
            refused: run 9 was never asked for
            > run 1 0
            refused: run 1 was asked for before
        "#]],
    );
}
