//! Blobs into a registry: found to be there, mounted, sent at once or in chunks, resumed.

use std::io::Read;

use lineclear_oci::{Descriptor, Reference, RepositoryName, Verifier};

use crate::address::Address;
use crate::authentication::Scope;
use crate::blob_pull::blob_named;
use crate::client::Call;
use crate::progress::{BlobOutcome, ProgressEvent};
use crate::transport::{Answer, Payload};
use crate::{Client, RegistryClientError};

/// Gives the bytes of a blob from an offset on, as often as it is asked.
pub type OpenBlob<'a> = dyn Fn(u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> + 'a;

/// Where an upload stands.
struct Upload {
    /// Where it goes on.
    location: Address,
    /// How many bytes the registry has.
    offset: u64,
    /// The smallest chunk that the registry takes.
    least: u64,
}

/// What a registry said to the wish to upload.
enum Begun {
    Mounted,
    Upload(Upload),
}

impl Client {
    /// Brings a blob into a repository, unless it is there.
    ///
    /// `open` gives its bytes from an offset on; it is asked again when a connection breaks. The bytes are checked against `blob` before
    /// the upload is finished: wrong ones are never named by its digest. `mount_from` is a repository of the same registry that has it.
    ///
    /// # Errors
    /// [`RegistryClientError::Mismatch`] for wrong bytes; what the registry refuses; [`RegistryClientError::Source`] from `open`.
    pub fn push_blob(
        &self,
        to: &Reference,
        blob: &Descriptor,
        open: &OpenBlob<'_>,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryClientError> {
        let by = if self.has_blob(to, &blob.digest)? {
            BlobOutcome::Existed
        } else {
            match self.begin(to, blob, mount_from)? {
                Begun::Mounted => BlobOutcome::Mounted,
                Begun::Upload(upload) => {
                    self.upload(to, blob, open, upload)?;
                    BlobOutcome::Transferred
                }
            }
        };
        self.tell(ProgressEvent::Blob { blob, by });
        Ok(by)
    }

    /// Brings bytes that are at hand into a repository, unless they are there.
    ///
    /// # Errors
    /// As [`Client::push_blob`].
    pub fn push_bytes(
        &self,
        to: &Reference,
        blob: &Descriptor,
        bytes: &[u8],
    ) -> Result<BlobOutcome, RegistryClientError> {
        let open = |offset: u64| {
            let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
            Ok(Box::new(rest) as Box<dyn Read>)
        };
        self.push_blob(to, blob, &open, None)
    }

    /// Asks for a mount where there is one to ask for, else for an upload.
    fn begin(
        &self,
        to: &Reference,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
    ) -> Result<Begun, RegistryClientError> {
        let what = blob_named(to, &blob.digest);
        let other = mount_from.filter(|from| *from != to.repository());
        if let Some(from) = other {
            let path = format!("/blobs/uploads/?mount={}&from={}", blob.digest, from.as_str().replace('/', "%2F"));
            let mut call = self.repository_call("POST", to, &path, "pull,push", what.clone());
            call.scopes.push(Scope::repository(from, "pull"));
            match self.call(&call, &[]) {
                Ok(answer) if answer.status == 201 => return Ok(Begun::Mounted),
                Ok(answer) => return Ok(Begun::Upload(begun(&call, &answer)?)),
                // Who may not read the other repository, or asks a registry that knows no mounts, uploads.
                Err(
                    RegistryClientError::Denied { .. }
                    | RegistryClientError::Unauthorized { .. }
                    | RegistryClientError::NotFound { .. }
                    | RegistryClientError::Refused { status: 400..=499, .. },
                ) => {}
                Err(error) => return Err(error),
            }
        }
        let call = self.repository_call("POST", to, "/blobs/uploads/", "pull,push", what);
        let answer = self.call(&call, &[])?;
        Ok(Begun::Upload(begun(&call, &answer)?))
    }

