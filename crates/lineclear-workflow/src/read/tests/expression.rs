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

fn only_job(workflow: &Workflow) -> &StepsJob {
    let JobKind::Steps(job) = &workflow.jobs[0].kind else { panic!("a job with steps") };
    job
}

#[test]
fn blocks_that_are_one_expression_are_kept_as_such() {
    let workflow = accept(
        "
on: push
jobs:
  a:
    runs-on: ${{ fromJSON(vars.LABELS) }}
    strategy: ${{ fromJSON(vars.STRATEGY) }}
    services: ${{ fromJSON(vars.SERVICES) }}
    container: ${{ fromJSON(vars.CONTAINER) }}
    env: ${{ fromJSON(vars.ENV) }}
    steps:
      - uses: a/b@v1
        with: ${{ fromJSON(vars.WITH) }}
",
    );
    let job = only_job(&workflow);
    assert!(workflow.jobs[0].strategy.as_ref().is_some_and(|strategy| strategy.expression.is_some()));
    assert!(job.services.is_empty() && job.services_expression.is_some());
    assert!(matches!(&job.env, Some(Env::Expression(_))));
    let StepKind::Uses { with, .. } = &job.steps[0].kind else { panic!("a step that uses an action") };
    assert_eq!((with.len(), with[0].0.as_str(), with[0].1.raw()), (1, INSERT, "${{ fromJSON(vars.WITH) }}"));
}

#[test]
fn the_insert_directive_is_a_key_like_no_other() {
    let workflow = accept(
        "
on: push
env:
  ${{insert}}: ${{ fromJSON(vars.ENV) }}
  ${{ github.job }}_X: 1
jobs:
  a:
    runs-on: x
    strategy: { matrix: { \"${{  insert  }}\": \"${{ fromJSON(vars.AXES) }}\", os: [x] } }
    steps: [run: x]
",
    );
    let Some(Env::Names(names)) = &workflow.env else { panic!("an env of names") };
    let kinds: Vec<bool> = names.iter().map(|(name, _)| name.is_insert()).collect();
    assert_eq!(kinds, [true, false]);
    let matrix = workflow.jobs[0].strategy.as_ref().and_then(|strategy| strategy.matrix.clone());
    let Some(TextTree::Mapping(entries)) = matrix else { panic!("a matrix with keys") };
    assert!(entries[0].0.is_insert() && !entries[1].0.is_insert());
}

#[test]
fn credentials_from_one_expression_are_its_members() {
    use lineclear_expr::{MapScope, Value};
    let workflow = accept(
        "on: push\njobs: { a: { runs-on: x, container: { image: i, credentials: '${{ fromJSON(secrets.LOGIN) }}' }, steps: [run: x] } }\n",
    );
    let container = only_job(&workflow).container.clone().expect("there is a container");
    let credentials = container.credentials.expect("there are credentials");
    let mut secrets = lineclear_expr::Object::new();
    secrets.insert("LOGIN", r#"{"username": "me", "password": "it"}"#);
    let mut scope = MapScope::default();
    scope.contexts.insert("secrets".to_owned(), Value::from(secrets));
    let text = |part: &Text| part.template.evaluate_text(&scope).expect("it evaluates");
    assert_eq!((text(&credentials.username), text(&credentials.password)), ("me".to_owned(), "it".to_owned()));
}
