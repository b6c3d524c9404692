//! Owners whose code needs no commit: the team's own, and those that it trusts.

use std::cell::OnceCell;

use crate::File;

/// Those whom a repository trusts. Nothing is looked up before somebody asks.
pub(super) struct Trusted<'f, 'a> {
    file: &'f File<'a>,
    own: OnceCell<Option<String>>,
}

impl<'f, 'a> Trusted<'f, 'a> {
    pub(super) fn of(file: &'f File<'a>) -> Self {
        Self { file, own: OnceCell::new() }
    }

    /// Whether the repository is `owner`'s own, or `trusted-owners` names `owner`.
    pub(super) fn has(&self, owner: &str) -> bool {
        let project = self.file.project();
        let is_named = project
            .policy()
            .is_some_and(|policy| policy.check.trusted_owners.iter().any(|one| one.value.eq_ignore_ascii_case(owner)));
        let own = || self.own.get_or_init(|| project.files().own_name()).as_deref();
        is_named || own().and_then(|own| own.split('/').next()).is_some_and(|own| own.eq_ignore_ascii_case(owner))
    }
}
