//! What one step shows: its lines, its annotations, its summary. Everything passes the job's masks on its way.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use lineclear_command::{Note, NoteOrigin, SharedMasker, log_prefix};
use lineclear_event::{Annotation, AnnotationLevel, Fact, RunEvent};
use serde_json::Value;

use crate::annotated_file::{self, Repository};
use crate::job::Job;
use crate::ports::lock;

/// The log of one visible step. Steps inside a composite action write to the log of the step that called it.
#[derive(Clone)]
pub(crate) struct StepLog<'a> {
    job: &'a Job<'a>,
    step: Arc<str>,
}

impl fmt::Debug for StepLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StepLog").field(&self.step).finish()
    }
}

impl<'a> StepLog<'a> {
    pub(crate) fn new(job: &'a Job<'a>, step: &str) -> Self {
        Self { job, step: step.into() }
    }

    /// One line or several, not masked yet; a newline at the end is added where it is missing.
    pub(crate) fn show(&self, text: &str) {
        let masked = self.job.masker.mask(text);
        if masked.ends_with('\n') {
            self.lines(masked.as_bytes());
        } else {
            let mut line = masked.into_owned();
            line.push('\n');
            self.lines(line.as_bytes());
        }
    }

    /// Complete lines that are masked already.
    pub(crate) fn lines(&self, masked: &[u8]) {
        let hands = self.job.hands;
        hands.sink.log(&self.job.spec.job, &self.step, (hands.clock)(), masked);
    }

    /// Shown only when step debugging is on.
    pub(crate) fn debug(&self, text: impl FnOnce() -> String) {
        if self.job.debug {
            self.show(&format!("##[debug]{}", text()));
        }
    }

    pub(crate) fn error(&self, message: &str) {
        self.say(AnnotationLevel::Error, message);
    }

    pub(crate) fn warning(&self, message: &str) {
        self.say(AnnotationLevel::Warning, message);
    }

    pub(crate) fn notice(&self, message: &str) {
        self.say(AnnotationLevel::Notice, message);
    }

    /// A line of the log and an annotation, as a command of that name would make them.
    pub(crate) fn say(&self, level: AnnotationLevel, message: &str) {
        let message = self.job.masker.mask(message);
        self.lines(format!("{}{message}\n", log_prefix(level)).as_bytes());
        self.annotate(Note::new(level, &*message).masked(&self.job.masker.current()));
    }

    /// An annotation whose texts are masked already.
    pub(crate) fn annotate(&self, note: Note) {
        let Note { origin, level, message, title, file, line, end_line, column, end_column } = note;
        let file = file.and_then(|file| self.annotated_file(origin, &file));
        self.job.hands.sink.event(RunEvent::Annotation(Annotation {
            job: self.job.spec.job.clone(),
            step: self.step.to_string(),
            level,
            message,
            title,
            file,
            line,
            end_line,
            column,
            end_column,
        }));
    }

    fn annotated_file(&self, origin: NoteOrigin, file: &str) -> Option<String> {
        let workspace = &self.job.room.layout().workspace;
        let file = self.job.here(Path::new(file));
        let file = &*file.to_string_lossy();
        if origin == NoteOrigin::Command {
            return Some(annotated_file::named(workspace, file));
        }
        let github = &self.job.contexts.github;
        let (server_url, name) = (github.get("server_url").to_text(), github.get("repository").to_text());
        match annotated_file::guessed(workspace, Repository { server_url: &server_url, name: &name }, file) {
            Ok(file) => Some(file),
            Err(why) => {
                self.debug(|| format!("The annotation is without its file `{file}`: {why}"));
                None
            }
        }
    }

    pub(crate) fn fact(&self, fact: &Fact) {
        if let Fact::Findings(found) = fact {
            lock(&self.job.told_reports).insert(found.name.clone());
        }
        match masked_fact(&self.job.masker, fact) {
            Some(fact) => self.job.hands.sink.event(RunEvent::Fact {
                job: self.job.spec.job.clone(),
                step: self.step.to_string(),
                fact,
            }),
            None => self.debug(|| "What the step was found to have done is not recorded: a mask hides its form".into()),
        }
    }

    pub(crate) fn summary(&self, markdown: &str) {
        self.job.hands.sink.event(RunEvent::Summary {
            job: self.job.spec.job.clone(),
            step: self.step.to_string(),
            markdown: self.job.masker.mask(markdown).into_owned(),
        });
    }
}

/// `fact` with every secret hidden in its texts and names of keys: a report may carry one in any of them. `None` where a mask is
/// a word of the format itself: better nothing than the secret.
pub fn masked_fact(masker: &SharedMasker, fact: &Fact) -> Option<Fact> {
    serde_json::to_value(fact).and_then(|value| serde_json::from_value(masked(masker, value))).ok()
}

fn masked(masker: &SharedMasker, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masker.mask(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(|item| masked(masker, item)).collect(),
        Value::Object(pairs) => {
            pairs.into_iter().map(|(name, value)| (masker.mask(&name).into_owned(), masked(masker, value))).collect()
        }
        other => other,
    }
}
