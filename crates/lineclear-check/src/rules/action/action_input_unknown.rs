//! `action-input-unknown`: an input that the action does not have is not read.

use lineclear_catalog::{Standing, Version};
use lineclear_source::Severity;
use lineclear_source::suggest;
use lineclear_workflow::INSERT;

use crate::{
    Activity, Dialect, Edit, File, FileKind, Fix, Group, Interface, Repair, Report, Rule, RuleMeta, UseSite, page,
};

/// Manual and tests: `docs/rules/action-input-unknown.md`.
#[derive(Debug)]
pub(super) struct ActionInputUnknown;

static META: RuleMeta = RuleMeta {
    id: "action-input-unknown",
    summary: "an input that the action does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("action-input-unknown"),
};

impl Rule for ActionInputUnknown {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if site.with.is_empty() {
                continue;
            }
            let Some(interface) = site.interface(file.project()) else { continue };
            if interface.takes_any_input() {
                continue;
            }
            for (key, _) in site.with {
                let name = key.value.as_str();
                let is_of_container = || matches!(name, "args" | "entrypoint" | "entryPoint") && interface.is_docker();
                if name == INSERT || name.contains("${{") || interface.input(name).is_some() || is_of_container() {
                    continue;
                }
                let names = interface.inputs().map(|input| input.name);
                let meant = suggest(name, names.filter(|known| site.input(known).is_none())).map(str::to_owned);
                let is_own = site.uses.value.is_own();
                let ends = if is_own { "the step fails" } else { "it is not read" };
                let finding = report.at(key.span, format!("`{}` has no input `{name}`: {ends}", site.name));
                if is_own {
                    finding.severity(Severity::Error);
                }
                match meant {
                    Some(meant) => {
                        finding.help(format!("did you mean `{meant}`?"));
                        let is_plain = file.source().slice(key.span) == name;
                        if is_plain {
                            let edit = Edit::replace(key.span, meant.as_str());
                            finding.fix(Some(Fix::review(format!("rename it to `{meant}`"), vec![edit])));
                        }
                    }
                    None if interface.inputs().next().is_none() => {
                        finding.help("the action takes no inputs");
                    }
                    None => {
                        finding.help(format!("it takes {}", listed(interface.inputs().map(|input| input.name))));
                        if !is_own && !is_settled(site, interface) {
                            finding.severity(Severity::Info);
                        }
                    }
                }
            }
        }
    }
}

/// Whether the action can have no other inputs than those that are known: its newest major version may have got some by now.
fn is_settled(site: &UseSite<'_>, interface: &Interface) -> bool {
    let (Standing::Outdated { newest, .. } | Standing::Removed { newest, .. }) = site.standing() else {
        return matches!(interface, Interface::Metadata(_));
    };
    matches!(interface, Interface::Metadata(_))
        || Version::of(site.version).is_some_and(|version| version.major < newest)
}

/// Names in backticks, the first twelve of them.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 12;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let text = names.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
