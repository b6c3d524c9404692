//! Reads every file named on the command line and prints its findings: for trying the reader on a folder of workflows.
//!
//! `cargo run -p lineclear-workflow --example read_all -- FILE…`; a file called `action.yml` is read as an action.

use std::io::Write as _;

use lineclear_source::Source;
use lineclear_workflow::{Action, Workflow};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let source = Source::new(path.as_str(), text);
        let is_action = path.ends_with("action.yml") || path.ends_with("action.yaml");
        let diagnostics =
            if is_action { Action::read(&source).diagnostics } else { Workflow::read(&source).diagnostics };
        for found in diagnostics {
            let place = found.span.map(|span| source.position(span.start).to_string()).unwrap_or_default();
            writeln!(out, "{path}:{place}: {:?} {} {}", found.severity, found.code, found.message)?;
        }
    }
    Ok(())
}
