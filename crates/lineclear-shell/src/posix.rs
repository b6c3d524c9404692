//! `bash`, `sh` and their like.
//!
//! A recursive descent over the bytes. Every function leaves [`Reader::at`] behind what it read and never behind [`Reader::end`]; what it
//! cannot read it skips. Start reading at [`Reader::list`].

use std::ops::Range;

use crate::program::{is_shell, program_of};
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
        pending: Vec::new(),
        script: Script::default(),
    };
    reader.list(Closers::NONE, Closers::NONE, Context::default());
    reader.script
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Where reading stops: the end of the text, of the backticks, of the here-document.
    end: usize,
    depth: usize,
    expressions: Expressions,
    /// Here-documents whose bodies begin on the next line.
    pending: Vec<Pending>,
    script: Script,
}

/// A here-document whose body is still to come.
struct Pending {
    owner: Owner,
    /// Which of the owner's redirections it is.
    redirect: usize,
    delimiter: String,
    is_quoted: bool,
    strips_tabs: bool,
    context: Context,
}

#[derive(Clone, Copy)]
enum Owner {
    Command(usize),
    Group(usize),
}

/// What holds for the commands that are read.
#[derive(Clone, Copy, Default)]
struct Context {
    inside: Option<usize>,
    group: Option<usize>,
    stdin: Option<usize>,
    is_condition: bool,
    /// Whether it stands between the parentheses of a substitution.
    is_nested: bool,
}

/// The words and signs that close a list.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Closers(u16);

impl Closers {
    const NONE: Self = Self(0);
    const THEN: Self = Self(1);
    const ELSE: Self = Self(1 << 1);
    const ELIF: Self = Self(1 << 2);
    const FI: Self = Self(1 << 3);
    const DO: Self = Self(1 << 4);
    const DONE: Self = Self(1 << 5);
    const ESAC: Self = Self(1 << 6);
    /// `;;`, `;&`, `;;&`
    const CASE_END: Self = Self(1 << 7);
    const BRACE: Self = Self(1 << 8);
    const PARENTHESIS: Self = Self(1 << 9);

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn of_word(word: &str) -> Self {
        match word {
            "then" => Self::THEN,
            "else" => Self::ELSE,
            "elif" => Self::ELIF,
            "fi" => Self::FI,
            "do" => Self::DO,
            "done" => Self::DONE,
            "esac" => Self::ESAC,
            "}" => Self::BRACE,
            _ => Self::NONE,
        }
    }
}

