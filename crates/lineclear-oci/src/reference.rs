//! How people name an image, and what they mean by it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::textual;
use crate::{Digest, NameError, NameFault, NamePart, RepositoryName, Tag};

/// The registry that a name without one means.
pub const DOCKER_HUB: &str = "docker.io";

/// Longest host, in bytes, as in the domain name system.
const MAX_HOST: usize = 253;

/// A registry as it stands in a name: a host, perhaps with a port. IPv6 addresses are in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryHost(String);

impl RegistryHost {
    /// Reads `host`, `host:port`, `[address]` or `[address]:port`.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    ///
    /// # Source
    /// Docker's `distribution/reference`, `domain`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |at, fault| Err(NameError::new(text, NamePart::Registry, at, fault));
        let (host, port, port_at) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(None) => return fail(0, NameFault::Address(text.to_owned())),
            Some(Some((address, rest))) => {
                if address.parse::<Ipv6Addr>().is_err() {
                    return fail(1, NameFault::Address(address.to_owned()));
                }
                let after = address.len() + 2;
                match rest.strip_prefix(':') {
                    Some(port) => (None, Some(port), after + 1),
                    None if rest.is_empty() => (None, None, after),
                    None => return fail(after, NameFault::Port(rest.to_owned())),
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (Some(host), Some(port), host.len() + 1),
                None => (Some(text), None, text.len()),
            },
        };
        if let Some(host) = host {
            host_is_well_formed(host).map_err(|(at, fault)| NameError::new(text, NamePart::Registry, at, fault))?;
        }
        let port_is_one =
            |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        match port {
            Some(port) if !port_is_one(port) => fail(port_at, NameFault::Port(port.to_owned())),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the port; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        match self.0.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => self.0.split(':').next().unwrap_or_default(),
        }
    }

    /// The port, where one is written.
    pub fn port(&self) -> Option<u16> {
        let rest = self.0.rsplit_once(']').map_or(self.0.as_str(), |(_, rest)| rest);
        rest.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
    }

    /// Whether it is this machine: `localhost`, a name below it, or an address of the loopback network.
    pub fn is_loopback(&self) -> bool {
        let host = self.host().to_ascii_lowercase();
        let of_address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        host == "localhost" || host.ends_with(".localhost") || of_address
    }

    /// Whether it is Docker Hub, whose registry answers at another address than its name.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }
}

textual!(RegistryHost);

fn host_is_well_formed(host: &str) -> Result<(), (usize, NameFault)> {
    if host.is_empty() {
        return Err((0, NameFault::Empty));
    }
    if host.len() > MAX_HOST {
        return Err((MAX_HOST, NameFault::TooLong { length: host.len(), limit: MAX_HOST }));
    }
    let mut at = 0;
    for label in host.split('.') {
        if label.is_empty() {
            return Err((at, NameFault::Separator('.')));
        }
        for (offset, c) in label.char_indices() {
            let edge = offset == 0 || offset + 1 == label.len();
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' => {}
                '-' if !edge => {}
                '-' => return Err((at + offset, NameFault::Separator('-'))),
                other => {
                    return Err((at + offset, NameFault::Character(other, "allowed are letters, digits, `.` and `-`")));
                }
            }
        }
        at += label.len() + 1;
    }
    Ok(())
}

