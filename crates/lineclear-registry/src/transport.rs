//! One exchange with a server over HTTP: no second try, no redirect followed.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::http::{HeaderMap, HeaderValue, Request};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, SendBody, Timeout};

use crate::address::Address;
use crate::secret::Secret;
use crate::{ClientSettings, Protocol, RegistryClientError, SettingsError};

/// Most of an answer's headers that is read.
const MAX_HEADERS: usize = 64 << 10;

/// What is sent.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'static str,
    pub(crate) address: &'a Address,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) authorization: Option<Secret>,
}

/// What follows the headers of a request.
pub(crate) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    /// A stream of so many bytes.
    Stream(&'a mut dyn Read, u64),
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: ureq::Body,
    pub(crate) address: Address,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header, as one list.
    pub(crate) fn list(&self, name: &str) -> String {
        let values: Vec<&str> = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(", ")
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.header("content-length").and_then(|length| length.trim().parse().ok())
    }

    /// At most one byte more than `limit`, so that the caller sees whether it was passed.
    pub(crate) fn bytes(self, limit: usize) -> Result<Vec<u8>, RegistryClientError> {
        let host = self.address.authority.clone();
        let mut bytes = Vec::new();
        let mut reader = self.body.into_reader().take(limit as u64 + 1);
        reader.read_to_end(&mut bytes).map_err(|error| failed(&host, ureq::Error::from(error)))?;
        Ok(bytes)
    }

    pub(crate) fn reader(self) -> impl Read + Send + Sync + 'static {
        self.body.into_reader()
    }
}

/// Carries single exchanges. TLS is set up when the first server wants it.
#[derive(Debug)]
pub(crate) struct Transport {
    settings: ClientSettings,
    authorities: Vec<CertificateDer<'static>>,
    plain: Agent,
    verified: OnceLock<Result<Agent, String>>,
    unverified: OnceLock<Agent>,
}

impl Transport {
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, SettingsError> {
        let mut authorities = Vec::new();
        for path in &settings.authorities {
            authorities.extend(certificates(path)?);
        }
        let plain = configured(settings).proxy(None).build().into();
        let settings = settings.clone();
        Ok(Self { settings, authorities, plain, verified: OnceLock::new(), unverified: OnceLock::new() })
    }

    /// Ends all exchanges that there are, and refuses new ones.
    pub(crate) fn shut_down(&self) {
        self.plain.clone().shutdown();
        let others = [self.verified.get().and_then(|agent| agent.as_ref().ok()), self.unverified.get()];
        for agent in others.into_iter().flatten() {
            agent.clone().shutdown();
        }
    }

