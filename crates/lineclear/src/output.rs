//! Writing to the terminal: the one place that knows whether there is one, and whether it wants colours.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whether something that was to be on standard output is not there.
static OUTPUT_LOST: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. A reader that went away (`| head`) is no error of ours.
pub(crate) fn print(text: &str) {
    write(&mut io::stdout().lock(), text.as_bytes());
}

/// Prints to standard output. False: nobody reads it any more, so that whoever prints much may stop.
pub(crate) fn print_to_reader(text: &str) -> bool {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => true,
        Err(error) => {
            note_loss(&error);
            false
        }
    }
}

/// Writes to what stands for standard output, and goes on whatever comes of it: a run's record is kept elsewhere.
///
/// A reader that went away has what it wanted. Any other failure, such as a full disk, is told once and makes
/// [`was_lost`] true.
pub(crate) fn write(out: &mut dyn Write, bytes: &[u8]) {
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        note_loss(&error);
    }
}

/// A reader that is gone cannot be told anything; any other loss is told once.
fn note_loss(error: &io::Error) {
    if error.kind() != ErrorKind::BrokenPipe && !OUTPUT_LOST.swap(true, Ordering::Relaxed) {
        complain(&format!("error: standard output is incomplete, it cannot be written: {error}"));
    }
}

/// Whether standard output is incomplete though somebody wanted it.
pub(crate) fn was_lost() -> bool {
    OUTPUT_LOST.load(Ordering::Relaxed)
}

/// Prints a line to standard error.
pub(crate) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    // Nothing can be told to a reader that is gone.
    let _ = writeln!(err, "{text}");
}

/// Draws a line on standard error over the one that was drawn there before; an empty one takes it away. For terminals only.
pub(crate) fn redraw(line: &str) {
    let mut err = io::stderr().lock();
    // Nothing can be told to a reader that is gone.
    let _ = write!(err, "\r\x1b[K{line}").and_then(|()| err.flush());
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
