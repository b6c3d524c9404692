//! `unknown-gate`: a workflow that asks a gate which there is not.

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};
use lineclear_policy::PRESET_GATE;
use lineclear_shell::Word;
use lineclear_source::{Severity, Span, suggest};

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
        let asks = |name: &str| file.uses().iter().any(|site| site.is(name));
        let has_command = file.scripts().iter().any(|script| script.raw().contains("lineclear"));
        if !has_command && !ASKING.iter().any(|name| asks(name)) {
            return;
        }
        let Some(policy) = file.project().policy() else { return };
        let mut gates: Vec<&str> = policy.gates.iter().map(|gate| gate.name.value.as_str()).collect();
        if policy.preset.is_some() && !gates.contains(&PRESET_GATE) {
            gates.push(PRESET_GATE);
        }
        let images: Vec<&str> = policy.images.iter().map(|image| image.name.value.as_str()).collect();
        for site in file.uses().iter().filter(|site| ASKING.iter().any(|name| site.is(name))) {
            for (input, what, known) in
                [("gate", "gate", &gates), ("image", "image", &images), ("images", "image", &images)]
            {
                let Some(value) = site.input(input).filter(|value| value.template.as_literal().is_some()) else {
                    continue;
                };
                let names = value.raw().split([',', ' ', '\n']).map(str::trim).filter(|name| !name.is_empty());
                for name in names {
                    unknown(name, what, known, value.span(), report);
                }
            }
        }
        for script in file.scripts() {
            for command in &script.script().commands {
                let Some(("lineclear", arguments)) = command.program() else { continue };
                let is_flag = |word: &Word| word.literal() == Some("--gate");
                let named = arguments.iter().zip(arguments.iter().skip(1)).find(|(flag, _)| is_flag(flag));
                if let Some((_, word)) = named
                    && let Some(name) = word.literal()
                {
                    unknown(name, "gate", &gates, script.span_of(word.span.clone()), report);
                }
            }
        }
    }
}

/// The native steps that go through a gate.
const ASKING: &[&str] = &["lineclear/gate", "lineclear/publish", "lineclear/promote"];

fn unknown(name: &str, what: &str, known: &[&str], span: Span, report: &mut Report<'_>) {
    if known.contains(&name) || name.contains("${{") {
        return;
    }
    let mut message = format!("`lineclear.toml` has no {what} `{name}`");
    if let Some(near) = suggest(name, known.iter().copied()) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    report.at(span, message).help(format!("declare it as `[{what}.{name}]` in `lineclear.toml`"));
}
