//! Writing to the terminal: the one place that knows whether there is one, and whether it wants colours.

use std::io::{self, IsTerminal, Write};

use lineclear_source::{Diagnostic, Source, Style, render};

/// Whether to use colours on a stream: only on a terminal, and not where `NO_COLOR` asks for none.
fn style_of(is_terminal: bool) -> Style {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    if forced || is_terminal && !refused { Style::Coloured } else { Style::Plain }
}

/// The style for standard output.
pub(crate) fn stdout_style() -> Style {
    style_of(io::stdout().is_terminal())
}

/// The style for standard error.
pub(crate) fn stderr_style() -> Style {
    style_of(io::stderr().is_terminal())
}

/// Prints to standard output. A reader that went away (`| head`) is no error of ours.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    // Nothing can be told to a reader that is gone.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line to standard error.
pub(crate) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    // Nothing can be told to a reader that is gone.
    let _ = writeln!(err, "{text}");
}

/// Prints an error to standard error, with everything that caused it.
pub(crate) fn complain_of(error: &dyn std::error::Error) {
    complain(&format!("error: {}", lineclear_event::with_causes(error)));
}

/// Prints findings against their source to standard error.
pub(crate) fn complain_findings(source: &Source, findings: &[Diagnostic]) {
    let style = stderr_style();
    for finding in findings {
        complain(render(finding, source, style).trim_end());
    }
}
