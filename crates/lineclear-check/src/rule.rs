//! What a rule is.

use lineclear_source::Severity;

use crate::project::Repository;
use crate::{File, FileKind, Report};

/// What is known of a rule without running it.
#[derive(Clone, Copy, Debug)]
pub struct RuleMeta {
    /// Kebab-case and stable: settings, comments and pages name it.
    pub id: &'static str,
    /// What it finds, in one line, lower case, without a full stop.
    pub summary: &'static str,
    /// Of its findings, unless one says otherwise: error (would fail or is exploitable), warning, info.
    pub severity: Severity,
    /// What it is about.
    pub group: Group,
    /// Whether it speaks without being asked to.
    pub activity: Activity,
    /// Where it holds.
    pub dialects: &'static [Dialect],
    /// The files it looks at.
    pub files: &'static [FileKind],
    /// Whether it can mend what it finds.
    pub repair: Repair,
    /// The version that it came with: `0.1`.
    pub since: &'static str,
    /// The text of `docs/rules/<id>.md`: see [`page!`](crate::page).
    pub page: &'static str,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// What is written would fail, or do something else than it seems to.
    Correctness,
    /// What is written lets somebody do what they must not.
    Security,
    /// What is written lets something untested, or something else than what was tested, reach people.
    Delivery,
}

/// Whether a rule speaks without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Always.
    Default,
    /// With `--pedantic`, or where the settings give it a level: what it finds is a matter of taste or of a team's policy.
    Pedantic,
}

/// The forge whose language a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// GitHub Actions.
    GitHub,
    /// Gitea Actions and Forgejo Actions.
    Gitea,
}

impl Dialect {
    /// All of them: for rules that hold everywhere.
    pub const ALL: &'static [Self] = &[Self::GitHub, Self::Gitea];
}

/// Whether a rule can mend what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repair {
    /// No.
    None,
    /// By `--fix`: what the file does stays the same.
    Safe,
    /// By `--fix=all`: to be read before it is kept.
    Review,
}

/// One check of one file.
///
/// It reads the model and reports; it does no I/O, keeps no state and knows no other rule.
pub trait Rule: Sync {
    /// What is known of it without running it.
    fn meta(&self) -> &'static RuleMeta;
    /// Looks at one file of the kinds that [`RuleMeta::files`] lists.
    fn check(&self, file: &File<'_>, report: &mut Report<'_>);
}

/// One check of what several files say together: gates and the workflows that feed them, names that must be unique.
pub trait RepositoryRule: Sync {
    /// What is known of it without running it.
    fn meta(&self) -> &'static RuleMeta;
    /// Looks at all files of one repository. Each finding is reported for one of them.
    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>);
}

/// The text of a rule's page.
#[macro_export]
macro_rules! page {
    ($id:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules/", $id, ".md"))
    };
}
