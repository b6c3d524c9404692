//! Registries as image actions reach them: with the job's logins, by the routes of the run, and ended with the job.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use lineclear_event::with_causes;
use lineclear_oci::{Reference, RegistryHost};
use lineclear_registry::credentials::{CredentialSource, Credentials, DockerConfig};
use lineclear_registry::{Client, ClientSettings};
use lineclear_runner::native::{Call, NativeError};

/// How often it is looked whether the job was cancelled.
const LOOK: Duration = Duration::from_millis(100);

/// Where an image goes, or is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// As the workflow has it.
    pub(crate) name: String,
    /// Where it really is.
    pub(crate) reference: Reference,
    /// Whether the run's own registry has it.
    pub(crate) is_routed: bool,
    /// Those of the route.
    credentials: Option<(String, String)>,
}

impl Place {
    /// Where the image of this name is.
    ///
    /// # Errors
    /// If it is no name of an image.
    pub(crate) fn of(call: &Call<'_>, name: &str) -> Result<Self, NativeError> {
        let read = |name: &str| Reference::parse(name).map_err(|error| NativeError(with_causes(&error)));
        let written = read(name)?.or_latest();
        match (call.image_route)(&written.to_string()) {
            Some(routed) => Ok(Self {
                name: name.to_owned(),
                reference: read(&routed.image)?.or_latest(),
                is_routed: true,
                credentials: routed.credentials.map(|found| (found.username, found.password)),
            }),
            None => Ok(Self { name: name.to_owned(), reference: written, is_routed: false, credentials: None }),
        }
    }

    /// A client for this place: the login of the route, then the job's own.
    ///
    /// # Errors
    /// If the machine's certificates cannot be read.
    pub(crate) fn client(&self, call: &Call<'_>, config: &Path) -> Result<Client, NativeError> {
        let mut sources: Vec<Box<dyn CredentialSource>> = Vec::new();
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::basic(user, password);
            sources.push(Box::new(BTreeMap::from([(self.reference.registry().clone(), credentials)])));
        }
        sources.push(Box::new(DockerConfig::at(config)));
        Client::new(ClientSettings { credentials: Arc::new(sources), ..settings(call) })
            .map_err(|error| NativeError(with_causes(&error)))
    }

    /// A client for this place with this login and no other.
    ///
    /// # Errors
    /// As [`Place::client`].
    pub(crate) fn client_as(&self, call: &Call<'_>, user: &str, password: &str) -> Result<Client, NativeError> {
        let login = BTreeMap::from([(self.reference.registry().clone(), Credentials::basic(user, password))]);
        Client::new(ClientSettings { credentials: Arc::new(login), ..settings(call) })
            .map_err(|error| NativeError(with_causes(&error)))
    }

    /// The login of the route, for programs that are given it in a file.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }
}

/// The registry that keeps the images of `host` for this run, if not the host itself.
pub(crate) fn route_of_host(call: &Call<'_>, host: &RegistryHost) -> Option<RegistryHost> {
    // Routes are by host: any image of it will do.
    let routed = (call.image_route)(&format!("{host}/any/image:latest"))?;
    let reference = Reference::parse(&routed.image).ok()?;
    Some(reference.registry().clone()).filter(|registry| registry != host)
}

/// What is the same for all clients of the job.
pub(crate) fn settings(call: &Call<'_>) -> ClientSettings {
    let authorities = call.env.get("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(Into::into);
    ClientSettings { authorities: authorities.into_iter().collect(), ..ClientSettings::default() }
}

/// Does something with a client, and ends it when the job is cancelled or the step's time is over.
pub(crate) fn watched<T: Send>(call: &Call<'_>, client: &Client, work: impl FnOnce() -> T + Send) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let result = work();
            drop(done);
            result
        });
        while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let is_late = call.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if is_late || call.control.is_cancelled() {
                client.cancel();
                break;
            }
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Whether a variable of the step says yes.
pub(crate) fn is_on(env: &BTreeMap<String, String>, name: &str) -> bool {
    env.get(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "t" | "true"))
}
