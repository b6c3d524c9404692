//! Release repositories: which they are, through which gate, and under which tags.

use lineclear_event::Timestamp;
use lineclear_gate::{Naming, Rules, WantedTag};
use lineclear_oci::{Reference, RegistryHost, RepositoryName, Routes, Tag};
use lineclear_policy::{Image, Policy};
use lineclear_workflow::FilterPattern;

use super::speaker::Speaker;
use crate::delivery::release_name;

/// A release repository.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(super) image: String,
    /// As people call it: registry and name.
    pub(super) repository: String,
    /// As everybody finds it in the embedded registry.
    pub(super) place: RepositoryName,
    /// The name under which the embedded registry itself is meant, where that may be.
    served: Option<RepositoryName>,
    pub(super) rules: Option<Rules>,
    tags: Vec<(String, Vec<String>)>,
    candidates: Vec<lineclear_registry_server::Pattern>,
}

/// The release repositories of `policies`, each with the keys whose signatures count by it; where two speak of the same image or repository, the first counts.
///
/// `here` says which names lead to the embedded registry; without it, any may.
pub(crate) fn all(policies: &[(Policy, Vec<String>)], repository: &str, here: Option<&Routes>) -> Vec<Held> {
    let mut all: Vec<Held> = Vec::new();
    for (policy, keys) in policies {
        for held in policy.images.iter().filter_map(|image| held(image, policy, keys, repository, here)) {
            let is_known = |known: &Held| known.repository == held.repository;
            if !all.iter().any(is_known) {
                all.push(held);
            }
        }
    }
    all
}

fn held(image: &Image, policy: &Policy, keys: &[String], own: &str, here: Option<&Routes>) -> Option<Held> {
    let reference: Reference = release_name(&image.repository.as_ref()?.value, own).parse().ok()?;
    let any = RegistryHost::parse("localhost").ok()?;
    let mapped = Routes::into_registry(&any, [reference.registry().clone()]).apply(&reference)?;
    // It may be the embedded registry itself, by the name under which it is served.
    let may_be_served = here.is_none_or(|here| here.apply(&reference).is_none());
    let gate = image.gate.as_ref().and_then(|gate| policy.gate(&gate.value));
    Some(Held {
        image: image.name.value.clone(),
        repository: reference.bare().to_string(),
        // Always: a run whose own names lead elsewhere can still push there, and others look there.
        place: mapped.repository().clone(),
        served: may_be_served.then(|| reference.repository().clone()),
        rules: gate.map(|gate| Rules::from(gate).signed_by(keys.iter().cloned())),
        tags: image
            .tags
            .iter()
            .map(|rule| (rule.refs.value.clone(), rule.tags.iter().map(|tag| tag.value.clone()).collect()))
            .collect(),
        candidates: image
            .candidates
            .iter()
            .map(|pattern| lineclear_registry_server::Pattern::new(&pattern.value))
            .collect(),
    })
}

impl Held {
    pub(crate) fn is_at(&self, repository: &RepositoryName) -> bool {
        self.place == *repository || self.served.as_ref() == Some(repository)
    }

    /// Whether anybody may set a tag: it is a candidate's, or belongs to a digest and releases nothing.
    pub(crate) fn is_free(&self, tag: &Tag) -> bool {
        self.candidates.iter().any(|pattern| pattern.is_of(tag.as_str())) || is_of_digest(tag.as_str())
    }

    /// How `tag` behaves when it is set for a commit.
    ///
    /// # Errors
    /// A sentence: the policy gives it another name, or none.
    pub(super) fn wants(&self, tag: &Tag, speaker: &Speaker, at: Timestamp) -> Result<WantedTag, String> {
        let naming = Naming { reference: &speaker.reference, commit: &speaker.commit, version: None, at };
        let fits = |refs: &&(String, Vec<String>)| matches(&refs.0, &speaker.reference);
        let templates = self.tags.iter().filter(fits).flat_map(|(_, tags)| tags.iter().map(String::as_str));
        let named = naming.tags(templates).map_err(|error| lineclear_event::with_causes(&error))?;
        if let Some(wanted) = named.tags.iter().find(|wanted| wanted.tag == *tag) {
            return Ok(wanted.clone());
        }
        let names: Vec<String> = named.tags.iter().map(|wanted| format!("`{}`", wanted.tag)).collect();
        let instead = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(format!(
            "the policy gives {} other tags: {instead}; name it in `tags.\"{}\"` of [image.{}], or among its `candidates`",
            speaker.words(),
            speaker.reference,
            self.image
        ))
    }
}

/// Tags under which clients keep what belongs to a digest: `sha256-<digits>`, `.sig`, `.att`, `.sbom`.
fn is_of_digest(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("sha256-") else { return false };
    let digits = rest.split('.').next().unwrap_or_default();
    let ending = rest.get(digits.len()..).unwrap_or_default();
    digits.len() == 64
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && matches!(ending, "" | ".sig" | ".att" | ".sbom")
}

fn matches(pattern: &str, reference: &str) -> bool {
    FilterPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(reference))
}

/// Whether a tag, or whatever else, may be taken away.
///
/// # Errors
/// A sentence: why not.
pub(crate) fn may_remove(all: &[Held], repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), String> {
    let Some(held) = all.iter().find(|held| held.is_at(repository)) else { return Ok(()) };
    match tag {
        Some(tag) if held.is_free(tag) => Ok(()),
        Some(tag) => {
            Err(format!("`{tag}` of {} stays: nobody takes a tag of a release repository away", held.repository))
        }
        None => Err(format!(
            "nothing is removed from {}, which is a release repository; `lineclear registry gc` takes what no tag leads to",
            held.repository
        )),
    }
}
