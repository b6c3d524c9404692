//! What an expression may name at the place where it stands.

/// The contexts and special functions that a workflow key makes available.
///
/// The constants are named after the keys. A key that is not among them takes no expressions.
///
/// # Source
/// "Context availability" of GitHub's documentation and the `context` lists of its workflow schema. Where the two differ
/// the wider one is taken: what GitHub accepts must run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Lower-case names of contexts; an expression that names another does not parse.
    pub contexts: &'static [&'static str],
    /// Whether `success()`, `failure()`, `always()` and `cancelled()` may be called.
    pub status_functions: bool,
    /// Whether `hashFiles()` may be called.
    pub hash_files: bool,
}

const fn contexts(contexts: &'static [&'static str]) -> Allowed {
    Allowed { contexts, status_functions: false, hash_files: false }
}

impl Allowed {
    /// `run-name`
    pub const RUN_NAME: Self = contexts(&["github", "inputs", "vars"]);
    /// `concurrency` of a workflow
    pub const WORKFLOW_CONCURRENCY: Self = Self::RUN_NAME;
    /// `env` of a workflow
    pub const WORKFLOW_ENV: Self = contexts(&["github", "inputs", "vars", "secrets"]);
    /// `on.workflow_call.inputs.<id>.default`
    pub const WORKFLOW_CALL_INPUT_DEFAULT: Self = Self::RUN_NAME;
    /// `on.workflow_call.outputs.<id>.value`
    pub const WORKFLOW_CALL_OUTPUT: Self = contexts(&["github", "inputs", "vars", "jobs"]);

