//! A registry that listens by itself: `lineclear registry serve`.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lineclear_oci::{RepositoryName, Tag};
use lineclear_registry_server::{Caller, Deed, Denial, Free, Naming, Permit, Registry};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::tokens::{LIFE, Tokens};
use super::transport::{self, Asked, Hearers};
use crate::config::Clock;
use crate::http;
use crate::server::Server;
use crate::{Limits, ServicesError};

const TOKEN: &str = "/v2/_token";

/// Whoever comes to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// Gave no name.
    Anonymous,
    /// The password was right.
    User(String),
}

/// Lets visitors in, and says what they may. Called where it may block.
pub trait Doorkeeper: Send + Sync + fmt::Debug {
    /// Whether the password is the user's.
    fn knows(&self, user: &str, password: &str) -> bool;

    /// Whether a visitor may do this.
    ///
    /// # Errors
    /// Why not.
    fn may(&self, visitor: &Visitor, deed: Deed, repository: &RepositoryName) -> Result<(), Denial>;

    /// Whether a visitor may let a tag lead to a manifest.
    ///
    /// # Errors
    /// Why not.
    fn may_name(&self, _visitor: &Visitor, _naming: &Naming<'_>) -> Result<Box<dyn Permit>, Denial> {
        Ok(Box::new(Free))
    }

    /// Whether a visitor may take a tag away; without one, whatever else is in the repository.
    ///
    /// # Errors
    /// Why not.
    fn may_remove(&self, _visitor: &Visitor, _repository: &RepositoryName, _tag: Option<&Tag>) -> Result<(), Denial> {
        Ok(())
    }

    /// Whether everybody may do everything: then nobody is asked for a name.
    fn is_open(&self) -> bool;

    /// Whether somebody without a name may do anything at all.
    fn lets_anonymous_in(&self) -> bool;
}

/// What a registry of its own is made of.
pub struct RegistryServerConfig {
    pub registry: Registry,
    pub door: Arc<dyn Doorkeeper>,
    pub clock: Clock,
    pub limits: Limits,
    /// Hears what a person should know: damage, a full disk.
    pub warn: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for RegistryServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryServerConfig").field("registry", &self.registry).finish_non_exhaustive()
    }
}

struct Context {
    config: RegistryServerConfig,
    tokens: Tokens,
}

/// A registry on a thread of its own. Dropping it ends the listening.
#[derive(Debug)]
pub struct RegistryServer {
    _server: Server,
    address: SocketAddr,
}

