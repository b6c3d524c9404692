//! The registry for jobs: who has a job's `GITHUB_TOKEN` may what `permissions: packages` says.
//!
//! A job pulls with `packages: read` and pushes with `packages: write`, to repositories of its own owner only: `<owner>/…`, or, for names
//! of another registry that lead here, `<host>/<owner>/…`. The user name is not looked at. Clients that want a bearer token get the
//! very token that they came with: it opens the same, and ends with the job.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use lineclear_event::{Fact, ImageFact};
use lineclear_oci::{ErrorCode, RepositoryName, Tag};
use lineclear_registry_server::{Caller, Deed, Denial, Free, Naming, Permit, refusal};
use serde_json::json;

use super::transport::{self, Asked, Hearers, Pushed};
use crate::forge;
use crate::http;
use crate::permit::Who;
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;

/// Where a bearer token is had. No repository's name begins so.
const TOKEN: &str = "/v2/_token";

pub(crate) async fn answer(shared: Arc<Shared>, call: Call) -> Response {
    let Some(registry) = shared.config.registry.clone() else {
        http::discard(call.body, shared.config.limits.stall).await;
        return http::json(StatusCode::NOT_FOUND, &json!({ "message": "there is no registry here" }));
    };
    let token = forge::token(&call.headers);
    let session = token.as_deref().and_then(|token| shared.sessions.of_forge_token(token));
    let challenges = vec![
        "Basic realm=\"Lineclear\"".to_owned(),
        format!("Bearer realm=\"{}{TOKEN}\",service=\"lineclear\"", shared.base.as_str()),
    ];
    if call.path == TOKEN {
        http::discard(call.body, shared.config.limits.stall).await;
        return bearer(&call.method, token.filter(|_| session.is_some()), &challenges);
    }
    let is_ambiguous = token.as_deref().is_some_and(|token| shared.sessions.is_of_several_runs(token));
    let caller = Box::new(Job { shared: shared.clone(), session: session.clone(), is_ambiguous, challenges });
    let asked =
        Asked { method: call.method, path: call.path, query: call.query_text, headers: call.headers, body: call.body };
    let (now, limits) = (shared.now(), shared.config.limits);
    let telling = (shared.clone(), session.clone());
    let warn = Arc::new(move |message: &str| {
        if let (shared, Some(session)) = &telling {
            shared.warn(&session.identity.caller, &format!("the registry cannot give a blob: {message}"));
        }
    });
    let pushed = session.clone().map(|session| {
        let shared = shared.clone();
        Box::new(move |mut fact: Box<ImageFact>| {
            fact.names.iter_mut().for_each(|name| *name = shown(name, &shared.registry_host));
            shared.config.listener.observed(&session.identity.caller, Fact::Image(fact));
        }) as Pushed
    });
    let (response, warning) = transport::answer(registry, caller, asked, now, limits, Hearers { warn, pushed }).await;
    if let (Some(session), Some(warning)) = (session, warning) {
        shared.warn(&session.identity.caller, &format!("the registry: {warning}"));
    }
    response
}

/// The name by which steps know an image: what leads here from another registry is called as it is there.
fn shown(name: &str, registry: &str) -> String {
    let first = name.split('/').next().unwrap_or_default();
    let is_host = name.contains('/') && first.contains('.');
    if is_host { name.to_owned() } else { format!("{registry}/{name}") }
}

fn bearer(method: &Method, token: Option<String>, challenges: &[String]) -> Response {
    if *method != Method::GET {
        // Clients that begin with a form go on with GET.
        return http::reply(StatusCode::METHOD_NOT_ALLOWED, &[("allow", "GET")], "");
    }
    let Some(token) = token else {
        let message = "the job's GITHUB_TOKEN is needed as the password; that of a job that has ended opens nothing";
        let refused = refusal(401, ErrorCode::Unauthorized, message);
        let body = match refused.body {
            lineclear_registry_server::Body::Bytes(bytes) => bytes,
            _ => Vec::new(),
        };
        let challenge = challenges.first().map_or("", String::as_str);
        let headers = [("www-authenticate", challenge), ("content-type", "application/json; charset=utf-8")];
        return http::reply(StatusCode::UNAUTHORIZED, &headers, body);
    };
    http::json(StatusCode::OK, &json!({ "token": token, "access_token": token, "expires_in": 300 }))
}

