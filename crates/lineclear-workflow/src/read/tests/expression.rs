//! Expressions, at every kind of place.

use expect_test::expect;

use super::*;

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