    fn upload(
        &self,
        to: &Reference,
        blob: &Descriptor,
        open: &OpenBlob<'_>,
        mut upload: Upload,
    ) -> Result<(), RegistryClientError> {
        let mut backoff = self.retry.begin();
        let mut check = Check { verifier: Some(Verifier::new(blob.digest.clone(), Some(blob.size))), seen: 0 };
        loop {
            let failure = match self.step(to, blob, open, &mut upload, &mut check) {
                Ok(Step::Finished) => return Ok(()),
                Ok(Step::Further) => {
                    backoff.progressed();
                    continue;
                }
                Err(failure) => failure,
            };
            // A range that the registry did not expect, or an upload that it lost: its own word on where it stands decides.
            let recoverable = failure.is_transient()
                || matches!(
                    failure,
                    RegistryClientError::Refused { status: 416, .. } | RegistryClientError::NotFound { .. }
                );
            if !recoverable {
                self.abandon(to, blob, &upload);
                return Err(failure);
            }
            let failure = if failure.is_transient() { failure } else { lost(to, &failure) };
            self.pause(&mut backoff, failure)?;
            // The last answer may have been lost after all was done.
            if self.has_blob(to, &blob.digest)? {
                return Ok(());
            }
            upload = match self.standing(to, blob, &upload)? {
                Some(upload) if upload.offset <= check.seen => upload,
                _ => match self.begin(to, blob, None)? {
                    Begun::Mounted => return Ok(()),
                    Begun::Upload(upload) => upload,
                },
            };
        }
    }

    /// Sends the next chunk, or finishes the upload.
    fn step(
        &self,
        to: &Reference,
        blob: &Descriptor,
        open: &OpenBlob<'_>,
        upload: &mut Upload,
        check: &mut Check,
    ) -> Result<Step, RegistryClientError> {
        let left = blob.size - upload.offset.min(blob.size);
        let chunk = self.inner.settings.chunk_bytes.max(upload.least).max(1).min(left);
        let at_once = upload.offset == 0 && chunk == blob.size;
        let call = |method: &'static str, address: Address| {
            let mut call = self.repository_call(method, to, "", "pull,push", blob_named(to, &blob.digest));
            call.address = address;
            call.headers.push(("content-type", "application/octet-stream".to_owned()));
            call
        };
        if left > 0 && !at_once {
            let mut call = call("PATCH", upload.location.clone());
            call.headers.push(("content-range", format!("{}-{}", upload.offset, upload.offset + chunk - 1)));
            let answer = self.send(&call, blob, open(upload.offset)?, upload.offset, chunk, check)?;
            let location = answer.header("location");
            upload.location = match location {
                Some(location) => {
                    call.address.join(location).ok_or_else(|| call.nonsense("an upload that goes on at no address"))?
                }
                None => upload.location.clone(),
            };
            upload.offset = range_end(&answer).unwrap_or(upload.offset + chunk);
            if upload.offset > check.seen {
                return Err(call.nonsense(format!("{} bytes where {} were sent", upload.offset, check.seen)));
            }
            return Ok(Step::Further);
        }
        let digest = blob.digest.as_str();
        let call = call("PUT", upload.location.with_parameter("digest", digest));
        if at_once && left > 0 {
            // The registry compares with the digest itself, and keeps nothing that differs.
            self.send(&call, blob, open(0)?, 0, blob.size, check)?;
        } else {
            check.finish(to, blob)?;
            self.once(&call, Payload::Bytes(&[]))?;
        }
        Ok(Step::Finished)
    }

    /// Sends a part of the blob as the body of a call.
    fn send(
        &self,
        call: &Call<'_>,
        blob: &Descriptor,
        stream: Box<dyn Read + '_>,
        offset: u64,
        length: u64,
        check: &mut Check,
    ) -> Result<Answer, RegistryClientError> {
        let mut sending =
            Sending { client: self, blob, stream, left: length, position: offset, check, what: &call.what };
        self.once(call, Payload::Stream(&mut sending, length))
    }

    /// Asks a registry where an upload stands; `None` when it knows nothing of it.
    fn standing(
        &self,
        to: &Reference,
        blob: &Descriptor,
        upload: &Upload,
    ) -> Result<Option<Upload>, RegistryClientError> {
        let mut call = self.repository_call("GET", to, "", "pull,push", blob_named(to, &blob.digest));
        call.address = upload.location.clone();
        call.accepted = &[400, 404, 405, 410];
        let answer = self.call(&call, &[])?;
        if answer.status >= 300 {
            return Ok(None);
        }
        let location = answer.header("location").and_then(|location| call.address.join(location));
        let offset = range_end(&answer).unwrap_or(0);
        Ok(Some(Upload { location: location.unwrap_or_else(|| upload.location.clone()), offset, least: upload.least }))
    }

    /// Tells the registry that an upload does not go on. It forgets it by itself otherwise, so a failure does not matter.
    fn abandon(&self, to: &Reference, blob: &Descriptor, upload: &Upload) {
        let mut call = self.repository_call("DELETE", to, "", "pull,push", blob_named(to, &blob.digest));
        call.address = upload.location.clone();
        let _forgotten = self.once(&call, Payload::None);
    }
}

