//! The registry as a whole.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_oci::{Digest, ErrorCode, RepositoryName, Tag};
use lineclear_store::{Images, TagRule};

use crate::caller::{Caller, Deed, Denial};
use crate::request::Request;
use crate::response::{Body, Response};
use crate::route::Route;
use crate::{Pattern, refusal};

/// How a [`Registry`] behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Tags that are never moved and never removed once they are there.
    pub immutable_tags: Vec<Pattern>,
    /// Bytes of a blob.
    pub blob_bytes: u64,
    /// Entries of one page of a list.
    pub page: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { immutable_tags: Vec::new(), blob_bytes: 64 << 30, page: 1000 }
    }
}

/// A registry over images that are kept.
///
/// It has no state of its own: any number of threads, and several processes, may answer over the same images.
#[derive(Clone)]
pub struct Registry {
    pub(crate) images: Arc<dyn Images>,
    pub(crate) settings: Settings,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A request with what is needed to answer it.
pub(crate) struct Call<'c> {
    pub(crate) registry: &'c Registry,
    pub(crate) request: &'c Request<'c>,
    pub(crate) caller: &'c dyn Caller,
    pub(crate) now: Timestamp,
}

/// A part of the answer, or the refusal that stands for all of it.
pub(crate) type Answered<T = Response> = Result<T, Box<Response>>;

impl Registry {
    /// A registry that keeps its images in `images`.
    pub fn new(images: Arc<dyn Images>, settings: Settings) -> Self {
        Self { images, settings }
    }

    /// Where the images are.
    pub fn images(&self) -> &Arc<dyn Images> {
        &self.images
    }

    /// Answers a request that came at `now`.
    ///
    /// `body` is read as far as it is wanted; when it fails, what came of an upload stays and can be continued. Nothing is read of it
    /// before it is known that the caller may do what is asked.
    pub fn answer(&self, request: &Request<'_>, body: &mut dyn Read, caller: &dyn Caller, now: Timestamp) -> Response {
        let call = Call { registry: self, request, caller, now };
        let mut response = call.answer(body).unwrap_or_else(|refused| *refused);
        if request.method == "HEAD" {
            response.body = Body::Empty;
        }
        response
    }

    pub(crate) fn rule(&self, tag: &Tag) -> TagRule {
        let stays = self.settings.immutable_tags.iter().any(|pattern| pattern.is_of(tag.as_str()));
        if stays { TagRule::Stays } else { TagRule::Moves }
    }
}

impl Call<'_> {
    fn answer(&self, body: &mut dyn Read) -> Answered {
        let route = Route::of(self.request.path);
        let method = self.request.method;
        match (&route, method) {
            (Route::Version, "GET" | "HEAD") => self.version(),
            (Route::Catalog, "GET" | "HEAD") => self.catalog(),
            (Route::Tags(name), "GET" | "HEAD") => self.tags(name),
            (Route::Blob(name, digest), "GET" | "HEAD") => self.blob(name, digest),
            (Route::Blob(name, digest), "DELETE") => self.delete_blob(name, digest),
            (Route::Uploads(name), "POST") => self.begin_upload(name, body),
            (Route::Upload(name, id), "GET" | "HEAD") => self.upload_status(name, id),
            (Route::Upload(name, id), "PATCH") => self.patch_upload(name, id, body),
            (Route::Upload(name, id), "PUT") => self.end_upload(name, id, body),
            (Route::Upload(name, id), "DELETE") => self.cancel_upload(name, id),
            (Route::Manifest(name, reference), "GET" | "HEAD") => self.manifest(name, reference),
            (Route::Manifest(name, reference), "PUT") => self.put_manifest(name, reference, body),
            (Route::Manifest(name, reference), "DELETE") => self.delete_manifest(name, reference),
            (Route::Referrers(name, digest), "GET" | "HEAD") => self.referrers(name, digest),
            (Route::BadName(why), _) => Err(Box::new(Response::error(ErrorCode::NameInvalid, why))),
            (Route::None, _) => {
                let message = format!("`{}` is nothing that a registry has", shown(self.request.path));
                Err(Box::new(refusal(404, ErrorCode::Unsupported, message)))
            }
            (known, _) => {
                let message = format!("`{}` is not possible here", shown(method));
                Err(Box::new(Response::error(ErrorCode::Unsupported, message).with("allow", allowed(known))))
            }
        }
    }

    fn version(&self) -> Answered {
        self.allowed(self.caller.may_enter(), "the registry")?;
        Ok(Response::new(200).json(&serde_json::json!({})))
    }

    /// Lets the caller go on, or not.
    pub(crate) fn may(&self, deed: Deed, repository: &RepositoryName) -> Answered<()> {
        self.allowed(self.caller.may(deed, repository), &format!("`{repository}`"))
    }

    pub(crate) fn allowed<T>(&self, verdict: Result<T, Denial>, what: &str) -> Answered<T> {
        match verdict {
            Ok(allowed) => Ok(allowed),
            Err(Denial::WhoAsks) => {
                let message = format!("{what} cannot be used without a name, or with that password; log in first");
                let mut response = Response::error(ErrorCode::Unauthorized, message);
                response.headers.extend(self.caller.challenges().into_iter().map(|c| ("www-authenticate", c)));
                Err(Box::new(response))
            }
            Err(Denial::Refused(why)) => Err(Box::new(Response::error(ErrorCode::Denied, why))),
        }
    }

    /// The page of `all` that is asked for, and the `Link` to the next one. `all` is in order.
    pub(crate) fn page<T: AsRef<str>>(
        &self,
        all: Vec<T>,
        path: &str,
        more: &str,
    ) -> Answered<(Vec<T>, Option<String>)> {
        let count = match self.request.parameter("n") {
            None => None,
            Some(text) => match text.parse::<usize>() {
                Ok(count) => Some(count),
                Err(_) => {
                    let message = format!("`n={}` is no number of entries", shown(&text));
                    return Err(Box::new(Response::error(ErrorCode::PaginationNumberInvalid, message)));
                }
            },
        };
        let last = self.request.parameter("last").unwrap_or_default();
        let mut rest: Vec<T> = all.into_iter().filter(|entry| entry.as_ref() > last.as_str()).collect();
        let count = count.unwrap_or(usize::MAX).min(self.registry.settings.page);
        if rest.len() <= count {
            return Ok((rest, None));
        }
        rest.truncate(count);
        let link = rest.last().map(|last| {
            // Names, tags and digests need no encoding but that of a slash and a colon.
            let last = last.as_ref().replace('/', "%2F").replace(':', "%3A");
            format!("<{path}?n={count}&last={last}{more}>; rel=\"next\"")
        });
        Ok((rest, link))
    }
}

/// The digest that a client wrote.
pub(crate) fn digest(text: &str) -> Answered<Digest> {
    Digest::parse(text).map_err(|error| Box::new(Response::error(ErrorCode::DigestInvalid, error.to_string())))
}

fn allowed(route: &Route) -> &'static str {
    match route {
        Route::Blob(..) => "GET, HEAD, DELETE",
        Route::Uploads(_) => "POST",
        Route::Upload(..) => "GET, HEAD, PATCH, PUT, DELETE",
        Route::Manifest(..) => "GET, HEAD, PUT, DELETE",
        _ => "GET, HEAD",
    }
}

pub(crate) fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
