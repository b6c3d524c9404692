//! Physical lines, and the lines that a continuation joins.

use lineclear_source::Span;

use crate::Text;

/// Walks over the lines of a file.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    at: usize,
    pub(crate) escape: char,
    /// Every comment from its `#`.
    pub(crate) comments: Vec<Span>,
    /// Empty lines inside of a continued instruction.
    pub(crate) empty_continuations: Vec<Span>,
}

/// One line without its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) start: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, escape: '\\', comments: Vec::new(), empty_continuations: Vec::new() }
    }

    /// The next physical line, without moving on.
    pub(crate) fn peek(&self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split('\n').next().unwrap_or_default();
        Some(Line { text: line.strip_suffix('\r').unwrap_or(line), start: self.at })
    }

    /// The next physical line.
    pub(crate) fn next_line(&mut self) -> Option<Line<'a>> {
        let line = self.peek()?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        Some(line)
    }

    /// The next instruction's text: continued lines joined, comments and empty lines left out.
    pub(crate) fn next_instruction(&mut self) -> Option<Text> {
        loop {
            let line = self.next_line()?;
            let trimmed = line.text.trim_start();
            let indent = line.text.len() - trimmed.len();
            if trimmed.is_empty() {
                continue;
            }
            if trimmed.starts_with('#') {
                self.comment(line, indent);
                continue;
            }
            let mut text = Text::default();
            let (content, mut continues) = self.without_continuation(trimmed);
            text.push(content, line.start + indent);
            while continues {
                let Some(line) = self.next_line() else { break };
                let trimmed = line.text.trim_start();
                if trimmed.starts_with('#') {
                    self.comment(line, line.text.len() - trimmed.len());
                } else if trimmed.is_empty() {
                    self.empty_continuations.push(Span::new(line.start, line.start + line.text.len()));
                } else {
                    let content;
                    (content, continues) = self.without_continuation(line.text);
                    text.push(content, line.start);
                }
            }
            return Some(text);
        }
    }

    /// The lines up to one that is `delimiter` alone; `None` where there is no such line. With `strip_tabs`, tabs at the start of
    /// a line do not count.
    pub(crate) fn here_document(&mut self, delimiter: &str, strip_tabs: bool) -> Option<Text> {
        let mut body = Text::verbatim("", self.at);
        loop {
            let line = self.next_line()?;
            let content = if strip_tabs { line.text.trim_start_matches('\t') } else { line.text };
            if content == delimiter {
                return Some(body);
            }
            let start = line.start + (line.text.len() - content.len());
            body.push(content, start);
            body.push("\n", start + content.len());
        }
    }

    pub(crate) fn comment(&mut self, line: Line<'_>, indent: usize) {
        self.comments.push(Span::new(line.start + indent, line.start + line.text.len()));
    }

    /// The line without the escape character at its end, and whether it had one. A doubled one is text.
    fn without_continuation<'l>(&self, line: &'l str) -> (&'l str, bool) {
        let trimmed = line.trim_end_matches([' ', '\t']);
        match trimmed.strip_suffix(self.escape) {
            Some(content) if !content.ends_with(self.escape) => (content, true),
            _ => (line, false),
        }
    }
}
