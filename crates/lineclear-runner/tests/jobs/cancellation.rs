//! Jobs that are told to stop.

use expect_test::expect;

use crate::bench::{Act, Bench};

#[test]
fn traps_59_and_60_a_cancelled_job_runs_what_asks_for_it() {
    let happened = Bench::new(
        "steps:
- name: Long
  run: |
    echo started
    exec sleep 60
  continue-on-error: true
- run: echo never
- if: failure()
  run: echo never
- if: always()
  run: echo always ${{ job.status }}
- if: cancelled()
  run: echo cancelled
",
    )
    .when("started", Act::Cancel)
    .check(expect![[r#"
        > __run: Long
          started
          ! Error: The operation was canceled.
        < __run cancelled (the job was cancelled)
        - __run_2: Run echo never: the job was cancelled
        - __run_3: Run echo never: if: `failure()` is false
        > __run_4: Run echo always cancelled
          always cancelled
        < __run_4 success
        > __run_5: Run echo cancelled
          cancelled
        < __run_5 success
        = cancelled: the job was cancelled
    "#]]);
    assert!(happened.took.as_secs() < 7, "{:?}", happened.took);
}

#[test]
fn trap_60_a_running_step_whose_condition_still_holds_is_not_interrupted() {
    Bench::new(
        "steps:
- if: always()
  run: |
    echo started
    sleep 1
    echo finished
- run: echo never
",
    )
    .when("started", Act::Cancel)
    .check(expect![[r#"
        > __run: Run echo started
          started
          finished
        < __run success
        - __run_2: Run echo never: the job was cancelled
        = cancelled: the job was cancelled
    "#]]);
}

#[test]
fn trap_60_a_step_that_minds_no_interrupt_is_terminated_after_seven_and_a_half_seconds() {
    let happened = Bench::new(
        "steps:
- shell: python
  run: |
    import signal, sys, time
    signal.signal(signal.SIGINT, lambda *_: print('interrupted', flush=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print('started', flush=True)
    while True: time.sleep(0.1)
",
    )
    .when("started", Act::Cancel)
    .check(expect![[r#"
        > __run: Run import signal, sys, time
          started
          interrupted
          ! Error: The operation was canceled.
        < __run cancelled (the job was cancelled)
        = cancelled: the job was cancelled
    "#]]);
    let seconds = happened.took.as_secs_f64();
    assert!((7.0..9.9).contains(&seconds), "{seconds}");
}

#[test]
fn trap_60_a_step_that_minds_nothing_is_killed_after_ten_seconds() {
    let happened = Bench::new(
        "steps:
- run: |
    trap '' INT TERM
    echo started
    while true; do sleep 0.2; done
",
    )
    .when("started", Act::Cancel)
    .check(expect![[r#"
        > __run: Run trap '' INT TERM
          started
          ! Error: The operation was canceled.
        < __run cancelled (the job was cancelled)
        = cancelled: the job was cancelled
    "#]]);
    let seconds = happened.took.as_secs_f64();
    assert!((9.5..20.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_killed_job_ends_at_once_and_runs_nothing_more() {
    let happened = Bench::new(
        "steps:
- run: |
    trap '' INT TERM
    echo started
    sleep 60
- if: always()
  run: echo never
",
    )
    .when("started", Act::Kill)
    .check(expect![[r#"
        > __run: Run trap '' INT TERM
          started
          ! Error: The operation was canceled.
        < __run cancelled (the job was cancelled)
        = cancelled: the job was cancelled
    "#]]);
    assert!(happened.took.as_secs() < 7, "{:?}", happened.took);
}

#[test]
fn post_stages_run_in_a_cancelled_job() {
    Bench::new("steps:\n- uses: octo/tool@v1\n- run: |\n    echo started\n    exec sleep 60\n")
        .action("octo/tool@v1", "action.yml", "name: tool\nruns: { using: node20, main: main.js, post: post.js }\n")
        .action("octo/tool@v1", "main.js", "console.log('main')")
        .action("octo/tool@v1", "post.js", "console.log('post')")
        .when("started", Act::Cancel)
        .check(expect![[r#"
            > __set_up_job: Set up job
              Download action repository 'octo/tool@v1'
            < __set_up_job success
            > __octo_tool: Run octo/tool@v1
              main
            < __octo_tool success
            > __run: Run echo started
              started
              ! Error: The operation was canceled.
            < __run cancelled (the job was cancelled)
            > __post_octo_tool: Post Run octo/tool@v1
              Post job cleanup.
              post
            < __post_octo_tool success
            = cancelled: the job was cancelled
        "#]]);
}

#[test]
fn a_step_inside_a_composite_action_is_interrupted_and_its_always_steps_run() {
    Bench::new("steps:\n- uses: ./inner\n- if: always()\n  run: echo outer\n")
        .file(
            "inner/action.yml",
            "name: inner
runs:
  using: composite
  steps:
  - { run: 'echo started; exec sleep 60', shell: bash }
  - { run: echo never, shell: bash }
  - { run: echo inner always, shell: bash, if: always() }
",
        )
        .when("started", Act::Cancel)
        .check(expect![[r#"
            > __self: Run ./inner
              started
              ! Error: The operation was canceled.
              inner always
            < __self cancelled (the job was cancelled)
            > __run: Run echo outer
              outer
            < __run success
            = cancelled: the job was cancelled
        "#]]);
}
