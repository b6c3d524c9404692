//! The services as a whole.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::Request;
use lineclear_event::{RunId, Timestamp, hexadecimal};
use lineclear_forge::Caller;

use crate::base_url::BaseUrl;
use crate::blob::Downloads;
use crate::job_token::TokenSigner;
use crate::oidc::Oidc;
use crate::server::Server;
use crate::session::{Session, SessionId, Sessions};
use crate::signed_url::{Action, UrlSigner};
use crate::upload::Uploads;
use crate::{JobAccess, JobIdentity, ServicesConfig, ServicesError, route};

/// What the threads of the services have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<ServicesConfig>,
    /// Where clients of this listener find everything: the addresses that they are given begin so.
    pub(crate) base: BaseUrl,
    /// What identity tokens name, wherever they were asked for.
    pub(crate) issuer: BaseUrl,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) downloads: Arc<Downloads>,
    pub(crate) urls: Arc<UrlSigner>,
    pub(crate) tokens: Arc<TokenSigner>,
    pub(crate) oidc: Arc<Oidc>,
    /// Host and port of the registry, as names of images have it.
    pub(crate) registry_host: String,
}

impl Shared {
    /// The same services for clients that reach them at `base`.
    fn at(&self, base: BaseUrl) -> Self {
        Self {
            config: self.config.clone(),
            base,
            issuer: self.issuer.clone(),
            sessions: self.sessions.clone(),
            uploads: self.uploads.clone(),
            downloads: self.downloads.clone(),
            urls: self.urls.clone(),
            tokens: self.tokens.clone(),
            oidc: self.oidc.clone(),
            registry_host: self.registry_host.clone(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.config.clock)()
    }

    pub(crate) fn close(&self, session: SessionId) {
        self.sessions.close(session);
        self.uploads.abandon_of(session, &*self.config.archives);
    }

    /// The open job of a runtime token.
    pub(crate) fn session_of_runtime_token(&self, token: &str) -> Option<Arc<Session>> {
        self.sessions.get(self.tokens.check(token, self.now())?)
    }

    pub(crate) fn artifact_url(&self, run: RunId, name: &str) -> String {
        // The name in hexadecimal: a path that ends with `.zip` would make clients unpack what is not a zip.
        let path = format!("/_blob/artifact/{run}/{}", hexadecimal(name.as_bytes()));
        self.urls.sign(&self.base, &path, Action::Read, self.now(), self.config.limits.download_url)
    }

    /// Tells of something that a job of this run met.
    pub(crate) fn warn_run(&self, run: RunId, message: &str) {
        if let Some(session) = self.sessions.of_run(run) {
            self.warn(&session.identity.caller, message);
        }
    }

    pub(crate) fn warn(&self, caller: &Caller, message: &str) {
        self.config.listener.warned(caller, message);
    }
}

/// The HTTP services that steps talk to.
///
/// Two ways to have them: [`Services::bind`] listens on loopback by itself; [`Services::embedded`] leaves that to a server, which
/// mounts [`Services::router`]. Dropping it ends the listening.
#[derive(Debug)]
pub struct Services {
    shared: Arc<Shared>,
    listening: Mutex<Listening>,
    local: Option<SocketAddr>,
}

#[derive(Debug)]
enum Listening {
    /// Connections wait in the socket's queue until the first job is opened.
    Bound(TcpListener),
    Serving(#[expect(dead_code, reason = "dropping it ends the server")] Server),
    Elsewhere,
}

impl Services {
    /// Takes a free port of 127.0.0.1. Nothing runs before the first job is opened; a runtime is started by the first connection.
    ///
    /// # Errors
    /// [`ServicesError::Listen`], [`ServicesError::BaseUrl`], [`ServicesError::Random`].
    pub fn bind(config: ServicesConfig) -> Result<Self, ServicesError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(ServicesError::Listen)?;
        let local = listener.local_addr().map_err(ServicesError::Listen)?;
        let base = match &config.base_url {
            Some(url) => BaseUrl::parse(url)?,
            None => BaseUrl::parse(&format!("http://{local}"))?,
        };
        Self::new(config, base, Listening::Bound(listener), Some(local))
    }

    /// The services behind a server of their owner's, which clients reach as `base_url`: scheme, host and perhaps a path.
    ///
    /// Artifact and cache clients drop the path and ask at the root of the origin, so `/twirp/` has to lead here as well.
    ///
    /// # Errors
    /// [`ServicesError::BaseUrl`], [`ServicesError::Random`].
    pub fn embedded(config: ServicesConfig, base_url: &str) -> Result<Self, ServicesError> {
        Self::new(config, BaseUrl::parse(base_url)?, Listening::Elsewhere, None)
    }

    fn new(
        config: ServicesConfig,
        base: BaseUrl,
        listening: Listening,
        local: Option<SocketAddr>,
    ) -> Result<Self, ServicesError> {
        let shared = Arc::new(Shared {
            registry_host: local.map_or_else(|| base.authority().to_owned(), |local| local.to_string()),
            sessions: Arc::default(),
            uploads: Arc::default(),
            downloads: Arc::default(),
            urls: Arc::new(UrlSigner::generate()?),
            tokens: Arc::new(TokenSigner::generate()?),
            oidc: Arc::new(Oidc::new(config.state.join("oidc"), config.subject)),
            config: Arc::new(config),
            issuer: base.clone(),
            base,
        });
        shared.config.links.fill(&shared);
        Ok(Self { shared, listening: Mutex::new(listening), local })
    }

