//! What a job is handed out with.

use expect_test::expect;
use serde_json::json;

use crate::history::History;

#[test]
fn a_job_is_handed_out_with_all_that_a_runner_needs() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
permissions: { contents: read }
jobs:
  build: { runs-on: x, steps: [{ run: a }] }
  deploy:
    name: Deploy to ${{ vars.REGION }}
    needs: build
    runs-on: [self-hosted, '${{ vars.REGION }}']
    environment: { name: '${{ needs.build.outputs.env }}', url: 'https://${{ steps.a.outputs.host }}' }
    timeout-minutes: ${{ fromJSON('7') }}
    steps: [{ run: a }]
",
    )]);
    history.play("run 1 0");
    history.play("build ok env=production");
    let spec = history.spec("deploy");
    let shown = json!({
        "name": spec.name, "runs_on": spec.runs_on, "environment": spec.environment, "timeout": spec.timeout_minutes,
        "permissions": spec.permissions, "needs": *spec.contexts.needs, "vars": *spec.contexts.vars,
        "inputs": *spec.contexts.inputs, "file": spec.file, "sha": spec.contexts.github["sha"],
        "workflow_ref": spec.contexts.github["workflow_ref"], "run_id": spec.contexts.github["run_id"],
        "event": spec.contexts.github["event"],
    });
    expect![[r#"
        {
          "name": "Deploy to eu",
          "runs_on": [
            "self-hosted",
            "eu"
          ],
          "environment": "production",
          "timeout": 7.0,
          "permissions": {
            "contents": "read",
            "metadata": "read"
          },
          "needs": {
            "build": {
              "result": "success",
              "outputs": {
                "env": "production"
              }
            }
          },
          "vars": {
            "REGION": "eu"
          },
          "inputs": null,
          "file": {
            "local": {
              "path": "ci.yml"
            }
          },
          "sha": "1234567890123456789012345678901234567890",
          "workflow_ref": "acme/shop/ci.yml@refs/heads/main",
          "run_id": "1",
          "event": {
            "ref": "refs/heads/main"
          }
        }"#]]
    .assert_eq(&format!("{shown:#}"));
}

/// Three events, as the second pipeline of the requirements has them.
#[test]
fn s1_100_s1_102_the_environment_is_computed_at_run_time() {
    let workflow = "
on: [push, workflow_dispatch]
jobs:
  pick: { runs-on: x, steps: [{ run: a }] }
  deploy:
    needs: pick
    runs-on: x
    environment: ${{ inputs.environment || needs.pick.outputs.environment || (startsWith(github.ref, 'refs/tags/') && 'production' || 'staging') }}
    steps: [{ run: a }]
";
    let environment = |adjust: fn(&mut lineclear_engine::RunRequest), end: &str| {
        let mut history = History::new(&[("ci.yml", workflow)]);
        history.adjust = adjust;
        history.play("run 1 0");
        history.play(end);
        history.spec("deploy").environment.clone().expect("it names one")
    };
    assert_eq!(environment(|_| {}, "pick ok"), "staging");
    assert_eq!(environment(|request| request.event.reference = "refs/tags/v1".into(), "pick ok"), "production");
    assert_eq!(environment(|request| request.inputs = json!({ "environment": "qa" }), "pick ok"), "qa");
    assert_eq!(environment(|_| {}, "pick ok environment=preview"), "preview");
}

#[test]
fn trap_102_runs_on_may_be_a_group_a_list_or_come_from_json() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
jobs:
  a: { runs-on: { group: big, labels: [linux, gpu] }, steps: [{ run: a }] }
  b: { runs-on: \"${{ fromJSON('[\\\"self-hosted\\\",\\\"arm\\\"]') }}\", steps: [{ run: a }] }
",
    )]);
    history.play("run 1 0");
    let a = history.spec("a");
    assert_eq!((a.runner_group.as_deref(), a.runs_on.join(" ")), (Some("big"), "linux gpu".to_owned()));
    assert_eq!(history.spec("b").runs_on, ["self-hosted", "arm"]);
}

#[test]
fn a_pull_request_from_a_fork_writes_nothing() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: pull_request
permissions: write-all
jobs:
  a: { runs-on: x, steps: [{ run: a }] }
",
    )]);
    history.adjust = |request| {
        request.event.name = "pull_request".into();
        request.event.payload = json!({ "pull_request": {
            "head": { "repo": { "full_name": "eve/shop", "fork": true } },
            "base": { "repo": { "full_name": "acme/shop" } },
        } });
    };
    history.play("run 1 0");
    let permissions = &history.spec("a").permissions;
    assert!(permissions.values().all(|access| access == "read"), "{permissions:?}");
}

#[test]
fn jobs_of_a_run_share_their_contexts() {
    let mut history = History::new(&[(
        "ci.yml",
        "
on: push
jobs:
  a: { strategy: { matrix: { v: [1, 2] } }, runs-on: x, steps: [{ run: a }] }
",
    )]);
    history.play("run 1 0");
    let (one, two) = (&history.spec("a_(1)").contexts, &history.spec("a_(2)").contexts);
    assert!(std::sync::Arc::ptr_eq(&one.github, &two.github));
    assert!(std::sync::Arc::ptr_eq(&one.needs, &two.needs));
}
