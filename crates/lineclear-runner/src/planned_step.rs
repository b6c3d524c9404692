//! Steps with the names they go by.

use std::collections::HashSet;

use lineclear_workflow::{ActionRef, Step, StepKind};

/// One step and what it is called in events, logs and `GITHUB_ACTION`.
#[derive(Debug)]
pub(crate) struct PlannedStep<'w> {
    pub(crate) step: &'w Step,
    /// Given in the file or generated: `__run`, `__run_2`, `__actions_checkout`, `__self`.
    pub(crate) id: String,
    /// Which step of which call this is, unique in the job: what state and posts are kept under (trap 68).
    pub(crate) key: String,
    /// Steps of `parallel`.
    pub(crate) inner: Vec<PlannedStep<'w>>,
}

impl PlannedStep<'_> {
    /// The id that expressions find the step by, if it was given one.
    pub(crate) fn own_id(&self) -> Option<&str> {
        self.step.id.as_ref().map(|id| id.value.as_str())
    }
}

/// The steps of a job with the ids that events and logs call them by, given or generated; those of a `parallel` follow it.
pub fn step_ids(steps: &[Step]) -> Vec<(String, &Step)> {
    fn gather<'w>(planned: Vec<PlannedStep<'w>>, found: &mut Vec<(String, &'w Step)>) {
        for PlannedStep { step, id, inner, .. } in planned {
            found.push((id, step));
            gather(inner, found);
        }
    }
    let mut found = Vec::new();
    gather(plan(steps, ""), &mut found);
    found
}

/// Names `steps`; the keys begin with `prefix`.
pub(crate) fn plan<'w>(steps: &'w [Step], prefix: &str) -> Vec<PlannedStep<'w>> {
    let mut used = HashSet::new();
    gather_given(steps, &mut used);
    name_all(steps, prefix, &mut used)
}

fn gather_given(steps: &[Step], used: &mut HashSet<String>) {
    for step in steps {
        used.extend(step.id.as_ref().map(|id| id.value.to_ascii_lowercase()));
        if let StepKind::Parallel { steps } = &step.kind {
            gather_given(steps, used);
        }
    }
}

fn name_all<'w>(steps: &'w [Step], prefix: &str, used: &mut HashSet<String>) -> Vec<PlannedStep<'w>> {
    let mut planned = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let key = if prefix.is_empty() { at.to_string() } else { format!("{prefix}.{at}") };
        let id = match &step.id {
            Some(id) => id.value.clone(),
            None => generated(&step.kind, used),
        };
        let inner = match &step.kind {
            StepKind::Parallel { steps } => name_all(steps, &key, used),
            _ => Vec::new(),
        };
        planned.push(PlannedStep { step, id, key, inner });
    }
    planned
}

fn generated(kind: &StepKind, used: &mut HashSet<String>) -> String {
    let stem = match kind {
        StepKind::Run { .. } => "__run".to_owned(),
        StepKind::Uses { uses, .. } => match &uses.value {
            ActionRef::Local { .. } | ActionRef::SameRepository { .. } => "__self".to_owned(),
            ActionRef::Remote { owner, repo, path, .. } => {
                let path = path.as_ref().map(|path| format!("_{path}")).unwrap_or_default();
                format!("__{}", plain(&format!("{owner}_{repo}{path}")))
            }
            ActionRef::Docker { image } => format!("__{}", plain(image)),
        },
        StepKind::Wait { .. } => "__wait".to_owned(),
        StepKind::WaitAll => "__wait_all".to_owned(),
        StepKind::Cancel { .. } => "__cancel".to_owned(),
        StepKind::Parallel { .. } => "__parallel".to_owned(),
    };
    let mut id = stem.clone();
    let mut number = 2;
    while !used.insert(id.to_ascii_lowercase()) {
        id = format!("{stem}_{number}");
        number += 1;
    }
    id
}

/// Letters, digits and underscores, as ids have them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
}
