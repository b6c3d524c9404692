//! What the services are made of.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lineclear_event::{Fact, Timestamp};
use lineclear_forge::{Caller, ForgeApi};
use lineclear_registry_server::Registry;
use lineclear_store::{Archives, Artifacts, Caches};

use crate::{ArtifactLinks, GitService, Permits, SubjectForm};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Hears what the services found out about a job. Called on the service's threads; it must not block for long.
pub trait Listener: Send + Sync + fmt::Debug {
    /// A fact for the run's record: a look-up in the caches with its result and the reason, an image that was pushed.
    fn observed(&self, caller: &Caller, fact: Fact);

    /// What a person should know of: a damaged archive, a full disk. The client was told, too.
    fn warned(&self, caller: &Caller, message: &str);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug)]
pub struct Unheard;

impl Listener for Unheard {
    fn observed(&self, _caller: &Caller, _fact: Fact) {}
    fn warned(&self, _caller: &Caller, _message: &str) {}
}

/// How much one client may ask of the services. The defaults are those of the hosted services, or above them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an archive, all its blocks together.
    pub archive: u64,
    /// Bytes of a call of the forge's API.
    pub api_body: usize,
    /// Bytes of a release asset; it is held in memory.
    pub asset: usize,
    /// Connections at once; further ones wait.
    pub connections: usize,
    /// Uploads that one job has begun and not ended.
    pub uploads_of_a_job: usize,
    /// A connection on which a client is due and nothing comes or goes is closed after this time.
    pub stall: Duration,
    /// A key that was reserved for an upload is free again after this time without a byte.
    pub reservation: Duration,
    /// How long an address to upload to is good.
    pub upload_url: Duration,
    /// How long an address to download from is good.
    pub download_url: Duration,
    /// Most days that a job may ask an artifact to be kept.
    pub retention_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: 64 << 30,
            api_body: 32 << 20,
            asset: 256 << 20,
            connections: 256,
            uploads_of_a_job: 1000,
            stall: Duration::from_secs(120),
            reservation: Duration::from_secs(300),
            upload_url: Duration::from_secs(6 * 3600),
            download_url: Duration::from_secs(3600),
            retention_days: 90,
        }
    }
}

/// What the services stand on. [`ServicesConfig::new`] has the defaults; the fields may be changed.
pub struct ServicesConfig {
    pub archives: Arc<dyn Archives>,
    pub artifacts: Arc<dyn Artifacts>,
    /// For the listing that clients print when a debug log is asked for.
    pub caches: Option<Arc<dyn Caches>>,
    pub forge: Arc<dyn ForgeApi>,
    /// Where the repository of the run is served from; none answers 404 to git.
    pub git: Option<Arc<dyn GitService>>,
    /// Where steps push images to and pull them from; none answers 404 below `/v2/`.
    pub registry: Option<Registry>,
    /// Who holds some of its repositories against jobs; none holds nothing.
    pub permits: Option<Arc<dyn Permits>>,
    pub listener: Arc<dyn Listener>,
    /// A folder of the services' own, made when first needed; it keeps the keys that sign identity tokens.
    pub state: PathBuf,
    pub clock: Clock,
    /// What clients are told instead of the loopback address that [`crate::Services::bind`] takes: where something in between, such as
    /// the network of a container, leads to it.
    pub base_url: Option<String>,
    /// Names besides loopback's and the base URL's that a request's `Host` may have.
    pub hosts: Vec<String>,
    /// How the subject of an identity token names the repository.
    pub subject: SubjectForm,
    pub limits: Limits,
    /// Filled when the services are there: gives the forge its links to artifacts.
    pub links: ArtifactLinks,
}

impl ServicesConfig {
    pub fn new(
        archives: Arc<dyn Archives>,
        artifacts: Arc<dyn Artifacts>,
        forge: Arc<dyn ForgeApi>,
        state: PathBuf,
        clock: Clock,
    ) -> Self {
        Self {
            archives,
            artifacts,
            caches: None,
            forge,
            git: None,
            registry: None,
            permits: None,
            listener: Arc::new(Unheard),
            state,
            clock,
            base_url: None,
            hosts: Vec::new(),
            subject: SubjectForm::Names,
            limits: Limits::default(),
            links: ArtifactLinks::default(),
        }
    }
}

impl fmt::Debug for ServicesConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicesConfig")
            .field("state", &self.state)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