enum Step {
    Further,
    Finished,
}

/// The digest of what was sent, each byte once however often it was sent.
struct Check {
    verifier: Option<Verifier>,
    /// How many bytes were seen.
    seen: u64,
}

impl Check {
    fn see(&mut self, position: u64, bytes: &[u8]) -> Result<(), lineclear_oci::DigestMismatch> {
        let known = usize::try_from(self.seen.saturating_sub(position)).unwrap_or(usize::MAX);
        let new = bytes.get(known..).unwrap_or_default();
        self.seen += new.len() as u64;
        self.verifier.as_mut().map_or(Ok(()), |verifier| verifier.update(new))
    }

    fn finish(&mut self, to: &Reference, blob: &Descriptor) -> Result<(), RegistryClientError> {
        let finished = self.verifier.take().map_or(Ok(()), Verifier::finish);
        finished.map_err(|source| RegistryClientError::Mismatch { what: blob_named(to, &blob.digest), source })
    }
}

/// A part of a blob on its way.
struct Sending<'a, 'b> {
    client: &'a Client,
    blob: &'a Descriptor,
    stream: Box<dyn Read + 'b>,
    left: u64,
    position: u64,
    check: &'a mut Check,
    what: &'a str,
}

impl Read for Sending<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 || into.is_empty() {
            return Ok(0);
        }
        self.client.check_cancelled().map_err(RegistryClientError::into_io)?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.stream.read(&mut into[..most]);
        let length = read.map_err(|error| RegistryClientError::from_io(error, self.what).into_io())?;
        let mismatch = |source| RegistryClientError::Mismatch { what: self.what.to_owned(), source }.into_io();
        if length == 0 {
            let source = lineclear_oci::DigestMismatch::Length { expected: self.blob.size, found: self.position };
            return Err(mismatch(source));
        }
        self.check.see(self.position, &into[..length]).map_err(mismatch)?;
        self.left -= length as u64;
        self.position += length as u64;
        // The last bytes of a blob are held back until it is known that all are the right ones.
        if self.position == self.blob.size
            && let Some(verifier) = self.check.verifier.take()
        {
            verifier.clone().finish().map_err(mismatch)?;
            self.check.verifier = Some(verifier);
        }
        self.client.tell(ProgressEvent::Bytes { digest: &self.blob.digest, more: length as u64 });
        Ok(length)
    }
}

/// The upload that a registry's answer to the wish for one names.
fn begun(call: &Call<'_>, answer: &Answer) -> Result<Upload, RegistryClientError> {
    let location = answer.header("location").ok_or_else(|| call.nonsense("an upload without an address"))?;
    let location = call.address.join(location).ok_or_else(|| call.nonsense("an upload at no address"))?;
    let least = answer.header("oci-chunk-min-length").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Ok(Upload { location, offset: 0, least })
}

/// How many bytes a registry has, by its `Range` header: `0-9` are ten. `0-0` is what registries say when they have none.
fn range_end(answer: &Answer) -> Option<u64> {
    let range = answer.header("range")?.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let (_, end) = range.split_once('-')?;
    match end.trim().parse::<u64>().ok()? {
        0 => Some(0),
        end => end.checked_add(1),
    }
}

/// An upload that the registry no longer knows is a broken connection to it: it is worth another try.
fn lost(to: &Reference, failure: &RegistryClientError) -> RegistryClientError {
    RegistryClientError::Broken {
        registry: to.registry().to_string(),
        reason: format!("the upload was lost: {failure}"),
    }
}
