//! Faults of quoted scalars.

use lineclear_source::{Diagnostic, Span};

use super::{Fault, bracket, error, in_quotes, one, rest};
use crate::events::Events;

pub(super) fn diagnostic(fault: &Fault, text: &str, repaired: &str, at: usize) -> Diagnostic {
    match fault {
        Fault::UnclosedQuote => unclosed(text, at),
        Fault::UnderIndentedQuote if starts_with_document_mark(text, at) => match open_quote(repaired, at) {
            Some(start) => quote_over_document_mark(text, start),
            None => quote_over_document_mark(text, at),
        },
        Fault::UnderIndentedQuote => match open_quote(repaired, at)
            .filter(|&start| closing_quote(text, start).is_none())
        {
            Some(start) => unclosed(text, start),
            None => {
                error("this line goes on with a quoted value and must be indented more than its key", rest(text, at))
            }
        },
        Fault::DocumentMarkInQuote => {
            error("this quote is open at a line that starts with `---` or `...`", one(text, at))
                .help("close the quote before that line, or indent the line")
        }
        Fault::TextAfterQuote => text_after(text, repaired, at),
        _ => escape(fault, text, at),
    }
}

fn starts_with_document_mark(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with("---") || rest.starts_with("..."))
}

fn quote_over_document_mark(text: &str, at: usize) -> Diagnostic {
    error("this quote is still open at a line that starts with `---` or `...`", one(text, at))
        .help("close the quote before that line, or indent the line")
}

fn unclosed(text: &str, start: usize) -> Diagnostic {
    let mark = text.get(one(text, start).range()).unwrap_or_default();
    let diagnostic = error(format!("this `{mark}` is never closed"), one(text, start));
    if mark == "'" {
        diagnostic.help("inside single quotes a single quote is written twice: `''`")
    } else {
        diagnostic.help("inside double quotes a double quote is written `\\\"`")
    }
}

fn text_after(text: &str, repaired: &str, at: usize) -> Diagnostic {
    if let Some(open) = bracket::open_bracket(repaired, at) {
        return bracket::missing_comma(text, at, open);
    }
    let diagnostic = error("a quoted value ends before this, and nothing may follow it", rest(text, at));
    // The mark that closed the quote is the last before this place; without it the parser says where it was opened.
    let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
    let close = before.len().saturating_sub(1);
    let Some(start) = open_quote(repaired, close) else { return diagnostic };
    let mark = text.get(one(text, start).range()).unwrap_or_default();
    let several_lines = text.get(start..close).is_some_and(|quoted| quoted.contains(['\r', '\n']));
    if several_lines {
        return diagnostic
            .label(one(text, start), "the quote was opened here")
            .help(format!("if it was meant to end on the line where it began, close it there with `{mark}`"));
    }
    let whole = text.get(start..rest(text, at).range().end).unwrap_or_default();
    let diagnostic = diagnostic.label(Span::new(start, close + 1), "the quoted value");
    if mark == "'" && whole.matches('\'').count() > 2 {
        diagnostic.help("inside single quotes a single quote is written twice: `''`")
    } else {
        diagnostic.help(format!("quote the value as a whole: {}", in_quotes(whole)))
    }
}

/// A backslash sequence that means nothing, in the double-quoted scalar that starts at `start`.
fn escape(fault: &Fault, text: &str, start: usize) -> Diagnostic {
    let place = bad_escape(text, start).unwrap_or(Span::new(start, start));
    let written = text.get(place.range()).unwrap_or_default();
    if *fault == Fault::UnknownEscape {
        error(format!("`{written}` means nothing inside double quotes"), place)
            .help("write a backslash as `\\\\`, or use single quotes, inside which it stands for itself")
    } else {
        error(format!("`{written}` is not a character"), place)
            .help("expected `\\x` with 2, `\\u` with 4 or `\\U` with 8 hexadecimal digits that name a character")
    }
}

/// The first escape in the scalar that cannot be read.
fn bad_escape(text: &str, start: usize) -> Option<Span> {
    let mut at = start + 1;
    loop {
        at += text.get(at..)?.find('\\')?;
        let kind = text.get(at + 1..)?.chars().next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0' | 'a' | 'b' | 't' | '\t' | 'n' | 'v' | 'f' | 'r' | 'e' | ' ' | '"' | '/' | '\\' => 0,
            'N' | '_' | 'L' | 'P' | '\r' | '\n' => 0,
            _ => return Some(Span::new(at, at + 1 + kind.len_utf8())),
        };
        let first = at + 2;
        let rest = text.get(first..).unwrap_or_default();
        let valid = rest.bytes().take(digits).take_while(u8::is_ascii_hexdigit).count();
        let value = rest.get(..digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let surrogate = digits == 4 && value.is_some_and(|value| (0xd800..0xe000).contains(&value));
        let pair = surrogate && rest.get(4..6) == Some("\\u");
        let named = digits == 0 || value.is_some_and(|value| char::from_u32(value).is_some());
        if valid < digits || !named && !pair {
            return Some(Span::new(at, first + valid));
        }
        at = if pair {
            let low = rest.get(6..10).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            if !low.is_some_and(|low| (0xdc00..0xe000).contains(&low)) {
                return Some(Span::new(at, first + 4));
            }
            first + 10
        } else {
            at + 1 + kind.len_utf8() + digits
        };
    }
}

/// Where the quoted scalar begins that the place `at` is in: of a text that ends there, the parser says where the quote
/// was left open.
pub(crate) fn open_quote(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?.trim_end_matches([' ', '\t', '\r', '\n']);
    let mut events = Events::new(before, usize::from(u8::MAX));
    loop {
        match events.next()? {
            Ok(_) => {}
            Err(error) if error.fault == Fault::UnclosedQuote => return Some(error.at),
            Err(_) => return None,
        }
    }
}

/// The offset behind the mark that closes the quote opened at `start`.
pub(crate) fn closing_quote(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(start)?;
    let mut at = start + 1;
    loop {
        let byte = *bytes.get(at)?;
        if byte == quote {
            if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') {
                at += 2;
                continue;
            }
            return Some(at + 1);
        }
        at += if byte == b'\\' && quote == b'"' { 2 } else { 1 };
    }
}
