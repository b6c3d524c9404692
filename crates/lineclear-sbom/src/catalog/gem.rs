//! Ruby gems, from the specifications that installing one writes.

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl};

/// Name and version. The file is a program; its second line is a comment that says what there is to know.
fn of_stub(text: &str) -> Option<(String, String)> {
    let stub = text.lines().take(10).find_map(|line| line.strip_prefix("# stub: "))?;
    let mut words = stub.split(' ');
    Some((tidy(words.next()?)?, tidy(words.next()?)?))
}

fn of_name(path: &str) -> Option<(String, String)> {
    let name = path.rsplit('/').next()?.strip_suffix(".gemspec")?;
    let at = name
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| name[at + 1..].starts_with(|first: char| first.is_ascii_digit()))?;
    Some((tidy(&name[..at])?, tidy(&name[at + 1..])?))
}

/// The gem of a specification.
pub(super) fn gem(path: &str, text: &str) -> Found {
    let Some((name, version)) = of_stub(text).or_else(|| of_name(path)) else {
        return Found::unread("it names no gem");
    };
    let purl = Purl::new("gem", "", &name, &version);
    Some(Package { licence: licence(text), ..package(PackageType::Gem, &name, &version, purl, path) }).into()
}

/// `s.licenses = ["MIT".freeze, "Ruby".freeze]`.
fn licence(text: &str) -> Option<String> {
    let line = text.lines().take(200).find(|line| line.contains(".licenses = [") || line.contains(".license = "))?;
    let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    tidy(&quoted.join(" OR "))
}
