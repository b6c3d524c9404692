//! The official clients on the machine's Node.

use std::process::{Command, Output};

use lineclear_testkit::official_clients;
use serde_json::{Value, json};

use crate::world::{Job, World};

/// Calls functions of a client in a JavaScript action of the job; gives what each gave: `{"value": …}` or `{"error": …}`.
pub(crate) fn call(world: &World, job: &Job, client: &str, calls: &[Value]) -> Vec<Value> {
    call_with_log(world, job, client, calls).0
}

/// As [`call`], with what the client printed.
pub(crate) fn call_with_log(world: &World, job: &Job, client: &str, calls: &[Value]) -> (Vec<Value>, String) {
    run(world, job, "call.mjs", &json!({ "client": client, "calls": calls }))
}

/// Calls one function, which has to work.
pub(crate) fn value(world: &World, job: &Job, client: &str, call_: Value) -> Value {
    let (results, log) = call_with_log(world, job, client, std::slice::from_ref(&call_));
    let [result] = results.as_slice() else { panic!("one result, not {results:?}") };
    assert!(result["error"].is_null(), "{client} {call_}: {result}\n{log}");
    result["value"].clone()
}

/// Runs a script with one argument as a step of the job.
pub(crate) fn run(world: &World, job: &Job, script: &str, argument: &Value) -> (Vec<Value>, String) {
    let output = command(world, job, script, argument).output().expect("node is installed");
    results(&output)
}

fn results(output: &Output) -> (Vec<Value>, String) {
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let line = log.lines().rev().find_map(|line| line.strip_prefix("RESULTS "));
    let line = line.unwrap_or_else(|| panic!("the client ended with {}\n{log}\n{errors}", output.status));
    match serde_json::from_str(line) {
        Ok(Value::Array(results)) => (results, format!("{log}\n{errors}")),
        other => panic!("no results: {other:?}"),
    }
}

fn command(world: &World, job: &Job, script: &str, argument: &Value) -> Command {
    let mut command = Command::new("node");
    command.arg(official_clients().join(script)).arg(argument.to_string()).current_dir(&job.workspace).env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_API_URL", world.services.api_url())
        .env("GITHUB_GRAPHQL_URL", world.services.graphql_url())
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("GITHUB_WORKSPACE", &job.workspace)
        .env("GITHUB_RUN_ID", "1")
        .env("GITHUB_TOKEN", &job.access.forge_token)
        .env("RUNNER_TEMP", job.workspace.join("temp"))
        .env("RUNNER_OS", "Linux")
        .envs(job.access.javascript_actions.iter().map(|(name, value)| (name, value)))
        .envs(job.env.iter().map(|(name, value)| (name, value)));
    command
}
