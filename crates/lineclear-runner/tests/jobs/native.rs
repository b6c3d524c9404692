//! Actions that are part of the runner.

use expect_test::expect;
use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use crate::bench::Bench;

#[derive(Debug)]
struct Greet;

impl NativeAction for Greet {
    fn name(&self) -> &'static str {
        "octo/greet"
    }

    fn metadata(&self) -> &'static str {
        "name: greet\ninputs:\n  who: { default: '${{ github.ref_name }}' }\n  fail: { default: 'false' }\noutputs: { said: {} }\n"
    }

    fn stands_for(&self, reference: &str) -> bool {
        reference != "v0"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let who = call.input("who").to_owned();
        call.effects.log(&format!("hello {who}, ref {}", call.env["GITHUB_REF"]));
        call.effects.output("said", &who);
        call.effects.export("GREETED", &who);
        call.effects.add_mask("covert");
        call.effects.annotate(AnnotationLevel::Notice, "a covert remark");
        call.effects.summary("# covert");
        call.state.insert("who".into(), who);
        let code = call.effects.run(
            "sh",
            &["-c", "echo run $GREETED $X; echo ::warning::from run; exit 3"],
            RunOptions { env: &[("X", "x")], ..RunOptions::default() },
        )?;
        let captured = call.effects.capture("echo", &["a b"], RunOptions { quiet: true, ..RunOptions::default() })?;
        call.effects.log(&format!("code {code}, captured {captured:?}"));
        if call.flag("fail")? {
            call.effects.capture("sh", &["-c", "echo why >&2; exit 4"], RunOptions::default())?;
        }
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let who = call.state["who"].clone();
        call.effects.log(&format!("bye {who}"));
        Ok(())
    }
}

#[test]
fn a_native_action_speaks_changes_and_cleans_up() {
    Bench::new("steps:\n- id: g\n  uses: Octo/Greet@v3\n  with: { what: 1 }\n- run: echo ${{ steps.g.outputs.said }} $GREETED\n- uses: octo/greet@v3\n  with: { who: x, fail: 'true' }\n")
        .native(Greet)
        .headers()
        .check(expect![[r#"
            > __set_up_job: Set up job
              Use the built-in action for 'Octo/Greet@v3'
              Use the built-in action for 'octo/greet@v3'
            < __set_up_job success
            > g: Run Octo/Greet@v3
              ! Warning: Unexpected input(s) 'what', valid inputs are ['who', 'fail']
              ##[group]Run Octo/Greet@v3
              with:
                who: main
                fail: false
                what: 1
              ##[endgroup]
              hello main, ref refs/heads/main
              ! Notice: a *** remark
              summary: # ***
              [command]sh -c "echo run $GREETED $X; echo ::warning::from run; exit 3"
              run main x
              ! Warning: from run
              code 3, captured "a b\n"
            < g success
            > __run: Run echo main $GREETED
              ##[group]Run echo main $GREETED
              ^[36;1mecho main $GREETED^[0m
              shell: /usr/bin/bash -e {0}
              env:
                GREETED: main
              ##[endgroup]
              main main
            < __run success
            > __octo_greet: Run octo/greet@v3
              ##[group]Run octo/greet@v3
              with:
                who: x
                fail: true
              env:
                GREETED: main
              ##[endgroup]
              hello x, ref refs/heads/main
              ! Notice: a *** remark
              summary: # ***
              [command]sh -c "echo run $GREETED $X; echo ::warning::from run; exit 3"
              run x x
              ! Warning: from run
              code 3, captured "a b\n"
              [command]sh -c "echo why >&2; exit 4"
              ! Error: `sh -c "echo why >&2; exit 4"` ended with exit code 4: why
            < __octo_greet failure (`sh -c "echo why >&2; exit 4"` ended with exit code 4: why)
            > __post_octo_greet: Post Run octo/greet@v3
              Post job cleanup.
              bye x
            < __post_octo_greet success
            > __post_g: Post Run Octo/Greet@v3
              Post job cleanup.
              bye main
            < __post_g success
            = failure: step `Run octo/greet@v3` failed: `sh -c "echo why >&2; exit 4"` ended with exit code 4: why
        "#]]);
}

#[test]
fn the_real_action_is_used_where_the_native_one_does_not_stand_for_it() {
    let real = |bench: Bench, version: &str| {
        bench
            .native(Greet)
            .action(&format!("octo/greet@{version}"), "action.yml", "name: g\nruns: { using: node20, main: m.js }\n")
            .action(&format!("octo/greet@{version}"), "m.js", "console.log('the real one')")
            .run()
            .log
    };
    assert!(real(Bench::new("steps:\n- uses: octo/greet@v0\n"), "v0").contains("the real one\n"));
    let off = Bench::new("steps:\n- uses: octo/greet@v3\n").with(|bench| bench.settings.native_actions = false);
    assert!(real(off, "v3").contains("the real one\n"));
}
