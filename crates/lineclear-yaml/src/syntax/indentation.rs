//! Keys, colons, dashes and how far they are indented.

use lineclear_source::{Diagnostic, Span};

use super::{Fault, Line, error, in_quotes, one, rest};

/// How many lines back a hint is searched for.
const MOST_LINES: usize = 1000;

pub(super) fn diagnostic(fault: &Fault, text: &str, at: usize) -> Diagnostic {
    match fault {
        Fault::ValueNotAllowed => value_not_allowed(text, at),
        Fault::NoColon => no_colon(text, at),
        Fault::NoSequenceEntry => no_sequence_entry(text, at),
        Fault::SequenceEntryNotAllowed => error("a list item cannot begin on the line of its key", one(text, at))
            .help("move it to the next line, or quote the value if `-` is meant as text"),
        _ => no_key(text, at),
    }
}

/// A colon that YAML takes for the end of a key, where a value is not complete or none can begin.
fn value_not_allowed(text: &str, at: usize) -> Diagnostic {
    let line = Line::at(text, at);
    let (content, content_start) = line.behind_dashes();
    if text.get(at..).is_some_and(|rest| rest.starts_with('?')) {
        return error("a value cannot start with `?` and a space", rest(text, at)).help("quote the value");
    }
    let before = text.get(content_start..at).unwrap_or_default();
    if let Some((key, _)) = before.split_once(": ") {
        let value = content.split_once(": ").map_or("", |(_, value)| value).trim_end();
        let start = content_start + key.len() + 2;
        let start = start + text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start_matches(' ').len());
        let diagnostic = error(
            "a colon before a space or the end of the line ends a key, and here it stands inside a value",
            one(text, at),
        )
        .label(Span::new(start, at.max(start)), "the value begins here");
        return if value.starts_with(['"', '\'']) {
            diagnostic.help("quote the value as a whole, or write it as a block after `|`")
        } else {
            diagnostic.help(format!("quote the value: `{key}: {}`", in_quotes(value.trim_start())))
        };
    }
    let Some(previous) = line.previous(text) else {
        return error("a key cannot stand here", one(text, at));
    };
    let (above, above_start) = previous.behind_dashes();
    let above = above.trim_end();
    let above_span = Span::new(above_start, above_start + above.len());
    match above.split_once(": ") {
        None if above.ends_with(':') => error("a key cannot stand here", line.content()),
        None => match above.split_once(':') {
            Some((key, value)) if is_word(key) && !value.starts_with("//") => {
                let place = above_start + key.len();
                error("a space is missing after this colon", Span::new(place, place + 1))
                    .help(format!("write `{key}: {}`", value.trim_start()))
            }
            _ if is_word(above) => {
                error(format!("a colon is missing after `{above}`"), above_span).help(format!("write `{above}:`"))
            }
            _ => error("this text is neither a key nor a list item", above_span)
                .label(line.content(), "so this line cannot follow it")
                .help(
                    "end a key with a colon; begin a list item with `- `; put text that goes on under a key, after `|`",
                ),
        },
        Some((key, _)) => {
            let diagnostic =
                error(format!("the value of `{key}` is complete, so no key can stand below it"), line.content())
                    .label(above_span, "the value stands here");
            let column = above_start - previous.start;
            if line.indent() > column {
                let how = match column {
                    0 => "begin this line without spaces".to_owned(),
                    _ => format!("indent this line by {}", spaces(column)),
                };
                diagnostic.help(format!("{how}, like `{key}`, if it is a key beside it"))
            } else {
                diagnostic
            }
        }
    }
}

fn no_colon(text: &str, at: usize) -> Diagnostic {
    let line = Line::at(text, at);
    let content = text.get(rest(text, at).range()).unwrap_or_default();
    match content.split_once(':') {
        Some((key, value)) if is_word(key) && !value.is_empty() => {
            let place = at + key.len();
            error("a space is missing after this colon", Span::new(place, place + 1))
                .help(format!("write `{key}: {}`", value.trim_start()))
        }
        _ => {
            let span = if content.is_empty() { line.content() } else { rest(text, at) };
            error("expected a key with a colon here", span)
                .help("end the key with a colon; indent text that goes on from the line above more than its key")
        }
    }
}

