//! `action.yml`.

use expect_test::expect;

use super::*;

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
fn trap_33_text_between_braces_is_no_single_condition_of_a_stage() {
    check_action(
        "runs:\n  using: node24\n  main: m.js\n  post-if: ${{ inputs.a }} && ${{ inputs.b }}\n",
        expect![[r#"
            4:12 warning if-always-true this condition is always true: text around `${{ }}` makes it a string
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
