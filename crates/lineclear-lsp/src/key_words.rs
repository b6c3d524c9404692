//! What the keys of a workflow mean, in a sentence.

/// A sentence about the key at the end of `path`, if it is one of the language.
pub(crate) fn meaning(path: &[&str]) -> Option<&'static str> {
    Some(match path {
        ["name"] => "What the workflow is called. Without it, by its path.",
        ["run-name"] => "What a run is called; may hold expressions.",
        ["on"] => "The events that start the workflow.",
        ["on", _, "types"] => "The activities of the event that start the workflow.",
        ["on", _, "branches"] => "Patterns of branches; for pull requests, of the branch that they go to.",
        ["on", _, "branches-ignore"] => "Patterns of branches that start nothing.",
        ["on", _, "tags" | "tags-ignore"] => "Patterns of tags.",
        ["on", _, "paths"] => {
            "Starts the workflow only if a changed path matches. A required check that is filtered out stays pending on the forge."
        }
        ["on", _, "paths-ignore"] => "Starts the workflow unless every changed path matches.",
        ["on", "schedule", ..] => "Times in cron's five fields, in UTC unless `timezone` says otherwise.",
        ["permissions"] | ["jobs", _, "permissions"] => {
            "What `GITHUB_TOKEN` may do. Every scope that is not named is `none`."
        }
        ["env"] => "Variables for the steps of all jobs.",
        ["jobs", _, "env"] => "Variables for the steps of this job.",
        ["jobs", _, "steps", _, "env"] => "Variables for this step.",
        ["defaults", ..] | ["jobs", _, "defaults", ..] => "The shell and folder of `run` steps that name none.",
        ["concurrency"] | ["jobs", _, "concurrency"] => {
            "Of one group only one is in progress; the newest waits, others are cancelled."
        }
        [.., "concurrency", "cancel-in-progress"] => "Whether a newer one cancels the one in progress.",
        ["jobs"] => "What runs, by id. Jobs run at the same time unless one `needs` another.",
        ["jobs", _] => "A job: steps on one machine, or a call of another workflow.",
        ["jobs", _, "needs"] => "Jobs that have to succeed before this one starts.",
        ["jobs", _, "if"] => "Runs the job only if this is true. Without a status function `success()` is implied.",
        ["jobs", _, "runs-on"] => "The labels of the machine; it must have every one.",
        ["jobs", _, "environment", ..] => {
            "Where the job deploys to: its rules are waited for, its secrets and variables are given."
        }
        ["jobs", _, "outputs"] => "Values for jobs that need this one.",
        ["jobs", _, "timeout-minutes"] => "Ends the job after so many minutes; 360 unless set.",
        ["jobs", _, "strategy"] => "How the job is multiplied.",
        ["jobs", _, "strategy", "matrix"] => "One job for each combination of the values.",
        ["jobs", _, "strategy", "matrix", "include"] => "Adds values to combinations, or further combinations.",
        ["jobs", _, "strategy", "matrix", "exclude"] => "Takes combinations away.",
        ["jobs", _, "strategy", "fail-fast"] => "Whether the first failure cancels the others; true unless set.",
        ["jobs", _, "strategy", "max-parallel"] => "How many run at once.",
        ["jobs", _, "continue-on-error"] => "Whether the run passes though this job fails.",
        ["jobs", _, "container", ..] => "The image in which the steps run.",
        ["jobs", _, "services", ..] => "Containers that run beside the steps, such as a database.",
        ["jobs", _, "uses"] => {
            "The workflow that is called: `./.github/workflows/f.yml` or `owner/repo/.github/workflows/f.yml@ref`."
        }
        ["jobs", _, "with"] => "Inputs of the called workflow.",
        ["jobs", _, "secrets"] => "Secrets of the called workflow; `inherit` gives all.",
        ["jobs", _, "steps"] => "What the job does, one step after the other.",
        [.., "steps", _, "id"] => "The name by which `steps.<id>` finds this step.",
        [.., "steps", _, "if"] => {
            "Runs the step only if this is true. Without a status function `success()` is implied."
        }
        [.., "steps", _, "uses"] => "An action: `owner/repo@ref`, `./path`, or `docker://image`.",
        [.., "steps", _, "run"] => {
            "A script for the step's shell. Expressions are put into its text before it runs: give untrusted values by `env`."
        }
        [.., "steps", _, "shell"] => {
            "The shell of the script. `bash` stops at the first failure, also of a pipe's earlier programs; without `shell` it does not."
        }
        [.., "steps", _, "with"] => "Inputs of the action.",
        [.., "steps", _, "working-directory"] => "The folder of the script, from the workspace.",
        [.., "steps", _, "continue-on-error"] => "Whether the job goes on and passes though this step fails.",
        [.., "steps", _, "timeout-minutes"] => "Ends the step after so many minutes.",
        [.., "steps", _, "background"] => "Starts the step and goes on; `wait` collects it.",
        [.., "steps", _, "parallel"] => "Starts all of these at once and waits for them.",
        _ => return None,
    })
}
