//! `service-without-healthcheck`: a service of which nobody knows whether it works.

use lineclear_compose::Environment;
use lineclear_source::Severity;

use super::layers::{Health, folder_of, health, is_delivered};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/service-without-healthcheck.md`.
#[derive(Debug)]
pub(super) struct ServiceWithoutHealthcheck;

static META: RuleMeta = RuleMeta {
    id: "service-without-healthcheck",
    summary: "a service of which nobody knows whether it works",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("service-without-healthcheck"),
};

impl Rule for ServiceWithoutHealthcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        let environment = Environment::of(file.path());
        if matches!(environment, Environment::Development | Environment::Override) {
            return;
        }
        for service in &compose.services {
            let Some(widest) = layers.all().service(service.name()) else { continue };
            if let Some(check) = service.healthcheck.as_ref().filter(|check| check.is_off) {
                report
                    .at(
                        check.key,
                        format!(
                            "the health check of `{}` is switched off: nobody knows whether it works",
                            service.name()
                        ),
                    )
                    .help("let it ask something that fails when the service does not work");
                continue;
            }
            let is_here = service.image.is_some() || service.build.is_some();
            let is_own = is_here && !layers.is_below(service.name());
            if !is_own || layers.is_partial() || layers.is_job(widest) {
                continue;
            }
            let known = health(widest, folder_of(file.path()), file.project());
            let severity = match known {
                Health::Checked => continue,
                Health::Unchecked if environment != Environment::Test => Severity::Warning,
                Health::Unknown if is_delivered(environment, service) => Severity::Warning,
                Health::Unchecked | Health::Unknown => Severity::Info,
            };
            let why = if known == Health::Unknown { ", unless its image has one" } else { "" };
            report
                .at(
                    service.key.span,
                    format!("`{}` has no health check{why}: nobody knows whether it works", service.name()),
                )
                .severity(severity)
                .help("add `healthcheck` with a `test` that asks the service something");
        }
    }
}
