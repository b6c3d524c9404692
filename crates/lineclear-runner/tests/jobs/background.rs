//! Steps beside steps (trap 103).

use expect_test::expect;

use crate::bench::{Act, Bench, check_job};

#[test]
fn trap_103_what_a_background_step_did_is_seen_after_the_wait() {
    Bench::new(
        "steps:
- id: build
  background: true
  run: |
    sleep 0.3
    echo version=1 >> $GITHUB_OUTPUT
    echo BUILT=yes >> $GITHUB_ENV
- run: echo [${{ steps.build.outputs.version }}] [$BUILT]
- wait: build
- run: echo [${{ steps.build.outputs.version }}] [$BUILT] ${{ steps.build.outcome }}
",
    )
    .grouped()
    .check(expect![[r#"
        > __run: Run echo [] [$BUILT]
          [] []
        < __run success
        > __run_2: Run echo [1] [$BUILT] success
          [1] [yes] success
        < __run_2 success
        > __wait: Wait for build
        < __wait success
        > build: Run sleep 0.3
        < build success
        = success
    "#]]);
}

#[test]
fn trap_103_a_failure_surfaces_at_the_wait() {
    Bench::new(
        "steps:
- id: bad
  background: true
  run: exit 4
- run: sleep 0.3; echo still green
- wait: [bad]
- run: echo never
- if: failure()
  run: echo ${{ steps.bad.outcome }}
",
    )
    .grouped()
    .check(expect![[r#"
        > __run: Run sleep 0.3; echo still green
          still green
        < __run success
        - __run_2: Run echo never: step `Run exit 4` failed with exit code 4
        > __run_3: Run echo failure
          failure
        < __run_3 success
        > __wait: Wait for bad
        < __wait failure (step `Run exit 4` failed with exit code 4)
        > bad: Run exit 4
          ! Error: Process completed with exit code 4.
        < bad failure (exit code 4)
        = failure: step `Run exit 4` failed with exit code 4
    "#]]);
}

#[test]
fn a_wait_may_pass_over_a_failure() {
    Bench::new(
        "steps:
- id: bad
  background: true
  run: exit 4
- wait: bad
  continue-on-error: true
- run: echo goes on
",
    )
    .grouped()
    .check(expect![[r#"
        > __run: Run echo goes on
          goes on
        < __run success
        > __wait: Wait for bad
        < __wait failure/success (step `Run exit 4` failed with exit code 4)
        > bad: Run exit 4
          ! Error: Process completed with exit code 4.
        < bad failure (exit code 4)
        = success
    "#]]);
}

#[test]
fn trap_103_what_no_one_waited_for_is_waited_for_at_the_end() {
    Bench::new(
        "outputs: { late: '${{ steps.late.outputs.x }}' }
steps:
- id: late
  background: true
  run: sleep 0.3; echo x=1 >> $GITHUB_OUTPUT
",
    )
    .grouped()
    .check(expect![[r#"
        > __wait_all_background: Wait for all background steps
        < __wait_all_background success
        > late: Run sleep 0.3; echo x=1 >> $GITHUB_OUTPUT
        < late success
        = success
          late = 1
    "#]]);
}

#[test]
fn a_background_step_can_be_stopped_without_failing_the_job() {
    let happened = Bench::new(
        "steps:
- id: server
  background: true
  run: exec sleep 60
- run: sleep 0.3
- cancel: server
- run: echo ${{ steps.server.outcome }}
",
    )
    .grouped()
    .check(expect![[r#"
        > __cancel: Cancel server
        < __cancel success
        > __run: Run sleep 0.3
        < __run success
        > __run_2: Run echo cancelled
          cancelled
        < __run_2 success
        > server: Run exec sleep 60
          ! Error: The operation was canceled.
        < server cancelled (a `cancel` step stopped it)
        = success
    "#]]);
    assert!(happened.took.as_secs() < 7, "{:?}", happened.took);
}

#[test]
fn parallel_steps_run_at_once_and_fail_together() {
    // Each waits for the other: one after the other, they would fail.
    let happened = Bench::new(
        "steps:
- parallel:
  - id: a
    run: touch a; for i in $(seq 100); do test -e b && break; sleep 0.1; done; test -e b; echo x=1 >> $GITHUB_OUTPUT
  - id: b
    run: touch b; for i in $(seq 100); do test -e a && break; sleep 0.1; done; test -e a
  - id: c
    run: echo never
    if: false
- run: echo ${{ steps.a.outputs.x }} ${{ steps.b.outcome }} ${{ steps.c.outcome }}
",
    )
    .run();
    assert!(happened.log.contains("1 success skipped\n"), "{}", happened.log);
    check_job(
        "steps:\n- parallel:\n  - run: exit 9\n- run: echo never\n",
        expect![[r#"
        > __parallel: Run 1 steps in parallel
        > __run: Run exit 9
          ! Error: Process completed with exit code 9.
        < __run failure (exit code 9)
        < __parallel failure (step `Run exit 9` failed with exit code 9)
        - __run_2: Run echo never: step `Run exit 9` failed with exit code 9
        = failure: step `Run exit 9` failed with exit code 9
    "#]],
    );
}

#[test]
fn waiting_for_what_was_never_started_is_an_error() {
    check_job(
        "steps:\n- cancel: nothing\n- if: always()\n  run: echo on\n",
        expect![[r#"
        = failure: the workflow file `.github/workflows/ci.yml` is not valid: 7:15: no earlier step has the id `nothing`
    "#]],
    );
}

#[test]
fn no_more_than_ten_run_at_once() {
    let steps: String = (0..14).map(|at| format!("- {{ id: s{at}, background: true, run: 'touch $RUNNER_TEMP/s{at}; ls $RUNNER_TEMP | grep -c ^s; sleep 0.4; rm $RUNNER_TEMP/s{at}' }}\n")).collect();
    let happened = Bench::new(&format!("steps:\n{steps}- wait-all:\n")).run();
    let most = happened.log.lines().filter_map(|line| line.parse::<u32>().ok()).max();
    assert_eq!(happened.report.conclusion.as_str(), "success");
    assert!(most.is_some_and(|most| (2..=10).contains(&most)), "{most:?}");
}

#[test]
fn cancelling_the_job_stops_background_steps_too() {
    let happened = Bench::new("steps:\n- id: a\n  background: true\n  run: exec sleep 60\n- run: echo started; exec sleep 60\n- if: always()\n  run: echo always\n")
        .when("started", Act::Cancel)
        .run();
    assert_eq!(happened.report.conclusion.as_str(), "cancelled");
    assert!(happened.log.contains("\nalways\n") && happened.took.as_secs() < 7, "{:?} {}", happened.took, happened.log);
}
