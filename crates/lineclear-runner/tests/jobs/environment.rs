//! What processes of steps find in their environment.

use expect_test::expect;
use lineclear_runner::ServiceEnv;
use serde_json::json;

use crate::bench::{Bench, check_job};

#[test]
fn later_layers_win_and_the_contexts_win_over_all() {
    Bench::new(
        "env: { B: job, C: job, SEEN: '${{ github.ref }}' }
steps:
- run: |
    echo $A $B $C $D
    echo C=file >> $GITHUB_ENV
    echo D=file >> $GITHUB_ENV
    echo GITHUB_REF=mine >> $GITHUB_ENV
  env: { C: step }
- run: echo $A $B $C $D ${{ env.C }} ${{ env.D }} $GITHUB_REF
  env: { D: step, GITHUB_REF: mine, RUNNER_OS: mine, GITHUB_NEW: kept }
",
    )
    .root("env: { A: workflow, B: workflow, C: workflow }")
    .with(|bench| {
        bench.settings.env.insert("A".into(), "option".into());
        bench.settings.env.insert("D".into(), "option".into());
    })
    .check(expect![[r#"
        > __run: Run echo $A $B $C $D
          workflow job step option
        < __run success
        > __run_2: Run echo $A $B $C $D file step $GITHUB_REF
          workflow job file step file step refs/heads/main
        < __run_2 success
        = success
    "#]]);
}

#[test]
fn trap_5_what_the_contexts_say_cannot_be_overridden() {
    check_job(
        "steps:\n- run: echo $GITHUB_REF $RUNNER_OS\n  env: { GITHUB_REF: x, RUNNER_OS: x }\n",
        expect![[r#"
        > __run: Run echo $GITHUB_REF $RUNNER_OS
          refs/heads/main Linux
        < __run success
        = success
    "#]],
    );
}

#[test]
fn trap_6_and_s1_7_ci_is_true_unless_it_is_set() {
    check_job(
        "steps:
- run: echo \"$CI $GITHUB_ACTIONS\"
- run: echo \"$CI\"
  env: { CI: false }
- run: echo \"[$CI]\"
  env: { CI: '' }
",
        expect![[r#"
            > __run: Run echo "$CI $GITHUB_ACTIONS"
              true true
            < __run success
            > __run_2: Run echo "$CI"
              false
            < __run_2 success
            > __run_3: Run echo "[$CI]"
              []
            < __run_3 success
            = success
        "#]],
    );
}

#[test]
fn trap_7_only_actions_are_told_of_services() {
    Bench::new("steps:\n- run: echo \"[$ACTIONS_RUNTIME_TOKEN]\"\n- uses: ./js\n")
        .file("js/action.yml", "name: js\nruns: { using: node20, main: main.js }\n")
        .file("js/main.js", "console.log(`[${process.env.ACTIONS_RUNTIME_TOKEN}]`)")
        .with(|bench| {
            bench.settings.service_env = ServiceEnv {
                javascript_actions: vec![("ACTIONS_RUNTIME_TOKEN".into(), "abc".into())],
                ..ServiceEnv::default()
            }
        })
        .check(expect![[r#"
            > __run: Run echo "[$ACTIONS_RUNTIME_TOKEN]"
              []
            < __run success
            > __self: Run ./js
              [abc]
            < __self success
            = success
        "#]]);
}

#[test]
fn traps_8_and_9_folders_are_those_of_the_job() {
    check_job(
        "steps:
- run: |
    echo $GITHUB_WORKSPACE ${{ github.workspace }} $RUNNER_WORKSPACE
    echo $RUNNER_TEMP ${{ runner.temp }}; ls $RUNNER_TEMP
    echo $RUNNER_TOOL_CACHE
    cat $GITHUB_EVENT_PATH; echo; pwd
",
        expect![[r#"
            > __run: Run echo $GITHUB_WORKSPACE $REPO $RUNNER_WORKSPACE
              $REPO $REPO $PATH
              $TEMP $TEMP
              _github_workflow
              _runner_file_commands
              $TOOLS
              {"number":7}
              $REPO
            < __run success
            = success
        "#]],
    );
}

#[test]
fn trap_10_debugging_is_told_only_when_it_is_on() {
    let job = "steps:\n- run: |\n    echo \"[$RUNNER_DEBUG]\"\n    echo ::debug::details\n";
    check_job(
        job,
        expect![[r#"
        > __run: Run echo "[$RUNNER_DEBUG]"
          []
        < __run success
        = success
    "#]],
    );
    Bench::new(job).with(|bench| bench.vars = json!({ "ACTIONS_STEP_DEBUG": "true" })).check(expect![[r#"
        > __run: Run echo "[$RUNNER_DEBUG]"
          [1]
          ##[debug]details
        < __run success
        = success
    "#]]);
}

#[test]
fn trap_11_names_that_differ_by_case_are_two() {
    check_job(
        "env: { Foo: '1' }\nsteps:\n- run: echo $Foo $foo ${{ env.Foo }} ${{ env.foo }} [${{ env.FOO }}]\n  env: { foo: '2' }\n",
        expect![[r#"
            > __run: Run echo $Foo $foo 1 2 []
              1 2 1 2 []
            < __run success
            = success
        "#]],
    );
}

#[test]
fn trap_15_a_condition_sees_the_steps_own_env() {
    check_job(
        "steps:
- if: env.RUN == 'yes'
  run: echo runs ${{ env.COPY }}
  env: { RUN: 'yes', COPY: '${{ env.RUN }}' }
",
        expect![[r#"
            > __run: Run echo runs
              runs
            < __run success
            = success
        "#]],
    );
}

#[test]
fn trap_30_folders_added_to_the_path_come_first_and_move_when_added_again() {
    Bench::new(
        "steps:
- run: |
    chmod +x */tool
    echo $PWD/one >> $GITHUB_PATH
    echo $PWD/two >> $GITHUB_PATH
    tool 2> /dev/null || echo not yet
- run: tool; echo $PWD/one >> $GITHUB_PATH
- run: tool
",
    )
    .file("one/tool", "#!/bin/sh\necho one\n")
    .file("two/tool", "#!/bin/sh\necho two\n")
    .check(expect![[r#"
        > __run: Run chmod +x */tool
          not yet
        < __run success
        > __run_2: Run tool; echo $PWD/one >> $GITHUB_PATH
          two
        < __run_2 success
        > __run_3: Run tool
          one
        < __run_3 success
        = success
    "#]]);
}

#[test]
fn what_is_not_meant_for_the_environment_is_not_in_it() {
    check_job(
        "steps:
- run: |
    env | grep -E '^GITHUB_(TOKEN|EVENT=|REPOSITORYURL|ACTION_PATH|ACTION_STATUS)' || echo none
    env | grep -c '^RUNNER_TRACKING_ID=github_'
    env | grep -E '^GITHUB_(ACTION|ACTION_REF|JOB|REF_PROTECTED|WORKFLOW_REF|ACTION_REPOSITORY)=' | sort
",
        expect![[r#"
            > __run: Run env | grep -E '^GITHUB_(TOKEN|EVENT=|REPOSITORYURL|ACTION_PATH|ACTION_STATUS)' || echo none
              none
              1
              GITHUB_ACTION=__run
              GITHUB_ACTION_REF=
              GITHUB_ACTION_REPOSITORY=
              GITHUB_JOB=job
              GITHUB_REF_PROTECTED=false
              GITHUB_WORKFLOW_REF=octo/Repo/.github/workflows/ci.yml@refs/heads/main
            < __run success
            = success
        "#]],
    );
}

#[test]
fn s0_40_the_default_shell_lower_cases() {
    check_job(
        "steps:\n- run: echo ${GITHUB_REPOSITORY,,}\n",
        expect![[r#"
        > __run: Run echo ${GITHUB_REPOSITORY,,}
          octo/repo
        < __run success
        = success
    "#]],
    );
}

#[test]
fn s4_64_a_variable_taken_from_the_sources_reaches_later_steps() {
    Bench::new(
        "steps:
- run: echo BACKEND_VERSION=$(sed -n 's/^version = \"\\(.*\\)\"/\\1/p' pyproject.toml) >> $GITHUB_ENV
- run: echo $BACKEND_VERSION ${{ env.BACKEND_VERSION }}
",
    )
    .file("pyproject.toml", "[project]\nversion = \"1.4.2\"\n")
    .check(expect![[r#"
        > __run: Run echo BACKEND_VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) >> $GITHUB_ENV
        < __run success
        > __run_2: Run echo $BACKEND_VERSION 1.4.2
          1.4.2 1.4.2
        < __run_2 success
        = success
    "#]]);
}

#[test]
fn env_may_be_one_expression() {
    Bench::new("steps:\n- run: echo $A $B\n  env: ${{ fromJSON(inputs.all) }}\n")
        .with(|bench| bench.inputs = json!({ "all": "{\"A\": 1, \"B\": true}" }))
        .check(expect![[r#"
            > __run: Run echo $A $B
              1 true
            < __run success
            = success
        "#]]);
}

#[test]
fn s1_87_actions_of_every_kind_see_ci() {
    Bench::new("steps:\n- uses: ./js\n- uses: ./composite\n")
        .file("js/action.yml", "name: js\nruns: { using: node20, main: main.js }\n")
        .file("js/main.js", "console.log(process.env.CI, process.env.CI ? 2 : undefined)")
        .file(
            "composite/action.yml",
            "name: c\nruns:\n  using: composite\n  steps: [{ run: printenv CI, shell: bash }]\n",
        )
        .check(expect![[r#"
            > __self: Run ./js
              true 2
            < __self success
            > __self_2: Run ./composite
              true
            < __self_2 success
            = success
        "#]]);
}

#[test]
fn a_variable_that_no_process_can_have_is_left_out_and_told() {
    check_job(
        "steps:\n- run: |\n    echo '=x' >> $GITHUB_ENV\n    printf 'A=a\\0b\\n' >> $GITHUB_ENV\n- run: echo [$A]\n",
        expect![[r#"
            > __run: Run echo '=x' >> $GITHUB_ENV
              ! Warning: GITHUB_ENV: a variable without a name cannot be handed to a process, so it is left out
              ! Warning: GITHUB_ENV: A cannot be handed to a process, so it is left out
            < __run success
            > __run_2: Run echo [$A]
              []
            < __run_2 success
            = success
        "#]],
    );
}
