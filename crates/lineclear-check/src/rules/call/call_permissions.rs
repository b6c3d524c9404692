//! `call-permissions`: a called job cannot have more than its caller.

use std::collections::BTreeSet;

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Access, Permissions};

use super::called::{Called, call_of, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Project, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/call-permissions.md`.
#[derive(Debug)]
pub(super) struct CallPermissions;

static META: RuleMeta = RuleMeta {
    id: "call-permissions",
    summary: "a called job asks for more than its caller may give",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("call-permissions"),
};

/// The scopes that `read-all` and `write-all` are about, the much used ones.
const ALL_SCOPES: [&str; 11] = [
    "actions",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
];

/// The way down from one call of the file.
struct Walk<'f> {
    project: &'f Project<'f>,
    at: Span,
    seen: BTreeSet<String>,
}

impl Rule for CallPermissions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for (job, call) in calls(file) {
            // Without any, the repository's settings decide.
            let Some(granted) = job.permissions.as_ref().or(workflow.permissions.as_ref()) else { continue };
            let called = Called::find(file.project(), None, &call.uses.value);
            let mut walk = Walk { project: file.project(), at: call.uses.span, seen: BTreeSet::new() };
            walk.enter(&called, granted, report);
        }
    }
}

impl Walk<'_> {
    fn enter(&mut self, called: &Called, granted: &Permissions, report: &mut Report<'_>) {
        if !self.seen.insert(called.name.clone()) {
            return;
        }
        let Some(workflow) = called.read().and_then(|read| read.model.as_ref()) else { return };
        let of_all = workflow.permissions.as_ref();
        let beyond = of_all.map(|asked| excess(asked, granted)).unwrap_or_default();
        if !beyond.is_empty() {
            say(&format!("`{}`", called.name), &beyond, granted, self.at, report);
        }
        for job in &workflow.jobs {
            let own = job.permissions.as_ref();
            let beyond = own.map(|asked| excess(asked, granted)).unwrap_or_default();
            if !beyond.is_empty() {
                say(&format!("job `{}` of `{}`", job.id.value, called.name), &beyond, granted, self.at, report);
            } else if let Some((_, call)) = call_of(job)
                // What it asked for itself is checked with its own file.
                && (own.or(of_all).is_none() || called.repository.is_some())
            {
                let next = Called::find(self.project, called.repository.as_ref(), &call.uses.value);
                self.enter(&next, own.or(of_all).unwrap_or(granted), report);
            }
        }
    }
}

fn say(who: &str, excess: &[(&str, Access, Access)], granted: &Permissions, at: Span, report: &mut Report<'_>) {
    let list = |which: fn(&(&str, Access, Access)) -> Access| {
        let each: Vec<String> = excess.iter().map(|one| format!("`{}: {}`", one.0, which(one).as_str())).collect();
        each.join(", ")
    };
    let message = format!(
        "{who} asks for {}, and may have {} here: the run does not start",
        list(|one| one.1),
        list(|one| one.2)
    );
    let place = match granted {
        Permissions::ReadAll(span) | Permissions::WriteAll(span) => *span,
        Permissions::Scopes(scopes) => scopes.span,
    };
    let finding = report.at(at, message);
    finding.help("give this job `permissions` with all that the called workflow asks for");
    // What is granted further down stands in another file.
    if place.end <= at.start || place.start >= at.end {
        finding.label(place, "what is granted");
    }
}

/// What is asked for and not granted: scope, asked, granted.
fn excess<'p>(asked: &'p Permissions, granted: &Permissions) -> Vec<(&'p str, Access, Access)> {
    let each: Vec<(&str, Access)> = match asked {
        Permissions::ReadAll(_) => ALL_SCOPES.iter().map(|scope| (*scope, Access::Read)).collect(),
        Permissions::WriteAll(_) => ALL_SCOPES.iter().map(|scope| (*scope, Access::Write)).collect(),
        Permissions::Scopes(scopes) => {
            scopes.value.iter().map(|(scope, access)| (scope.value.as_str(), access.value)).collect()
        }
    };
    let beyond = |(scope, asked): (&'p str, Access)| {
        let granted = access_of(granted, scope);
        (asked > granted).then_some((scope, asked, granted))
    };
    each.into_iter().filter_map(beyond).collect()
}

fn access_of(granted: &Permissions, scope: &str) -> Access {
    match granted {
        // Everybody may read these.
        _ if scope == "metadata" => Access::Read,
        Permissions::ReadAll(_) => Access::Read,
        Permissions::WriteAll(_) => Access::Write,
        Permissions::Scopes(scopes) => {
            scopes.value.iter().find(|(name, _)| name.value == scope).map_or(Access::None, |(_, access)| access.value)
        }
    }
}
