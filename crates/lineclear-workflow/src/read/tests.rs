//! What reading a file reports, as a table: `line:column severity code message` for each finding.
//!
//! Indented lines are the help of the finding above. Grouped as the reader's files are.

use expect_test::{Expect, expect};
use lineclear_source::Source;
use proptest::prelude::*;

use crate::*;

fn findings(source: &Source, diagnostics: &[lineclear_source::Diagnostic]) -> String {
    let mut text = String::new();
    for found in diagnostics {
        let place = found.span.map_or("-".to_owned(), |span| source.position(span.start).to_string());
        let severity = if found.is_error() { "error" } else { "warning" };
        text += &format!("{place} {severity} {} {}\n", found.code, found.message);
    }
    text
}

fn read(yaml: &str) -> Read<Workflow> {
    Workflow::read(&Source::new("w.yml", yaml))
}

fn check_read(yaml: &str, expected: Expect) {
    let source = Source::new("w.yml", yaml);
    expected.assert_eq(&findings(&source, &Workflow::read(&source).diagnostics));
}

/// Checks what stands under `on`, in a workflow that is otherwise in order.
fn check_on(on: &str, expected: Expect) {
    check_read(&format!("on:{on}\njobs: {{ a: {{ runs-on: x, steps: [run: 'true'] }} }}\n"), expected);
}

