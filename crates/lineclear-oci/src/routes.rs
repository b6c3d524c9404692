//! Names of one registry that are kept by another.

use std::fmt;

use crate::{NameError, Reference, RegistryHost, RepositoryName};

/// A mapping cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// There is no `=`.
    #[error(
        "`{text}` is not a mapping of a registry; expected `HOST=REGISTRY/REPOSITORY`, such as `ghcr.io=127.0.0.1:5000/ghcr.io`"
    )]
    NoTarget {
        /// What was read.
        text: String,
    },
    /// A side of it is not well formed.
    #[error("the mapping `{text}` is not valid")]
    Name {
        /// What was read.
        text: String,
        /// What is wrong.
        #[source]
        source: NameError,
    },
    /// A host that is mapped to two places, or to itself.
    #[error("the registry `{host}` is mapped twice, or to itself")]
    Twice {
        /// The host.
        host: RegistryHost,
    },
}

/// Where names of other registries are kept: `ghcr.io` below `127.0.0.1:5000/ghcr.io`.
///
/// ```
/// use lineclear_oci::{Reference, RegistryHost, Routes};
///
/// let routes = Routes::into_registry(&"127.0.0.1:5000".parse()?, ["ghcr.io".parse()?]);
/// let image: Reference = "ghcr.io/owner/app:1".parse()?;
/// let kept = routes.apply(&image).expect("it is mapped");
/// assert_eq!(kept.to_string(), "127.0.0.1:5000/ghcr.io/owner/app:1");
/// assert_eq!(routes.origin(&kept), Some(image));
/// assert_eq!(routes.apply(&"postgres:15".parse()?), None);
/// # Ok::<(), lineclear_oci::NameError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    from: RegistryHost,
    registry: RegistryHost,
    /// Where names begin there; none is the registry's root.
    prefix: Option<RepositoryName>,
}

impl Routes {
    /// Keeps the names of each of `hosts` in `registry`, below a repository with the name of the host.
    ///
    /// A port becomes part of the name with `_` for its colon, and brackets of IPv6 are dropped: a repository's name has neither.
    pub fn into_registry(registry: &RegistryHost, hosts: impl IntoIterator<Item = RegistryHost>) -> Self {
        let mut routes = Self::default();
        for from in hosts {
            let known = routes.0.iter().any(|route| route.from == from);
            if from == *registry || known {
                continue;
            }
            let prefix = RepositoryName::parse(&as_repository(&from)).ok();
            routes.0.push(Route { from, registry: registry.clone(), prefix });
        }
        routes
    }

