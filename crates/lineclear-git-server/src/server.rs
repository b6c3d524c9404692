//! Which request gets which answer.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use flate2::read::MultiGzDecoder;

use crate::child;
use crate::command::git;
use crate::{GitRepositories, GitRequest, GitResponse, GitServerError, RefChange};

/// How much one request, and all of them together, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request for objects, unpacked.
    pub ask: u64,
    /// Bytes of a push, unpacked.
    pub push: u64,
    /// Git is ended after this time without a byte in or out.
    pub idle: Duration,
    /// Git is ended after this time in any case.
    pub total: Duration,
    /// Git processes at once; further requests wait for `idle`, then get 503.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ask: 64 << 20,
            push: 4 << 30,
            idle: Duration::from_secs(300),
            total: Duration::from_secs(3600),
            at_once: 16,
        }
    }
}

/// The two programs behind the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Read,
    Write,
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::Read),
            "git-receive-pack" => Some(Self::Write),
            _ => None,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Read => "upload-pack",
            Self::Write => "receive-pack",
        }
    }
}

/// A repository behind git's smart HTTP protocol.
#[derive(Debug)]
pub struct GitServer {
    repositories: GitRepositories,
    limits: Limits,
    /// Whether the front was prepared; held while it is.
    opened: Mutex<bool>,
    places: Arc<Places>,
}

impl GitServer {
    /// A server of these repositories. Nothing is read or made before the first request.
    pub fn new(repositories: GitRepositories) -> Self {
        Self::with_limits(repositories, Limits::default())
    }

    /// As [`GitServer::new`], with other limits.
    pub fn with_limits(repositories: GitRepositories, limits: Limits) -> Self {
        let places = Arc::new(Places { free: Mutex::new(limits.at_once.max(1)), freed: Condvar::new() });
        Self { repositories, limits, opened: Mutex::new(false), places }
    }

    /// The forge's bare repository, made or brought up to date first.
    ///
    /// # Errors
    /// [`GitServerError`] where the run's repository cannot be read or the bare one cannot be made.
    pub fn git_dir(&self) -> Result<&Path, GitServerError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !*opened {
            self.repositories.open()?;
            *opened = true;
        }
        Ok(&self.repositories.forge)
    }

    /// Branches and tags that pushes made, moved or removed, sorted by name; also those of earlier runs.
    ///
    /// # Errors
    /// [`GitServerError`] where the bare repository cannot be read.
    pub fn changes(&self) -> Result<Vec<RefChange>, GitServerError> {
        self.repositories.changes()
    }

    /// Answers one request; blocks until git gave the first bytes of its answer.
    ///
    /// Refused: what is not smart HTTP (the dumb protocol: 403; other paths: 404), a push without
    /// [`GitRequest::may_write`] (403, in GitHub's words), a method, type or encoding that the protocol does not know.
    pub fn handle(&self, request: GitRequest) -> GitResponse {
        let path = request.path.trim_start_matches('/');
        if path.split('/').any(|part| part == ".." || part == ".") || path.contains(['%', '\\', '\0']) {
            return GitResponse::refused(400, "This path is not allowed.");
        }
        let (service, advertise) = match path {
            "info/refs" => match request.parameter("service").map(Service::named) {
                Some(Some(service)) => (service, true),
                Some(None) => {
                    return GitResponse::refused(
                        403,
                        "Unknown service: git-upload-pack or git-receive-pack is expected.",
                    );
                }
                None => {
                    return GitResponse::refused(
                        403,
                        "Please upgrade your git client: only the smart HTTP protocol is served.",
                    );
                }
            },
            name => match Service::named(name) {
                Some(service) => (service, false),
                None if is_dumb(name) => return GitResponse::refused(403, "Only git's smart HTTP protocol is served."),
                None => return GitResponse::refused(404, "Not Found"),
            },
        };
        let expected = if advertise { "GET" } else { "POST" };
        if request.method != expected {
            let mut refused = GitResponse::refused(405, format!("{expected} is expected here."));
            refused.headers.push(("allow", expected.to_owned()));
            return refused;
        }
        if service == Service::Write && !request.may_write {
            return GitResponse::refused(
                403,
                "Write access to repository not granted: the job's `permissions:` need `contents: write`.",
            );
        }
        self.serve(service, advertise, request).unwrap_or_else(|refused| refused)
    }

    fn serve(&self, service: Service, advertise: bool, request: GitRequest) -> Result<GitResponse, GitResponse> {
        // Pushing knows no version 2, and its answer has the line of the older versions.
        let spoken = request
            .header("git-protocol")
            .filter(|value| service == Service::Read && is_protocol(value))
            .map(str::to_owned);
        let version_2 = spoken.as_deref().is_some_and(|value| value.split(':').any(|part| part == "version=2"));
        let body: Box<dyn Read + Send> = if advertise {
            Box::new(io::empty())
        } else {
            Self::check_type(service, &request)?;
            self.body(service, request)?
        };
        let git_dir = self.git_dir().map_err(|error| GitResponse::refused(500, described(&error)))?;
        let Some(place) = self.places.take(self.limits.idle) else {
            let mut refused = GitResponse::refused(503, "Too many git requests at once; try again.");
            refused.headers.push(("retry-after", "5".to_owned()));
            return Err(refused);
        };
        let mut command = git(git_dir);
        if let Some(protocol) = spoken {
            command.env("GIT_PROTOCOL", protocol);
        }
        for setting in settings(service, self.limits.push) {
            command.args(["-c", &setting]);
        }
        command.args([service.program(), "--stateless-rpc"]);
        if advertise {
            command.arg("--advertise-refs");
        }
        command.arg(git_dir);
        let answer = child::start(command, body, self.limits, place)
            .map_err(|error| GitResponse::refused(500, format!("The repository could not answer: {error}")))?;
        let program = service.program();
        if !advertise {
            return Ok(GitResponse::git(format!("application/x-git-{program}-result"), Box::new(answer)));
        }
        let list = if version_2 { Box::new(answer) } else { preamble(program, answer) };
        Ok(GitResponse::git(format!("application/x-git-{program}-advertisement"), list))
    }
}

