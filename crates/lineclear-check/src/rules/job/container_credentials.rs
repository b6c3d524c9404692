//! `container-credentials`: a registry's password in clear.

use lineclear_expr::{NodeKind, Template, Value};
use lineclear_source::Severity;
use lineclear_workflow::Text;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/container-credentials.md`.
#[derive(Debug)]
pub(super) struct ContainerCredentials;

static META: RuleMeta = RuleMeta {
    id: "container-credentials",
    summary: "a registry's password stands in the workflow",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("container-credentials"),
};

impl Rule for ContainerCredentials {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (_, job) in file.step_jobs() {
            let services = job.services.iter().map(|service| (&service.container, Some(service.id.value.as_str())));
            for (container, service) in job.container.iter().map(|container| (container, None)).chain(services) {
                let Some(credentials) = container.credentials.as_ref().filter(|it| is_in_clear(&it.password)) else {
                    continue;
                };
                let message = match service {
                    Some(id) => format!("the password for the image of service `{id}` stands in the workflow: all who read the repository have it"),
                    None => "the password for the container's image stands in the workflow: all who read the repository have it".to_owned(),
                };
                report
                    .at(credentials.password.span(), message)
                    .help("change the password, keep the new one as a secret, and write `${{ secrets.NAME }}`");
            }
        }
    }
}

fn is_in_clear(text: &Text) -> bool {
    match &text.template {
        Template::Literal(value) => !matches!(value, Value::Null) && !text.raw().is_empty(),
        Template::Expression(expr) => {
            matches!(expr.root().kind(), NodeKind::Literal(Value::String(text)) if !text.is_empty())
        }
        Template::Mixed(_) => false,
    }
}