    /// `jobs.<id>.if`
    pub const JOB_IF: Self = Self { status_functions: true, ..Self::JOB_STRATEGY };
    /// `jobs.<id>.strategy` with all below it
    pub const JOB_STRATEGY: Self = contexts(&["github", "inputs", "vars", "needs"]);
    /// `jobs.<id>.name`
    pub const JOB_NAME: Self = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix"]);
    /// `jobs.<id>.runs-on`
    pub const JOB_RUNS_ON: Self = Self::JOB_NAME;
    /// `jobs.<id>.timeout-minutes`
    pub const JOB_TIMEOUT_MINUTES: Self = Self::JOB_NAME;
    /// `jobs.<id>.cancel-timeout-minutes`
    pub const JOB_CANCEL_TIMEOUT_MINUTES: Self = Self::JOB_NAME;
    /// `jobs.<id>.continue-on-error`
    pub const JOB_CONTINUE_ON_ERROR: Self = Self::JOB_NAME;
    /// `jobs.<id>.environment`, and its `name`
    pub const JOB_ENVIRONMENT: Self = Self::JOB_NAME;
    /// `jobs.<id>.environment.url`
    pub const JOB_ENVIRONMENT_URL: Self =
        contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "job", "runner", "env", "steps"]);
    /// `jobs.<id>.concurrency`
    pub const JOB_CONCURRENCY: Self = Self::JOB_NAME;
    /// `jobs.<id>.container`, its `image` and all else that has no row of its own
    pub const JOB_CONTAINER: Self = Self::JOB_NAME;
    /// `jobs.<id>.container.credentials` and `jobs.<id>.services.<id>.credentials`
    pub const JOB_CONTAINER_CREDENTIALS: Self =
        contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "env"]);
    /// `jobs.<id>.container.env.<name>` and `jobs.<id>.services.<id>.env.<name>`
    pub const JOB_CONTAINER_ENV: Self = Self::JOB_OUTPUTS;
    /// `jobs.<id>.services` and all below it that has no row of its own
    pub const JOB_SERVICES: Self = Self::JOB_NAME;
    /// `jobs.<id>.with.<input>` of a called workflow
    pub const JOB_WITH: Self = Self::JOB_NAME;
    /// `jobs.<id>.secrets.<name>` of a called workflow
    pub const JOB_SECRETS: Self = Self::JOB_ENV;
    /// `jobs.<id>.env`
    pub const JOB_ENV: Self = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets"]);
    /// `jobs.<id>.defaults.run`
    pub const JOB_DEFAULTS_RUN: Self = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "env"]);
    /// `jobs.<id>.outputs.<name>`
    pub const JOB_OUTPUTS: Self = contexts(&[
        "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "job", "runner", "env", "steps",
    ]);
    /// `jobs.<id>.snapshot.if`
    pub const JOB_SNAPSHOT_IF: Self = Self::JOB_NAME;

    /// `jobs.<id>.steps[*].if`
    pub const STEP_IF: Self = Self { status_functions: true, hash_files: true, ..Self::JOB_ENVIRONMENT_URL };
    /// `jobs.<id>.steps[*].name`
    pub const STEP_NAME: Self = Self { hash_files: true, ..Self::JOB_OUTPUTS };
    /// `jobs.<id>.steps[*].run`
    pub const STEP_RUN: Self = Self::STEP_NAME;
    /// `jobs.<id>.steps[*].env`
    pub const STEP_ENV: Self = Self::STEP_NAME;
    /// `jobs.<id>.steps[*].with`
    pub const STEP_WITH: Self = Self::STEP_NAME;
    /// `jobs.<id>.steps[*].continue-on-error`
    pub const STEP_CONTINUE_ON_ERROR: Self = Self::STEP_NAME;
    /// `jobs.<id>.steps[*].timeout-minutes`
    pub const STEP_TIMEOUT_MINUTES: Self = Self::STEP_NAME;
    /// `jobs.<id>.steps[*].working-directory`
    pub const STEP_WORKING_DIRECTORY: Self = Self::STEP_NAME;

    /// `inputs.<id>.default` of an action
    pub const ACTION_INPUT_DEFAULT: Self =
        Self { hash_files: true, ..contexts(&["github", "strategy", "matrix", "job", "runner"]) };
    /// `runs.pre-if` and `runs.post-if` of an action
    pub const ACTION_STAGE_IF: Self = Self {
        status_functions: true,
        hash_files: true,
        ..contexts(&["github", "inputs", "strategy", "matrix", "job", "runner", "env"])
    };
    /// `outputs.<id>.value` of a composite action
    pub const COMPOSITE_OUTPUT: Self =
        contexts(&["github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env"]);
    /// `runs.steps[*]` of a composite action: all keys but `if`
    pub const COMPOSITE_STEP: Self = Self { hash_files: true, ..Self::COMPOSITE_OUTPUT };
    /// `runs.steps[*].if` of a composite action
    pub const COMPOSITE_STEP_IF: Self = Self { status_functions: true, ..Self::COMPOSITE_STEP };
    /// `runs.args` and `runs.env` of a Docker action
    pub const DOCKER_ACTION: Self = contexts(&["inputs"]);

    /// Whether `success()` and `failure()` take job ids: only in the `if` of a job, which knows its needs but no steps.
    pub fn takes_job_ids(&self) -> bool {
        self.status_functions && self.contexts.contains(&"needs") && !self.contexts.contains(&"steps")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CONTEXTS, Expr};

    /// The key and whether each of some expressions may stand there.
    #[test]
    fn each_key_has_the_contexts_of_its_row() {
        for (name, allowed, available, missing) in [
            ("run-name", Allowed::RUN_NAME, "inputs.a && vars.b", "secrets.a"),
            ("env", Allowed::WORKFLOW_ENV, "secrets.a", "env.a"),
            ("workflow_call output", Allowed::WORKFLOW_CALL_OUTPUT, "jobs.a.outputs.b", "needs.a"),
            ("job if", Allowed::JOB_IF, "needs.a.result == 'x' && always()", "matrix.a"),
            ("strategy", Allowed::JOB_STRATEGY, "needs.a", "matrix.a"),
            ("runs-on", Allowed::JOB_RUNS_ON, "matrix.os", "env.a"),
            ("job env", Allowed::JOB_ENV, "secrets.a", "env.a"),
            ("environment.url", Allowed::JOB_ENVIRONMENT_URL, "steps.a.outputs.url", "secrets.a"),
            ("credentials", Allowed::JOB_CONTAINER_CREDENTIALS, "secrets.a", "steps.a"),
            ("defaults.run", Allowed::JOB_DEFAULTS_RUN, "env.a", "secrets.a"),
            ("outputs", Allowed::JOB_OUTPUTS, "steps.a.outputs.b", "hashFiles('x')"),
            ("run", Allowed::STEP_RUN, "hashFiles('x')", "always()"),
            ("step if", Allowed::STEP_IF, "failure() || hashFiles('x') == env.a", "secrets.a"),
            ("input default", Allowed::ACTION_INPUT_DEFAULT, "github.token", "inputs.a"),
            ("post-if", Allowed::ACTION_STAGE_IF, "always()", "steps.a"),
            ("composite step", Allowed::COMPOSITE_STEP, "inputs.a", "secrets.a || needs.a || vars.a"),
            ("composite if", Allowed::COMPOSITE_STEP_IF, "success()", "secrets.a"),
            ("docker args", Allowed::DOCKER_ACTION, "inputs.a", "github.sha"),
        ] {
            assert!(Expr::parse(available, Some(&allowed)).is_ok(), "{name}: {available}");
            assert!(Expr::parse(missing, Some(&allowed)).is_err(), "{name}: {missing}");
        }
    }

    #[test]
    fn only_known_contexts_are_listed() {
        for allowed in [Allowed::STEP_IF, Allowed::JOB_OUTPUTS, Allowed::WORKFLOW_CALL_OUTPUT] {
            assert!(allowed.contexts.iter().all(|name| CONTEXTS.contains(name)));
        }
    }

    #[test]
    fn trap_45_job_ids_are_accepted_in_the_if_of_a_job_only() {
        assert!(Expr::parse("success('jobA') || failure('a', 'b')", Some(&Allowed::JOB_IF)).is_ok());
        let errors = Expr::parse("success('jobA')", Some(&Allowed::STEP_IF)).unwrap_err();
        assert_eq!(errors[0].message, "Too many parameters supplied: 'success'; `success` takes no arguments here");
        assert!(Expr::parse("always('jobA')", Some(&Allowed::JOB_IF)).is_err());
    }
}
