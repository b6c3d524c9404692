//! From text to the model, with everything that is wrong on the way.

use lineclear_source::{Diagnostic, Source, Span, suggest};

use crate::lines::Lines;
use crate::model::find_stage;
use crate::scope::base_of;
use crate::{
    Argument, Directive, Dockerfile, Flag, From, HereDocument, Instruction, InstructionKind, Scope, Stage, Text, Word,
};

mod arguments;
mod flags;
#[cfg(test)]
mod tests;
mod words;

/// The code of every finding of the reader.
pub const CODE: &str = "dockerfile-syntax";

/// Every instruction.
pub const KEYWORDS: [&str; 18] = [
    "FROM",
    "RUN",
    "CMD",
    "LABEL",
    "MAINTAINER",
    "EXPOSE",
    "ENV",
    "ADD",
    "COPY",
    "ENTRYPOINT",
    "VOLUME",
    "USER",
    "WORKDIR",
    "ARG",
    "ONBUILD",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
];

/// After so many findings the rest is left out: nobody reads more.
const MOST_FINDINGS: usize = 100;

/// Size of a file in bytes beyond which it is refused.
const LARGEST: usize = 1024 * 1024;

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    all: Vec<Diagnostic>,
}

/// A finding that was just made.
struct Found<'f>(&'f mut Diagnostic);

impl Findings {
    fn error(&mut self, span: Span, message: impl Into<String>) -> Found<'_> {
        self.all.push(Diagnostic::error(CODE, message).at(span));
        let at = self.all.len() - 1;
        Found(&mut self.all[at])
    }

    fn warning(&mut self, span: Span, message: impl Into<String>) -> Found<'_> {
        self.all.push(Diagnostic::warning(CODE, message).at(span));
        let at = self.all.len() - 1;
        Found(&mut self.all[at])
    }
}

impl Found<'_> {
    fn help(self, help: impl Into<String>) -> Self {
        self.0.help.push(help.into());
        self
    }

    fn label(self, span: Span, message: impl Into<String>) -> Self {
        self.0.labels.push(lineclear_source::Label { span, message: message.into() });
        self
    }
}

/// "`a`, `b` and `c`".
fn list<T: AsRef<str>>(words: impl Iterator<Item = T>) -> String {
    let mut words: Vec<String> = words.map(|word| format!("`{}`", word.as_ref())).collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
        None => String::new(),
    }
}

impl Dockerfile {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it.
    ///
    /// # Source
    /// The Dockerfile reference of Docker's documentation; where it is silent, what its own reader does.
    pub fn read(source: &Source) -> (Self, Vec<Diagnostic>) {
        let file = Self {
            source: source.clone(),
            directives: Vec::new(),
            escape: '\\',
            comments: Vec::new(),
            arguments: Vec::new(),
            stages: Vec::new(),
        };
        let mut reader = Reader { lines: Lines::new(source.text()), file, findings: Findings::default(), global: None };
        if source.text().len() > LARGEST {
            let message = format!("the file has {} bytes, and more than {LARGEST} are not read", source.text().len());
            return (reader.file, vec![Diagnostic::error(CODE, message)]);
        }
        reader.directives();
        while let Some(text) = reader.lines.next_instruction() {
            reader.instruction(text);
        }
        if reader.file.stages.is_empty() && reader.findings.all.is_empty() {
            reader.findings.all.push(
                Diagnostic::error(CODE, "the file has no `FROM`: there is nothing to build")
                    .help("begin with the image to build upon: `FROM image:version`"),
            );
        }
        for span in std::mem::take(&mut reader.lines.empty_continuations) {
            reader
                .findings
                .warning(span, "an empty line inside of a continued instruction: builders are to refuse it one day")
                .help("remove the line, or begin it with `#`");
        }
        reader.file.comments = reader.lines.comments;
        let mut findings = reader.findings.all;
        findings.truncate(MOST_FINDINGS);
        (reader.file, findings)
    }
}

