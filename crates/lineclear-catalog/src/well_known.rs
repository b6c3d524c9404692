//! Names of well-known actions, and those that are almost one.

use std::sync::OnceLock;

use crate::action::known_actions;
use crate::note::noted;

/// The well-known `owner/repo` that `name` could be taken for: it differs in one slip of the owner's or of the repository's name, and
/// is not well known itself.
///
/// A slip is a letter too many, too few, wrong, or two swapped. Names shorter than four letters have too many neighbours to be compared.
pub fn well_known_like(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let (owner, rest) = name.split_once('/')?;
    let repository = rest.split('/').next()?;
    let names = names();
    if names.binary_search(&(owner, repository)).is_ok() {
        return None;
    }
    let is_slip = |one: &str, other: &str| other.len() >= 4 && is_one_slip(one.as_bytes(), other.as_bytes());
    let like = names.iter().find(|(known_owner, known)| {
        (repository == *known && is_slip(owner, known_owner)) || (owner == *known_owner && is_slip(repository, known))
    });
    // The two parts of a name stand side by side in one text.
    like.and_then(|(known_owner, known)| {
        known_actions().chain(noted()).find_map(|name| whole(name, known_owner, known))
    })
}

/// `owner/repo` of a known name, if these are its owner and repository.
fn whole(name: &'static str, owner: &str, repository: &str) -> Option<&'static str> {
    let rest = name.strip_prefix(owner)?.strip_prefix('/')?.strip_prefix(repository)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| name.get(..name.len() - rest.len())).flatten()
}

/// Owners and repositories, sorted. Asked for only by names that nothing is known of, and gathered once.
fn names() -> &'static [(&'static str, &'static str)] {
    static NAMES: OnceLock<Vec<(&str, &str)>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let parts = |name: &'static str| {
            let mut parts = name.split('/');
            Some((parts.next()?, parts.next()?))
        };
        let mut names: Vec<_> = known_actions().chain(noted()).filter_map(parts).collect();
        names.sort_unstable();
        names.dedup();
        names
    })
}

/// Whether one letter was added, left out, replaced, or swapped with the next.
fn is_one_slip(one: &[u8], other: &[u8]) -> bool {
    if one.len().abs_diff(other.len()) > 1 || one == other {
        return false;
    }
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&one[..one.len() - end], &other[..other.len() - end]) {
        ([], [_]) | ([_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(well_known_like(name), expected, "{name}");
    }

    #[test]
    fn a_slip_away_from_a_well_known_name() {
        check("action/checkout", Some("actions/checkout"));
        check("cations/checkout", Some("actions/checkout"));
        check("acitons/checkout", Some("actions/checkout"));
        check("acti0ns/checkout", Some("actions/checkout"));
        check("actiions/checkout", Some("actions/checkout"));
        check("dokcer/login-action", Some("docker/login-action"));
        check("actions/chekout", Some("actions/checkout"));
        check("Actions/Checkout", None);
        check("actions/cache/restore", None);
        check("example/totally-different-thing", None);
        check("owner", None);
        check("", None);
    }
}
