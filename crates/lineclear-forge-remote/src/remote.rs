//! A real forge as a [`ForgeApi`].

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi, segments};
use serde_json::Value;

use crate::address::Addresses;
use crate::gitea::Gitea;
use crate::rewrite::{rewrite_body, rewrite_link, rewritten};
use crate::transport::{ExchangeError, Outgoing, Transport, query};
use crate::{ForgeKind, Settings, SettingsError, Token};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Headers of a call that the forge gets.
const SENT: [&str; 5] = ["accept", "content-type", "if-modified-since", "if-none-match", "x-github-api-version"];

/// Headers of an answer that the caller gets; not those of the token (`x-oauth-scopes`), cookies and the connection.
const RETURNED: [&str; 19] = [
    "content-type",
    "content-disposition",
    "date",
    "deprecation",
    "etag",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "sunset",
    "x-github-api-version-selected",
    "x-github-enterprise-version",
    "x-github-media-type",
    "x-github-request-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
    "x-ratelimit-used",
];

/// The way to a real forge.
///
/// It checks no `permissions:`: it stands behind [`lineclear_forge::Guarded`].
pub struct RemoteForge {
    addresses: Addresses,
    kind: ForgeKind,
    token: Option<Token>,
    local_base: String,
    transport: Transport,
    settings: crate::Limits,
    gitea: Gitea,
    /// Until when the forge wants to hear nothing, and the answer that said so.
    silence: Mutex<Option<(Instant, ApiResponse)>>,
}

