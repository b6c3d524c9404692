//! `[registry]`: the embedded registry.

use lineclear_source::Spanned;

use crate::table::{Findings, Table};

/// `[registry]`
#[derive(Clone, Debug, Default)]
pub struct RegistryPolicy {
    /// `map`: registries, as `ghcr.io`, whose names lead to the embedded one. `None` where nothing is said; an empty list maps none.
    pub map: Option<Vec<Spanned<String>>>,
    /// `immutable-tags`: patterns of tags that are neither moved nor removed, as `v*`.
    pub immutable_tags: Vec<Spanned<String>>,
    /// `untagged-days`: how long a manifest is kept that no tag leads to.
    pub untagged_days: Option<Spanned<u32>>,
}

impl RegistryPolicy {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let map = table.get("map").map(|entry| table.of_strings(entry, findings));
        for host in map.iter().flatten() {
            if host.value.contains("://") || host.value.contains('/') || host.value.is_empty() {
                let message = format!("`{}` is no registry; say a host as in names of images: `ghcr.io`", host.value);
                findings.value(host.span, message);
            }
        }
        let immutable_tags = table.strings("immutable-tags", findings);
        for pattern in immutable_tags.iter().filter(|pattern| pattern.value.is_empty()) {
            findings.value(pattern.span, "a pattern of tags is empty; say for example `v*`");
        }
        let policy = Self { map, immutable_tags, untagged_days: table.count("untagged-days", 0, findings) };
        table.finish(findings);
        policy
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use crate::Policy;

    #[test]
    fn what_is_said_of_the_registry_is_read() {
        let text = "[registry]\nmap = [\"ghcr.io\"]\nimmutable-tags = [\"v*\"]\nuntagged-days = 7\n";
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert!(findings.is_empty(), "{findings:?}");
        let hosts = policy.registry.map.expect("it is there");
        assert_eq!(hosts.iter().map(|host| host.value.as_str()).collect::<Vec<_>>(), ["ghcr.io"]);
        assert_eq!(policy.registry.immutable_tags[0].value, "v*");
        assert_eq!(policy.registry.untagged_days.map(|days| days.value), Some(7));
    }

    #[test]
    fn what_cannot_be_meant_is_found() {
        let text = "[registry]\nmap = [\"https://ghcr.io\"]\nimmutable-tags = [\"\"]\nuntaged-days = 7\n";
        let (_, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert_eq!(findings.len(), 3, "{findings:?}");
    }
}
