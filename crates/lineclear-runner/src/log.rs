//! What one step shows: its lines, its annotations, its summary. Everything passes the job's masks on its way.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use lineclear_command::Note;
use lineclear_event::{Annotation, AnnotationLevel, RunEvent};

use crate::job::Job;

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
        let prefix = match level {
            AnnotationLevel::Notice => "##[notice]",
            AnnotationLevel::Warning => "##[warning]",
            AnnotationLevel::Error => "##[error]",
        };
        let message = self.job.masker.mask(message);
        self.lines(format!("{prefix}{message}\n").as_bytes());
        self.annotate(Note::new(level, &*message));
    }

    /// An annotation whose texts are masked already.
    pub(crate) fn annotate(&self, note: Note) {
        let Note { level, message, title, file, line, end_line, column, end_column } = note;
        let file = file.map(|file| relative_to(&self.job.room.layout().workspace, &file));
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

    pub(crate) fn summary(&self, markdown: &str) {
        self.job.hands.sink.event(RunEvent::Summary {
            job: self.job.spec.job.clone(),
            step: self.step.to_string(),
            markdown: self.job.masker.mask(markdown).into_owned(),
        });
    }
}

/// A file as annotations name it: relative to the workspace where it lies in it, with forward slashes.
fn relative_to(workspace: &Path, file: &str) -> String {
    let path = Path::new(file);
    let relative = path.strip_prefix(workspace).unwrap_or(path).to_string_lossy().replace('\\', "/");
    relative.strip_prefix("./").unwrap_or(&relative).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotated_file_is_named_relative_to_the_workspace() {
        let named = |file: &str| relative_to(Path::new("/w/repo/repo"), file);
        assert_eq!(named("/w/repo/repo/src/a.rs"), "src/a.rs");
        assert_eq!(named("./src/a.rs"), "src/a.rs");
        assert_eq!(named("src\\a.rs"), "src/a.rs");
        assert_eq!(named("/usr/include/a.h"), "/usr/include/a.h");
    }
}