impl RegistryServer {
    /// Serves on a socket that listens already.
    ///
    /// # Errors
    /// [`ServicesError::Thread`].
    pub fn start(listener: TcpListener, config: RegistryServerConfig) -> Result<Self, ServicesError> {
        let address = listener.local_addr().map_err(ServicesError::Listen)?;
        let limits = config.limits;
        let context = Arc::new(Context { config, tokens: Tokens::default() });
        let router = Router::new().fallback(move |request: Request| answer(context.clone(), request));
        Ok(Self { _server: Server::start(listener, router, limits)?, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What a client said of itself.
enum Said {
    Nothing,
    Basic(String, String),
    Bearer(String),
}

impl Said {
    fn of(authorization: &str) -> Self {
        let Some((scheme, value)) = authorization.split_once(' ') else { return Self::Nothing };
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Self::Bearer(value.trim().to_owned()),
            "basic" => {
                let text = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                match text.as_deref().and_then(|text| text.split_once(':')) {
                    Some((user, password)) => Self::Basic(user.to_owned(), password.to_owned()),
                    None => Self::Nothing,
                }
            }
            _ => Self::Nothing,
        }
    }
}

async fn answer(context: Arc<Context>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let said = Said::of(http::text(&head.headers, "authorization"));
    let now = (context.config.clock)();
    let known = {
        let context = context.clone();
        // Comparing passwords takes its time on purpose.
        spawn_blocking(move || match said {
            Said::Nothing => Some(Visitor::Anonymous),
            Said::Basic(user, password) => context.config.door.knows(&user, &password).then_some(Visitor::User(user)),
            Said::Bearer(token) => {
                context.tokens.user(&token, now).map(|user| user.map_or(Visitor::Anonymous, Visitor::User))
            }
        })
        .await
    };
    // A wrong password is nobody's, not everybody's.
    let visitor = known.unwrap_or_default();
    let host = http::text(&head.headers, "host").to_owned();
    let scheme = if http::text(&head.headers, "x-forwarded-proto") == "https" { "https" } else { "http" };
    let realm = format!("Bearer realm=\"{scheme}://{host}{TOKEN}\",service=\"lineclear\"");
    if head.uri.path() == TOKEN {
        return bearer(&context, &head.method, visitor, now);
    }
    let has_token = http::bearer(&head.headers).is_some();
    let challenges = match context.config.door.lets_anonymous_in() {
        // A client without a password gets a token for nobody, and asks again with it.
        true => vec![realm],
        false => vec!["Basic realm=\"Lineclear\"".to_owned(), realm],
    };
    let caller = Box::new(Guest { door: context.config.door.clone(), visitor, has_token, challenges });
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let config = &context.config;
    let hearers = Hearers { warn: config.warn.clone(), pushed: None };
    let (response, warning) =
        transport::answer(config.registry.clone(), caller, asked, now, config.limits, hearers).await;
    if let Some(warning) = warning {
        (config.warn)(&warning);
    }
    response
}

fn bearer(context: &Context, method: &Method, visitor: Option<Visitor>, now: lineclear_event::Timestamp) -> Response {
    if *method != Method::GET {
        return http::reply(StatusCode::METHOD_NOT_ALLOWED, &[("allow", "GET")], "");
    }
    let user = match visitor {
        Some(Visitor::User(user)) => Some(user),
        Some(Visitor::Anonymous) if context.config.door.lets_anonymous_in() => None,
        _ => {
            let body =
                json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "the name or the password is wrong" }] });
            let mut response = http::json(StatusCode::UNAUTHORIZED, &body);
            http::set(response.headers_mut(), "www-authenticate", "Basic realm=\"Lineclear\"");
            return response;
        }
    };
    match context.tokens.issue(user, now) {
        Ok(token) => {
            http::json(StatusCode::OK, &json!({ "token": token, "access_token": token, "expires_in": LIFE.as_secs() }))
        }
        Err(error) => http::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "message": error.to_string() })),
    }
}

struct Guest {
    door: Arc<dyn Doorkeeper>,
    visitor: Option<Visitor>,
    has_token: bool,
    challenges: Vec<String>,
}

impl Caller for Guest {
    fn may(&self, deed: Deed, repository: &RepositoryName) -> Result<(), Denial> {
        let visitor = self.visitor.as_ref().ok_or(Denial::WhoAsks)?;
        self.door.may(visitor, deed, repository)
    }

    fn may_name(&self, naming: &Naming<'_>) -> Result<Box<dyn Permit>, Denial> {
        self.door.may_name(self.visitor.as_ref().ok_or(Denial::WhoAsks)?, naming)
    }

    fn may_remove(&self, repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), Denial> {
        self.door.may_remove(self.visitor.as_ref().ok_or(Denial::WhoAsks)?, repository, tag)
    }

    fn may_enter(&self) -> Result<(), Denial> {
        match &self.visitor {
            None => Err(Denial::WhoAsks),
            Some(Visitor::User(_)) => Ok(()),
            // Who is let in here without a name comes without one when pushing.
            Some(Visitor::Anonymous) if self.door.is_open() || self.has_token => Ok(()),
            Some(Visitor::Anonymous) => Err(Denial::WhoAsks),
        }
    }

    fn challenges(&self) -> Vec<String> {
        self.challenges.clone()
    }
}
