//! `unknown-gate`: a workflow that asks a gate which there is not.

use lineclear_policy::PRESET_GATE;
use lineclear_source::{Severity, Span, suggest};

use super::asked_gates::AskedGates;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-gate.md`.
#[derive(Debug)]
pub(super) struct UnknownGate;

static META: RuleMeta = RuleMeta {
    id: "unknown-gate",
    summary: "a step or command that names a gate or image which `lineclear.toml` does not have",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unknown-gate"),
};

impl Rule for UnknownGate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let asked = AskedGates::of(file);
        let publishing = || file.uses().iter().filter(|site| PUBLISHING.iter().any(|name| site.is(name)));
        if asked.named.is_empty() && publishing().next().is_none() {
            return;
        }
        let Some(policy) = file.project().policy() else { return };
        let mut gates: Vec<&str> = policy.gates.iter().map(|gate| gate.name.value.as_str()).collect();
        if policy.preset.is_some() && !gates.contains(&PRESET_GATE) {
            gates.push(PRESET_GATE);
        }
        for (name, span) in &asked.named {
            unknown(name, "gate", &gates, *span, report);
        }
        let images: Vec<&str> = policy.images.iter().map(|image| image.name.value.as_str()).collect();
        for site in publishing() {
            for input in ["image", "images"] {
                let Some(value) = site.input(input).filter(|value| value.template.as_literal().is_some()) else {
                    continue;
                };
                let names = value.raw().split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
                for name in names {
                    unknown(name, "image", &images, value.span(), report);
                }
            }
        }
    }
}

/// The native steps that move images.
const PUBLISHING: &[&str] = &["lineclear/publish", "lineclear/promote"];

fn unknown(name: &str, what: &str, known: &[&str], span: Span, report: &mut Report<'_>) {
    if known.contains(&name) {
        return;
    }
    let mut message = format!("`lineclear.toml` has no {what} `{name}`");
    if let Some(near) = suggest(name, known.iter().copied()) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    report.at(span, message).help(format!("declare it as `[{what}.{name}]` in `lineclear.toml`"));
}
