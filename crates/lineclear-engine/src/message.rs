//! What the engine is told, and what it orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{Conclusion, ForgeEvent, JobKey, JobReport, JobSpec, RunEvent, RunId, Timestamp};
use lineclear_plan::Platform;
use serde::{Deserialize, Serialize};

/// A fact. Every input carries its time: the engine has no clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    RunRequested {
        at: Timestamp,
        request: Box<RunRequest>,
    },
    /// A runner began with a job that was handed out.
    JobStarted {
        at: Timestamp,
        run: RunId,
        job: JobKey,
    },
    JobEnded {
        at: Timestamp,
        run: RunId,
        job: JobKey,
        report: JobReport,
    },
    TimerFired {
        at: Timestamp,
        timer: TimerId,
    },
    /// `run: None` cancels everything.
    CancelRequested {
        at: Timestamp,
        run: Option<RunId>,
        reason: String,
    },
}

/// A run that someone or something asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    pub run: RunId,
    pub number: u64,
    pub attempt: u32,
    /// Path of the workflow file; its text is in `files`.
    pub file: String,
    /// Texts of the workflow and of all workflows it may call, by path (`.github/workflows/x.yml`) or reference
    /// (`owner/repo/path@ref`).
    pub files: BTreeMap<String, Arc<str>>,
    pub event: ForgeEvent,
    /// Dispatch inputs, validated and typed; null otherwise.
    pub inputs: serde_json::Value,
    pub vars: BTreeMap<String, String>,
    pub platform: Platform,
    pub plan_hash: String,
    /// What the run is called, as the plan says it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run_name: String,
    pub selection: Selection,
}

/// Which jobs of the workflow to run; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Job ids; what they need is run too, unless `given`.
    pub jobs: Vec<String>,
    /// Only matrix legs whose values have this text: axis → value.
    pub matrix: Vec<(String, String)>,
    /// Results of jobs that are not run again (`--skip-needs`), by job id.
    pub given: BTreeMap<String, GivenNeed>,
}

/// The result of a job from an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenNeed {
    pub conclusion: Conclusion,
    pub outputs: BTreeMap<String, String>,
}

/// Names a timer; setting it again moves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerId {
    /// `timeout-minutes` of a job.
    JobTimeout { run: RunId, job: JobKey },
    /// `cancel-timeout-minutes` of a job that was told to stop.
    CancelTimeout { run: RunId, job: JobKey },
}

/// How a job is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// As GitHub cancels: `always()` steps still run.
    Cancel,
    /// At once: the time granted after the cancellation is over.
    Kill,
}

/// An order. Carrying one out twice changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Run this job, as soon as there is room.
    Dispatch(Box<JobSpec>),
    StopJob {
        run: RunId,
        job: JobKey,
        stop: Stop,
    },
    SetTimer {
        timer: TimerId,
        at: Timestamp,
    },
    /// A timer that is not set, or has fired, stays as it is.
    ClearTimer {
        timer: TimerId,
    },
    Tell {
        run: RunId,
        at: Timestamp,
        event: RunEvent,
    },
    /// Nothing more will happen in this run.
    RunEnded {
        run: RunId,
        conclusion: Conclusion,
    },
}
