//! What the readers find while they read: no rule is asked for it, but each has its page and its level.

use lineclear_source::Severity;

use crate::{Activity, Dialect, FileKind, Group, Repair, RuleMeta, page};

const YAML_FILES: &[FileKind] = &[FileKind::Workflow, FileKind::Action, FileKind::Dependabot, FileKind::Compose];
const MODEL_FILES: &[FileKind] = &[FileKind::Workflow, FileKind::Action];
const WORKFLOWS: &[FileKind] = &[FileKind::Workflow];
const ACTION: &[FileKind] = &[FileKind::Action];
const ALL_FILES: &[FileKind] = UNUSED_IGNORE.files;

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
    "compose-value" Error &[FileKind::Compose], "a value of another kind than its key in a compose file takes";
    "dockerfile-syntax" Error &[FileKind::Dockerfile], "a Dockerfile that no builder understands";
    "action-runs" Error ACTION, "an action's `runs.using` is unknown, retired or lacks what it needs";
    "background-limit" Warning WORKFLOWS, "more background steps at once than are allowed";
    "complex-key" Error YAML_FILES, "a sequence or mapping as a key";
    "concurrency" Error WORKFLOWS, "a concurrency group whose settings contradict each other";
    "cron-interval" Warning WORKFLOWS, "a schedule is denser than the forge starts runs";
    "cron-syntax" Error WORKFLOWS, "a schedule is not a valid cron text";
    "duplicate-id" Error WORKFLOWS, "two steps have the same id";
    "duplicate-key" Error YAML_FILES, "a key that is there twice";
    "empty-filter" Warning WORKFLOWS, "a filter lists nothing";
    "event-type" Warning WORKFLOWS, "an activity type that the event does not have";
    "event-unknown" Error WORKFLOWS, "an event that does not exist";
    "expression-context" Error MODEL_FILES, "an expression uses what is not available at its place";
    "expression-not-allowed" Error MODEL_FILES, "an expression at a place where none is evaluated";
    "expression-syntax" Error MODEL_FILES, "an expression that cannot be read";
    "file-too-large" Error YAML_FILES, "a file that is larger than the forge reads";
    "filter-conflict" Error WORKFLOWS, "a filter and its `-ignore` form together";
    "filter-event" Warning WORKFLOWS, "a filter that the event does not have";
    "glob-syntax" Error WORKFLOWS, "a filter pattern that cannot be read";
    "id-syntax" Error MODEL_FILES, "an id with characters or a length that ids must not have";
    "if-always-true" Warning MODEL_FILES, "a condition that is text, and so always true";
    "input-default" Error WORKFLOWS, "an input's default does not fit its type";
    "input-limit" Error WORKFLOWS, "more inputs than a manual start may have";
    "input-options" Error WORKFLOWS, "options of an input are missing, or the input takes none";
    "input-type" Error WORKFLOWS, "an input's type is unknown";
    "invalid-value" Error MODEL_FILES, "a value that is not one of those possible";
    "matrix-shape" Error WORKFLOWS, "a matrix that is not made of lists, or has nothing in it";
    "merge-key" Error YAML_FILES, "YAML's merge key `<<`";
    "misplaced-key" Error MODEL_FILES, "a key that belongs to another place";
    "missing-key" Error MODEL_FILES, "a key that must be there is not";
    "more-faults" Error YAML_FILES, "a file has more faults of YAML than are shown";
    "multiple-documents" Error YAML_FILES, "a second YAML document in a file";
    "needs-cycle" Error WORKFLOWS, "jobs that wait for each other never start";
    "needs-unknown" Error WORKFLOWS, "a job waits for one that does not exist";
    "no-first-job" Error WORKFLOWS, "every job waits for another, so none starts";
    "number-too-large" Error YAML_FILES, "a number that the forge cannot read";
    "permission-scope" Error WORKFLOWS, "an unknown permission, or a level that it does not have";
    "recursive-anchor" Error YAML_FILES, "an alias inside the value that it names";
    "runner-group" Error WORKFLOWS, "a runner group's prefix is unknown";
    "schedule-timezone" Error WORKFLOWS, "a time zone that is not an IANA name";
    "secrets-in-if" Error WORKFLOWS, "a condition reads secrets, which conditions cannot";
    "shell" Error MODEL_FILES, "a shell that is unknown and has no place for the script";
    "step-kind" Error MODEL_FILES, "a step does nothing, or several things at once";
    "step-reference" Error WORKFLOWS, "a step waits for or cancels one that is not running";
    "tag-mismatch" Error YAML_FILES, "a value that is not what its YAML tag says";
    "too-deep" Error YAML_FILES, "too many lists and mappings inside each other";
    "too-many-findings" Error MODEL_FILES, "a file has more findings than are kept";
    "too-many-values" Error YAML_FILES, "a file of more values than the forge reads";
    "undefined-anchor" Error YAML_FILES, "an alias without an anchor";
    "unknown-tag" Error YAML_FILES, "a YAML tag that the forge does not know";
    "unreadable-file" Error ALL_FILES, "a file that cannot be read, or is not UTF-8";
    "uses-syntax" Error MODEL_FILES, "a `uses` that names no action or workflow";
    "workflow-run" Warning WORKFLOWS, "`workflow_run` without the workflows to follow";
    "wrong-type" Error MODEL_FILES, "a value of another type than the key takes";
    "yaml-syntax" Error YAML_FILES, "the file is not YAML";
    "unknown-key" Error YAML_FILES, "a key that does not exist";
    "policy-syntax" Error POLICY, "a `lineclear.toml` that is not TOML";
    "policy-unknown-key" Error POLICY, "a key that `lineclear.toml` does not have";
    "policy-value" Error POLICY, "a value of `lineclear.toml` that its key cannot have";
}
