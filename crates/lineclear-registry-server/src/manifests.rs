//! Manifests: pulled by tag or digest, pushed when all that they name is there, removed.

use std::io::Read;

use lineclear_event::with_causes;
use lineclear_oci::{
    AnyManifest, Digest, ErrorCode, MAX_MANIFEST_BYTES, ManifestError, MediaType, RepositoryName, Tag,
};
use lineclear_store::{ImageError, ManifestFacts, NewManifest, TagRule};

use crate::blobs::{FOR_EVER, is_known};
use crate::caller::{Deed, Naming, Permit};
use crate::image_fact;
use crate::registry::{Answered, Call, digest, shown};
use crate::response::{Response, of_store, refusal};

/// How a client names a manifest.
enum Named {
    Tag(Tag),
    Digest(Digest),
}

impl Named {
    fn read(text: &str) -> Answered<Self> {
        // No tag has a colon.
        if text.contains(':') {
            return digest(text).map(Self::Digest);
        }
        let refused = |error: lineclear_oci::NameError| Response::error(ErrorCode::ManifestInvalid, error.to_string());
        Tag::parse(text).map(Self::Tag).map_err(|error| Box::new(refused(error)))
    }
}

fn unknown(name: &RepositoryName, reference: &str) -> Box<Response> {
    let message = format!("`{name}` has no manifest `{}`", shown(reference));
    Box::new(Response::error(ErrorCode::ManifestUnknown, message))
}

