//! The checks that gates require, and those that there are.

use lineclear_policy::{Context, Policy};
use lineclear_workflow::Workflow;

use super::words::{cell, code, job_names};

pub(super) fn section(workflows: &[&Workflow], policy: &Policy) -> String {
    let mut text = String::new();
    if policy.gates.iter().all(|gate| gate.require.is_empty()) {
        text.push_str(
            "`lineclear.toml` has no gate that requires a check. Those that pull requests and pushes give rise to:\n\n",
        );
        for workflow in workflows {
            let reported = ["push", "pull_request", "pull_request_target", "merge_group"];
            if workflow.on.events.iter().any(|trigger| reported.contains(&trigger.event.value.as_str())) {
                for job in job_names(workflow) {
                    text.push_str(&format!("- {}\n", code(&format!("{} / {job}", workflow.display_name()))));
                }
            }
        }
        return text;
    }
    text.push_str("| Gate | Check | Required on |\n|---|---|---|\n");
    for gate in &policy.gates {
        for check in &gate.require {
            let on = match check.on.as_ref().map(|on| on.value) {
                None => "pull requests and pushes",
                Some(Context::PullRequest) => "pull requests",
                Some(Context::Push) => "pushes",
            };
            text.push_str(&format!("| {} | {} | {on} |\n", cell(&gate.name.value), code(&check.check.value)));
        }
    }
    text
}
