//! `lineclear registry`: the embedded registry by itself, and what it keeps.

mod door;
mod kept;
mod serve;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use lineclear_store_folder::FolderStore;

use crate::exit::Exit;
use crate::output;
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  lineclear registry serve --anonymous        on 127.0.0.1:5000, for whoever is on this machine
  docker push 127.0.0.1:5000/octo/app:1
  lineclear registry serve --listen 0.0.0.0:5000 --htpasswd users --anonymous-pull --immutable-tags 'v*'
                                              everybody pulls, users push, releases stay what they are
  lineclear registry list                     repositories, tags, digests, sizes
  lineclear registry gc --dry-run             what nothing needs any more
  lineclear registry verify                   reads everything and compares it with its digest

The images are those that runs push to, with `$LINECLEAR_REGISTRY` or mapped names: docs/registry.md";

/// Arguments of `registry`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RegistryArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen, and answer clients until Ctrl-C.
    Serve(serve::ServeArgs),
    /// List what is there.
    List(kept::ListArgs),
    /// Remove what no tag and no protection leads to.
    Gc(kept::GcArgs),
    /// Read everything and compare it with its digest.
    Verify(kept::VerifyArgs),
}

#[derive(Debug, Args)]
struct DataArgs {
    /// The folder of the images. [default: where runs keep theirs]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    fn open(&self) -> Result<Arc<FolderStore>, Exit> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => settings::home().map_err(|message| {
                output::complain(&format!("error: {message}"));
                Exit::BadInput
            })?,
        };
        FolderStore::open(folder).map(Arc::new).map_err(|error| {
            output::complain_of(&error);
            Exit::EngineFault
        })
    }
}

/// Carries out `registry`.
pub(crate) fn run(args: &RegistryArgs) -> Exit {
    let done = match &args.command {
        Command::Serve(args) => serve::serve(args),
        Command::List(args) => kept::list(args),
        Command::Gc(args) => kept::gc(args),
        Command::Verify(args) => kept::verify(args),
    };
    done.unwrap_or_else(|exit| exit)
}