    fn agent(&self, address: &Address) -> Result<&Agent, RegistryClientError> {
        if !address.encrypted {
            return Ok(&self.plain);
        }
        let protocol = address.registry_host().map(|host| self.settings.protocol(&host));
        if protocol == Some(Protocol::HttpsUnverified) {
            return Ok(self.unverified.get_or_init(|| {
                let tls =
                    TlsConfig::builder().disable_verification(true).unversioned_rustls_crypto_provider(provider());
                configured(&self.settings).tls_config(tls.build()).build().into()
            }));
        }
        let verified = self.verified.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            let mut roots: Vec<Certificate<'static>> =
                found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
            roots.extend(self.authorities.iter().map(|der| Certificate::from_der(der).to_owned()));
            if roots.is_empty() {
                let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                return Err(format!("this machine trusts no authority ({})", errors.join("; ")));
            }
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::new_with_certs(&roots))
                .unversioned_rustls_crypto_provider(provider());
            Ok(configured(&self.settings).tls_config(tls.build()).build().into())
        });
        verified.as_ref().map_err(|reason| RegistryClientError::Untrusted {
            registry: address.authority.clone(),
            reason: reason.clone(),
        })
    }

    pub(crate) fn exchange(
        &self,
        outgoing: &Outgoing<'_>,
        payload: Payload<'_>,
    ) -> Result<Answer, RegistryClientError> {
        let host = &outgoing.address.authority;
        let unsendable = |reason: String| RegistryClientError::Nonsense {
            registry: host.clone(),
            what: format!("{} {}", outgoing.method, outgoing.address.path),
            found: format!("an address that cannot be called ({reason})"),
        };
        let mut request = Request::builder().method(outgoing.method).uri(outgoing.address.to_string());
        for (name, value) in outgoing.headers {
            request = request.header(*name, value);
        }
        if let Some(authorization) = &outgoing.authorization {
            let mut value =
                HeaderValue::from_str(authorization.expose()).map_err(|_| RegistryClientError::Unauthorized {
                    registry: host.clone(),
                    why: "the credentials have characters that cannot be sent".to_owned(),
                })?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        let agent = self.agent(outgoing.address)?;
        let error = |error: ureq::http::Error| unsendable(error.to_string());
        let sent = match payload {
            Payload::None if matches!(outgoing.method, "GET" | "HEAD" | "DELETE") => {
                agent.run(request.body(()).map_err(error)?)
            }
            Payload::None => agent.run(request.body(&[][..]).map_err(error)?),
            Payload::Bytes(bytes) => agent.run(request.body(bytes).map_err(error)?),
            Payload::Stream(stream, length) => {
                let request = request.header("content-length", length.to_string());
                agent.run(request.body(SendBody::from_reader(stream)).map_err(error)?)
            }
        };
        let response = sent.map_err(|error| failed(host, error))?;
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        Ok(Answer { status, headers: parts.headers, body, address: outgoing.address.clone() })
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn configured(settings: &ClientSettings) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .save_redirect_history(false)
        .user_agent(settings.user_agent.as_str())
        .timeout_connect(Some(settings.connect_timeout))
        // Layers may take hours; what may not happen is that nothing moves.
        .timeout_per_read(Some(settings.idle_timeout))
        .timeout_per_write(Some(settings.idle_timeout))
        .max_response_header_size(MAX_HEADERS)
        .input_buffer_size(128 << 10)
        .output_buffer_size(128 << 10)
        .max_idle_connections_per_host(settings.parallel.max(2))
        // Registries close idle connections; a request sent into a closed one would have to be sent again.
        .max_idle_age(std::time::Duration::from_secs(5))
        .allow_non_standard_methods(false)
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let shown = || path.display().to_string();
    let text = std::fs::read(path).map_err(|source| SettingsError::Certificates { path: shown(), source })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(SettingsError::NoCertificate { path: shown() }),
    }
}

/// What an error of the connection means. An error of the stream that was sent comes back as it is.
pub(crate) fn failed(host: &str, error: ureq::Error) -> RegistryClientError {
    use ureq::Error as E;
    let registry = host.to_owned();
    let untrusted = |reason: String| RegistryClientError::Untrusted { registry: host.to_owned(), reason };
    match error {
        E::Timeout(Timeout::Connect | Timeout::Resolve) => {
            RegistryClientError::TimedOut { registry, waiting: "while connecting" }
        }
        E::Timeout(_) => RegistryClientError::TimedOut { registry, waiting: "nothing moved" },
        E::HostNotFound => {
            RegistryClientError::Unreachable { registry, reason: "the host's name is not known".to_owned() }
        }
        E::ConnectionFailed => RegistryClientError::Unreachable { registry, reason: "no connection".to_owned() },
        E::Rustls(error) => untrusted(error.to_string()),
        E::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            untrusted(error.to_string())
        }
        E::Io(error) => match error.downcast::<RegistryClientError>() {
            Ok(own) => own,
            Err(error) => match error.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    RegistryClientError::Unreachable { registry, reason: "connection refused".to_owned() }
                }
                std::io::ErrorKind::TimedOut => RegistryClientError::TimedOut { registry, waiting: "nothing moved" },
                _ => RegistryClientError::Broken { registry, reason: error.to_string() },
            },
        },
        E::Protocol(error) => RegistryClientError::Broken { registry, reason: format!("no HTTP: {error}") },
        E::LargeResponseHeader(..) => RegistryClientError::Nonsense {
            registry,
            what: "a request".to_owned(),
            found: "headers that are too large".to_owned(),
        },
        other => RegistryClientError::Broken { registry, reason: other.to_string() },
    }
}