/// The name of an image: a registry, a repository, and perhaps a tag, a digest or both.
///
/// Short names are read as Docker reads them: `postgres:15` is `docker.io/library/postgres:15`, `me/app` is `docker.io/me/app`. The
/// first part is a registry when it has a dot or a colon, an upper-case letter, or is `localhost`. With a digest, the tag is but a remark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    registry: RegistryHost,
    repository: RepositoryName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// A name of its parts; neither tag nor digest means the whole repository, or its `latest`.
    pub fn new(registry: RegistryHost, repository: RepositoryName) -> Self {
        Self { registry, repository, tag: None, digest: None }
    }

    /// Reads a name as people write it.
    ///
    /// # Errors
    /// Which part is wrong, why, and at which byte of `text`.
    ///
    /// # Source
    /// Docker's `distribution/reference`, `ParseNormalizedNamed`; the grammar of the parts is that of the distribution specification.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |part, at, fault| Err(NameError::new(text, part, at, fault));
        if text.is_empty() {
            return fail(NamePart::Repository, 0, NameFault::Empty);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(Digest::parse(digest).map_err(|e| e.within(text, name.len() + 1))?)),
            None => (text, None),
        };
        let (registry, path, path_at) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => {
                let registry = RegistryHost::parse(first).map_err(|error| error.within(text, 0))?;
                (registry, rest, first.len() + 1)
            }
            _ => (RegistryHost(DOCKER_HUB.to_owned()), name, 0),
        };
        let registry = match registry.as_str() {
            "index.docker.io" | "registry-1.docker.io" => RegistryHost(DOCKER_HUB.to_owned()),
            _ => registry,
        };
        // A colon after the last slash begins a tag: registries with a port were taken off before.
        let (path, tag) = match path.split_once(':') {
            Some((path, tag)) => {
                (path, Some(Tag::parse(tag).map_err(|error| error.within(text, path_at + path.len() + 1))?))
            }
            None => (path, None),
        };
        let is_id = path_at == 0 && path.len() == 64 && path.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_id {
            return fail(NamePart::Repository, 0, NameFault::LooksLikeId);
        }
        let repository = RepositoryName::parse(path).map_err(|error| error.within(text, path_at))?;
        let repository = if registry.is_docker_hub() && !path.contains('/') {
            RepositoryName::parse(&format!("library/{path}")).map_err(|error| error.within(text, path_at))?
        } else {
            repository
        };
        Ok(Self { registry, repository, tag, digest })
    }

    /// The registry.
    pub fn registry(&self) -> &RegistryHost {
        &self.registry
    }

    /// The repository within it.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The tag, where one is written.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, where one is written.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What a registry is asked for below `manifests/`: the digest, else the tag, else `latest`.
    pub fn manifest_key(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag.as_str(),
            (None, None) => "latest",
        }
    }

    /// The same repository under another tag, without a digest.
    pub fn tagged(&self, tag: Tag) -> Self {
        Self { tag: Some(tag), digest: None, ..self.clone() }
    }

    /// The same name fixed to a digest; a tag stays as a remark.
    pub fn at(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// The same repository fixed to a digest, without a tag.
    pub fn only_at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The repository alone.
    pub fn bare(&self) -> Self {
        Self { tag: None, digest: None, ..self.clone() }
    }

    /// The same with `latest` where neither tag nor digest is written.
    pub fn or_latest(&self) -> Self {
        match (&self.tag, &self.digest) {
            (None, None) => self.tagged(Tag::latest()),
            _ => self.clone(),
        }
    }

    /// The same tag and digest in another place.
    pub fn in_repository(&self, registry: RegistryHost, repository: RepositoryName) -> Self {
        Self { registry, repository, ..self.clone() }
    }

    /// Registry and repository, without tag and digest: `docker.io/library/postgres`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// As people write it: without `docker.io/library/`, and without what stands for itself.
    pub fn familiar(&self) -> String {
        let whole = self.to_string();
        if !self.registry.is_docker_hub() {
            return whole;
        }
        let rest = whole.strip_prefix("docker.io/").unwrap_or(&whole);
        // `library/localhost` without its prefix would be a repository still, but `library/a/b` would move; only one part is shortened.
        let short = rest.strip_prefix("library/").filter(|_| self.repository.as_str().matches('/').count() == 1);
        let candidate = short.unwrap_or(rest);
        // What would be read as something else (`docker.io/a.b/c`) keeps its registry.
        if Self::parse(candidate).as_ref() == Ok(self) { candidate.to_owned() } else { whole }
    }
}

