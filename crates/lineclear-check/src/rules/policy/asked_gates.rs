//! The gates that steps and commands ask.

use lineclear_shell::{Command, Word};
use lineclear_source::Span;

use crate::{File, ScriptSite};

/// What asks a gate, and which.
#[derive(Debug, Default)]
pub(super) struct AskedGates {
    /// Names as they are written, each with its place.
    pub(super) named: Vec<(String, Span)>,
    /// Whether something asks all gates, or one that only a run tells.
    pub(super) asks_others: bool,
}

impl AskedGates {
    /// Those of the steps of a workflow or action.
    pub(super) fn of(file: &File<'_>) -> Self {
        let mut asked = Self::default();
        for site in file.uses().iter().filter(|site| site.is("lineclear/gate")) {
            match site.input("gate") {
                Some(value) if value.template.as_literal().is_some() => {
                    asked.named.push((value.raw().trim().to_owned(), value.span()));
                }
                _ => asked.asks_others = true,
            }
        }
        for script in file.scripts().iter().filter(|script| script.raw().contains("lineclear")) {
            // A script of a language that cannot be taken apart may ask any.
            asked.asks_others |= script.language.is_none() && script.raw().contains("gate");
            for command in &script.script().commands {
                asked.add(command, script);
            }
        }
        asked
    }

    /// `lineclear gate --gate NAME`, `lineclear gate --gate=NAME`, or `lineclear gate`, which asks all of them.
    fn add(&mut self, command: &Command, script: &ScriptSite<'_>) {
        let Some(("lineclear", arguments)) = command.program() else { return };
        let is_gate = |word: &Word| word.literal() == Some("gate");
        let is_flag = |word: &&Word| word.text == "--gate" || word.text.starts_with("--gate=");
        let flags: Vec<usize> =
            (0..arguments.len()).filter(|at| arguments.get(*at).as_ref().is_some_and(is_flag)).collect();
        if flags.is_empty() {
            self.asks_others |= arguments.iter().any(is_gate);
        }
        for at in flags {
            let is_apart = arguments.get(at).is_some_and(|word| word.text == "--gate");
            let Some(word) = arguments.get(if is_apart { at + 1 } else { at }) else { continue };
            match word.literal() {
                Some(text) => {
                    let name = text.strip_prefix("--gate=").filter(|_| !is_apart).unwrap_or(text);
                    self.named.push((name.to_owned(), script.span_of(word.span.clone())));
                }
                None => self.asks_others = true,
            }
        }
    }
}
