//! `signature-without-key`: signatures that cannot count, because no key does or the file of one cannot be read.

use lineclear_policy::{PRESET_GATE, Policy, Preset};
use lineclear_source::{Severity, Span};

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/signature-without-key.md`.
#[derive(Debug)]
pub(super) struct SignatureWithoutKey;

static META: RuleMeta = RuleMeta {
    id: "signature-without-key",
    summary: "a gate that asks for a signature where `[signing]` names no key, or a key that cannot be read",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("signature-without-key"),
};

impl Rule for SignatureWithoutKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        for key in policy.signing.keys.iter().filter(|key| is_file(&key.value)) {
            if let Some(problem) = problem_of(&key.value, file) {
                report
                    .at(key.span, format!("{problem}: no signature counts while a key of `[signing]` cannot be read"))
                    .help(format!(
                        "`lineclear key public NAME > {}` writes the public half of a key that is kept",
                        key.value
                    ));
            }
        }
        if policy.signing.key.is_some() || !policy.signing.keys.is_empty() {
            return;
        }
        for (gate, key, span) in asked(policy) {
            report
                .at(span, format!("the gate `{gate}` asks for a {key}, and `[signing]` names no key: none ever counts, and no digest passes"))
                .help("`lineclear key generate release` makes a key; write `[signing]` with `key = \"release\"`, or with `keys`, the public ones that count");
        }
    }
}

/// Whether a key is named by a file of the repository: what else may stand there is an id, or has its own finding.
fn is_file(key: &str) -> bool {
    let leaves = key.starts_with('/') || key.split('/').any(|part| part == "..");
    !(key.is_empty() || key.starts_with("sha256:") || key.contains("PRIVATE KEY") || leaves)
}

/// Why the file at `path` gives no key, as far as that can be seen without opening it as one.
fn problem_of(path: &str, file: &File<'_>) -> Option<String> {
    match file.project().files().read(path) {
        Ok(None) if file.project().exists(path) => Some(format!("`{path}` is no file")),
        Ok(None) => Some(format!("there is no file `{path}`")),
        Ok(Some(bytes)) => {
            let has = |mark: &[u8]| memchr::memmem::find(&bytes, mark).is_some();
            if has(b"PRIVATE KEY-----") {
                return Some(format!("`{path}` is a private key, which must not lie here"));
            }
            (!has(b"-----BEGIN PUBLIC KEY-----")).then(|| format!("`{path}` is no public key"))
        }
        Err(problem) => Some(problem),
    }
}

/// Each gate that asks for what a key makes, the first such key of it, and where; one that a preset fills, at the preset.
fn asked(policy: &Policy) -> Vec<(&str, &'static str, Span)> {
    let mut asked = Vec::new();
    for gate in &policy.gates {
        let keys = [("signature", &gate.signature), ("provenance", &gate.provenance)];
        let is_asked = |(_, value): &&(&str, &Option<lineclear_source::Spanned<bool>>)| {
            value.as_ref().is_some_and(|value| value.value)
        };
        if let Some((key, Some(value))) = keys.iter().find(is_asked) {
            asked.push((gate.name.value.as_str(), *key, value.span));
        }
    }
    // A preset is no reason to make a key where nothing is published.
    let Some(preset) =
        policy.preset.as_ref().filter(|one| one.preset.value == Preset::Strict && !policy.images.is_empty())
    else {
        return asked;
    };
    if asked.iter().all(|(gate, ..)| *gate != PRESET_GATE) {
        let own = policy.gate(PRESET_GATE);
        let is_left = own.is_none_or(|gate| gate.signature.is_none() || gate.provenance.is_none());
        if is_left {
            let key = if own.is_some_and(|gate| gate.signature.is_some()) { "provenance" } else { "signature" };
            asked.push((PRESET_GATE, key, preset.preset.span));
        }
    }
    asked
}
