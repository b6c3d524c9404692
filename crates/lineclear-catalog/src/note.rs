//! Which versions still work, who still works on them, and what the runner does itself.

use crate::action::{contains, newest, runtime};
use crate::blocks::{Blocks, blocks};
use crate::{Runtime, Version};

const NOTES: Blocks = blocks!(include_str!("../data/notes.txt"));

/// Whether a version of an action still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Current,
    /// It runs, and should not be used any more.
    Outdated {
        /// The newest major version.
        newest: u32,
        /// Why it matters, as far as there is more to say than its age.
        why: Option<&'static str>,
    },
    /// It does not work any more.
    Removed {
        /// The newest major version.
        newest: u32,
        /// What stopped it.
        why: &'static str,
    },
}

/// What became of an action that is not worked on under its name any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// Its repository is archived; this took its place, as far as anything did.
    Archived(Option<&'static str>),
    /// It goes on under this name.
    Moved(&'static str),
}

/// How `owner/repo[/path]` at `reference` stands, in whatever case. Of branches and commits nothing is known.
pub fn standing(name: &str, reference: &str) -> Standing {
    let Some(version) = Version::of(reference) else { return Standing::Current };
    let newest = newest(name).unwrap_or(version.major);
    let mut why = None;
    for line in lines(name) {
        let mut words = line.splitn(3, ' ');
        let (Some(word), Some(range), Some(reason)) = (words.next(), words.next(), words.next()) else { continue };
        match word {
            "removed" if is_in(range, version) => return Standing::Removed { newest, why: reason },
            "retired" if is_in(range, version) => why = Some(reason),
            _ => {}
        }
    }
    let why = why.or_else(|| match runtime(name, version.major)? {
        Runtime::Node(12) => Some("it is made for Node 12, which runners do not have any more"),
        Runtime::Node(16) => Some("it is made for Node 16, which runners do not have any more"),
        _ => None,
    });
    if why.is_some() || version.major < newest { Standing::Outdated { newest, why } } else { Standing::Current }
}

/// What became of `owner/repo[/path]`, in whatever case.
pub fn succession(name: &str) -> Option<Succession> {
    // What is known of a repository holds for every action in it.
    let repository = name.match_indices('/').nth(1).and_then(|(at, _)| name.get(..at));
    [Some(name), repository].into_iter().flatten().flat_map(lines).find_map(|line| {
        if line == "archived" {
            return Some(Succession::Archived(None));
        }
        let (word, other) = line.split_once(' ')?;
        match word {
            "archived" => Some(Succession::Archived(Some(other))),
            "moved" => Some(Succession::Moved(other)),
            _ => None,
        }
    })
}

/// The command on every hosted runner that does what `owner/repo` does, in backticks.
pub fn runner_command(name: &str) -> Option<&'static str> {
    lines(name).find_map(|line| line.strip_prefix("runner "))
}

/// The names that anything is noted of, sorted.
pub(crate) fn noted() -> impl Iterator<Item = &'static str> {
    NOTES.all().map(|block| block.name)
}

fn lines(name: &str) -> impl Iterator<Item = &'static str> {
    NOTES.find(name).map(|block| block.body.lines()).into_iter().flatten()
}

/// `1-3` holds for major versions, however they are named; `3.0.0-3.3.99` only for a release that is named in full.
fn is_in(range: &str, version: Version) -> bool {
    let Some((first, last)) = range.split_once('-').filter(|(first, _)| first.contains('.')) else {
        return contains(range, version.major);
    };
    let (Some(first), Some(last)) = (Version::of(first), Version::of(last)) else { return false };
    version.is_exact() && version.compare(first).is_ge() && version.compare(last).is_le()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_has_the_form_that_its_head_describes() {
        let names: Vec<&str> = noted().collect();
        assert!(names.is_sorted_by(|one, next| one < next));
        for name in names {
            assert_eq!(name, name.to_ascii_lowercase());
            for line in lines(name) {
                let words: Vec<&str> = line.split(' ').collect();
                let is_right = match words[0] {
                    "removed" | "retired" => {
                        words.len() > 2 && words[1].starts_with(|char: char| char.is_ascii_digit())
                    }
                    "archived" => words.len() <= 2,
                    "moved" => words.len() == 2,
                    "runner" => words.len() > 1 && line.ends_with(['`', 'v']),
                    _ => false,
                };
                assert!(is_right, "{name}: {line}");
            }
        }
    }

    #[track_caller]
    fn check(name: &str, reference: &str, expected: &str) {
        let found = match standing(name, reference) {
            Standing::Current => "current".to_owned(),
            Standing::Outdated { newest, why } => format!("outdated {} {}", newest > 3, why.is_some()),
            Standing::Removed { newest, .. } => format!("removed {}", newest > 3),
        };
        assert_eq!(found, expected, "{name}@{reference}");
    }

    #[test]
    fn versions_stand_as_is_known_of_them() {
        check("actions/upload-artifact", "v3", "removed true");
        check("Actions/Upload-Artifact", "v3.1.2", "removed true");
        check("actions/upload-artifact", "v4", "outdated true false");
        check("actions/checkout", "v3", "outdated true true");
        check("actions/cache", "v3", "outdated true true");
        check("actions/cache", "v3.2.1", "removed true");
        check("actions/cache", "v4.1.2", "removed true");
        check("actions/cache", "v4.2.0", "outdated true false");
        check("actions/checkout", "main", "current");
        check("actions/checkout", "v99", "current");
        check("nobody/nothing", "v1", "current");
        check("github/codeql-action/init", "v2", "outdated true true");
    }

    #[test]
    fn successors_and_commands_are_known_in_whatever_case() {
        assert_eq!(succession("Actions/Setup-Ruby"), Some(Succession::Archived(Some("ruby/setup-ruby"))));
        assert_eq!(succession("actions-rs/cargo"), Some(Succession::Archived(None)));
        assert_eq!(succession("haskell/actions/setup"), Some(Succession::Moved("haskell-actions/setup")));
        assert_eq!(succession("actions/checkout"), None);
        assert_eq!(runner_command("ncipollo/release-action"), Some("`gh release create`"));
        assert_eq!(runner_command("actions/checkout"), None);
    }
}
