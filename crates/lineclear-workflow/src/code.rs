//! The codes of all findings that reading can give. They are stable: settings and pages name them.

/// A code and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub code: &'static str,
    pub description: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $description:literal;)*) => {
        $(#[doc = $description] pub const $name: &str = $code;)*

        /// Every code of this crate, in alphabetical order. Findings of the YAML reader have codes of their own.
        pub const CODES: &[Code] = &[$(Code { code: $code, description: $description }),*];
    };
}

codes! {
    ACTION_RUNS = "action-runs", "an action's `runs.using` is unknown, retired or lacks what it needs";
    BACKGROUND_LIMIT = "background-limit", "more background steps at once than are allowed";
    CONCURRENCY = "concurrency", "a concurrency group whose settings contradict each other";
    CRON_INTERVAL = "cron-interval", "a schedule is denser than GitHub starts runs";
    CRON_SYNTAX = "cron-syntax", "a schedule is not a valid cron text";
    DUPLICATE_ID = "duplicate-id", "two steps have the same id";
    EMPTY_FILTER = "empty-filter", "a filter lists nothing";
    EVENT_TYPE = "event-type", "an activity type that the event does not have";
    EVENT_UNKNOWN = "event-unknown", "an event that does not exist";
    EXPRESSION_CONTEXT = "expression-context", "an expression uses what is not available at its place";
    EXPRESSION_NOT_ALLOWED = "expression-not-allowed", "an expression at a place where none is evaluated";
    EXPRESSION_SYNTAX = "expression-syntax", "an expression that cannot be read";
    FILTER_CONFLICT = "filter-conflict", "a filter and its `-ignore` form together";
    FILTER_EVENT = "filter-event", "a filter that the event does not have";
    GLOB_SYNTAX = "glob-syntax", "a filter pattern that cannot be read";
    ID_SYNTAX = "id-syntax", "an id with characters or a length that ids must not have";
    IF_ALWAYS_TRUE = "if-always-true", "a condition that is text, and so always true";
    INPUT_DEFAULT = "input-default", "an input's default does not fit its type";
    INPUT_LIMIT = "input-limit", "more inputs than a manual start may have";
    INPUT_OPTIONS = "input-options", "options of an input are missing, or the input takes none";
    INPUT_TYPE = "input-type", "an input's type is unknown";
    INVALID_VALUE = "invalid-value", "a value that is not one of those possible";
    MATRIX_SHAPE = "matrix-shape", "a matrix that is not made of lists, or has nothing in it";
    MISPLACED_KEY = "misplaced-key", "a key that belongs to another place";
    MISSING_KEY = "missing-key", "a key that must be there is not";
    NEEDS_CYCLE = "needs-cycle", "jobs that wait for each other never start";
    NEEDS_UNKNOWN = "needs-unknown", "a job waits for one that does not exist";
    NO_FIRST_JOB = "no-first-job", "every job waits for another, so none starts";
    PERMISSION_SCOPE = "permission-scope", "an unknown permission, or a level that it does not have";
    RUNNER_GROUP = "runner-group", "a runner group's prefix is unknown";
    SCHEDULE_TIMEZONE = "schedule-timezone", "a time zone that is not an IANA name";
    SECRETS_IN_IF = "secrets-in-if", "a condition reads secrets, which conditions cannot";
    SHELL = "shell", "a shell that is unknown and has no place for the script";
    STEP_KIND = "step-kind", "a step does nothing, or several things at once";
    STEP_REFERENCE = "step-reference", "a step waits for or cancels one that is not running";
    TOO_MANY_FINDINGS = "too-many-findings", "a file has more findings than are kept";
    UNKNOWN_KEY = "unknown-key", "a key that does not exist";
    USES_SYNTAX = "uses-syntax", "a `uses` that names no action or workflow";
    WORKFLOW_RUN = "workflow-run", "`workflow_run` without the workflows to follow";
    WRONG_TYPE = "wrong-type", "a value of another type than the key takes";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_in_kebab_case() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for code in CODES {
            assert!(code.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", code.code);
        }
    }
}