/// A line that belongs to none of the mappings around it.
fn no_key(text: &str, at: usize) -> Diagnostic {
    let line = Line::at(text, at);
    let content = line.content();
    if line.text.trim_start().starts_with("- ") || line.text.trim() == "-" {
        let dash = content.range().start;
        let diagnostic = error("a list item stands here, where a key was expected", Span::new(dash, dash + 1));
        return match item_above(text, line).filter(|above| above.indent() != line.indent()) {
            Some(above) => diagnostic
                .label(Span::new(above.content().range().start, above.content().range().start + 1), "an item above")
                .help(format!("to belong to the same list, indent it by {}", spaces(above.indent()))),
            None => diagnostic.help("a list stands under its key: `key:` on a line of its own, the items below it"),
        };
    }
    if text.get(at..).is_some_and(|rest| rest.starts_with(',')) {
        return error("a value cannot start with a comma", one(text, at)).help("quote the value");
    }
    let fits: Vec<usize> = levels_above(text, line);
    if at == content.range().start && !fits.contains(&line.indent()) && !fits.is_empty() {
        let message = format!("this line is indented by {}, which fits nothing above it", spaces(line.indent()));
        return error(message, content)
            .help(format!("indent it by {}, like what it belongs to", list(&fits)))
            .help("indent with spaces, and what belongs together by the same number");
    }
    error("expected a key here, or the end of what is above", rest(text, at))
}

/// The nearest line above that begins a list item.
fn item_above<'a>(text: &'a str, line: Line<'a>) -> Option<Line<'a>> {
    let above = std::iter::successors(line.previous(text), |above| above.previous(text));
    above.take(MOST_LINES).find(|above| above.text.trim_start().starts_with("- "))
}

/// A line at the level of a list's items that is none.
fn no_sequence_entry(text: &str, at: usize) -> Diagnostic {
    let line = Line::at(text, at);
    let content = line.content();
    let diagnostic = error("expected a list item, which begins with `- `", content);
    let mut above = line;
    while let Some(previous) = above.previous(text) {
        above = previous;
        if above.text.trim_start().starts_with("- ") && above.indent() <= line.indent() {
            let (_, start) = above.behind_dashes();
            let column = start - above.start;
            let first = Span::new(start, above.content().range().end.max(start));
            let diagnostic = diagnostic
                .label(first, "the item above begins here")
                .help(format!("to belong to that item, indent this line by {}", spaces(column)));
            return match above.indent() {
                0 => diagnostic,
                level => diagnostic.help(format!("to end the list, indent this line by less than {}", spaces(level))),
            };
        }
        if above.indent() < line.indent() {
            break;
        }
    }
    diagnostic.help("begin it with `- `, or indent it as far as the item that it belongs to")
}

/// The indentations of the lines around `line`, from the outermost in: those that it might have had.
fn levels_above(text: &str, line: Line<'_>) -> Vec<usize> {
    let mut levels = Vec::new();
    let mut least = usize::MAX;
    let mut above = line;
    while let Some(previous) = above.previous(text) {
        above = previous;
        let (_, start) = above.behind_dashes();
        for column in [start - above.start, above.indent()] {
            if column < least {
                least = column;
                levels.push(column);
            }
        }
        if least == 0 {
            break;
        }
    }
    levels.reverse();
    levels
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn spaces(number: usize) -> String {
    match number {
        0 => "no space".to_owned(),
        1 => "1 space".to_owned(),
        _ => format!("{number} spaces"),
    }
}

fn list(levels: &[usize]) -> String {
    match levels {
        [] => String::new(),
        [only] => spaces(*only),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} or {}", first.join(", "), spaces(*last))
        }
    }
}
