//! Matrices: legs, fail-fast, max-parallel, and what a matrix comes to.

use expect_test::expect;
use serde_json::json;

use crate::history::{History, check_one};

#[test]
fn s1_79_a_matrix_has_a_leg_for_each_combination_named_as_in_name() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
jobs:
  test:
    name: Test (Python ${{ matrix.python }}, Django ${{ matrix.django }})
    strategy:
      matrix:
        python: ['3.11', '3.12']
        django: ['5.1', '5.2']
    runs-on: x
    steps: [{ run: a }]
",
    )]);
    history.play("run 1 0");
    let names: Vec<_> = history.specs.values().map(|spec| spec.name.as_str()).collect();
    expect![[r#"
        [
            "Test (Python 3.11, Django 5.1)",
            "Test (Python 3.11, Django 5.2)",
            "Test (Python 3.12, Django 5.1)",
            "Test (Python 3.12, Django 5.2)",
        ]
    "#]]
    .assert_debug_eq(&names);
}

#[test]
fn s1_81_quoted_versions_keep_their_text() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
jobs:
  test:
    strategy: { matrix: { python: ['3.10', 3.10], node: ['20'] } }
    runs-on: x
    steps: [{ run: a }]
",
    )]);
    history.play("run 1 0");
    assert_eq!(history.spec("test_(3.10,_20)").contexts.matrix, json!({ "python": "3.10", "node": "20" }));
    assert_eq!(history.spec("test_(3.1,_20)").contexts.matrix, json!({ "python": 3.1, "node": "20" }));
}

