//! One exchange with a forge over HTTP: no second try, no redirect followed.

use std::io::Read;
use std::sync::Arc;

use lineclear_forge::ApiResponse;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use crate::{Limits, SettingsError, Token};

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: String,
    /// With its query.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The forge may have carried the call out.
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no answer in time ({0})")]
    TimeOut(&'static str),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the answer is no HTTP: {0}")]
    Nonsense(String),
    #[error("the call cannot be sent: {0}")]
    Unsendable(String),
}

impl ExchangeError {
    /// Whether the same call may succeed at once, if it may be made twice.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) => true,
            Self::TimeOut(_) | Self::TooLarge(_) | Self::Nonsense(_) | Self::Unsendable(_) => false,
        }
    }
}

/// Carries single calls to a forge.
#[derive(Debug)]
pub(crate) struct Transport {
    agent: Agent,
    limits: Limits,
}

impl Transport {
    /// Over plain HTTP (to this machine) no certificates are looked for.
    pub(crate) fn new(limits: Limits, encrypted: bool) -> Result<Self, SettingsError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .save_redirect_history(false)
            .user_agent(concat!("lineclear/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(limits.connect))
            .timeout_global(Some(limits.call))
            // A forge closes idle connections; a change sent into a closed one could not be sent again.
            .max_idle_age(std::time::Duration::from_secs(5))
            .allow_non_standard_methods(false);
        let config = if encrypted { config.tls_config(tls()?) } else { config.proxy(None) };
        Ok(Self { agent: config.build().into(), limits })
    }

    pub(crate) fn exchange(&self, outgoing: &Outgoing, token: Option<&Token>) -> Result<ApiResponse, ExchangeError> {
        let unsendable = |error: &dyn std::fmt::Display| ExchangeError::Unsendable(error.to_string());
        let uri: Uri = outgoing.url.parse().map_err(|error| unsendable(&error))?;
        let mut request = Request::builder().method(outgoing.method.as_str()).uri(uri);
        for (name, value) in &outgoing.headers {
            request = request.header(name, value);
        }
        if let Some(token) = token {
            let mut value = ureq::http::HeaderValue::from_str(&format!("token {}", token.expose()))
                .map_err(|error| unsendable(&error))?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        let sent = if outgoing.body.is_empty() && matches!(outgoing.method.as_str(), "GET" | "HEAD" | "DELETE") {
            self.agent.run(request.body(()).map_err(|error| unsendable(&error))?)
        } else {
            self.agent.run(request.body(&outgoing.body[..]).map_err(|error| unsendable(&error))?)
        };
        let mut response = sent.map_err(failed)?;
        let mut headers = Vec::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
        let status = response.status().as_u16();
        let promised = response.body().content_length();
        let limit = self.limits.answer;
        if outgoing.method != "HEAD" && promised.is_some_and(|promised| promised > limit) {
            return Err(ExchangeError::TooLarge(limit));
        }
        let mut body = Vec::new();
        let reader = response.body_mut().with_config().limit(limit + 1).reader();
        reader.take(limit + 1).read_to_end(&mut body).map_err(|error| failed(ureq::Error::from(error)))?;
        if body.len() as u64 > limit {
            return Err(ExchangeError::TooLarge(limit));
        }
        Ok(ApiResponse { status, headers, body })
    }
}

fn failed(error: ureq::Error) -> ExchangeError {
    use ureq::Error as E;
    match error {
        E::Timeout(Timeout::Connect | Timeout::Resolve) => ExchangeError::TimeOut("while connecting"),
        E::Timeout(_) => ExchangeError::TimeOut("while waiting for the answer"),
        E::HostNotFound => ExchangeError::Unreachable("the host's name is not known".to_owned()),
        E::ConnectionFailed => ExchangeError::Unreachable("the connection failed".to_owned()),
        E::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => untrusted(&error),
        E::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => ExchangeError::Unreachable("connection refused".to_owned()),
            std::io::ErrorKind::TimedOut => ExchangeError::TimeOut("while waiting for the answer"),
            _ => ExchangeError::Broken(error.to_string()),
        },
        E::Rustls(error) => untrusted(&error),
        E::BodyExceedsLimit(limit) => ExchangeError::TooLarge(limit),
        E::Protocol(error) => ExchangeError::Nonsense(error.to_string()),
        E::LargeResponseHeader(..) => ExchangeError::Nonsense("its headers are too large".to_owned()),
        other => ExchangeError::Broken(other.to_string()),
    }
}

fn untrusted(error: &dyn std::fmt::Display) -> ExchangeError {
    ExchangeError::Nonsense(format!(
        "TLS: {error}; if its certificate is from an authority of your own, name a file of these in SSL_CERT_FILE"
    ))
}

/// Trusts what this machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` say so differently.
fn tls() -> Result<TlsConfig, SettingsError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(SettingsError::Certificates(errors.join("; ")));
    }
    let roots: Vec<Certificate<'static>> =
        found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots));
    Ok(config.unversioned_rustls_crypto_provider(provider).build())
}

/// The query of an address, encoded.
pub(crate) fn query(pairs: &[(String, String)]) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
