//! Lists: repositories, tags, referrers.

use lineclear_oci::{Descriptor, ErrorCode, IndexParts, MediaType, RepositoryName};
use lineclear_store::{ImageError, ManifestFacts};
use serde_json::json;

use crate::caller::{Deed, Denial};
use crate::registry::{Answered, Call, digest};
use crate::response::{Response, of_store};

impl Call<'_> {
    /// The repositories that the caller may pull from.
    pub(crate) fn catalog(&self) -> Answered {
        let refused = |error: ImageError| Box::new(of_store(&error));
        let all = self.registry.images.repositories().map_err(refused)?;
        let mut names: Vec<String> = Vec::new();
        for name in &all {
            match self.caller.may(Deed::Pull, name) {
                Ok(()) => names.push(name.to_string()),
                // Who is not known might see more with a name.
                Err(Denial::WhoAsks) => self.may(Deed::Pull, name)?,
                Err(Denial::Refused(_)) => {}
            }
        }
        let (names, link) = self.page(names, "/v2/_catalog", "")?;
        Ok(linked(Response::new(200), link).with("cache-control", "no-store").json(&json!({ "repositories": names })))
    }

    pub(crate) fn tags(&self, name: &RepositoryName) -> Answered {
        self.may(Deed::Pull, name)?;
        let tags = self.registry.images.tags(name).map_err(|error| of_store(&error))?;
        let unknown = || Response::error(ErrorCode::NameUnknown, format!("there is no repository `{name}`"));
        let tags = tags.ok_or_else(|| Box::new(unknown()))?;
        let tags = tags.into_iter().map(String::from).collect();
        let (tags, link) = self.page(tags, &format!("/v2/{name}/tags/list"), "")?;
        let list = json!({ "name": name.as_str(), "tags": tags });
        Ok(linked(Response::new(200), link).with("cache-control", "no-store").json(&list))
    }

    /// An empty list is an answer, also for what is not there: a signature may come before what it signs.
    pub(crate) fn referrers(&self, name: &RepositoryName, text: &str) -> Answered {
        self.may(Deed::Pull, name)?;
        let subject = digest(text)?;
        let found = self.registry.images.referrers(name, &subject).map_err(|error| of_store(&error))?;
        let wanted = self.request.parameter("artifactType").filter(|kind| !kind.is_empty());
        let mut entries: Vec<Entry> = found
            .into_iter()
            .filter(|(_, facts)| wanted.is_none() || facts.artifact_type == wanted)
            .map(|(digest, facts)| Entry { text: digest.to_string(), descriptor: descriptor(digest, facts) })
            .collect();
        entries.sort_by(|one, other| one.text.cmp(&other.text));
        let kind = wanted.as_deref().map(|kind| {
            let encoded = percent_encoding::utf8_percent_encode(kind, percent_encoding::NON_ALPHANUMERIC);
            format!("&artifactType={encoded}")
        });
        let path = format!("/v2/{name}/referrers/{subject}");
        let (page, link) = self.page(entries, &path, &kind.unwrap_or_default())?;
        let index = IndexParts::new(page.into_iter().map(|entry| entry.descriptor).collect()).write();
        let mut response = linked(Response::new(200), link).with("cache-control", "no-store");
        if wanted.is_some() {
            response = response.with("oci-filters-applied", "artifactType");
        }
        Ok(response.bytes(MediaType::OciIndex.as_str(), index.raw().to_vec()))
    }
}

struct Entry {
    text: String,
    descriptor: Descriptor,
}

impl AsRef<str> for Entry {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

fn descriptor(digest: lineclear_oci::Digest, facts: ManifestFacts) -> Descriptor {
    Descriptor {
        artifact_type: facts.artifact_type.map(|kind| MediaType::parse(&kind)),
        annotations: facts.annotations,
        ..Descriptor::new(MediaType::parse(&facts.media_type), digest, facts.size)
    }
}

fn linked(response: Response, link: Option<String>) -> Response {
    match link {
        Some(link) => response.with("link", link),
        None => response,
    }
}
