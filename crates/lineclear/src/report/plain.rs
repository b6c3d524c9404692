//! Every line as it comes, with its job before it: for logs, pipes and terminals without cursor control.

use std::io::Write;

use lineclear_event::{Conclusion, Envelope, JobKey, JobSpec, RunEvent, RunId, Timestamp};
use lineclear_source::Style;

use super::closing::{called, closing, duration, notice, paint, sign};
use super::digest::Digest;
use super::{Invocation, Reporter};
use crate::output;

/// Writes prefixed lines, and the closing report at the end.
pub(crate) struct PlainReporter {
    out: Box<dyn Write + Send>,
    style: Style,
    invocation: Invocation,
    digest: Digest,
    buffer: Vec<u8>,
}

impl PlainReporter {
    pub(crate) fn new(out: Box<dyn Write + Send>, style: Style, invocation: Invocation) -> Self {
        Self { out, style, invocation, digest: Digest::default(), buffer: Vec::new() }
    }

    /// What stands before a job's lines: the workflow is named only where there are several.
    fn prefix(&self, run: RunId, job: &JobKey) -> String {
        match self.digest.runs.get(&run) {
            Some(digest) if self.digest.runs.len() > 1 => format!("{} / {job} | ", digest.workflow),
            _ => format!("{job} | "),
        }
    }

    fn write(&mut self, text: &str) {
        // A reader that went away does not stop the run: its record is kept.
        output::write(&mut *self.out, text.as_bytes());
    }

    fn line(&mut self, run: RunId, job: &JobKey, text: &str) {
        let line = format!("{}{text}\n", paint(&self.prefix(run, job), "2", self.style));
        self.write(&line);
    }
}

impl Reporter for PlainReporter {
    fn dispatched(&mut self, spec: &JobSpec) {
        self.digest.dispatched(spec);
    }

    fn event(&mut self, envelope: &Envelope) {
        self.digest.event(envelope);
        let (run, style) = (envelope.run, self.style);
        match &envelope.event {
            RunEvent::RunStarted { workflow, file, event_name, run_name, .. } => {
                let called = called(workflow, run_name);
                let start = paint("▶", "36", style);
                self.write(&format!("{start} {workflow} ({file}) on {event_name}, run {run}{called}\n"));
            }
            // Waiting for a thread is over in no time, or is seen by the job not starting.
            RunEvent::JobWaiting { reason, .. } if reason == "a runner" => {}
            RunEvent::JobWaiting { job, reason, .. } => self.line(run, job, &format!("waits: {reason}")),
            RunEvent::JobStarted { .. }
            | RunEvent::Log { .. }
            | RunEvent::Annotation(_)
            | RunEvent::Summary { .. }
            | RunEvent::Fact { .. } => {}
            RunEvent::StepStarted { job, name, .. } => {
                self.line(run, job, &format!("{} {name}", paint("▸", "36", style)))
            }
            RunEvent::StepFinished { job, name, conclusion, duration_ms, reason, .. } => {
                let reason = match (reason, conclusion) {
                    (Some(reason), _) => format!(" ({reason})"),
                    (None, _) => String::new(),
                };
                let text = format!("{} {name} {}{reason}", sign(Some(*conclusion), style), duration(*duration_ms));
                self.line(run, job, &text);
            }
            RunEvent::JobFinished { job, name, conclusion, duration_ms, reason, .. } => {
                let reason = match reason {
                    Some(reason) if *conclusion != Conclusion::Success => format!(": {reason}"),
                    _ => String::new(),
                };
                let sign = sign(Some(*conclusion), style);
                let text = format!("{sign} {name}: {conclusion} in {}{reason}", duration(*duration_ms));
                self.line(run, job, &text);
            }
            RunEvent::Notice { level, message } => self.write(&notice(*level, message)),
            RunEvent::RunFinished { .. } => {}
        }
    }

    fn log(&mut self, run: RunId, job: &JobKey, step: &str, _at: Timestamp, lines: &[u8]) {
        let lines = self.digest.log(run, job, step, lines);
        if lines.is_empty() {
            return;
        }
        let prefix = paint(&self.prefix(run, job), "2", self.style);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            let line = &lines[start..=end];
            start = end + 1;
            buffer.extend_from_slice(prefix.as_bytes());
            match line.strip_prefix(b"##[") {
                Some(marked) => mark(marked, self.style, &mut buffer),
                None => buffer.extend_from_slice(line),
            }
        }
        // A reader that went away does not stop the run: its record is kept.
        output::write(&mut *self.out, &buffer);
        self.buffer = buffer;
    }

    fn close(&mut self) {
        let text = closing(&self.digest, &self.invocation, self.style);
        self.write(&text);
    }
}

/// A line that the runner marked, as people read it: `marked` is what stands after `##[`.
fn mark(marked: &[u8], style: Style, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(marked);
    let (kind, rest) = text.split_once(']').unwrap_or(("", &text));
    let shown = match kind {
        "group" => format!("  {} {rest}", paint("▾", "2", style)),
        // The end of a group is the end of its indentation on the hosted pages; here it would be an empty line.
        "endgroup" => {
            let prefix_end = out.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            return out.truncate(prefix_end);
        }
        "error" => format!("{} {rest}", paint("error:", "31", style)),
        "warning" => format!("{} {rest}", paint("warning:", "33", style)),
        "notice" => format!("{} {rest}", paint("notice:", "36", style)),
        "debug" => format!("{} {rest}", paint("debug:", "2", style)),
        _ => format!("##[{text}"),
    };
    out.extend_from_slice(shown.as_bytes());
}
