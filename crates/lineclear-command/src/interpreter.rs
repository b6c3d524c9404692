//! A step's output, understood while it streams.

use std::sync::{Arc, Mutex};

use crate::{Matchers, Note, SharedMasker};

/// Something a step said that changes more than its log. Values are not masked: they are for the runner's use.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    SetOutput {
        name: String,
        value: String,
    },
    SaveState {
        name: String,
        value: String,
    },
    /// `set-env`; only where insecure commands are allowed.
    SetEnv {
        name: String,
        value: String,
    },
    /// `add-path`; only where insecure commands are allowed.
    AddPath(String),
    /// From a command or a matcher; the message is masked.
    Annotation(Note),
    /// Path of a matcher file, relative to the workspace.
    AddMatcher(String),
    RemoveMatcherFile(String),
    /// A command was wrong in a way that fails the step; the sentence says how.
    Failed(String),
}

/// Who listens to a step.
pub trait Ear {
    fn said(&mut self, said: Said);

    /// Complete masked lines, each ending in a newline, ready to be shown and kept.
    fn lines(&mut self, masked: &[u8]);
}

/// What a step may say.
#[derive(Clone, Copy, Debug, Default)]
pub struct InterpreterSettings {
    /// `ACTIONS_ALLOW_UNSECURE_COMMANDS=true`.
    pub insecure_commands: bool,
    /// `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS=true`.
    pub insecure_stop_tokens: bool,
    /// Step debugging is on: `debug` lines are shown, commands are echoed.
    pub debug: bool,
}

/// Reads the two streams of one step.
#[derive(Debug)]
pub struct Interpreter {}

impl Interpreter {
    pub fn new(_settings: InterpreterSettings, _masker: SharedMasker, _matchers: Arc<Mutex<Matchers>>) -> Self {
        Self {}
    }

    /// More bytes of a stream: 0 is standard output, 1 standard error.
    pub fn feed(&mut self, _stream: usize, _bytes: &[u8], _ear: &mut dyn Ear) {
        unimplemented!()
    }

    /// Both streams are at their end: what is left without a newline becomes a line.
    pub fn finish(&mut self, _ear: &mut dyn Ear) {
        unimplemented!()
    }
}
