//! The short forms of ports and mounts.

use std::ops::Range;

use crate::MountKind;
use crate::interpolation::{has_variable, split};

/// The parts of `[[address:][published]:]target[/protocol]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShortPort<'t> {
    pub(crate) address: Option<&'t str>,
    pub(crate) published: Option<&'t str>,
    pub(crate) target: &'t str,
    pub(crate) protocol: &'t str,
}

/// `None` where it has another form.
pub(crate) fn port(text: &str) -> Option<ShortPort<'_>> {
    let parts = split(text, '/');
    let (ports, protocol) = match parts.as_slice() {
        [ports] => (*ports, "tcp"),
        [ports, protocol] => (*ports, *protocol),
        _ => return None,
    };
    let parts = split(ports, ':');
    let (address, published, target) = match parts.as_slice() {
        [target] => (None, None, *target),
        [published, target] => (None, Some(*published), *target),
        [address, published, target] => (Some(*address), Some(*published), *target),
        _ => return None,
    };
    let is_ports = |text: &str| {
        has_variable(text)
            || text.split('-').count() <= 2 && text.split('-').all(|port| port.trim().parse::<u16>().is_ok())
    };
    let published = published.filter(|published| !published.is_empty());
    let is_sound = is_ports(target) && published.is_none_or(is_ports);
    is_sound.then_some(ShortPort { address, published, target, protocol })
}

/// The parts of `[source:]target[:mode]`.
#[derive(Debug)]
pub(crate) struct ShortMount<'t> {
    pub(crate) kind: MountKind,
    pub(crate) source: Option<(&'t str, Range<usize>)>,
    pub(crate) target: &'t str,
    pub(crate) is_read_only: bool,
}

pub(crate) fn mount(text: &str) -> ShortMount<'_> {
    // `C:\folder` has a colon of its own.
    let bytes = text.as_bytes();
    let has_drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    let skipped = if has_drive { 2 } else { 0 };
    let parts = split(text.get(skipped..).unwrap_or_default(), ':');
    let Some((first, rest)) = parts.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return ShortMount { kind: MountKind::Anonymous, source: None, target: text, is_read_only: false };
    };
    let end = skipped + first.len();
    let source = text.get(..end).unwrap_or_default();
    let kind = match source.as_bytes().first() {
        Some(b'.' | b'/' | b'~' | b'\\') => MountKind::Bind,
        _ if has_drive => MountKind::Bind,
        _ if has_variable(source) => MountKind::Other,
        _ => MountKind::Volume,
    };
    let is_read_only =
        rest.get(1..).is_some_and(|modes| modes.iter().any(|mode| mode.split(',').any(|mode| mode == "ro")));
    ShortMount { kind, source: Some((source, 0..end)), target: rest.first().copied().unwrap_or_default(), is_read_only }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_up_to_four_parts() {
        let check = |text: &str, address, published, target, protocol| {
            assert_eq!(port(text), Some(ShortPort { address, published, target, protocol }), "{text}");
        };
        check("80", None, None, "80", "tcp");
        check("8080:80/udp", None, Some("8080"), "80", "udp");
        check("127.0.0.1::80", Some("127.0.0.1"), None, "80", "tcp");
        check("[::1]:8000-8010:80-90", Some("[::1]"), Some("8000-8010"), "80-90", "tcp");
        check("${PORT:-80}:80", None, Some("${PORT:-80}"), "80", "tcp");
        for text in ["a", "1:2:3:4", "80:http", "99999", "80/tcp/x", ""] {
            assert_eq!(port(text), None, "{text}");
        }
    }

    #[test]
    fn mounts_have_up_to_three_parts() {
        let check = |text: &str, kind, source: Option<&str>, target: &str, is_read_only| {
            let mount = mount(text);
            let found = (mount.kind, mount.source.map(|(source, _)| source), mount.target, mount.is_read_only);
            assert_eq!(found, (kind, source, target, is_read_only), "{text}");
        };
        check("/a", MountKind::Anonymous, None, "/a", false);
        check("./a:/b:ro,z", MountKind::Bind, Some("./a"), "/b", true);
        check("data:/b", MountKind::Volume, Some("data"), "/b", false);
        check("${D:-./x}:/b", MountKind::Other, Some("${D:-./x}"), "/b", false);
        check("C:\\a:/b", MountKind::Bind, Some("C:\\a"), "/b", false);
    }
}