impl fmt::Debug for RemoteForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteForge")
            .field("api", &self.addresses.api)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl RemoteForge {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// Where the address is none, or no certificate authorities are known.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let addresses = Addresses::of(settings.kind, &settings.url)?;
        let transport = Transport::new(settings.limits, addresses.api.starts_with("https://"))?;
        Ok(Self {
            addresses,
            kind: settings.kind,
            token: settings.token,
            local_base: settings.local_base.trim_end_matches('/').to_owned(),
            transport,
            settings: settings.limits,
            gitea: Gitea::default(),
            silence: Mutex::new(None),
        })
    }

    /// The login of the token's user, in whose name comments appear; `None` of an app's token, or where there is no answer.
    pub fn login(&self) -> Option<String> {
        let answer = self.pass(&ApiRequest::new("GET", "/user"));
        answer.is_success().then(|| answer.value()["login"].as_str().map(str::to_owned))?
    }

    /// One call in the forge's own terms, with all that is due around it.
    fn pass(&self, request: &ApiRequest) -> ApiResponse {
        if segments(&request.path).is_none() {
            return ApiResponse::error(404, "Not Found");
        }
        if let Some(answer) = self.silent() {
            return answer;
        }
        let mut outgoing = self.outgoing(request);
        for _ in 0..=MAX_REDIRECTS {
            let answer = match self.tried(&outgoing) {
                Ok(answer) => answer,
                Err(error) => return self.explain(&error),
            };
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return self.returned(request, answer);
            }
            match self.redirect(request, &answer) {
                Redirect::Follow(url) => outgoing.url = url,
                Redirect::HandOver(answer) => return answer,
            }
        }
        let host = self.addresses.host();
        ApiResponse::error(502, &format!("The forge {host} redirects in a circle."))
    }

    fn outgoing(&self, request: &ApiRequest) -> Outgoing {
        let base = if is_upload(request) { &self.addresses.uploads } else { &self.addresses.api };
        let url = format!("{base}{}{}", request.path, query(&request.query));
        let known = request.headers.iter().filter(|(name, _)| SENT.contains(&name.as_str()));
        let mut headers: Vec<(String, String)> = known.cloned().collect();
        if !headers.iter().any(|(name, _)| name == "accept") {
            let accept =
                if self.kind == ForgeKind::GitHub { "application/vnd.github+json" } else { "application/json" };
            headers.push(("accept".into(), accept.into()));
        }
        Outgoing { method: request.method.clone(), url, headers, body: request.body.clone() }
    }

    /// The answer after as many tries as the call may have.
    fn tried(&self, outgoing: &Outgoing) -> Result<ApiResponse, ExchangeError> {
        let may_repeat = matches!(outgoing.method.as_str(), "GET" | "HEAD" | "PUT" | "DELETE");
        let mut pause = self.settings.pause;
        // Whether an earlier try may have been carried out, with its answer lost.
        let mut in_doubt = false;
        for tried in 1.. {
            let last = tried >= self.settings.tries || !may_repeat;
            let wait = match self.transport.exchange(outgoing, self.token.as_ref()) {
                Ok(answer) if in_doubt && outgoing.method == "DELETE" && answer.status == 404 => {
                    return Ok(ApiResponse::empty(204));
                }
                Ok(answer) => {
                    let asked = asked_to_wait(&answer);
                    if let Some(asked) = asked.filter(|asked| last || *asked > self.settings.longest_wait) {
                        self.be_silent(asked, &answer);
                        return Ok(answer);
                    }
                    let busy = matches!(answer.status, 502..=504);
                    if last || (asked.is_none() && !busy) {
                        return Ok(answer);
                    }
                    in_doubt |= busy;
                    asked.unwrap_or(pause)
                }
                Err(error) if last || !error.is_transient() => return Err(error),
                Err(error) => {
                    in_doubt |= matches!(error, ExchangeError::Broken(_));
                    pause
                }
            };
            thread::sleep(wait);
            pause *= 2;
        }
        Err(ExchangeError::TimeOut("after all tries"))
    }

    fn be_silent(&self, wait: Duration, answer: &ApiResponse) {
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        *silence = Some((Instant::now() + wait.min(Duration::from_secs(3_600)), answer.clone()));
    }

    /// The answer to give without asking, while the forge wants no calls.
    fn silent(&self) -> Option<ApiResponse> {
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, answer) = silence.clone()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *silence = None;
            return None;
        }
        let mut answer = ApiResponse { headers: returned_headers(&answer), ..answer };
        answer.headers.retain(|(name, _)| name != "retry-after");
        answer.headers.push(("retry-after".into(), left.as_secs().max(1).to_string()));
        Some(answer)
    }

    /// Where a redirect leads: on within the forge, or to the caller, who has no token of the forge.
    fn redirect(&self, request: &ApiRequest, answer: &ApiResponse) -> Redirect {
        let location = header(answer, "location").unwrap_or_default();
        let url = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}{location}", self.addresses.origin)
        } else {
            location.to_owned()
        };
        let within = url.strip_prefix(self.addresses.origin.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if matches!(request.method.as_str(), "GET" | "HEAD") {
            if within {
                return Redirect::Follow(url);
            }
            if url.starts_with("https://") || url.starts_with("http://") {
                let mut answer = ApiResponse::empty(302);
                answer.headers.push(("location".into(), url));
                return Redirect::HandOver(answer);
            }
        }
        let shown: String = url.chars().filter(|c| !c.is_control()).take(200).collect();
        let message =
            format!("The forge moved this to `{shown}`. A change is not sent after it: use the repository's new name.");
        Redirect::HandOver(ApiResponse::error(421, &message))
    }

    /// The answer as the caller gets it.
    fn returned(&self, request: &ApiRequest, answer: ApiResponse) -> ApiResponse {
        let mut headers = returned_headers(&answer);
        for (name, value) in &mut headers {
            match name.as_str() {
                "link" => *value = rewrite_link(value, &request.path, &self.addresses, &self.local_base),
                "location" => {
                    if let Some(url) = rewritten(value, &self.addresses, &self.local_base) {
                        *value = url;
                    }
                }
                _ => {}
            }
        }
        if answer.status == 401 {
            return ApiResponse { headers, ..self.unauthorized() };
        }
        let mut body = answer.body;
        if header_of(&headers, "content-type").is_some_and(|kind| kind.contains("json"))
            && let Ok(mut value) = serde_json::from_slice::<Value>(&body)
        {
            rewrite_body(&mut value, &self.addresses, &self.local_base);
            body = value.to_string().into_bytes();
        }
        ApiResponse { status: answer.status, headers, body }
    }

    fn unauthorized(&self) -> ApiResponse {
        let host = self.addresses.host();
        let message = match self.token {
            Some(_) => format!(
                "Bad credentials: {host} refused the token that Lineclear was given. It is mistyped, expired or revoked, or is for another forge."
            ),
            None => format!(
                "Requires authentication: {host} answers this call only with a token, and Lineclear was given none."
            ),
        };
        ApiResponse::error(401, &message)
    }

    fn explain(&self, error: &ExchangeError) -> ApiResponse {
        let status = match error {
            ExchangeError::TimeOut(_) => 504,
            ExchangeError::Unsendable(_) => 400,
            ExchangeError::Unreachable(_)
            | ExchangeError::Broken(_)
            | ExchangeError::TooLarge(_)
            | ExchangeError::Nonsense(_) => 502,
        };
        ApiResponse::error(status, &format!("The forge {} could not be asked: {error}.", self.addresses.host()))
    }

    /// Whatever the forge says, its token is not shown to a job (S4-67).
    fn without_token(&self, mut answer: ApiResponse) -> ApiResponse {
        let Some(token) = &self.token else { return answer };
        let secret = token.expose();
        for (_, value) in &mut answer.headers {
            if value.contains(secret) {
                *value = value.replace(secret, "***");
            }
        }
        let finder = memchr::memmem::Finder::new(secret.as_bytes());
        if finder.find(&answer.body).is_some() {
            let mut masked = Vec::with_capacity(answer.body.len());
            let mut from = 0;
            for at in finder.find_iter(&answer.body) {
                masked.extend_from_slice(&answer.body[from..at]);
                masked.extend_from_slice(b"***");
                from = at + secret.len();
            }
            masked.extend_from_slice(&answer.body[from..]);
            answer.body = masked;
        }
        answer
    }
}

