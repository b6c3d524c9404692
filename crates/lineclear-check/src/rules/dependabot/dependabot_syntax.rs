//! `dependabot-syntax`: dependabot.yml says what Dependabot does not understand.

use lineclear_source::Severity;
use lineclear_source::{Span, suggest};
use lineclear_yaml::{Entry, Node};

use super::update::{Update, updates};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dependabot-syntax.md`.
#[derive(Debug)]
pub(super) struct DependabotSyntax;

static META: RuleMeta = RuleMeta {
    id: "dependabot-syntax",
    summary: "dependabot.yml says what Dependabot does not understand",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Dependabot],
    repair: Repair::None,
    since: "0.1",
    page: page!("dependabot-syntax"),
};

impl Rule for DependabotSyntax {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(root) = file.tree().and_then(|tree| tree.root.as_ref()) else { return };
        let Some(entries) = root.as_mapping() else { return };
        known_keys(entries, TOP, report);
        match root.get("version").and_then(Node::as_scalar) {
            Some(version) if version.text == "2" => {}
            Some(version) => {
                report.at(version.span, format!("version `{}` is not read any more: there is only `2`", version.text));
            }
            None => {
                report.at(first(root), "`version` is missing: nothing of this file is read").help("add `version: 2`");
            }
        }
        if root.get("updates").is_none() {
            report.at(first(root), "`updates` is missing: nothing is updated");
        }
        let mut seen: Vec<(String, Span)> = Vec::new();
        for update in updates(file) {
            check_update(&update, root, report);
            is_unique(&update, &mut seen, report);
        }
    }
}

const TOP: &[&str] = &["version", "updates", "registries", "enable-beta-ecosystems", "multi-ecosystem-groups"];

const KEYS: &[&str] = &[
    "allow",
    "assignees",
    "commit-message",
    "cooldown",
    "directories",
    "directory",
    "exclude-paths",
    "groups",
    "ignore",
    "insecure-external-code-execution",
    "labels",
    "milestone",
    "multi-ecosystem-group",
    "name",
    "open-pull-requests-limit",
    "package-ecosystem",
    "patterns",
    "pull-request-branch-name",
    "rebase-strategy",
    "registries",
    "reviewers",
    "schedule",
    "target-branch",
    "vendor",
    "versioning-strategy",
];

const ECOSYSTEMS: &[&str] = &[
    "bazel",
    "bun",
    "bundler",
    "cargo",
    "composer",
    "conda",
    "deno",
    "devcontainers",
    "docker",
    "docker-compose",
    "dotnet-sdk",
    "elm",
    "github-actions",
    "gitsubmodule",
    "gomod",
    "gradle",
    "helm",
    "julia",
    "maven",
    "mix",
    "nix",
    "npm",
    "nuget",
    "opentofu",
    "pip",
    "pre-commit",
    "pub",
    "rust-toolchain",
    "sbt",
    "swift",
    "terraform",
    "uv",
    "vcpkg",
];

/// Names that people have for a package manager, and the one that covers it.
const ALIASES: &[(&str, &str)] = &[
    ("yarn", "npm"),
    ("pnpm", "npm"),
    ("node", "npm"),
    ("poetry", "pip"),
    ("pipenv", "pip"),
    ("python", "pip"),
    ("pypi", "pip"),
    ("rust", "cargo"),
    ("go", "gomod"),
    ("golang", "gomod"),
    ("ruby", "bundler"),
    ("rubygems", "bundler"),
    ("php", "composer"),
    ("actions", "github-actions"),
    ("dotnet", "nuget"),
    ("dart", "pub"),
    ("hex", "mix"),
    ("elixir", "mix"),
    ("submodules", "gitsubmodule"),
    ("git-submodules", "gitsubmodule"),
    ("dockerfile", "docker"),
];

const INTERVALS: &[&str] = &["daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "cron"];
const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const COOLDOWN: &[&str] =
    &["default-days", "semver-major-days", "semver-minor-days", "semver-patch-days", "include", "exclude"];
const SCHEDULE: &[&str] = &["interval", "day", "time", "timezone", "cronjob"];

fn check_update(update: &Update<'_>, root: &Node, report: &mut Report<'_>) {
    known_keys(update.entries, KEYS, report);
    match update.ecosystem() {
        None => {
            report.at(first(update.node), "`package-ecosystem` is missing: it says what is updated");
        }
        Some((name, span)) => one_of("package-ecosystem", name, span, ECOSYSTEMS, report),
    }
    match (update.get("directory"), update.get("directories")) {
        (None, None) => {
            report
                .at(first(update.node), "`directory` is missing: it says where")
                .help("add `directory: /` for the root");
        }
        (Some(_), Some(many)) => {
            report.at(many.span(), "`directory` and `directories` exclude each other");
        }
        _ => {}
    }
    let group = update.text("multi-ecosystem-group");
    match update.get("schedule") {
        Some(schedule) => check_schedule(schedule, report),
        None if group.is_none() => {
            report
                .at(first(update.node), "`schedule` is missing: it says when")
                .help("add `schedule: { interval: weekly }`");
        }
        None => {}
    }
    if let Some((name, span)) = group {
        let groups = root.get("multi-ecosystem-groups").and_then(Node::as_mapping).unwrap_or_default();
        defined("multi-ecosystem-group", name, span, groups, report);
    }
    let registries = root.get("registries").and_then(Node::as_mapping).unwrap_or_default();
    for node in update.get("registries").and_then(Node::as_sequence).unwrap_or_default() {
        if let Some(name) = node.as_scalar() {
            defined("registry", &name.text, name.span, registries, report);
        }
    }
    if let Some(entries) = update.get("cooldown").and_then(Node::as_mapping) {
        known_keys(entries, COOLDOWN, report);
        for entry in entries.iter().filter(|entry| entry.key.text.ends_with("-days")) {
            number(&entry.value, &entry.key.text, 0..=90, report);
        }
    }
    if let Some(limit) = update.get("open-pull-requests-limit") {
        number(limit, "open-pull-requests-limit", 0..=u32::MAX, report);
    }
    if let Some((word, span)) = update.text("insecure-external-code-execution") {
        one_of("insecure-external-code-execution", word, span, &["allow", "deny"], report);
    }
    if let Some((word, span)) = update.text("versioning-strategy") {
        one_of(
            "versioning-strategy",
            word,
            span,
            &["auto", "increase", "increase-if-necessary", "lockfile-only", "widen"],
            report,
        );
    }
    if let Some((word, span)) = update.text("rebase-strategy") {
        one_of("rebase-strategy", word, span, &["auto", "disabled"], report);
    }
    if let Some(entry) = update.entries.iter().find(|entry| entry.key.text == "reviewers") {
        report
            .at(entry.key.span, "`reviewers` does nothing any more")
            .severity(Severity::Warning)
            .help("name them in `CODEOWNERS`");
    }
}

fn check_schedule(schedule: &Node, report: &mut Report<'_>) {
    let Some(entries) = schedule.as_mapping() else {
        report.at(schedule.span(), format!("`schedule` is {}: it takes a mapping with `interval`", schedule.kind()));
        return;
    };
    known_keys(entries, SCHEDULE, report);
    let text = |key: &str| schedule.get(key).and_then(Node::as_scalar);
    match text("interval") {
        None => {
            report.at(first(schedule), "`interval` is missing: it says how often");
        }
        Some(interval) => {
            one_of("interval", &interval.text, interval.span, INTERVALS, report);
            if interval.text == "cron" && schedule.get("cronjob").is_none() {
                report.at(interval.span, "`interval: cron` takes a `cronjob`, which is missing");
            }
        }
    }
    if let Some(day) = text("day") {
        one_of("day", &day.text, day.span, DAYS, report);
    }
    if let Some(time) = text("time").filter(|time| !is_time(&time.text)) {
        report.at(time.span, format!("`{}` is no time of day: it takes `hh:mm`, in quotes", time.text));
    }
    if let Some(cron) = text("cronjob").filter(|cron| !is_cron(&cron.text)) {
        report.at(
            cron.span,
            format!("`{}` is no schedule of cron: it takes five fields, minute to day of the week", cron.text),
        );
    }
}

fn is_time(text: &str) -> bool {
    let Some((hours, minutes)) = text.split_once(':') else { return false };
    let below = |part: &str, limit: u32| part.len() == 2 && part.parse::<u32>().is_ok_and(|number| number < limit);
    below(hours, 24) && below(minutes, 60)
}

/// Words (`every day`) are taken, too; what is made of the signs of cron must have its five fields.
fn is_cron(text: &str) -> bool {
    let is_words = text.chars().filter(char::is_ascii_alphabetic).count() > 3;
    is_words || text.starts_with('@') || text.split_whitespace().count() == 5
}

fn is_unique(update: &Update<'_>, seen: &mut Vec<(String, Span)>, report: &mut Report<'_>) {
    let Some((ecosystem, _)) = update.ecosystem() else { return };
    let branch = update.text("target-branch").map_or("", |(branch, _)| branch);
    for (directory, span) in update.directories() {
        let normal = directory.trim_matches('/');
        let key = format!("{ecosystem} {normal} {branch}");
        match seen.iter().find(|(other, _)| *other == key) {
            Some((_, first)) => {
                report
                    .at(span, format!("`{ecosystem}` in `{directory}` stands here twice: the whole file is refused"))
                    .label(*first, "the first time");
            }
            None => seen.push((key, span)),
        }
    }
}

fn known_keys(entries: &[Entry], known: &[&'static str], report: &mut Report<'_>) {
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.text.as_str())) {
        let name = &entry.key.text;
        let message = match suggest(name, known.iter().copied()) {
            Some(near) => format!("there is no key `{name}` here; did you mean `{near}`?"),
            None => format!("there is no key `{name}` here"),
        };
        report.at(entry.key.span, message);
    }
}

fn one_of(key: &str, word: &str, span: Span, known: &[&'static str], report: &mut Report<'_>) {
    if known.contains(&word) {
        return;
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word).map(|(_, name)| *name);
    let near = alias.filter(|alias| known.contains(alias)).or_else(|| suggest(word, known.iter().copied()));
    let message = match near {
        Some(near) => format!("`{key}` knows no `{word}`; did you mean `{near}`?"),
        None => format!("`{key}` knows no `{word}`"),
    };
    report.at(span, message).help(format!("possible are {}", known.join(", ")));
}

fn defined(what: &str, name: &str, span: Span, known: &[Entry], report: &mut Report<'_>) {
    if name == "*" || known.iter().any(|entry| entry.key.text == name) {
        return;
    }
    let message = match suggest(name, known.iter().map(|entry| entry.key.text.as_str())) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`"),
    };
    report.at(span, message);
}

fn number(node: &Node, key: &str, range: std::ops::RangeInclusive<u32>, report: &mut Report<'_>) {
    let value = node.as_scalar().and_then(|scalar| scalar.text.parse::<u32>().ok());
    if value.is_none_or(|value| !range.contains(&value)) {
        let most = if *range.end() == u32::MAX { String::new() } else { format!(" to {}", range.end()) };
        report.at(node.span(), format!("`{key}` takes a whole number from {}{most}", range.start()));
    }
}

/// The first key of a mapping.
fn first(node: &Node) -> Span {
    let entries = node.as_mapping().unwrap_or_default();
    entries.first().map_or(node.span(), |entry| entry.key.span)
}
