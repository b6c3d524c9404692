//! What a policy asks, in words.

use std::fmt::Write as _;
use std::time::Duration;

use lineclear_policy::{
    Context, Environment, Gate, Image, Policy, Preset, Rollback, SbomFormat, Skipped, VulnerabilitySeverity,
};

use crate::delivery::release_name;

/// The whole policy.
pub(super) fn of_policy(policy: &Policy, repository: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(preset) = &policy.preset {
        let _ = writeln!(text, "{}\n", preset_line(preset.preset.value));
    }
    if policy.gates.is_empty() {
        text.push_str("There is no gate: nothing is proven, so no image can be published through one.\n\n");
    }
    for gate in &policy.gates {
        text.push_str(&of_gate(gate, policy));
        text.push('\n');
    }
    for image in &policy.images {
        let _ = writeln!(text, "{}", of_image(image, repository));
    }
    if policy.images.is_empty() {
        text.push_str("No image is configured: nothing is published through a gate.\n");
    }
    for environment in &policy.environments {
        let _ = writeln!(text, "{}", of_environment(environment));
    }
    if policy.environments.is_empty() {
        text.push_str("No environment is configured: nothing is deployed.\n");
    }
    for ignore in &policy.scan.ignores {
        let place = ignore.package.as_ref().map(|package| format!(" in `{}`", package.value)).unwrap_or_default();
        let _ = writeln!(
            text,
            "`{}`{place} is ignored up to {}, on the word of {}: {}.",
            ignore.id.value, ignore.until.value, ignore.owner.value, ignore.reason.value
        );
    }
    text
}

/// What a preset stands for, in a sentence.
pub(crate) fn preset_line(preset: Preset) -> String {
    let meaning = match preset {
        Preset::PublishOnly => "images are published when the quality checks have succeeded",
        Preset::Balanced => {
            "exactly the quality checks, the smoke test and the build check of the images have to succeed; longer tests are shown and do not block"
        }
        Preset::Strict => {
            "every check that delivers nothing has to succeed, no critical or high vulnerability may be known, and images have a list of contents, a signature and an attestation of their build"
        }
    };
    format!("The preset is `{}`: {meaning}. Keys of the file win over it.", preset.as_str())
}

/// A gate with what it asks for, a line each.
pub(super) fn of_gate(gate: &Gate, policy: &Policy) -> String {
    let name = gate.name.value.as_str();
    let mut text = format!("The gate `{name}` is clear when\n");
    let asked = asks(gate);
    if asked.is_empty() {
        text = format!("The gate `{name}` asks for nothing, so it proves nothing.\n");
    }
    for ask in &asked {
        let _ = writeln!(text, "  - {ask}");
    }
    if let Some(Skipped::Fail) = gate.skipped.as_ref().map(|skipped| skipped.value) {
        text.push_str("  A check that its own conditions skipped counts as failed.\n");
    }
    if let Some(time) = &gate.fresh_for {
        let _ = writeln!(text, "  Evidence older than {} does not count.", time_in_words(time.value));
    }
    if !gate.supplementary.is_empty() {
        let _ = writeln!(
            text,
            "  Shown beside it, and never blocking: {}.",
            list(gate.supplementary.iter().map(|check| check.value.as_str()))
        );
    }
    let holds: Vec<String> = held_by(name, policy);
    if holds.is_empty() {
        text.push_str("  Nothing names it; ask it by `lineclear gate`.\n");
    } else {
        let _ = writeln!(text, "  It holds back {}.", holds.join(", "));
    }
    text
}

/// What a gate asks for, each as the end of "it is clear when …".
fn asks(gate: &Gate) -> Vec<String> {
    let mut asks = Vec::new();
    for required in &gate.require {
        let on = match required.on.as_ref().map(|on| on.value) {
            None => "",
            Some(Context::PullRequest) => ", on pull requests",
            Some(Context::Push) => ", on pushes",
        };
        asks.push(format!("the check `{}` has succeeded{on}", required.check.value));
    }
    if let Some(coverage) = &gate.coverage {
        if let Some(min) = &coverage.min {
            asks.push(format!("the tests reach at least {} % of the lines", min.value));
        }
        if coverage.ratchet.as_ref().is_some_and(|ratchet| ratchet.value) {
            asks.push("the tests reach no less than they reached before".to_owned());
        }
        if coverage.min.is_none() && coverage.ratchet.as_ref().is_none_or(|ratchet| !ratchet.value) {
            asks.push("the tests have reported their coverage".to_owned());
        }
    }
    if let Some(scan) = &gate.scan {
        let severities: Vec<&str> = scan.block.iter().map(|severity| word(severity.value)).collect();
        match scan.budget.as_ref().map_or(0, |budget| budget.value) {
            0 => asks.push(format!("scanners know of no {} vulnerability", severities.join(" or "))),
            budget => {
                let severities = severities.join(" or ");
                asks.push(format!(
                    "scanners know of at most {budget} {severities} vulnerabilities in the source, and of at most {budget} in the image"
                ));
            }
        }
    }
    let is = |value: &Option<lineclear_source::Spanned<bool>>| value.as_ref().is_some_and(|value| value.value);
    for (key, what) in [
        (&gate.sbom, "a list of the image's contents is there"),
        (&gate.signature, "the image is signed by a key that counts"),
        (&gate.provenance, "it is attested from which commit the image was built"),
    ] {
        if is(key) {
            asks.push(what.to_owned());
        }
    }
    asks.extend(gate.statements.iter().map(|name| format!("somebody has stated `{}`", name.value)));
    asks
}

