//! The file as a whole.

use expect_test::expect;

use super::*;

#[test]
fn what_must_be_there_is_asked_for() {
    check_read(
        "",
        expect![[r#"
        1:1 error missing-key the file is empty; a workflow needs at least the keys `on` and `jobs`
    "#]],
    );
    check_read(
        "name: x\n",
        expect![[r#"
        1:1 error missing-key a workflow needs the key `on`
        1:1 error missing-key a workflow needs the key `jobs`
    "#]],
    );
    check_read(
        "[]",
        expect![[r#"
        1:1 error wrong-type expected a mapping for a workflow, found a sequence
    "#]],
    );
    check_read(
        "on:\njobs:\n",
        expect![[r#"
        1:1 error missing-key `on` names no event, so nothing would start this workflow
        2:6 error wrong-type expected a mapping for `jobs`, found nothing
    "#]],
    );
    check_read(
        "on: push\njobs: {}\n",
        expect![[r#"
        2:1 error missing-key a workflow needs at least one job
    "#]],
    );
    check_read(
        "on: push\njobs:\n  a: {}\n",
        expect![[r#"
        3:3 error missing-key job `a` needs the key `runs-on`
        3:3 error missing-key job `a` needs the key `steps`
    "#]],
    );
}

#[test]
fn an_action_is_not_taken_for_a_workflow_nor_a_workflow_for_an_action() {
    check_read(
        "name: x\nruns: { using: node24, main: x }\n",
        expect![[r#"
        2:1 error misplaced-key this is an action, not a workflow: a workflow has `on` and `jobs`
    "#]],
    );
    check_action(
        "on: push\njobs: {}\n",
        expect![[r#"
        1:1 error missing-key an action needs the key `runs`
    "#]],
    );
}

#[test]
fn unknown_keys_come_with_the_word_that_was_meant() {
    check_read(
        "on: push\njob:\n  a: {}\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n",
        expect![[r#"
        2:1 error unknown-key `job` is not a key of a workflow; did you mean `jobs`?
    "#]],
    );
    check_job(
        "    need: [a]\n    RunsOn: x\n    Strategy: {}\n    colour: red\n",
        expect![[r#"
        6:5 error unknown-key `need` is not a key of a job; did you mean `needs`?
        7:5 error unknown-key `RunsOn` is not a key of a job; did you mean `runs-on`?
        8:5 error unknown-key `Strategy` is not a key of a job; did you mean `strategy`?
        9:5 error unknown-key `colour` is not a key of a job
    "#]],
    );
    check_job(
        "    strategy: { matrixx: {}, fail_fast: true }\n",
        expect![[r#"
        6:17 error unknown-key `matrixx` is not a key of `strategy`; did you mean `matrix`?
        6:30 error unknown-key `fail_fast` is not a key of `strategy`; did you mean `fail-fast`?
    "#]],
    );
}

#[test]
fn misplaced_keys_are_sent_home() {
    check_read(
        "on: push\nruns-on: x\nsteps: []\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n",
        expect![[r#"
        2:1 error misplaced-key `runs-on` is not a key of a workflow; it belongs to a job
        3:1 error misplaced-key `steps` is not a key of a workflow; it belongs to a job
    "#]],
    );
    check_job(
        "    branches: [main]\n    matrix: { a: [1] }\n    uses-x: 1\n    on: push\n",
        expect![[r#"
        6:5 error unknown-key `branches` is not a key of a job
        7:5 error misplaced-key `matrix` is not a key of a job; it belongs to `strategy`
        8:5 error unknown-key `uses-x` is not a key of a job; did you mean `uses`?
        9:5 error misplaced-key `on` is not a key of a job; it belongs to a workflow
    "#]],
    );
    check_steps(
        "    - run: x\n      runs-on: y\n      needs: z\n",
        expect![[r#"
        7:7 error misplaced-key `runs-on` is not a key of a step; it belongs to a job
        8:7 error misplaced-key `needs` is not a key of a step; it belongs to a job
    "#]],
    );
}

#[test]
fn wrong_types_say_what_was_expected_and_found() {
    check_read(
        "name: [x]\nrun-name: {}\non: push\nenv: [A]\ndefaults: bash\npermissions: [contents]\nconcurrency: []\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n",
        expect![[r#"
            1:7 error wrong-type expected a string for `name`, found a sequence
            2:11 error wrong-type expected a string for `run-name`, found a mapping
            4:6 error wrong-type expected a mapping for `env`, found a sequence
            5:11 error wrong-type expected a mapping for `defaults`, found a string
            6:14 error wrong-type expected a mapping for `permissions`, found a sequence
            7:14 error wrong-type expected a mapping for `concurrency`, found a sequence
        "#]],
    );
    check_read(
        "on: push\njobs: [a]\n",
        expect![[r#"
        2:7 error wrong-type expected a mapping for `jobs`, found a sequence
    "#]],
    );
    check_read(
        "on: push\njobs: { a: [], b: ~, c: text }\n",
        expect![[r#"
        2:12 error wrong-type expected a mapping for job `a`, found a sequence
        2:19 error wrong-type expected a mapping for job `b`, found nothing
        2:25 error wrong-type expected a mapping for job `c`, found a string
    "#]],
    );
    check_job(
        "    env:\n    outputs: [a]\n    services: db\n    strategy: true\n    environment: []\n",
        expect![[r#"
        6:9 error wrong-type expected a mapping for `env`, found nothing
        7:14 error wrong-type expected a mapping for `outputs`, found a sequence
        8:15 error wrong-type expected a mapping for `services`, found a string
        9:15 error wrong-type expected a mapping for `strategy`, found a boolean
        10:18 error wrong-type expected a mapping for `environment`, found a sequence
    "#]],
    );
    check_job(
        "    timeout-minutes: ten\n    continue-on-error: maybe\n    cancel-timeout-minutes: [5]\n",
        expect![[r#"
        6:22 error wrong-type expected a number or an expression for `timeout-minutes`, found a string
        7:24 error wrong-type expected true, false or an expression for `continue-on-error`, found a string
        8:29 error wrong-type expected a number or an expression for `cancel-timeout-minutes`, found a sequence
    "#]],
    );
}

#[test]
fn trap_94_on_is_a_string_and_keys_that_differ_in_case_are_one() {
    let workflow = accept("on: push\nname: yes\njobs: { a: { runs-on: off, steps: [run: no] } }\n");
    assert_eq!(workflow.name.expect("there is a name").value, "yes");
    assert_eq!(workflow.on.events[0].event.value, "push");
    check_read(
        "on: push\nenv: { A: 1, a: 2 }\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n",
        expect![[r#"
        2:14 error duplicate-key the key `a` is already defined as `A`: upper and lower case make no difference
    "#]],
    );
    check_read(
        "ON: push\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n",
        expect![[r#"
        1:1 error missing-key a workflow needs the key `on`
        1:1 error unknown-key `ON` is not a key of a workflow; did you mean `on`?
    "#]],
    );
}

#[test]
fn trap_95_merge_keys_are_refused_and_anchors_are_not() {
    accept(
        "on: push\njobs: { a: { runs-on: &r x, steps: [run: 'true'] }, b: { runs-on: *r, steps: [run: 'true'] } }\n",
    );
    check_job(
        "    env: &e { A: 1 }\n    defaults:\n      <<: *e\n",
        expect![[r#"
        8:7 error merge-key GitHub does not support YAML's merge key `<<`
    "#]],
    );
}

#[test]
fn a_fault_in_an_anchored_part_is_told_once() {
    let yaml =
        "on: push\njobs:\n  a: &job\n    runs-on: x\n    stepps: 1\n    steps: [run: 'true']\n  b: *job\n  c: *job\n";
    check_read(
        yaml,
        expect![[r#"
        5:5 error unknown-key `stepps` is not a key of a job; did you mean `steps`?
    "#]],
    );
}

#[test]
fn what_could_be_understood_is_kept() {
    let read = read(
        "on: [push, pul_request]\nname: x\njobs:\n  a: { runs-on: x, steps: [{ run: 'true' }, { uses: a }] }\n  b: 3\n",
    );
    assert!(read.has_errors());
    let workflow = read.model.expect("most of it is in order");
    assert_eq!(workflow.on.events.len(), 1);
    assert_eq!(workflow.jobs.len(), 1);
    let JobKind::Steps(job) = &workflow.jobs[0].kind else { panic!("a job with steps") };
    assert_eq!(job.steps.len(), 1);
}

#[test]
fn scalars_keep_their_type_and_become_text_where_text_is_meant() {
    let yaml = "on: push\nname: 1.10\njobs:\n  a:\n    name: true\n    runs-on: x\n    timeout-minutes: '10'\n    env: { N: 3.10, B: true, E: }\n    steps: [run: true]\n";
    let workflow = accept(yaml);
    assert_eq!(workflow.name.as_ref().expect("there is a name").value, "1.1");
    let JobKind::Steps(job) = &workflow.jobs[0].kind else { panic!("a job with steps") };
    let Some(Env::Names(names)) = &job.env else { panic!("an env of names") };
    let values: Vec<_> = names.iter().map(|(_, value)| value.template.as_literal().cloned()).collect();
    use lineclear_expr::Value;
    assert_eq!(values, [Some(Value::Number(3.1)), Some(Value::Bool(true)), Some(Value::Null)]);
    assert_eq!(job.timeout_minutes.as_ref().and_then(|text| text.template.as_literal().cloned()), Some(10.0.into()));
}

#[test]
fn an_expression_that_is_only_a_string_stands_for_it_everywhere() {
    let workflow = accept(
        "on: push\nname: ${{ 'it''s' }}\njobs: { a: { runs-on: x, steps: [{ run: x, shell: \"${{ 'perl {0}' }}\" }] } }\n",
    );
    assert_eq!(workflow.name.expect("there is a name").value, "it's");
}

#[test]
fn empty_places_are_refused_where_github_refuses_them() {
    check_steps(
        "    - run:\n      env:\n      with:\n    - uses:\n    - uses: a/b@c\n      with:\n    -\n",
        expect![[r#"
        7:11 error wrong-type expected a mapping for `env`, found nothing
        8:7 error misplaced-key `with` cannot stand beside `run`
        9:12 error invalid-value `uses` must not be empty
        11:12 error wrong-type expected a mapping for `with`, found nothing
        12:6 error wrong-type expected a mapping for a step, found nothing
    "#]],
    );
    check_job(
        "    needs:\n    name:\n    if:\n    container:\n    concurrency:\n",
        expect![[r#"
        6:11 error invalid-value `needs` must not be empty
        10:17 error wrong-type expected a mapping for `concurrency`, found nothing
    "#]],
    );
}
