//! One JSON event a line, for programs. `docs/events.md` describes the stream.

use std::io::Write;

use lineclear_event::{Conclusion, Envelope, JobKey, RunEvent, RunId, Timestamp};

use super::Reporter;
use crate::output;

/// Writes every event as it comes, but the runs' verdicts last, the worst of them at the very end: so the last line says how
/// the whole command went, however many workflows it ran.
pub(crate) struct JsonReporter {
    out: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    verdicts: Vec<Envelope>,
}

impl JsonReporter {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out, buffer: Vec::new(), verdicts: Vec::new() }
    }

    fn write(&mut self, envelope: &Envelope) {
        self.buffer.clear();
        // Writing plain data into memory cannot fail.
        if serde_json::to_writer(&mut self.buffer, envelope).is_ok() {
            self.buffer.push(b'\n');
            self.put();
        }
    }

    fn put(&mut self) {
        // A reader that went away does not stop the run: its record is kept.
        output::write(&mut *self.out, &self.buffer);
    }
}

/// How bad a verdict is; the worst decides the exit code.
pub(crate) fn badness(conclusion: Conclusion) -> u8 {
    conclusion.weight()
}

impl Reporter for JsonReporter {
    fn event(&mut self, envelope: &Envelope) {
        if matches!(envelope.event, RunEvent::RunFinished { .. }) {
            self.verdicts.push(envelope.clone());
        } else {
            self.write(envelope);
        }
    }

    fn log(&mut self, run: RunId, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]) {
        let (Ok(job), Ok(step)) = (serde_json::to_string(job), serde_json::to_string(step)) else { return };
        let before = format!(r#"{{"event":"log","job":{job},"step":{step},"line":"#);
        let after = format!(",\"run\":{run},\"at\":{}}}\n", at.0);
        self.buffer.clear();
        let Ok(text) = std::str::from_utf8(lines) else { return };
        for line in text.split_terminator('\n') {
            self.buffer.extend_from_slice(before.as_bytes());
            // Writing a string into memory cannot fail.
            let _ = serde_json::to_writer(&mut self.buffer, line);
            self.buffer.extend_from_slice(after.as_bytes());
        }
        self.put();
    }

    fn close(&mut self) {
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.sort_by_key(|verdict| match verdict.event {
            RunEvent::RunFinished { conclusion, .. } => badness(conclusion),
            _ => 0,
        });
        verdicts.iter().for_each(|verdict| self.write(verdict));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn log_lines_are_the_same_json_as_the_event_type_gives_and_the_worst_verdict_is_last() {
        let out = Shared::default();
        let mut reporter = JsonReporter::new(Box::new(out.clone()));
        let (run, at, job) = (RunId(3), Timestamp(9), JobKey::new("a \"b\""));
        reporter.event(&Envelope {
            event: RunEvent::RunFinished { conclusion: Conclusion::Failure, duration_ms: 1 },
            run,
            at,
        });
        reporter.log(run, &job, "s", at, b"x\ty\n\n");
        reporter.event(&Envelope {
            event: RunEvent::RunFinished { conclusion: Conclusion::Success, duration_ms: 1 },
            run,
            at,
        });
        reporter.close();
        let text = String::from_utf8(out.0.lock().expect("not poisoned").clone()).expect("JSON is text");
        let events: Vec<Envelope> = text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        let line = |line: &str| RunEvent::Log { job: job.clone(), step: "s".into(), line: line.into() };
        assert_eq!(events[0], Envelope { event: line("x\ty"), run, at });
        assert_eq!(events[1].event, line(""));
        assert!(matches!(events[3].event, RunEvent::RunFinished { conclusion: Conclusion::Failure, .. }));
    }
}
