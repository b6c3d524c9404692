//! What all doors of a run have in common.

use std::path::PathBuf;

use lineclear_oci::Routes;

/// What all doors of a run have in common.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where the engine answers.
    pub engine: EngineAddress,
    /// The value of the label `org.lineclear.owner`: this instance of Lineclear, as `lineclear_backend::Owner` writes it.
    pub owner: String,
    /// What steps see of what is on the machine.
    pub view: View,
    /// Folders that no container may mount, nor anything in them but the job's own folders: Lineclear's home, and where
    /// jobs have their folders.
    pub protected: Vec<PathBuf>,
    /// Names of images that are kept elsewhere than they say, by jobs that have a login there.
    pub routes: Routes,
}

impl Settings {
    /// Nothing protected, nothing mapped, and only what is the job's own is seen.
    pub fn new(engine: EngineAddress, owner: impl Into<String>) -> Self {
        Self { engine, owner: owner.into(), view: View::default(), protected: Vec::new(), routes: Routes::default() }
    }
}

/// Where an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineAddress {
    /// The path of its socket.
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
}

/// What steps see of what is on the machine and was not made by their job. Images are seen in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Nothing.
    #[default]
    Own,
    /// All of it, but nothing of it can be changed.
    Shared,
}
