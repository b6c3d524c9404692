//! `[image.NAME]`: where an image goes, through which gate, and under which tags.

use lineclear_source::Spanned;

use crate::placeholder::check_placeholders;
use crate::promote::{self, Promotion};
use crate::table::{Findings, Table};

/// `[image.NAME]`.
#[derive(Clone, Debug)]
pub struct Image {
    /// As environments name it.
    pub name: Spanned<String>,
    /// `repository`: with registry, without tag; `${owner}` and `${repository}` stand for the forge's names in lower case.
    pub repository: Option<Spanned<String>>,
    /// `gate`: what has to be clear before the image is published; without one nothing publishes it.
    pub gate: Option<Spanned<String>>,
    /// `tags`, in file order.
    pub tags: Vec<TagRule>,
    /// `candidates`: patterns of tags, as `ci-*`, that any job may push without a gate.
    pub candidates: Vec<Spanned<String>>,
    /// `sbom`: the formats in which its contents are listed.
    pub sbom: Vec<Spanned<SbomFormat>>,
    /// `sign`
    pub sign: Option<Spanned<bool>>,
    /// `platforms`: `linux/amd64`.
    pub platforms: Vec<Spanned<String>>,
    /// `promote`, in file order.
    pub promote: Vec<Promotion>,
}

/// The tags for the refs that a pattern matches.
#[derive(Clone, Debug)]
pub struct TagRule {
    /// `refs/heads/main`, `refs/tags/v*`.
    pub refs: Spanned<String>,
    /// With placeholders: `sha-${short-sha}`.
    pub tags: Vec<Spanned<String>>,
}

/// A format of a list of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SbomFormat {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
}

const IN_REPOSITORY: &[&str] = &["owner", "repository"];
pub(crate) const IN_TAGS: &[&str] =
    &["branch", "commit", "date", "major", "minor", "pull-request", "sha", "short-sha", "tag", "version"];

impl Image {
    pub(crate) fn read(name: Spanned<String>, mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let repository = table.required("repository", findings);
        if let Some(repository) = &repository {
            check_placeholders(repository, IN_REPOSITORY, findings);
            check_repository(repository, findings);
        }
        let image = Self {
            name,
            repository,
            gate: table.string("gate", findings),
            tags: tags(&mut table, findings),
            candidates: candidates(&mut table, findings),
            sbom: table
                .choices("sbom", &[("spdx", SbomFormat::Spdx), ("cyclonedx", SbomFormat::CycloneDx)], findings)
                .map(|formats| formats.value)
                .unwrap_or_default(),
            sign: table.boolean("sign", findings),
            platforms: platforms(&mut table, findings),
            promote: promote::read(&mut table, findings),
        };
        table.finish(findings);
        image
    }

    /// What it is called at this target.
    pub fn promotion(&self, target: &str) -> Option<&Promotion> {
        self.promote.iter().find(|promotion| promotion.target.value == target)
    }
}

fn check_repository(repository: &Spanned<String>, findings: &mut Findings<'_>) {
    let last = repository.value.rsplit('/').next().unwrap_or_default();
    if last.contains(':') || last.contains('@') {
        findings.value(repository.span, "`repository` names a tag or digest: tags are chosen by `tags`");
    } else if repository.value.is_empty() || repository.value.contains(char::is_whitespace) {
        findings.value(repository.span, format!("`{}` is not a repository of images", repository.value));
    }
}

fn tags(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<TagRule> {
    let Some(table) = table.table("tags", findings) else { return Vec::new() };
    let mut rules = Vec::new();
    for entry in table.entries() {
        let refs = Spanned::new(entry.name.to_owned(), entry.key);
        if !entry.name.starts_with("refs/") {
            let message = format!("`{}` is not a ref: write `refs/heads/…` or `refs/tags/…`", entry.name);
            findings.value(entry.key, message);
        }
        let tags = table.of_strings(entry, findings);
        for tag in &tags {
            check_placeholders(tag, IN_TAGS, findings);
        }
        rules.push(TagRule { refs, tags });
    }
    rules
}

fn candidates(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<Spanned<String>> {
    let patterns = table.strings("candidates", findings);
    for pattern in &patterns {
        if pattern.value.is_empty() {
            findings.value(pattern.span, "a pattern of tags is empty; say for example `ci-*`");
        } else if pattern.value.bytes().all(|byte| byte == b'*') {
            let message = format!(
                "`{}` lets any job push every tag, whatever the gate says; say for example `ci-*`",
                pattern.value
            );
            findings.value(pattern.span, message);
        }
    }
    patterns
}

fn platforms(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<Spanned<String>> {
    let platforms = table.strings("platforms", findings);
    for platform in &platforms {
        let parts = platform.value.split('/').filter(|part| !part.is_empty()).count();
        if !(2..=3).contains(&parts) || platform.value.split('/').count() != parts {
            let message = format!("`{}` is not a platform: write it as `linux/amd64`", platform.value);
            findings.value(platform.span, message);
        }
    }
    platforms
}
