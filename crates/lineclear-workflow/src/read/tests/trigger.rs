//! `on`.

use expect_test::expect;

use super::*;

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
