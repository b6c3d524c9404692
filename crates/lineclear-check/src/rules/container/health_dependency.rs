//! `health-dependency`: a dependency that is never met, or not waited for.

use std::collections::HashSet;

use lineclear_compose::{Condition, Dependency, Service, Stack};
use lineclear_source::{Severity, suggest};

use super::layers::{Health, Layers, any_beside, folder_of, health};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/health-dependency.md`.
#[derive(Debug)]
pub(super) struct HealthDependency;

static META: RuleMeta = RuleMeta {
    id: "health-dependency",
    summary: "a dependency that is never met, or not waited for",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("health-dependency"),
};

impl Rule for HealthDependency {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        for service in &compose.services {
            for dependency in &service.depends_on {
                of_dependency(file, layers, service, dependency, report);
            }
        }
        cycles(compose.services.as_slice(), layers.sure(), report);
    }
}

fn of_dependency(
    file: &File<'_>,
    layers: &Layers,
    service: &Service,
    dependency: &Dependency,
    report: &mut Report<'_>,
) {
    let Some(compose) = file.compose() else { return };
    let (name, span) = (dependency.service.text.as_str(), dependency.service.span);
    let Some(target) = layers.all().service(name) else {
        let is_missing = dependency.is_required
            && !layers.is_partial()
            && !any_beside(compose, file.project(), |other| other.service(name).is_some());
        if is_missing {
            let near = suggest(name, layers.all().services.iter().map(Service::name))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            report.at(span, format!("`{}` depends on `{name}`, and there is no such service{near}", service.name()));
        }
        return;
    };
    match dependency.condition {
        Condition::Healthy => {
            let known = if layers.is_partial() && target.healthcheck.is_none() {
                Health::Unknown
            } else {
                health(target, folder_of(file.path()), file.project())
            };
            match known {
                Health::Checked => {}
                Health::Unchecked if target.healthcheck.as_ref().is_some_and(|check| check.is_off) => {
                    report
                        .at(
                            span,
                            format!("`{}` never starts: the health check of `{name}` is switched off", service.name()),
                        )
                        .help(format!("give `{name}` a `healthcheck`"));
                }
                Health::Unchecked => {
                    report
                        .at(
                            span,
                            format!(
                                "`{}` never starts: `{name}` has no health check that could succeed",
                                service.name()
                            ),
                        )
                        .help(format!("give `{name}` a `healthcheck`"));
                }
                Health::Unknown if layers.is_partial() => {}
                Health::Unknown => {
                    report
                        .at(
                            span,
                            format!(
                                "`{}` never starts if the image of `{name}` has no health check: there is none here",
                                service.name()
                            ),
                        )
                        .severity(Severity::Warning)
                        .help(format!("give `{name}` a `healthcheck`"));
                }
            }
        }
        Condition::Started if !dependency.is_explicit => {
            let is_checked = target.healthcheck.as_ref().is_some_and(|check| !check.is_off && check.test.is_some());
            if is_checked {
                report
                    .at(
                        span,
                        format!(
                            "`{}` starts as soon as `{name}` does: its health check is not waited for",
                            service.name()
                        ),
                    )
                    .severity(Severity::Info)
                    .help(format!("write `{name}: {{ condition: service_healthy }}`"));
            }
        }
        Condition::Started | Condition::Completed => {}
    }
}

/// No stack that somebody wrote has more: looking for circles in a larger one would take long.
const MOST_SERVICES: usize = 500;

/// Services that wait for each other. Each circle is told once, at its first service of this file.
fn cycles(own: &[Service], stack: &Stack, report: &mut Report<'_>) {
    if stack.services.len() > MOST_SERVICES {
        return;
    }
    let mut told = HashSet::new();
    for service in own {
        if told.contains(service.name()) {
            continue;
        }
        let Some(path) = way_back(stack, service.name()) else { continue };
        // Told where this file says to wait; a circle that is all below is the other file's.
        let next = path.get(1).copied().unwrap_or(service.name());
        let entry = service.depends_on.iter().find(|dependency| dependency.service.text == next);
        let Some(entry) = entry else { continue };
        let names: Vec<&str> = path.iter().copied().chain([service.name()]).collect();
        report.at(
            entry.service.span,
            format!("these services never start, as each waits for the next: {}", names.join(" → ")),
        );
        told.extend(path.iter().map(|name| (*name).to_owned()));
    }
}

/// The shortest way from a service over what it depends on to itself, its own name first.
fn way_back<'s>(stack: &'s Stack, from: &'s str) -> Option<Vec<&'s str>> {
    // Each service that was reached, with the index of the one before it.
    let mut reached = vec![(from, 0)];
    let mut seen = HashSet::new();
    let mut at = 0;
    while let Some((last, _)) = reached.get(at).copied() {
        for dependency in stack.service(last).map_or(&[][..], |service| &service.depends_on) {
            let name = dependency.service.text.as_str();
            if name == from {
                let mut way = vec![last];
                let mut index = at;
                while index != 0 {
                    let (_, before) = *reached.get(index)?;
                    way.push(reached.get(before)?.0);
                    index = before;
                }
                way.reverse();
                return Some(way);
            }
            if seen.insert(name) {
                reached.push((name, at));
            }
        }
        at += 1;
    }
    None
}