impl ForgeApi for RemoteForge {
    fn call(&self, _caller: &Caller, request: &ApiRequest) -> ApiResponse {
        let answer = match self.kind {
            ForgeKind::GitHub => self.pass(request),
            ForgeKind::Gitea => self.gitea.call(request, &|request| self.pass(request)),
        };
        self.without_token(answer)
    }
}

enum Redirect {
    Follow(String),
    HandOver(ApiResponse),
}

fn is_upload(request: &ApiRequest) -> bool {
    let parts: Vec<&str> = request.path.split('/').collect();
    request.method == "POST" && matches!(parts.as_slice(), ["", "repos", _, _, "releases", _, "assets"])
}

fn returned_headers(answer: &ApiResponse) -> Vec<(String, String)> {
    answer.headers.iter().filter(|(name, _)| RETURNED.contains(&name.as_str())).cloned().collect()
}

fn header<'r>(answer: &'r ApiResponse, name: &str) -> Option<&'r str> {
    header_of(&answer.headers, name)
}

fn header_of<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// How long a forge whose limit is used up wants no calls.
///
/// # Source
/// GitHub's "Rate limits for the REST API": 403 or 429, `retry-after` in seconds, else at least a minute. Until when
/// `x-ratelimit-reset` says is told to the caller; here a minute is kept, because the forge's clock may be another.
fn asked_to_wait(answer: &ApiResponse) -> Option<Duration> {
    let said = header(answer, "retry-after").and_then(|seconds| seconds.trim().parse().ok());
    let used_up = header(answer, "x-ratelimit-remaining") == Some("0");
    match answer.status {
        429 => Some(Duration::from_secs(said.unwrap_or(60))),
        403 if said.is_some() || used_up => Some(Duration::from_secs(said.unwrap_or(60))),
        503 => said.map(Duration::from_secs),
        _ => None,
    }
}
