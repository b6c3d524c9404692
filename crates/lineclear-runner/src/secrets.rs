//! Secrets on their way to a job.

use std::collections::BTreeMap;

use lineclear_command::SharedMasker;
use lineclear_event::{JobSpec, SecretPassage};
use lineclear_expr::{MapScope, Object, Template, Value};

use crate::context;
use crate::ports::{RunnerSettings, Secrets};

/// Hides all secrets of the run, whether or not this job is given them, and the job's token in the form that git sends it in.
pub(crate) fn mask_all(masker: &SharedMasker, secrets: &Secrets, settings: &RunnerSettings) {
    for value in secrets.of_run.values().chain(secrets.of_environment.values()) {
        masker.add(value);
    }
    if !settings.token.is_empty() {
        masker.add(&settings.token);
        masker.add(&base64(format!("x-access-token:{}", settings.token).as_bytes()));
    }
}

/// The secrets as they reach this job, passage by passage, and the job's token, which every job has.
///
/// # Errors
/// A sentence that names the secret whose text has no value.
pub(crate) fn reaching(
    spec: &JobSpec,
    secrets: &Secrets,
    settings: &RunnerSettings,
    masker: &SharedMasker,
) -> Result<Value, String> {
    // A pull request from a fork brings foreign code: it sees no secret. All of them are hidden in its output even so.
    let is_open = spec.contexts.github.get("secret_source").and_then(serde_json::Value::as_str) != Some("None");
    let mut reached = if is_open { secrets.of_run.clone() } else { BTreeMap::new() };
    for passage in &spec.secret_passages {
        match passage {
            SecretPassage::Inherit => {}
            SecretPassage::Nothing => reached.clear(),
            SecretPassage::Map { secrets, contexts } => {
                let mut scope = context::as_planned(contexts);
                scope.contexts.insert("secrets".to_owned(), context(&reached, &settings.token));
                let mut passed = BTreeMap::new();
                for (name, text) in secrets {
                    let value = evaluate(text, &scope)
                        .map_err(|message| format!("secret `{name}` of the called workflow has no value: {message}"))?;
                    masker.add(&value);
                    passed.insert(name.clone(), value);
                }
                reached = passed;
            }
        }
    }
    if is_open {
        // Names ignore case, and a call may have passed one in another.
        reached.retain(|name, _| !secrets.of_environment.keys().any(|of| of.eq_ignore_ascii_case(name)));
        reached.extend(secrets.of_environment.clone());
    }
    Ok(context(&reached, &settings.token))
}

fn evaluate(text: &str, scope: &MapScope) -> Result<String, String> {
    let template = Template::parse(text, None).map_err(|errors| match errors.into_iter().next() {
        Some(error) => error.message,
        None => "it is no expression".to_owned(),
    })?;
    template.evaluate_text(scope).map_err(|error| error.message)
}

fn context(secrets: &BTreeMap<String, String>, token: &str) -> Value {
    let mut context = Object::new();
    for (name, value) in secrets {
        context.insert(name.as_str(), value.as_str());
    }
    context.insert("GITHUB_TOKEN", token);
    context.into()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (group >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded_to_groups_of_four() {
        assert_eq!(
            ["", "a", "ab", "abc", "abcd"].map(|text| base64(text.as_bytes())),
            ["", "YQ==", "YWI=", "YWJj", "YWJjZA=="]
        );
    }
}
