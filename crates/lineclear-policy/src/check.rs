//! `[check]`: how strict `lineclear check` is, and what it may take for granted.

use lineclear_source::{Severity, Spanned};

use crate::table::{Entry, Findings, Table};

/// `[check]`.
#[derive(Clone, Debug, Default)]
pub struct CheckPolicy {
    /// `deny`: findings from this severity on make `check` fail; errors, if it is not set.
    pub deny: Option<Spanned<Severity>>,
    /// `pedantic`: whether rules speak that are a matter of taste or policy.
    pub pedantic: Option<Spanned<bool>>,
    /// `dialect`: the language of workflows that are in none of the forges' own folders.
    pub dialect: Option<Spanned<Dialect>>,
    /// `[check.rules]`: rule id and level, in file order.
    pub rules: Vec<(Spanned<String>, Spanned<RuleLevel>)>,
    /// `[[check.paths]]`, in file order; later ones win.
    pub paths: Vec<PathRules>,
    /// `runner-labels`: labels of the team's own runners.
    pub runner_labels: Vec<Spanned<String>>,
    /// `allowed-actions`: if there is any, others are reported. Patterns as `owner/*` or `owner/repo@*`.
    pub allowed_actions: Option<Spanned<Vec<Spanned<String>>>>,
    /// `forbidden-actions`: reported even where they are allowed.
    pub forbidden_actions: Vec<Spanned<String>>,
    /// `trusted-owners`: whose actions need not be pinned to a commit.
    pub trusted_owners: Vec<Spanned<String>>,
    /// `advisories`: a file or a folder of files with advisories in the OSV format, from the repository's root.
    pub advisories: Option<Spanned<String>>,
    /// `exclude`: patterns of files that are not looked at.
    pub exclude: Vec<Spanned<String>>,
    /// `baseline`: the file of known findings, from the repository's root.
    pub baseline: Option<Spanned<String>>,
}

/// An entry of `[[check.paths]]`.
#[derive(Clone, Debug)]
pub struct PathRules {
    /// Patterns of paths from the repository's root.
    pub files: Vec<Spanned<String>>,
    /// Rule id, or `*` for every rule, and level.
    pub rules: Vec<(Spanned<String>, Spanned<RuleLevel>)>,
}

/// The forge whose language a workflow is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// GitHub Actions.
    GitHub,
    /// Gitea Actions and Forgejo Actions.
    Gitea,
}

/// What is made of a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleLevel {
    /// They are not looked for.
    Off,
    /// They have this severity.
    As(Severity),
}

const SEVERITIES: &[(&str, Severity)] =
    &[("info", Severity::Info), ("warning", Severity::Warning), ("error", Severity::Error)];

const LEVELS: &[(&str, RuleLevel)] = &[
    ("off", RuleLevel::Off),
    ("info", RuleLevel::As(Severity::Info)),
    ("warning", RuleLevel::As(Severity::Warning)),
    ("error", RuleLevel::As(Severity::Error)),
];

impl CheckPolicy {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let check = Self {
            deny: table.choice("deny", SEVERITIES, findings),
            pedantic: table.boolean("pedantic", findings),
            dialect: table.choice("dialect", &[("github", Dialect::GitHub), ("gitea", Dialect::Gitea)], findings),
            rules: rules(&mut table, findings),
            paths: paths(&mut table, findings),
            runner_labels: table.strings("runner-labels", findings),
            allowed_actions: table
                .get("allowed-actions")
                .map(|entry| Spanned::new(table.of_strings(entry, findings), entry.span)),
            forbidden_actions: table.strings("forbidden-actions", findings),
            trusted_owners: table.strings("trusted-owners", findings),
            advisories: table.string("advisories", findings),
            exclude: table.strings("exclude", findings),
            baseline: table.string("baseline", findings),
        };
        table.finish(findings);
        check
    }
}

fn rules(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<(Spanned<String>, Spanned<RuleLevel>)> {
    let Some(rules) = table.table("rules", findings) else { return Vec::new() };
    let read = |entry: Entry<'_>| {
        let level = rules.of_choice(entry, LEVELS, findings)?;
        Some((Spanned::new(entry.name.to_owned(), entry.key), level))
    };
    rules.entries().filter_map(read).collect()
}

fn paths(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<PathRules> {
    let Some(entry) = table.get("paths") else { return Vec::new() };
    let mut paths = Vec::new();
    for item in table.items(entry, "a list of tables, each under `[[check.paths]]`", findings) {
        let Some(mut path) = table.of_table(item, findings) else { continue };
        if !path.has("files") {
            findings.value(path.span(), "this entry of `check.paths` names no `files`");
        }
        paths.push(PathRules { files: path.strings("files", findings), rules: rules(&mut path, findings) });
        path.finish(findings);
    }
    paths
}
