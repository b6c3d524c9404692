//! Faults inside `[…]` and `{…}`.

use lineclear_source::Diagnostic;

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
    if let Some(found @ (',' | ']' | '}')) = found {
        return error(format!("expected a value before `{found}`"), one(text, at));
    }
    let Some(open) = open_bracket(text, at) else {
        return error("expected `,` or the closing bracket here", rest(text, at));
    };
    if *fault == Fault::ColonInFlow {
        let expected = separators(text, open);
        return error(format!("a colon cannot stand here; expected {expected}"), one(text, at))
            .label(one(text, open), "opened here and not closed");
    }
    missing_comma(text, at, open)
}

/// What stands at `at` follows a value inside the bracket at `open`.
pub(super) fn missing_comma(text: &str, at: usize, open: usize) -> Diagnostic {
    error(format!("expected {} here", separators(text, open)), rest(text, at))
        .label(one(text, open), "opened here and not closed")
}

fn separators(text: &str, open: usize) -> String {
    let open = text.get(open..).and_then(|rest| rest.chars().next()).unwrap_or('[');
    format!("`,` or `{}`", closing(open))
}

/// The innermost bracket that is open at `at`: of a text that ends there, the parser says so itself.
pub(super) fn open_bracket(text: &str, at: usize) -> Option<usize> {
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