/// Checks the lines of one job; `steps` and `runs-on` are there.
fn check_job(job: &str, expected: Expect) {
    check_read(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps: [run: 'true']\n{job}"), expected);
}

/// Checks a sequence of steps, which begin in the first column.
fn check_steps(steps: &str, expected: Expect) {
    check_read(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"), expected);
}

fn check_action(yaml: &str, expected: Expect) {
    let source = Source::new("action.yml", yaml);
    expected.assert_eq(&findings(&source, &Action::read(&source).diagnostics));
}

fn accept(yaml: &str) -> Workflow {
    let read = read(yaml);
    assert_eq!(findings(&Source::new("w.yml", yaml), &read.diagnostics), "");
    read.model.expect("a file without findings has a model")
}

// --- the file as a whole

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

// --- values that GitHub converts

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

// --- events

#[test]
fn events_are_known_by_name() {
    check_on(
        " [push, pull-request, deploy, push]",
        expect![[r#"
        1:12 error event-unknown `pull-request` is not an event; did you mean `pull_request`?
        1:26 error event-unknown `deploy` is not an event
    "#]],
    );
    check_on(
        " pull_requests",
        expect![[r#"
        1:5 error event-unknown `pull_requests` is not an event; did you mean `pull_request`?
    "#]],
    );
    check_on(
        "\n  branches: [main]\n  Push:\n",
        expect![[r#"
        2:3 error event-unknown `branches` is not an event but a filter: it belongs below one, such as `push`
        3:3 error event-unknown `Push` is not an event; did you mean `push`?
    "#]],
    );
    check_on(
        " ''",
        expect![[r#"
        1:5 error event-unknown `` is not an event
    "#]],
    );
    check_on(
        " ${{ 'push' }}x",
        expect![[r#"
        1:5 error expression-not-allowed an event of `on` cannot hold an expression: it is read before any is evaluated
    "#]],
    );
    check_on(
        " []",
        expect![[r#"
        1:1 error missing-key `on` names no event, so nothing would start this workflow
    "#]],
    );
}

#[test]
fn what_github_ignores_below_an_event_is_a_warning() {
    check_on(
        "\n  pull_request: { types: [opend, opened], tags: [v1] }\n  push: { branch: [main], types: [x] }\n  create: { branches: [main] }\n  workflow_dispatch: { input: {} }\n  watch: { colour: red }\n",
        expect![[r#"
            2:27 warning event-type `pull_request` has no activity type `opend`; did you mean `opened`?
            2:43 warning filter-event `pull_request` has no filter `tags`, so GitHub ignores it
            3:11 warning unknown-key `branch` is not a key of `push`; did you mean `branches`?
            3:27 warning filter-event `push` has no filter `types`, so GitHub ignores it
            4:13 warning filter-event `create` has no filter `branches`, so GitHub ignores it
            5:24 warning unknown-key `input` is not a key of `workflow_dispatch`; did you mean `inputs`?
            6:12 warning unknown-key `colour` is not a key of `watch`
        "#]],
    );
}

#[test]
fn a_filter_and_its_ignore_form_cannot_stand_together() {
    check_on(
        "\n  push:\n    branches: [a]\n    branches-ignore: [b]\n    tags-ignore: [c]\n    paths: [d]\n    paths-ignore: [e]\n",
        expect![[r#"
            4:5 error filter-conflict `branches` and `branches-ignore` cannot stand together
            7:5 error filter-conflict `paths` and `paths-ignore` cannot stand together
        "#]],
    );
}

#[test]
fn filters_are_lists_of_patterns() {
    check_on(
        "\n  push:\n    branches: main\n    tags: []\n    paths: ['a/[', '', { a: b }, '+x']\n",
        expect![[r#"
        4:11 warning empty-filter `tags` lists nothing, so it filters nothing
        5:13 error glob-syntax `a/[` is not a filter pattern: `[` has no closing `]`
        5:20 error invalid-value an item of `paths` must not be empty
        5:24 error wrong-type expected a string for an item of `paths`, found a mapping
        5:34 error glob-syntax `+x` is not a filter pattern: `+` repeats the character before it, and there is none to repeat
    "#]],
    );
    let workflow =
        accept("on: { push: { branches-ignore: [a, 'b/**'] } }\njobs: { a: { runs-on: x, steps: [run: 'true'] } }\n");
    let branches = workflow.on.get("push").and_then(|push| push.branches.clone()).expect("there is a filter");
    assert!(branches.ignore && branches.list.len() == 2);
}

#[test]
fn trap_96_schedules_are_read_strictly() {
    check_on(
        "\n  schedule:\n    - cron: '@daily'\n    - cron: 0 0 * * 7\n    - cron: \"60 \\t * * *\"\n    - cron: '*/2 * * * *'\n    - cron: 0 0 * * 1-5\n      timezone: Europe/Berlin\n    - cron: 0 0 * * *\n      timezone: local time\n    - time: 12\n    - 0 0 * * *\n",
        expect![[r#"
            3:13 error cron-syntax not a valid schedule: `@daily` is not known here; write five fields, such as `0 0 * * *`
            4:21 error cron-syntax not a valid schedule: `7` is not a day of the week; Sunday is `0`
            5:14 error cron-syntax not a valid schedule: `60` does not fit the field minute: a number from 0 to 59
            5:17 error cron-syntax not a valid schedule: `	` does not fit the field hour: a number from 0 to 23
            6:13 warning cron-interval this schedule has times 2 minutes apart; GitHub starts runs no more often than every 5
            10:17 error schedule-timezone `local time` is not the name of a time zone
            11:7 error unknown-key `time` is not a key of an entry of `schedule`
            11:7 error missing-key an entry of `schedule` needs the key `cron`
            12:7 error wrong-type expected a mapping for an entry of `schedule`, found a string
        "#]],
    );
    check_on(
        " schedule",
        expect![[r#"
        1:5 warning cron-syntax `schedule` without a `cron` never starts a run
    "#]],
    );
    check_on(
        "\n  schedule: { cron: 0 0 * * * }\n",
        expect![[r#"
        2:13 error wrong-type expected a sequence for `schedule`, found a mapping
    "#]],
    );
}

#[test]
fn a_workflow_run_should_name_workflows() {
    check_on(
        "\n  workflow_run: { types: [completed] }\n",
        expect![[r#"
        2:3 warning workflow-run `workflow_run` follows no workflow without the key `workflows`
    "#]],
    );
    check_on(
        " workflow_run",
        expect![[r#"
        1:5 warning workflow-run `workflow_run` follows no workflow without the key `workflows`
    "#]],
    );
}

#[test]
fn trap_100_inputs_have_types_options_and_defaults_that_agree() {
    check_on(
        "
  workflow_dispatch:
    inputs:
      a: { type: text }
      b: { type: choice }
      c: { type: choice, options: [x, 1], default: y }
      d: { type: boolean, default: maybe }
      e: { type: number, default: many }
      f: { options: [x] }
      g: { type: choice, options: [x, 1], default: 1, required: yes }
      h: { type: string, default: \"${{ github.ref }}\", colour: red }
      1i:
  workflow_call:
    inputs:
      a: { type: choice }
      b: { required: true }
      c:
      d: { type: boolean, default: 'true', deprecationMessage: x }
    secrets:
      a: { required: maybe, value: x }
      github_token:
    outputs:
      a: { description: x }
      b: { value: \"${{ steps.x.outputs.y }}\" }
      c:
",
        expect![[r#"
            4:18 error input-type `text` is not a type of an input, here of `a`
            5:7 error input-options input `b` is a choice and needs `options` to choose from
            6:52 error input-default the default `y` of input `c` does not fit its type: expected x or 1
            7:36 error input-default the default `maybe` of input `d` does not fit its type: expected true or false
            8:35 error input-default the default `many` of input `e` does not fit its type: expected a number
            9:12 error input-options `options` is for inputs of type `choice`, and `f` is none
            10:65 error wrong-type expected true or false for `required`, found a string
            11:35 error expression-not-allowed `default` cannot hold an expression: it is read before any is evaluated
            11:56 warning unknown-key `colour` is not a key of an input of `workflow_dispatch`
            12:7 warning id-syntax `1i` is not a good name of an input: an id starts with a letter or `_`
            15:18 error input-type `choice` is not a type of an input, here of `a`
            16:7 error missing-key input `b` of `workflow_call` needs the key `type`
            17:7 error missing-key input `c` of `workflow_call` needs the key `type`
            18:44 error unknown-key `deprecationMessage` is not a key of an input of `workflow_call`
            20:22 error wrong-type expected true or false for `required`, found a string
            20:29 error unknown-key `value` is not a key of a secret of `workflow_call`
            21:7 error invalid-value `GITHUB_TOKEN` is there by itself and cannot be declared as a secret
            23:7 error missing-key output `a` needs the key `value`
            24:24 error expression-context Unrecognized named-value: 'steps'; available here are github, inputs, vars and jobs
            25:9 error wrong-type expected a mapping for output `c`, found nothing
        "#]],
    );
}

#[test]
fn a_manual_start_has_at_most_25_inputs() {
    let inputs: String = (0..26).map(|at| format!("      i{at}:\n")).collect();
    check_on(
        &format!("\n  workflow_dispatch:\n    inputs:\n{inputs}"),
        expect![[r#"
        29:7 error input-limit `workflow_dispatch` takes at most 25 inputs, here are 26
    "#]],
    );
}

// --- jobs

#[test]
fn ids_of_jobs_and_steps_follow_the_rules() {
    let long = "a".repeat(100);
    check_read(
        &format!(
            "on: push\njobs:\n  1a: &j {{ runs-on: x, steps: [run: 'true'] }}\n  a.b: *j\n  __a: *j\n  {long}: *j\n  ok-1_: *j\n  \"\": *j\n  \"${{{{ x }}}}\": *j\n"
        ),
        expect![[r#"
            3:3 error id-syntax `1a` cannot be the id of a job: an id starts with a letter or `_`
            4:3 error id-syntax `a.b` cannot be the id of a job: an id holds only letters, digits, `_` and `-`
            5:3 error id-syntax `__a` cannot be the id of a job: ids that start with `__` are reserved
            6:3 error id-syntax `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` cannot be the id of a job: an id has fewer than 100 characters
            8:3 error id-syntax `` cannot be the id of a job: it is empty
            9:3 error expression-not-allowed the id of a job cannot hold an expression: it is read before any is evaluated
        "#]],
    );
    check_steps(
        "    - { id: one, run: x }\n    - { id: ONE, run: x }\n    - { id: a b, run: x }\n    - { id: __x, run: x }\n    - { id: '', run: x }\n",
        expect![[r#"
            7:13 error duplicate-id the id `ONE` is already that of an earlier step; ids ignore case
            8:13 error id-syntax `a b` cannot be the id of a step: an id holds only letters, digits, `_` and `-`
            9:13 error id-syntax `__x` cannot be the id of a step: ids that start with `__` are reserved
            10:13 error id-syntax `` cannot be the id of a step: it is empty
        "#]],
    );
}

#[test]
fn needs_name_jobs_that_can_finish_first() {
    let jobs = |lines: &str| {
        let body = "runs-on: x, steps: [run: 'true']";
        let job = |line: &str| match line.split_once(':') {
            Some((id, needs)) => format!("  {id}: {{ needs: {needs}, {body} }}\n"),
            None => format!("  {line}: {{ {body} }}\n"),
        };
        format!("on: push\njobs:\n{}", lines.lines().map(job).collect::<String>())
    };
    check_read(
        &jobs("build\ntest: bild\ndeploy: [test, nothing]"),
        expect![[r#"
        4:19 error needs-unknown job `test` needs `bild`, which does not exist; did you mean `build`?
        5:28 error needs-unknown job `deploy` needs `nothing`, which does not exist
    "#]],
    );
    check_read(
        &jobs("start\na: [start, c]\nb: a\nc: [b]\nafter: c"),
        expect![[r#"
        4:24 error needs-cycle these jobs wait for each other and never start: a → c → b → a
    "#]],
    );
    check_read(
        &jobs("start\nself: self"),
        expect![[r#"
        4:19 error needs-cycle job `self` needs itself, so it never starts
    "#]],
    );
    check_read(
        &jobs("a: b\nb: c"),
        expect![[r#"
        2:1 error no-first-job every job needs another one, so none can start: at least one must have no `needs`
        4:16 error needs-unknown job `b` needs `c`, which does not exist
    "#]],
    );
    check_read(&jobs("a\nb: A"), expect![[""]]);
    check_read(
        &jobs("a\nb: ''\nc: [[a]]\nd: '${{ 1 }}'"),
        expect![[r#"
        4:16 error invalid-value `needs` must not be empty
        5:17 error wrong-type expected a string for an item of `needs`, found a sequence
        6:16 error expression-not-allowed `needs` cannot hold an expression: it is read before any is evaluated
    "#]],
    );
}

#[test]
fn a_job_calls_a_workflow_or_has_steps() {
    check_read(
        "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    timeout-minutes: 5\n    env: { A: 1 }\n  b:\n    uses: ./.github/workflows/x.yml\n    runs-on: x\n    steps: [run: 'true']\n  c:\n    runs-on: x\n    with: { a: 1 }\n    secrets: inherit\n    steps: [run: 'true']\n  d:\n    uses: ./.github/workflows/x.yml@v1\n  e:\n    uses: ${{ matrix.x }}\n  f:\n    uses: ./.github/workflows/x.yml\n    with: { a: [1], b: '${{ secrets.x }}' }\n    secrets: none\n",
        expect![[r#"
            5:5 error misplaced-key `timeout-minutes` cannot stand beside `uses`: the called workflow decides it
            6:5 error misplaced-key `env` cannot stand beside `uses`: the called workflow decides it
            8:5 error misplaced-key a job either calls a workflow with `uses` or has `runs-on` and `steps` of its own
            13:5 error misplaced-key `with` of a job is for a called workflow, and this job has no `uses`
            14:5 error misplaced-key `secrets` of a job is for a called workflow, and this job has no `uses`
            17:11 error uses-syntax `./.github/workflows/x.yml@v1` names no reusable workflow: a path in this repository takes no `@ref`: it is read from the same commit
            19:11 error expression-not-allowed `uses` cannot hold an expression: it is read before any is evaluated
            22:16 error wrong-type expected a string for input `a`, found a sequence
            22:29 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs, vars, needs, strategy and matrix
            23:14 error invalid-value `none` is not a value of `secrets`
        "#]],
    );
}

#[test]
fn trap_102_runners_are_labels_or_a_group() {
    check_job(
        "  b: { runs-on: [], steps: [run: 'true'] }\n  c: { runs-on: { group: a/b, label: x }, steps: [run: 'true'] }\n  d: { runs-on: {}, steps: [run: 'true'] }\n  e: { runs-on: [x, ''], steps: [run: 'true'] }\n  f: { runs-on: [x, [y]], steps: [run: 'true'] }\n",
        expect![[r#"
        6:17 error invalid-value `runs-on` needs at least one label
        7:26 error runner-group `a/b` names no runner group: the only prefixes are `organization/` and `enterprise/`
        7:31 error unknown-key `label` is not a key of `runs-on`; did you mean `labels`?
        8:17 error missing-key `runs-on` needs `group`, `labels` or both
        9:21 error invalid-value an item of `runs-on` must not be empty
        10:21 error wrong-type expected a string for an item of `runs-on`, found a sequence
    "#]],
    );
    let workflow = accept(
        "on: push\njobs: { a: { runs-on: { group: org/big, labels: [x, Y] }, steps: [run: 'true'] }, b: { runs-on: [self-hosted, X64], steps: [run: 'true'] } }\n",
    );
    let JobKind::Steps(job) = &workflow.jobs[0].kind else { panic!("a job with steps") };
    assert!(matches!(&job.runs_on, RunsOn::Group { group: Some(_), labels, .. } if labels.len() == 2));
    let JobKind::Steps(job) = &workflow.jobs[1].kind else { panic!("a job with steps") };
    assert!(matches!(&job.runs_on, RunsOn::Labels(labels) if labels.len() == 2));
}

#[test]
fn matrices_are_made_of_lists() {
    check_job(
        "    strategy:\n      matrix:\n        os: linux\n        none: []\n        map: { a: 1 }\n        empty:\n        good: [1]\n        include: { a: 1 }\n        exclude: [good, {}, { goood: 1 }, { good: 1 }]\n",
        expect![[r#"
            8:13 error matrix-shape expected a sequence or an expression for `os` of the matrix, found a string
            9:15 error matrix-shape `none` of the matrix is empty, so there would be no job
            10:14 error matrix-shape expected a sequence or an expression for `map` of the matrix, found a mapping
            11:15 error matrix-shape expected a sequence or an expression for `empty` of the matrix, found nothing
            13:18 error matrix-shape expected a sequence or an expression for `include` of the matrix, found a mapping
            14:19 error matrix-shape expected a mapping for an item of `exclude`, found a string
            14:25 error matrix-shape an item of `exclude` must name at least one key
            14:31 error matrix-shape `goood` cannot be excluded: the matrix has no such key
        "#]],
    );
    check_job(
        "    strategy: { matrix: {} }\n",
        expect![[r#"
        6:25 error matrix-shape the matrix needs at least one key with values, or `include`
    "#]],
    );
    check_job(
        "    strategy: { matrix: [1], max-parallel: 0, fail-fast: sometimes }\n",
        expect![[r#"
        6:25 error wrong-type expected a mapping for `matrix`, found a sequence
        6:44 warning invalid-value `max-parallel` should be greater than 0
        6:58 error wrong-type expected true, false or an expression for `fail-fast`, found a string
    "#]],
    );
}

#[test]
fn permissions_have_known_scopes_and_levels() {
    check_job(
        "    permissions: { content: read, id-token: read, models: write, issues: admin, metadata: read, packages: none }\n",
        expect![[r#"
        6:20 error permission-scope `content` is not a permission; did you mean `contents`?
        6:45 error permission-scope `read` is not a level of `id-token`
        6:59 error permission-scope `write` is not a level of `models`
        6:74 error permission-scope `admin` is not a level of `issues`
    "#]],
    );
    check_job(
        "    permissions: write\n",
        expect![[r#"
        6:18 error permission-scope `write` is not a value of `permissions`
    "#]],
    );
    check_job(
        "    permissions:\n",
        expect![[r#"
        6:17 error wrong-type expected a mapping for `permissions`, found nothing
    "#]],
    );
    accept("on: push\npermissions: {}\njobs: { a: { runs-on: x, permissions: read-all, steps: [run: 'true'] } }\n");
}

#[test]
fn concurrency_settings_agree() {
    check_job(
        "    concurrency: { group: x, queue: max, cancel-in-progress: true }\n",
        expect![[r#"
        6:37 error concurrency `queue: max` keeps runs waiting, and `cancel-in-progress: true` cancels them: choose one
    "#]],
    );
    check_job(
        "    concurrency: { queue: all, cancel-in-progress: 1 }\n",
        expect![[r#"
        6:18 error missing-key `concurrency` needs the key `group`
        6:27 error invalid-value `all` is not a value of `queue`
        6:52 error wrong-type expected true, false or an expression for `cancel-in-progress`, found a number
    "#]],
    );
    check_job(
        "    concurrency: ''\n",
        expect![[r#"
        6:18 error invalid-value the concurrency group must not be empty
    "#]],
    );
    check_job(
        &format!("    concurrency: {}\n", "x".repeat(401)),
        expect![[r#"
        6:18 error concurrency the name of a concurrency group has at most 400 characters
    "#]],
    );
}

#[test]
fn environments_containers_and_services_have_their_parts() {
    check_job(
        "    environment: { url: x }\n",
        expect![[r#"
        6:18 error missing-key `environment` needs the key `name`
    "#]],
    );
    check_job(
        "    environment: { name: x, url: '${{ secrets.x }}', deployment: perhaps }\n",
        expect![[r#"
        6:39 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs, vars, needs, strategy, matrix, job, runner, env and steps
        6:66 error wrong-type expected true, false or an expression for `deployment`, found a string
    "#]],
    );
    check_job(
        "    container: { env: { A: 1 }, ports: 80, entrypoint: x }\n    services:\n      db: { image: a, credentials: { username: x } }\n      no: { port: [1] }\n      empty: ''\n",
        expect![[r#"
            6:16 error missing-key `container` needs the key `image`
            6:40 error wrong-type expected a sequence for `ports`, found a number
            6:44 error unknown-key `entrypoint` is not a key of `container`
            8:36 error missing-key `credentials` needs the key `password`
            9:11 error missing-key service `no` needs the key `image`
            9:13 error unknown-key `port` is not a key of a service; did you mean `ports`?
            10:14 error invalid-value service `empty` must not be empty
        "#]],
    );
    check_job(
        "    snapshot: { version: 1.0, if: '${{ steps.x }}' }\n",
        expect![[r#"
        6:15 error missing-key `snapshot` needs the key `image-name`
        6:26 error invalid-value `1.0` is not a version of an image: expected a number and `.*`, as in `1.*`
        6:40 error expression-context Unrecognized named-value: 'steps'; available here are github, inputs, vars, needs, strategy and matrix
    "#]],
    );
}

#[test]
fn ports_and_images_may_be_written_as_they_come() {
    accept(
        "on: push\njobs: { a: { runs-on: x, container: '', services: { d: { image: '', ports: [80, '81:81/udp'] } }, steps: [run: 'true'] } }\n",
    );
}

// --- steps

#[test]
fn a_step_does_one_thing() {
    check_steps(
        "    - name: nothing\n    - { run: x, uses: a/b@c }\n    - { name: x, command: y }\n    - text\n",
        expect![[r#"
            6:7 error step-kind a step needs `run` or `uses`
            7:17 error step-kind a step has only one of `run` and `uses`
            8:7 error step-kind a step needs `run` or `uses`
            8:18 error unknown-key `command` is not a key of a step
            9:7 error wrong-type expected a mapping for a step, found a string
        "#]],
    );
    check_steps(
        "    - { run: x, with: { a: 1 } }\n    - { uses: a/b@c, shell: bash, working-directory: . }\n",
        expect![[r#"
        6:17 error misplaced-key `with` cannot stand beside `run`
        7:22 error misplaced-key `shell` cannot stand beside `uses`
        7:35 error misplaced-key `working-directory` cannot stand beside `uses`
    "#]],
    );
    check_job(
        "  b: { runs-on: x, steps: [] }\n  c: { runs-on: x, steps: { run: x } }\n",
        expect![[r#"
        6:27 error missing-key a job needs at least one step
        7:27 error wrong-type expected a sequence for `steps`, found a mapping
    "#]],
    );
}

#[test]
fn trap_101_an_action_is_named_with_its_ref() {
    check_steps(
        "    - uses: actions/checkout\n    - uses: checkout@v4\n    - uses: docker://\n    - uses: ${{ matrix.action }}\n    - uses: a/b/.github/workflows/c.yml@v1\n    - uses: $/x@v1\n    - uses: ''\n",
        expect![[r#"
            6:13 error uses-syntax `actions/checkout` names no action: the `@` with a branch, tag or commit is missing, as in `actions/checkout@v1`
            7:13 error uses-syntax `checkout@v4` names no action: expected `owner/repository@ref`, `owner/repository/path@ref`, `./path`, `$/path` or `docker://image`
            8:13 error uses-syntax `docker://` names no action: the image after `docker://` is missing
            9:13 error expression-not-allowed `uses` cannot hold an expression: it is read before any is evaluated
            10:13 error uses-syntax `a/b/.github/workflows/c.yml@v1` names no action: a reusable workflow is called by `uses` of a job, not of a step
            11:13 warning uses-syntax a path with `$/` takes no `@ref`: what follows the `@` is read as a part of the path
            12:13 error invalid-value `uses` must not be empty
        "#]],
    );
}

#[test]
fn shells_are_known_or_have_a_place_for_the_script() {
    check_steps(
        "    - { run: x, shell: node }\n    - { run: x, shell: bsh }\n    - { run: x, shell: perl -w }\n    - { run: x, shell: '${{ matrix.shell }}' }\n    - { run: x, shell: PowerShell }\n",
        expect![[r#"
            6:24 error shell `node` is not a known shell
            7:24 error shell `bsh` is not a known shell; did you mean `bash`?
            8:24 error shell the shell `perl -w` has no `{0}`, where the script's path would go
            9:24 error expression-not-allowed `shell` of a step (unlike that of `defaults.run` of a job) cannot hold an expression: it is read before any is evaluated
        "#]],
    );
    check_read(
        "on: push\ndefaults: { run: { shell: '${{ env.X }}', working-directory: '' } }\njobs: { a: { runs-on: x, defaults: { run: { shell: fish } }, steps: [run: 'true'] } }\n",
        expect![[r#"
        2:27 error expression-not-allowed `shell` cannot hold an expression: it is read before any is evaluated
        2:62 error invalid-value `working-directory` must not be empty
        3:52 error shell `fish` is not a known shell
    "#]],
    );
}

#[test]
fn waits_and_cancels_name_background_steps() {
    check_steps(
        "    - { id: one, run: x, background: true }\n    - { id: two, run: x }\n    - { wait: [one, two, thre] }\n    - { wait: one }\n    - { id: me, wait: me }\n    - { cancel: won }\n    - { wait-all: false }\n    - { wait: [] }\n    - { wait: one, if: always() }\n",
        expect![[r#"
            8:21 warning step-reference `two` does not run in the background, so there is nothing to wait for
            8:26 error step-reference no earlier step has the id `thre`
            9:15 warning step-reference `one` was already waited for or cancelled
            10:23 error step-reference no earlier step has the id `me`
            11:17 error step-reference no earlier step has the id `won`
            12:19 error invalid-value `wait-all` is true or has no value
            13:7 error step-reference `wait` names no step; `wait-all` waits for all
            14:15 warning step-reference `one` was already waited for or cancelled
            14:20 error misplaced-key `if` cannot stand beside `wait`
        "#]],
    );
}

#[test]
fn parallel_steps_run_scripts_and_actions_only() {
    check_steps(
        "    - parallel:\n        - { run: x, background: true }\n        - { wait-all: }\n        - { parallel: [{ run: x }] }\n        - { run: x }\n      if: always()\n    - parallel: []\n    - parallel: { run: x }\n",
        expect![[r#"
            7:21 error misplaced-key `background` is not needed in `parallel`: its steps all run at once
            8:13 error step-kind `wait-all` cannot stand in `parallel`: only `run` and `uses` can
            9:13 error step-kind `parallel` cannot stand in `parallel`: only `run` and `uses` can
            11:7 error misplaced-key `if` cannot stand beside `parallel`
            12:17 error step-kind `parallel` needs at least one step
            13:17 error wrong-type expected a sequence for `parallel`, found a mapping
        "#]],
    );
}

#[test]
fn more_than_ten_background_steps_wait_for_each_other() {
    let steps: String = (0..12).map(|_| "    - { run: x, background: true }\n").collect();
    check_steps(
        &steps,
        expect![[r#"
        16:17 warning background-limit more than 10 background steps at once: this one starts later
    "#]],
    );
    let within: String = (0..10).map(|_| "    - { run: x, background: true }\n").collect();
    check_steps(&format!("{within}    - wait-all:\n{within}"), expect![[""]]);
}

// --- expressions

#[test]
fn expressions_use_what_their_place_offers() {
    check_read(
        "on: push\nrun-name: ${{ secrets.x }}\nenv: { A: '${{ env.B }}' }\njobs:\n  a:\n    name: ${{ steps.x }}\n    runs-on: ${{ env.x }}\n    strategy: { matrix: { a: ['${{ matrix.b }}'] } }\n    environment: { name: x, url: '${{ steps.a.outputs.b }}' }\n    env: { A: '${{ secrets.a }} ${{ needs.b }} ${{ runner.os }}' }\n    steps:\n      - run: ${{ hashFiles('a') }} ${{ jobs.a }} ${{ always() }}\n",
        expect![[r#"
            2:15 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs and vars
            3:16 error expression-context Unrecognized named-value: 'env'; available here are github, inputs, vars and secrets
            6:15 error expression-context Unrecognized named-value: 'steps'; available here are github, inputs, vars, needs, strategy and matrix
            7:18 error expression-context Unrecognized named-value: 'env'; available here are github, inputs, vars, needs, strategy and matrix
            8:36 error expression-context Unrecognized named-value: 'matrix'; available here are github, inputs, vars and needs
            10:52 error expression-context Unrecognized named-value: 'runner'; available here are github, inputs, vars, needs, strategy, matrix and secrets
            12:40 error expression-context Unrecognized named-value: 'jobs'; available here are github, inputs, vars, needs, strategy, matrix, secrets, job, runner, env and steps
            12:54 error expression-context Unrecognized function: 'always'; it is available in `if` only
        "#]],
    );
}

#[test]
fn an_expression_that_cannot_be_read_is_underlined_where_it_goes_wrong() {
    check_steps(
        "    - run: |\n        echo first\n        echo ${{ github.ref == }} and ${{ 'open }}\n",
        expect![[r#"
        8:39 error expression-syntax The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.; a single quote in it is not closed
    "#]],
    );
    check_steps(
        "    - run: \"\\t${{ a b }}\"\n      name: ${{ }}\n      env: { A: '${{ github.ref' }\n",
        expect![[r#"
            6:19 error expression-context Unrecognized named-value: 'a'; available here are github, inputs, vars, needs, strategy, matrix, secrets, job, runner, env and steps
            6:21 error expression-syntax Unexpected symbol: 'b'; an operator such as `==` or `&&` is missing before it
            7:16 error expression-syntax An expression was expected
            8:18 error expression-syntax The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.
        "#]],
    );
}

#[test]
fn trap_44_conditions_cannot_read_secrets() {
    check_steps(
        "    - run: x\n      if: secrets.TOKEN != ''\n    - run: x\n      if: ${{ always() && secrets.TOKEN }}\n",
        expect![[r#"
        7:11 error secrets-in-if a condition cannot read secrets
        9:27 error secrets-in-if a condition cannot read secrets
    "#]],
    );
    check_job(
        "    if: secrets.TOKEN\n",
        expect![[r#"
        6:9 error secrets-in-if a condition cannot read secrets
    "#]],
    );
}

#[test]
fn trap_33_mixed_text_in_a_condition_is_always_true() {
    check_steps(
        "    - run: x\n      if: ${{ github.ref }} == 'refs/heads/main'\n    - run: x\n      if: |\n        ${{ failure() }}\n    - run: x\n      if: '!${{ failure() }}'\n    - run: x\n      if: \" ${{ failure() }}\"\n",
        expect![[r#"
            7:11 warning if-always-true this condition is always true: text around `${{ }}` makes it a string
            9:11 warning if-always-true this condition is always true: text around `${{ }}` makes it a string
            12:11 warning if-always-true this condition is always true: text around `${{ }}` makes it a string
            14:11 warning if-always-true this condition is always true: text around `${{ }}` makes it a string
        "#]],
    );
}

#[test]
fn conditions_of_jobs_have_no_matrix_and_no_files() {
    check_job(
        "    if: matrix.os == 'linux' && hashFiles('x') && success('a', 'b')\n",
        expect![[r#"
        6:9 error expression-context Unrecognized named-value: 'matrix'; available here are github, inputs, vars and needs
        6:33 error expression-context Unrecognized function: 'hashFiles'; it is available in the keys of steps only
    "#]],
    );
}

#[test]
fn expressions_stand_only_where_they_are_evaluated() {
    check_read(
        "on: push\nname: ${{ github.ref }}\npermissions: { contents: '${{ x }}' }\njobs:\n  a:\n    runs-on: x\n    outputs: { \"${{ github.ref }}\": x }\n    services: { \"${{ github.ref }}\": { image: x } }\n    steps:\n      - id: ${{ github.ref }}\n        run: x\n      - { uses: a/b@v1, \"${{ insert }}\": x }\n",
        expect![[r#"
            2:7 error expression-not-allowed `name` cannot hold an expression: it is read before any is evaluated
            3:26 error expression-not-allowed `contents` cannot hold an expression: it is read before any is evaluated
            7:16 error expression-not-allowed the name of an output cannot be an expression
            8:17 error expression-not-allowed the name of a service cannot be an expression
            10:13 error expression-not-allowed `id` cannot hold an expression: it is read before any is evaluated
            12:25 error expression-not-allowed the keys of a step cannot be expressions here
        "#]],
    );
}

// --- actions

#[test]
fn actions_say_how_they_run() {
    check_action(
        "",
        expect![[r#"
        1:1 error missing-key the file is empty; an action needs at least the key `runs`
    "#]],
    );
    check_action(
        "name: x\n",
        expect![[r#"
        1:1 error missing-key an action needs the key `runs`
    "#]],
    );
    check_action(
        "runs: {}\n",
        expect![[r#"
        1:7 error missing-key `runs` needs the key `using`
    "#]],
    );
    check_action(
        "runs: { using: node18, main: x }\n",
        expect![[r#"
        1:16 error action-runs `node18` is not a way to run an action
    "#]],
    );
    check_action(
        "runs: { using: node16, main: x }\n",
        expect![[r#"
        1:16 warning action-runs `node16` is retired; the action runs on a newer Node
    "#]],
    );
    check_action(
        "runs: { using: node24, image: x, pree: y }\n",
        expect![[r#"
            1:7 error missing-key `runs` of a JavaScript action needs the key `main`
            1:24 error unknown-key `image` is not a key of `runs` of a JavaScript action
            1:34 error unknown-key `pree` is not a key of `runs` of a JavaScript action; did you mean `pre`?
        "#]],
    );
    check_action(
        "runs: { using: docker, main: x, args: x }\n",
        expect![[r#"
        1:7 error missing-key `runs` of a Docker action needs the key `image`
        1:24 error unknown-key `main` is not a key of `runs` of a Docker action
        1:39 error wrong-type expected a sequence for `args`, found a string
    "#]],
    );
    check_action(
        "runs: { using: composite }\n",
        expect![[r#"
        1:7 error missing-key `runs` of a composite action needs the key `steps`
    "#]],
    );
    check_action(
        "runs: { plugin: checkout }\n",
        expect![[r#"
        1:9 error action-runs `plugin` actions are part of GitHub's own runner and cannot be run
    "#]],
    );
    check_action("runs: { using: Node20, main: x }\nfuture: key\n", expect![[""]]);
}

#[test]
fn steps_of_a_composite_action_have_keys_of_their_own() {
    check_action(
        "runs:\n  using: composite\n  steps:\n    - run: x\n    - { run: x, shell: bash, timeout-minutes: 5 }\n    - { run: x, shell: bash, background: true }\n    - wait-all:\n    - { run: '${{ secrets.x }} ${{ vars.y }} ${{ needs.z }}', shell: '${{ inputs.shell }}' }\n    - { uses: ./x, if: \"${{ inputs.a == 'b' && failure() }}\" }\n",
        expect![[r#"
            4:7 error missing-key a step with `run` in a composite action needs the key `shell`
            5:30 error misplaced-key `timeout-minutes` cannot be used in a composite action
            6:30 error misplaced-key `background` cannot be used in a composite action
            7:7 error misplaced-key `wait-all` cannot be used in a composite action
            8:19 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs, strategy, matrix, steps, job, runner and env
            8:36 error expression-context Unrecognized named-value: 'vars'; available here are github, inputs, strategy, matrix, steps, job, runner and env
            8:50 error expression-context Unrecognized named-value: 'needs'; available here are github, inputs, strategy, matrix, steps, job, runner and env
        "#]],
    );
}

#[test]
fn inputs_and_outputs_of_actions_are_read_leniently() {
    check_action(
        "description: uses ${{ x }}\ninputs:\n  a:\n  b: { required: 'yes', whatever: [1], default: '${{ github.token }}' }\n  c: { default: '${{ secrets.x }}' }\n  d: text\noutputs:\n  a: { value: x, other: y }\n  b: { description: x }\nruns: { using: composite, steps: [] }\n",
        expect![[r#"
            1:14 error expression-not-allowed `description` cannot hold an expression: it is read before any is evaluated
            5:22 error expression-context Unrecognized named-value: 'secrets'; available here are github, strategy, matrix, job and runner
            6:6 error wrong-type expected a mapping for input `d`, found a string
            8:18 error unknown-key `other` is not a key of an output of an action
            9:3 warning missing-key output `b` of a composite action has no `value`, so it is always empty
        "#]],
    );
    check_action(
        "runs: { using: docker, image: x, args: ['${{ github.ref }}', 1], env: { A: '${{ inputs.a }}' }, pre-if: 'a b', post-if: '${{ always() }}' }\n",
        expect![[r#"
            1:46 error expression-context Unrecognized named-value: 'github'; available here is inputs
            1:106 error expression-context Unrecognized named-value: 'a'; available here are github, inputs, strategy, matrix, job, runner and env
            1:108 error expression-syntax Unexpected symbol: 'b'; an operator such as `==` or `&&` is missing before it
        "#]],
    );
}

#[test]
fn the_stages_of_an_action_are_kept() {
    let yaml = "runs: { using: node20, main: m.js, pre: p.js, post: q.js, pre-if: runner.os == 'Linux' }\n";
    let action = Action::read(&Source::new("action.yml", yaml)).model.expect("a valid action");
    let Runs::JavaScript { main, pre, post, pre_if, post_if, .. } = action.runs else { panic!("a JavaScript action") };
    assert_eq!((main.as_str(), pre.as_deref(), post.as_deref()), ("m.js", Some("p.js"), Some("q.js")));
    assert_eq!((pre_if.expect("there is a condition").raw(), post_if.is_none()), ("runner.os == 'Linux'", true));
}

// --- hostile input

#[test]
fn a_large_file_with_a_fault_in_every_line_is_read() {
    let jobs: String = (0..3_000).map(|at| format!("  j{at}: {{ needs: j{}, colour: red }}\n", at + 1)).collect();
    assert!(read(&format!("on: push\njobs:\n{jobs}")).diagnostics.len() > 6_000);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        let source = Source::new("w.yml", text);
        Workflow::read(&source);
        Action::read(&source);
    }

    /// Pieces of the language in any order and depth.
    #[test]
    fn no_yaml_makes_the_reader_panic(node in any_node()) {
        for source in [Source::new("w.yml", node.as_str()), Source::new("w.yml", format!("{{on: {node}, jobs: {{a: {node}}}}}"))] {
            let workflow = Workflow::read(&source);
            let action = Action::read(&source);
            for found in workflow.diagnostics.iter().chain(&action.diagnostics) {
                let end = found.span.map_or(0, |span| span.end as usize);
                prop_assert!(end <= source.text().len(), "{found:?} lies in the file");
            }
        }
    }
}

/// A node in flow style, made of words that the language knows.
fn any_node() -> impl proptest::strategy::Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "~",
        "true",
        "1.5",
        "''",
        "text",
        "push",
        "'${{ github.ref }}'",
        "'${{ a'",
        "'${{ insert }}'",
        "./x",
        "a/b@c",
        "'0 0 * * *'",
        "'**/x'",
        "node20",
        "composite",
        "docker",
        "read",
        "max",
        "inherit",
        "\"a\\n${{ 'é' }}\\t${{ ( }}\"",
    ])
    .prop_map(str::to_owned);
    let key = prop::sample::select(vec![
        "on",
        "jobs",
        "push",
        "branches",
        "paths-ignore",
        "types",
        "schedule",
        "cron",
        "timezone",
        "workflow_dispatch",
        "workflow_call",
        "inputs",
        "secrets",
        "outputs",
        "type",
        "options",
        "default",
        "required",
        "a",
        "b",
        "needs",
        "if",
        "runs-on",
        "group",
        "labels",
        "strategy",
        "matrix",
        "include",
        "exclude",
        "container",
        "services",
        "image",
        "credentials",
        "env",
        "ports",
        "steps",
        "id",
        "name",
        "run",
        "uses",
        "with",
        "shell",
        "wait",
        "wait-all",
        "cancel",
        "parallel",
        "background",
        "concurrency",
        "queue",
        "permissions",
        "contents",
        "defaults",
        "environment",
        "url",
        "snapshot",
        "runs",
        "using",
        "main",
        "args",
        "pre-if",
        "value",
        "'${{ insert }}'",
        "'${{ x }}'",
    ]);
    scalar.prop_recursive(5, 40, 5, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let pair = (key.clone(), inner).prop_map(|(key, value)| format!("{key}: {value}"));
        let map = prop::collection::vec(pair, 0..6).prop_map(|pairs| format!("{{{}}}", pairs.join(", ")));
        prop_oneof![list, map]
    })
}
