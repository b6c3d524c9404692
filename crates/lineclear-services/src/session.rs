//! Jobs that are open, and the tokens that name them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use lineclear_event::{RunId, Timestamp};
use lineclear_store::ArtifactMeta;
use zeroize::Zeroizing;

use crate::job_token::BackendIds;
use crate::{JobIdentity, ServicesError};

/// So long an attempt of a run is remembered: longer than any lasts.
const ATTEMPT_MS: u64 = 35 * 86_400_000;

/// Numbers the jobs that were opened in this process. It is no secret: only a signature makes it good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// One open job.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) identity: JobIdentity,
    pub(crate) backend: BackendIds,
    /// When this attempt of the run was first seen.
    attempt_began: Timestamp,
    /// Calls of the forge's API so far, for its rate-limit headers.
    pub(crate) calls: AtomicU64,
}

impl Session {
    pub(crate) fn run(&self) -> RunId {
        self.identity.caller.run
    }

    /// Whether an artifact is left from an earlier attempt of the run: this attempt may put its own in its place.
    pub(crate) fn is_of_an_earlier_attempt(&self, artifact: &ArtifactMeta) -> bool {
        self.identity.run_attempt > 1 && artifact.created < self.attempt_began
    }
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<SessionId, Arc<Session>>,
    /// By the SHA-256 of the forge token: how long a look-up takes says nothing about the token.
    /// Several jobs have one token only where it was given from outside.
    by_forge_token: HashMap<[u8; 32], Vec<SessionId>>,
    attempts: HashMap<(RunId, u32), Timestamp>,
}

/// All open jobs.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    next: AtomicU64,
    table: RwLock<Table>,
}

impl Sessions {
    /// Opens a job; gives its session and its forge token, which is a new one unless it was `given`.
    pub(crate) fn open(
        &self,
        identity: JobIdentity,
        given: Option<&str>,
        now: Timestamp,
    ) -> Result<(Arc<Session>, Zeroizing<String>), ServicesError> {
        let token = given.map_or_else(forge_token, |given| Ok(Zeroizing::new(given.to_owned())))?;
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.attempts.retain(|_, began| now.millis_since(*began) < ATTEMPT_MS);
        let attempt = (identity.caller.run, identity.run_attempt);
        let attempt_began = *table.attempts.entry(attempt).or_insert(now);
        let backend = BackendIds::of(&identity);
        let session = Arc::new(Session { id, identity, backend, attempt_began, calls: AtomicU64::new(0) });
        table.by_id.insert(id, session.clone());
        table.by_forge_token.entry(hash(&token)).or_default().push(id);
        Ok((session, token))
    }

    pub(crate) fn close(&self, id: SessionId) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_id.remove(&id);
        table.by_forge_token.retain(|_, known| {
            known.retain(|known| *known != id);
            !known.is_empty()
        });
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    /// Any open job of a run.
    pub(crate) fn of_run(&self, run: RunId) -> Option<Arc<Session>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_id.values().find(|session| session.run() == run).cloned()
    }

    /// Whether a token was given to jobs of several runs that are open.
    pub(crate) fn is_of_several_runs(&self, token: &str) -> bool {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let ids = table.by_forge_token.get(&hash(token)).map(Vec::as_slice).unwrap_or_default();
        let mut runs = ids.iter().filter_map(|id| table.by_id.get(id)).map(|session| session.run());
        let first = runs.next();
        runs.any(|run| Some(run) != first)
    }

    pub(crate) fn of_forge_token(&self, token: &str) -> Option<Arc<Session>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let sessions = table.by_forge_token.get(&hash(token))?.iter().filter_map(|id| table.by_id.get(id));
        // Which of several jobs asks cannot be told: it is taken for the one that may write least.
        let writes = |session: &&Arc<Session>| {
            session.identity.caller.permissions.values().filter(|level| *level == "write").count()
        };
        sessions.min_by_key(writes).cloned()
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

/// A new `GITHUB_TOKEN` in GitHub's form, which scanners of leaked secrets know: `ghs_` and 36 letters and digits.
fn forge_token() -> Result<Zeroizing<String>, ServicesError> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut token = Zeroizing::new(String::with_capacity(40));
    token.push_str("ghs_");
    let mut random = Zeroizing::new([0; 64]);
    while token.len() < 40 {
        getrandom::fill(&mut *random).map_err(|_| ServicesError::Random)?;
        for byte in random.iter() {
            // Of 64 values 62 are taken, so that each letter is as likely as any other.
            if let Some(letter) = LETTERS.get(usize::from(byte & 63))
                && token.len() < 40
            {
                token.push(char::from(*letter));
            }
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forge_tokens_have_githubs_form_and_differ() {
        let (one, other) = (forge_token().expect("randomness"), forge_token().expect("randomness"));
        assert_ne!(*one, *other);
        assert_eq!(one.len(), 40);
        assert!(
            one.strip_prefix("ghs_").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric())),
            "{}",
            *one
        );
    }
}
