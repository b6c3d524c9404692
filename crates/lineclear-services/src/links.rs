//! Links to artifacts, for the forge's API.

use std::sync::{Arc, OnceLock, Weak};

use lineclear_event::RunId;

use crate::services::Shared;

/// Gives out addresses that artifacts can be downloaded from without a token.
///
/// The forge needs it before the services are there, which need the forge: make one, give a clone to each. It works as long as
/// the services are.
#[derive(Clone, Debug, Default)]
pub struct ArtifactLinks(Arc<OnceLock<Weak<Shared>>>);

impl ArtifactLinks {
    pub(crate) fn fill(&self, shared: &Arc<Shared>) {
        // Filled twice only by who gives one config to two services: the first stays.
        let _ = self.0.set(Arc::downgrade(shared));
    }

    /// Where an artifact of a run can be downloaded for a while: the target of the redirect that
    /// `GET /repos/{owner}/{repo}/actions/artifacts/{id}/zip` answers. `None` where there are no services. That the artifact
    /// exists is the caller's to know.
    pub fn signed_artifact_url(&self, run: RunId, name: &str) -> Option<String> {
        Some(self.0.get()?.upgrade()?.artifact_url(run, name))
    }
}
