//! Faults of syntax in plain words: what stands there, what was expected, what to do.

use lineclear_source::{Diagnostic, Span, clipped};

mod bracket;
mod indentation;
mod line;
mod quote;

pub(crate) use quote::{closing_quote, open_quote};

use line::Line;

/// Where the event parser could not go on, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) fault: Fault,
    /// The byte that the parser names.
    pub(crate) at: usize,
}

/// What is wrong, as the writer of the text would put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnderIndentedQuote,
    TouchingComment,
    UnclosedQuote,
    DocumentMarkInQuote,
    TextAfterQuote,
    UnknownEscape,
    BadCodePoint,
    Tab,
    /// A `: ` or a key where none can be.
    ValueNotAllowed,
    ColonInFlow,
    NoColon,
    NoKey,
    NoSequenceEntry,
    SequenceEntryNotAllowed,
    DashInFlow,
    Indentation,
    NoCommaInSequence,
    NoCommaInMapping,
    UnclosedBracket {
        open: char,
    },
    StrayBracket,
    WrongBracket {
        open: char,
        close: char,
    },
    Character {
        character: char,
    },
    NoValue,
    CommentInText,
    BlockHeader,
    BlockIndentation,
    AnchorName,
    Tag,
    Directive,
    DocumentEnd,
    TooDeep,
    Other {
        message: String,
    },
}

/// The code of every fault of syntax.
pub(crate) const CODE: &str = "yaml-syntax";

impl SyntaxError {
    /// What to tell of it. `text` is the file's, `repaired` the same with the changes it was read with.
    pub(crate) fn diagnostic(&self, text: &str, repaired: &str) -> Diagnostic {
        let at = self.at.min(text.len());
        match &self.fault {
            Fault::UnderIndentedQuote
            | Fault::UnclosedQuote
            | Fault::DocumentMarkInQuote
            | Fault::TextAfterQuote
            | Fault::UnknownEscape
            | Fault::BadCodePoint => quote::diagnostic(&self.fault, text, repaired, at),
            Fault::ValueNotAllowed
            | Fault::NoColon
            | Fault::NoKey
            | Fault::NoSequenceEntry
            | Fault::SequenceEntryNotAllowed
            | Fault::Indentation => indentation::diagnostic(&self.fault, text, at),
            Fault::ColonInFlow
            | Fault::DashInFlow
            | Fault::NoCommaInSequence
            | Fault::NoCommaInMapping
            | Fault::UnclosedBracket { .. }
            | Fault::StrayBracket
            | Fault::WrongBracket { .. } => bracket::diagnostic(&self.fault, text, at),
            Fault::Tab => tab(text, at),
            Fault::Character { character } => forbidden_character(text, at, *character),
            Fault::AnchorName => anchor_name(text, at),
            Fault::Tag => tag(text, at),
            Fault::BlockHeader => block_header(text, at),
            Fault::DocumentEnd => document_end(text, at),
            Fault::BlockIndentation => {
                error("this line is indented less than the block's header says", Line::at(text, at).content())
                    .help("indent every line of the block at least as far as its number says, or leave the number out")
            }
            Fault::TouchingComment => {
                error("a comment must be set off by a space", one(text, at)).help("put a space before the `#`")
            }
            Fault::CommentInText => {
                error("a comment cannot stand inside a value that goes on in the next line", rest(text, at))
                    .help("move the comment above the value, or write the value as a block after `>`")
            }
            Fault::NoValue => error("expected a value here", one(text, at)),
            Fault::Directive => error("this directive is not one that YAML knows", Line::at(text, at).content())
                .help("a workflow needs no line that starts with `%`: remove it"),
            Fault::TooDeep => error("too many sequences and mappings inside each other", one(text, at)),
            Fault::Other { message } => error(format!("this is not YAML: {message}"), one(text, at)),
        }
    }
}

fn error(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, message).at(span)
}

/// The one character at `at`, or the end of the text.
fn one(text: &str, at: usize) -> Span {
    let width = text.get(at..).and_then(|rest| rest.chars().next()).filter(|char| !matches!(char, '\r' | '\n'));
    Span::new(at, at + width.map_or(0, char::len_utf8))
}

/// From `at` to the end of the line, without blanks there.
fn rest(text: &str, at: usize) -> Span {
    let end = Line::at(text, at).content().range().end;
    Span::new(at, end.max(at))
}

/// The word at `at`: up to a blank, a comma or a bracket.
fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    rest.split([' ', '\t', '\r', '\n', ',', ']', '}']).next().unwrap_or_default()
}