struct Reader<'a> {
    lines: Lines<'a>,
    file: Dockerfile,
    findings: Findings,
    /// Made at the first `FROM` that needs it: by then all global arguments are known.
    global: Option<Scope>,
}

impl Reader<'_> {
    /// Comments of the form `# name=value` at the head of the file.
    fn directives(&mut self) {
        while let Some(line) = self.lines.peek() {
            let content = line.text.trim();
            let Some((name, value)) = content.strip_prefix('#').and_then(|rest| rest.split_once('=')) else { return };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            let start = line.start + (line.text.len() - line.text.trim_start().len());
            let span = Span::new(start, start + content.len());
            if !matches!(name.as_str(), "syntax" | "escape" | "check") || value.is_empty() {
                return;
            }
            self.lines.next_line();
            if let Some(first) = self.file.directives.iter().find(|first| first.name == name) {
                let first = first.span;
                self.findings
                    .error(span, format!("the directive `{name}` stands here twice"))
                    .label(first, "first here");
                continue;
            }
            if name == "escape" {
                match value.as_str() {
                    "\\" => {}
                    "`" => self.lines.escape = '`',
                    _ => {
                        self.findings
                            .error(span, format!("`{value}` cannot be the escape character"))
                            .help("it is `\\` or a backtick");
                    }
                }
                self.file.escape = self.lines.escape;
            }
            self.file.directives.push(Directive { name, value, span });
        }
    }

    fn instruction(&mut self, text: Text) {
        let text = text.trimmed();
        let instruction = self.read_instruction(&text, Place::File);
        let Some(instruction) = instruction else { return };
        if instruction.keyword.raw().eq_ignore_ascii_case("FROM") {
            self.begin_stage(&instruction);
            return;
        }
        match self.file.stages.last_mut() {
            Some(stage) => stage.instructions.push(instruction),
            None => match instruction.kind {
                InstructionKind::Arg(arguments) => self.file.arguments.extend(arguments),
                InstructionKind::Unreadable => {}
                _ => {
                    let keyword = instruction.keyword;
                    self.findings
                        .error(keyword.span(), format!("`{}` stands before the first `FROM`", keyword.raw()))
                        .help("only `ARG` may stand there: begin the stage with `FROM` first");
                }
            },
        }
    }

    /// `None` for what is no instruction at all.
    fn read_instruction(&mut self, text: &Text, place: Place) -> Option<Instruction> {
        let whole = text.as_str();
        let end = whole.find(char::is_whitespace).unwrap_or(whole.len());
        let keyword = Word { text: text.slice(0..end) };
        let Some(name) = KEYWORDS.into_iter().find(|name| name.eq_ignore_ascii_case(keyword.raw())) else {
            self.unknown_keyword(&keyword);
            return None;
        };
        let rest = text.slice(end..whole.len()).trimmed();
        let (flags, arguments) = if name == "ONBUILD" {
            (Vec::new(), rest)
        } else {
            flags::take(name, &rest, self.lines.escape, &mut self.findings)
        };
        let kind = if place == Place::OnBuild && matches!(name, "FROM" | "ONBUILD" | "MAINTAINER") {
            self.findings.error(keyword.span(), format!("`{name}` cannot stand behind `ONBUILD`"));
            InstructionKind::Unreadable
        } else {
            self.arguments(name, &keyword, &flags, &arguments)
        };
        Some(Instruction { keyword, flags, text: arguments, kind, span: text.span() })
    }

    fn unknown_keyword(&mut self, keyword: &Word) {
        let word = keyword.raw();
        let near = suggest(word, KEYWORDS);
        let message = match near {
            Some(near) => format!("`{word}` is no instruction; did you mean `{near}`?"),
            None => format!("`{word}` is no instruction"),
        };
        let finding = self.findings.error(keyword.span(), message);
        if near.is_none() {
            finding.help("if it belongs to the instruction above, end that line with the escape character (`\\`)");
        }
    }

    fn begin_stage(&mut self, instruction: &Instruction) {
        let parts = words::plain(&instruction.text);
        let (image, name) = match parts.as_slice() {
            [image] => (image.clone(), None),
            [image, keyword, name] if keyword.raw().eq_ignore_ascii_case("as") => (image.clone(), Some(name.clone())),
            [] => {
                self.findings
                    .error(instruction.keyword.span(), "`FROM` needs an image")
                    .help("write `FROM image:version`");
                (Word::default(), None)
            }
            [image, rest @ ..] => {
                let span = rest.iter().map(Word::span).reduce(Span::to).unwrap_or(instruction.span);
                self.findings
                    .error(span, "behind the image comes `AS name` or nothing")
                    .help("write `FROM image AS name`");
                (image.clone(), None)
            }
        };
        if let Some(name) = &name {
            self.check_stage_name(name);
        }
        let file = &self.file;
        let global = &mut self.global;
        let (base, expanded) = base_of(file, &image, |image| {
            global.get_or_insert_with(|| Scope::global(file, &std::collections::BTreeMap::new())).expand_known(image)
        });
        let platform = instruction.flag("platform").and_then(|flag: &Flag| flag.value.clone());
        let from = From { image, name, platform, base, expanded, span: instruction.span };
        let index = self.file.stages.len();
        self.file.stages.push(Stage { index, from, instructions: Vec::new() });
    }

    fn check_stage_name(&mut self, name: &Word) {
        let raw = name.raw();
        let is_sound = raw.starts_with(|char: char| char.is_ascii_alphabetic())
            && raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if !is_sound {
            self.findings
                .error(name.span(), format!("`{raw}` cannot be a stage's name"))
                .help("a name begins with a letter; letters, digits, `-`, `_` and `.` follow");
        } else if let Some(first) = find_stage(&self.file.stages, raw).and_then(|stage| stage.from.name.as_ref()) {
            let first = first.span();
            self.findings
                .warning(
                    name.span(),
                    format!(
                        "there is a stage `{raw}` already: what follows means this one, what stands before the other"
                    ),
                )
                .label(first, "first here")
                .help("give one of the two another name");
        }
    }

    /// The here-documents that the instruction's text names, with their lines.
    fn here_documents(&mut self, text: &Text) -> Vec<HereDocument> {
        let whole = text.as_str();
        let mut documents = Vec::new();
        if !whole.contains("<<") {
            return documents;
        }
        for range in words::quoted_ranges(whole, self.lines.escape) {
            let Some(word) = whole.get(range.clone()) else { continue };
            let Some(rest) = word.trim_start_matches(|char: char| char.is_ascii_digit()).strip_prefix("<<") else {
                continue;
            };
            let (strip_tabs, delimiter) = match rest.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            if delimiter.is_empty() || delimiter.contains('<') {
                continue;
            }
            let name: String = delimiter.chars().filter(|char| !matches!(char, '"' | '\'')).collect();
            let expands = name.len() == delimiter.len();
            let span = text.span_of(range);
            match self.lines.here_document(&name, strip_tabs) {
                Some(body) => documents.push(HereDocument { name, body, expands, span }),
                None => {
                    self.findings.error(span, format!("the here-document `{name}` never ends")).help(format!(
                        "end it with a line that is `{name}` and nothing else, without white space around"
                    ));
                }
            }
        }
        documents
    }
}

/// Where an instruction stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    File,
    OnBuild,
}

/// `name` or `name=value`.
fn argument(word: &Word) -> Argument {
    let raw = word.raw();
    match raw.find('=') {
        Some(at) => Argument {
            name: Word { text: word.text.slice(0..at) },
            default: Some(Word { text: word.text.slice(at + 1..raw.len()) }),
        },
        None => Argument { name: word.clone(), default: None },
    }
}
