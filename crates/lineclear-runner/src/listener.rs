//! Takes in what the streams of a step say.

use std::sync::Mutex;

use lineclear_command::{Ear, Matchers, Said};

use crate::job::Job;
use crate::log::StepLog;
use crate::plain_file;
use crate::ports::lock;

/// Matcher files are small; one larger than this is something else.
const LARGEST_MATCHER: u64 = 1 << 20;

/// What a step's streams asked for.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) state: Vec<(String, String)>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) paths: Vec<String>,
    pub(crate) failures: Vec<String>,
}

/// Shows what is said, applies what counts at once, and keeps the rest.
pub(crate) struct Listener<'s> {
    log: &'s StepLog<'s>,
    matchers: &'s Mutex<Matchers>,
    job: &'s Job<'s>,
    pub(crate) heard: Heard,
}

impl<'s> Listener<'s> {
    pub(crate) fn new(log: &'s StepLog<'s>, matchers: &'s Mutex<Matchers>, job: &'s Job<'s>) -> Self {
        Self { log, matchers, job, heard: Heard::default() }
    }

    pub(crate) fn into_outputs(self) -> Vec<(String, String)> {
        self.heard.outputs
    }

    fn matcher_file(&self, path: &str) -> Result<String, String> {
        let path = self.job.room.layout().workspace.join(path);
        let path = self.job.here(&path);
        plain_file::read(&path, LARGEST_MATCHER)
            .map_err(|error| format!("cannot read the problem matcher `{}`: {error}", path.display()))
    }

    fn fail(&mut self, message: String) {
        self.log.error(&message);
        self.heard.failures.push(message);
    }
}

impl Ear for Listener<'_> {
    fn said(&mut self, said: Said) {
        match said {
            Said::SetOutput { name, value } => self.heard.outputs.push((name, value)),
            Said::SaveState { name, value } => self.heard.state.push((name, value)),
            Said::SetEnv { name, value } => self.heard.env.push((name, value)),
            Said::AddPath(folder) => self.heard.paths.push(folder),
            Said::Annotation(note) => self.log.annotate(note),
            Said::AddMatcher(path) => {
                let added = self.matcher_file(&path).and_then(|json| {
                    lock(self.matchers)
                        .add(&json)
                        .map_err(|error| format!("the problem matcher `{path}` is not valid: {error}"))
                });
                if let Err(message) = added {
                    self.fail(message);
                }
            }
            Said::RemoveMatcherFile(path) => {
                let owners = self.matcher_file(&path).and_then(|json| {
                    Matchers::owners(&json)
                        .map_err(|error| format!("the problem matcher `{path}` is not valid: {error}"))
                });
                match owners {
                    Ok(owners) => owners.iter().for_each(|owner| lock(self.matchers).remove(owner)),
                    Err(message) => self.fail(message),
                }
            }
            // The interpreter has shown and annotated it already.
            Said::Failed(message) => self.heard.failures.push(message),
        }
    }

    fn lines(&mut self, masked: &[u8]) {
        self.log.lines(masked);
    }
}
