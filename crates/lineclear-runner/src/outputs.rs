//! What a job hands to the jobs that need it.
//!
//! # Source
//! Section 4.9 of the protocol notes, after `JobExtension.cs` of `actions/runner`.

use std::collections::BTreeMap;

use lineclear_source::Spanned;
use lineclear_workflow::Text;

use crate::context::{Speaker, StepScope};
use crate::evaluate;
use crate::frame::Frame;
use crate::job::Job;
use crate::worker::Worker;

/// GitHub's limits, counted as UTF-16.
const LARGEST: usize = 1 << 20;

/// The outputs that are sent, and what has to be told of the others.
#[derive(Debug, Default)]
pub(crate) struct JobOutputs {
    pub(crate) values: BTreeMap<String, String>,
    /// Each was dropped for a reason that is no fault: it would have shown a secret.
    pub(crate) warnings: Vec<String>,
    /// Each fails the job.
    pub(crate) errors: Vec<String>,
}

/// Evaluates `outputs:` after the last step. Empty values are not sent; one with a secret in it is dropped (trap 57).
pub(crate) fn evaluate(
    job: &Job<'_>,
    worker: &Worker,
    frame: &Frame,
    outputs: &[(Spanned<String>, Text)],
) -> JobOutputs {
    let mut result = JobOutputs::default();
    if outputs.is_empty() {
        return result;
    }
    let speaker = Speaker { step: "", env: None, files: None };
    let scope = StepScope::new(job, &worker.env, frame, speaker);
    for (name, text) in outputs {
        let name = &name.value;
        match evaluate::text(&frame.source, &format!("outputs.{name}"), text, &scope) {
            Err(reason) => result.errors.push(reason),
            Ok(value) if value.is_empty() => {}
            Ok(value) if *job.masker.mask(&value) != value => {
                result.warnings.push(format!("Skip output '{name}' since it may contain secret."));
            }
            Ok(value) if value.encode_utf16().count() * 2 > LARGEST => {
                result.errors.push(format!("output '{name}' is larger than 1 MiB: hand large data on as an artifact"));
            }
            Ok(value) => {
                result.values.insert(name.clone(), value);
            }
        }
    }
    result
}
