//! The lines that begin a step's log: what is run, with what, and in which environment.
//!
//! # Source
//! Section 1.7 of the protocol notes: users search for these lines.

use std::fmt::Write;

use crate::environment::Env;

/// Writes the group that opens a step's log. Not masked yet.
#[derive(Debug)]
pub(crate) struct Header(String);

impl Header {
    /// `title` is the script's first line or the action.
    pub(crate) fn new(title: &str) -> Self {
        Self(format!("##[group]Run {title}\n"))
    }

    /// The script itself, in cyan.
    pub(crate) fn script(&mut self, script: &str) {
        for line in script.trim_end_matches('\n').split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            self.push(format_args!("\x1b[36;1m{line}\x1b[0m\n"));
        }
    }

    pub(crate) fn shell(&mut self, program: &str, arguments: &str) {
        self.push(format_args!("shell: {program} {arguments}\n"));
    }

    /// Inputs of an action; empty ones are not shown.
    pub(crate) fn with<'i>(&mut self, inputs: impl Iterator<Item = (&'i str, &'i str)>) {
        self.block("with", inputs.filter(|(_, value)| !value.is_empty()));
    }

    /// Variables that the workflow, the job, earlier steps and this step set; later layers win.
    pub(crate) fn env(&mut self, layers: &[&Env]) {
        let mut env = Env::default();
        layers.iter().for_each(|layer| env.lay_over(layer));
        self.block("env", env.iter());
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push_str("##[endgroup]\n");
        self.0
    }

    fn block<'i>(&mut self, name: &str, entries: impl Iterator<Item = (&'i str, &'i str)>) {
        for (at, (key, value)) in entries.enumerate() {
            if at == 0 {
                self.push(format_args!("{name}:\n"));
            }
            self.push(format_args!("  {key}: {value}\n"));
        }
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(line);
    }
}
