//! `container-name`: a fixed name, which two stacks on one machine cannot both have.

use lineclear_compose::interpolation::has_variable;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/container-name.md`.
#[derive(Debug)]
pub(super) struct ContainerName;

static META: RuleMeta = RuleMeta {
    id: "container-name",
    summary: "a fixed name, which two stacks on one machine cannot both have",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("container-name"),
};

impl Rule for ContainerName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(compose) = file.compose() else { return };
        for service in &compose.services {
            let Some(name) = service.container_name.as_ref().filter(|name| !has_variable(&name.text)) else { continue };
            let is_several = service
                .replicas
                .as_ref()
                .is_some_and(|replicas| replicas.text.parse::<u32>().is_ok_and(|replicas| replicas > 1));
            if is_several {
                report
                    .at(
                        name.span,
                        format!(
                            "`{}` runs several times, and only one container can be called `{}`",
                            service.name(),
                            name.text
                        ),
                    )
                    .severity(Severity::Error)
                    .help("leave `container_name` out");
            } else {
                report
                    .at(name.span, format!("only one container of a machine can be called `{}`: a second stack of this file does not start", name.text))
                    .help("leave it out: other services reach it by the service's name, and `name` tells projects apart");
            }
        }
    }
}
