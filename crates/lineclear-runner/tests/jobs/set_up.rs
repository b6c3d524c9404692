//! What happens before the first step and after the last.

use expect_test::expect;
use lineclear_event::SecretPassage;
use serde_json::json;

use crate::bench::{Bench, check_job};

#[test]
fn a_job_that_needs_a_container_engine_is_refused() {
    check_job(
        "container: alpine:3\nsteps:\n- run: 'true'\n",
        expect![[r#"
            > __initialize_containers: Initialize containers
              ! Error: the job runs in the container `alpine:3`, but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            < __initialize_containers failure (the job runs in the container `alpine:3`, but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST))
            - __run: Run true: step `Initialize containers` failed: the job runs in the container `alpine:3`, but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            = failure: step `Initialize containers` failed: the job runs in the container `alpine:3`, but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
        "#]],
    );
    check_job(
        "services: { db: { image: postgres:16 } }\nsteps:\n- run: 'true'\n",
        expect![[r#"
            > __initialize_containers: Initialize containers
              ! Error: the job needs the service `db` (`postgres:16`), but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            < __initialize_containers failure (the job needs the service `db` (`postgres:16`), but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST))
            - __run: Run true: step `Initialize containers` failed: the job needs the service `db` (`postgres:16`), but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            = failure: step `Initialize containers` failed: the job needs the service `db` (`postgres:16`), but no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
        "#]],
    );
    check_job(
        "container: ${{ matrix.none }}\nsteps:\n- run: echo no container\n",
        expect![[r#"
        > __run: Run echo no container
          no container
        < __run success
        = success
    "#]],
    );
}

#[test]
fn a_machine_that_this_is_not_is_refused() {
    let on = |label: &str| Bench::new("steps:\n- run: echo runs\n").with(|bench| bench.runs_on = vec![label.into()]);
    on("windows-latest").check(expect![[r#"
        = failure: job `job` runs on `windows-latest`, and this machine is Linux X64: run it on a machine of that kind, or leave it out of this run by choosing other jobs
    "#]]);
    on("big-machine").check(expect![[r#"
        = failure: job `job` runs on a machine labelled `big-machine`, and this machine is Linux X64: if it may run here, add `big-machine` to the labels that this machine stands for, or name an image for it
    "#]]);
    on("big-machine").with(|bench| bench.settings.host_labels.push("Big-Machine".into())).check(expect![[r#"
        > __run: Run echo runs
          runs
        < __run success
        = success
    "#]]);
}

#[test]
fn an_environment_that_has_no_value_fails_the_job_before_its_steps() {
    check_job(
        "env: { A: \"${{ fromJSON('') }}\" }\nsteps:\n- run: echo never\n",
        expect![[r#"
        > __set_up_job: Set up job
          ! Error: `env.A` (.github/workflows/ci.yml:6:15) cannot be evaluated: Error parsing fromJson: expected a value, but the text is empty
        < __set_up_job failure (`env.A` (.github/workflows/ci.yml:6:15) cannot be evaluated: Error parsing fromJson: expected a value, but the text is empty)
        = failure: step `Set up job` failed: `env.A` (.github/workflows/ci.yml:6:15) cannot be evaluated: Error parsing fromJson: expected a value, but the text is empty
    "#]],
    );
}

#[test]
fn secrets_pass_through_calls_as_they_are_told_to() {
    let job = "steps:\n- run: echo \"${{ join(fromJSON('[1]')) }}\" ${{ secrets.OWN == 'outer-value' }} ${{ secrets.PASSED == 'outer-value+x' }} ${{ secrets.GITHUB_TOKEN != '' }}\n";
    let bench = || Bench::new(job).secret("OWN", "outer-value");
    bench().check(expect![[r#"
        > __run: Run echo "1" true false true
          1 true false true
        < __run success
        = success
    "#]]);
    bench().with(|bench| bench.passages = vec![SecretPassage::Inherit, SecretPassage::Nothing]).check(expect![[r#"
        > __run: Run echo "1" false false true
          1 false false true
        < __run success
        = success
    "#]]);
    bench()
        .with(|bench| {
            bench.passages = vec![SecretPassage::Map {
                secrets: vec![("PASSED".into(), "${{ secrets.OWN }}+${{ inputs.x }}".into())],
                contexts: Box::new(lineclear_event::JobContexts {
                    inputs: json!({ "x": "x" }).into(),
                    ..Default::default()
                }),
            }]
        })
        .check(expect![[r#"
            > __run: Run echo "1" false true true
              1 false true true
            < __run success
            = success
        "#]]);
}

/// S1-103: a called job with an environment has that environment's secrets, whatever its callers pass.
#[test]
fn the_secrets_of_an_environment_need_no_passing_on_and_win() {
    let job = "steps:\n- run: echo ${{ secrets.OWN == 'of-staging' }} ${{ secrets.ONLY == 'here' }} ${{ secrets.RUN == null }}\n";
    let passages = [
        Vec::new(),
        vec![SecretPassage::Nothing],
        vec![SecretPassage::Map {
            secrets: vec![("own".into(), "${{ secrets.RUN }}".into())],
            contexts: Box::default(),
        }],
    ];
    for (passages, run_is_hidden) in passages.into_iter().zip([false, true, true]) {
        let bench = Bench::new(job).secret("OWN", "of-run").secret("RUN", "of-run").with(|bench| {
            bench.secrets.of_environment = [("OWN", "of-staging"), ("ONLY", "here")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
            bench.passages = passages;
        });
        let told = bench.run().transcript;
        assert!(told.contains(&format!("  true true {run_is_hidden}\n")), "{told}");
    }
}

#[test]
fn the_address_of_an_environment_is_told_at_the_end() {
    Bench::new("environment: { name: staging, url: '${{ steps.d.outputs.url }}' }\nsteps:\n- id: d\n  run: echo url=https://staging.example >> $GITHUB_OUTPUT\n")
        .with(|bench| bench.environment = Some("staging".into()))
        .check(expect![[r#"
            > d: Run echo url=https://staging.example >> $GITHUB_OUTPUT
            < d success
            ! Notice: environment staging: https://staging.example
            > __complete_job: Complete job
              Evaluate and set environment url
              Environment url is https://staging.example
            < __complete_job success
            = success
        "#]]);
}

#[test]
fn trap_61_what_outlives_its_step_is_named_and_ended() {
    let happened = Bench::new("steps:\n- run: |\n    setsid sleep 987 > /dev/null 2>&1 &\n    echo $! > $GITHUB_WORKSPACE/pid; cat $GITHUB_WORKSPACE/pid; sleep 0.3\n").run();
    assert!(happened.transcript.contains("(`sleep 987`) outlived its step"), "{}", happened.transcript);
    assert_eq!(happened.report.conclusion.as_str(), "success");
    let pid = happened.log.lines().find_map(|line| line.parse::<u32>().ok()).unwrap();
    let left = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(!left.contains("987"), "{left:?}");
    assert!(happened.took.as_secs() < 5, "streams that are closed are not waited for: {:?}", happened.took);
}

#[test]
fn trap_61_streams_that_someone_left_behind_holds_do_not_hang_the_step() {
    let happened = Bench::new("steps:\n- run: |\n    sleep 60 &\n    echo done\n- run: echo next\n").run();
    assert_eq!(happened.report.conclusion.as_str(), "success");
    assert!((5..30).contains(&happened.took.as_secs()), "{:?}", happened.took);
}

#[test]
fn nothing_of_a_job_is_left_on_disk() {
    let happened =
        Bench::new("steps:\n- run: mkdir -p $RUNNER_TEMP/a/b; chmod 0 $RUNNER_TEMP/a; echo x > file\n").run();
    assert_eq!(happened.report.conclusion.as_str(), "success");
    assert!(!happened.work.join("Repo").exists());
}

#[test]
fn a_snapshot_is_left_out_and_that_is_told() {
    check_job(
        "snapshot: my-image\nsteps:\n- run: echo runs\n",
        expect![[r#"
        ! Warning: `snapshot` (.github/workflows/ci.yml:6:15) makes an image of a hosted machine; there is none here, so it is left out
        > __run: Run echo runs
          runs
        < __run success
        = success
    "#]],
    );
}

#[test]
fn the_owner_of_the_machine_may_have_scripts_run_before_and_after_a_job() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before.sh"), folder.path().join("after.sh"));
    std::fs::write(&before, "echo before $GITHUB_JOB; echo READY=yes >> $GITHUB_ENV\n").unwrap();
    std::fs::write(&after, "echo after; exit 3\n").unwrap();
    Bench::new("steps:\n- run: echo $READY\n")
        .with(|bench| {
            let env = &mut bench.settings.env;
            env.insert("ACTIONS_RUNNER_HOOK_JOB_STARTED".into(), before.to_string_lossy().into_owned());
            env.insert("ACTIONS_RUNNER_HOOK_JOB_COMPLETED".into(), after.to_string_lossy().into_owned());
        })
        .check(expect![[r#"
            > __set_up_runner: Set up runner
              A job started hook has been configured by the self-hosted runner administrator
              before job
            < __set_up_runner success
            > __run: Run echo $READY
              yes
            < __run success
            > __complete_runner: Complete runner
              A job completed hook has been configured by the self-hosted runner administrator
              after
              ! Error: Process completed with exit code 3.
            < __complete_runner failure (exit code 3)
            = failure: step `Complete runner` failed with exit code 3
        "#]]);
    Bench::new("steps:\n- run: echo never\n")
        .with(|bench| drop(bench.settings.env.insert("ACTIONS_RUNNER_HOOK_JOB_STARTED".into(), "relative.sh".into())))
        .check(expect![[r#"
            > __set_up_runner: Set up runner
              ! Error: ACTIONS_RUNNER_HOOK_JOB_STARTED is `relative.sh`: it must be the absolute path of a script that exists
            < __set_up_runner failure (ACTIONS_RUNNER_HOOK_JOB_STARTED is `relative.sh`: it must be the absolute path of a script that exists)
            - __run: Run echo never: step `Set up runner` failed: ACTIONS_RUNNER_HOOK_JOB_STARTED is `relative.sh`: it must be the absolute path of a script that exists
            = failure: step `Set up runner` failed: ACTIONS_RUNNER_HOOK_JOB_STARTED is `relative.sh`: it must be the absolute path of a script that exists
        "#]]);
}
