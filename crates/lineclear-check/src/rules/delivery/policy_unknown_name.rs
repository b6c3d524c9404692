//! `policy-unknown-name`: a gate, image or environment that `lineclear.toml` names and does not have.

use crate::Content;
use lineclear_policy::PRESET_GATE;
use lineclear_source::Severity;
use lineclear_source::{Spanned, suggest};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/policy-unknown-name.md`.
#[derive(Debug)]
pub(super) struct PolicyUnknownName;

static META: RuleMeta = RuleMeta {
    id: "policy-unknown-name",
    summary: "a gate, image or environment that `lineclear.toml` names and does not have",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("policy-unknown-name"),
};

impl Rule for PolicyUnknownName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        // A preset has a gate, whether it is written or not.
        let of_preset = policy.preset.as_ref().map(|_| PRESET_GATE);
        let gates = policy.gates.iter().map(|gate| gate.name.value.as_str()).chain(of_preset).collect();
        let gates = Names { what: "gate", known: gates };
        let images =
            Names { what: "image", known: policy.images.iter().map(|image| image.name.value.as_str()).collect() };
        let environments = policy.environments.iter().map(|environment| environment.name.value.as_str()).collect();
        let environments = Names { what: "environment", known: environments };
        for image in &policy.images {
            gates.look_up(image.gate.as_ref(), report);
            for promotion in &image.promote {
                gates.look_up(promotion.gate.as_ref(), report);
            }
        }
        for environment in &policy.environments {
            gates.look_up(environment.gate.as_ref(), report);
            images.look_up(&environment.images, report);
            environments.look_up(&environment.after, report);
        }
    }
}

/// What can be named.
struct Names<'p> {
    what: &'static str,
    known: Vec<&'p str>,
}

impl Names<'_> {
    fn look_up<'n>(&self, names: impl IntoIterator<Item = &'n Spanned<String>>, report: &mut Report<'_>) {
        for name in names {
            if self.known.contains(&name.value.as_str()) {
                continue;
            }
            let mut message = format!("there is no {} `{}`", self.what, name.value);
            if let Some(near) = suggest(&name.value, self.known.iter().copied()) {
                message.push_str(&format!("; did you mean `{near}`?"));
            }
            report.at(name.span, message).help(format!("declare it as `[{}.{}]`", self.what, name.value));
        }
    }
}
