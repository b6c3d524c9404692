//! What is known to be unsafe: advisories of actions, those that come along and those that were imported.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Version;
use crate::blocks::{Blocks, blocks};
use crate::osv;

const ADVISORIES: Blocks = blocks!(include_str!("../data/advisories.txt"));

/// One advisory about one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// `GHSA-mrrh-fwg8-r2c3`.
    pub id: Cow<'static, str>,
    /// `CVE-2025-30066`, if it has one.
    pub alias: Option<Cow<'static, str>>,
    /// How bad it is.
    pub grade: Grade,
    /// The first version without it, if there is one.
    pub fixed: Option<Cow<'static, str>>,
    /// What it is, in one line.
    pub summary: Cow<'static, str>,
    pub(crate) affected: Vec<Affected>,
}

/// How bad an advisory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// As the database grades it.
    Low,
    /// As the database grades it.
    Medium,
    /// As the database grades it.
    High,
    /// As the database grades it.
    Critical,
}

/// Some versions, or one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Affected {
    /// From `introduced` on, up to `end`.
    Versions { introduced: Version, end: Option<(Version, End)> },
    /// One version, as it is written.
    Exactly(Version),
    /// Forty hexadecimal digits.
    Commit(Cow<'static, str>),
}

/// Whether the end of a range belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fixed,
    LastAffected,
}

/// A set of advisories: those that come with the program, unless imported ones with the same id say more.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    /// By `owner/repo` in lower case.
    imported: BTreeMap<String, Vec<Advisory>>,
}

impl Advisories {
    /// Those that come with the program.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// Adds the records of `text` about actions: one OSV record, a JSON array of them, or an object with them in `vulns`.
    /// Records about other things are left out. Gives how many were taken.
    ///
    /// # Errors
    /// [`OsvError`](crate::OsvError) for a text that is no JSON, or whose record lacks its id.
    pub fn import_osv(&mut self, text: &str) -> Result<usize, crate::OsvError> {
        let found = osv::read(text)?;
        let count = found.len();
        for (name, advisory) in found {
            let known = self.imported.entry(name).or_default();
            known.retain(|one| one.id != advisory.id);
            known.push(advisory);
        }
        Ok(count)
    }

    /// The advisories that hold for `owner/repo[/path]` at `reference` (in whatever case), by id. `version` is what a comment says a
    /// commit is, if `reference` is one.
    pub fn of(&self, name: &str, reference: &str, version: Option<&str>) -> Vec<Advisory> {
        let repository = name.match_indices('/').nth(1).map_or(name, |(at, _)| &name[..at]);
        let names = [Some(repository), (repository.len() < name.len()).then_some(name)];
        let named = Version::of(reference).or_else(|| version.and_then(Version::of));
        let mut found = Vec::new();
        for name in names.into_iter().flatten() {
            let imported = self.imported_of(name);
            found.extend(imported.iter().filter(|advisory| advisory.affects(reference, named)).cloned());
            let Some(block) = ADVISORIES.find(name) else { continue };
            for advisory in block.body.lines().filter_map(Advisory::of_line) {
                let is_replaced = imported.iter().any(|other| other.id == advisory.id)
                    && !matches!(advisory.affected.as_slice(), [Affected::Commit(_)]);
                if !is_replaced && advisory.affects(reference, named) {
                    found.push(advisory);
                }
            }
        }
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found.dedup_by(|one, other| one.id == other.id);
        found
    }

    fn imported_of(&self, name: &str) -> &[Advisory] {
        if self.imported.is_empty() {
            return &[];
        }
        self.imported.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}

impl Advisory {
    /// A line of the data.
    fn of_line(line: &'static str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let mut word = || words.next();
        let known = |text: &'static str| (text != "-").then_some(Cow::Borrowed(text));
        Some(Self {
            id: word()?.into(),
            alias: known(word()?),
            grade: Grade::of(word()?)?,
            affected: vec![Affected::of_range(word()?)?],
            fixed: known(word()?),
            summary: word()?.into(),
        })
    }