/// `text` in single quotes, as YAML writes it; of a long text, its beginning.
fn in_quotes(text: &str) -> String {
    const LONGEST: usize = 80;
    format!("'{}'", clipped(text, LONGEST).replace('\'', "''"))
}

fn tab(text: &str, at: usize) -> Diagnostic {
    // The parser may name the start of the value that the tab ends up in.
    let mut place = at;
    if text.as_bytes().get(at) != Some(&b'\t') {
        let line_start = Line::at(text, at).start;
        let tail = text.get(line_start..).unwrap_or_default();
        let mut lines = tail.split_inclusive('\n').scan(line_start, |start, line| {
            let this = *start;
            *start += line.len();
            Some((this, line))
        });
        let indented_with_tab = lines.find_map(|(start, line)| {
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            line.get(..blanks).and_then(|blanks| blanks.find('\t')).map(|tab| start + tab)
        });
        place = indented_with_tab.or_else(|| tail.find('\t').map(|tab| line_start + tab)).unwrap_or(at);
    }
    let tabs = text.as_bytes().get(place..).unwrap_or_default().iter().take_while(|&&byte| byte == b'\t').count();
    let span = Span::new(place, place + tabs);
    let indents = text.get(Line::at(text, place).start..place).is_some_and(|before| before.trim().is_empty());
    if indents {
        error("this line is indented with a tab, and YAML allows only spaces", span)
            .help("replace each tab by spaces, two for each level being usual")
    } else {
        error("a tab cannot stand here, where its width would matter", span).help("replace the tab by a space")
    }
}

fn forbidden_character(text: &str, at: usize, character: char) -> Diagnostic {
    // The parser may name the start of the value that holds it.
    let place = text.get(at..).and_then(|rest| rest.find(character)).map_or(at, |offset| at + offset);
    match character {
        '\u{feff}' => error("a byte order mark may stand only at the very start of a file", one(text, place))
            .help("remove this invisible character: it often comes from joining files"),
        '@' | '`' | '%' => {
            let value = text.get(rest(text, place).range()).unwrap_or_default();
            let sign = if character == '`' { "a backtick".to_owned() } else { format!("`{character}`") };
            error(format!("a value cannot start with {sign}"), one(text, place))
                .help(format!("quote the value: {}", in_quotes(value)))
        }
        _ => error(format!("the character U+{:04X} is not allowed in YAML", u32::from(character)), one(text, place))
            .help(format!("remove it, or write it as `\\u{:04x}` inside double quotes", u32::from(character))),
    }
}

fn anchor_name(text: &str, at: usize) -> Diagnostic {
    let sign = text.get(one(text, at).range()).unwrap_or_default();
    let what = if sign == "&" { "an anchor" } else { "an alias" };
    let value = if sign == "&" { text.get(rest(text, at).range()).unwrap_or_default() } else { word(text, at) };
    error(format!("`{sign}` at the start of a value begins {what}, and no name follows"), one(text, at))
        .help(format!("if it is meant as text, quote the value: {}", in_quotes(value)))
}

fn tag(text: &str, at: usize) -> Diagnostic {
    let written = word(text, at);
    let value = text.get(rest(text, at).range()).unwrap_or_default();
    error(
        format!("`{written}` at the start of a value is read as a tag, and is none"),
        Span::new(at, at + written.len()),
    )
    .help(format!("a value that starts with `!` must be quoted: {}", in_quotes(value)))
}

fn block_header(text: &str, at: usize) -> Diagnostic {
    let sign = text.get(one(text, at).range()).unwrap_or_default();
    error(format!("after `{sign}` only `-`, `+` and a digit from 1 to 9 may stand on this line"), rest(text, at))
        .help("begin the text on the next line, indented more than its key")
        .help(format!("if the value is meant to start with `{sign}`, quote it"))
}

fn document_end(text: &str, at: usize) -> Diagnostic {
    let line = Line::at(text, at);
    if text.get(at..).is_some_and(|rest| rest.starts_with(':')) {
        return error("a space is missing after this colon", one(text, at));
    }
    if line.text.starts_with('%') {
        return error("a value cannot start with `%`", one(text, line.start)).help(format!(
            "if it belongs to the value above, indent it; otherwise quote it: {}",
            in_quotes(line.text)
        ));
    }
    error("the document ended before this", rest(text, at))
        .help("a file is one mapping: put what follows under a key of it, or remove it")
}

#[cfg(test)]
mod tests;
