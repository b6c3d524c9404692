//! Called workflows.

use expect_test::expect;
use lineclear_event::SecretPassage;
use serde_json::json;

use crate::history::{History, check};

const CALLER: &str = "
on: push
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  release:
    name: Release it
    needs: build
    uses: ./.github/workflows/release.yml
    with: { tag: '${{ needs.build.outputs.tag }}', dry: true }
    secrets: { token: '${{ secrets.RELEASE }}' }
  after: { needs: release, if: needs.release.outputs.url == 'https://v1', runs-on: x, steps: [{ run: a }] }
";

const CALLED: &str = "
on:
  workflow_call:
    inputs:
      tag: { type: string, required: true }
      dry: { type: boolean }
      count: { type: number }
      region: { type: string, default: '${{ vars.REGION }}' }
    secrets: { token: { required: true } }
    outputs:
      url: { value: '${{ jobs.push.outputs.url }}' }
jobs:
  pack: { runs-on: x, steps: [{ run: a }] }
  push: { needs: pack, if: inputs.dry, runs-on: x, steps: [{ run: a }] }
";

const FILES: [(&str, &str); 2] = [("ci.yml", CALLER), (".github/workflows/release.yml", CALLED)];

#[test]
fn trap_63_a_called_workflow_stands_for_the_job_that_calls_it() {
    check(
        &FILES,
        "build ok tag=v1\nrelease/pack ok\nrelease/push ok url=https://v1\nafter ok",
        expect![[r#"
            release waits: needs build
            after waits: needs release
            dispatch build
            > build ok tag=v1
            build success tag=v1
            release/push waits: needs pack
            dispatch release/pack
            > release/pack ok
            release/pack success
            dispatch release/push
            > release/push ok url=https://v1
            release/push success url=https://v1
            release success url=https://v1
            dispatch after
            > after ok
            after success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn trap_63_inputs_are_typed_and_secrets_pass_by_name() {
    let mut history = History::new(&FILES);
    for line in ["run 1 0", "build ok tag=v1", "release/pack ok"] {
        history.play(line);
    }
    let spec = history.spec("release/push");
    assert_eq!(*spec.contexts.inputs, json!({ "tag": "v1", "dry": true, "count": 0, "region": "eu" }));
    assert_eq!(spec.name, "Release it / push");
    assert_eq!(spec.id, "push");
    assert_eq!(spec.contexts.github["workflow_ref"], "acme/shop/ci.yml@refs/heads/main");
    assert_eq!(*spec.contexts.needs, json!({ "pack": { "result": "success", "outputs": {} } }));
    expect![[r#"
        Local {
            path: ".github/workflows/release.yml",
        }
    "#]]
    .assert_debug_eq(&spec.file);
    assert!(spec.text.starts_with("\non:\n  workflow_call"), "the text is that of the called file");
    let [SecretPassage::Map { secrets, contexts }] = spec.secret_passages.as_slice() else {
        panic!("{:?}", spec.secret_passages)
    };
    assert_eq!(secrets, &[("token".to_owned(), "${{ secrets.RELEASE }}".to_owned())]);
    assert_eq!(contexts.needs["build"]["outputs"]["tag"], "v1");
}

#[test]
fn a_failure_inside_is_one_outside() {
    check(
        &FILES,
        "build ok tag=v1\nrelease/pack fails",
        expect![[r#"
        release waits: needs build
        after waits: needs release
        dispatch build
        > build ok tag=v1
        build success tag=v1
        release/push waits: needs pack
        dispatch release/pack
        > release/pack fails
        release/pack failure: a step failed
        release/push skipped: needs pack, which failed
        release failure: its job pack failed
        after skipped: needs release, which failed
        run 1 ended: failure
    "#]],
    );
}

#[test]
fn a_skipped_caller_enters_nothing() {
    check(
        &FILES,
        "build fails",
        expect![[r#"
        release waits: needs build
        after waits: needs release
        dispatch build
        > build fails
        build failure: a step failed
        release skipped: needs build, which failed
        after skipped: needs release, which was skipped
        run 1 ended: failure
    "#]],
    );
}

#[test]
fn a_value_of_another_type_is_refused() {
    check(
        &[("ci.yml", &CALLER.replace("dry: true", "dry: '${{ vars.REGION }}'")), FILES[1]],
        "build ok tag=v1",
        expect![[r#"
            release waits: needs build
            after waits: needs release
            dispatch build
            > build ok tag=v1
            build success tag=v1
            release failure: with: `.github/workflows/release.yml` does not accept what it is given: input `dry` is a boolean: `true` or `false`, not `eu`
            after skipped: needs release, which failed
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn a_matrix_of_callers_enters_the_workflow_once_for_each_leg() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  all:
    strategy: { matrix: { v: [a, b] } }
    uses: ./.github/workflows/called.yml
    with: { v: '${{ matrix.v }}' }
  after: { needs: all, if: needs.all.outputs.v == 'a', runs-on: x, steps: [{ run: a }] }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on:
  workflow_call:
    inputs: { v: { type: string } }
    outputs: { v: { value: '${{ jobs.one.outputs.v }}' } }
jobs:
  one: { name: 'One ${{ inputs.v }}', runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "all_(b)/one ok v=b\nall_(a)/one ok v=a\nafter ok",
        expect![[r#"
            after waits: needs all
            dispatch all (a)/one
            dispatch all (b)/one
            > all_(b)/one ok v=b
            all (b)/one success v=b
            all (b) success v=b
            > all_(a)/one ok v=a
            all (a)/one success v=a
            all (a) success v=a
            dispatch after
            > after ok
            after success
            run 1 ended: success
        "#]],
    );
}

#[test]
fn fail_fast_stops_the_workflows_that_sibling_legs_call() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  all: { strategy: { matrix: { v: [a, b] } }, uses: ./.github/workflows/called.yml }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on: workflow_call
jobs:
  one: { runs-on: x, steps: [{ run: a }] }
  two: { needs: one, if: always(), runs-on: x, steps: [{ run: a }] }
  three: { runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "all_(a)/one fails\nall_(a)/two ok\nall_(b)/one starts\nall_(a)/three ok\nall_(b)/one ends cancelled\nall_(b)/three ends cancelled",
        expect![[r#"
            all (a)/two waits: needs one
            all (b)/two waits: needs one
            dispatch all (a)/one
            dispatch all (a)/three
            dispatch all (b)/one
            dispatch all (b)/three
            > all_(a)/one fails
            all (a)/one failure: a step failed
            dispatch all (a)/two
            > all_(a)/two ok
            all (a)/two success
            > all_(b)/one starts
            > all_(a)/three ok
            all (a)/three success
            all (a) failure: its job one failed
            all (b)/two cancelled: all (a) failed, and fail-fast cancels the other legs of its matrix
            stop all (b)/one
            stop all (b)/three
            > all_(b)/one ends cancelled
            all (b)/one cancelled: all (a) failed, and fail-fast cancels the other legs of its matrix
            > all_(b)/three ends cancelled
            all (b)/three cancelled: all (a) failed, and fail-fast cancels the other legs of its matrix
            all (b) cancelled: all (a) failed, and fail-fast cancels the other legs of its matrix
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn calls_nest_and_pass_inputs_secrets_and_outputs() {
    let files = [
        (
            "ci.yml",
            "
on: push
jobs:
  a: { uses: ./.github/workflows/b.yml, secrets: inherit, with: { v: 1 } }
  z: { needs: a, if: needs.a.outputs.v == 'deep', runs-on: x, steps: [{ run: a }] }
",
        ),
        (
            ".github/workflows/b.yml",
            "
on: { workflow_call: { inputs: { v: { type: number } }, outputs: { v: { value: '${{ jobs.b.outputs.v }}' } } } }
jobs:
  b: { uses: 'acme/shared/.github/workflows/c.yml@v1', with: { v: '${{ inputs.v }}' } }
",
        ),
        (
            "acme/shared/.github/workflows/c.yml@v1",
            "
on: { workflow_call: { inputs: { v: { type: number } }, outputs: { v: { value: '${{ jobs.c.outputs.v }}' } } } }
jobs:
  c: { uses: ./.github/workflows/d.yml, with: { v: '${{ inputs.v }}' } }
",
        ),
        (
            "acme/shared/.github/workflows/d.yml@v1",
            "
on: { workflow_call: { inputs: { v: { type: number } }, outputs: { v: { value: '${{ jobs.d.outputs.v }}' } } } }
jobs:
  d: { runs-on: x, steps: [{ run: a }] }
",
        ),
    ];
    check(
        &files,
        "a/b/c/d ok v=deep\nz ok",
        expect![[r#"
        z waits: needs a
        dispatch a/b/c/d
        > a/b/c/d ok v=deep
        a/b/c/d success v=deep
        a/b/c success v=deep
        a/b success v=deep
        a success v=deep
        dispatch z
        > z ok
        z success
        run 1 ended: success
    "#]],
    );
    let mut history = History::new(&files);
    history.play("run 1 0");
    let spec = history.spec("a/b/c/d");
    assert_eq!(spec.name, "a / b / c / d");
    assert_eq!(*spec.contexts.inputs, json!({ "v": 1 }));
    expect![[r#"
        (
            Remote {
                owner: "acme",
                repo: "shared",
                path: ".github/workflows/d.yml",
                reference: "v1",
            },
            [
                Inherit,
                Nothing,
                Nothing,
            ],
        )
    "#]]
    .assert_debug_eq(&(&spec.file, &spec.secret_passages));
}

#[test]
fn trap_64_a_called_workflow_that_asks_for_more_than_it_is_given_fails_the_whole_run() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
permissions: { contents: read }
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
  b: { uses: ./.github/workflows/called.yml }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on: workflow_call
jobs:
  c: { permissions: { contents: write }, runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "a starts",
        expect![[r#"
            Error: error[call]: job `b/c` of `.github/workflows/called.yml`: the called job `c` asks for `contents: write`, but the calling job allows only `contents: read`
             --> .github/workflows/called.yml:4:3
              |
            4 |   c: { permissions: { contents: write }, runs-on: x, steps: [{ run: a }] }
              |   ^
            run 1 ended: startup_failure
            > a starts
            refused: run 1 is over
        "#]],
    );
}

#[test]
fn trap_64_permissions_shrink_on_the_way_down() {
    let mut history = History::new(&[
        (
            "ci.yml",
            "
on: push
permissions: { contents: write, packages: write, issues: read }
jobs:
  b: { uses: ./.github/workflows/called.yml, permissions: { contents: read, packages: write } }
",
        ),
        (
            ".github/workflows/called.yml",
            "
on: workflow_call
jobs:
  same: { runs-on: x, steps: [{ run: a }] }
  less: { permissions: { contents: read }, runs-on: x, steps: [{ run: a }] }
",
        ),
    ]);
    history.play("run 1 0");
    expect![[r#"
        (
            {
                "contents": "read",
                "metadata": "read",
                "packages": "write",
            },
            {
                "contents": "read",
                "metadata": "read",
            },
        )
    "#]]
    .assert_debug_eq(&(&history.spec("b/same").permissions, &history.spec("b/less").permissions));
}

#[test]
fn trap_100_unknown_and_missing_inputs_and_secrets_stop_the_run_at_its_start() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  a: { uses: ./.github/workflows/called.yml, with: { tga: x }, secrets: { tokn: '${{ secrets.T }}' } }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on:
  workflow_call:
    inputs: { tag: { type: string, required: true } }
    secrets: { token: { required: true } }
jobs:
  c: { runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "",
        expect![[r#"
            Error: error[call]: job `a` calls `.github/workflows/called.yml`: unknown input `tga`; the workflow declares `tag`
             --> ci.yml:4:14
              |
            4 |   a: { uses: ./.github/workflows/called.yml, with: { tga: x }, secrets: { tokn: '${{ secrets.T }}' } }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            Error: error[call]: job `a` calls `.github/workflows/called.yml`: required input `tag` is missing
             --> ci.yml:4:14
              |
            4 |   a: { uses: ./.github/workflows/called.yml, with: { tga: x }, secrets: { tokn: '${{ secrets.T }}' } }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            Error: error[call]: job `a` calls `.github/workflows/called.yml`: unknown secret `tokn`; the called workflow declares `token`
             --> ci.yml:4:14
              |
            4 |   a: { uses: ./.github/workflows/called.yml, with: { tga: x }, secrets: { tokn: '${{ secrets.T }}' } }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            Error: error[call]: job `a` calls `.github/workflows/called.yml`: required secret `token` is not passed; name it under `secrets`, or use `secrets: inherit`
             --> ci.yml:4:14
              |
            4 |   a: { uses: ./.github/workflows/called.yml, with: { tga: x }, secrets: { tokn: '${{ secrets.T }}' } }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            run 1 ended: startup_failure
        "#]],
    );
}

#[test]
fn a_workflow_of_another_repository_that_is_not_here_fails_only_its_caller() {
    check(
        &[(
            "ci.yml",
            "
on: push
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
  b: { uses: acme/shared/.github/workflows/c.yml@v1 }
",
        )],
        "a ok",
        expect![[r#"
            b failure: uses: `acme/shared/.github/workflows/c.yml@v1`: the run was given no text of `acme/shared/.github/workflows/c.yml@v1`
            dispatch a
            > a ok
            a success
            run 1 ended: failure
        "#]],
    );
}

#[test]
fn calls_in_a_circle_and_missing_files_stop_the_run_at_its_start() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  a: { uses: ./.github/workflows/called.yml }
  b: { uses: ./.github/workflows/missing.yml }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on: workflow_call
jobs:
  c: { uses: ./.github/workflows/called.yml }
",
            ),
        ],
        "",
        expect![[r#"
            Error: error[call]: job `a/c` calls `.github/workflows/called.yml`: the calls go in a circle: .github/workflows/called.yml → .github/workflows/called.yml
             --> .github/workflows/called.yml:4:14
              |
            4 |   c: { uses: ./.github/workflows/called.yml }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            Error: error[call]: job `b` calls `.github/workflows/missing.yml`: the run was given no text of `.github/workflows/missing.yml`
             --> ci.yml:5:14
              |
            5 |   b: { uses: ./.github/workflows/missing.yml }
              |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            run 1 ended: startup_failure
        "#]],
    );
}

#[test]
fn a_called_workflow_has_a_group_of_its_own() {
    let called = (
        ".github/workflows/called.yml",
        "
on: workflow_call
concurrency: deploy
jobs:
  one: { runs-on: x, steps: [{ run: a }] }
",
    );
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  a: { uses: ./.github/workflows/called.yml }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
",
            ),
            called,
        ],
        "run 2 0\na/one starts\nrun 3 0\na/one ends success\n3:a/one ok\nb ok\n3:b ok",
        expect![[r#"
            b waits: needs a
            dispatch a/one
            > run 2 0
            2:b waits: needs a
            2:a waits: concurrency group `deploy`, held by job `a` of run 1
            > a/one starts
            > run 3 0
            3:b waits: needs a
            3:a waits: concurrency group `deploy`, held by job `a` of run 1
            2:a cancelled: job `a` of run 3 took its place in the queue of concurrency group `deploy`
            2:b skipped: needs a, which was cancelled
            run 2 ended: cancelled
            > a/one ends success
            a/one success
            a success
            dispatch b
            dispatch 3:a/one
            > 3:a/one ok
            3:a/one success
            3:a success
            dispatch 3:b
            > b ok
            b success
            run 1 ended: success
            > 3:b ok
            3:b success
            run 3 ended: success
        "#]],
    );
    // A caller that holds the same group would wait for itself.
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  a: { concurrency: deploy, uses: ./.github/workflows/called.yml }
",
            ),
            called,
        ],
        "",
        expect![[r#"
            a cancelled: it would wait for ever: concurrency group `deploy` is held by job `a`, which waits for it to end
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn cancelling_a_run_asks_the_called_jobs_one_by_one() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  a: { uses: ./.github/workflows/called.yml }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on: workflow_call
jobs:
  one: { runs-on: x, steps: [{ run: a }] }
  two: { needs: one, if: always(), runs-on: x, steps: [{ run: a }] }
  three: { needs: one, runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "a/one starts\ncancel\na/one ends cancelled\na/two ok",
        expect![[r#"
            a/two waits: needs one
            a/three waits: needs one
            dispatch a/one
            > a/one starts
            > cancel
            stop a/one
            > a/one ends cancelled
            a/one cancelled: the run was cancelled: interrupted
            a/three cancelled: the run was cancelled: interrupted
            dispatch a/two
            > a/two ok
            a/two success
            a cancelled: the run was cancelled: interrupted
            run 1 ended: cancelled
        "#]],
    );
}

#[test]
fn a_caller_that_waits_for_a_group_is_cancelled_or_goes_on_as_its_condition_says() {
    check(
        &[
            (
                "ci.yml",
                "
on: push
jobs:
  b: { concurrency: deploy, runs-on: x, steps: [{ run: a }] }
  a: { uses: ./.github/workflows/called.yml }
  c: { if: always(), uses: ./.github/workflows/called.yml }
",
            ),
            (
                ".github/workflows/called.yml",
                "
on: workflow_call
concurrency: deploy
jobs:
  one: { if: always(), runs-on: x, steps: [{ run: a }] }
",
            ),
        ],
        "cancel\nb ends cancelled\nc/one ok",
        expect![[r#"
            a waits: concurrency group `deploy`, held by job `b`
            c waits: concurrency group `deploy`, held by job `b`
            dispatch b
            a cancelled: job `c` took its place in the queue of concurrency group `deploy`
            > cancel
            stop b
            > b ends cancelled
            b cancelled: the run was cancelled: interrupted
            dispatch c/one
            > c/one ok
            c/one success
            c success
            run 1 ended: cancelled
        "#]],
    );
}
