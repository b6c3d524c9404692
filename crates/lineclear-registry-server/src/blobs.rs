//! Blobs: pulled, asked for, removed.

use lineclear_oci::{ErrorCode, RepositoryName};

use crate::caller::Deed;
use crate::range::{self, Wanted};
use crate::registry::{Answered, Call, digest};
use crate::response::{Part, Response, of_store, refusal};

/// What has a digest as its name never changes. It is the caller's alone, as others may not be allowed to have it.
pub(crate) const FOR_EVER: &str = "private, max-age=31536000, immutable";

impl Call<'_> {
    pub(crate) fn blob(&self, name: &RepositoryName, text: &str) -> Answered {
        self.may(Deed::Pull, name)?;
        let digest = digest(text)?;
        let unknown = || Box::new(Response::error(ErrorCode::BlobUnknown, format!("`{name}` has no blob {digest}")));
        let images = &self.registry.images;
        let size = images.blob(name, &digest, self.now).map_err(|error| of_store(&error))?.ok_or_else(unknown)?;
        let etag = format!("\"{digest}\"");
        let found = |status| {
            Response::new(status)
                .with("docker-content-digest", &digest)
                .with("etag", &etag)
                .with("cache-control", FOR_EVER)
                .with("accept-ranges", "bytes")
        };
        if is_known(&self.request.header("if-none-match"), &etag) {
            return Ok(found(304).empty());
        }
        let if_range = self.request.header("if-range");
        let header = self.request.header("range");
        // A range of something else is asked for: the whole of this is answered.
        let header = if if_range.is_empty() || if_range == etag { &*header } else { "" };
        let (response, first, length) = match range::wanted(header, size) {
            Wanted::Whole => (found(200), 0, size),
            Wanted::Part { first, length } => {
                let range = format!("bytes {first}-{}/{size}", first + length - 1);
                (found(206).with("content-range", range), first, length)
            }
            Wanted::Nothing => {
                let response = refusal(416, ErrorCode::RangeInvalid, format!("the blob has {size} bytes"));
                return Err(Box::new(response.with("content-range", format!("bytes */{size}"))));
            }
        };
        let response = response.with("content-type", "application/octet-stream");
        if self.request.method == "HEAD" {
            return Ok(response.with("content-length", length));
        }
        let open = images.open_blob(name, &digest).map_err(|error| of_store(&error))?.ok_or_else(unknown)?;
        Ok(response.part(Part { content: open.content, first, length }))
    }

    pub(crate) fn delete_blob(&self, name: &RepositoryName, text: &str) -> Answered {
        self.may(Deed::Delete, name)?;
        self.allowed(self.caller.may_remove(name, None), &format!("`{name}`"))?;
        let digest = digest(text)?;
        match self.registry.images.remove_blob(name, &digest).map_err(|error| of_store(&error))? {
            true => Ok(Response::new(202).empty()),
            false => Err(Box::new(Response::error(ErrorCode::BlobUnknown, format!("`{name}` has no blob {digest}")))),
        }
    }
}

/// Whether `If-None-Match` names what the client would get.
pub(crate) fn is_known(header: &str, etag: &str) -> bool {
    header.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == etag || known == "*")
}
