//! The checks of workflows as a preset of the policy asks for them.

use lineclear_policy::OfferedCheck;
use lineclear_workflow::{Called, Workflow, produced_checks};

/// Every check that these workflows produce for pull requests or for pushes of branches, in their order.
pub fn offered_checks<'w>(workflows: impl IntoIterator<Item = &'w Workflow>, called: Called<'_>) -> Vec<OfferedCheck> {
    let mut offered: Vec<OfferedCheck> = Vec::new();
    for check in produced_checks(workflows, called) {
        let (on_pull_requests, on_pushes) = (check.runs_on_pull_requests(), check.runs_on_pushes());
        if !on_pull_requests && !on_pushes {
            continue;
        }
        let known = check.shared_names().into_iter().map(|name| (name.to_owned(), false));
        let open = check.open_names().map(|name| (name.to_string(), true));
        for (name, is_open) in known.chain(open) {
            match offered.iter_mut().find(|one| one.name == name && one.is_open == is_open) {
                Some(one) => {
                    one.on_pull_requests |= on_pull_requests;
                    one.on_pushes |= on_pushes;
                }
                None => offered.push(OfferedCheck { name, is_open, on_pull_requests, on_pushes }),
            }
        }
    }
    offered
}
