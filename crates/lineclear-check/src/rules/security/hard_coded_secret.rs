//! `hard-coded-secret`: a credential stands in the file.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{StepKind, Text};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/hard-coded-secret.md`.
#[derive(Debug)]
pub(super) struct HardCodedSecret;

static META: RuleMeta = RuleMeta {
    id: "hard-coded-secret",
    summary: "a credential stands in the file",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action, FileKind::Compose, FileKind::Dockerfile, FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("hard-coded-secret"),
};

/// How a kind of credential begins, how many letters follow at least, and what it is.
struct Shape {
    prefix: &'static str,
    length: usize,
    name: &'static str,
}

const fn shape(prefix: &'static str, length: usize, name: &'static str) -> Shape {
    Shape { prefix, length, name }
}

/// By the documentation of those who give them out.
const SHAPES: &[Shape] = &[
    shape("ghp_", 36, "a GitHub token"),
    shape("gho_", 36, "a GitHub token"),
    shape("ghu_", 36, "a GitHub token"),
    shape("ghs_", 36, "a GitHub token"),
    shape("ghr_", 36, "a GitHub token"),
    shape("github_pat_", 60, "a GitHub token"),
    shape("glpat-", 20, "a GitLab token"),
    shape("gldt-", 20, "a GitLab token"),
    shape("AKIA", 16, "an AWS key"),
    shape("ASIA", 16, "an AWS key"),
    shape("AIza", 35, "a Google key"),
    shape("xoxb-", 20, "a Slack token"),
    shape("xoxp-", 20, "a Slack token"),
    shape("xapp-", 20, "a Slack token"),
    shape("npm_", 36, "an npm token"),
    shape("pypi-AgEI", 50, "a PyPI token"),
    shape("sk_live_", 24, "a Stripe key"),
    shape("rk_live_", 24, "a Stripe key"),
    shape("sk-ant-api", 40, "an Anthropic key"),
    shape("sk-proj-", 40, "an OpenAI key"),
    shape("hf_", 34, "a Hugging Face token"),
    shape("dckr_pat_", 27, "a Docker Hub token"),
    shape("dop_v1_", 64, "a DigitalOcean token"),
    shape("SG.", 60, "a SendGrid key"),
    shape("hvs.", 24, "a Vault token"),
    shape("rubygems_", 48, "a RubyGems key"),
    shape("nvapi-", 60, "an NVIDIA key"),
    shape("AGE-SECRET-KEY-1", 58, "an age key"),
];

/// No credential is shorter.
const SHORTEST: usize = 20;

impl Rule for HardCodedSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let text = file.source().text();
        each_candidate(text, &mut |at| {
            if let Some((length, name)) = credential(text, at) {
                report
                    .at(Span::new(at, at + length), format!("{name} stands in the file: all who can read the repository have it, now and later"))
                    .help("take it back where it was given out, make a new one, and keep that as a secret: `${{ secrets.NAME }}`");
            }
        });
        for site in file.steps() {
            let StepKind::Uses { with, .. } = &site.step.kind else { continue };
            for (name, value) in with {
                if is_secret_input(&name.value) && is_password(value) {
                    report
                        .at(
                            value.span(),
                            format!(
                                "the value of `{}` stands in the file: all who can read the repository have it",
                                name.value
                            ),
                        )
                        .severity(Severity::Warning)
                        .help("keep it as a secret: `${{ secrets.NAME }}`");
                }
            }
        }
    }
}

/// Calls `look` with every place where a credential could begin: where a word does, in a run of letters that is long enough for one.
fn each_candidate(text: &str, look: &mut dyn FnMut(usize)) {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_inside = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    // A run that holds none of the bytes looked at is too short.
    let mut at = SHORTEST - 1;
    while let Some(byte) = bytes.get(at) {
        let mut end = at;
        if is_part(byte) {
            let start = bytes[..at].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
            end = bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |length| at + length);
            if end - start >= SHORTEST {
                (start..=end - SHORTEST).filter(|&at| !is_inside(at)).for_each(&mut *look);
            }
        }
        at = end + SHORTEST;
    }
    for at in memchr::memmem::find_iter(bytes, "-----BEGIN ").filter(|&at| !is_inside(at)) {
        look(at);
    }
}

