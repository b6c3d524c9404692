//! A step's output, understood while it streams.
//!
//! Output comes in pieces of any size. Whole lines are looked at for commands and problems, masked, and handed on in bulk:
//! a block of ordinary lines costs one search for secrets and one copy, whatever the number of lines in it.
//!
//! # Source
//! `OutputManager.cs` and `ActionCommandManager.cs` of `actions/runner`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_event::AnnotationLevel;
use memchr::{memchr, memmem, memrchr};

use crate::annotation::log_prefix;
use crate::{Command, Masker, Matchers, Note, SharedMasker};

/// A line longer than this is shown in pieces: a step that never ends its line must not fill the memory.
const LONGEST_LINE: usize = 1 << 20;
/// Annotations of one kind that a step may make; further ones are only in the log.
const ANNOTATIONS_PER_LEVEL: usize = 10;

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

    /// Complete masked lines, each ending in a newline, ready to be shown and kept. Always valid UTF-8.
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
pub struct Interpreter {
    settings: InterpreterSettings,
    shared: SharedMasker,
    masker: Masker,
    masker_generation: u64,
    matchers: Arc<Mutex<Matchers>>,
    streams: [Stream; 2],
    /// While set, only the command of this name is understood.
    stop_token: Option<String>,
    echo: bool,
    annotations: [usize; 3],
    warned_set_output: bool,
    warned_save_state: bool,
    masked: Vec<u8>,
}

/// What is left of one stream until its line is complete.
#[derive(Debug, Default)]
struct Stream {
    pending: Vec<u8>,
    /// A carriage return ended the last piece: a newline right after it belongs to it.
    after_return: bool,
    /// The line's front has been shown already, so its rest cannot be a command.
    mid_line: bool,
}

impl Interpreter {
    pub fn new(settings: InterpreterSettings, masker: SharedMasker, matchers: Arc<Mutex<Matchers>>) -> Self {
        Self {
            settings,
            // Generation 0 is that of a masker without secrets.
            masker: Masker::default(),
            masker_generation: 0,
            shared: masker,
            matchers,
            streams: [Stream::default(), Stream::default()],
            stop_token: None,
            echo: settings.debug,
            annotations: [0; 3],
            warned_set_output: false,
            warned_save_state: false,
            masked: Vec::new(),
        }
    }

    /// More bytes of a stream: 0 is standard output, any other number standard error.
    pub fn feed(&mut self, stream: usize, bytes: &[u8], ear: &mut dyn Ear) {
        let at = stream.min(1);
        let bytes = self.streams[at].with_plain_line_ends(bytes);
        let Some(last_newline) = memrchr(b'\n', &bytes) else {
            self.streams[at].pending.extend_from_slice(&bytes);
            self.cut_long_line(at, ear);
            return;
        };
        let (complete, rest) = bytes.split_at(last_newline + 1);
        let mut pending = std::mem::take(&mut self.streams[at].pending);
        let mid_line = std::mem::take(&mut self.streams[at].mid_line);
        if pending.is_empty() && !mid_line {
            self.complete_lines(complete, ear);
        } else {
            let first_newline = memchr(b'\n', complete).unwrap_or(last_newline);
            let (first, others) = complete.split_at(first_newline + 1);
            pending.extend_from_slice(first);
            if mid_line {
                self.show(&pending, ear);
            } else {
                self.complete_lines(&pending, ear);
            }
            if !others.is_empty() {
                self.complete_lines(others, ear);
            }
        }
        // The emptied buffer is used again.
        pending.clear();
        pending.extend_from_slice(rest);
        self.streams[at].pending = pending;
        self.cut_long_line(at, ear);
    }

