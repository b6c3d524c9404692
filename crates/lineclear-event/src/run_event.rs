//! The stream of a run: what happened, in order. `docs/events.md` describes it for readers of `--format json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Conclusion, Fact, JobKey, Outcome, RunId, Timestamp};

/// Version of the event stream. Keys are added without a new version; a key that changes its meaning or goes raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// One event with the run it belongs to and its time: one line of `--format json`, one line of the stored record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(flatten)]
    pub event: RunEvent,
    pub run: RunId,
    pub at: Timestamp,
}

/// Something that happened in a run.
///
/// Texts are already masked: no event can carry a secret further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// First event of every run. `plan_hash` is equal for equal inputs.
    RunStarted {
        version: u32,
        workflow: String,
        file: String,
        event_name: String,
        sha: String,
        plan_hash: String,
        /// What this run is called: its evaluated `run-name`, or what GitHub says in its place; empty if nothing was said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        run_name: String,
    },
    /// A job is known and waits; `reason` says for what ("needs build", "concurrency group `deploy`", "max-parallel 2").
    JobWaiting {
        job: JobKey,
        name: String,
        reason: String,
    },
    JobStarted {
        job: JobKey,
        name: String,
    },
    StepStarted {
        job: JobKey,
        step: String,
        name: String,
    },
    /// One masked line of output, without its newline. `step` is the step's id, given or generated.
    Log {
        job: JobKey,
        step: String,
        line: String,
    },
    Annotation(Annotation),
    /// Markdown that a step wrote to its summary file.
    Summary {
        job: JobKey,
        step: String,
        markdown: String,
    },
    /// What a step was found to have done, beside its output.
    Fact {
        job: JobKey,
        step: String,
        #[serde(flatten)]
        fact: Fact,
    },
    /// `reason` explains a skipped step (the condition and the value that decided it) or a failure in the runner's own words.
    StepFinished {
        job: JobKey,
        step: String,
        name: String,
        outcome: Outcome,
        conclusion: Conclusion,
        duration_ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// `reason` explains every conclusion but success.
    JobFinished {
        job: JobKey,
        name: String,
        conclusion: Conclusion,
        outputs: BTreeMap<String, String>,
        duration_ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something a person should know that is no annotation of a step: what was ignored, replaced or unavailable (C7).
    Notice {
        level: AnnotationLevel,
        message: String,
    },
    /// Last event of every run.
    RunFinished {
        conclusion: Conclusion,
        duration_ms: u64,
    },
}

/// A message that a step, a problem matcher or the runner attached to the run, perhaps to a line of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    pub job: JobKey,
    pub step: String,
    pub level: AnnotationLevel,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Relative to the workspace, with forward slashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnnotationLevel {
    Notice,
    Warning,
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_json_object() {
        let event = Envelope {
            event: RunEvent::Log { job: JobKey::new("build"), step: "__run".into(), line: "hello".into() },
            run: RunId(7),
            at: Timestamp(1),
        };
        let json = serde_json::to_string(&event).expect("an event is plain data");
        assert_eq!(json, r#"{"event":"log","job":"build","step":"__run","line":"hello","run":7,"at":1}"#);
        assert_eq!(serde_json::from_str::<Envelope>(&json).expect("it reads back"), event);
    }
}
