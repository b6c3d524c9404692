//! Who asks: challenges, tokens, and the header that answers them.
//!
//! # Source
//! The distribution project's token specification (`token`, `oauth`, `scope`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_oci::{RegistryHost, RepositoryName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::challenge::{Challenge, challenges};
use crate::client::Call;
use crate::credentials::Credentials;
use crate::transport::{Outgoing, Payload};
use crate::{Client, RegistryClientError, Secret};

/// How long a token holds when its server does not say.
const USUAL_LIFE: Duration = Duration::from_secs(60);
/// Longest answer of a token server.
const MAX_TOKEN_BYTES: usize = 1 << 20;

/// A right to do something with a repository: `repository:library/postgres:pull`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scope {
    /// Kind and name: `repository:library/postgres`.
    resource: String,
    actions: BTreeSet<String>,
}

impl Scope {
    pub(crate) fn repository(name: &RepositoryName, actions: &str) -> Self {
        Self::new(format!("repository:{name}"), actions)
    }

    pub(crate) fn catalog() -> Self {
        Self::new("registry:catalog".to_owned(), "*")
    }

    fn new(resource: String, actions: &str) -> Self {
        Self { resource, actions: actions.split(',').map(str::to_owned).collect() }
    }

    /// Those of a challenge; repositories may have colons in their registry's part, so the actions are what follows the last one.
    fn parse(text: &str) -> Vec<Self> {
        let scope =
            |text: &str| text.rsplit_once(':').map(|(resource, actions)| Self::new(resource.to_owned(), actions));
        text.split(' ').filter_map(scope).collect()
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let actions: Vec<&str> = self.actions.iter().map(String::as_str).collect();
        write!(f, "{}:{}", self.resource, actions.join(","))
    }
}

/// What is known of each registry.
#[derive(Debug, Default)]
pub(crate) struct Authentication {
    registries: Mutex<HashMap<RegistryHost, Arc<Mutex<Known>>>>,
}

/// What is known of one registry. Its lock is held while a token is fetched, so that parallel work asks for one only once.
#[derive(Debug, Default)]
struct Known {
    challenge: Option<Challenge>,
    credentials: HashMap<Option<RepositoryName>, Credentials>,
    tokens: HashMap<BTreeSet<Scope>, Token>,
    /// What challenges asked for beyond what was thought to be needed.
    also: BTreeMap<BTreeSet<Scope>, BTreeSet<Scope>>,
}

#[derive(Debug)]
struct Token {
    value: Secret,
    ends: Instant,
}

/// What follows from a 401.
pub(crate) enum Refusal {
    /// There is a new way to answer.
    TryAgain,
    /// There is none; why.
    Final(String),
}

impl Authentication {
    fn of(&self, registry: &RegistryHost) -> Arc<Mutex<Known>> {
        Arc::clone(locked(&self.registries).entry(registry.clone()).or_default())
    }
}

