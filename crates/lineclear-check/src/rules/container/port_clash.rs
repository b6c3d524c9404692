//! `port-clash`: a port of the machine that two services want.

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};
use lineclear_compose::interpolation::has_variable;
use lineclear_compose::{Environment, Port, Service};
use lineclear_source::Severity;

/// Manual and tests: `docs/rules/port-clash.md`.
#[derive(Debug)]
pub(super) struct PortClash;

static META: RuleMeta = RuleMeta {
    id: "port-clash",
    summary: "a port of the machine that two services want",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("port-clash"),
};

impl Rule for PortClash {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(layers) = file.layers() else { return };

        let stack = layers.sure();
        let last = stack.files.len().saturating_sub(1);
        let all: Vec<(&Service, &Port)> =
            stack.services.iter().flat_map(|service| service.ports.iter().map(move |port| (service, port))).collect();
        for (at, (service, port)) in all.iter().enumerate().take(MOST_PORTS) {
            let Some(range) = fixed(port) else { continue };
            let earlier = all.iter().take(at).find(|(other, earlier)| {
                run_together(other, service)
                    && (port.origin == last || earlier.origin == last)
                    && fixed(earlier).is_some_and(|other| other.0 <= range.1 && range.0 <= other.1)
                    && earlier.protocol == port.protocol
                    && meet(earlier, port)
                    // One port twice of one service is nothing new.
                    && (other.name() != service.name() || earlier.target != port.target)
            });
            let Some((other, earlier)) = earlier else { continue };
            let (told, other_place) = if port.origin == last { (*port, *earlier) } else { (*earlier, *port) };
            let number = range.0.max(fixed(earlier).map_or(0, |range| range.0));
            let finding = report
                .at(
                    told.span,
                    format!(
                        "`{}` and `{}` both want port {number} of the machine: only one of them starts",
                        other.name(),
                        service.name()
                    ),
                )
                .help("publish one of them on another port");
            if other_place.origin == last && other_place.span != told.span {
                finding.label(other_place.span, "here, too");
            }
        }
        if Environment::of(file.path()) != Environment::Test {
            return;
        }
        for (service, port) in all.iter().filter(|(_, port)| port.origin == last) {
            if let Some(published) = port.published.as_deref().filter(|port| !has_variable(port)) {
                report
                    .at(port.span, format!("`{}` always takes port {published}: two runs at once on one machine clash", service.name()))
                    .severity(Severity::Info)
                    .help(format!("write `\"{}\"` alone, and ask `docker compose port` for the one that was given; or leave it out", port.target));
            }
        }
    }
}

/// No stack that somebody wrote has more: each is compared with all before it.
const MOST_PORTS: usize = 1000;

/// The machine's ports, if it is known which the service takes: of a range for one port the engine chooses a free one.
fn fixed(port: &Port) -> Option<(u16, u16)> {
    let range = port.published_range()?;
    (range.0 == range.1 || port.target.contains('-')).then_some(range)
}

/// Whether two addresses of the machine have one in common.
fn meet(one: &Port, other: &Port) -> bool {
    let any = |port: &Port| matches!(port.address.as_deref(), None | Some("" | "0.0.0.0" | "[::]" | "::"));
    any(one) || any(other) || one.address == other.address
}

/// Whether two services are started together for sure.
fn run_together(one: &Service, other: &Service) -> bool {
    let is_shared = |name: &str| other.profiles.iter().any(|profile| profile.text == name);
    one.profiles.is_empty() && other.profiles.is_empty() || one.profiles.iter().any(|profile| is_shared(&profile.text))
}
