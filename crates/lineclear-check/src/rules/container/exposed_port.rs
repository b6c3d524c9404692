//! `exposed-port`: a port that leads past the proxy.

use lineclear_compose::interpolation::has_variable;
use lineclear_compose::{Port, Service};
use lineclear_source::Severity;

use super::image::Image;
use super::layers::{is_proxy, place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/exposed-port.md`.
#[derive(Debug)]
pub(super) struct ExposedPort;

static META: RuleMeta = RuleMeta {
    id: "exposed-port",
    summary: "a port that leads past the proxy",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("exposed-port"),
};

impl Rule for ExposedPort {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        let delivered: Vec<&Service> = layers.delivered(compose).collect();
        let has_proxy = delivered.iter().any(|service| is_proxy(service) && service.ports.iter().any(is_open));
        let last = layers.sure().files.len().saturating_sub(1);
        for service in &delivered {
            if is_proxy(service) || !has_proxy && is_entry(service, &delivered) {
                continue;
            }
            for port in service.ports.iter().filter(|port| is_open(port)) {
                let own = compose.service(service.name()).filter(|_| port.origin == last);
                let place = if port.origin == last { Some(port.span) } else { place_of(compose, service.name()) };
                let number = port.published.as_deref().unwrap_or(&port.target);
                let message = format!(
                    "`{}`{} publishes port {number}: who reaches the machine reaches it{}",
                    service.name(),
                    layers.below(own),
                    if has_proxy { " past the proxy" } else { "" }
                );
                tell(report, place, message).help(if port.origin == last {
                    format!("leave it out: the other services reach it as `{}:{}`; for the machine alone write `127.0.0.1:` before it", service.name(), port.target)
                } else {
                    "take it away here: `ports: !reset []`".to_owned()
                });
            }
        }
    }
}

/// Whether more than the machine itself reaches it, as far as the file says.
fn is_open(port: &Port) -> bool {
    !port.is_local() && !port.address.as_deref().is_some_and(has_variable)
}

/// Whether a service is where requests come in, in a stack without a proxy: that with the ports of the web, or the only one with any.
fn is_entry(service: &Service, all: &[&Service]) -> bool {
    let is_web =
        |service: &Service| service.ports.iter().any(|port| matches!(port.published.as_deref(), Some("80" | "443")));
    if service.image.as_ref().is_some_and(|image| is_inner(&image.text)) {
        return false;
    }
    let open = |other: &&&Service| {
        other.ports.iter().any(is_open) && !other.image.as_ref().is_some_and(|image| is_inner(&image.text))
    };
    is_web(service) || all.iter().filter(open).count() == 1
}

/// Whether an image is one that only other services speak to.
fn is_inner(image: &str) -> bool {
    let name = Image::read(image).repository.rsplit('/').next().unwrap_or_default();
    INNER.contains(&name)
}

const INNER: [&str; 16] = [
    "postgres",
    "postgis",
    "mysql",
    "mariadb",
    "redis",
    "valkey",
    "mongo",
    "rabbitmq",
    "memcached",
    "elasticsearch",
    "opensearch",
    "zookeeper",
    "kafka",
    "clickhouse-server",
    "influxdb",
    "etcd",
];