/// Where a word stands: it decides what ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Command,
    /// Inside of `[[ ]]`.
    Test,
    /// Behind `=~`: parentheses and bars belong to it.
    Pattern,
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

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().as_bytes().starts_with(wanted.as_bytes());
        if found {
            self.at += wanted.len();
        }
        found
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

    /// Skips blanks and line continuations.
    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => self.at += 2,
                Some(b'\\') if self.peek_at(1) == Some(b'\r') && self.peek_at(2) == Some(b'\n') => self.at += 3,
                _ => break,
            }
        }
    }

    fn skip_comment(&mut self) {
        if self.peek() == Some(b'#') {
            while let Some(byte) = self.peek() {
                match byte {
                    b'\n' => break,
                    b'$' => match self.expression_end() {
                        Some(end) => self.at = end,
                        None => self.at += 1,
                    },
                    _ => self.at += 1,
                }
            }
        }
    }

    /// Takes a line's end, and the here-documents behind it.
    fn newline(&mut self) {
        self.at += 1;
        if !self.pending.is_empty() {
            for pending in std::mem::take(&mut self.pending) {
                self.here_document(pending);
            }
        }
    }

    /// Skips blanks, comments and line ends.
    fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            self.skip_comment();
            if self.peek() != Some(b'\n') {
                break;
            }
            self.newline();
        }
    }

    /// The bare word at hand, if it could be a keyword.
    fn keyword(&self) -> &'t str {
        let rest = self.rest();
        let end = match rest.as_bytes() {
            [b'{' | b'}' | b'!', ..] => 1,
            [b'[', b'[', ..] => 2,
            bytes => bytes.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count(),
        };
        let is_end =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>');
        let is_continued = |rest: &[u8]| rest.starts_with(b"\\\n");
        let behind = rest.as_bytes().get(end..).unwrap_or_default();
        let ends = behind.first().is_none_or(is_end) || is_continued(behind);
        if ends { rest.get(..end).unwrap_or_default() } else { "" }
    }

    /// Commands up to one of `close`, which is not taken, or of `outer`, at which an enclosing list ends. Gives the last command.
    fn list(&mut self, close: Closers, outer: Closers, context: Context) -> Option<usize> {
        let enclosing = close.or(outer);
        let mut last = None;
        if self.depth >= MAX_DEPTH {
            self.skip_flat(close);
            return None;
        }
        self.depth += 1;
        loop {
            self.skip_lines();
            match self.peek() {
                None => break,
                Some(b')') => {
                    if enclosing.has(Closers::PARENTHESIS) {
                        break;
                    }
                    self.at += 1;
                    continue;
                }
                Some(b';') => {
                    let is_case_end = matches!(self.peek_at(1), Some(b';' | b'&'));
                    if is_case_end && enclosing.has(Closers::CASE_END) {
                        break;
                    }
                    self.at += 1;
                    continue;
                }
                Some(b'&' | b'|') => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let word = self.keyword();
            let closer = Closers::of_word(word);
            if closer != Closers::NONE {
                if enclosing.has(closer) {
                    break;
                }
                self.at += word.len();
                continue;
            }
            let before = self.at;
            last = self.and_or(enclosing, context).or(last);
            if self.at == before {
                self.skip_char();
            }
        }
        self.depth -= 1;
        last
    }

    /// What is nested too deeply is passed over up to its closing parenthesis.
    fn skip_flat(&mut self, close: Closers) {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => open += 1,
                b')' if open == 0 && close.has(Closers::PARENTHESIS) => return,
                b')' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
    }

    fn and_or(&mut self, outer: Closers, context: Context) -> Option<usize> {
        loop {
            let first = self.script.commands.len();
            let last = self.pipeline(outer, context);
            self.skip_blanks();
            let connector = match (self.peek(), self.peek_at(1)) {
                (Some(b'&'), Some(b'&')) => Connector::And,
                (Some(b'|'), Some(b'|')) => Connector::Or,
                (Some(b'&'), _) => Connector::Background,
                _ => Connector::End,
            };
            self.connect(last, connector);
            match connector {
                Connector::And | Connector::Or => {
                    self.mark_conditions(first, context.inside);
                    self.at += 2;
                    self.skip_lines();
                    let closes = Closers::of_word(self.keyword());
                    if self.peek().is_none() || closes != Closers::NONE || self.peek() == Some(b')') {
                        return last;
                    }
                }
                Connector::Background => {
                    self.at += 1;
                    return last;
                }
                Connector::End | Connector::Pipe => return last,
            }
        }
    }

    fn connect(&mut self, last: Option<usize>, connector: Connector) {
        if let Some(command) = last.and_then(|last| self.script.commands.get_mut(last))
            && command.connector == Connector::End
        {
            command.connector = connector;
        }
    }

    /// The exit codes of the commands from `first` on are looked at, but not of those inside of their words.
    fn mark_conditions(&mut self, first: usize, inside: Option<usize>) {
        let commands = self.script.commands.get_mut(first..).unwrap_or_default();
        commands.iter_mut().filter(|command| command.inside == inside).for_each(|command| command.is_condition = true);
    }

    fn pipeline(&mut self, outer: Closers, context: Context) -> Option<usize> {
        let mut is_negated = false;
        while self.keyword() == "!" {
            is_negated = true;
            self.at += 1;
            self.skip_blanks();
        }
        let first = self.script.commands.len();
        let mut stdin = context.stdin;
        let mut last;
        loop {
            last = self.command(outer, Context { stdin, ..context });
            self.skip_blanks();
            if self.peek() != Some(b'|') || self.peek_at(1) == Some(b'|') {
                break;
            }
            self.connect(last, Connector::Pipe);
            self.at += 1;
            self.eat("&");
            stdin = last;
            self.skip_lines();
        }
        if is_negated {
            self.mark_conditions(first, context.inside);
        }
        last
    }

    /// One command, simple or compound. Gives the last simple command of it.
    fn command(&mut self, outer: Closers, context: Context) -> Option<usize> {
        if self.peek() == Some(b'(') {
            if self.peek_at(1) == Some(b'(')
                && let Some(end) = self.arithmetic_end(self.at + 2)
            {
                return Some(self.arithmetic_command(end, context));
            }
            return self.group(GroupKind::Subshell, context, |reader, context| {
                reader.at += 1;
                let last = reader.list(Closers::PARENTHESIS, Closers::NONE, context);
                reader.eat(")");
                last
            });
        }
        match self.keyword() {
            "{" => self.group(GroupKind::Block, context, |reader, context| reader.braces(outer, context)),
            "if" => self.group(GroupKind::Condition, context, |reader, context| reader.if_(outer, context)),
            "while" | "until" => self.group(GroupKind::Loop, context, |reader, context| reader.while_(outer, context)),
            "for" | "select" => self.group(GroupKind::Loop, context, |reader, context| reader.for_(outer, context)),
            "case" => self.group(GroupKind::Condition, context, |reader, context| reader.case(outer, context)),
            "function" => {
                self.at += "function".len();
                self.skip_blanks();
                self.word(Place::Command, context);
                self.skip_blanks();
                if self.eat("(") {
                    self.skip_blanks();
                    self.eat(")");
                }
                self.function(outer, context)
            }
            "[[" => Some(self.test(context)),
            _ => {
                if let Some(end) = self.function_name_end() {
                    self.at = end;
                    return self.function(outer, context);
                }
                self.simple(context)
            }
        }
    }

    /// The place behind `name()`, if a function's definition begins here.
    fn function_name_end(&self) -> Option<usize> {
        let is_of_name = |byte: &u8| is_name(*byte) || matches!(byte, b'-' | b'.' | b':' | b'/' | b'+' | b'@');
        let rest = self.rest().as_bytes();
        let name = rest.iter().take(LONGEST_NAME).take_while(|byte| is_of_name(byte)).count();
        let blanks =
            |from: usize| rest.get(from..).unwrap_or_default().iter().take_while(|b| **b == b' ').take(8).count();
        let open = name + blanks(name);
        if name == 0 || rest.get(open) != Some(&b'(') {
            return None;
        }
        let close = open + 1 + blanks(open + 1);
        (rest.get(close) == Some(&b')')).then_some(self.at + close + 1)
    }

    fn function(&mut self, outer: Closers, context: Context) -> Option<usize> {
        self.skip_lines();
        let begins = self.peek() == Some(b'(')
            || matches!(self.keyword(), "{" | "if" | "while" | "until" | "for" | "select" | "case" | "[[");
        if begins {
            let context = Context { stdin: None, is_condition: false, ..context };
            self.group(GroupKind::Function, context, |reader, context| reader.command(outer, context));
        }
        // To define a function runs nothing.
        None
    }

    /// A group and the redirections behind it.
    fn group(
        &mut self,
        kind: GroupKind,
        context: Context,
        body: impl FnOnce(&mut Self, Context) -> Option<usize>,
    ) -> Option<usize> {
        let index = self.script.groups.len();
        let first = self.script.commands.len();
        self.script.groups.push(Group {
            kind,
            commands: first..first,
            redirects: Vec::new(),
            parent: context.group,
            span: self.at..self.at,
        });
        let last = body(self, Context { group: Some(index), ..context });
        let mut end = self.at;
        let mut redirects = Vec::new();
        let commands = self.script.commands.len();
        // The body of a function takes its redirections itself.
        let takes_redirects = kind != GroupKind::Function;
        loop {
            if !takes_redirects {
                break;
            }
            self.skip_blanks();
            let holder = Context { inside: last, ..context };
            let Some(redirect) = self.redirect(Owner::Group(index), redirects.len(), holder) else { break };
            end = self.at;
            redirects.push(redirect);
        }
        if let Some(group) = self.script.groups.get_mut(index) {
            group.commands.end = commands;
            group.redirects = redirects;
            group.span.end = end;
        }
        last
    }

    fn braces(&mut self, outer: Closers, context: Context) -> Option<usize> {
        self.at += 1;
        let last = self.list(Closers::BRACE, outer, context);
        if self.keyword() == "}" {
            self.at += 1;
        } else {
            self.eat("}");
        }
        last
    }

    fn if_(&mut self, outer: Closers, context: Context) -> Option<usize> {
        const ENDS: Closers = Closers::ELSE.or(Closers::ELIF).or(Closers::FI);
        self.at += "if".len();
        let mut last = self.list(Closers::THEN.or(ENDS), outer, Context { is_condition: true, ..context });
        loop {
            let word = self.keyword();
            match word {
                "then" | "else" => {
                    self.at += word.len();
                    last = self.list(ENDS, outer, context).or(last);
                }
                "elif" => {
                    self.at += word.len();
                    let condition = Context { is_condition: true, ..context };
                    last = self.list(Closers::THEN.or(ENDS), outer, condition).or(last);
                }
                "fi" => {
                    self.at += word.len();
                    return last;
                }
                _ => return last,
            }
        }
    }

    fn while_(&mut self, outer: Closers, context: Context) -> Option<usize> {
        self.at += "while".len();
        let condition = Context { is_condition: true, ..context };
        let last = self.list(Closers::DO.or(Closers::DONE), outer, condition);
        self.loop_body(outer, context).or(last)
    }

    fn loop_body(&mut self, outer: Closers, context: Context) -> Option<usize> {
        let mut last = None;
        if self.keyword() == "do" {
            self.at += "do".len();
            last = self.list(Closers::DONE, outer, context);
        } else if self.keyword() == "{" {
            return self.braces(outer, context);
        }
        if self.keyword() == "done" {
            self.at += "done".len();
        }
        last
    }

    fn for_(&mut self, outer: Closers, context: Context) -> Option<usize> {
        let header = self.begin(context);
        let mut words = vec![self.bare_word(self.keyword().len())];
        self.skip_blanks();
        if self.peek() == Some(b'(')
            && self.peek_at(1) == Some(b'(')
            && let Some(end) = self.arithmetic_end(self.at + 2)
        {
            words.push(self.arithmetic_word(end, context));
        } else {
            loop {
                self.skip_blanks();
                let is_over = words.len() == 2 && self.keyword() == "do";
                if is_over || matches!(self.peek(), None | Some(b'\n' | b';' | b')' | b'&' | b'|' | b'#')) {
                    break;
                }
                let before = self.at;
                let word = self.word(Place::Command, Context { inside: Some(header), ..context });
                if self.at == before {
                    self.skip_char();
                } else {
                    words.push(word);
                }
                // `in` may stand on the next line.
                if words.len() == 2 {
                    self.skip_blanks();
                }
            }
        }
        self.finish(header, words, Vec::new(), Vec::new());
        self.skip_lines();
        while self.peek() == Some(b';') {
            self.at += 1;
            self.skip_lines();
        }
        self.loop_body(outer, context).or(Some(header))
    }

    fn case(&mut self, outer: Closers, context: Context) -> Option<usize> {
        const ENDS: Closers = Closers::CASE_END.or(Closers::ESAC);
        let header = self.begin(context);
        let in_words = Context { inside: Some(header), ..context };
        let mut words = vec![self.bare_word("case".len())];
        self.skip_blanks();
        words.push(self.word(Place::Command, in_words));
        self.skip_lines();
        if self.keyword() == "in" {
            words.push(self.bare_word("in".len()));
        }
        self.finish(header, words, Vec::new(), Vec::new());
        let mut last = Some(header);
        loop {
            self.skip_lines();
            if self.keyword() == "esac" {
                self.at += "esac".len();
                return last;
            }
            // Patterns, up to the parenthesis.
            self.eat("(");
            loop {
                self.skip_blanks();
                match self.peek() {
                    Some(b'|') => self.at += 1,
                    Some(b')') => {
                        self.at += 1;
                        break;
                    }
                    None | Some(b'\n' | b';' | b'&') => return last,
                    _ => {
                        let before = self.at;
                        self.word(Place::Command, in_words);
                        if self.at == before {
                            self.skip_char();
                        }
                    }
                }
            }
            last = self.list(ENDS, outer, context).or(last);
            match self.peek() {
                Some(b';') => {
                    self.at += 1;
                    while matches!(self.peek(), Some(b';' | b'&')) {
                        self.at += 1;
                    }
                }
                _ if self.keyword() == "esac" => {}
                _ => return last,
            }
        }
    }

    /// `[[ … ]]`
    fn test(&mut self, context: Context) -> usize {
        let index = self.begin(context);
        let in_words = Context { inside: Some(index), ..context };
        let mut words = vec![self.bare_word(2)];
        loop {
            self.skip_blanks();
            let last = words.last().map_or("", |word| word.text.as_str());
            let goes_on = matches!(last, "&&" | "||" | "(" | "[[");
            match self.peek() {
                None | Some(b';') => break,
                Some(b'\n') if !goes_on => break,
                Some(b'\n') => self.newline(),
                Some(b'&' | b'|') if self.peek_at(1) == self.peek() => words.push(self.bare_word(2)),
                Some(b'(' | b')' | b'<' | b'>' | b'&' | b'|') if last != "=~" => words.push(self.bare_word(1)),
                Some(_) => {
                    let place = if last == "=~" { Place::Pattern } else { Place::Test };
                    let before = self.at;
                    let word = self.word(place, in_words);
                    if self.at == before {
                        self.skip_char();
                        continue;
                    }
                    let is_over = word.literal() == Some("]]");
                    words.push(word);
                    if is_over {
                        break;
                    }
                }
            }
        }
        let redirects = self.redirects(index, context);
        self.finish(index, words, Vec::new(), redirects);
        index
    }

    fn redirects(&mut self, command: usize, context: Context) -> Vec<Redirect> {
        let mut redirects = Vec::new();
        let in_words = Context { inside: Some(command), ..context };
        loop {
            let before = self.at;
            self.skip_blanks();
            match self.redirect(Owner::Command(command), redirects.len(), in_words) {
                Some(redirect) => redirects.push(redirect),
                None => {
                    self.at = before;
                    return redirects;
                }
            }
        }
    }

    fn arithmetic_command(&mut self, end: usize, context: Context) -> usize {
        let index = self.begin(context);
        let word = self.arithmetic_word(end, Context { inside: Some(index), ..context });
        let redirects = self.redirects(index, context);
        self.finish(index, vec![word], Vec::new(), redirects);
        index
    }

    /// `(( … ))`, which ends at `end`, as one word.
    fn arithmetic_word(&mut self, end: usize, context: Context) -> Word {
        let start = self.at;
        let mut builder = Builder::new(start);
        let inner = self.nested_parts(start + 2..end - 2, Quoting::Double, context);
        let part = Part::Arithmetic { quoting: Quoting::None, span: start..end };
        builder.part(part, self.slice(start..end));
        builder.inner(inner);
        self.at = end;
        builder.finish(end)
    }

    /// Reserves the place of a command that begins here.
    fn begin(&mut self, context: Context) -> usize {
        self.script.commands.push(Command {
            words: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
            connector: Connector::End,
            reads_from: context.stdin,
            is_condition: context.is_condition,
            inside: context.inside,
            group: context.group,
            span: self.at..self.at,
        });
        self.script.commands.len() - 1
    }

    fn finish(&mut self, index: usize, words: Vec<Word>, assignments: Vec<Assignment>, redirects: Vec<Redirect>) {
        if let Some(command) = self.script.commands.get_mut(index) {
            let ends = [
                words.last().map(|word| word.span.end),
                assignments.last().map(|assignment| assignment.span.end),
                redirects.last().map(|redirect| redirect.span.end),
            ];
            command.span.end = ends.into_iter().flatten().max().unwrap_or(command.span.start);
            command.words = words;
            command.assignments = assignments;
            command.redirects = redirects;
        }
    }

    fn bare_word(&mut self, len: usize) -> Word {
        let start = self.at;
        self.at = (self.at + len).min(self.end);
        let mut builder = Builder::new(start);
        builder.literal(self.slice(start..self.at), Quoting::None, start..self.at);
        builder.finish(self.at)
    }

    fn simple(&mut self, context: Context) -> Option<usize> {
        let index = self.begin(context);
        let in_words = Context { inside: Some(index), stdin: None, is_condition: false, ..context };
        let (mut words, mut assignments, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'|' | b')') => break,
                Some(b'#') => {
                    self.skip_comment();
                    break;
                }
                Some(b'&') if self.peek_at(1) != Some(b'>') => break,
                Some(b'(') => {
                    // Nothing that can stand here: what is inside is read as commands of its own.
                    if words.is_empty() && assignments.is_empty() {
                        self.at += 1;
                    }
                    break;
                }
                Some(_) => {}
            }
            if let Some(redirect) = self.redirect(Owner::Command(index), redirects.len(), in_words) {
                redirects.push(redirect);
                continue;
            }
            let before = self.at;
            if words.is_empty()
                && let Some(assignment) = self.assignment(in_words)
            {
                assignments.push(assignment);
                continue;
            }
            let mut word = self.word(Place::Command, in_words);
            if self.at == before {
                self.skip_char();
                continue;
            }
            if self.peek() == Some(b'(') && word.text.ends_with('=') {
                word = self.array(word, in_words);
            }
            self.inline_script(&words, &word, index, context);
            words.push(word);
        }
        if words.is_empty() && assignments.is_empty() && redirects.is_empty() {
            self.script.commands.truncate(index);
            self.pending.retain(|pending| !matches!(pending.owner, Owner::Command(at) if at >= index));
            return None;
        }
        self.finish(index, words, assignments, redirects);
        Some(index)
    }

    /// Reads the script of `bash -c SCRIPT`, if `word` is one and stands here as the shell will see it.
    fn inline_script(&mut self, words: &[Word], word: &Word, index: usize, context: Context) {
        let Some(option) = words.last() else { return };
        let is_option = option.text.starts_with('-') && !option.text.starts_with("--") && option.text.ends_with('c');
        if !is_option || !program_of(words).is_some_and(|(name, _)| is_shell(name)) {
            return;
        }
        let quote = self.bytes.get(word.span.start).copied();
        let last = self.bytes.get(word.span.end.saturating_sub(1)).copied();
        if !matches!(quote, Some(b'\'' | b'"')) || quote != last || word.span.len() < 2 {
            return;
        }
        let inner = word.span.start + 1..word.span.end - 1;
        let quoting = if quote == Some(b'"') { Quoting::Double } else { Quoting::Single };
        let text = self.slice(inner.clone());
        let is_plain =
            word.parts.iter().all(|part| part.quoting() == quoting && !matches!(part, Part::Substitution { .. }));
        let is_one = match quoting {
            Quoting::Single => word.text == text,
            _ => !text.contains('\\') && word.text == text,
        };
        if is_plain && is_one {
            let context = Context { inside: Some(index), group: context.group, ..Context::default() };
            self.within(inner, |reader| {
                reader.list(Closers::NONE, Closers::NONE, context);
            });
        }
    }

    /// Reads only `range`, then stands again where it stood.
    fn within<R>(&mut self, range: Range<usize>, read: impl FnOnce(&mut Self) -> R) -> R {
        let (at, end) = (self.at, self.end);
        let pending = std::mem::take(&mut self.pending);
        self.at = range.start;
        self.end = range.end.min(end);
        let result = read(self);
        self.at = at;
        self.end = end;
        self.pending = pending;
        result
    }

    fn assignment(&mut self, context: Context) -> Option<Assignment> {
        let start = self.at;
        let mut end = name_end(self.bytes, start).min(self.end);
        if end == start {
            return None;
        }
        let name = self.slice(start..end);
        if self.bytes.get(end) == Some(&b'[') {
            let subscript = self.text.get(end..self.end)?.bytes().take(LONGEST_NAME).position(|byte| byte == b']')?;
            end += subscript + 1;
        }
        if self.bytes.get(end) == Some(&b'+') {
            end += 1;
        }
        if end >= self.end || self.bytes.get(end) != Some(&b'=') {
            return None;
        }
        self.at = end + 1;
        let value = if self.peek() == Some(b'(') {
            let nothing = Builder::new(self.at).finish(self.at);
            self.array(nothing, context)
        } else {
            self.word(Place::Command, context)
        };
        Some(Assignment { name: name.to_owned(), span: start..self.at, value })
    }

    /// `( … )` behind `NAME=`, added to `word`.
    fn array(&mut self, word: Word, context: Context) -> Word {
        let start = word.span.start;
        let mut builder = Builder::new(start);
        builder.append(word);
        let mut written = self.at;
        self.at += 1;
        loop {
            self.skip_lines();
            match self.peek() {
                None => break,
                Some(b')') => {
                    self.at += 1;
                    break;
                }
                Some(_) => {}
            }
            let before = self.at;
            let word = self.word(Place::Command, context);
            if self.at == before {
                self.skip_char();
                continue;
            }
            builder.gap(self.slice(written..before));
            builder.append(word);
            written = self.at;
        }
        builder.gap(self.slice(written..self.at));
        builder.finish(self.at)
    }

    fn redirect(&mut self, owner: Owner, index: usize, context: Context) -> Option<Redirect> {
        let start = self.at;
        // A descriptor: digits or `{name}`.
        let digits = self.rest().bytes().take(10).take_while(u8::is_ascii_digit).count();
        let mut operator = start + digits;
        if digits == 0 && self.peek() == Some(b'{') {
            let name = name_end(self.bytes, start + 1).min(self.end);
            if name > start + 1 && self.bytes.get(name) == Some(&b'}') {
                operator = name + 1;
            }
        }
        if operator >= self.end || !matches!(self.bytes.get(operator), Some(b'<' | b'>' | b'&')) {
            return None;
        }
        let descriptor = self.slice(start..start + digits).parse().ok();
        let kinds: &[(&str, RedirectKind)] = match self.bytes.get(operator) {
            Some(b'<') => &[
                ("<<<", RedirectKind::HereString),
                ("<<-", RedirectKind::HereDocument),
                ("<<", RedirectKind::HereDocument),
                ("<&", RedirectKind::Duplicate),
                ("<>", RedirectKind::Read),
                ("<", RedirectKind::Read),
            ],
            Some(b'>') => &[
                (">>", RedirectKind::Append),
                (">|", RedirectKind::Write),
                (">&", RedirectKind::Duplicate),
                (">", RedirectKind::Write),
            ],
            _ if operator > start => return None,
            _ => &[("&>>", RedirectKind::Append), ("&>", RedirectKind::Write)],
        };
        let rest = self.text.get(operator..self.end)?;
        // `<( )` and `>( )` are words.
        if operator == start && matches!(rest.as_bytes(), [b'<' | b'>', b'(', ..]) {
            return None;
        }
        let (sign, kind) = kinds.iter().find(|(sign, _)| rest.starts_with(sign))?;
        self.at = operator + sign.len();
        self.skip_blanks();
        let from = self.at;
        let mut target = self.word(Place::Command, context);
        let mut kind = *kind;
        if kind == RedirectKind::Duplicate && *sign == ">&" && !is_descriptor(&target.text) && !target.is_empty() {
            kind = RedirectKind::Write;
        }
        if kind == RedirectKind::HereDocument {
            let is_quoted = self.slice(from..self.at).contains(['\'', '"', '\\']);
            let delimiter = std::mem::take(&mut target.text);
            target = Word { span: self.at..self.at, ..Word::default() };
            let strips_tabs = *sign == "<<-";
            self.pending.push(Pending { owner, redirect: index, delimiter, is_quoted, strips_tabs, context });
        }
        let is_open = kind == RedirectKind::HereDocument;
        Some(Redirect { kind, descriptor, target, span: start..self.at, is_open })
    }

    /// Reads the body of a here-document that begins here.
    fn here_document(&mut self, pending: Pending) {
        let start = self.at;
        let mut body_end = self.end;
        let mut behind = self.end;
        let mut is_open = true;
        let mut line = start;
        while line < self.end {
            let rest = self.text.get(line..self.end).unwrap_or_default();
            let len = rest.bytes().position(|byte| byte == b'\n').unwrap_or(rest.len());
            let content = rest.get(..len).unwrap_or_default();
            let content = content.strip_suffix('\r').unwrap_or(content);
            let content = if pending.strips_tabs { content.trim_start_matches('\t') } else { content };
            if content == pending.delimiter {
                body_end = line;
                behind = (line + len + 1).min(self.end);
                is_open = false;
                break;
            }
            // Bash lets the parenthesis stand right behind the delimiter.
            let behind_delimiter =
                content.strip_prefix(pending.delimiter.as_str()).filter(|_| pending.context.is_nested);
            if !pending.delimiter.is_empty() && behind_delimiter.is_some_and(|rest| rest.starts_with(')')) {
                body_end = line;
                behind = line + (len - content.len()) + pending.delimiter.len();
                is_open = false;
                break;
            }
            line += len + 1;
        }
        let quoting = if pending.is_quoted { Quoting::Single } else { Quoting::Double };
        let target = self.within(start..body_end, |reader| {
            let mut builder = Builder::new(start);
            reader.quoted_parts(&mut builder, quoting, None, pending.context);
            builder.finish(body_end)
        });
        self.at = behind;
        let redirects = match pending.owner {
            Owner::Command(at) => self.script.commands.get_mut(at).map(|command| &mut command.redirects),
            Owner::Group(at) => self.script.groups.get_mut(at).map(|group| &mut group.redirects),
        };
        if let Some(redirect) = redirects.and_then(|redirects| redirects.get_mut(pending.redirect)) {
            redirect.target = target;
            redirect.is_open = is_open;
        }
    }

    fn word(&mut self, place: Place, context: Context) -> Word {
        let start = self.at;
        let mut builder = Builder::new(start);
        let mut parentheses = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' if parentheses == 0 || byte == b'\n' => break,
                b'\r' if matches!(self.peek_at(1), Some(b'\n') | None) => break,
                b'<' | b'>' if self.peek_at(1) == Some(b'(') && place == Place::Command => {
                    self.substitution(&mut builder, 2, Quoting::None, context);
                }
                b'(' if place == Place::Pattern || self.begins_extended_pattern(start, place) => {
                    parentheses += 1;
                    self.literal_byte(&mut builder);
                }
                b')' if parentheses > 0 => {
                    parentheses -= 1;
                    self.literal_byte(&mut builder);
                }
                b'|' | b'&' | b';' | b'<' | b'>' if parentheses > 0 => self.literal_byte(&mut builder),
                b'|' if place == Place::Pattern => self.literal_byte(&mut builder),
                b'|' | b'&' | b'(' | b')' | b'<' | b'>' => break,
                b';' if place == Place::Command => break,
                b'\\' => match self.peek_at(1) {
                    Some(b'\n') => self.at += 2,
                    Some(_) => {
                        let from = self.at;
                        self.at += 1;
                        self.skip_char();
                        let text = self.slice(from + 1..self.at);
                        builder.literal(text, Quoting::None, from..self.at);
                    }
                    None => self.literal_byte(&mut builder),
                },
                b'\'' => self.single_quoted(&mut builder),
                b'"' => self.double_quoted(&mut builder, context),
                b'$' if self.peek_at(1) == Some(b'\'') => self.escaped_string(&mut builder),
                b'$' if self.peek_at(1) == Some(b'"') => {
                    self.at += 1;
                    self.double_quoted(&mut builder, context);
                }
                b'$' => self.dollar(&mut builder, Quoting::None, context),
                b'`' => self.backticks(&mut builder, Quoting::None, context),
                _ => {
                    let from = self.at;
                    let plain = self.rest().bytes().take_while(|byte| is_plain(*byte)).count().max(1);
                    self.at += plain;
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                    builder.literal(self.slice(from..self.at), Quoting::None, from..self.at);
                }
            }
        }
        builder.finish(self.at)
    }

    /// Whether the parenthesis at hand belongs to `@(…)`, `+(…)` and their like.
    fn begins_extended_pattern(&self, start: usize, place: Place) -> bool {
        let before = self.at.checked_sub(1).filter(|at| *at >= start).and_then(|at| self.bytes.get(at));
        match before {
            Some(b'@' | b'?' | b'+' | b'*') => true,
            Some(b'!') => place == Place::Test || self.at > start + 1,
            _ => false,
        }
    }

    fn literal_byte(&mut self, builder: &mut Builder) {
        let from = self.at;
        self.skip_char();
        builder.literal(self.slice(from..self.at), Quoting::None, from..self.at);
    }

    fn single_quoted(&mut self, builder: &mut Builder) {
        self.at += 1;
        builder.end_literal();
        let start = self.at;
        self.quoted_parts(builder, Quoting::Single, Some(b'\''), Context::default());
        if self.at == start {
            builder.literal("", Quoting::Single, start..start);
        }
        builder.end_literal();
        self.eat("'");
    }

    fn double_quoted(&mut self, builder: &mut Builder, context: Context) {
        self.at += 1;
        builder.end_literal();
        let start = self.at;
        self.quoted_parts(builder, Quoting::Double, Some(b'"'), context);
        if self.at == start {
            builder.literal("", Quoting::Double, start..start);
        }
        builder.end_literal();
        self.eat("\"");
    }

    /// What stands between quotes, up to `close`, which is not taken. Without `close` it is the body of a here-document.
    fn quoted_parts(&mut self, builder: &mut Builder, quoting: Quoting, close: Option<u8>, context: Context) {
        while let Some(byte) = self.peek() {
            if Some(byte) == close {
                return;
            }
            match byte {
                b'$' if quoting == Quoting::Double => self.dollar(builder, quoting, context),
                b'$' => match self.expression_end() {
                    Some(end) => self.expression(builder, quoting, end),
                    None => self.quoted_text(builder, quoting, 1),
                },
                b'`' if quoting == Quoting::Double => self.backticks(builder, quoting, context),
                b'\\' if quoting == Quoting::Double => match self.peek_at(1) {
                    Some(b'\n') => self.at += 2,
                    Some(next @ (b'$' | b'`' | b'\\' | b'"')) if next != b'"' || close.is_some() => {
                        let from = self.at;
                        self.at += 2;
                        builder.literal(self.slice(from + 1..self.at), quoting, from..self.at);
                    }
                    _ => self.quoted_text(builder, quoting, 1),
                },
                _ => {
                    let stops = |byte: u8| Some(byte) == close || matches!(byte, b'$' | b'`' | b'\\');
                    let len = self.rest().bytes().position(stops).unwrap_or(self.rest().len());
                    self.quoted_text(builder, quoting, len.max(1));
                }
            }
        }
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

    /// `$'…'`
    fn escaped_string(&mut self, builder: &mut Builder) {
        self.at += 2;
        builder.end_literal();
        let start = self.at;
        loop {
            match self.peek() {
                None => break,
                Some(b'\'') => break,
                Some(b'\\') => {
                    let from = self.at;
                    self.at += 1;
                    let text = match self.peek() {
                        Some(b'n') => "\n",
                        Some(b't') => "\t",
                        Some(b'\\') => "\\",
                        Some(b'\'') => "'",
                        Some(b'"') => "\"",
                        _ => "",
                    };
                    self.skip_char();
                    let text = if text.is_empty() { self.slice(from..self.at) } else { text };
                    builder.literal(text, Quoting::Single, from..self.at);
                }
                Some(b'$') => match self.expression_end() {
                    Some(end) => self.expression(builder, Quoting::Single, end),
                    None => self.quoted_text(builder, Quoting::Single, 1),
                },
                Some(_) => {
                    let rest = self.rest();
                    let len = rest.bytes().position(|byte| matches!(byte, b'\'' | b'\\' | b'$')).unwrap_or(rest.len());
                    self.quoted_text(builder, Quoting::Single, len.max(1));
                }
            }
        }
        if self.at == start {
            builder.literal("", Quoting::Single, start..start);
        }
        builder.end_literal();
        self.eat("'");
    }

    /// What begins with `$`.
    fn dollar(&mut self, builder: &mut Builder, quoting: Quoting, context: Context) {
        if let Some(end) = self.expression_end() {
            return self.expression(builder, quoting, end);
        }
        let start = self.at;
        match self.peek_at(1) {
            Some(b'(') => {
                if self.peek_at(2) == Some(b'(')
                    && let Some(end) = self.arithmetic_end(start + 3)
                {
                    let inner = self.nested_parts(start + 3..end - 2, Quoting::Double, context);
                    self.at = end;
                    builder.part(Part::Arithmetic { quoting, span: start..end }, self.slice(start..end));
                    builder.inner(inner);
                    return;
                }
                self.substitution(builder, 2, quoting, context);
            }
            Some(b'{') => self.braced(builder, quoting, context),
            Some(byte) if is_name(byte) && !byte.is_ascii_digit() => {
                let end = name_end(self.bytes, start + 1).min(self.end);
                self.variable(builder, quoting, start + 1..end, end);
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-') => {
                self.variable(builder, quoting, start + 1..start + 2, start + 2);
            }
            _ => self.quoted_text(builder, quoting, 1),
        }
    }

    fn variable(&mut self, builder: &mut Builder, quoting: Quoting, name: Range<usize>, end: usize) {
        let span = self.at..end;
        self.at = end;
        let name = self.slice(name).to_owned();
        builder.part(Part::Variable { name, quoting, span: span.clone() }, self.slice(span));
    }

    /// `${…}`
    fn braced(&mut self, builder: &mut Builder, quoting: Quoting, context: Context) {
        let start = self.at;
        self.at += 2;
        if matches!(self.peek(), Some(b'#' | b'!')) && self.peek_at(1) != Some(b'}') {
            self.at += 1;
        }
        let from = self.at;
        let mut end = name_end(self.bytes, from).min(self.end);
        if end == from {
            // A number, or one sign.
            let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
            let signs = usize::from(matches!(self.peek(), Some(b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-')));
            end = from + digits.max(signs);
        }
        let name = self.slice(from..end).to_owned();
        self.at = end;
        let mut inner = Builder::new(end);
        self.nest(|reader| reader.braced_rest(&mut inner, quoting, context));
        let inner = inner.finish(self.at).parts;
        self.eat("}");
        let span = start..self.at;
        builder.part(Part::Variable { name, quoting, span: span.clone() }, self.slice(span));
        builder.inner(inner);
    }

    /// What stands behind the name in `${…}`, up to the brace.
    fn braced_rest(&mut self, inner: &mut Builder, quoting: Quoting, context: Context) {
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => return,
                b'\\' => {
                    self.at += 1;
                    self.skip_char();
                }
                b'\'' if quoting == Quoting::None => self.single_quoted(inner),
                b'"' => self.double_quoted(inner, context),
                b'$' => self.dollar(inner, quoting, context),
                b'`' => self.backticks(inner, quoting, context),
                _ => self.skip_char(),
            }
        }
    }

    /// Goes one level deeper, unless that is too deep.
    fn nest(&mut self, read: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    /// The variables, substitutions and expressions in `range`.
    fn nested_parts(&mut self, range: Range<usize>, quoting: Quoting, context: Context) -> Vec<Part> {
        let mut inner = Builder::new(range.start);
        self.nest(|reader| {
            reader.within(range, |reader| reader.quoted_parts(&mut inner, quoting, None, context));
        });
        inner.finish(0).parts
    }

    /// `$( )`, `<( )` or `>( )`, whose opening sign has `open` bytes.
    fn substitution(&mut self, builder: &mut Builder, open: usize, quoting: Quoting, context: Context) {
        let start = self.at;
        self.at += open;
        let context = Context { stdin: None, is_condition: false, is_nested: true, ..context };
        self.list(Closers::PARENTHESIS, Closers::NONE, context);
        self.eat(")");
        let span = start..self.at;
        builder.part(Part::Substitution { quoting, span: span.clone() }, self.slice(span));
    }

    fn backticks(&mut self, builder: &mut Builder, quoting: Quoting, context: Context) {
        let start = self.at;
        let mut close = start + 1;
        loop {
            match self.bytes.get(close).filter(|_| close < self.end) {
                None => return self.quoted_text(builder, quoting, 1),
                Some(b'`') => break,
                Some(b'\\') => close += 2,
                Some(_) => close += 1,
            }
        }
        let context = Context { stdin: None, is_condition: false, ..context };
        self.within(start + 1..close, |reader| {
            reader.list(Closers::NONE, Closers::NONE, context);
        });
        self.at = close + 1;
        let span = start..self.at;
        builder.part(Part::Substitution { quoting, span: span.clone() }, self.slice(span));
    }

    /// The end of `… ))`, if what stands at `from` is arithmetic and no command.
    fn arithmetic_end(&mut self, from: usize) -> Option<usize> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        let mut open = 0usize;
        let mut at = from;
        let limit = self.end.min(from + LONGEST_ARITHMETIC);
        while at < limit {
            match self.bytes.get(at)? {
                b'$' if self.bytes.get(at + 1) == Some(&b'{') && self.bytes.get(at + 2) == Some(&b'{') => {
                    if let Some(end) = self.expressions.end(self.text, at, self.end) {
                        at = end;
                        continue;
                    }
                }
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => {
                    let is_end = at + 1 < self.end && self.bytes.get(at + 1) == Some(&b')');
                    return is_end.then_some(at + 2);
                }
                // Words that no arithmetic has.
                b';' | b'\'' | b'`' if self.bytes.get(from.wrapping_sub(3)) == Some(&b'$') => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// What is not closed until then is no arithmetic. The bound keeps looking ahead cheap.
const LONGEST_ARITHMETIC: usize = 1000;

/// Longer names are looked at no further.
const LONGEST_NAME: usize = 128;

fn is_plain(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b'\r'
            | b'|'
            | b'&'
            | b';'
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'\\'
            | b'\''
            | b'"'
            | b'$'
            | b'`'
    )
}

/// Whether `>&` duplicates to it: a number, `-`, or something that is only known when it runs.
fn is_descriptor(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') || text.starts_with('$')
}