    fn affects(&self, reference: &str, version: Option<Version>) -> bool {
        self.affected.iter().any(|affected| match affected {
            Affected::Commit(commit) => commit.eq_ignore_ascii_case(reference),
            Affected::Exactly(one) => version == Some(*one),
            Affected::Versions { introduced, end } => version.is_some_and(|version| {
                version.compare(*introduced).is_ge()
                    && end.is_none_or(|(end, kind)| match kind {
                        End::Fixed => version.compare(end).is_lt(),
                        End::LastAffected => version.compare(end).is_le(),
                    })
            }),
        })
    }
}

impl Affected {
    /// `>=4.0.0,<4.1.3`, `<=1.0.5`, `commit:…`.
    fn of_range(text: &'static str) -> Option<Self> {
        if let Some(commit) = text.strip_prefix("commit:") {
            return Some(Self::Commit(commit.into()));
        }
        let mut introduced = Version { major: 0, minor: Some(0), patch: Some(0) };
        let mut end = None;
        for part in text.split(',') {
            if let Some(version) = part.strip_prefix(">=") {
                introduced = Version::of(version)?;
            } else if let Some(version) = part.strip_prefix("<=") {
                end = Some((Version::of(version)?, End::LastAffected));
            } else {
                end = Some((Version::of(part.strip_prefix('<')?)?, End::Fixed));
            }
        }
        Some(Self::Versions { introduced, end })
    }
}

impl Grade {
    /// By the word that databases use, in whatever case.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "low" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" => Self::High,
            "critical" => Self::Critical,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_has_the_form_that_its_head_describes() {
        let blocks: Vec<_> = ADVISORIES.all().collect();
        assert!(blocks.is_sorted_by(|one, next| one.name < next.name));
        for block in blocks {
            for line in block.body.lines() {
                let advisory = Advisory::of_line(line).unwrap_or_else(|| panic!("{}: {line}", block.name));
                assert!(advisory.id.starts_with("GHSA-"), "{line}");
                assert!(advisory.alias.is_none_or(|alias| alias.starts_with("CVE-")), "{line}");
            }
        }
    }

    #[track_caller]
    fn check(advisories: &Advisories, name: &str, reference: &str, version: Option<&str>, expected: &[&str]) {
        let found: Vec<_> = advisories.of(name, reference, version).into_iter().map(|one| one.id).collect();
        assert_eq!(found, expected, "{name}@{reference}");
    }

    #[test]
    fn versions_are_affected_by_their_range() {
        let known = Advisories::built_in();
        check(&known, "Actions/Download-Artifact", "v4.1.2", None, &["GHSA-cxww-7g56-2vh6"]);
        check(&known, "actions/download-artifact", "v4", None, &[]);
        check(&known, "actions/download-artifact", "v4.1.3", None, &[]);
        check(&known, "tj-actions/changed-files", "v40", None, &["GHSA-mcph-m25j-8j63", "GHSA-mrrh-fwg8-r2c3"]);
        check(&known, "tj-actions/changed-files", "v45.0.7", None, &["GHSA-mrrh-fwg8-r2c3"]);
        check(&known, "tj-actions/changed-files", "v46", None, &[]);
        check(&known, "github/codeql-action/init", "v3.28.0", None, &["GHSA-vqf5-2xx6-9wfm"]);
        check(&known, "actions/checkout", "v4", None, &[]);
    }

    #[test]
    fn a_commit_is_affected_by_what_a_comment_says_it_is() {
        let known = Advisories::built_in();
        let commit = "0e58ed8671d6b60d0890c21b07f8835ace038e67";
        check(&known, "tj-actions/changed-files", commit, None, &["GHSA-mrrh-fwg8-r2c3"]);
        let other = "1111111111111111111111111111111111111111";
        check(&known, "tj-actions/changed-files", other, None, &[]);
        check(&known, "tj-actions/changed-files", other, Some("v44.0.0"), &["GHSA-mrrh-fwg8-r2c3"]);
    }

    #[test]
    fn what_is_imported_adds_to_what_comes_along_and_goes_before_it() {
        let mut known = Advisories::built_in();
        let text = r#"[
            {"id": "GHSA-new", "summary": "New", "affected": [{"package": {"ecosystem": "GitHub Actions", "name": "Actions/Checkout"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "4.0.0"}, {"fixed": "4.2.0"}]}]}]},
            {"id": "GHSA-cxww-7g56-2vh6", "affected": [{"package": {"ecosystem": "GitHub Actions", "name": "actions/download-artifact"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "4.0.1"}]}]}]}
        ]"#;
        assert_eq!(known.import_osv(text), Ok(2));
        check(&known, "actions/checkout", "v4.1.0", None, &["GHSA-new"]);
        check(&known, "actions/checkout", "v4.2.0", None, &[]);
        check(&known, "actions/download-artifact", "v4.1.2", None, &[]);
        check(&known, "actions/download-artifact", "v4.0.1", None, &["GHSA-cxww-7g56-2vh6"]);
        check(&known, "hashicorp/vault-action", "v2.1.0", None, &["GHSA-4mgv-m5cm-f9h7"]);
    }
}
