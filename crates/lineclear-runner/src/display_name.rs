//! What people see a step called.
//!
//! # Source
//! Section 5.6 of the protocol notes, after `ActionRunner.cs` of `actions/runner`.

use lineclear_command::SharedMasker;
use lineclear_expr::{MapScope, Scope};
use lineclear_workflow::{ActionRef, Step, StepKind};

/// A generated name is cut here, so that a one-line script of a thousand characters stays one line.
const LONGEST: usize = 100;

/// `name:` evaluated; else `Run` and the first line of the script or the action. Masked.
///
/// A name that cannot be evaluated is shown as it is written: it never fails a step.
pub(crate) fn of(step: &Step, scope: &dyn Scope, masker: &SharedMasker) -> String {
    let (name, is_given) = whole(step, scope);
    // Masked before it is cut: a mask does not know the half of a secret.
    let name = masker.mask(&name);
    if is_given { name.into_owned() } else { cut(&name) }
}

/// The name, and whether it is the step's own.
fn whole(step: &Step, scope: &dyn Scope) -> (String, bool) {
    if let Some(name) = &step.name {
        let text = name.template.evaluate_text(scope).unwrap_or_else(|_| name.raw().to_owned());
        if !text.trim().is_empty() {
            return (text, true);
        }
    }
    let name = match &step.kind {
        StepKind::Run { script, .. } => {
            let text = script.template.evaluate_text(scope).unwrap_or_else(|_| script.raw().to_owned());
            format!("Run {}", first_line(&text))
        }
        StepKind::Uses { uses, .. } => format!("Run {}", reference(&uses.value)),
        StepKind::Wait { ids } => {
            let ids: Vec<&str> = ids.iter().map(|id| id.value.as_str()).collect();
            format!("Wait for {}", ids.join(", "))
        }
        StepKind::WaitAll => "Wait for all background steps".to_owned(),
        StepKind::Cancel { id } => format!("Cancel {}", id.value),
        StepKind::Parallel { steps } => format!("Run {} steps in parallel", steps.len()),
    };
    (name, false)
}

/// The name without evaluating anything: as it is written.
pub(crate) fn plain(step: &Step, masker: &SharedMasker) -> String {
    of(step, &MapScope::default(), masker)
}

/// The first line of a script that says something.
pub(crate) fn first_line(script: &str) -> &str {
    script.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// An action as `uses:` names it.
pub(crate) fn reference(uses: &ActionRef) -> String {
    match uses {
        ActionRef::Local { path } => format!("./{path}"),
        ActionRef::SameRepository { path } => format!("$/{path}"),
        ActionRef::Remote { owner, repo, path, reference } => {
            let path = path.as_ref().map(|path| format!("/{path}")).unwrap_or_default();
            format!("{owner}/{repo}{path}@{reference}")
        }
        ActionRef::Docker { image } => format!("docker://{image}"),
    }
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &name[..at]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_called_by_its_first_line_that_says_something() {
        assert_eq!(first_line("\n\n  echo one\necho two"), "echo one");
        assert_eq!(cut(&"é".repeat(200)).chars().count(), LONGEST + 3);
    }
}