    /// Scheme, host and port: where clients look for the artifact and cache services.
    pub fn origin(&self) -> &str {
        self.shared.base.origin()
    }

    /// Where the services themselves listen; `None` if this is done elsewhere.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.local
    }

    /// `LINECLEAR_REGISTRY`: the host and port that names of images begin with. It is always that of this machine: engines push from here,
    /// wherever a step runs.
    pub fn registry(&self) -> &str {
        &self.shared.registry_host
    }

    /// `GITHUB_API_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.shared.base.as_str())
    }

    /// `GITHUB_GRAPHQL_URL`.
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.shared.base.as_str())
    }

    /// Where git finds a repository with a job's token, to be put in place of the forge's address.
    pub fn git_url(&self, repository: &str, forge_token: &str) -> String {
        let base = self.shared.base.as_str();
        let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
        format!("{scheme}://x-access-token:{forge_token}@{rest}/git/{repository}")
    }

    /// Opens a job: gives it tokens that are good until the answer is dropped.
    ///
    /// # Errors
    /// [`ServicesError::Random`], [`ServicesError::Thread`].
    pub fn open_job(&self, identity: JobIdentity) -> Result<JobAccess, ServicesError> {
        self.open(identity, None)
    }

    /// As [`Services::open_job`], with a `GITHUB_TOKEN` from outside: one that a person gave to all jobs of a command, because
    /// steps use it elsewhere, too. Here it opens what the job may, and nothing once the job has ended.
    ///
    /// # Errors
    /// [`ServicesError::Random`], [`ServicesError::Thread`].
    pub fn open_job_with_token(&self, identity: JobIdentity, token: &str) -> Result<JobAccess, ServicesError> {
        self.open(identity, Some(token))
    }

    fn open(&self, identity: JobIdentity, given: Option<&str>) -> Result<JobAccess, ServicesError> {
        self.serve()?;
        let now = self.shared.now();
        let (session, forge_token) = self.shared.sessions.open(identity, given, now)?;
        let runtime_token = self.shared.tokens.issue(&session.identity, session.id, self.shared.base.as_str(), now);
        Ok(JobAccess::new(self.shared.clone(), session, forge_token.as_str().to_owned(), runtime_token))
    }

    /// Listens from now on, if this is not done elsewhere.
    fn serve(&self) -> Result<(), ServicesError> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Listening::Bound(listener) = &*listening {
            let listener = listener.try_clone().map_err(ServicesError::Thread)?;
            *listening = Listening::Serving(Server::start(listener, self.router(), self.shared.config.limits)?);
        }
        Ok(())
    }

    /// Listens at one more address of this machine, for clients that call it `name`, such as containers to which it is the gateway of
    /// their network. What they are told leads back there. Until the answer is dropped.
    ///
    /// The same port is taken where it is free.
    ///
    /// # Errors
    /// [`ServicesError::ListenAt`], [`ServicesError::BaseUrl`], [`ServicesError::Thread`].
    pub fn also_at(&self, address: IpAddr, name: &str) -> Result<AlsoListening, ServicesError> {
        let fails = |source| ServicesError::ListenAt { address, source };
        let usual = self.local.map_or(0, |local| local.port());
        let listener =
            TcpListener::bind((address, usual)).or_else(|_| TcpListener::bind((address, 0))).map_err(fails)?;
        let port = listener.local_addr().map_err(fails)?.port();
        let authority = if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") };
        let base = BaseUrl::parse(&format!("http://{authority}{}", self.shared.base.path()))?;
        let router = router(Arc::new(self.shared.at(base)));
        let server = Server::start(listener, router, self.shared.config.limits)?;
        Ok(AlsoListening { authority, server })
    }

    /// Everything as routes, for a server of the owner's. It answers for every path.
    pub fn router(&self) -> Router {
        router(self.shared.clone())
    }

    /// Signs identity tokens with a new key from now on. Tokens of earlier keys can still be verified.
    ///
    /// # Errors
    /// [`ServicesError::MakeKey`], [`ServicesError::Key`].
    pub fn rotate_oidc_key(&self) -> Result<(), ServicesError> {
        self.shared.oidc.rotate(self.shared.now())
    }

    /// Where an artifact can be downloaded for a while. See [`crate::ArtifactLinks`].
    pub fn signed_artifact_url(&self, run: RunId, name: &str) -> String {
        self.shared.artifact_url(run, name)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(move |request: Request| route::answer(shared.clone(), request))
}

/// One more address at which the services listen: see [`Services::also_at`].
#[derive(Debug)]
pub struct AlsoListening {
    authority: String,
    #[expect(dead_code, reason = "dropping it ends the server")]
    server: Server,
}

impl AlsoListening {
    /// Host and port as clients there name them.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}