#[test]
fn trap_51_a_matrix_may_come_from_the_output_of_a_need() {
    check_one(
        "
on: push
jobs:
  list: { runs-on: x, steps: [{ run: a }] }
  test:
    needs: list
    strategy: { matrix: { target: '${{ fromJSON(needs.list.outputs.targets) }}' } }
    runs-on: x
    steps: [{ run: a }]
",
        r#"list ok targets=["a","b"]
           test_(a) ok
           test_(b) ok"#,
        expect![[r#"
            test waits: needs list
            dispatch list
            > list ok targets=["a","b"]
            list success targets=["a","b"]
            dispatch test (a)
            dispatch test (b)
            > test_(a) ok
            test (a) success
            > test_(b) ok
            test (b) success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_matrix_without_value_fails_its_job_and_says_where() {
    check_one(
        "
on: push
jobs:
  list: { runs-on: x, steps: [{ run: a }] }
  test:
    needs: list
    strategy: { matrix: { target: '${{ fromJSON(needs.list.outputs.targets) }}' } }
    runs-on: x
    steps: [{ run: a }]
",
        "list ok targets=[",
        expect![[r#"
            test waits: needs list
            dispatch list
            > list ok targets=[
            list success targets=[
            test failure: matrix at ci.yml:7:35: `${{ fromJSON(needs.list.outputs.targets) }}`: Error parsing fromJson: expected a value, but the text ends at line 1, column 2
            run 1 ended: failure
        "#]],
    );
    check_one(
        "
on: push
jobs:
  test:
    strategy: { matrix: { target: \"${{ fromJSON('[]') }}\" } }
    runs-on: x
    steps: [{ run: a }]
",
        "",
        expect![[r#"
            test failure: matrix at ci.yml:5:25: matrix axis `target` is empty; give it at least one value
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn trap_53_a_failing_leg_cancels_its_siblings() {
    check_one(
        "
on: push
jobs:
  test:
    strategy: { matrix: { v: [1, 2, 3, 4] }, max-parallel: 3 }
    runs-on: x
    steps: [{ run: a }]
  after: { needs: test, if: always() && needs.test.result == 'failure', runs-on: x, steps: [{ run: a }] }
",
        "test_(1) starts
         test_(2) fails
         test_(1) ends cancelled
         test_(3) ends cancelled
         after ok",
        expect![[r#"
            after waits: needs test
            test (4) waits: max-parallel 3
            dispatch test (1)
            dispatch test (2)
            dispatch test (3)
            > test_(1) starts
            > test_(2) fails
            test (2) failure: a step failed
            stop test (1)
            stop test (3)
            test (4) cancelled: test (2) failed, and fail-fast cancels the other legs of its matrix
            > test_(1) ends cancelled
            test (1) cancelled: test (2) failed, and fail-fast cancels the other legs of its matrix
            > test_(3) ends cancelled
            test (3) cancelled: test (2) failed, and fail-fast cancels the other legs of its matrix
            dispatch after
            > after ok
            after success
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn trap_53_a_leg_that_may_fail_cancels_nobody() {
    check_one(
        "
on: push
jobs:
  test:
    strategy:
      matrix: { v: [1, 2], include: [{ v: 1, soft: true }, { v: 2, soft: false }] }
    continue-on-error: ${{ matrix.soft }}
    runs-on: x
    steps: [{ run: a }]
",
        "test_(1) fails\ntest_(2) ok",
        expect![[r#"
            dispatch test (1)
            dispatch test (2)
            > test_(1) fails
            test (1) success: failed, and `continue-on-error` lets it pass: a step failed
            > test_(2) ok
            test (2) success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn s1_80_without_fail_fast_all_legs_finish() {
    check_one(
        "
on: push
jobs:
  test:
    strategy: { fail-fast: false, matrix: { v: [1, 2, 3] } }
    runs-on: x
    steps: [{ run: a }]
",
        "test_(2) fails\ntest_(1) ok\ntest_(3) ok",
        expect![[r#"
            dispatch test (1)
            dispatch test (2)
            dispatch test (3)
            > test_(2) fails
            test (2) failure: a step failed
            > test_(1) ok
            test (1) success
            > test_(3) ok
            test (3) success
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn trap_54_max_parallel_is_kept() {
    check_one(
        "
on: push
jobs:
  test:
    strategy: { max-parallel: 2, matrix: { v: [1, 2, 3, 4] } }
    runs-on: x
    steps: [{ run: a }]
",
        "test_(2) ok\ntest_(1) ok\ntest_(3) ok\ntest_(4) ok",
        expect![[r#"
            test (3) waits: max-parallel 2
            test (4) waits: max-parallel 2
            dispatch test (1)
            dispatch test (2)
            > test_(2) ok
            test (2) success
            dispatch test (3)
            > test_(1) ok
            test (1) success
            dispatch test (4)
            > test_(3) ok
            test (3) success
            > test_(4) ok
            test (4) success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn trap_54_the_strategy_context_counts_legs() {
    let workflow = "
on: push
jobs:
  test: { strategy: { matrix: { v: [a, b] }, fail-fast: false }, runs-on: x, steps: [{ run: a }] }
  plain: { runs-on: x, steps: [{ run: a }] }
";
    let mut history = History::new(&[("ci.yml", workflow)]);
    history.play("run 1 0");
    let strategy =
        |index, total| json!({ "fail-fast": false, "job-index": index, "job-total": total, "max-parallel": total });
    assert_eq!(history.spec("test_(a)").contexts.strategy, strategy(0, 2));
    assert_eq!(history.spec("test_(b)").contexts.strategy, strategy(1, 2));
    let plain = json!({ "fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1 });
    assert_eq!(history.spec("plain").contexts.strategy, plain);
    assert_eq!(history.spec("plain").contexts.matrix, json!(null));
}

#[test]
fn trap_56_of_two_legs_that_write_an_output_the_last_to_finish_wins() {
    check_one(
        "
on: push
jobs:
  test: { strategy: { matrix: { v: [1, 2, 3] } }, runs-on: x, steps: [{ run: a }] }
  after: { needs: test, if: needs.test.outputs.tag == 'one', runs-on: x, steps: [{ run: a }] }
",
        "test_(2) ok tag=two\ntest_(1) ok tag=one\ntest_(3) ok tag=\nafter ok",
        expect![[r#"
            after waits: needs test
            dispatch test (1)
            dispatch test (2)
            dispatch test (3)
            > test_(2) ok tag=two
            test (2) success tag=two
            > test_(1) ok tag=one
            test (1) success tag=one
            > test_(3) ok tag=
            test (3) success tag=
            dispatch after
            > after ok
            after success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn a_leg_that_cannot_be_evaluated_fails_and_fail_fast_keeps_the_others_from_beginning() {
    check_one(
        "
on: push
jobs:
  test:
    strategy: { matrix: { v: ['{}', '{'] } }
    runs-on: x
    environment: ${{ fromJSON(matrix.v).name }}
    steps: [{ run: a }]
",
        "",
        expect![[r#"
            test ({) failure: environment at ci.yml:7:18: `${{ fromJSON(matrix.v).name }}`: Error parsing fromJson: expected a key in double quotes, but the text ends at line 1, column 2
            test ({}) cancelled: test ({) failed, and fail-fast cancels the other legs of its matrix
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn a_matrix_that_is_all_excluded_is_skipped() {
    check_one(
        "
on: push
jobs:
  test:
    strategy: { matrix: { v: [1], exclude: [{ v: 1 }] } }
    runs-on: x
    steps: [{ run: a }]
",
        "",
        expect![[r#"
            test skipped: its matrix has no combination left: `exclude` takes them all
            run 1 ended: skipped
        "#]],
    );
}

#[test]
fn a_leg_out_of_time_cancels_its_siblings_too() {
    check_one(
        "
on: push
jobs:
  test: { timeout-minutes: 1, strategy: { matrix: { v: [1, 2] } }, runs-on: x, steps: [{ run: a }] }
",
        "test_(1) starts\ntest_(2) starts\nfire timeout test_(1)\ntest_(1) ends cancelled\ntest_(2) ends cancelled",
        expect![[r#"
            dispatch test (1)
            dispatch test (2)
            > test_(1) starts
            > test_(2) starts
            > fire timeout test_(1)
            stop test (1)
            > test_(1) ends cancelled
            test (1) timed_out: exceeded timeout-minutes: 1
            stop test (2)
            > test_(2) ends cancelled
            test (2) cancelled: test (1) ran out of time, and fail-fast cancels the other legs of its matrix
            run 1 ended: timed_out
        "#]],
    );
}
