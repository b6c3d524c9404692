//! `service-health`: a database takes a while before it answers.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/service-health.md`.
#[derive(Debug)]
pub(super) struct ServiceHealth;

static META: RuleMeta = RuleMeta {
    id: "service-health",
    summary: "a service that steps may use before it is ready",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("service-health"),
};

/// Images that take seconds to answer, and the command that asks them.
const SLOW: [(&str, &str); 11] = [
    ("postgres", "pg_isready"),
    ("postgis", "pg_isready"),
    ("timescaledb", "pg_isready"),
    ("mysql", "mysqladmin ping"),
    ("mariadb", "healthcheck.sh --connect"),
    ("mongo", "mongosh --eval 'db.hello()'"),
    ("elasticsearch", "curl -f localhost:9200/_cluster/health"),
    ("opensearch", "curl -f localhost:9200/_cluster/health"),
    ("rabbitmq", "rabbitmq-diagnostics -q ping"),
    ("server", "sqlcmd -Q 'select 1'"),
    ("cassandra", "nodetool status"),
];

/// What scripts that wait by themselves have in them.
const WAITS: [&str; 9] =
    ["pg_isready", "mysqladmin", "wait-for", "wait_for", "until ", "while ", "nc -z", "sleep ", "dockerize"];

impl Rule for ServiceHealth {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (job, steps) in file.step_jobs() {
            for service in &steps.services {
                let container = &service.container;
                let Some((name, ask)) = slow(container.image.raw()) else { continue };
                if container.options.is_some() || container.image.template.as_literal().is_none() {
                    continue;
                }
                let mut scripts =
                    file.scripts().iter().filter(|script| script.site.job.is_some_and(|of| std::ptr::eq(of, job)));
                if scripts.any(|script| WAITS.iter().any(|wait| script.raw().contains(wait))) {
                    continue;
                }
                let message = format!(
                    "steps start as soon as the container of service `{}` runs, whether `{name}` answers or not",
                    service.id.value
                );
                report.at(container.image.span(), message).help(format!(
                    "add `options: --health-cmd \"{ask}\" --health-interval 5s --health-retries 12`: the job then waits"
                ));
            }
        }
    }
}

/// Whether an image is one of the slow ones, by the last part of its name.
fn slow(image: &str) -> Option<(&'static str, &'static str)> {
    let name = image.split('@').next()?.rsplit('/').next()?.split(':').next()?;
    let is_mssql = image.contains("mssql");
    SLOW.iter().copied().find(|(slow, _)| name == *slow && (*slow != "server" || is_mssql))
}
