//! `pwsh` and `powershell`: commands, words, pipelines, blocks. Expressions are read as words, as far as that goes.

use std::ops::Range;

use crate::text::{Expressions, MAX_DEPTH, char_len, is_name, name_end};
use crate::word::Builder;
use crate::{Assignment, Command, Connector, Group, GroupKind, Part, Quoting, Redirect, RedirectKind, Script, Word};

/// Takes a script apart.
pub(crate) fn read(text: &str) -> Script {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        end: text.len(),
        depth: 0,
        expressions: Expressions::default(),
        script: Script::default(),
    };
    while reader.at < reader.end {
        reader.list(Context::default());
        // A closing sign that nothing opened.
        reader.skip_char();
    }
    reader.script
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    end: usize,
    depth: usize,
    expressions: Expressions,
    script: Script,
}

/// What holds for the commands that are read.
#[derive(Clone, Copy, Default)]
struct Context {
    inside: Option<usize>,
    group: Option<usize>,
    is_condition: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, offset: usize) -> Option<u8> {
        let at = self.at + offset;
        if at < self.end { self.bytes.get(at).copied() } else { None }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn skip_char(&mut self) {
        self.at = (self.at + char_len(self.text, self.at)).min(self.end);
    }

    fn expression_end(&mut self) -> Option<usize> {
        if self.peek() == Some(b'$') && self.peek_at(1) == Some(b'{') && self.peek_at(2) == Some(b'{') {
            self.expressions.end(self.text, self.at, self.end)
        } else {
            None
        }
    }

    /// Skips blanks, lines that go on, and comments.
    fn skip_blanks(&mut self) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.at += 1,
                (Some(b'`'), Some(b'\n')) => self.at += 2,
                (Some(b'`'), Some(b'\r')) if self.peek_at(2) == Some(b'\n') => self.at += 3,
                (Some(b'#'), _) => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                (Some(b'<'), Some(b'#')) => {
                    let rest = self.rest();
                    self.at += rest.find("#>").map_or(rest.len(), |at| at + 2);
                }
                _ => break,
            }
        }
    }

    fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'\n') {
                break;
            }
            self.at += 1;
        }
    }

    /// The bare word at hand.
    fn keyword(&self) -> &'t str {
        let rest = self.rest();
        let len = rest.bytes().take(12).take_while(u8::is_ascii_alphabetic).count();
        let is_end = matches!(rest.as_bytes().get(len), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'(' | b'{' | b';'));
        if is_end { rest.get(..len).unwrap_or_default() } else { "" }
    }

    /// Statements up to `)` or `}`, which is not taken.
    fn list(&mut self, context: Context) {
        if self.depth >= MAX_DEPTH {
            let rest = self.rest();
            self.at += rest.find([')', '}']).unwrap_or(rest.len());
            return;
        }
        self.depth += 1;
        loop {
            self.skip_lines();
            match self.peek() {
                None | Some(b')' | b'}') => break,
                Some(b';' | b'|' | b',') => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    self.statement(context);
                    if self.at == before {
                        self.skip_char();
                    }
                }
            }
        }
        self.depth -= 1;
    }

    fn statement(&mut self, context: Context) {
        let keyword = self.keyword();
        let kind = match keyword.to_ascii_lowercase().as_str() {
            "if" | "elseif" | "else" | "switch" => GroupKind::Condition,
            "while" | "foreach" | "for" | "do" | "until" => GroupKind::Loop,
            "function" | "filter" => GroupKind::Function,
            "try" | "catch" | "finally" | "begin" | "process" | "end" | "trap" | "param" => GroupKind::Block,
            "return" | "throw" => {
                self.at += keyword.len();
                self.skip_blanks();
                return self.pipeline(context);
            }
            _ if self.peek() == Some(b'{') => GroupKind::Block,
            _ => return self.pipeline(context),
        };
        self.at += keyword.len();
        if kind == GroupKind::Function {
            self.skip_blanks();
            self.at += self.rest().bytes().take_while(|byte| is_name(*byte) || matches!(byte, b'-' | b':')).count();
        }
        loop {
            self.skip_lines();
            match self.peek() {
                Some(b'(') => {
                    self.at += 1;
                    self.list(Context { is_condition: true, ..context });
                    self.close(b')');
                }
                Some(b'{') => {
                    self.group(kind, context);
                    return;
                }
                // `catch [Type] {`
                Some(b'[') => {
                    let rest = self.rest();
                    self.at += rest.find([']', '\n']).map_or(rest.len(), |at| at + 1);
                }
                _ => return,
            }
        }
    }

    /// `{ … }`
    fn group(&mut self, kind: GroupKind, context: Context) {
        let index = self.script.groups.len();
        let first = self.script.commands.len();
        let start = self.at;
        self.script.groups.push(Group {
            kind,
            commands: first..first,
            redirects: Vec::new(),
            parent: context.group,
            span: start..start,
        });
        self.at += 1;
        self.list(Context { group: Some(index), is_condition: false, ..context });
        self.close(b'}');
        let commands = self.script.commands.len();
        if let Some(group) = self.script.groups.get_mut(index) {
            group.commands.end = commands;
            group.span.end = self.at;
        }
    }

    /// Takes the closing sign; another one that stands there is taken in its place.
    fn close(&mut self, wanted: u8) {
        if self.peek() == Some(wanted) || matches!(self.peek(), Some(b')' | b'}')) {
            self.at += 1;
        }
    }

    fn pipeline(&mut self, context: Context) {
        let mut reads_from = None;
        loop {
            let Some(index) = self.command(reads_from, context) else { return };
            self.skip_blanks();
            let connector = match (self.peek(), self.peek_at(1)) {
                (Some(b'|'), Some(b'|')) => Connector::Or,
                (Some(b'&'), Some(b'&')) => Connector::And,
                (Some(b'|'), _) => Connector::Pipe,
                (Some(b'&'), _) => Connector::Background,
                _ => Connector::End,
            };
            if let Some(command) = self.script.commands.get_mut(index) {
                command.connector = connector;
                command.is_condition |= matches!(connector, Connector::And | Connector::Or);
            }
            match connector {
                Connector::End => return,
                Connector::Background => {
                    self.at += 1;
                    return;
                }
                Connector::Pipe => {
                    self.at += 1;
                    reads_from = Some(index);
                }
                Connector::And | Connector::Or => {
                    self.at += 2;
                    reads_from = None;
                }
            }
            self.skip_lines();
        }
    }

    fn command(&mut self, reads_from: Option<usize>, context: Context) -> Option<usize> {
        let index = self.script.commands.len();
        let start = self.at;
        self.script.commands.push(Command {
            words: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
            connector: Connector::End,
            reads_from,
            is_condition: context.is_condition,
            inside: context.inside,
            group: context.group,
            span: start..start,
        });
        let in_words = Context { inside: Some(index), is_condition: false, ..context };
        let (mut words, mut assignments, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        let mut end = start;
        if self.peek() == Some(b'&') && self.peek_at(1) != Some(b'&') {
            words.push(self.bare_word(1));
            end = self.at;
        }
        assignments.extend(self.assignment(in_words));
        if !assignments.is_empty() {
            end = self.at;
        }
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'|' | b')' | b'}') => break,
                Some(b'&') => break,
                Some(_) => {}
            }
            let before = self.at;
            if let Some(redirect) = self.redirect(in_words) {
                redirects.push(redirect);
            } else {
                let word = self.word(in_words);
                if self.at == before {
                    self.skip_char();
                    continue;
                }
                words.push(word);
            }
            end = self.at;
        }
        if words.is_empty() && assignments.is_empty() && redirects.is_empty() {
            self.script.commands.truncate(index);
            return None;
        }
        if let Some(command) = self.script.commands.get_mut(index) {
            command.words = words;
            command.assignments = assignments;
            command.redirects = redirects;
            command.span.end = end;
        }
        Some(index)
    }

    fn bare_word(&mut self, len: usize) -> Word {
        let start = self.at;
        self.at = (self.at + len).min(self.end);
        let mut builder = Builder::new(start);
        builder.literal(self.slice(start..self.at), Quoting::None, start..self.at);
        builder.finish(self.at)
    }

    /// `$NAME = …`, also with a type before it.
    fn assignment(&mut self, context: Context) -> Option<Assignment> {
        let rest = self.rest().as_bytes();
        if rest.first() != Some(&b'$') {
            return None;
        }
        let braces = usize::from(rest.get(1) == Some(&b'{'));
        let from = 1 + braces;
        let is_of_name = |byte: &&u8| is_name(**byte) || **byte == b':';
        let len = rest.get(from..)?.iter().take(128).take_while(is_of_name).count();
        let mut at = from + len + braces;
        at += rest.get(at..)?.iter().take(32).take_while(|byte| **byte == b' ').count();
        at += usize::from(matches!(rest.get(at), Some(b'+' | b'-')));
        if len == 0 || rest.get(at) != Some(&b'=') || rest.get(at + 1) == Some(&b'=') {
            return None;
        }
        let start = self.at;
        let written = self.slice(start + from..start + from + len);
        let name = written.rsplit(':').next().unwrap_or_default().to_owned();
        self.at += at + 1;
        self.skip_lines();
        let from = self.at;
        let value = match self.peek() {
            None | Some(b';' | b'}' | b')') => Builder::new(from).finish(from),
            Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'&' | b'.') => {
                // The value is what commands write.
                if self.depth < MAX_DEPTH {
                    self.depth += 1;
                    self.statement(context);
                    self.depth -= 1;
                }
                let span = from..self.at;
                let mut builder = Builder::new(from);
                if !span.is_empty() {
                    builder.part(Part::Substitution { quoting: Quoting::None, span: span.clone() }, self.slice(span));
                }
                builder.finish(self.at)
            }
            Some(_) => {
                let mut builder = Builder::new(from);
                let mut written = from;
                loop {
                    self.skip_blanks();
                    if matches!(self.peek(), None | Some(b'\n' | b';' | b'|' | b'&' | b')' | b'}')) {
                        break;
                    }
                    let before = self.at;
                    let word = self.word(context);
                    if self.at == before {
                        self.skip_char();
                        continue;
                    }
                    builder.gap(self.slice(written..before));
                    builder.append(word);
                    written = self.at;
                }
                builder.finish(written)
            }
        };
        let end = value.span.end;
        Some(Assignment { name, value, span: start..end })
    }

    fn redirect(&mut self, context: Context) -> Option<Redirect> {
        let start = self.at;
        let has_stream = matches!(self.peek(), Some(b'1'..=b'6' | b'*')) && self.peek_at(1) == Some(b'>');
        let descriptor =
            self.peek().filter(|byte| has_stream && byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
        let sign = self.at + usize::from(has_stream);
        if sign >= self.end || self.bytes.get(sign) != Some(&b'>') {
            return None;
        }
        self.at = sign + 1;
        let kind = match self.peek() {
            Some(b'>') => RedirectKind::Append,
            Some(b'&') => RedirectKind::Duplicate,
            _ => RedirectKind::Write,
        };
        self.at += usize::from(kind != RedirectKind::Write);
        self.skip_blanks();
        let target = self.word(context);
        Some(Redirect { kind, descriptor, target, span: start..self.at, is_open: false })
    }

    fn word(&mut self, context: Context) -> Word {
        let start = self.at;
        let mut builder = Builder::new(start);
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'|' | b';' | b')' | b'}' | b'>' => break,
                b'&' => break,
                b'`' => {
                    if self.peek_at(1).is_none_or(|next| matches!(next, b'\n' | b'\r')) {
                        if builder.is_empty() {
                            self.at += 1;
                        }
                        break;
                    }
                    let from = self.at;
                    self.at += 1;
                    self.skip_char();
                    builder.literal(self.slice(from + 1..self.at), Quoting::None, from..self.at);
                }
                b'\'' => self.single_quoted(&mut builder),
                b'"' => self.double_quoted(&mut builder, context),
                b'@' if matches!(self.peek_at(1), Some(b'\'' | b'"')) => self.here_string(&mut builder, context),
                b'@' if matches!(self.peek_at(1), Some(b'(' | b'{')) => {
                    self.substitution(&mut builder, 2, Quoting::None, context)
                }
                b'(' => self.substitution(&mut builder, 1, Quoting::None, context),
                b'{' => {
                    let from = self.at;
                    if self.depth >= MAX_DEPTH {
                        self.skip_char();
                    } else {
                        self.group(GroupKind::Block, context);
                    }
                    let span = from..self.at;
                    builder.part(Part::Substitution { quoting: Quoting::None, span: span.clone() }, self.slice(span));
                }
                b'$' => self.dollar(&mut builder, Quoting::None, context),
                _ => {
                    let from = self.at;
                    let stops = |byte: u8| byte.is_ascii_whitespace() || b"|;&()>{}`'\"@$".contains(&byte);
                    let rest = self.rest();
                    let len = rest.bytes().skip(1).position(stops).map_or(rest.len(), |at| at + 1);
                    self.at = from + len;
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                    builder.literal(self.slice(from..self.at), Quoting::None, from..self.at);
                }
            }
        }
        builder.finish(self.at)
    }

    fn single_quoted(&mut self, builder: &mut Builder) {
        self.at += 1;
        builder.end_literal();
        let start = self.at;
        loop {
            match (self.peek(), self.peek_at(1)) {
                (None, _) => break,
                (Some(b'\''), Some(b'\'')) => {
                    builder.literal("'", Quoting::Single, self.at..self.at + 2);
                    self.at += 2;
                }
                (Some(b'\''), _) => break,
                (Some(b'$'), _) => match self.expression_end() {
                    Some(end) => self.expression(builder, Quoting::Single, end),
                    None => self.quoted_text(builder, Quoting::Single, 1),
                },
                _ => {
                    let rest = self.rest();
                    let len = rest.bytes().position(|byte| matches!(byte, b'\'' | b'$')).unwrap_or(rest.len());
                    self.quoted_text(builder, Quoting::Single, len);
                }
            }
        }
        self.end_quotes(builder, Quoting::Single, start, 1);
    }

    fn double_quoted(&mut self, builder: &mut Builder, context: Context) {
        self.at += 1;
        builder.end_literal();
        let start = self.at;
        loop {
            match (self.peek(), self.peek_at(1)) {
                (None, _) => break,
                (Some(b'"'), Some(b'"')) => {
                    builder.literal("\"", Quoting::Double, self.at..self.at + 2);
                    self.at += 2;
                }
                (Some(b'"'), _) => break,
                (Some(b'`'), Some(_)) => {
                    let from = self.at;
                    self.at += 1;
                    self.skip_char();
                    let text = match self.slice(from + 1..self.at) {
                        "n" => "\n",
                        "r" => "\r",
                        "t" => "\t",
                        other => other,
                    };
                    builder.literal(text, Quoting::Double, from..self.at);
                }
                (Some(b'$'), _) => self.dollar(builder, Quoting::Double, context),
                _ => {
                    let rest = self.rest();
                    let stops = |byte: u8| matches!(byte, b'"' | b'`' | b'$');
                    let len = rest.bytes().position(stops).unwrap_or(rest.len());
                    self.quoted_text(builder, Quoting::Double, len.max(1));
                }
            }
        }
        self.end_quotes(builder, Quoting::Double, start, 1);
    }

    /// Closes a string that began at `start` with a closing sign of `close` bytes.
    fn end_quotes(&mut self, builder: &mut Builder, quoting: Quoting, start: usize, close: usize) {
        if self.at == start {
            builder.literal("", quoting, start..start);
        }
        builder.end_literal();
        self.at = (self.at + close).min(self.end);
    }

    /// `@'…'@` or `@"…"@`: the closing sign begins a line.
    fn here_string(&mut self, builder: &mut Builder, context: Context) {
        let is_single = self.peek_at(1) == Some(b'\'');
        let (close, quoting) = if is_single { ("\n'@", Quoting::Single) } else { ("\n\"@", Quoting::Double) };
        let rest = self.rest();
        let head = rest.find('\n').unwrap_or(rest.len());
        let body = rest.get(head..).unwrap_or_default();
        // YAML and editors indent it at times; it is meant to end there all the same.
        let (len, close_len) = match body.find(close) {
            Some(at) => (at, close.len()),
            None => (body.len(), 0),
        };
        let start = (self.at + head + 1).min(self.end);
        let end = (self.at + head + len).max(start).min(self.end);
        let behind = (self.at + head + len + close_len).max(end).min(self.end);
        builder.end_literal();
        let outer_end = self.end;
        self.at = start;
        self.end = end;
        while let Some(byte) = self.peek() {
            match byte {
                b'$' if !is_single => self.dollar(builder, quoting, context),
                b'$' => match self.expression_end() {
                    Some(end) => self.expression(builder, quoting, end),
                    None => self.quoted_text(builder, quoting, 1),
                },
                _ => {
                    let rest = self.rest();
                    let len = rest.find('$').unwrap_or(rest.len());
                    self.quoted_text(builder, quoting, len);
                }
            }
        }
        self.end = outer_end;
        builder.end_literal();
        self.at = behind;
    }

    fn quoted_text(&mut self, builder: &mut Builder, quoting: Quoting, len: usize) {
        let from = self.at;
        self.at = (from + len).min(self.end);
        builder.literal(self.slice(from..self.at), quoting, from..self.at);
    }

    fn expression(&mut self, builder: &mut Builder, quoting: Quoting, end: usize) {
        let span = self.at..end;
        self.at = end;
        builder.part(Part::Expression { quoting, span: span.clone() }, self.slice(span));
    }

    fn dollar(&mut self, builder: &mut Builder, quoting: Quoting, context: Context) {
        if let Some(end) = self.expression_end() {
            return self.expression(builder, quoting, end);
        }
        let start = self.at;
        let (name, end) = match self.peek_at(1) {
            Some(b'(') => return self.substitution(builder, 2, quoting, context),
            Some(b'{') => {
                let rest = self.rest();
                let Some(len) = rest.bytes().take(256).position(|byte| byte == b'}') else {
                    return self.quoted_text(builder, quoting, 1);
                };
                (start + 2..start + len, start + len + 1)
            }
            Some(byte) if is_name(byte) => {
                let mut end = name_end(self.bytes, start + 1).max(start + 2).min(self.end);
                let mut from = start + 1;
                // `$env:NAME`, `$script:name`; in a text, `$name: …` ends at the colon.
                if self.bytes.get(end) == Some(&b':') && end < self.end {
                    let scoped = name_end(self.bytes, end + 1).min(self.end);
                    if scoped > end + 1 {
                        from = end + 1;
                        end = scoped;
                    }
                }
                (from..end, end)
            }
            Some(b'?' | b'$' | b'^') => (start + 1..start + 2, start + 2),
            _ => return self.quoted_text(builder, quoting, 1),
        };
        let name = self.slice(name);
        let name = name.rsplit(':').next().unwrap_or_default().to_owned();
        let span = start..end;
        self.at = end;
        builder.part(Part::Variable { name, quoting, span: span.clone() }, self.slice(span));
    }

    /// `( )`, `$( )`, `@( )` or `@{ }`, whose opening sign has `open` bytes.
    fn substitution(&mut self, builder: &mut Builder, open: usize, quoting: Quoting, context: Context) {
        let start = self.at;
        self.at += open;
        self.list(context);
        self.close(b')');
        let span = start..self.at;
        builder.part(Part::Substitution { quoting, span: span.clone() }, self.slice(span));
    }
}
