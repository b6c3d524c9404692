//! What steps say to their runner, on their streams and in files.

use expect_test::expect;

use crate::bench::{Bench, check_job};

#[test]
fn trap_16_set_env_fails_and_set_output_works_with_a_warning() {
    check_job(
        "steps:
- id: old
  run: echo '::set-output name=a::1'
- run: echo ${{ steps.old.outputs.a }}
- run: echo '::set-env name=A::1'
  continue-on-error: true
- run: echo '::set-env name=A::2'; echo '::add-path::/opt/x'
  env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: true }
- run: echo $A ${PATH%%:*}
",
        expect![[r#"
            > old: Run echo '::set-output name=a::1'
              ! Warning: The `set-output` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: write to the file that $GITHUB_OUTPUT names.
            < old success
            > __run: Run echo 1
              1
            < __run success
            > __run_2: Run echo '::set-env name=A::1'
              ! Error: Unable to process command '::set-env name=A::1' successfully.
              ! Error: The `set-env` command is disabled. Please upgrade to using Environment Files (write to the file that $GITHUB_ENV names) or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.
            < __run_2 failure/success (The `set-env` command is disabled. Please upgrade to using Environment Files (write to the file that $GITHUB_ENV names) or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.)
            > __run_3: Run echo '::set-env name=A::2'; echo '::add-path::/opt/x'
            < __run_3 success
            > __run_4: Run echo $A ${PATH%%:*}
              2 /opt/x
            < __run_4 success
            = success
        "#]],
    );
}

#[test]
fn trap_17_node_options_is_refused_and_the_step_stays_green() {
    check_job(
        "steps:
- run: |
    echo Node_Options=--inspect >> $GITHUB_ENV
    echo KEPT=1 >> $GITHUB_ENV
- run: echo [$NODE_OPTIONS] $KEPT
",
        expect![[r#"
            > __run: Run echo Node_Options=--inspect >> $GITHUB_ENV
              ! Error: Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.
            < __run success
            > __run_2: Run echo [$NODE_OPTIONS] $KEPT
              [] 1
            < __run_2 success
            = success
        "#]],
    );
}

#[test]
fn trap_18_every_step_has_its_own_empty_files() {
    let happened = Bench::new(
        "steps:
- run: echo $GITHUB_ENV; wc -c < $GITHUB_OUTPUT; echo a=1 >> $GITHUB_OUTPUT
- run: echo $GITHUB_ENV; wc -c < $GITHUB_OUTPUT
- uses: ./inner
",
    )
    .file(
        "inner/action.yml",
        "name: inner\nruns:\n  using: composite\n  steps:\n  - { run: echo $GITHUB_ENV, shell: bash }\n  - { run: echo $GITHUB_ENV, shell: bash }\n",
    )
    .run();
    let mut files: Vec<&str> = happened.log.lines().filter(|line| line.starts_with('/')).collect();
    assert_eq!(files.len(), 4, "{}", happened.log);
    files.dedup();
    assert_eq!(files.len(), 4, "{files:?}");
    assert_eq!(happened.log.lines().filter(|line| *line == "0").count(), 2);
}

#[test]
fn traps_19_and_20_heredocs_and_what_is_wrong_in_a_file() {
    check_job(
        "steps:
- id: a
  run: |
    echo 'JSON<<E=F' >> $GITHUB_OUTPUT
    echo '{\"a\": \"b=c\"}' >> $GITHUB_OUTPUT
    echo 'E=F' >> $GITHUB_OUTPUT
    echo 'plain=x<<y' >> $GITHUB_OUTPUT
    echo 'wrong' >> $GITHUB_OUTPUT
    echo 'lost=1' >> $GITHUB_OUTPUT
- if: always()
  run: echo '${{ toJSON(steps.a.outputs) }}'
",
        expect![[r#"
            > a: Run echo 'JSON<<E=F' >> $GITHUB_OUTPUT
              ! Error: Unable to process file command 'output' successfully: GITHUB_OUTPUT, line 5: Invalid format 'wrong'
            < a failure (Unable to process file command 'output' successfully: GITHUB_OUTPUT, line 5: Invalid format 'wrong')
            > __run: Run echo '{
              {
                "JSON": "{\"a\": \"b=c\"}",
                "plain": "x<<y"
              }
            < __run success
            = failure: step `Run echo 'JSON<<E=F' >> $GITHUB_OUTPUT` failed: Unable to process file command 'output' successfully: GITHUB_OUTPUT, line 5: Invalid format 'wrong'
        "#]],
    );
}

#[test]
fn trap_22_files_count_also_after_a_failure() {
    check_job(
        "steps:
- id: a
  run: |
    echo x=1 >> $GITHUB_OUTPUT
    echo Y=2 >> $GITHUB_ENV
    exit 1
- if: always()
  run: echo ${{ steps.a.outputs.x }} $Y
",
        expect![[r#"
            > a: Run echo x=1 >> $GITHUB_OUTPUT
              ! Error: Process completed with exit code 1.
            < a failure (exit code 1)
            > __run: Run echo 1 $Y
              1 2
            < __run success
            = failure: step `Run echo x=1 >> $GITHUB_OUTPUT` failed with exit code 1
        "#]],
    );
}

#[test]
fn trap_24_secrets_and_masks_are_hidden_everywhere() {
    Bench::new(
        "steps:
- run: echo ${{ secrets.KEY }} >&2
- run: |
    echo ${{ secrets.KEY }}
    echo -n $KEY | base64
    echo ::add-mask::other
    echo an other line
    echo ::error::with $KEY
    echo \"about $KEY\" >> $GITHUB_STEP_SUMMARY
    exit 1
  env: { KEY: '${{ secrets.KEY }}' }
",
    )
    .secret("KEY", "correct-horse")
    .headers()
    .check(expect![[r#"
        > __run: Run echo *** >&2
          ##[group]Run echo *** >&2
          ^[36;1mecho *** >&2^[0m
          shell: /usr/bin/bash -e {0}
          ##[endgroup]
          ***
        < __run success
        > __run_2: Run echo ***
          ##[group]Run echo ***
          ^[36;1mecho ***^[0m
          ^[36;1mecho -n $KEY | base64^[0m
          ^[36;1mecho ::add-mask::other^[0m
          ^[36;1mecho an other line^[0m
          ^[36;1mecho ::error::with $KEY^[0m
          ^[36;1mecho "about $KEY" >> $GITHUB_STEP_SUMMARY^[0m
          ^[36;1mexit 1^[0m
          shell: /usr/bin/bash -e {0}
          env:
            KEY: ***
          ##[endgroup]
          ***
          ***
          an *** line
          ! Error: with ***
          summary: about ***

          ! Error: Process completed with exit code 1.
        < __run_2 failure (exit code 1)
        = failure: step `Run echo ***` failed with exit code 1
    "#]]);
}

#[test]
fn trap_26_commands_are_heard_on_both_streams() {
    check_job(
        "steps:\n- run: echo ::notice::out; echo ::notice::err >&2\n",
        expect![[r#"
        > __run: Run echo ::notice::out; echo ::notice::err >&2
          ! Notice: out
          ! Notice: err
        < __run success
        = success
    "#]],
    );
}

#[test]
fn trap_28_a_matcher_of_an_action_outlives_it() {
    let matcher = r#"{"problemMatcher": [{"owner": "lint", "pattern": [{"regexp": "^(.+):(\\d+): (.+)$", "file": 1, "line": 2, "message": 3}]}]}"#;
    Bench::new("steps:\n- run: echo ::add-matcher::lint.json\n- run: echo src/a.rs:7 bad\n- run: 'echo src/a.rs:7: bad'\n- run: 'echo no/b.rs:7: worse'\n- run: 'echo ::remove-matcher owner=lint::'\n- run: 'echo src/a.rs:8: bad'\n- run: echo ::add-matcher::missing.json\n")
        .file("lint.json", matcher)
        .file("src/a.rs", "")
        .check(expect![[r#"
            > __run: Run echo ::add-matcher::lint.json
            < __run success
            > __run_2: Run echo src/a.rs:7 bad
              src/a.rs:7 bad
            < __run_2 success
            > __run_3: Run echo src/a.rs:7: bad
              src/a.rs:7: bad
              ! Error (src/a.rs:7): bad
            < __run_3 success
            > __run_4: Run echo no/b.rs:7: worse
              no/b.rs:7: worse
              ! Error: worse
            < __run_4 success
            > __run_5: Run echo ::remove-matcher owner=lint::
            < __run_5 success
            > __run_6: Run echo src/a.rs:8: bad
              src/a.rs:8: bad
            < __run_6 success
            > __run_7: Run echo ::add-matcher::missing.json
              ! Error: cannot read the problem matcher `$REPO/missing.json`: No such file or directory (os error 2)
            < __run_7 failure (cannot read the problem matcher `$REPO/missing.json`: No such file or directory (os error 2))
            = failure: step `Run echo ::add-matcher::missing.json` failed: cannot read the problem matcher `$REPO/missing.json`: No such file or directory (os error 2)
        "#]]);
}

#[test]
fn trap_29_a_summary_that_is_too_large_is_an_error_of_a_green_step() {
    check_job(
        "steps:
- run: echo '# Done' >> $GITHUB_STEP_SUMMARY
- run: head -c 1048577 /dev/zero | tr '\\0' a > $GITHUB_STEP_SUMMARY
",
        expect![[r#"
            > __run: Run echo '# Done' >> $GITHUB_STEP_SUMMARY
              summary: # Done

            < __run success
            > __run_2: Run head -c 1048577 /dev/zero | tr '\0' a > $GITHUB_STEP_SUMMARY
              ! Error: $GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1025k. For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary
            < __run_2 success
            = success
        "#]],
    );
}

#[test]
fn state_is_for_the_same_action_only() {
    check_job(
        "steps:\n- run: echo a=1 >> $GITHUB_STATE\n- run: env | grep STATE_ || echo none\n",
        expect![[r#"
        > __run: Run echo a=1 >> $GITHUB_STATE
        < __run success
        > __run_2: Run env | grep STATE_ || echo none
          none
        < __run_2 success
        = success
    "#]],
    );
}

#[test]
fn no_event_and_no_line_carries_a_secret_whatever_goes_wrong() {
    // The bench itself looks for secrets in everything that every job tells.
    Bench::new(
        "outputs: { o: '${{ secrets.KEY }}' }
environment: { name: e, url: 'https://x.example/${{ steps.a.outputs.key }}' }
steps:
- name: With ${{ secrets.KEY }}
  id: a
  continue-on-error: true
  run: |
    echo ${{ secrets.KEY }} >> $GITHUB_ENV
    echo key=${{ secrets.KEY }} >> $GITHUB_OUTPUT
    echo '::error file=${{ secrets.KEY }},title=${{ secrets.KEY }}::${{ secrets.KEY }}'
    echo '::set-env name=${{ secrets.KEY }}::${{ secrets.KEY }}'
    printf '%s' '${{ secrets.KEY }}'
- run: 'true'
  continue-on-error: true
  working-directory: ${{ secrets.KEY }}
- run: 'true'
  continue-on-error: true
  timeout-minutes: ${{ secrets.KEY }}
- run: 'true'
  if: env.K == 'x'
  env: { K: '${{ secrets.KEY }}' }
- run: 'true'
  if: always()
  env: { K: \"${{ fromJSON(secrets.KEY) }}\" }
- uses: octo/missing@v1
  if: always()
  with: { k: '${{ secrets.KEY }}' }
",
    )
    .secret("KEY", "correct-horse-battery")
    .check(expect![[r#"
        > __set_up_job: Set up job
          ! Warning: the action `octo/missing@v1` is not on the bench; a step that uses it fails when it is reached
        < __set_up_job success
        > a: With ***
          ! Error (***): ***
          ! Error: Unable to process command '::set-env name=***::***' successfully.
          ! Error: The `set-env` command is disabled. Please upgrade to using Environment Files (write to the file that $GITHUB_ENV names) or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.
          ***
          ! Error: Unable to process file command 'env' successfully: GITHUB_ENV, line 1: Invalid format '***'
        < a failure/success (The `set-env` command is disabled. Please upgrade to using Environment Files (write to the file that $GITHUB_ENV names) or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.)
        > __run: Run true
          ! Error: the working directory `$REPO/***` does not exist: create it in an earlier step, or check it out first
        < __run failure/success (the working directory `$REPO/***` does not exist: create it in an earlier step, or check it out first)
        > __run_2: Run true
          ! Error: `timeout-minutes` (.github/workflows/ci.yml:23:24) must be a number, not `***`
        < __run_2 failure (`timeout-minutes` (.github/workflows/ci.yml:23:24) must be a number, not `***`)
        - __run_3: Run true: if: `env.K == 'x'` is false: success() = false (step `Run true` failed: `timeout-minutes` (.github/workflows/ci.yml:23:24) must be a number, not `***`)
        > __run_4: Run true
          ! Error: `env.K` (.github/workflows/ci.yml:29:17) cannot be evaluated: Error parsing fromJson: expected a value but found `c` at line 1, column 1
        < __run_4 failure (`env.K` (.github/workflows/ci.yml:29:17) cannot be evaluated: Error parsing fromJson: expected a value but found `c` at line 1, column 1)
        > __octo_missing: Run octo/missing@v1
          ! Error: the action `octo/missing@v1` is not on the bench
        < __octo_missing failure (the action `octo/missing@v1` is not on the bench)
        ! Notice: environment : https://x.example/***
        > __complete_job: Complete job
          Evaluate and set environment url
          Environment url is https://x.example/***
          ! Warning: Skip output 'o' since it may contain secret.
        < __complete_job success
        = failure: step `Run true` failed: `timeout-minutes` (.github/workflows/ci.yml:23:24) must be a number, not `***`
    "#]]);
    let two_lines = "first half of it\nsecond half of it";
    let happened = Bench::new(
        "steps:
- run: |
    echo \"$KEY\" | head -1
    echo \"$KEY\" | tail -1 | base64
    exit 1
  env: { KEY: '${{ secrets.KEY }}' }
",
    )
    .secret("KEY", two_lines)
    .headers()
    .run();
    assert!(!happened.transcript.contains("half of it"), "{}", happened.transcript);
}

#[test]
fn a_text_that_is_cut_shows_no_half_of_a_secret() {
    let secret = format!("begin-{}", "x".repeat(150));
    let happened = Bench::new("steps:\n- run: echo ${{ secrets.KEY }}\n- if: env.K == 'x'\n  run: echo never\n  env: { K: '${{ secrets.KEY }}' }\n- run: \"setsid python -c 'import time; time.sleep(30)' ${{ secrets.KEY }} > /dev/null 2>&1 & sleep 0.3\"\n")
        .secret("KEY", &secret)
        .run();
    assert!(!happened.transcript.contains("begin-"), "{}", happened.transcript);
    assert!(happened.transcript.contains("outlived its step"), "{}", happened.transcript);
}
