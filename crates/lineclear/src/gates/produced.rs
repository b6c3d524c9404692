//! Checks that a gate waits for, and that no workflow of the checkout produces.

use std::path::Path;

use lineclear_gate::{Decision, Rules, Standing};
use lineclear_workflow::produced_checks;

use crate::workflow_files;

/// Says of every required check that is missing, and that no workflow produces, that no run supplies it.
///
/// The workflows are those of the checkout. Where one of them cannot be understood it may produce anything, and nothing is said.
pub(crate) fn tell_of_unproduced(decision: &mut Decision, rules: &Rules, root: &Path) {
    let named: Vec<(String, &str)> =
        rules.require.iter().map(|one| (format!("check `{}`", one.check), one.check.as_str())).collect();
    let mut missing: Vec<_> = decision
        .requirements
        .iter_mut()
        .filter(|one| one.standing == Standing::Missing)
        .filter_map(|one| Some((named.iter().find(|(what, _)| *what == one.what)?.1, one)))
        .collect();
    if missing.is_empty() {
        return;
    }
    let Ok(files) = workflow_files::read(root, &[]) else { return };
    if files.iter().any(|file| file.workflow.is_none()) {
        return;
    }
    let models = files.iter().filter_map(|file| file.workflow.as_ref());
    let produced = produced_checks(models, &workflow_files::called(&files));
    for (check, requirement) in &mut missing {
        if !produced.iter().any(|one| one.is_called(check)) {
            requirement.supply = Some(
                "no run does: no workflow of the checkout has this check; correct its name in lineclear.toml (`lineclear check`), or add the job"
                    .to_owned(),
            );
        }
    }
}
