//! `undefined-compose-name`: a network, volume, secret, config or service that is nowhere declared.

use lineclear_compose::interpolation::has_variable;
use lineclear_compose::{Compose, Element, MountKind, Service};
use lineclear_source::{Severity, Span, suggest};

use super::layers::{any_beside, folder_of, joined, read};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undefined-compose-name.md`.
#[derive(Debug)]
pub(super) struct UndefinedComposeName;

static META: RuleMeta = RuleMeta {
    id: "undefined-compose-name",
    summary: "a network, volume, secret, config or service that is nowhere declared",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("undefined-compose-name"),
};

impl Rule for UndefinedComposeName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        // What is included may declare anything.
        if layers.includes() {
            return;
        }
        let mut look = |what: &str, name: &str, span: Span, known: fn(&Compose) -> &[Element], all: &[Element]| {
            let is_there = has_variable(name)
                || all.iter().any(|element| element.key.text == name)
                || any_beside(compose, file.project(), |other| {
                    !other.includes.is_empty() || known(other).iter().any(|element| element.key.text == name)
                });
            if is_there {
                return;
            }
            let near = suggest(name, all.iter().map(|element| element.key.text.as_str()))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            report
                .at(span, format!("no {what} `{name}` is declared: nothing starts{near}"))
                .help(format!("add `{name}:` to `{what}s` at the end of the file"));
        };
        let all = layers.all();
        for service in &compose.services {
            for name in service.networks.iter().filter(|name| name.text != "default") {
                look("network", &name.text, name.span, |compose| &compose.networks, &all.networks);
            }
            for name in &service.secrets {
                look("secret", &name.text, name.span, |compose| &compose.secrets, &all.secrets);
            }
            for name in &service.configs {
                look("config", &name.text, name.span, |compose| &compose.configs, &all.configs);
            }
            for mount in service.mounts.iter().filter(|mount| mount.kind == MountKind::Volume) {
                let Some(source) = &mount.source else { continue };
                look("volume", source, mount.source_span, |compose| &compose.volumes, &all.volumes);
            }
        }
        let is_service = |name: &str| {
            has_variable(name)
                || all.service(name).is_some()
                || any_beside(compose, file.project(), |other| other.service(name).is_some())
        };
        for service in &compose.services {
            let shared = service.network_mode.as_ref();
            if let Some((mode, name)) = shared.and_then(|mode| Some((mode, mode.text.strip_prefix("service:")?)))
                && !is_service(name)
            {
                let near = near(name, &all.services);
                report.at(
                    mode.span,
                    format!("`{}` shares the network of `{name}`, and there is no such service{near}", service.name()),
                );
            }
            let Some(extends) = &service.extends else { continue };
            let name = extends.service.text.as_str();
            let Some(path) = &extends.file else {
                if !is_service(name) {
                    let near = near(name, &all.services);
                    report.at(
                        extends.service.span,
                        format!("`{}` extends `{name}`, and there is no such service{near}", service.name()),
                    );
                }
                continue;
            };
            let other = joined(folder_of(file.path()), &path.text).and_then(|path| read(file.project(), &path));
            let Some(other) = other else { continue };
            if !has_variable(name) && other.service(name).is_none() {
                let near = near(name, &other.services);
                report.at(extends.service.span, format!("`{}` has no service `{name}` to extend{near}", path.text));
            }
        }
    }
}

fn near(name: &str, services: &[Service]) -> String {
    suggest(name, services.iter().map(Service::name))
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}