    /// Both streams are at their end: what is left without a newline becomes a line.
    pub fn finish(&mut self, ear: &mut dyn Ear) {
        for at in 0..2 {
            let Stream { mut pending, mid_line, .. } = std::mem::take(&mut self.streams[at]);
            if pending.is_empty() && !mid_line {
                continue;
            }
            pending.push(b'\n');
            if mid_line {
                self.show(&pending, ear);
            } else {
                self.complete_lines(&pending, ear);
            }
        }
    }

    fn cut_long_line(&mut self, at: usize, ear: &mut dyn Ear) {
        if self.streams[at].pending.len() <= LONGEST_LINE {
            return;
        }
        self.renew_masker();
        let mut pending = std::mem::take(&mut self.streams[at].pending);
        let cut = match self.masker.safe_cut(&pending) {
            // One secret after the other, without end: the pieces are masks anyhow.
            0 => pending.len().saturating_sub(self.masker.longest()),
            cut => cut,
        };
        // A cut inside a character would show it as two broken ones.
        let cut =
            (cut.saturating_sub(3)..=cut).rev().find(|&at| pending.get(at).is_none_or(|byte| byte & 0xC0 != 0x80));
        let rest = pending.split_off(cut.unwrap_or(0).max(1).min(pending.len()));
        pending.push(b'\n');
        self.show(&pending, ear);
        self.streams[at] = Stream { pending: rest, mid_line: true, ..Stream::default() };
    }

    /// Lines that are complete and stand at their own beginning.
    fn complete_lines(&mut self, block: &[u8], ear: &mut dyn Ear) {
        let mut matching = self.is_matching();
        if !matching && !may_hold_command(block) {
            return self.show(block, ear);
        }
        // Ordinary lines between commands are shown together.
        let mut shown = 0;
        let mut start = 0;
        while start < block.len() {
            let end = memchr(b'\n', &block[start..]).map_or(block.len(), |at| start + at + 1);
            let line = &block[start..end];
            let is_candidate = may_hold_command(line);
            if matching || is_candidate {
                let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
                let command = if is_candidate { Command::parse(&text) } else { None };
                if let Some(command) = command.filter(|command| self.understands(&command.name)) {
                    self.show(&block[shown..start], ear);
                    shown = end;
                    self.obey(&command, &text, ear);
                    // The command may have added the first matcher, or removed the last.
                    matching = self.is_matching();
                } else if matching {
                    // What the line means is told after the line itself.
                    let seen = self.matchers.lock().unwrap_or_else(PoisonError::into_inner).see(&text);
                    if let Some(note) = seen {
                        self.show(&block[shown..end], ear);
                        shown = end;
                        self.annotate(note, ear);
                    }
                }
            }
            start = end;
        }
        self.show(&block[shown..], ear);
    }

