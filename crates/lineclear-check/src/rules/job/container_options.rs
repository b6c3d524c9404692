//! `container-options`: options, ports and volumes that Docker or the runner does not take.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Container, Text};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/container-options.md`.
#[derive(Debug)]
pub(super) struct ContainerOptions;

static META: RuleMeta = RuleMeta {
    id: "container-options",
    summary: "options, ports or volumes that a container cannot have",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("container-options"),
};

impl Rule for ContainerOptions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (_, job) in file.step_jobs() {
            job.container.iter().for_each(|container| check_container(container, true, report));
            let mut taken: Vec<(&str, &str, Span)> = Vec::new();
            for service in &job.services {
                check_container(&service.container, false, report);
                for port in literals(&service.container.ports) {
                    let Some((host, _)) = port.raw().rsplit_once(':') else { continue };
                    let protocol = if port.raw().ends_with("/udp") { "udp" } else { "tcp" };
                    match taken.iter().find(|(other, of, _)| *other == host && *of == protocol) {
                        Some((.., first)) => {
                            let message = format!("two containers cannot both have port {host} of the machine");
                            report.at(port.span(), message).label(*first, "it is taken here");
                        }
                        None => taken.push((host, protocol, port.span())),
                    }
                }
            }
        }
    }
}

fn check_container(container: &Container, is_of_job: bool, report: &mut Report<'_>) {
    if let Some(options) = container.options.as_ref().filter(|options| options.raw().contains("--")) {
        check_options(options, is_of_job, report);
    }
    for port in literals(&container.ports).filter(|port| !is_port(port.raw())) {
        report
            .at(port.span(), format!("`{}` is no port of a container", port.raw()))
            .help("write `container`, `host:container` or `host:container/udp`, with numbers");
    }
    for volume in literals(&container.volumes) {
        if let Some(message) = volume_fault(volume.raw()) {
            report
                .at(volume.span(), message)
                .help("write `/path/on/machine:/path/in/container` or `name:/path/in/container`");
        }
    }
}

fn check_options(options: &Text, is_of_job: bool, report: &mut Report<'_>) {
    let text = options.raw();
    let mut from = 0;
    for word in text.split_ascii_whitespace() {
        let at = text.get(from..).and_then(|rest| rest.find(word)).map_or(from, |at| from + at);
        from = at + word.len();
        let name = word.split('=').next().unwrap_or(word);
        let message = match name {
            "--network" | "--net" => "`--network` is not supported: the container is in a network of the job's own",
            "--entrypoint" if is_of_job => {
                "`--entrypoint` is not supported for a job's container: the runner keeps it alive with its own"
            }
            _ => continue,
        };
        let severity = if name == "--entrypoint" { Severity::Info } else { Severity::Warning };
        report.at(options.scalar.span_of(at..at + name.len()), message).severity(severity);
    }
}

fn literals(texts: &[Text]) -> impl Iterator<Item = &Text> {
    texts.iter().filter(|text| text.template.as_literal().is_some())
}

/// `[[address:]host:]container[/protocol]`, each a number or a range.
fn is_port(text: &str) -> bool {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let is_number = |part: &str| part.parse::<u16>().is_ok();
    let is_range = |part: &str| match part.split_once('-') {
        Some((first, last)) => is_number(first) && is_number(last),
        None => is_number(part),
    };
    let mut parts = ports.rsplitn(3, ':');
    let container = parts.next().is_some_and(is_range);
    // An empty one lets Docker choose.
    let host = parts.next().is_none_or(|part| part.is_empty() || is_range(part));
    container && host && matches!(protocol, "tcp" | "udp" | "sctp")
}

fn volume_fault(text: &str) -> Option<String> {
    // A drive's letter is no part of its own.
    let is_windows = text.contains('\\') || text.as_bytes().get(1) == Some(&b':');
    if is_windows || text.is_empty() {
        return None;
    }
    let parts: Vec<&str> = text.split(':').collect();
    let target = match parts.as_slice() {
        [target] | [_, target] | [_, target, _] => target,
        _ => return Some(format!("`{text}` is no volume: it has more than three parts")),
    };
    (!target.starts_with('/')).then(|| format!("`{target}` is no place in the container: it does not begin with `/`"))
}
