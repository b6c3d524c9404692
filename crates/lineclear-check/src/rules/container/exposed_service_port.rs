//! `exposed-service-port`: a port by which somebody else takes the container over.

use lineclear_dockerfile::InstructionKind;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/exposed-service-port.md`.
#[derive(Debug)]
pub(super) struct ExposedServicePort;

static META: RuleMeta = RuleMeta {
    id: "exposed-service-port",
    summary: "a port by which somebody else takes the container over",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("exposed-service-port"),
};

impl Rule for ExposedServicePort {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let Some(last) = dockerfile.last_stage() else { return };
        for instruction in dockerfile.lineage(last).flat_map(|stage| &stage.instructions) {
            let InstructionKind::Expose(ports) = &instruction.kind else { continue };
            for port in ports {
                let number = port.raw().split('/').next().unwrap_or_default();
                let Some((_, what)) = PORTS.iter().find(|(known, _)| *known == number) else { continue };
                report
                    .at(
                        port.span(),
                        format!("port {number} is {what}: who reaches it can run what they like in the container"),
                    )
                    .help("leave it out of the image that is delivered: a stage of its own can have it");
            }
        }
    }
}

/// Ports that give whoever speaks to them a shell, or as good as one.
const PORTS: [(&str, &str); 8] = [
    ("22", "that of SSH"),
    ("23", "that of Telnet"),
    ("2375", "the container engine's, without a password"),
    ("5005", "the Java debugger's"),
    ("5678", "the Python debugger's"),
    ("9229", "the Node.js debugger's"),
    ("4711", "the .NET debugger's"),
    ("2345", "the Go debugger's"),
];
