//! What a job is given.

use std::fmt;
use std::sync::Arc;

use lineclear_forge::Caller;
use zeroize::Zeroize;

use crate::job_token::orchestration_id;
use crate::services::Shared;
use crate::session::Session;

/// Tokens and variables of one open job. Dropping it revokes the tokens and forgets uploads that were not ended.
///
/// The variables are for the process of a step, by the kind of step. All of them are platform variables: a step's own `env:` does
/// not change them.
pub struct JobAccess {
    /// `GITHUB_TOKEN`; masks must know it.
    pub forge_token: String,
    /// The runtime token, which is also the one that identity tokens are asked with; masks must know it.
    pub runtime_token: String,
    /// For `run` steps: without the runtime token.
    pub run_steps: Vec<(String, String)>,
    pub javascript_actions: Vec<(String, String)>,
    pub docker_actions: Vec<(String, String)>,
    shared: Arc<Shared>,
    session: Arc<Session>,
}

impl JobAccess {
    pub(crate) fn new(shared: Arc<Shared>, session: Arc<Session>, forge_token: String, runtime_token: String) -> Self {
        let base = shared.base.as_str();
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut run_steps = Vec::with_capacity(3);
        if session.identity.has_id_token() {
            run_steps.push((
                "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
                // Clients add `&audience=`: there has to be a query.
                format!("{base}/_oidc/token?api-version=2.0"),
            ));
            run_steps.push(variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &runtime_token));
        }
        run_steps.push(variable("ACTIONS_ORCHESTRATION_ID", &orchestration_id(&session.identity)));
        if shared.config.registry.is_some() {
            run_steps.push(variable("LINECLEAR_REGISTRY", &shared.registry_host));
        }
        let root = format!("{base}/");
        let mut docker_actions = run_steps.clone();
        docker_actions.extend([
            variable("ACTIONS_RUNTIME_URL", &root),
            variable("ACTIONS_RUNTIME_TOKEN", &runtime_token),
            variable("ACTIONS_RESULTS_URL", &root),
            variable("ACTIONS_CACHE_URL", &root),
            variable("ACTIONS_CACHE_MODE", session.identity.cache_mode.as_str()),
        ]);
        let mut javascript_actions = docker_actions.clone();
        // As the runner writes it. Docker actions do not get it.
        javascript_actions.push(variable("ACTIONS_CACHE_SERVICE_V2", "True"));
        Self { forge_token, runtime_token, run_steps, javascript_actions, docker_actions, shared, session }
    }

    /// On whose behalf calls with these tokens are made.
    pub fn caller(&self) -> &Caller {
        &self.session.identity.caller
    }

    /// Revokes the tokens now.
    pub fn close(self) {}
}

impl Drop for JobAccess {
    fn drop(&mut self) {
        self.shared.close(self.session.id);
        self.forge_token.zeroize();
        self.runtime_token.zeroize();
        for variables in [&mut self.run_steps, &mut self.javascript_actions, &mut self.docker_actions] {
            variables.iter_mut().for_each(|(_, value)| value.zeroize());
        }
    }
}

impl fmt::Debug for JobAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobAccess").field("caller", self.caller()).finish_non_exhaustive()
    }
}
