//! Faults inside `[…]` and `{…}`.

use lineclear_source::{Diagnostic, Span};

use super::{Fault, error, one, rest};
use crate::events::Events;

pub(super) fn diagnostic(fault: &Fault, text: &str, at: usize) -> Diagnostic {
    match fault {
        Fault::UnclosedBracket { open } => {
            let close = closing(*open);
            error(format!("this `{open}` is never closed"), one(text, at))
                .help(format!("add `{close}` where it ends; quote the value if it is meant to start with `{open}`"))
        }
        Fault::WrongBracket { open, close } => error(format!("this `{open}` is closed with `{close}`"), one(text, at))
            .help(format!("close it with `{}`", closing(*open))),
        Fault::StrayBracket => {
            let bracket = text.get(one(text, at).range()).unwrap_or_default();
            error(format!("this `{bracket}` closes nothing"), one(text, at))
                .help("remove it, or quote the value if it is meant as text")
        }
        Fault::DashInFlow => error("a list item with `-` cannot stand inside brackets", one(text, at))
            .help("separate the items with commas: `[one, two]`"),
        _ => separator(fault, text, at),
    }
}

/// Something stands where a comma or the closing bracket was expected: often the bracket was forgotten lines above.
fn separator(fault: &Fault, text: &str, at: usize) -> Diagnostic {
    let found = text.get(at..).and_then(|rest| rest.chars().next());
    let opened = open_bracket(text, at);
    let expected = match opened.and_then(|place| text.get(place..)).and_then(|rest| rest.chars().next()) {
        Some(open) => format!("`,` or `{}`", closing(open)),
        None => "`,` or the closing bracket".to_owned(),
    };
    let diagnostic = match (fault, found) {
        (Fault::ColonInFlow, _) => error(format!("a colon cannot stand here; expected {expected}"), one(text, at)),
        (_, Some(found @ (',' | ']' | '}'))) => error(format!("expected a value before `{found}`"), one(text, at)),
        _ => error(format!("expected {expected} here"), rest(text, at)),
    };
    match opened {
        Some(place) => diagnostic.label(Span::new(place, place + 1), "opened here and not closed"),
        None => diagnostic,
    }
}

/// The innermost bracket that is open at `at`: of a text that ends there, the parser says so itself.
fn open_bracket(text: &str, at: usize) -> Option<usize> {
    let mut events = Events::new(text.get(..at)?, usize::from(u8::MAX));
    loop {
        match events.next()? {
            Ok(_) => {}
            Err(error) if matches!(error.fault, Fault::UnclosedBracket { .. }) => return Some(error.at),
            Err(_) => return None,
        }
    }
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}