/// What a panicking thread left is complete: every change is one assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// The header for a call, as far as it is known what the registry wants.
    pub(crate) fn authorization(&self, call: &Call<'_>) -> Result<Option<Secret>, RegistryClientError> {
        let known = self.inner.authentication.of(call.host);
        let mut known = locked(&known);
        let Some(challenge) = known.challenge.clone() else { return Ok(None) };
        let credentials = self.credentials(&mut known, call)?;
        match (&challenge, &credentials) {
            (_, Credentials::Bearer(token)) => Ok(Some(Secret::new(format!("Bearer {}", token.expose())))),
            (Challenge::Basic, Credentials::Basic { user, password }) => Ok(Some(basic(user, password))),
            (Challenge::Basic, Credentials::Anonymous) => Err(RegistryClientError::Unauthorized {
                registry: call.host.to_string(),
                why: format!("there are none; log in first, as with `docker login {}`", call.host),
            }),
            (Challenge::Basic, Credentials::IdentityToken(_)) => Err(RegistryClientError::Unauthorized {
                registry: call.host.to_string(),
                why: "it wants a user and a password, but there is an identity token".to_owned(),
            }),
            (Challenge::Bearer { realm, service, .. }, credentials) => {
                let mut scopes: BTreeSet<Scope> = call.scopes.iter().cloned().collect();
                if let Some(also) = known.also.get(&scopes) {
                    scopes.extend(also.iter().cloned());
                }
                if let Some(token) = known.tokens.get(&scopes).filter(|token| token.ends > Instant::now()) {
                    return Ok(Some(Secret::new(format!("Bearer {}", token.value.expose()))));
                }
                let asked = TokenRequest { realm, service: service.as_deref(), scopes: &scopes, credentials };
                let token = self.patiently(|| self.fetch_token(call, &asked))?;
                let header = Secret::new(format!("Bearer {}", token.value.expose()));
                known.tokens.insert(scopes, token);
                Ok(Some(header))
            }
        }
    }

    /// Learns from a 401 what the registry wants.
    pub(crate) fn challenged(
        &self,
        call: &Call<'_>,
        header: &str,
        had_authorization: bool,
    ) -> Result<Refusal, RegistryClientError> {
        let known = self.inner.authentication.of(call.host);
        let mut known = locked(&known);
        let found = challenges(header);
        // A token says less than a password, so it is preferred where both are taken.
        let bearer = found.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        let Some(challenge) = bearer.or(found.first()).cloned() else {
            return Ok(Refusal::Final("in a way that this client does not know".to_owned()));
        };
        let scopes: BTreeSet<Scope> = call.scopes.iter().cloned().collect();
        let mut learned = known.challenge.as_ref() != Some(&challenge);
        if let Challenge::Bearer { scope: Some(scope), .. } = &challenge {
            let also: BTreeSet<Scope> =
                Scope::parse(scope).into_iter().filter(|scope| !scopes.contains(scope)).collect();
            let before = known.also.entry(scopes.clone()).or_default();
            learned |= !also.is_subset(before);
            before.extend(also);
        }
        // The challenge is compared without its scope, which differs from call to call.
        let challenge = match challenge {
            Challenge::Bearer { realm, service, .. } => Challenge::Bearer { realm, service, scope: None },
            Challenge::Basic => Challenge::Basic,
        };
        learned |= known.challenge.as_ref() != Some(&challenge);
        let is_token = matches!(challenge, Challenge::Bearer { .. });
        known.challenge = Some(challenge);
        // A token may have run out, or been taken back, before its time: one fresh one is worth a try.
        known.tokens.retain(|held, _| !held.is_superset(&scopes));
        if !had_authorization || learned || is_token {
            return Ok(Refusal::TryAgain);
        }
        Ok(Refusal::Final("those that there are were not taken".to_owned()))
    }

    fn credentials(&self, known: &mut Known, call: &Call<'_>) -> Result<Credentials, RegistryClientError> {
        let repository = call.repository.cloned();
        if let Some(credentials) = known.credentials.get(&repository) {
            return Ok(credentials.clone());
        }
        let credentials = self.inner.settings.credentials.credentials(call.host, call.repository)?;
        known.credentials.insert(repository, credentials.clone());
        Ok(credentials)
    }

    fn fetch_token(&self, call: &Call<'_>, asked: &TokenRequest<'_>) -> Result<Token, RegistryClientError> {
        let unauthorized = |why: String| RegistryClientError::Unauthorized { registry: call.host.to_string(), why };
        let realm = Address::parse(asked.realm)
            .ok_or_else(|| call.nonsense(format!("the token server `{}`, which is no address", asked.realm)))?;
        let plain_is_fine = realm.registry_host().is_some_and(|host| self.inner.settings.allows_plain(&host));
        if !realm.encrypted && call.address.encrypted && !plain_is_fine {
            return Err(unauthorized(format!(
                "its token server `{}` is not encrypted, so nothing is sent there",
                asked.realm
            )));
        }
        let mut parameters: Vec<(&str, String)> = Vec::new();
        parameters.extend(asked.service.map(|service| ("service", service.to_owned())));
        let mut method = "GET";
        let mut authorization = None;
        match asked.credentials {
            Credentials::IdentityToken(token) => {
                method = "POST";
                let scopes: Vec<String> = asked.scopes.iter().map(ToString::to_string).collect();
                parameters.push(("scope", scopes.join(" ")));
                parameters.push(("grant_type", "refresh_token".to_owned()));
                parameters.push(("client_id", "lineclear".to_owned()));
                parameters.push(("refresh_token", token.expose().to_owned()));
            }
            other => {
                parameters.extend(asked.scopes.iter().map(|scope| ("scope", scope.to_string())));
                if let Credentials::Basic { user, password } = other {
                    parameters.push(("account", user.clone()));
                    authorization = Some(basic(user, password));
                }
            }
        }
        let form = Zeroizing::new(form(&parameters));
        let (address, headers, payload) = if method == "GET" {
            let separator = if realm.path.contains('?') { '&' } else { '?' };
            let address = Address { path: format!("{}{separator}{}", realm.path, *form), ..realm };
            (address, Vec::new(), Payload::None)
        } else {
            let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
            (realm, headers, Payload::Bytes(form.as_bytes()))
        };
        let outgoing = Outgoing { method, address: &address, headers: &headers, authorization };
        let answer = self.inner.transport.exchange(&outgoing, payload)?;
        match answer.status {
            200..=299 => {}
            400 | 401 | 403 => {
                let why = match asked.credentials {
                    Credentials::Anonymous => "there are none, and its token server gives nothing to strangers",
                    _ => "its token server did not take those that there are",
                };
                return Err(unauthorized(why.to_owned()));
            }
            _ => {
                let token_call = Call {
                    method,
                    host: call.host,
                    address: address.clone(),
                    headers: Vec::new(),
                    scopes: Vec::new(),
                    repository: None,
                    accepted: &[],
                    what: "a token".to_owned(),
                };
                return Err(token_call.refused(answer));
            }
        }
        let body = Zeroizing::new(answer.bytes(MAX_TOKEN_BYTES)?);
        let no_token = || call.nonsense("an answer of its token server without a token");
        let given: Given = serde_json::from_slice(&body).map_err(|_| no_token())?;
        let filled = |token: Option<Secret>| token.filter(|token| !token.expose().is_empty());
        let value = filled(given.token).or(filled(given.access_token)).ok_or_else(no_token)?;
        let life = given.expires_in.map_or(USUAL_LIFE, Duration::from_secs).min(Duration::from_secs(24 * 3600));
        // A tenth less: it has to hold until the registry looks at it.
        Ok(Token { value, ends: Instant::now() + life.mul_f64(0.9) })
    }
}

struct TokenRequest<'a> {
    realm: &'a str,
    service: Option<&'a str>,
    scopes: &'a BTreeSet<Scope>,
    credentials: &'a Credentials,
}

#[derive(Deserialize)]
struct Given {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<u64>,
}

fn basic(user: &str, password: &Secret) -> Secret {
    let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// Pairs as a query or a form has them.
fn form(pairs: &[(&str, String)]) -> String {
    const PLAIN: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b'/');
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, PLAIN))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let scopes = Scope::parse("repository:a/b:push,pull registry:catalog:* nonsense");
        assert_eq!(
            scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["repository:a/b:pull,push", "registry:catalog:*"]
        );
    }

    #[test]
    fn a_form_is_encoded() {
        assert_eq!(form(&[("scope", "repository:a/b:pull,push x".to_owned())]), "scope=repository:a/b:pull%2Cpush%20x");
    }
}