    fn is_matching(&self) -> bool {
        !self.matchers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn understands(&self, name: &str) -> bool {
        match &self.stop_token {
            Some(token) => token.eq_ignore_ascii_case(name),
            None => COMMANDS.contains(&name),
        }
    }

    fn obey(&mut self, command: &Command, line: &str, ear: &mut dyn Ear) {
        if self.stop_token.take().is_some() {
            return self.show_line(line, ear);
        }
        let quiet = matches!(
            command.name.as_str(),
            "add-mask" | "echo" | "debug" | "notice" | "warning" | "error" | "group" | "endgroup" | "stop-commands"
        );
        if self.echo && !quiet {
            self.show_line(line, ear);
        }
        match command.name.as_str() {
            "debug" if self.settings.debug => self.show_line(&format!("##[debug]{}", command.data), ear),
            "notice" | "warning" | "error" => {
                if let Some(note) = Note::from_command(command) {
                    self.show_line(&format!("{}{}", log_prefix(note.level), note.message), ear);
                    self.annotate(note, ear);
                }
            }
            "group" => self.show_line(&format!("##[group]{}", command.data), ear),
            "endgroup" => self.show_line("##[endgroup]", ear),
            "add-mask" => {
                if command.data.trim().is_empty() {
                    self.warn("Can't add secret mask for empty string in ##[add-mask] command.", ear);
                } else {
                    self.shared.add(&command.data);
                }
            }
            "set-output" => {
                if !std::mem::replace(&mut self.warned_set_output, true) {
                    self.warn(&deprecated("set-output", "GITHUB_OUTPUT"), ear);
                }
                match command.property("name") {
                    Some(name) => ear.said(Said::SetOutput { name: name.to_owned(), value: command.data.clone() }),
                    None => self.fail(line, "Required field 'name' is missing in ##[set-output] command.", ear),
                }
            }
            "save-state" => {
                if !std::mem::replace(&mut self.warned_save_state, true) {
                    self.warn(&deprecated("save-state", "GITHUB_STATE"), ear);
                }
                match command.property("name") {
                    Some(name) => ear.said(Said::SaveState { name: name.to_owned(), value: command.data.clone() }),
                    None => self.fail(line, "Required field 'name' is missing in ##[save-state] command.", ear),
                }
            }
            "set-env" if !self.settings.insecure_commands => self.fail(line, &disabled("set-env", "GITHUB_ENV"), ear),
            "set-env" => match command.property("name") {
                Some(name) if name.eq_ignore_ascii_case("NODE_OPTIONS") => {
                    self.fail(line, "Can't update NODE_OPTIONS environment variable using ::set-env:: command.", ear);
                }
                Some(name) => ear.said(Said::SetEnv { name: name.to_owned(), value: command.data.clone() }),
                None => self.fail(line, "Required field 'name' is missing in ##[set-env] command.", ear),
            },
            "add-path" if !self.settings.insecure_commands => {
                self.fail(line, &disabled("add-path", "GITHUB_PATH"), ear)
            }
            "add-path" if command.data.is_empty() => {
                self.fail(line, "Path can't be empty in ##[add-path] command.", ear)
            }
            "add-path" => ear.said(Said::AddPath(command.data.clone())),
            "add-matcher" if command.data.is_empty() => {
                self.warn("File path must be specified in ##[add-matcher] command.", ear);
            }
            "add-matcher" => ear.said(Said::AddMatcher(command.data.clone())),
            "remove-matcher" => self.remove_matcher(command, line, ear),
            "echo" => match command.data.trim().to_ascii_lowercase().as_str() {
                "on" => self.echo = true,
                "off" => self.echo = false,
                other => {
                    let wrong = format!(
                        "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{other}'."
                    );
                    self.fail(line, &wrong, ear);
                }
            },
            "stop-commands" => self.stop_commands(&command.data, line, ear),
            // `internal-set-repo-path` is for the hosted runner's own plug-ins only.
            _ => {}
        }
    }

    fn remove_matcher(&mut self, command: &Command, line: &str, ear: &mut dyn Ear) {
        match (command.property("owner"), command.data.as_str()) {
            (Some(owner), "") => self.matchers.lock().unwrap_or_else(PoisonError::into_inner).remove(owner),
            (None, "") => {
                self.fail(line, "Either an owner or a file path is needed in ##[remove-matcher] command.", ear)
            }
            (None, file) => ear.said(Said::RemoveMatcherFile(file.to_owned())),
            (Some(_), _) => {
                self.fail(line, "An owner and a file path cannot both be given in ##[remove-matcher] command.", ear)
            }
        }
    }

    fn stop_commands(&mut self, token: &str, line: &str, ear: &mut dyn Ear) {
        let name = token.to_ascii_lowercase();
        let unfit = token.is_empty() || COMMANDS.contains(&name.as_str()) || name == "pause-logging";
        if unfit && !self.settings.insecure_stop_tokens {
            let wrong = "Invalid token for ##[stop-commands]: it must not be empty or the name of a command. \
                Set ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS=true to allow it.";
            return self.fail(line, wrong, ear);
        }
        self.show_line(line, ear);
        if token.len() > 6 {
            self.shared.add(token);
        }
        self.stop_token = Some(token.to_owned());
    }

    fn fail(&mut self, line: &str, why: &str, ear: &mut dyn Ear) {
        let line = self.shared.mask(line).into_owned();
        let why = self.shared.mask(why).into_owned();
        for message in [format!("Unable to process command '{line}' successfully."), why.clone()] {
            self.remark(AnnotationLevel::Error, &message, ear);
        }
        ear.said(Said::Failed(why));
    }

    fn warn(&mut self, message: &str, ear: &mut dyn Ear) {
        self.remark(AnnotationLevel::Warning, message, ear);
    }

    /// The interpreter's own words: a line and an annotation.
    fn remark(&mut self, level: AnnotationLevel, message: &str, ear: &mut dyn Ear) {
        self.show_line(&format!("{}{message}", log_prefix(level)), ear);
        self.annotate(Note::new(level, message), ear);
    }

    fn annotate(&mut self, note: Note, ear: &mut dyn Ear) {
        let made = &mut self.annotations[match note.level {
            AnnotationLevel::Notice => 0,
            AnnotationLevel::Warning => 1,
            AnnotationLevel::Error => 2,
        }];
        *made += 1;
        if *made > ANNOTATIONS_PER_LEVEL {
            return;
        }
        self.renew_masker();
        ear.said(Said::Annotation(note.masked(&self.masker)));
    }

    fn show_line(&mut self, text: &str, ear: &mut dyn Ear) {
        let mut line = Vec::with_capacity(text.len() + 1);
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        self.show(&line, ear);
    }

    /// Masks and hands on lines.
    fn show(&mut self, block: &[u8], ear: &mut dyn Ear) {
        if block.is_empty() {
            return;
        }
        self.renew_masker();
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        let text = if self.masker.mask_into(block, &mut masked) { &*masked } else { block };
        match std::str::from_utf8(text) {
            Ok(text) => ear.lines(text.as_bytes()),
            Err(_) => ear.lines(String::from_utf8_lossy(text).as_bytes()),
        }
        self.masked = masked;
    }

    fn renew_masker(&mut self) {
        let generation = self.shared.generation();
        if generation != self.masker_generation {
            self.masker = self.shared.current();
            self.masker_generation = generation;
        }
    }
}

impl Stream {
    /// The bytes with a newline for each `\r\n` and each `\r`, as the hosted runner's line reader takes them.
    fn with_plain_line_ends<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let bytes = match bytes {
            [b'\n', rest @ ..] if self.after_return => rest,
            _ => bytes,
        };
        if !bytes.is_empty() {
            self.after_return = bytes.last() == Some(&b'\r');
        }
        if memchr(b'\r', bytes).is_none() {
            return Cow::Borrowed(bytes);
        }
        let mut plain = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = memchr(b'\r', rest) {
            plain.extend_from_slice(&rest[..at]);
            plain.push(b'\n');
            rest = &rest[at + 1..];
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        plain.extend_from_slice(rest);
        Cow::Owned(plain)
    }
}

const COMMANDS: &[&str] = &[
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "internal-set-repo-path",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// Whether a line of `block` may be a command: quick, and never wrongly no.
fn may_hold_command(block: &[u8]) -> bool {
    memmem::find(block, b"##[").is_some()
        || memmem::find_iter(block, b"::").any(|at| {
            // White space of any kind may stand before it; the last byte of a wide space is not ASCII.
            block[..at].last().is_none_or(|before| before.is_ascii_whitespace() || !before.is_ascii())
        })
}

fn deprecated(command: &str, file: &str) -> String {
    format!(
        "The `{command}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files: \
         write to the file that ${file} names."
    )
}

fn disabled(command: &str, file: &str) -> String {
    format!(
        "The `{command}` command is disabled. Please upgrade to using Environment Files (write to the file that ${file} names) \
         or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`."
    )
}

#[cfg(test)]
mod tests;
