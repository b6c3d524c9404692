//! How far a job is kept from the machine that it runs on.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};

use lineclear_event::AnnotationLevel;

/// What a job of the host is to be kept from. What a machine cannot enforce is told by [`Room::enforcement`](crate::Room::enforcement),
/// never left out in silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Isolation {
    pub network: NetworkAccess,
    /// The system's files cannot be changed; the job's own folders and a private `/tmp` can.
    pub read_only_system: bool,
    pub limits: ResourceLimits,
    pub enforce: Enforce,
}

/// What happens where a part of an isolation cannot be enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforce {
    /// The job runs without it, and [`Room::enforcement`](crate::Room::enforcement) says so.
    #[default]
    BestEffort,
    /// The room does not open: [`OpenError::NotEnforced`](crate::OpenError::NotEnforced).
    Strict,
}

impl Default for Isolation {
    /// As `--isolate` without more: a read-only system, loopback only, no limits.
    fn default() -> Self {
        Self {
            network: NetworkAccess::Loopback,
            read_only_system: true,
            limits: ResourceLimits::default(),
            enforce: Enforce::default(),
        }
    }
}

/// What a job may reach over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkAccess {
    /// Everything, on the machine's own network: ports that the job opens are the machine's.
    #[default]
    Host,
    /// Everything, but with a loopback of the job's own: two jobs may listen on the same port.
    Private,
    /// A loopback of its own, and nothing else. The services that Lineclear itself offers to steps are there.
    Loopback,
    /// A loopback of its own, and these destinations.
    AllowList(Vec<Destination>),
    /// No connection at all, not even to a listener of the job itself, and no services.
    None,
}

/// A place that a job may connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// A host name, an address, or a network such as `10.0.0.0/8`.
    pub host: String,
    /// Every port where there is none.
    pub port: Option<u16>,
}

/// Upper limits for a whole job. `None`: none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResourceLimits {
    /// In processors: 1.5 is one and a half.
    pub cpus: Option<f64>,
    /// In bytes.
    pub memory: Option<u64>,
    pub processes: Option<u64>,
    /// In bytes, of what the job writes to its own folders.
    pub disk: Option<u64>,
}

/// What became of one part of an [`Isolation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforcement {
    pub what: IsolationPart,
    /// By which means it is enforced, or why it is not.
    pub how: Result<String, String>,
}

impl fmt::Display for Enforcement {
    /// ``network: loopback of its own``, or ``network: not enforced: …``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            Ok(means) => write!(f, "{}: {means}", self.what),
            Err(why) => write!(f, "{}: not enforced: {why}", self.what),
        }
    }
}

/// Something that the isolation did to a job: a connection refused, a process killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    pub what: IsolationPart,
    /// One sentence for the job's log, such as ``the job used more than its 512 MiB of memory: a process was killed``.
    pub message: String,
    /// Whether it ended a process: then it is the reason why a step failed.
    pub fatal: bool,
}

impl Intervention {
    /// How loud it is told: what ended a process is an error.
    pub fn level(&self) -> AnnotationLevel {
        if self.fatal { AnnotationLevel::Error } else { AnnotationLevel::Warning }
    }
}

/// A part of an [`Isolation`] that is enforced or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IsolationPart {
    Network,
    ReadOnlySystem,
    PrivateTemp,
    Processors,
    Memory,
    Processes,
    Disk,
}

impl fmt::Display for IsolationPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::ReadOnlySystem => "read-only system",
            Self::PrivateTemp => "private temporary folder",
            Self::Processors => "processor limit",
            Self::Memory => "memory limit",
            Self::Processes => "process limit",
            Self::Disk => "disk limit",
        })
    }
}

/// The loopback of a job that has one of its own. Whoever has this can listen there from outside.
pub trait JobNetwork: Send + Sync + fmt::Debug {
    /// A listener on the job's own loopback. Connections that it accepts come from processes of the job; the caller answers
    /// them from the machine's network.
    ///
    /// # Errors
    /// If the port is taken, in the job's own network, or the network is gone.
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener>;

    /// Leads connections to `inside`, on the job's own loopback, to `outside` on the machine, for as long as the network is there.
    ///
    /// # Errors
    /// As [`JobNetwork::listen`].
    fn forward(&self, inside: SocketAddr, outside: SocketAddr) -> io::Result<()>;
}
