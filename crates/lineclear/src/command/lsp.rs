//! `lineclear lsp`: the checker in editors.

use std::path::Path;

use clap::Args;
use lineclear_check::Files;
use lsp_server::Connection;

use crate::checking::Around;
use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "\
An editor starts this command itself. Settings for Visual Studio Code, Neovim, Helix, Emacs, Zed and Sublime Text: docs/editors.md";

/// Arguments of `lsp`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LspArgs {
    /// Accepted for editors that say how they want to talk; there is no other way.
    #[arg(long = "stdio")]
    _stdio: bool,
}

/// Carries out `lsp`.
pub(crate) fn run(_args: &LspArgs) -> Exit {
    let (connection, threads) = Connection::stdio();
    let files = |root: &Path| -> Box<dyn Files> { Box::new(Around::new(root.to_path_buf(), false)) };
    let served = lineclear_lsp::serve(&connection, &files);
    // The threads end with the connection's own ends of their channels.
    drop(connection);
    let ended = threads.join();
    match (served, ended) {
        (Ok(()), Ok(())) => Exit::Success,
        (Err(error), _) => {
            output::complain_of(&error);
            Exit::EngineFault
        }
        (Ok(()), Err(error)) => {
            output::complain(&format!("error: {error}"));
            Exit::EngineFault
        }
    }
}