/// The credential that begins at `at`: its length, and what it is.
fn credential(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let rest = text.get(at..)?;
    if rest.starts_with("-----BEGIN ") {
        let line = rest.lines().next()?;
        let line = line.get(..line.find("KEY-----")? + "KEY-----".len())?;
        // Only the first line: a pattern, or an example.
        let has_body = rest.get(line.len()..)?.split_ascii_whitespace().next().is_some_and(|body| body.len() > 40);
        return (line.contains("PRIVATE") && has_body).then_some((line.len(), "a private key"));
    }
    let shape = SHAPES.iter().find(|shape| rest.starts_with(shape.prefix))?;
    let body = rest.get(shape.prefix.len()..)?;
    let length = body
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '-' && letter != '.')
        .unwrap_or(body.len());
    let body = body.get(..length)?;
    let is_one = length >= shape.length
        && !is_placeholder(body)
        && (shape.prefix.len() > 4 || !body.contains(['-', '_', '.']))
        && body.bytes().any(|byte| byte.is_ascii_digit());
    let is_key = !matches!(shape.prefix, "AKIA" | "ASIA")
        || length == 16 && body.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_one && is_key).then_some((shape.prefix.len() + length, shape.name))
}

/// Whether a text only shows what would stand there: few different letters, or a word for it.
fn is_placeholder(body: &str) -> bool {
    let mut seen = [false; 256];
    body.bytes().for_each(|byte| seen[usize::from(byte)] = true);
    let lower = body.to_ascii_lowercase();
    seen.iter().filter(|seen| **seen).count() < 8
        || ["example", "xxxx", "placeholder", "your", "dummy", "1234567890", "abcdef0123", "redacted"]
            .iter()
            .any(|word| lower.contains(word))
}

/// Inputs that hold what must not be known.
const SECRET_INPUTS: &[&str] = &[
    "password",
    "passphrase",
    "token",
    "api-key",
    "apikey",
    "api-token",
    "secret",
    "private-key",
    "client-secret",
    "access-token",
    "secret-key",
    "aws-secret-access-key",
    "github-token",
    "repo-token",
    "webhook",
    "slack-webhook",
    "auth-token",
    "ssh-private-key",
];

/// Whether an input holds what must not be known, in whatever case, with `-` or `_`.
fn is_secret_input(name: &str) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    SECRET_INPUTS.iter().any(|known| known.len() == name.len() && known.bytes().eq(name.bytes().map(fold)))
}

/// Whether a value is a credential: not an expression, and no word that only stands for one.
fn is_password(value: &Text) -> bool {
    if value.template.as_literal().is_none() {
        return false;
    }
    let text = value.raw();
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    text.len() >= 10
        && has_digit
        && has_letter
        && !text.contains(['$', '/', ' ', '<', '{', '\n'])
        && !text.starts_with("op:")
        && !is_placeholder(text)
        && !["test", "local", "change", "secret", "password"].iter().any(|word| text.to_ascii_lowercase().contains(word))
        // What has its shape is said above.
        && credential(text, 0).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_credential(text: &str, expected: Option<&str>) {
        assert_eq!(credential(text, 0).map(|(_, name)| name), expected, "{text}");
    }

    // The texts are put together, so that they are not taken for leaked ones.
    #[test]
    fn every_shape_is_long_enough_to_be_looked_for_wherever_it_stands() {
        for shape in SHAPES {
            assert!(shape.prefix.len() + shape.length >= SHORTEST, "{}", shape.prefix);
        }
        let key = format!("AKIA{}", "Z7QW4ERT9YUI2OPA");
        for before in 0..50 {
            let text = format!("{}{key}", " ".repeat(before));
            let mut found = Vec::new();
            each_candidate(&text, &mut |at| found.push(at));
            assert_eq!(found, [before]);
        }
    }

    #[test]
    fn credentials_are_told_from_what_stands_for_them() {
        check_credential(&format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"), Some("a GitHub token"));
        check_credential(&format!("ghp_{}", "x".repeat(36)), None);
        check_credential("ghp_short", None);
        check_credential(&format!("AKIA{}", "Z7QW4ERT9YUI2OPA"), Some("an AWS key"));
        check_credential("AKIAIOSFODNN7EXAMPLE", None);
        check_credential(
            &format!("-----BEGIN RSA PRIVATE KEY-----\n{}", "MIIEpAIBAAKCAQEAx1y2z3".repeat(3)),
            Some("a private key"),
        );
        check_credential("-----BEGIN RSA PRIVATE KEY-----\n...", None);
        check_credential("-----BEGIN PUBLIC KEY-----\nMIIEpAIBAAKCAQEAx1y2z3MIIEpAIBAAKCAQEAx1y2z3", None);
        check_credential("npm_config_registry_is_what_the_variable_is_called", None);
    }
}
