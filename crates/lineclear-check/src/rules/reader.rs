//! What the readers find while they read: no rule is asked for it, but each has its page and its level.

use lineclear_source::Severity;

use crate::{Activity, Dialect, FileKind, Group, Repair, RuleMeta, page};

const YAML_FILES: &[FileKind] = &[FileKind::Workflow, FileKind::Action, FileKind::Dependabot, FileKind::Compose];

const POLICY: &[FileKind] = &[FileKind::Policy];

/// A comment that ignores nothing, or does not say why.
pub static UNUSED_IGNORE: RuleMeta = RuleMeta {
    id: "unused-ignore",
    summary: "a comment that ignores a finding which is not there, or does not say why",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[
        FileKind::Workflow,
        FileKind::Action,
        FileKind::Dependabot,
        FileKind::Dockerfile,
        FileKind::Compose,
        FileKind::Policy,
    ],
    repair: Repair::None,
    since: "0.1",
    page: page!("unused-ignore"),
};

/// Declares the rules of the reader of workflows and actions.
macro_rules! reader_rules {
    ($($id:literal $severity:ident $files:expr, $summary:literal;)*) => {
        /// Every rule that a reader carries out.
        pub const RULES: &[&RuleMeta] = &[&UNUSED_IGNORE, $(&RuleMeta {
            id: $id,
            summary: $summary,
            severity: Severity::$severity,
            group: Group::Correctness,
            activity: Activity::Default,
            dialects: Dialect::ALL,
            files: $files,
            repair: Repair::None,
            since: "0.1",
            page: page!($id),
        }),*];
    };
}

reader_rules! {
    "dockerfile-syntax" Error &[FileKind::Dockerfile], "a Dockerfile that no builder understands";
    "unknown-key" Error YAML_FILES, "a key that does not exist";
    "policy-syntax" Error POLICY, "a `lineclear.toml` that is not TOML";
    "policy-unknown-key" Error POLICY, "a key that `lineclear.toml` does not have";
    "policy-value" Error POLICY, "a value of `lineclear.toml` that its key cannot have";
}
