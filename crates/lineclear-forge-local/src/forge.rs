//! The forge itself: opened for one repository, called by anyone.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use lineclear_event::{RunId, hexadecimal};
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi, segments};
use sha2::{Digest as _, Sha256};

use crate::blob::Blobs;
use crate::call::{Answer, Call, Refusal};
use crate::git::{Git, GitError};
use crate::journal::{Journal, JournalError, Transaction};
use crate::record::Dispatch;
use crate::{Addresses, Ports, Posted, RepositoryFacts, rest, seed};

/// Why the embedded forge cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the embedded forge cannot read the repository")]
    Git(#[from] GitError),
}

/// GitHub's API for one repository of this machine.
///
/// What is written lives in a folder: a journal, blobs, and a bare git repository that borrows the user's objects. Any number of
/// processes may have the same folder open.
#[derive(Debug)]
pub struct LocalForge {
    folder: PathBuf,
    facts: RepositoryFacts,
    ports: Ports,
    journal: Journal,
    blobs: Blobs,
    git: OnceLock<Git>,
    preparing: Mutex<()>,
}

impl LocalForge {
    /// Opens the forge that lives in `folder`, or makes it, and enters the pull request or issue of the event.
    ///
    /// The git repository is prepared by the first call that asks for it.
    ///
    /// # Errors
    /// [`OpenError::Journal`] when the folder cannot be used or is damaged.
    pub fn open(folder: &Path, facts: RepositoryFacts, ports: Ports) -> Result<Self, OpenError> {
        let journal = Journal::open(folder)?;
        let now = (ports.clock)();
        journal.write(|memory| -> Result<(), JournalError> {
            seed::enter(memory, &facts, now);
            memory.forget_old_postings();
            Ok(())
        })?;
        Ok(Self {
            blobs: Blobs::new(folder.join("blobs")),
            folder: folder.to_owned(),
            facts,
            ports,
            journal,
            git: OnceLock::new(),
            preparing: Mutex::new(()),
        })
    }

    /// The bare repository that clones and pushes of the steps may use: the user's branches and tags, what runs pushed, and
    /// `refs/pull/N/head` and `…/merge`. It borrows the user's objects; nothing is ever written into the user's repository.
    ///
    /// # Errors
    /// [`OpenError::Git`] when git cannot be run, or the user's repository cannot be read.
    pub fn git_dir(&self) -> Result<&Path, OpenError> {
        Ok(self.git()?.directory())
    }

    /// What `run` showed to people, oldest first, each thing once and in its last form.
    ///
    /// # Errors
    /// [`OpenError::Journal`] when the folder cannot be read.
    pub fn posted(&self, run: RunId) -> Result<Vec<Posted>, OpenError> {
        Ok(self.journal.read()?.postings(run))
    }

    /// The workflow and repository dispatches that `run` asked for, oldest first.
    ///
    /// # Errors
    /// [`OpenError::Journal`] when the folder cannot be read.
    pub fn dispatched(&self, run: RunId) -> Result<Vec<Dispatched>, OpenError> {
        let records = self.journal.read()?.all::<Dispatch>().into_iter().filter(|record| record.run == run.0);
        let shown = records.map(|record| Dispatched {
            workflow: Some(record.workflow).filter(|path| !path.is_empty()),
            reference: record.reference,
            event_type: record.event_type,
            payload: record.payload,
        });
        Ok(shown.collect())
    }

    pub(crate) fn facts(&self) -> &RepositoryFacts {
        &self.facts
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.ports.addresses
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub(crate) fn git(&self) -> Result<&Git, OpenError> {
        if let Some(git) = self.git.get() {
            return Ok(git);
        }
        let _only_one = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(git) = self.git.get() {
            return Ok(git);
        }
        let lock = Journal::open(&self.folder.join("preparing"))?;
        let git = lock.alone(|| Ok::<_, OpenError>(Git::prepare(self.folder.join("repository.git"), &self.facts)?))?;
        Ok(self.git.get_or_init(|| git))
    }
}

/// An event that a job asked for. The embedded forge starts nothing itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatched {
    /// Path of the workflow; `None` for a repository dispatch.
    pub workflow: Option<String>,
    pub reference: String,
    /// `workflow_dispatch`, or the type that the repository dispatch gave.
    pub event_type: String,
    /// Inputs or client payload.
    pub payload: serde_json::Value,
}

impl ForgeApi for LocalForge {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        let now = (self.ports.clock)();
        let call = Call { forge: self, caller, request, now };
        let mut response = answer(&call).unwrap_or_else(|Refusal(refusal)| refusal);
        if request.method == "HEAD" {
            response.body.clear();
        }
        let reset = now.0.div_euclid(1000) + 3600;
        for (name, value) in [
            ("x-github-media-type", "github.v3; format=json".to_owned()),
            ("x-ratelimit-limit", "5000".to_owned()),
            ("x-ratelimit-remaining", "4999".to_owned()),
            ("x-ratelimit-used", "1".to_owned()),
            ("x-ratelimit-reset", reset.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ] {
            response.headers.push((name.into(), value));
        }
        tagged(request, response)
    }
}

fn answer(call: &Call<'_>) -> Answer {
    let Some(path) = segments(&call.request.path) else { return Err(Refusal::not_found()) };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let method = if call.request.method == "HEAD" { "GET" } else { call.request.method.as_str() };
    let route = |memory: &mut Transaction| match path.as_slice() {
        ["repos", owner, name, below @ ..] => {
            let facts = call.facts();
            if owner.eq_ignore_ascii_case(&facts.owner) && name.eq_ignore_ascii_case(&facts.name) {
                rest::in_repository(call, memory, method, below)
            } else {
                Err(Refusal::not_found())
            }
        }
        elsewhere => rest::elsewhere(call, method, elsewhere),
    };
    if method == "GET" { route(&mut call.forge.journal.read()?) } else { call.forge.journal.write(route) }
}

/// With an entity tag on what was asked for; 304 where the client has it already.
fn tagged(request: &ApiRequest, mut response: ApiResponse) -> ApiResponse {
    if request.method != "GET" || response.status != 200 {
        return response;
    }
    let tag = format!("\"{}\"", hexadecimal(&Sha256::digest(&response.body)));
    let known = request.header("if-none-match").is_some_and(|tags| {
        tags.split(',').any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
    });
    response.headers.push(("etag".into(), format!("W/{tag}")));
    if known {
        response.status = 304;
        response.body.clear();
        response.headers.retain(|(name, _)| name != "content-type");
    }
    response
}