fn held_by(gate: &str, policy: &Policy) -> Vec<String> {
    let is = |name: &Option<lineclear_source::Spanned<String>>| name.as_ref().is_some_and(|name| name.value == gate);
    let mut held = Vec::new();
    for image in &policy.images {
        if is(&image.gate) {
            held.push(format!("the image `{}`", image.name.value));
        }
        for promotion in image.promote.iter().filter(|promotion| is(&promotion.gate)) {
            held.push(format!("the promotion of `{}` to `{}`", image.name.value, promotion.target.value));
        }
    }
    let environments = policy.environments.iter().filter(|environment| is(&environment.gate));
    held.extend(environments.map(|environment| format!("the environment `{}`", environment.name.value)));
    held
}

fn of_image(image: &Image, repository: &str) -> String {
    let release = image.repository.as_ref().map(|text| release_name(&text.value, repository));
    let repository = release.as_deref().unwrap_or("?");
    let mut text = format!("The image `{}` goes to `{repository}`", image.name.value);
    match &image.gate {
        Some(gate) => {
            let _ = write!(text, " through the gate `{}`", gate.value);
        }
        None => text.push_str(" through no gate, so nothing publishes it"),
    }
    for rule in &image.tags {
        let _ = write!(
            text,
            ";\n  what is built from `{}` is called {}",
            rule.refs.value,
            list(rule.tags.iter().map(|tag| tag.value.as_str()))
        );
    }
    for promotion in &image.promote {
        let gate =
            promotion.gate.as_ref().map(|gate| format!(" through the gate `{}`", gate.value)).unwrap_or_default();
        let _ = write!(
            text,
            ";\n  promoted to `{}`{gate} it is called {}",
            promotion.target.value,
            list(promotion.tags.iter().map(|tag| tag.value.as_str()))
        );
    }
    if !image.candidates.is_empty() {
        let _ = write!(
            text,
            ";\n  any job may push {} without a gate",
            list(image.candidates.iter().map(|tag| tag.value.as_str()))
        );
    }
    if !image.sbom.is_empty() {
        let formats = image.sbom.iter().map(|format| match format.value {
            SbomFormat::Spdx => "SPDX",
            SbomFormat::CycloneDx => "CycloneDX",
        });
        let _ = write!(text, ";\n  its contents are listed as {}", formats.collect::<Vec<_>>().join(" and "));
    }
    if image.sign.as_ref().is_some_and(|sign| sign.value) {
        text.push_str(";\n  it is signed");
    }
    text.push('.');
    text
}

fn of_environment(environment: &Environment) -> String {
    let mut text = format!("The environment `{}` accepts ", environment.name.value);
    match &environment.accepts {
        Some(accepts) => text.push_str(&list(accepts.value.iter().map(|pattern| pattern.value.as_str()))),
        None => text.push_str("anything"),
    }
    if !environment.after.is_empty() {
        let _ = write!(
            text,
            ", after the same digests were proven in {}",
            list(environment.after.iter().map(|name| name.value.as_str()))
        );
    }
    if let Some(gate) = &environment.gate {
        let _ = write!(text, ", through the gate `{}`", gate.value);
    }
    if let Some(approvals) = &environment.approvals {
        let count = approvals.count.as_ref().map_or(1, |count| count.value);
        let _ = write!(text, ", with {count} approval{}", if count == 1 { "" } else { "s" });
    }
    match environment.rollback.as_ref().map(|rollback| rollback.value) {
        Some(Rollback::Automatic) => text.push_str("; a failed deployment brings back what was there before"),
        Some(Rollback::Manual) | None => text.push_str("; after a failed deployment it is held until somebody decides"),
    }
    text.push('.');
    text
}

fn list<'t>(names: impl Iterator<Item = &'t str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn word(severity: VulnerabilitySeverity) -> &'static str {
    match severity {
        VulnerabilitySeverity::Unknown => "unknown",
        VulnerabilitySeverity::Low => "low",
        VulnerabilitySeverity::Medium => "medium",
        VulnerabilitySeverity::High => "high",
        VulnerabilitySeverity::Critical => "critical",
    }
}

fn time_in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds.is_multiple_of(*size)).unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
