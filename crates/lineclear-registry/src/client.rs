//! The client itself, and one call of a registry: who asks, whether it is tried again, where it is redirected to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lineclear_oci::{Reference, RegistryErrors, RegistryHost, RepositoryName};

use crate::address::Address;
use crate::authentication::{Authentication, Refusal, Scope};
use crate::progress::ProgressEvent;
use crate::retry::{self, Backoff};
use crate::transport::{Answer, Outgoing, Payload, Transport};
use crate::{ClientSettings, Protocol, RegistryClientError, RetryPolicy, SettingsError};

/// Most of an answer that is an error that is read.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// How often one request is redirected.
const MAX_REDIRECTS: usize = 5;

/// A client of OCI registries. Clones are the same client: they share connections, tokens and cancellation.
///
/// See the [crate's documentation](crate) for an example.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    /// That of the settings, or less where there is somewhere else to go.
    pub(crate) retry: RetryPolicy,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: ClientSettings,
    pub(crate) transport: Transport,
    pub(crate) authentication: Authentication,
    pub(crate) referrers: crate::referrers::Support,
    cancelled: AtomicBool,
}

/// One call of a registry.
pub(crate) struct Call<'a> {
    pub(crate) method: &'static str,
    pub(crate) host: &'a RegistryHost,
    pub(crate) address: Address,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Which rights it needs.
    pub(crate) scopes: Vec<Scope>,
    /// The repository that it is about, for credentials that differ between them.
    pub(crate) repository: Option<&'a RepositoryName>,
    /// Statuses that are an answer although they are no success.
    pub(crate) accepted: &'static [u16],
    /// What it is about, for errors.
    pub(crate) what: String,
}

impl Client {
    /// A client with these settings. Nothing is called yet.
    ///
    /// # Errors
    /// When certificates that the settings name cannot be read.
    pub fn new(settings: ClientSettings) -> Result<Self, SettingsError> {
        let transport = Transport::new(&settings)?;
        Ok(Self {
            retry: settings.retry,
            inner: Arc::new(Inner {
                settings,
                transport,
                authentication: Authentication::default(),
                referrers: crate::referrers::Support::default(),
                cancelled: AtomicBool::new(false),
            }),
        })
    }

