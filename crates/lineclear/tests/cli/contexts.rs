//! What steps are told: contexts and variables, as one job sees them.

use serde_json::Value;

use lineclear_testkit::{Repository, Run};

/// A step that prints an expression's value as JSON, in one log line.
fn value(run: &Run, name: &str) -> Value {
    let log = run.log("a");
    let prefix = format!("{name}: ");
    let line = log.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in {log:?}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn show(contexts: &[&str]) -> String {
    let shown: String = contexts
        .iter()
        .map(|context| {
            format!(
                "      - env: {{ VALUE: '${{{{ toJSON({context}) }}}}' }}\n        run: 'echo \"{context}: $(jq -c . <<< \"$VALUE\")\"'\n"
            )
        })
        .collect();
    // Of the step's files the contexts know once there are any: where its script is put together.
    format!(
        "      - {{ id: first, run: 'echo o=1 >> ${{{{ github.output }}}}' }}\n      - run: '[ -f ${{{{ github.env }}}} ] && [ -f ${{{{ github.step_summary }}}} ] && [ -f ${{{{ github.path }}}} ] && [ -f ${{{{ github.state }}}} ]'\n{shown}"
    )
}

#[test]
fn every_context_has_its_documented_keys() {
    let contexts = ["github", "env", "job", "steps", "runner", "strategy", "matrix", "needs", "inputs", "vars"];
    let repository = Repository::with(
        "contexts",
        &format!(
            "name: all
on: workflow_dispatch
env: {{ W: '1' }}
jobs:
  n:
    runs-on: linux
    outputs: {{ o: out }}
    steps: [run: 'true']
  a:
    needs: n
    runs-on: linux
    env: {{ J: '2' }}
    steps:
{}",
            show(&contexts)
        ),
    );
    let run = repository.run(&["--event", "workflow_dispatch", "--var", "V=3"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let keys = |context: &str| -> Vec<String> {
        value(&run, context).as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let github = value(&run, "github");
    for key in [
        "action",
        "actor",
        "actor_id",
        "api_url",
        "base_ref",
        "event",
        "event_name",
        "event_path",
        "graphql_url",
        "head_ref",
        "job",
        "ref",
        "ref_name",
        "ref_protected",
        "ref_type",
        "repository",
        "repositoryUrl",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "retention_days",
        "run_attempt",
        "run_id",
        "run_number",
        "secret_source",
        "server_url",
        "sha",
        "token",
        "triggering_actor",
        "workflow",
        "workflow_ref",
        "workflow_sha",
        "workspace",
    ] {
        assert!(!github[key].is_null(), "github.{key} is missing: {github}");
    }
    assert_eq!(
        (&github["workflow"], &github["job"], &github["ref_type"]),
        (&"all".into(), &"a".into(), &"branch".into())
    );
    assert_eq!(value(&run, "env"), serde_json::json!({"W": "1", "J": "2"}));
    assert_eq!(
        value(&run, "steps"),
        serde_json::json!({"first": {"outputs": {"o": "1"}, "outcome": "success", "conclusion": "success"}})
    );
    for key in ["name", "os", "arch", "temp", "tool_cache", "environment", "workspace"] {
        assert!(keys("runner").contains(&key.to_owned()), "runner.{key} is missing: {:?}", keys("runner"));
    }
    for key in ["status", "workflow_ref", "workflow_sha", "workflow_repository", "workflow_file_path"] {
        assert!(keys("job").contains(&key.to_owned()), "job.{key} is missing: {:?}", keys("job"));
    }
    assert_eq!(
        value(&run, "strategy"),
        serde_json::json!({"fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1})
    );
    assert_eq!(value(&run, "matrix"), Value::Null);
    assert_eq!(value(&run, "needs"), serde_json::json!({"n": {"result": "success", "outputs": {"o": "out"}}}));
    assert_eq!(value(&run, "vars"), serde_json::json!({"V": "3"}));
}

/// `github.workflow_ref` is the caller's, `job.workflow_ref` that of the file which holds the job.
#[test]
fn a_called_job_knows_its_own_file_and_its_callers() {
    let repository =
        Repository::with("contexts-called", "on: push\njobs: { call: { uses: ./.github/workflows/called.yml } }\n");
    let echo = "echo '${{ github.workflow_ref }} ${{ job.workflow_ref }} ${{ job.workflow_file_path }}'";
    repository.write(
        ".github/workflows/called.yml",
        &format!("on: workflow_call\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - run: {echo}\n"),
    );
    let run = repository.run(&["-W", ".github/workflows/w.yml"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let log = run.log("call/a");
    let line =
        log.iter().find(|line| line.contains(" .github/workflows/called.yml")).unwrap_or_else(|| panic!("{log:?}"));
    let words: Vec<&str> = line.split(' ').collect();
    assert!(words[0].contains("/.github/workflows/w.yml@refs/heads/"), "{line}");
    assert_eq!(words[1], words[0].replace("/w.yml", "/called.yml"), "{line}");
}

#[test]
fn every_documented_variable_is_set_and_no_other_of_its_kind() {
    let repository = Repository::with(
        "variables",
        "name: vars\non: push\njobs: { a: { runs-on: linux, steps: [ { id: s, run: 'env -0 | jq -Rsc \"split(\\\"\\\\u0000\\\")\"; cat $GITHUB_EVENT_PATH | jq -e .ref > /dev/null' } ] } }\n",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let log = run.log("a");
    let line = log.iter().find(|line| line.starts_with('[')).expect("the variables");
    let variables: Vec<String> = serde_json::from_str(line).expect("a list");
    let get = |name: &str| variables.iter().find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned));
    let expected = [
        "ACTIONS_ORCHESTRATION_ID",
        "GITHUB_ACTION",
        "GITHUB_ACTIONS",
        "GITHUB_ACTION_REF",
        "GITHUB_ACTION_REPOSITORY",
        "GITHUB_ACTOR",
        "GITHUB_ACTOR_ID",
        "GITHUB_API_URL",
        "GITHUB_BASE_REF",
        "GITHUB_ENV",
        "GITHUB_EVENT_NAME",
        "GITHUB_EVENT_PATH",
        "GITHUB_GRAPHQL_URL",
        "GITHUB_HEAD_REF",
        "GITHUB_JOB",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_REF",
        "GITHUB_REF_NAME",
        "GITHUB_REF_PROTECTED",
        "GITHUB_REF_TYPE",
        "GITHUB_REPOSITORY",
        "GITHUB_REPOSITORY_ID",
        "GITHUB_REPOSITORY_OWNER",
        "GITHUB_REPOSITORY_OWNER_ID",
        "GITHUB_RETENTION_DAYS",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_SERVER_URL",
        "GITHUB_SHA",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_TRIGGERING_ACTOR",
        "GITHUB_WORKFLOW",
        "GITHUB_WORKFLOW_REF",
        "GITHUB_WORKFLOW_SHA",
        "GITHUB_WORKSPACE",
        "RUNNER_ARCH",
        "RUNNER_ENVIRONMENT",
        "RUNNER_NAME",
        "RUNNER_OS",
        "RUNNER_TEMP",
        "RUNNER_TOOL_CACHE",
        "RUNNER_TRACKING_ID",
        "RUNNER_WORKSPACE",
    ];
    let is_ours = |name: &&str| {
        ["GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "STATE_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let mut found: Vec<&str> = variables.iter().filter_map(|pair| pair.split('=').next()).filter(is_ours).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "no more and no less");
    assert_eq!(get("CI").as_deref(), Some("true"));
    let expected = [
        ("GITHUB_ACTION", "s"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_REF_PROTECTED", "false"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_WORKFLOW", "vars"),
        ("GITHUB_HEAD_REF", ""),
        ("RUNNER_OS", "Linux"),
        ("RUNNER_ENVIRONMENT", "self-hosted"),
    ];
    for (name, text) in expected {
        assert_eq!(get(name).as_deref(), Some(text), "{name}");
    }
    let workflow_ref = get("GITHUB_WORKFLOW_REF").unwrap_or_default();
    assert!(workflow_ref.ends_with("/.github/workflows/w.yml@refs/heads/main"), "{workflow_ref}");
}

#[test]
fn a_pull_request_has_its_refs_and_a_workflow_without_name_is_called_by_its_file() {
    let repository = Repository::with(
        "pull",
        "on: pull_request\njobs: { a: { runs-on: linux, steps: [ { run: 'echo \"$GITHUB_REF $GITHUB_REF_NAME $GITHUB_BASE_REF $GITHUB_HEAD_REF $GITHUB_WORKFLOW\"' } ] } }\n",
    );
    repository.sh("git checkout -q -b topic/x && git commit -q --allow-empty -m second");
    let run = repository.run(&["--event", "pull_request"]);
    let expected = "refs/pull/1/merge 1/merge main topic/x .github/workflows/w.yml";
    assert!(run.log("a").iter().any(|line| line == expected), "{}", run.transcript());
}

/// Section 1.11 of the protocol: the machine's owner may run scripts around every job.
#[test]
fn hooks_of_the_machine_run_before_and_after_a_job() {
    let repository = Repository::with(
        "hooks",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo step sees $FROM_HOOK' } ] } }\n",
    );
    let script = repository.beside("hook.sh");
    std::fs::write(&script, "echo hook in $GITHUB_JOB; echo FROM_HOOK=1 >> $GITHUB_ENV\n").expect("written");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.env("ACTIONS_RUNNER_HOOK_JOB_STARTED", &script).env("ACTIONS_RUNNER_HOOK_JOB_COMPLETED", &script);
    let run = Run::of(command);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(run.log("a").iter().filter(|line| *line == "hook in a").count(), 2, "{}", run.transcript());
    assert!(run.log("a").iter().any(|line| line == "step sees 1"));
}

#[test]
fn groups_echo_and_debug_shape_the_log() {
    let repository = Repository::with(
        "log",
        "on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: |
          echo '::group::Title'; echo inside; echo '::endgroup::'
          echo '::debug::unseen'; echo '::internal-set-repo-path repoFullName=x/y::/x'
          echo '::echo::on'; echo '::set-output name=x::1'; echo '::echo::off'; echo '::set-output name=y::2'
",
    );
    let run = repository.run(&[]);
    let log = run.log("a");
    for line in ["##[group]Title", "inside", "##[endgroup]", "::set-output name=x::1"] {
        assert!(log.iter().any(|known| known == line), "no {line}: {log:?}");
    }
    assert!(
        !log.iter().any(|line| line.contains("unseen") || line.contains("name=y") || line.contains("internal")),
        "{log:?}"
    );
    let debug = repository.run(&["--debug"]);
    assert!(debug.log("a").iter().any(|line| line == "##[debug]unseen"), "{}", debug.transcript());
}

/// S1-100: a dispatch input, else a tag, else the branch decides.
#[test]
fn s1_100_the_environment_is_computed_from_three_events() {
    let repository = Repository::with(
        "environment",
        "on:
  push: { branches: [main], tags: ['v*'] }
  workflow_dispatch: { inputs: { where: { type: choice, options: [staging, production], default: staging } } }
jobs:
  choose:
    runs-on: linux
    outputs: { where: '${{ steps.choose.outputs.where }}' }
    steps:
      - id: choose
        run: |
          if [ -n \"${{ inputs.where }}\" ]; then where=${{ inputs.where }}
          elif [ \"${GITHUB_REF#refs/tags/}\" != \"$GITHUB_REF\" ]; then where=production
          else where=staging; fi
          echo \"where=$where\" >> $GITHUB_OUTPUT
  deploy:
    needs: choose
    runs-on: linux
    environment: { name: '${{ needs.choose.outputs.where }}', url: 'https://${{ needs.choose.outputs.where }}.example.org' }
    steps: [run: 'true']
",
    );
    for (args, expected) in [
        (&["--event", "push"][..], "environment staging: https://staging.example.org"),
        (&["--event", "push", "--ref", "refs/tags/v1"], "environment production: https://production.example.org"),
        (
            &["--event", "workflow_dispatch", "--input", "where=production"],
            "environment production: https://production.example.org",
        ),
    ] {
        let run = repository.run(args);
        assert!(run.events("notice").any(|event| event["message"] == *expected), "{args:?}: {}", run.transcript());
    }
}
