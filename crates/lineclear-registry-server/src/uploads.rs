//! Uploads of blobs: in one request, in chunks, or by mounting what another repository has.
//!
//! ```text
//! POST ─┬─ ?mount= and it is there ──────────────────────────► 201
//!       ├─ ?digest= with the blob as body ───────────────────► 201
//!       └─ 202 ─► PATCH* (continued where GET says) ─► PUT ?digest= ─► 201
//! ```

use std::io::Read;

use lineclear_oci::{ErrorCode, RepositoryName};
use lineclear_store::{ImageError, UploadId};

use crate::caller::Deed;
use crate::range;
use crate::registry::{Answered, Call, digest, shown};
use crate::response::{Response, of_store};

impl Call<'_> {
    pub(crate) fn begin_upload(&self, name: &RepositoryName, body: &mut dyn Read) -> Answered {
        self.may(Deed::Push, name)?;
        if let Some(mounted) = self.mounted(name)? {
            return Ok(mounted);
        }
        let images = &self.registry.images;
        let whole = self.request.parameter("digest").map(|text| digest(&text)).transpose()?;
        let upload = images.begin_push(name, self.now).map_err(|error| of_store(&error))?;
        let Some(digest) = whole else { return Ok(going_on(202, name, &upload, 0)) };
        let limit = self.registry.settings.blob_bytes;
        let pushed = images.push(name, &upload, Some(0), body, limit);
        match pushed.and_then(|_| images.finish_push(name, &upload, &digest, self.now)) {
            Ok(_) => Ok(uploaded(name, &digest)),
            Err(error) => {
                // Nobody knows its name, so nobody could go on with it.
                let _swept_later = images.cancel_push(name, &upload);
                Err(Box::new(of_store(&error)))
            }
        }
    }

    /// The answer when a blob need not be sent because a repository that the caller may pull from has it.
    fn mounted(&self, name: &RepositoryName) -> Answered<Option<Response>> {
        let Some(wanted) = self.request.parameter("mount") else { return Ok(None) };
        let wanted = digest(&wanted)?;
        let pulls = |other: &RepositoryName| self.caller.may(Deed::Pull, other).is_ok();
        let mounted = match self.request.parameter("from").filter(|from| !from.is_empty()) {
            Some(from) => {
                let from = RepositoryName::parse(&from).ok();
                let may_pull = |other: &RepositoryName| Some(other) == from.as_ref() && pulls(other);
                self.registry.images.mount_blob(name, &wanted, &may_pull, self.now)
            }
            None => self.registry.images.mount_blob(name, &wanted, &pulls, self.now),
        };
        Ok(mounted.map_err(|error| of_store(&error))?.map(|_| uploaded(name, &wanted)))
    }

    pub(crate) fn upload_status(&self, name: &RepositoryName, id: &str) -> Answered {
        self.may(Deed::Push, name)?;
        let upload = UploadId(id.to_owned());
        let came = self.registry.images.pushed_bytes(name, &upload).map_err(|error| of_store(&error))?;
        Ok(going_on(204, name, &upload, came))
    }

    pub(crate) fn patch_upload(&self, name: &RepositoryName, id: &str, body: &mut dyn Read) -> Answered {
        self.may(Deed::Push, name)?;
        let upload = UploadId(id.to_owned());
        let came = self.take_in(name, &upload, body)?;
        Ok(going_on(202, name, &upload, came))
    }

    pub(crate) fn end_upload(&self, name: &RepositoryName, id: &str, body: &mut dyn Read) -> Answered {
        self.may(Deed::Push, name)?;
        let upload = UploadId(id.to_owned());
        let Some(digest) = self.request.parameter("digest").map(|text| digest(&text)).transpose()? else {
            let message = "an upload is ended with `?digest=`; say the digest of the blob";
            return Err(Box::new(Response::error(ErrorCode::DigestInvalid, message)));
        };
        let images = &self.registry.images;
        if let Err(refused) = self.take_in(name, &upload, body) {
            // A client that did not hear the answer comes again.
            let ended = refused.status == 404 && images.blob(name, &digest, self.now).is_ok_and(|size| size.is_some());
            return if ended { Ok(uploaded(name, &digest)) } else { Err(refused) };
        }
        images.finish_push(name, &upload, &digest, self.now).map_err(|error| of_store(&error))?;
        Ok(uploaded(name, &digest))
    }

    /// Adds the body of a request to an upload; gives how many bytes have come.
    fn take_in(&self, name: &RepositoryName, upload: &UploadId, body: &mut dyn Read) -> Answered<u64> {
        let header = self.request.header("content-range");
        let announced = match &*header {
            "" => None,
            header => {
                let unreadable = || {
                    let message = format!("`Content-Range: {}` is not `<first>-<last>`", shown(header));
                    Box::new(Response::error(ErrorCode::BlobUploadInvalid, message))
                };
                Some(range::chunk(header).ok_or_else(unreadable)?)
            }
        };
        if let (Some((first, last)), Some(length)) = (announced, self.request.content_length())
            && last - first + 1 != length
        {
            let message = format!("`Content-Range` says {} bytes, `Content-Length` says {length}", last - first + 1);
            return Err(Box::new(Response::error(ErrorCode::SizeInvalid, message)));
        }
        let at = announced.map(|(first, _)| first);
        let limit = self.registry.settings.blob_bytes;
        let images = &self.registry.images;
        images.push(name, upload, at, body, limit).map_err(|error| {
            let response = of_store(&error);
            Box::new(match error {
                // Where to go on is said at once.
                ImageError::OutOfOrder { expected, .. } => response
                    .with("location", location(name, upload))
                    .with("range", came_so_far(expected))
                    .with("docker-upload-uuid", &upload.0),
                _ => response,
            })
        })
    }

    pub(crate) fn cancel_upload(&self, name: &RepositoryName, id: &str) -> Answered {
        self.may(Deed::Push, name)?;
        self.registry.images.cancel_push(name, &UploadId(id.to_owned())).map_err(|error| of_store(&error))?;
        Ok(Response::new(204).empty())
    }
}

/// Without a host: what is in between may have changed it.
fn location(name: &RepositoryName, upload: &UploadId) -> String {
    format!("/v2/{name}/blobs/uploads/{}", upload.0)
}

/// `0-0` for nothing, too: clients know it so from Docker's registry.
fn came_so_far(bytes: u64) -> String {
    format!("0-{}", bytes.saturating_sub(1))
}

fn going_on(status: u16, name: &RepositoryName, upload: &UploadId, came: u64) -> Response {
    Response::new(status)
        .with("location", location(name, upload))
        .with("range", came_so_far(came))
        .with("docker-upload-uuid", &upload.0)
        .empty()
}

fn uploaded(name: &RepositoryName, digest: &lineclear_oci::Digest) -> Response {
    Response::new(201)
        .with("location", format!("/v2/{name}/blobs/{digest}"))
        .with("docker-content-digest", digest)
        .empty()
}
