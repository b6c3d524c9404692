//! `cmd`: commands, words, `%NAME%`, redirections, and what joins commands.

use crate::text::{Expressions, char_len, name_end};
use crate::word::Builder;
use crate::{Command, Connector, Part, Quoting, Redirect, RedirectKind, Script, Word};

/// Takes a script apart.
pub(crate) fn read(text: &str) -> Script {
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, expressions: Expressions::default(), script: Script::default() };
    reader.read();
    reader.script
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    expressions: Expressions,
    script: Script,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn peek_at(&self, offset: usize) -> Option<u8> {
        self.bytes.get(self.at + offset).copied()
    }

    fn slice(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.at += 1,
                (Some(b'^'), Some(b'\n')) => self.at += 2,
                _ => break,
            }
        }
    }

    fn read(&mut self) {
        let mut reads_from = None;
        while let Some(byte) = self.peek() {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'@' | b'(' | b')' | b'&' | b'|') {
                self.at += 1;
                continue;
            }
            let rest = self.text.get(self.at..).unwrap_or_default();
            let is_rem = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("rem"))
                && rest.as_bytes().get(3).is_none_or(u8::is_ascii_whitespace);
            if is_rem || byte == b':' {
                self.at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("else")) {
                self.at += 4;
                continue;
            }
            let before = self.at;
            let connector = self.command(reads_from);
            // Before a pipe with nothing in front of it there is no command to read from.
            reads_from = if connector == Connector::Pipe { self.script.commands.len().checked_sub(1) } else { None };
            if self.at == before {
                self.at += char_len(self.text, self.at);
            }
        }
    }

    fn command(&mut self, reads_from: Option<usize>) -> Connector {
        let start = self.at;
        let (mut words, mut redirects): (Vec<Word>, Vec<Redirect>) = (Vec::new(), Vec::new());
        let mut end = start;
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b'\n' | b'&' | b'|' | b'(' | b')') => break,
                Some(_) => {}
            }
            let before = self.at;
            if let Some(redirect) = self.redirect() {
                redirects.push(redirect);
            } else {
                let word = self.word();
                if self.at == before {
                    self.at += char_len(self.text, self.at);
                    continue;
                }
                let is_do = word.text.eq_ignore_ascii_case("do");
                let is_loop = words.first().is_some_and(|word| word.text.eq_ignore_ascii_case("for"));
                words.push(word);
                if is_do && is_loop {
                    end = self.at;
                    break;
                }
            }
            end = self.at;
        }
        let connector = match (self.peek(), self.peek_at(1)) {
            (Some(b'&'), Some(b'&')) => Connector::And,
            (Some(b'|'), Some(b'|')) => Connector::Or,
            (Some(b'|'), _) => Connector::Pipe,
            _ => Connector::End,
        };
        self.at += match connector {
            Connector::And | Connector::Or => 2,
            Connector::Pipe => 1,
            Connector::End | Connector::Background => 0,
        };
        if !words.is_empty() || !redirects.is_empty() {
            self.script.commands.push(Command {
                words,
                assignments: Vec::new(),
                redirects,
                connector,
                reads_from,
                is_condition: matches!(connector, Connector::And | Connector::Or),
                inside: None,
                group: None,
                span: start..end,
            });
        }
        connector
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let start = self.at;
        let digit = self.peek().filter(u8::is_ascii_digit);
        let sign = usize::from(digit.is_some());
        let kind = match (self.peek_at(sign), self.peek_at(sign + 1)) {
            (Some(b'>'), Some(b'>')) => RedirectKind::Append,
            (Some(b'>' | b'<'), Some(b'&')) => RedirectKind::Duplicate,
            (Some(b'>'), _) => RedirectKind::Write,
            (Some(b'<'), _) => RedirectKind::Read,
            _ => return None,
        };
        let is_long = matches!(kind, RedirectKind::Append | RedirectKind::Duplicate);
        self.at += sign + 1 + usize::from(is_long);
        self.skip_blanks();
        let target = self.word();
        let descriptor = digit.map(|digit| u32::from(digit - b'0'));
        Some(Redirect { kind, descriptor, target, span: start..self.at, is_open: false })
    }

    fn word(&mut self) -> Word {
        let mut builder = Builder::new(self.at);
        let mut quoting = Quoting::None;
        while let Some(byte) = self.peek() {
            let from = self.at;
            match byte {
                b'\n' => break,
                b'\r' if self.peek_at(1) == Some(b'\n') => break,
                b' ' | b'\t' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if quoting == Quoting::None => break,
                b'"' => {
                    self.at += 1;
                    builder.end_literal();
                    if quoting == Quoting::None && self.peek() == Some(b'"') {
                        builder.literal("", Quoting::Double, self.at..self.at);
                    }
                    quoting = if quoting == Quoting::None { Quoting::Double } else { Quoting::None };
                }
                b'^' if quoting == Quoting::None => match self.peek_at(1) {
                    Some(b'\n') => self.at += 2,
                    Some(_) => {
                        self.at += 1;
                        self.at += char_len(self.text, self.at);
                        builder.literal(self.slice(from + 1), quoting, from..self.at);
                    }
                    None => {
                        self.at += 1;
                        builder.literal("^", quoting, from..self.at);
                    }
                },
                b'%' | b'!' if self.variable_end(byte).is_some() => {
                    self.at = self.variable_end(byte).unwrap_or(self.at + 1);
                    let name = self.slice(from).trim_matches(char::from(byte));
                    let name = name.split(':').next().unwrap_or_default().to_owned();
                    builder.part(Part::Variable { name, quoting, span: from..self.at }, self.slice(from));
                }
                b'$' if self.text.get(from..).is_some_and(|rest| rest.starts_with("${{")) => {
                    match self.expressions.end(self.text, from, self.bytes.len()) {
                        Some(end) => {
                            self.at = end;
                            builder.part(Part::Expression { quoting, span: from..end }, self.slice(from));
                        }
                        None => {
                            self.at += 1;
                            builder.literal("$", quoting, from..self.at);
                        }
                    }
                }
                _ => {
                    self.at += char_len(self.text, from);
                    builder.literal(self.slice(from), quoting, from..self.at);
                }
            }
        }
        builder.finish(self.at)
    }

    /// The end of `%NAME%`, `%NAME:…%` or `!NAME!`.
    fn variable_end(&self, sign: u8) -> Option<usize> {
        let end = name_end(self.bytes, self.at + 1);
        if end == self.at + 1 {
            return None;
        }
        match self.bytes.get(end) {
            Some(byte) if *byte == sign => Some(end + 1),
            Some(b':') => {
                let rest = self.bytes.get(end..)?;
                let len = rest.iter().take(128).take_while(|byte| **byte != b'\n').position(|byte| *byte == sign)?;
                Some(end + len + 1)
            }
            _ => None,
        }
    }
}