/// Whether the part before the first slash is a registry rather than a part of the repository.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.bytes().any(|b| b.is_ascii_uppercase())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Reference {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The canonical form and the familiar one.
    fn check(text: &str, canonical: &str, familiar: &str) {
        let reference = Reference::parse(text).expect(text);
        assert_eq!(reference.to_string(), canonical, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(Reference::parse(canonical).as_ref(), Ok(&reference), "{canonical}");
        assert_eq!(Reference::parse(familiar).as_ref(), Ok(&reference), "{familiar}");
    }

    #[test]
    fn short_names_are_docker_hub() {
        check("postgres:15", "docker.io/library/postgres:15", "postgres:15");
        check("postgres", "docker.io/library/postgres", "postgres");
        check("me/app:1", "docker.io/me/app:1", "me/app:1");
        check("docker.io/postgres", "docker.io/library/postgres", "postgres");
        check("index.docker.io/library/postgres", "docker.io/library/postgres", "postgres");
        check("library/a/b", "docker.io/library/a/b", "library/a/b");
        check("localhost", "docker.io/library/localhost", "localhost");
        check(&format!("a:b@{DIGEST}"), &format!("docker.io/library/a:b@{DIGEST}"), &format!("a:b@{DIGEST}"));
    }

    #[test]
    fn a_first_part_with_dot_port_or_capital_is_a_registry() {
        for text in [
            "ghcr.io/owner/app:1",
            "localhost/app",
            "localhost:5000/app:x",
            "127.0.0.1:5000/ghcr.io/owner/app",
            "[::1]:5000/app",
            "[2001:db8::1]/app",
            "Registry/app",
            "a:1/b",
            "registry.example.com:443/a/b/c:tag",
        ] {
            check(text, text, text);
        }
        let six = Reference::parse("[::1]:5000/app").expect("it is one");
        assert_eq!((six.registry().host(), six.registry().port()), ("::1", Some(5000)));
        assert!(six.registry().is_loopback());
        assert!(Reference::parse("app.localhost:1/x").expect("it is one").registry().is_loopback());
        assert!(!Reference::parse("ghcr.io/x").expect("it is one").registry().is_loopback());
    }

    #[test]
    fn errors_say_which_part_and_where() {
        let id = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (text, at, message) in [
            ("", 0, "its repository is empty"),
            ("ghcr.io/Owner/app", 8, "its repository has the upper-case letter `O`"),
            ("postgres:", 9, "its tag is empty"),
            ("x/postgres:a/b", 12, "its tag cannot have '/'"),
            ("postgres:15@sha256:12", 19, "its digest has 2 hexadecimal digits; expected 64"),
            ("postgres@", 9, "its digest has no algorithm"),
            ("a.b:x/c", 4, "its registry has the port `x`"),
            ("a.b:70000/c", 4, "its registry has the port `70000`"),
            ("[::1/c", 0, "IPv6 address"),
            ("[::g]:1/c", 1, "IPv6 address"),
            (".a/b", 0, "its registry has `.`"),
            ("ghcr.io/", 8, "its repository is empty"),
            ("https://ghcr.io/a", 6, "its registry has the port ``"),
            (id, 0, "an image's id"),
            ("bilder/ö", 7, "its repository cannot have 'ö'"),
        ] {
            let error = Reference::parse(text).expect_err(text);
            assert!(error.to_string().contains(message), "{text}: {error}");
            assert_eq!(error.at, at, "{error}");
        }
    }

    #[test]
    fn parts_can_be_replaced() {
        let reference = Reference::parse("ghcr.io/o/a:1").expect("it is one");
        assert_eq!(reference.manifest_key(), "1");
        assert_eq!(reference.bare().manifest_key(), "latest");
        assert_eq!(reference.bare().or_latest().to_string(), "ghcr.io/o/a:latest");
        let digest = Digest::of(b"");
        assert_eq!(reference.at(digest.clone()).manifest_key(), digest.as_str());
        assert_eq!(reference.only_at(digest.clone()).to_string(), format!("ghcr.io/o/a@{digest}"));
        assert_eq!(reference.at(digest).tagged(Tag::parse("2").expect("a tag")).to_string(), "ghcr.io/o/a:2");
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic_and_what_is_read_is_written_the_same(text in ".{0,80}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
                prop_assert_eq!(Reference::parse(&reference.familiar()), Ok(reference));
            }
        }

        #[test]
        fn names_like_real_ones_survive_being_written(
            text in "([A-Za-z0-9.-]{1,12}(:[0-9]{1,5})?/)?[a-z0-9._/-]{1,20}(:[A-Za-z0-9._-]{1,10})?"
        ) {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
                prop_assert_eq!(Reference::parse(&reference.familiar()), Ok(reference));
            }
        }
    }
}
