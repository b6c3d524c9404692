//! The guide of a repository's pipelines as Markdown, from the workflows and `lineclear.toml` alone. S0-49, S1-120, S1-121.
//!
//! [`guide`] is a pure function: it opens no file. What it says of secrets is what [`Need`]s tell it.

mod checks;
mod jobs;
mod matrix;
mod words;

use lineclear_policy::Policy;
use lineclear_workflow::Workflow;

/// A secret or variable that jobs read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) name: String,
    /// The environment whose jobs read it; none for the repository's own.
    pub(crate) environment: Option<String>,
    /// `file: job`, each once.
    pub(crate) jobs: Vec<String>,
    pub(crate) state: State,
}

/// Whether it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Set,
    Missing,
    /// Missing, and every job can do without it.
    Optional,
    /// It was not looked for.
    Unknown,
}

/// The whole guide.
pub(crate) fn guide(workflows: &[&Workflow], policy: &Policy, secrets: &[Need], variables: &[Need]) -> String {
    let mut text = String::from(
        "# Pipelines\n\nWritten by `lineclear docs` from the workflows and `lineclear.toml`; `lineclear docs --output FILE --check` says whether FILE is up to date.\n",
    );
    text.push_str("\n## What starts what\n\n");
    text.push_str(&matrix::table(workflows));
    text.push_str("\n## Required checks\n\n");
    text.push_str(&checks::section(workflows, policy));
    text.push_str("\n## Workflows\n");
    for workflow in workflows {
        text.push_str(&jobs::section(workflow));
    }
    text.push_str("\n## Secrets\n\n");
    text.push_str(&needs("secret", secrets));
    text.push_str("\n## Variables\n\n");
    text.push_str(&needs("variable", variables));
    text
}

/// A table of secrets or variables by scope.
fn needs(kind: &str, needs: &[Need]) -> String {
    if needs.is_empty() {
        return format!("No job reads a {kind}.\n");
    }
    let mut text = String::from("| Name | Scope | Read by | Here |\n|---|---|---|---|\n");
    for need in needs {
        let scope = match &need.environment {
            Some(environment) => format!("environment `{environment}`"),
            None => "repository".to_owned(),
        };
        let state = match need.state {
            State::Set => "set",
            State::Missing => "**missing**",
            State::Optional => "not set, not needed",
            State::Unknown => "",
        };
        text.push_str(&format!("| `{}` | {scope} | {} | {state} |\n", need.name, need.jobs.join(", ")));
    }
    let missing = needs.iter().filter(|need| need.state == State::Missing).count();
    if missing > 0 {
        text.push_str(&format!("\n{missing} missing here: `lineclear {kind} set NAME` sets one, `--env ENVIRONMENT` for an environment's jobs.\n"));
    }
    text
}