impl GitServer {
    /// Refuses a body that is not of the protocol's type.
    fn check_type(service: Service, request: &GitRequest) -> Result<(), GitResponse> {
        let expected = format!("application/x-git-{}-request", service.program());
        let given = request.header("content-type").unwrap_or_default();
        if given == expected {
            Ok(())
        } else {
            Err(GitResponse::refused(415, format!("The content type {expected} is expected.")))
        }
    }

    /// The request's body as git wants it: unpacked, and within the limit.
    fn body(&self, service: Service, request: GitRequest) -> Result<Box<dyn Read + Send>, GitResponse> {
        let left = match service {
            Service::Read => self.limits.ask,
            Service::Write => self.limits.push,
        };
        let encoding = request.header("content-encoding").unwrap_or("identity").to_ascii_lowercase();
        match encoding.as_str() {
            "identity" | "" => Ok(Box::new(Limited { inner: request.body, left })),
            "gzip" | "x-gzip" => Ok(Box::new(Limited { inner: MultiGzDecoder::new(request.body), left })),
            _ => Err(GitResponse::refused(415, "Only gzip is understood as content encoding.")),
        }
    }
}

/// What each service is told beside the repository's own settings.
fn settings(service: Service, push: u64) -> Vec<String> {
    let text: &[&str] = match service {
        Service::Read => &["uploadpack.allowAnySHA1InWant=true", "uploadpack.allowFilter=true"],
        // As on GitHub, nobody pushes to a pull request's own refs.
        Service::Write => &[
            "http.receivepack=true",
            "receive.hideRefs=refs/pull",
            "receive.fsckObjects=true",
            "receive.fsck.zeroPaddedFilemode=ignore",
            "receive.fsck.missingSpaceBeforeDate=ignore",
            "receive.autogc=false",
            "receive.shallowUpdate=true",
        ],
    };
    let limit = (service == Service::Write).then(|| format!("receive.maxInputSize={push}"));
    text.iter().map(|setting| (*setting).to_owned()).chain(limit).collect()
}

/// The line that version 0 and 1 put before the list of refs.
fn preamble(program: &str, answer: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let line = format!("# service=git-{program}\n");
    Box::new(Cursor::new(format!("{:04x}{line}0000", line.len() + 4)).chain(answer))
}

/// Whether the text is what clients send as `Git-Protocol`: `version=2`, with parts after colons.
fn is_protocol(value: &str) -> bool {
    value.len() <= 64 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=:.-_".contains(&byte))
}

/// Files that the dumb protocol asks for.
fn is_dumb(path: &str) -> bool {
    path == "HEAD" || path.starts_with("objects/") || path.starts_with("refs/") || path == "packed-refs"
}

fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Bytes up to a limit; more are an error.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other("it is larger than allowed"))?;
        Ok(count)
    }
}

/// Room for git processes.
#[derive(Debug)]
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

/// Room for one process, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    fn take(self: &Arc<Self>, wait: Duration) -> Option<Place> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) =
            self.freed.wait_timeout_while(free, wait, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Place(Arc::clone(self)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
