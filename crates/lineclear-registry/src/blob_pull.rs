//! Blobs out of a registry: streamed, verified, resumed.

use std::io::{Read, Write};

use lineclear_oci::{Descriptor, Digest, DigestMismatch, Reference, Verifier};

use crate::progress::{BlobOutcome, ProgressEvent};
use crate::retry::Backoff;
use crate::transport::Payload;
use crate::{Client, RegistryClientError};

/// How much is read at once.
const PIECE: usize = 128 << 10;

impl Client {
    /// Whether a blob is there.
    ///
    /// # Errors
    /// When the registry cannot say.
    pub fn has_blob(&self, place: &Reference, digest: &Digest) -> Result<bool, RegistryClientError> {
        let mut call =
            self.repository_call("HEAD", place, &format!("/blobs/{digest}"), "pull", blob_named(place, digest));
        call.accepted = &[404];
        Ok(self.call(&call, &[])?.status < 300)
    }

    /// Pulls a blob. A connection that breaks is resumed where it broke.
    ///
    /// `into` may have got bytes when this fails; they are worth nothing before it succeeds.
    ///
    /// # Errors
    /// [`RegistryClientError::Mismatch`] when there are more, fewer or other bytes than `blob` says; nothing beyond its size is written.
    pub fn pull_blob(
        &self,
        place: &Reference,
        blob: &Descriptor,
        into: &mut dyn Write,
    ) -> Result<(), RegistryClientError> {
        let what = blob_named(place, &blob.digest);
        let mut reader = self.blob_reader(place, blob, 0);
        let mut piece = vec![0; PIECE];
        loop {
            let length = reader.read(&mut piece).map_err(|error| RegistryClientError::from_io(error, &what))?;
            if length == 0 {
                break;
            }
            into.write_all(&piece[..length])
                .map_err(|source| RegistryClientError::Sink { what: what.clone(), source })?;
            self.tell(ProgressEvent::Bytes { digest: &blob.digest, more: length as u64 });
        }
        self.tell(ProgressEvent::Blob { blob, by: BlobOutcome::Transferred });
        Ok(())
    }

    /// A small blob, such as a configuration, as a whole.
    ///
    /// # Errors
    /// As [`Client::pull_blob`]; also when it is larger than `limit` bytes.
    pub fn blob_bytes(&self, place: &Reference, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryClientError> {
        if blob.size > limit {
            let source = DigestMismatch::Length { expected: limit, found: blob.size };
            return Err(RegistryClientError::Mismatch { what: blob_named(place, &blob.digest), source });
        }
        let mut bytes = Vec::new();
        self.pull_blob(place, blob, &mut bytes)?;
        Ok(bytes)
    }

    /// A blob as a stream, from `offset` on. One that is read from its beginning is verified at its end: the last read fails when the
    /// bytes are others. Errors of the registry travel within those of reading.
    pub fn blob_reader(&self, place: &Reference, blob: &Descriptor, offset: u64) -> BlobReader {
        let verifier = (offset == 0).then(|| Verifier::new(blob.digest.clone(), Some(blob.size)));
        BlobReader {
            client: self.clone(),
            places: self.places(place),
            blob: blob.clone(),
            position: offset,
            connection: None,
            verifier,
            backoff: self.retry.begin(),
            ended: false,
        }
    }
}

/// What errors call a blob.
pub(crate) fn blob_named(place: &Reference, digest: &Digest) -> String {
    format!("the blob {} of `{}`", digest.short(), place.bare().familiar())
}

/// A blob that comes out of a registry. Connections that break are resumed.
pub struct BlobReader {
    client: Client,
    /// Where it may be read, the best place first. The one that answered is kept.
    places: Vec<Reference>,
    blob: Descriptor,
    position: u64,
    connection: Option<Box<dyn Read + Send + Sync>>,
    verifier: Option<Verifier>,
    backoff: Backoff,
    ended: bool,
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("blob", &self.blob.digest)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl Read for BlobReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if into.is_empty() || self.ended {
            return Ok(0);
        }
        loop {
            match self.attempt(into) {
                Ok(length) => return Ok(length),
                Err(error) => {
                    self.connection = None;
                    self.client.pause(&mut self.backoff, error).map_err(RegistryClientError::into_io)?;
                }
            }
        }
    }
}

