//! What expressions may use at each place of a file.
//!
//! A place has the contexts of the places around it too, as in GitHub's schema.
//! Source: "Context availability" of GitHub's documentation and the `context` lists of its workflow and action schemas.

use lineclear_expr::Allowed;

const fn contexts(contexts: &'static [&'static str]) -> Allowed {
    Allowed { contexts, status_functions: false, hash_files: false }
}

/// `run-name` and `concurrency` of a workflow, defaults of the inputs of `workflow_call`.
pub(super) const WORKFLOW: Allowed = contexts(&["github", "inputs", "vars"]);

pub(super) const WORKFLOW_ENV: Allowed = contexts(&["github", "inputs", "vars", "secrets"]);

pub(super) const CALL_OUTPUT: Allowed = contexts(&["github", "inputs", "vars", "jobs"]);

pub(super) const STRATEGY: Allowed = contexts(&["github", "inputs", "vars", "needs"]);

pub(super) const JOB_IF: Allowed = Allowed { status_functions: true, ..STRATEGY };

/// Most keys of a job: what is known once its combination of the matrix is.
pub(super) const JOB: Allowed = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix"]);

/// `env` of a job, and the secrets that it passes to a called workflow.
pub(super) const JOB_ENV: Allowed = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets"]);

pub(super) const JOB_DEFAULTS: Allowed = contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "env"]);

pub(super) const CREDENTIALS: Allowed =
    contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "env"]);

pub(super) const CONTAINER_ENV: Allowed = JOB_OUTPUT;

pub(super) const ENVIRONMENT_URL: Allowed =
    contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "job", "runner", "env", "steps"]);

pub(super) const JOB_OUTPUT: Allowed =
    contexts(&["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "job", "runner", "env", "steps"]);

pub(super) const STEP: Allowed = Allowed { hash_files: true, ..JOB_OUTPUT };

pub(super) const STEP_IF: Allowed = Allowed { status_functions: true, hash_files: true, ..ENVIRONMENT_URL };

pub(super) const ACTION_INPUT_DEFAULT: Allowed =
    Allowed { hash_files: true, ..contexts(&["github", "strategy", "matrix", "job", "runner"]) };

/// `pre-if` and `post-if` of an action.
pub(super) const ACTION_IF: Allowed = Allowed {
    contexts: &["github", "inputs", "strategy", "matrix", "job", "runner", "env"],
    status_functions: true,
    hash_files: true,
};

pub(super) const COMPOSITE_OUTPUT: Allowed =
    contexts(&["github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env"]);

pub(super) const COMPOSITE_STEP: Allowed = Allowed { hash_files: true, ..COMPOSITE_OUTPUT };

pub(super) const COMPOSITE_STEP_IF: Allowed = Allowed { status_functions: true, ..COMPOSITE_STEP };

/// `args` and `env` of a Docker action.
pub(super) const DOCKER_ACTION: Allowed = contexts(&["inputs"]);
