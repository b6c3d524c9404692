//! `run` steps: shells, conditions, results.

use expect_test::expect;
use serde_json::json;

use crate::bench::{Bench, check_job};

#[test]
fn a_step_runs_and_says_what_it_says() {
    check_job(
        "steps:\n- run: echo hello; echo again >&2",
        expect![[r#"
        > __run: Run echo hello; echo again >&2
          hello
          again
        < __run success
        = success
    "#]],
    );
}

#[test]
fn traps_46_and_59_a_failing_step_skips_those_after_it_unless_they_ask_for_failure() {
    check_job(
        "steps:
- name: One
  run: |
    echo one
    exit 3
- name: Two
  run: echo two
- if: failure()
  run: echo three
- if: always()
  run: echo four
- if: ${{ success() || false }}
  run: echo five
- if: cancelled()
  run: echo six
",
        expect![[r#"
            > __run: One
              one
              ! Error: Process completed with exit code 3.
            < __run failure (exit code 3)
            - __run_2: Two: step `One` failed with exit code 3
            > __run_3: Run echo three
              three
            < __run_3 success
            > __run_4: Run echo four
              four
            < __run_4 success
            - __run_5: Run echo five: if: `success() || false` is false: success() = false (step `One` failed with exit code 3)
            - __run_6: Run echo six: if: `cancelled()` is false
            = failure: step `One` failed with exit code 3
        "#]],
    );
}

#[test]
fn the_log_of_a_step_begins_with_what_is_run() {
    Bench::new(
        "env: { A: '1' }
steps:
- run: |
    echo one
    echo two
  env: { B: '2' }
  shell: bash
",
    )
    .headers()
    .check(expect![[r#"
        > __run: Run echo one
          ##[group]Run echo one
          ^[36;1mecho one^[0m
          ^[36;1mecho two^[0m
          shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}
          env:
            A: 1
            B: 2
          ##[endgroup]
          one
          two
        < __run success
        = success
    "#]]);
}

#[test]
fn trap_1_only_an_explicit_bash_minds_a_failing_part_of_a_pipe() {
    check_job(
        "steps:
- run: false | true
- run: false | true
  shell: bash
",
        expect![[r#"
            > __run: Run false | true
            < __run success
            > __run_2: Run false | true
              ! Error: Process completed with exit code 1.
            < __run_2 failure (exit code 1)
            = failure: step `Run false | true` failed with exit code 1
        "#]],
    );
}

#[test]
fn trap_3_only_an_explicit_bash_reads_no_start_up_files() {
    let happened = Bench::new("steps:\n- run: echo hi\n- run: echo hi\n  shell: bash\n- run: echo hi\n  shell: sh\n")
        .headers()
        .run();
    let shells: Vec<&str> = happened
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("shell: "))
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        shells,
        ["bash -e ", "bash --noprofile --norc -e -o pipefail ", "sh -e "].map(|line| format!("{line}{{0}}"))
    );
}

#[test]
fn trap_4_a_custom_shell_gets_its_script_and_a_bare_unknown_word_is_an_error() {
    check_job(
        "steps:
- run: 'print \"perl $0\\n\" =~ s{/\\S+/}{}r'
  shell: perl {0}
- run: print('python')
  shell: python
- run: echo $- | grep -c u
  shell: bash -u {0}
",
        expect![[r#"
            > __run: Run print "perl $0\n" =~ s{/\S+/}{}r
              perl 2
            < __run success
            > __run_2: Run print('python')
              python
            < __run_2 success
            > __run_3: Run echo $- | grep -c u
              1
            < __run_3 success
            = success
        "#]],
    );
    let refused = Bench::new("steps:\n- run: echo never\n  shell: node\n").run().report.reason.unwrap();
    assert!(refused.contains("`node` is not"), "{refused}");
}

#[test]
fn a_shell_that_this_machine_lacks_is_named() {
    check_job(
        "steps:\n- run: Get-Item\n  shell: pwsh\n",
        expect![[r#"
        > __run: Run Get-Item
          ! Error: there is no `pwsh` on this job's PATH, which the step's shell needs: install it on this machine, or add its folder to $GITHUB_PATH in an earlier step
        < __run failure (there is no `pwsh` on this job's PATH, which the step's shell needs: install it on this machine, or add its folder to $GITHUB_PATH in an earlier step)
        = failure: step `Run Get-Item` failed: there is no `pwsh` on this job's PATH, which the step's shell needs: install it on this machine, or add its folder to $GITHUB_PATH in an earlier step
    "#]],
    );
}

#[test]
fn s1_24_the_working_folder_of_a_step_is_below_the_workspace() {
    Bench::new(
        "defaults: { run: { working-directory: ./backend } }
steps:
- run: pwd
- run: pwd
  working-directory: frontend
- run: pwd
  working-directory: /tmp
- run: pwd
  working-directory: missing
",
    )
    .file("backend/a", "")
    .file("frontend/a", "")
    .check(expect![[r#"
        > __run: Run pwd
          $REPO/backend
        < __run success
        > __run_2: Run pwd
          $REPO/frontend
        < __run_2 success
        > __run_3: Run pwd
          /tmp
        < __run_3 success
        > __run_4: Run pwd
          ! Error: the working directory `$REPO/missing` does not exist: create it in an earlier step, or check it out first
        < __run_4 failure (the working directory `$REPO/missing` does not exist: create it in an earlier step, or check it out first)
        = failure: step `Run pwd` failed: the working directory `$REPO/missing` does not exist: create it in an earlier step, or check it out first
    "#]]);
}

#[test]
fn defaults_of_the_job_win_over_those_of_the_workflow() {
    Bench::new("defaults: { run: { shell: sh } }\nsteps:\n- run: echo ${BASH_VERSION:-no bash}\n- run: pwd\n")
        .root("defaults: { run: { shell: bash, working-directory: sub } }")
        .file("sub/a", "")
        .check(expect![[r#"
            > __run: Run echo ${BASH_VERSION:-no bash}
              no bash
            < __run success
            > __run_2: Run pwd
              $REPO/sub
            < __run_2 success
            = success
        "#]]);
}

#[test]
fn trap_33_a_condition_of_text_and_expression_is_text() {
    check_job(
        "steps:\n- if: ${{ false }} == 'x'\n  run: echo runs\n",
        expect![[r#"
        > __run: Run echo runs
          runs
        < __run success
        = success
    "#]],
    );
}

#[test]
fn c5_a_skipped_step_says_which_value_decided() {
    Bench::new(
        "steps:
- if: github.ref == 'refs/heads/release'
  run: echo no
- if: ${{ inputs.deploy && vars.TARGET }}
  run: echo no
- if: matrix.os == 'linux' && matrix.python == '3.12'
  run: echo no
",
    )
    .with(|bench| {
        bench.inputs = json!({ "deploy": true });
        bench.matrix = json!({ "os": "linux", "python": "3.13" });
    })
    .check(expect![[r#"
        - __run: Run echo no: if: `github.ref == 'refs/heads/release'` is false: github.ref = refs/heads/main
        - __run_2: Run echo no: if: `inputs.deploy && vars.TARGET` is null: vars.TARGET = null
        - __run_3: Run echo no: if: `matrix.os == 'linux' && matrix.python == '3.12'` is false: matrix.python = 3.13
        = success
    "#]]);
}

#[test]
fn traps_36_and_s1_67_outcome_and_conclusion_differ_under_continue_on_error() {
    check_job(
        "steps:
- id: scan
  run: exit 1
  continue-on-error: true
- if: failure()
  run: echo never
- run: echo ${{ steps.scan.outcome }} ${{ steps.scan.conclusion }}
- id: Skipped
  if: false
  run: echo never
- run: echo ${{ steps.skipped.outcome }} ${{ steps.skipped.conclusion }} '${{ steps.missing.outcome }}'
",
        expect![[r#"
            > scan: Run exit 1
              ! Error: Process completed with exit code 1.
            < scan failure/success (exit code 1)
            - __run: Run echo never: if: `failure()` is false
            > __run_2: Run echo failure success
              failure success
            < __run_2 success
            - Skipped: Run echo never: if: `false` is false
            > __run_3: Run echo skipped skipped ''
              skipped skipped 
            < __run_3 success
            = success
        "#]],
    );
}

#[test]
fn outputs_are_found_ignoring_case_and_the_last_of_a_name_wins() {
    check_job(
        "outputs: { version: '${{ steps.v.outputs.VERSION }}', empty: '${{ steps.v.outputs.none }}' }
steps:
- id: v
  run: |
    echo 'Version=1' >> $GITHUB_OUTPUT
    echo 'version=2' >> \"$GITHUB_OUTPUT\"
    echo 'A=x<<y' >> $GITHUB_OUTPUT
- run: echo '${{ steps.v.outputs.version }}' '${{ toJSON(steps.v.outputs) }}'
",
        expect![[r#"
            > v: Run echo 'Version=1' >> $GITHUB_OUTPUT
            < v success
            > __run: Run echo '2' '{
              2 {
                "Version": "2",
                "A": "x<<y"
              }
            < __run success
            = success
              version = 2
        "#]],
    );
}

#[test]
fn trap_57_an_output_that_holds_a_secret_is_dropped() {
    Bench::new(
        "outputs: { open: 'x${{ steps.v.outputs.open }}', hidden: '${{ steps.v.outputs.hidden }}' }
steps:
- id: v
  run: |
    echo open=1 >> $GITHUB_OUTPUT
    echo hidden=a-$(printf 'hunter%s' 2) >> $GITHUB_OUTPUT
",
    )
    .secret("PASSWORD", "hunter2")
    .check(expect![[r#"
        > v: Run echo open=1 >> $GITHUB_OUTPUT
        < v success
        > __complete_job: Complete job
          ! Warning: Skip output 'hidden' since it may contain secret.
        < __complete_job success
        = success
          open = x1
    "#]]);
}

#[test]
fn s1_26_text_that_looks_like_shell_stays_as_it_is_in_env() {
    check_job(
        "steps:\n- run: printf '%s\\n' \"$WHEN\"\n  env: { WHEN: '$(date) `id`' }\n",
        expect![[r#"
        > __run: Run printf '%s\n' "$WHEN"
          $(date) `id`
        < __run success
        = success
    "#]],
    );
}

#[test]
fn trap_55_a_step_that_takes_too_long_fails_and_the_others_see_a_failure() {
    let happened = Bench::new(
        "steps:
- name: Slow
  run: exec sleep 60
  timeout-minutes: 0.005
- if: failure()
  run: echo cleaning
",
    )
    .check(expect![[r#"
        > __run: Slow
          ! Error: The action has timed out after 0.005 minutes.
        < __run failure (it ran longer than its timeout-minutes: 0.005)
        > __run_2: Run echo cleaning
          cleaning
        < __run_2 success
        = failure: step `Slow` failed: it ran longer than its timeout-minutes: 0.005
    "#]]);
    assert!(happened.took.as_secs() < 7, "an interrupt ends `sleep` at once");
}

#[test]
fn a_key_without_a_value_fails_its_step_and_says_where() {
    check_job(
        "steps:
- run: echo never
  timeout-minutes: ${{ 'soon' }}
  continue-on-error: true
- if: always()
  run: echo never
  env: { X: \"${{ fromJSON('{') }}\" }
- if: ${{ always() && fromJSON('[') }}
  run: echo never
",
        expect![[r#"
            > __run: Run echo never
              ! Error: `timeout-minutes` (.github/workflows/ci.yml:8:24) must be a number, not `soon`
            < __run failure (`timeout-minutes` (.github/workflows/ci.yml:8:24) must be a number, not `soon`)
            > __run_2: Run echo never
              ! Error: `env.X` (.github/workflows/ci.yml:12:17) cannot be evaluated: Error parsing fromJson: expected a key in double quotes, but the text ends at line 1, column 2
            < __run_2 failure (`env.X` (.github/workflows/ci.yml:12:17) cannot be evaluated: Error parsing fromJson: expected a key in double quotes, but the text ends at line 1, column 2)
            > __run_3: Run echo never
              ! Error: the condition `${{ always() && fromJSON('[') }}` (.github/workflows/ci.yml:13:11) cannot be evaluated: Error parsing fromJson: expected a value, but the text ends at line 1, column 2
            < __run_3 failure (the condition `${{ always() && fromJSON('[') }}` (.github/workflows/ci.yml:13:11) cannot be evaluated: Error parsing fromJson: expected a value, but the text ends at line 1, column 2)
            = failure: step `Run echo never` failed: `timeout-minutes` (.github/workflows/ci.yml:8:24) must be a number, not `soon`
        "#]],
    );
}

#[test]
fn names_are_evaluated_and_masked() {
    Bench::new("steps:\n- name: Deploy ${{ matrix.to }} with ${{ secrets.KEY }}\n  run: 'true'\n- run: |\n\n    echo ${{ secrets.KEY }}\n")
        .secret("KEY", "s3cr3t-value")
        .with(|bench| bench.matrix = json!({ "to": "staging" }))
        .check(expect![[r#"
            > __run: Deploy staging with ***
            < __run success
            > __run_2: Run echo ***
              ***
            < __run_2 success
            = success
        "#]]);
}

#[test]
fn generated_ids_count_steps_of_a_kind() {
    check_job(
        "steps:
- run: echo $GITHUB_ACTION
- run: echo $GITHUB_ACTION
- id: mine
  run: echo $GITHUB_ACTION ${{ github.action }}
- run: echo $GITHUB_ACTION
",
        expect![[r#"
            > __run: Run echo $GITHUB_ACTION
              __run
            < __run success
            > __run_2: Run echo $GITHUB_ACTION
              __run_2
            < __run_2 success
            > mine: Run echo $GITHUB_ACTION mine
              mine mine
            < mine success
            > __run_3: Run echo $GITHUB_ACTION
              __run_3
            < __run_3 success
            = success
        "#]],
    );
}

#[test]
fn s2_14_findings_of_a_step_that_passes_are_shown() {
    check_job(
        "steps:
- run: |
    echo '::warning file=src/a.py,line=3::unused import'
    true
",
        expect![[r#"
            > __run: Run echo '::warning file=src/a.py,line=3::unused import'
              ! Warning (src/a.py:3): unused import
            < __run success
            = success
        "#]],
    );
}

#[test]
fn trap_55_the_time_of_a_step_is_that_of_the_steps_inside_its_action() {
    let happened = Bench::new("steps:\n- uses: ./slow\n  timeout-minutes: 0.005\n  continue-on-error: true\n- run: echo on\n")
        .file(
            "slow/action.yml",
            "name: slow\nruns:\n  using: composite\n  steps:\n  - { run: exec sleep 60, shell: bash }\n  - { run: echo never, shell: bash, if: always() }\n",
        )
        .check(expect![[r#"
            > __self: Run ./slow
              ! Error: The action has timed out after 0.005 minutes.
            < __self failure/success (it ran longer than its timeout-minutes: 0.005)
            > __run: Run echo on
              on
            < __run success
            = success
        "#]]);
    assert!(happened.took.as_secs() < 7);
}

#[test]
fn traps_31_and_32_files_are_hashed_in_keys_and_conditions() {
    Bench::new("steps:\n- run: echo '${{ hashFiles('a', '!b') }}' '[${{ hashFiles('none') }}]'\n- if: hashFiles('none') != ''\n  run: echo never\n")
        .file("a", "A")
        .check(expect![[r#"
            > __run: Run echo '1cd6ef71e6e0ff46ad2609d403dc3fee244417089aa4461245a4e4fe23a55e42' '[]'
              1cd6ef71e6e0ff46ad2609d403dc3fee244417089aa4461245a4e4fe23a55e42 []
            < __run success
            - __run_2: Run echo never: if: `hashFiles('none') != ''` is false: hashFiles('none') = ''
            = success
        "#]]);
}