impl BlobReader {
    fn mismatch(&self, source: DigestMismatch) -> RegistryClientError {
        let what = self.places.first().map_or_else(String::new, |place| blob_named(place, &self.blob.digest));
        RegistryClientError::Mismatch { what, source }
    }

    fn broken(&self, reason: impl Into<String>) -> RegistryClientError {
        let registry = self.places.first().map_or_else(String::new, |place| place.registry().to_string());
        RegistryClientError::Broken { registry, reason: reason.into() }
    }

    fn attempt(&mut self, into: &mut [u8]) -> Result<usize, RegistryClientError> {
        self.client.check_cancelled()?;
        let left = self.blob.size.saturating_sub(self.position);
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let connection = self.connection.insert(connection);
        // One byte more than there should be, so that a stream that goes on is noticed.
        let most = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1).min(into.len());
        let read = connection.read(&mut into[..most]);
        let length = match read {
            Ok(length) => length,
            Err(_) if self.client.is_cancelled() => return Err(RegistryClientError::Cancelled),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                let registry = self.places.first().map_or_else(String::new, |place| place.registry().to_string());
                return Err(RegistryClientError::TimedOut { registry, waiting: "nothing came" });
            }
            Err(error) => return Err(self.broken(error.to_string())),
        };
        if length as u64 > left {
            return Err(self.mismatch(DigestMismatch::Length { expected: self.blob.size, found: self.blob.size + 1 }));
        }
        if length == 0 {
            if left > 0 {
                return Err(self.broken(format!("the blob ended {left} bytes too early")));
            }
            self.ended = true;
            if let Some(verifier) = self.verifier.take() {
                verifier.finish().map_err(|source| self.mismatch(source))?;
            }
            return Ok(0);
        }
        if let Some(verifier) = &mut self.verifier {
            let updated = verifier.update(&into[..length]);
            updated.map_err(|source| self.mismatch(source))?;
        }
        self.position += length as u64;
        self.backoff.progressed();
        Ok(length)
    }

    /// A connection that gives the bytes from `position` on.
    fn connect(&mut self) -> Result<Box<dyn Read + Send + Sync>, RegistryClientError> {
        loop {
            let place = self.places[0].clone();
            match self.connect_to(&place) {
                Ok(connection) => return Ok(connection),
                Err(RegistryClientError::Cancelled) => return Err(RegistryClientError::Cancelled),
                // A mirror that does not have it is not asked again.
                Err(_) if self.places.len() > 1 => {
                    self.places.remove(0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn connect_to(&self, place: &Reference) -> Result<Box<dyn Read + Send + Sync>, RegistryClientError> {
        let digest = &self.blob.digest;
        if self.position >= self.blob.size && self.position > 0 {
            return Ok(Box::new(std::io::empty()));
        }
        let mut call =
            self.client.repository_call("GET", place, &format!("/blobs/{digest}"), "pull", blob_named(place, digest));
        if self.position > 0 {
            call.headers.push(("range", format!("bytes={}-", self.position)));
        }
        let answer = self.client.once(&call, Payload::None)?;
        let resumed = answer.status == 206;
        if resumed {
            let starts = answer.header("content-range").and_then(|range| range.trim().strip_prefix("bytes "));
            let starts = starts.and_then(|range| range.split('-').next()?.trim().parse::<u64>().ok());
            if starts != Some(self.position) {
                return Err(call.nonsense("another part of the blob than was asked for"));
            }
        }
        let expected = if resumed { self.blob.size - self.position } else { self.blob.size };
        if let Some(found) = answer.length().filter(|length| *length != expected) {
            return Err(RegistryClientError::Mismatch {
                what: call.what,
                source: DigestMismatch::Length { expected, found },
            });
        }
        let mut reader = answer.reader();
        if !resumed && self.position > 0 {
            // The registry begins anew: what is known is skipped.
            let skipped = std::io::copy(&mut (&mut reader).take(self.position), &mut std::io::sink());
            match skipped {
                Ok(skipped) if skipped == self.position => {}
                Ok(_) => return Err(self.broken("the blob ended too early")),
                Err(error) => return Err(self.broken(error.to_string())),
            }
        }
        Ok(Box::new(reader))
    }
}