/// A job, or whoever has no job's token.
struct Job {
    shared: Arc<Shared>,
    session: Option<Arc<Session>>,
    /// Whether jobs of several runs have this token.
    is_ambiguous: bool,
    challenges: Vec<String>,
}

impl Caller for Job {
    fn may(&self, deed: Deed, repository: &RepositoryName) -> Result<(), Denial> {
        let session = self.session.as_ref().ok_or(Denial::WhoAsks)?;
        let caller = &session.identity.caller;
        let level = caller.permissions.get("packages").map_or("none", String::as_str);
        let needed = if deed == Deed::Pull { "read" } else { "write" };
        if !(level == "write" || level == needed) {
            return Err(Denial::Refused(format!(
                "to {deed} `{repository}` the job `{}` needs `packages: {needed}`, and it has `packages: {level}`; \
                 say so in `permissions:` of the job or the workflow",
                caller.job
            )));
        }
        let owner = caller.repository.split('/').next().unwrap_or_default().to_lowercase();
        if deed == Deed::Pull || is_of(repository, &owner) {
            return Ok(());
        }
        Err(Denial::Refused(format!(
            "a job of `{}` may {deed} in repositories of its owner only: `{owner}/…`, not `{repository}`",
            caller.repository
        )))
    }

    fn may_name(&self, naming: &Naming<'_>) -> Result<Box<dyn Permit>, Denial> {
        let session = self.session.as_ref().ok_or(Denial::WhoAsks)?;
        let Some(permits) = &self.shared.config.permits else { return Ok(Box::new(Free)) };
        let who = if self.is_ambiguous { Who::SomeJob } else { Who::Job(&session.identity.caller) };
        permits.may_name(who, naming).map_err(|why| self.refused(session, why))
    }

    fn may_remove(&self, repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), Denial> {
        let session = self.session.as_ref().ok_or(Denial::WhoAsks)?;
        let Some(permits) = &self.shared.config.permits else { return Ok(()) };
        permits.may_remove(repository, tag).map_err(|why| self.refused(session, why))
    }

    fn may_enter(&self) -> Result<(), Denial> {
        self.session.as_ref().map(|_| ()).ok_or(Denial::WhoAsks)
    }

    fn challenges(&self) -> Vec<String> {
        self.challenges.clone()
    }
}

impl Job {
    /// The client is told, and so is the record of the run.
    fn refused(&self, session: &Session, why: String) -> Denial {
        self.shared.warn(&session.identity.caller, &why);
        Denial::Refused(why)
    }
}

/// Whether a repository is an owner's, perhaps below the host of a registry that leads here.
fn is_of(repository: &RepositoryName, owner: &str) -> bool {
    let mut parts = repository.as_str().split('/');
    let first = parts.next().unwrap_or_default();
    let mut is_owners = |part: &str| part == owner && parts.next().is_some();
    if first.contains('.') && first != owner {
        let second = parts.next().unwrap_or_default();
        return second == owner && parts.next().is_some();
    }
    is_owners(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_its_owners_here_and_behind_a_host() {
        let is_of = |name: &str| is_of(&RepositoryName::parse(name).expect("a name"), "octo");
        for name in ["octo/app", "octo/app/web", "ghcr.io/octo/app"] {
            assert!(is_of(name), "{name}");
        }
        for name in ["octo", "app", "other/app", "ghcr.io/other/app", "ghcr.io/octo", "other/octo/app"] {
            assert!(!is_of(name), "{name}");
        }
    }

    #[test]
    fn names_are_shown_as_steps_know_them() {
        assert_eq!(shown("octo/app:1", "127.0.0.1:5"), "127.0.0.1:5/octo/app:1");
        assert_eq!(shown("ghcr.io/octo/app:1", "127.0.0.1:5"), "ghcr.io/octo/app:1");
        assert_eq!(shown("app:1.0", "127.0.0.1:5"), "127.0.0.1:5/app:1.0");
    }
}