impl Call<'_> {
    pub(crate) fn manifest(&self, name: &RepositoryName, reference: &str) -> Answered {
        self.may(Deed::Pull, name)?;
        let images = &self.registry.images;
        let refused = |error: ImageError| Box::new(of_store(&error));
        let (digest, caching) = match Named::read(reference) {
            Ok(Named::Digest(digest)) => (digest, FOR_EVER),
            // It may have moved since.
            Ok(Named::Tag(tag)) => {
                (images.tag(name, &tag).map_err(refused)?.ok_or_else(|| unknown(name, reference))?, "private, no-cache")
            }
            // What cannot be a name is not there.
            Err(_) if !reference.contains(':') => return Err(unknown(name, reference)),
            Err(refused) => return Err(refused),
        };
        let facts = images.manifest_facts(name, &digest).map_err(refused)?.ok_or_else(|| unknown(name, reference))?;
        let accept = self.request.header("accept");
        if !accepts(&accept, &facts.media_type) {
            let message =
                format!("the manifest is of type `{}`, which the request does not accept", shown(&facts.media_type));
            return Err(Box::new(Response::error(ErrorCode::ManifestUnknown, message)));
        }
        let etag = format!("\"{digest}\"");
        let found = |status| {
            Response::new(status)
                .with("docker-content-digest", &digest)
                .with("etag", &etag)
                .with("cache-control", caching)
                .with("vary", "Accept")
        };
        if is_known(&self.request.header("if-none-match"), &etag) {
            return Ok(found(304).empty());
        }
        if self.request.method == "HEAD" {
            return Ok(found(200).with("content-type", &facts.media_type).with("content-length", facts.size));
        }
        let kept = images.manifest(name, &digest).map_err(refused)?.ok_or_else(|| unknown(name, reference))?;
        Ok(found(200).bytes(&kept.facts.media_type, kept.bytes))
    }

    pub(crate) fn put_manifest(&self, name: &RepositoryName, reference: &str, body: &mut dyn Read) -> Answered {
        self.may(Deed::Push, name)?;
        let named = Named::read(reference)?;
        let bytes = self.manifest_bytes(body)?;
        let header = self.request.header("content-type");
        let announced = Some(MediaType::parse(&header)).filter(|_| !header.is_empty());
        let manifest = AnyManifest::read(bytes, announced.as_ref()).map_err(|error| Box::new(unreadable(&error)))?;
        let tag = match &named {
            Named::Tag(tag) => Some(tag.clone()),
            Named::Digest(said) if said.is_of(manifest.raw()) => None,
            Named::Digest(said) => {
                let message = format!("the manifest has the digest {}, not {said}", manifest.digest());
                return Err(Box::new(Response::error(ErrorCode::DigestInvalid, message)));
            }
        };
        if let Named::Digest(said) = &named
            && said != manifest.digest()
        {
            return Err(Box::new(of_store(&ImageError::Algorithm { digest: said.clone() })));
        }
        let new = NewManifest {
            repository: name.clone(),
            digest: manifest.digest().clone(),
            bytes: manifest.raw().to_vec(),
            facts: ManifestFacts::of(&manifest, self.now),
            tags: tag.iter().map(|tag| (tag.clone(), self.registry.rule(tag))).collect(),
            now: self.now,
        };
        let permit = tag.as_ref().map(|tag| self.permit(name, tag, &manifest)).transpose()?;
        let put = self.registry.images.put_manifest(&new);
        match (permit, &put) {
            (Some(permit), Ok(())) => permit.used(),
            (Some(permit), Err(error)) => permit.unused(&with_causes(error)),
            (None, _) => {}
        }
        put.map_err(|error| of_store(&error))?;
        let mut response = Response::new(201)
            .with("location", format!("/v2/{name}/manifests/{}", new.digest))
            .with("docker-content-digest", &new.digest);
        if let Some(subject) = &new.facts.subject {
            // The client need not keep a list of referrers by itself.
            response = response.with("oci-subject", subject);
        }
        response.pushed = image_fact::of(&*self.registry.images, name, tag.as_ref(), &manifest).map(Box::new);
        Ok(response.empty())
    }

    fn permit(&self, repository: &RepositoryName, tag: &Tag, manifest: &AnyManifest) -> Answered<Box<dyn Permit>> {
        let naming = Naming { repository, tag, manifest };
        self.allowed(self.caller.may_name(&naming), &format!("`{repository}:{tag}`"))
    }

    fn may_remove(&self, name: &RepositoryName, tag: Option<&Tag>) -> Answered<()> {
        self.allowed(self.caller.may_remove(name, tag), &format!("`{name}`"))
    }

    fn manifest_bytes(&self, body: &mut dyn Read) -> Answered<Vec<u8>> {
        let too_large = || {
            let message = format!("a manifest may have {MAX_MANIFEST_BYTES} bytes at most");
            Box::new(refusal(413, ErrorCode::SizeInvalid, message))
        };
        if self.request.content_length().is_some_and(|length| length > MAX_MANIFEST_BYTES as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let read = body.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Box::new(of_store(&ImageError::Sender(error))))?;
        if bytes.len() > MAX_MANIFEST_BYTES { Err(too_large()) } else { Ok(bytes) }
    }

    pub(crate) fn delete_manifest(&self, name: &RepositoryName, reference: &str) -> Answered {
        self.may(Deed::Delete, name)?;
        let images = &self.registry.images;
        let refused = |error: ImageError| Box::new(of_store(&error));
        let removed = match Named::read(reference)? {
            Named::Tag(tag) => {
                self.may_remove(name, Some(&tag))?;
                self.refuse_immutable(&tag)?;
                images.remove_tag(name, &tag).map_err(refused)?
            }
            Named::Digest(digest) => {
                self.may_remove(name, None)?;
                for tag in images.tags(name).map_err(refused)?.unwrap_or_default() {
                    if images.tag(name, &tag).map_err(refused)?.as_ref() == Some(&digest) {
                        self.refuse_immutable(&tag)?;
                    }
                }
                images.remove_manifest(name, &digest).map_err(refused)?
            }
        };
        if removed { Ok(Response::new(202).empty()) } else { Err(unknown(name, reference)) }
    }

    fn refuse_immutable(&self, tag: &Tag) -> Answered<()> {
        match self.registry.rule(tag) {
            TagRule::Moves => Ok(()),
            TagRule::Stays => {
                let message = format!("the tag `{tag}` is immutable: it is neither moved nor removed");
                Err(Box::new(refusal(409, ErrorCode::Denied, message)))
            }
        }
    }
}

fn unreadable(error: &ManifestError) -> Response {
    let message = with_causes(error);
    match error {
        ManifestError::TooLarge { .. } => refusal(413, ErrorCode::SizeInvalid, message),
        _ => Response::error(ErrorCode::ManifestInvalid, message),
    }
}

/// Whether an `Accept` header takes a type; without one, everything is taken.
fn accepts(header: &str, media_type: &str) -> bool {
    if header.trim().is_empty() {
        return true;
    }
    header.split(',').any(|entry| {
        let mut parts = entry.split(';');
        let range = parts.next().unwrap_or_default().trim();
        let refused = parts.any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
        });
        let fits = range == "*/*"
            || range.eq_ignore_ascii_case(media_type)
            || range.strip_suffix("/*").is_some_and(|kind| media_type.split('/').next() == Some(kind));
        fits && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_what_the_header_says() {
        let index = "application/vnd.oci.image.index.v1+json";
        for (header, taken) in [
            ("", true),
            ("*/*", true),
            ("application/*", true),
            ("text/html, */*;q=0.1", true),
            (index, true),
            ("application/vnd.oci.image.index.v1+json; q=0", false),
            ("application/vnd.oci.image.manifest.v1+json, application/json", false),
        ] {
            assert_eq!(accepts(header, index), taken, "{header}");
        }
    }
}
