//! Steps.

use expect_test::expect;

use super::*;

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