    /// Ends everything that this client and its clones do, at once: it fails with [`RegistryClientError::Cancelled`]. For good.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::SeqCst);
        self.inner.transport.shut_down();
    }

    /// What the client was told when it was made.
    pub fn settings(&self) -> &ClientSettings {
        &self.inner.settings
    }

    /// Whether there is a registry that speaks the distribution API, and takes the credentials that there are for it.
    ///
    /// # Errors
    /// When there is none, or it wants other credentials.
    pub fn ping(&self, registry: &RegistryHost) -> Result<(), RegistryClientError> {
        let call = Call {
            method: "GET",
            host: registry,
            address: self.address(registry, "/v2/"),
            headers: Vec::new(),
            scopes: Vec::new(),
            repository: None,
            accepted: &[404],
            what: format!("the registry `{registry}`"),
        };
        let answer = self.call(&call, &[])?;
        if answer.status == 404 {
            return Err(call.nonsense("404 below /v2/: there is no registry at this address"));
        }
        Ok(())
    }

    pub(crate) fn address(&self, registry: &RegistryHost, path: &str) -> Address {
        let encrypted = self.inner.settings.protocol(registry) != Protocol::Http;
        let authority = if registry.is_docker_hub() { "registry-1.docker.io" } else { registry.as_str() };
        Address { encrypted, authority: authority.to_owned(), path: path.to_owned() }
    }

    /// A call about a repository; `path` follows its name.
    pub(crate) fn repository_call<'a>(
        &self,
        method: &'static str,
        place: &'a Reference,
        path: &str,
        actions: &'static str,
        what: String,
    ) -> Call<'a> {
        let (registry, repository) = (place.registry(), place.repository());
        Call {
            method,
            host: registry,
            address: self.address(registry, &format!("/v2/{repository}{path}")),
            headers: Vec::new(),
            scopes: vec![Scope::repository(repository, actions)],
            repository: Some(repository),
            accepted: &[],
            what,
        }
    }

    /// Carries a call out, as often as it takes and is allowed.
    pub(crate) fn call(&self, call: &Call<'_>, body: &[u8]) -> Result<Answer, RegistryClientError> {
        let payload =
            || if call.method == "GET" || call.method == "HEAD" { Payload::None } else { Payload::Bytes(body) };
        self.patiently(|| self.once(call, payload()))
    }

    /// Tries `attempt` until it succeeds, fails for good, or it was tried often enough.
    pub(crate) fn patiently<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, RegistryClientError>,
    ) -> Result<T, RegistryClientError> {
        let mut backoff = self.retry.begin();
        loop {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => self.pause(&mut backoff, error)?,
            }
        }
    }

    /// Waits before the next attempt, or gives the error back when there should be none.
    pub(crate) fn pause(&self, backoff: &mut Backoff, error: RegistryClientError) -> Result<(), RegistryClientError> {
        self.check_cancelled()?;
        if !error.is_transient() {
            return Err(error);
        }
        let Some(pause) = backoff.after_failure(error.retry_after(), retry::chance()) else { return Err(error) };
        self.tell(ProgressEvent::Retry { reason: &error.to_string(), pause });
        retry::wait(pause, || !self.is_cancelled());
        self.check_cancelled()
    }

    /// One call without a second try but those that authentication needs. A stream is sent once: it cannot be sent again.
    pub(crate) fn once(&self, call: &Call<'_>, payload: Payload<'_>) -> Result<Answer, RegistryClientError> {
        self.check_cancelled()?;
        let answered = self.authenticated(call, payload);
        match answered {
            // Whatever broke because of the cancellation is not what the caller wants to read.
            Err(_) if self.is_cancelled() => Err(RegistryClientError::Cancelled),
            Err(error) => Err(error),
            Ok(answer) if (200..300).contains(&answer.status) || call.accepted.contains(&answer.status) => Ok(answer),
            Ok(answer) => Err(call.refused(answer)),
        }
    }

    fn authenticated(&self, call: &Call<'_>, payload: Payload<'_>) -> Result<Answer, RegistryClientError> {
        let again = match &payload {
            Payload::None => Some(None),
            Payload::Bytes(bytes) => Some(Some(*bytes)),
            Payload::Stream(..) => None,
        };
        // Uploads may go on at another server, which has nothing to do with the credentials for the registry.
        let own = call.address.is_same_server(&self.address(call.host, "/"));
        let authorization = if own { self.authorization(call)? } else { None };
        let had_one = authorization.is_some();
        let answer = self.redirected(call, authorization, payload)?;
        if answer.status != 401 || !own {
            return Ok(answer);
        }
        let refusal = self.challenged(call, &answer.list("www-authenticate"), had_one)?;
        let Some(again) = again else {
            return Err(RegistryClientError::Broken {
                registry: call.host.to_string(),
                reason: "the token for the upload ran out".to_owned(),
            });
        };
        match refusal {
            Refusal::Final(why) => Err(RegistryClientError::Unauthorized {
                registry: call.host.to_string(),
                why: why + &self.said(answer),
            }),
            Refusal::TryAgain => {
                let authorization = self.authorization(call)?;
                let payload = again.map_or(Payload::None, Payload::Bytes);
                let answer = self.redirected(call, authorization, payload)?;
                if answer.status == 401 {
                    let why = "those that there are were not taken".to_owned() + &self.said(answer);
                    return Err(RegistryClientError::Unauthorized { registry: call.host.to_string(), why });
                }
                Ok(answer)
            }
        }
    }

    /// What a refusal says, to be added to an error.
    fn said(&self, answer: Answer) -> String {
        let errors = answer.bytes(MAX_ERROR_BYTES).map(|body| RegistryErrors::read(&body)).unwrap_or_default();
        let text: String = errors.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
        if text.is_empty() { text } else { format!(": {text}") }
    }

    /// One request, and those that it is redirected to. Credentials are sent to no server but the first.
    fn redirected(
        &self,
        call: &Call<'_>,
        authorization: Option<crate::Secret>,
        payload: Payload<'_>,
    ) -> Result<Answer, RegistryClientError> {
        let outgoing = Outgoing {
            method: call.method,
            address: &call.address,
            headers: &call.headers,
            authorization: authorization.clone(),
        };
        let mut answer = self.inner.transport.exchange(&outgoing, payload)?;
        let mut hops = 0;
        while matches!(call.method, "GET" | "HEAD") && matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            hops += 1;
            if hops > MAX_REDIRECTS {
                return Err(call.nonsense("redirects without end"));
            }
            let location = answer.header("location").ok_or_else(|| call.nonsense("a redirect to nowhere"))?;
            let next =
                answer.address.join(location).ok_or_else(|| call.nonsense("a redirect to what is no address"))?;
            let plain_is_fine = next.registry_host().is_some_and(|host| self.inner.settings.allows_plain(&host));
            if answer.address.encrypted && !next.encrypted && !plain_is_fine {
                return Err(call.nonsense("a redirect from HTTPS to a server without encryption"));
            }
            let authorization = authorization.clone().filter(|_| next.is_same_server(&call.address));
            let outgoing = Outgoing { method: call.method, address: &next, headers: &call.headers, authorization };
            answer = self.inner.transport.exchange(&outgoing, Payload::None)?;
        }
        Ok(answer)
    }

    /// The places where an image can be read, in the order in which they are tried: mirrors, then its own registry.
    pub(crate) fn places(&self, reference: &Reference) -> Vec<Reference> {
        let mirrors = self.inner.settings.mirrors.get(reference.registry());
        let mirrored = |mirror: &crate::Mirror| {
            let repository = match &mirror.prefix {
                Some(prefix) => reference.repository().below(prefix).ok()?,
                None => reference.repository().clone(),
            };
            Some(reference.in_repository(mirror.registry.clone(), repository))
        };
        let mirrors = mirrors.into_iter().flatten().filter_map(mirrored);
        mirrors.chain(std::iter::once(reference.clone())).collect()
    }

    /// Reads from the first place that has it. A mirror is tried twice at most: there is somewhere else to go. The error is that of the image's own registry.
    pub(crate) fn read_places<T>(
        &self,
        reference: &Reference,
        read: impl Fn(&Self, &Reference) -> Result<T, RegistryClientError>,
    ) -> Result<T, RegistryClientError> {
        let mut places = self.places(reference);
        let own = places.pop().unwrap_or_else(|| reference.clone());
        let attempts = self.retry.attempts.min(2);
        let hasty = Self { inner: Arc::clone(&self.inner), retry: RetryPolicy { attempts, ..self.retry } };
        for place in &places {
            match read(&hasty, place) {
                Ok(found) => return Ok(found),
                Err(RegistryClientError::Cancelled) => return Err(RegistryClientError::Cancelled),
                Err(error) => self.tell(ProgressEvent::Retry {
                    reason: &format!("the mirror `{}` has no {}: {error}", place.registry(), reference.familiar()),
                    pause: std::time::Duration::ZERO,
                }),
            }
        }
        read(self, &own)
    }

    pub(crate) fn tell(&self, event: ProgressEvent<'_>) {
        if let Some(progress) = &self.inner.settings.progress {
            progress.on(event);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), RegistryClientError> {
        if self.is_cancelled() { Err(RegistryClientError::Cancelled) } else { Ok(()) }
    }
}

impl Call<'_> {
    pub(crate) fn nonsense(&self, found: impl Into<String>) -> RegistryClientError {
        RegistryClientError::Nonsense { registry: self.host.to_string(), what: self.what.clone(), found: found.into() }
    }

    /// What an answer means that is no success.
    pub(crate) fn refused(&self, answer: Answer) -> RegistryClientError {
        let retry_after = retry::retry_after(answer.header("retry-after"), answer.header("date"));
        let status = answer.status;
        // An explanation that cannot be read is none.
        let errors = match self.method {
            "HEAD" => RegistryErrors::default(),
            _ => answer.bytes(MAX_ERROR_BYTES).map(|body| RegistryErrors::read(&body)).unwrap_or_default(),
        };
        let what = self.what.clone();
        match status {
            401 => RegistryClientError::Unauthorized {
                registry: self.host.to_string(),
                why: "the server for uploads wants others".to_owned(),
            },
            403 => RegistryClientError::Denied { what, errors },
            404 => RegistryClientError::NotFound { what, errors },
            429 => RegistryClientError::RateLimited { registry: self.host.to_string(), retry_after },
            status => RegistryClientError::Refused { what, status, retry_after, errors },
        }
    }
}
