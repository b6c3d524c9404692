//! The keys of every mapping of the language: the schema in one place.

use super::mapping::Keys;

pub(super) const WORKFLOW: Keys = Keys {
    of: "a workflow",
    names: &["name", "run-name", "description", "on", "permissions", "env", "defaults", "concurrency", "jobs"],
};

pub(super) const DEFAULTS: Keys = Keys { of: "`defaults`", names: &["run"] };

pub(super) const DEFAULTS_RUN: Keys = Keys { of: "`defaults.run`", names: &["shell", "working-directory"] };

pub(super) const CONCURRENCY: Keys = Keys { of: "`concurrency`", names: &["group", "cancel-in-progress", "queue"] };

pub(super) const JOB: Keys = Keys {
    of: "a job",
    names: &[
        "name",
        "needs",
        "if",
        "runs-on",
        "permissions",
        "environment",
        "concurrency",
        "outputs",
        "env",
        "defaults",
        "timeout-minutes",
        "cancel-timeout-minutes",
        "continue-on-error",
        "strategy",
        "container",
        "services",
        "snapshot",
        "steps",
        "uses",
        "with",
        "secrets",
    ],
};

/// What may stand beside `uses` of a job.
pub(super) const CALL_JOB: Keys = Keys {
    of: "a job that calls a workflow",
    names: &["name", "uses", "with", "secrets", "needs", "if", "permissions", "concurrency", "strategy"],
};

pub(super) const STRATEGY: Keys = Keys { of: "`strategy`", names: &["matrix", "fail-fast", "max-parallel"] };

pub(super) const RUNS_ON: Keys = Keys { of: "`runs-on`", names: &["group", "labels"] };

pub(super) const ENVIRONMENT: Keys = Keys { of: "`environment`", names: &["name", "url", "deployment"] };

pub(super) const SNAPSHOT: Keys = Keys { of: "`snapshot`", names: &["image-name", "version", "if"] };

pub(super) const CONTAINER: Keys =
    Keys { of: "`container`", names: &["image", "credentials", "env", "ports", "volumes", "options"] };

pub(super) const SERVICE: Keys = Keys {
    of: "a service",
    names: &["image", "credentials", "env", "ports", "volumes", "options", "entrypoint", "command"],
};

pub(super) const CREDENTIALS: Keys = Keys { of: "`credentials`", names: &["username", "password"] };

/// All keys that some kind of step has.
pub(super) const STEP: Keys = Keys {
    of: "a step",
    names: &[
        "name",
        "id",
        "if",
        "env",
        "run",
        "shell",
        "working-directory",
        "uses",
        "with",
        "continue-on-error",
        "timeout-minutes",
        "background",
        "wait",
        "wait-all",
        "cancel",
        "parallel",
    ],
};

pub(super) const RUN_STEP: Keys = Keys {
    of: "a step with `run`",
    names: &[
        "name",
        "id",
        "if",
        "run",
        "shell",
        "working-directory",
        "env",
        "continue-on-error",
        "timeout-minutes",
        "background",
    ],
};

pub(super) const USES_STEP: Keys = Keys {
    of: "a step with `uses`",
    names: &["name", "id", "if", "uses", "with", "env", "continue-on-error", "timeout-minutes", "background"],
};

pub(super) const WAIT_STEP: Keys =
    Keys { of: "a step with `wait`", names: &["name", "id", "wait", "continue-on-error"] };

pub(super) const WAIT_ALL_STEP: Keys =
    Keys { of: "a step with `wait-all`", names: &["name", "id", "wait-all", "continue-on-error"] };

pub(super) const CANCEL_STEP: Keys =
    Keys { of: "a step with `cancel`", names: &["name", "id", "cancel", "continue-on-error"] };

pub(super) const PARALLEL_STEP: Keys = Keys { of: "a step with `parallel`", names: &["name", "parallel"] };

/// All keys that some kind of step of a composite action has.
pub(super) const COMPOSITE_STEP: Keys = Keys {
    of: "a step of a composite action",
    names: &["name", "id", "if", "env", "run", "shell", "working-directory", "uses", "with", "continue-on-error"],
};

pub(super) const COMPOSITE_RUN_STEP: Keys = Keys {
    of: "a step with `run`",
    names: &["name", "id", "if", "run", "shell", "working-directory", "env", "continue-on-error"],
};

pub(super) const COMPOSITE_USES_STEP: Keys =
    Keys { of: "a step with `uses`", names: &["name", "id", "if", "uses", "with", "env", "continue-on-error"] };

pub(super) const SCHEDULE: Keys = Keys { of: "an entry of `schedule`", names: &["cron", "timezone"] };

pub(super) const WORKFLOW_CALL: Keys = Keys { of: "`workflow_call`", names: &["inputs", "secrets", "outputs"] };

pub(super) const CALL_INPUT: Keys =
    Keys { of: "an input of `workflow_call`", names: &["description", "required", "default", "type"] };

pub(super) const CALL_SECRET: Keys = Keys { of: "a secret of `workflow_call`", names: &["description", "required"] };

pub(super) const CALL_OUTPUT: Keys = Keys { of: "an output of `workflow_call`", names: &["description", "value"] };

pub(super) const WORKFLOW_DISPATCH: Keys = Keys { of: "`workflow_dispatch`", names: &["inputs"] };

pub(super) const DISPATCH_INPUT: Keys = Keys {
    of: "an input of `workflow_dispatch`",
    names: &["description", "required", "default", "type", "options", "deprecationMessage"],
};

pub(super) const ACTION_OUTPUT: Keys = Keys { of: "an output of an action", names: &["description", "value"] };

pub(super) const NODE_RUNS: Keys =
    Keys { of: "`runs` of a JavaScript action", names: &["using", "main", "pre", "pre-if", "post", "post-if"] };

pub(super) const COMPOSITE_RUNS: Keys = Keys { of: "`runs` of a composite action", names: &["using", "steps"] };

pub(super) const DOCKER_RUNS: Keys = Keys {
    of: "`runs` of a Docker action",
    names: &["using", "image", "entrypoint", "pre-entrypoint", "post-entrypoint", "pre-if", "post-if", "args", "env"],
};

/// Where a key that was found at the wrong place may have been meant.
const HOMES: &[&Keys] = &[&WORKFLOW, &JOB, &STEP, &STRATEGY, &CONTAINER, &ENVIRONMENT, &CONCURRENCY];

/// The kinds of mappings of a workflow that know `key`, which stood in one of kind `found_in`.
///
/// Keys that mean something nearly everywhere say nothing about the place, and the parts of an action have no other.
pub(super) fn places_of(key: &str, found_in: &Keys) -> Vec<&'static str> {
    let in_action =
        [&NODE_RUNS, &COMPOSITE_RUNS, &DOCKER_RUNS, &ACTION_OUTPUT].iter().any(|keys| keys.of == found_in.of);
    match key {
        "name" | "env" | "description" | "run" | "group" => Vec::new(),
        _ if in_action => Vec::new(),
        _ => HOMES.iter().filter(|keys| keys.names.contains(&key)).map(|keys| keys.of).collect(),
    }
}
