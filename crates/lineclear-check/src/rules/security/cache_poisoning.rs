//! `cache-poisoning`: what is released is built with a cache that less trusted runs may have written.

use lineclear_source::{Severity, Span, Spanned};
use lineclear_workflow::{ActionRef, Job, Step, StepKind, Text, Workflow};

use super::checkout_token::is_older_than;
use super::trust::{Guard, guard_of};
use super::untrusted_checkout;
use crate::rules::deeds::{Deed, Done};
use crate::uses::{input, is_commit, is_of_repository, version_in_comment};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, StepSite, page};

/// Manual and tests: `docs/rules/cache-poisoning.md`.
#[derive(Debug)]
pub(super) struct CachePoisoning;

static META: RuleMeta = RuleMeta {
    id: "cache-poisoning",
    summary: "what is released is built with a cache that less trusted runs may have written",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("cache-poisoning"),
};

/// When an action uses a cache.
#[derive(Clone, Copy, Debug)]
enum Uses {
    /// Always.
    Always,
    /// Unless the input is `false`; in versions older than this, only if it is `true`.
    Unless(&'static str, u32),
    /// As `Unless`, but in versions from the second on not where a release or an outsider starts the run.
    UnlessReleased(&'static str, u32, u32),
    /// If the input is set, and not `false`.
    If(&'static str),
    /// If the input is set to something else than `true`: it switches the cache off.
    UnlessTrue(&'static str),
}

/// By the documentation of each action.
const CACHES: &[(&str, Uses)] = &[
    ("actions/cache", Uses::UnlessTrue("lookup-only")),
    ("actions/setup-node", Uses::If("cache")),
    ("actions/setup-node", Uses::If("package-manager-cache")),
    ("pyo3/maturin-action", Uses::If("sccache")),
    ("actions/setup-python", Uses::If("cache")),
    ("actions/setup-java", Uses::If("cache")),
    ("actions/setup-dotnet", Uses::If("cache")),
    ("actions/setup-go", Uses::Unless("cache", 4)),
    ("ruby/setup-ruby", Uses::If("bundler-cache")),
    ("swatinem/rust-cache", Uses::UnlessTrue("lookup-only")),
    ("actions-rust-lang/setup-rust-toolchain", Uses::Unless("cache", 1)),
    ("moonrepo/setup-rust", Uses::Unless("cache", 0)),
    ("mozilla-actions/sccache-action", Uses::Always),
    ("hendrikmuhs/ccache-action", Uses::Always),
    ("gradle/actions", Uses::UnlessTrue("cache-disabled")),
    ("gradle/gradle-build-action", Uses::UnlessTrue("cache-disabled")),
    ("astral-sh/setup-uv", Uses::UnlessReleased("enable-cache", 5, 10)),
    ("denoland/setup-deno", Uses::If("cache")),
    ("julia-actions/cache", Uses::Always),
    ("mlugg/setup-zig", Uses::Unless("use-cache", 0)),
    ("jdx/mise-action", Uses::Unless("cache", 0)),
    ("pnpm/action-setup", Uses::If("cache")),
    ("awalsh128/cache-apt-pkgs-action", Uses::Always),
    ("determinatesystems/magic-nix-cache-action", Uses::Always),
    ("ramsey/composer-install", Uses::UnlessTrue("ignore-cache")),
    ("pdm-project/setup-pdm", Uses::If("cache")),
    ("conda-incubator/setup-miniconda", Uses::If("use-only-tar-bz2")),
    ("bahmutov/npm-install", Uses::Always),
    ("nodenv/actions", Uses::If("cache")),
    ("bazel-contrib/setup-bazel", Uses::If("disk-cache")),
    ("golangci/golangci-lint-action", Uses::UnlessTrue("skip-cache")),
];

impl Rule for CachePoisoning {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let release = release_event(workflow);
        let privileged: Vec<&str> = ["pull_request_target", "issue_comment", "workflow_run"]
            .into_iter()
            .filter(|event| workflow.on.get(event).is_some())
            .collect();
        for (job, steps) in file.step_jobs() {
            check_release(file, job, &steps.steps, release, report);
            if !privileged.is_empty() {
                check_outsiders(file, job, &privileged, report);
            }
        }
    }
}

/// Reports what a job that releases restores.
fn check_release(file: &File<'_>, job: &Job, steps: &[Step], release: Option<&'static str>, report: &mut Report<'_>) {
    let Some(workflow) = file.workflow() else { return };
    let mut publishes = None;
    for step in steps {
        let Some(cache) = cache_of(file, step).or_else(|| cache_by_package_file(file, step)) else { continue };
        // Who says on which branches and tags the cache is used has thought of it.
        let chooses = step
            .condition
            .as_ref()
            .is_some_and(|condition| condition.raw().contains("github.ref") && condition.raw().contains('!'));
        if chooses {
            continue;
        }
        let publish = *publishes.get_or_insert_with(|| publication(file, job));
        let why = match (publish, release) {
            (Some(span), _) => Some(span),
            (None, Some(_)) => None,
            (None, None) => return,
        };
        let events = workflow.on.events.iter().map(|trigger| trigger.event.value.as_str());
        let lets_through = |event: &str| guard_of(event, Some(job), Some(step)) != Guard::Never;
        let is_reached = match (why, release) {
            (None, Some(event)) => lets_through(event),
            // Pull requests publish nothing, whatever the job is called.
            _ => events.into_iter().any(|event| {
                matches!(
                    event,
                    "push" | "release" | "workflow_dispatch" | "schedule" | "workflow_call" | "repository_dispatch"
                ) && lets_through(event)
            }),
        };
        if !is_reached {
            continue;
        }
        let message = match release {
            Some(event) => format!(
                "{} restores a cache in a run for `{event}`: what another run wrote there gets into what is released",
                cache.what
            ),
            None => format!(
                "{} restores a cache in a job that publishes: what another run wrote there gets into what is published",
                cache.what
            ),
        };
        let finding = report.at(cache.span, message);
        if let Some(span) = why {
            finding.label(span, "publishes");
        }
        finding.help(cache.help);
        // Without a step that plainly publishes, the trigger alone says that something is released.
        if why.is_none() {
            finding.severity(Severity::Info);
        }
    }
}

/// Reports caches that are written beside an outsider's code, in the default branch's name.
fn check_outsiders(file: &File<'_>, job: &Job, events: &[&str], report: &mut Report<'_>) {
    let of_job = |site: &&StepSite<'_>| site.job.is_some_and(|own| std::ptr::eq(own, job));
    let mut fetched = None;
    for site in file.steps().iter().filter(of_job) {
        if fetched.is_none() {
            fetched = untrusted_checkout::fetch(file, site, events);
        }
        let Some(event) = events.iter().find(|event| guard_of(event, Some(job), Some(site.step)) < Guard::Trusted)
        else {
            continue;
        };
        if let (Some(fetched), Some(cache)) = (fetched, cache_of(file, site.step)) {
            report
                .at(cache.span, format!("{} writes a cache beside an outsider's code in a run for `{event}`: runs of the default branch restore it", cache.what))
                .label(fetched, "fetches the outsider's code")
                .help("leave caches out of this job");
        }
    }
}

struct Cache {
    span: Span,
    what: String,
    help: &'static str,
}

/// The cache that a step uses, as far as the file can tell.
fn cache_of(file: &File<'_>, step: &Step) -> Option<Cache> {
    let StepKind::Uses { uses, with } = &step.kind else { return None };
    let ActionRef::Remote { owner, repo, path, reference } = &uses.value else { return None };
    let what = format!("`{owner}/{repo}`");
    let is_docker = is_of_repository(&uses.value, "docker/build-push-action")
        || is_of_repository(&uses.value, "docker/bake-action");
    if is_docker {
        let from = input(with, "cache-from")?;
        return from.raw().contains("type=gha").then(|| Cache {
            span: from.span(),
            what,
            help: "build what is released without `cache-from`",
        });
    }
    if is_of_repository(&uses.value, "actions/cache") && path.as_deref() == Some("save") {
        return None;
    }
    let version = version_in_comment(uses, file.source()).filter(|_| is_commit(reference)).unwrap_or(reference);
    let is_off = |how: Uses| {
        let Uses::UnlessReleased(name, _, until) = how else { return false };
        let events = file.workflow().map_or(&[][..], |workflow| &workflow.on.events);
        let is_sensitive = |event: &str| matches!(event, "release" | "pull_request_target" | "workflow_run");
        input(with, name).is_none_or(|value| value.raw() == "auto")
            && !is_commit(version)
            && !is_older_than(version, until)
            && events.iter().all(|trigger| is_sensitive(&trigger.event.value))
    };
    let mut known = CACHES.iter().filter(|(slug, how)| is_of_repository(&uses.value, slug) && !is_off(*how));
    known.find_map(|(_, how)| used(*how, uses.span, with, version, &what))
}

/// From version 5 on, `setup-node` caches by itself where `package.json` names npm as the package manager.
fn cache_by_package_file(file: &File<'_>, step: &Step) -> Option<Cache> {
    let StepKind::Uses { uses, with } = &step.kind else { return None };
    let ActionRef::Remote { reference, .. } = &uses.value else { return None };
    let has_say = ["cache", "package-manager-cache"].iter().any(|name| input(with, name).is_some());
    if !is_of_repository(&uses.value, "actions/setup-node")
        || has_say
        || is_commit(reference)
        || is_older_than(reference, 5)
    {
        return None;
    }
    let package = file.project().files().read("package.json").ok().flatten()?;
    let text = String::from_utf8(package).ok()?;
    let (_, rest) = text.split_once("\"packageManager\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.starts_with("npm").then(|| Cache {
        span: uses.span,
        what: "`actions/setup-node`".to_owned(),
        help: "add `package-manager-cache: false`",
    })
}

fn used(how: Uses, whole: Span, with: &[(Spanned<String>, Text)], version: &str, what: &str) -> Option<Cache> {
    let set = |name: &str| input(with, name);
    let cache = |span, help| Some(Cache { span, what: what.to_owned(), help });
    match how {
        Uses::Always => cache(whole, "build what is released without it"),
        Uses::If(name) => {
            let value = set(name).filter(|value| is_surely_on(value))?;
            cache(value.span(), "leave it out where something is released")
        }
        Uses::Unless(name, since) => match set(name) {
            Some(value) if is_surely_on(value) => cache(value.span(), "set it to `false` where something is released"),
            Some(_) => None,
            None if is_older_than(version, since) && !is_commit(version) => None,
            None => cache(whole, off(name)),
        },
        Uses::UnlessReleased(name, ..) if set(name).is_some_and(|value| value.raw() == "auto") => {
            cache(whole, off(name))
        }
        Uses::UnlessReleased(name, since, _) => used(Uses::Unless(name, since), whole, with, version, what),
        Uses::UnlessTrue(name) => match set(name) {
            Some(value) if value.template.as_literal().is_none() || value.raw() == "true" => None,
            _ => cache(whole, "build what is released without it"),
        },
    }
}

fn off(name: &str) -> &'static str {
    match name {
        "enable-cache" => "add `enable-cache: false`",
        "use-cache" => "add `use-cache: false`",
        _ => "add `cache: false`",
    }
}

/// Whether a value switches something on; an expression may do either.
fn is_surely_on(value: &Text) -> bool {
    value.template.as_literal().is_some() && !matches!(value.raw(), "" | "false" | "auto")
}

/// Where a job publishes something.
fn publication(file: &File<'_>, job: &Job) -> Option<Span> {
    let is_publication = |done: &&Done<'_>| {
        // An input that is an expression may say either; a command that a condition guards still publishes.
        let is_sure = !done.is_conditional || done.command.is_some();
        let hands_out = done.deed.is_publication() || matches!(done.deed, Deed::Sign | Deed::Attest);
        done.is_in(job) && is_sure && hands_out
    };
    file.deeds().iter().find(is_publication).map(|done| done.span)
}

/// The event by which a workflow is plainly one that releases.
fn release_event(workflow: &Workflow) -> Option<&'static str> {
    if workflow.on.get("release").is_some() {
        return Some("release");
    }
    let push = workflow.on.get("push")?;
    let only_tags = push.tags.as_ref().is_some_and(|tags| !tags.ignore) && push.branches.is_none();
    let others = workflow
        .on
        .events
        .iter()
        .any(|trigger| matches!(trigger.event.value.as_str(), "pull_request" | "schedule" | "merge_group"));
    (only_tags && !others).then_some("push")
}