    /// Adds `HOST=REGISTRY[/REPOSITORY]`.
    ///
    /// # Errors
    /// When it has another form, or the host is mapped already.
    pub fn add(&mut self, text: &str) -> Result<(), RouteError> {
        let wrong = |source| RouteError::Name { text: text.to_owned(), source };
        let (from, to) = text.split_once('=').ok_or_else(|| RouteError::NoTarget { text: text.to_owned() })?;
        let from = RegistryHost::parse(from).map_err(wrong)?;
        let (registry, prefix) = match to.split_once('/') {
            Some((registry, prefix)) => (registry, Some(RepositoryName::parse(prefix).map_err(wrong)?)),
            None => (to, None),
        };
        let registry = RegistryHost::parse(registry).map_err(wrong)?;
        if from == registry || self.0.iter().any(|route| route.from == from) {
            return Err(RouteError::Twice { host: from });
        }
        self.0.push(Route { from, registry, prefix });
        Ok(())
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hosts that are mapped.
    pub fn hosts(&self) -> impl Iterator<Item = &RegistryHost> {
        self.0.iter().map(|route| &route.from)
    }

    /// Where `reference` is kept; `None` when its registry is not mapped, or the name would be too long there.
    pub fn apply(&self, reference: &Reference) -> Option<Reference> {
        let route = self.0.iter().find(|route| route.from == *reference.registry())?;
        let repository = match &route.prefix {
            Some(prefix) => reference.repository().below(prefix).ok()?,
            None => reference.repository().clone(),
        };
        Some(reference.in_repository(route.registry.clone(), repository))
    }

    /// The name of which `kept` is the mapped form: the inverse of [`Self::apply`].
    pub fn origin(&self, kept: &Reference) -> Option<Reference> {
        self.0.iter().filter(|route| route.registry == *kept.registry()).find_map(|route| {
            let repository = match &route.prefix {
                Some(prefix) => {
                    let rest = kept.repository().as_str().strip_prefix(prefix.as_str())?.strip_prefix('/')?;
                    RepositoryName::parse(rest).ok()?
                }
                None => kept.repository().clone(),
            };
            Some(kept.in_repository(route.from.clone(), repository))
        })
    }
}

/// A registry's host as a part of a repository's name.
fn as_repository(host: &RegistryHost) -> String {
    let plain = host.host().to_ascii_lowercase().replace(':', "-");
    let plain = plain.trim_matches('-').to_owned();
    host.port().map_or_else(|| plain.clone(), |port| format!("{plain}_{port}"))
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, route) in self.0.iter().enumerate() {
            write!(f, "{}{}={}", if number == 0 { "" } else { ", " }, route.from, route.registry)?;
            if let Some(prefix) = &route.prefix {
                write!(f, "/{prefix}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        text.parse().expect(text)
    }

    #[test]
    fn names_of_a_mapped_registry_move_with_tag_and_digest() {
        let mut routes = Routes::default();
        routes.add("ghcr.io=127.0.0.1:5000/ghcr.io").expect("well formed");
        routes.add("docker.io=mirror.example").expect("well formed");
        let digest = crate::Digest::of(b"");
        let image = reference(&format!("ghcr.io/o/a:1@{digest}"));
        let kept = routes.apply(&image).expect("it is mapped");
        assert_eq!(kept.to_string(), format!("127.0.0.1:5000/ghcr.io/o/a:1@{digest}"));
        assert_eq!(routes.origin(&kept), Some(image));
        assert_eq!(
            routes.apply(&reference("postgres")).map(|r| r.to_string()),
            Some("mirror.example/library/postgres".to_owned())
        );
        assert_eq!(routes.apply(&reference("quay.io/a")), None);
        assert_eq!(routes.to_string(), "ghcr.io=127.0.0.1:5000/ghcr.io, docker.io=mirror.example");
    }

    #[test]
    fn a_port_becomes_part_of_the_name() {
        let hosts = ["registry.example:5000", "[::1]:5000"].map(|host| host.parse().expect(host));
        let routes = Routes::into_registry(&"127.0.0.1:1".parse().expect("a host"), hosts);
        for (name, kept) in [
            ("registry.example:5000/a", "127.0.0.1:1/registry.example_5000/a"),
            ("[::1]:5000/a", "127.0.0.1:1/1_5000/a"),
        ] {
            assert_eq!(routes.apply(&reference(name)).map(|r| r.to_string()).as_deref(), Some(kept));
        }
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        let mut routes = Routes::default();
        assert!(matches!(routes.add("ghcr.io"), Err(RouteError::NoTarget { .. })));
        assert!(matches!(routes.add("ghcr.io=a.b/X"), Err(RouteError::Name { .. })));
        assert!(matches!(routes.add("ghcr.io=ghcr.io/x"), Err(RouteError::Twice { .. })));
        routes.add("ghcr.io=a.b/x").expect("well formed");
        assert!(matches!(routes.add("ghcr.io=a.b/y"), Err(RouteError::Twice { .. })));
    }

    #[test]
    fn a_name_that_would_be_too_long_is_not_mapped() {
        let routes =
            Routes::into_registry(&"127.0.0.1:1".parse().expect("a host"), ["ghcr.io".parse().expect("a host")]);
        assert_eq!(routes.apply(&reference(&format!("ghcr.io/{}", "a".repeat(250)))), None);
    }
}
