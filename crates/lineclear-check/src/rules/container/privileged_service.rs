//! `privileged-service`: a service that can take the machine over.

use lineclear_compose::{Environment, Service};
use lineclear_source::{Severity, Span};
use lineclear_yaml::Node;

use super::image::Image;
use super::layers::{is_delivered, words};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/privileged-service.md`.
#[derive(Debug)]
pub(super) struct PrivilegedService;

static META: RuleMeta = RuleMeta {
    id: "privileged-service",
    summary: "a service that can take the machine over",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("privileged-service"),
};

impl Rule for PrivilegedService {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(compose) = file.compose() else { return };
        let environment = Environment::of(file.path());
        for service in &compose.services {
            let is_own_machine =
                matches!(environment, Environment::Development | Environment::Test | Environment::Override);
            let is_needed = is_needed(service);
            let is_delivered = is_delivered(environment, service);
            let mut tell = |span: Span, message: String, help: &str, is_mild: bool| {
                let severity = if is_own_machine || is_needed || is_mild && !is_delivered {
                    Severity::Info
                } else {
                    Severity::Warning
                };
                report.at(span, message).severity(severity).help(help);
            };
            let name = service.name();
            if let Some(privileged) = service.privileged.as_ref().filter(|value| value.text == "true") {
                let help = "name the single right by `cap_add`, or the device by `devices`";
                tell(
                    privileged.span,
                    format!("`{name}` is privileged: who takes it over has the machine"),
                    help,
                    false,
                );
            }
            for mount in &service.mounts {
                let Some(source) = mount.source.as_deref() else { continue };
                if SOCKETS.iter().any(|socket| source.ends_with(socket)) {
                    let message = format!(
                        "`{name}` speaks to the container engine: who takes it over has the machine, also if it is mounted `ro`"
                    );
                    tell(
                        mount.span,
                        message,
                        "put a proxy before the socket that lets only the calls through that it needs",
                        false,
                    );
                } else if source == "/" && !mount.is_read_only {
                    let message = format!("`{name}` can write all files of the machine");
                    tell(mount.span, message, "mount the folder that it needs, with `:ro` if it only reads", false);
                }
            }
            if let Some(mode) = service.network_mode.as_ref().filter(|mode| mode.text == "host") {
                let message = format!(
                    "`{name}` has the machine's own network: it reaches all that listens there, and its ports are open"
                );
                tell(mode.span, message, "publish the ports that it needs", true);
            }
            for key in ["pid", "ipc", "userns_mode"] {
                let value = service.node.get(key).and_then(Node::as_scalar);
                if let Some(value) = value.filter(|value| value.text == "host") {
                    tell(
                        value.span,
                        format!("`{name}` shares `{key}` with the machine: it can get at its other programs"),
                        "leave it out",
                        key != "pid",
                    );
                }
            }
            for capability in &service.cap_add {
                let upper = capability.text.to_ascii_uppercase();
                if CAPABILITIES.contains(&upper.strip_prefix("CAP_").unwrap_or(&upper)) {
                    let message =
                        format!("with `{}`, who takes `{name}` over can get out of its container", capability.text);
                    tell(capability.span, message, "name a smaller right, or none", false);
                }
            }
            for option in service.node.get("security_opt").and_then(Node::as_sequence).unwrap_or_default() {
                let Some(option) = option.as_scalar() else { continue };
                if matches!(option.text.split_once([':', '=']), Some(("seccomp" | "apparmor", "unconfined"))) {
                    tell(
                        option.span,
                        format!("`{name}` runs without the engine's guard against dangerous system calls"),
                        "leave it out, or give it a profile of its own",
                        true,
                    );
                }
            }
        }
    }
}

const SOCKETS: [&str; 3] = ["/docker.sock", "/podman.sock", "/containerd.sock"];

/// Rights that are as good as all.
const CAPABILITIES: [&str; 7] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"];

/// Whether it is the service's work to look at the machine or at its containers.
fn is_needed(service: &Service) -> bool {
    let is_one = |word: String| GUARDS.contains(&word.as_str());
    let image = service.image.as_ref().map(|image| Image::read(&image.text).repository);
    image.is_some_and(|image| words(image).any(is_one)) || words(service.name()).any(is_one)
}

const GUARDS: [&str; 20] = [
    "traefik",
    "portainer",
    "watchtower",
    "cadvisor",
    "exporter",
    "promtail",
    "dind",
    "docker",
    "dozzle",
    "socket",
    "autoheal",
    "ouroboros",
    "diun",
    "vector",
    "alloy",
    "fluentd",
    "filebeat",
    "datadog",
    "netdata",
    "runner",
];
