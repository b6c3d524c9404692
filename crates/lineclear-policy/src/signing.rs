//! `[signing]`: whose signatures count.

use lineclear_source::Spanned;

use crate::table::{Findings, Table};

/// `[signing]`
#[derive(Clone, Debug, Default)]
pub struct SigningPolicy {
    /// `keys`: the public keys whose signatures count, each by the path of its file from the repository's root or by its id, `sha256:` and
    /// the 64 hexadecimal digits of the SHA-256 of its DER form. Signatures of other keys are shown and prove nothing.
    pub keys: Vec<Spanned<String>>,
    /// `key`: the name of the key that this machine signs with, as `lineclear key` knows it.
    pub key: Option<Spanned<String>>,
}

impl SigningPolicy {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let policy = Self { keys: table.strings("keys", findings), key: table.string("key", findings) };
        for key in &policy.keys {
            if let Some(problem) = problem_of(&key.value) {
                findings.value(key.span, problem);
            }
        }
        table.finish(findings);
        policy
    }
}

fn problem_of(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("a key is empty: name the file of a public key, or its id".to_owned());
    }
    if key.contains("PRIVATE KEY") {
        return Some("this is a private key: it must not stand here; name the file of the public one".to_owned());
    }
    if let Some(id) = key.strip_prefix("sha256:") {
        let is_id = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        return (!is_id)
            .then(|| format!("`{key}` is no id of a key: it is `sha256:` and 64 hexadecimal digits in lower case"));
    }
    let leaves = key.starts_with('/') || key.split('/').any(|part| part == "..");
    leaves.then(|| format!("`{key}` is outside of the repository: a key that counts is reviewed like the rest of it"))
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use crate::Policy;

    #[test]
    fn keys_are_files_of_the_repository_or_ids() {
        let id = format!("sha256:{}", "0a".repeat(32));
        let text = format!(
            "[signing]\nkey = 'release'\nkeys = ['keys/release.pub', '{id}', 'sha256:12', '../a.pub', '/a.pub', '', '-----BEGIN PRIVATE KEY-----']\n"
        );
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert_eq!(policy.signing.keys[1].value, id);
        assert_eq!(policy.signing.key.map(|key| key.value), Some("release".to_owned()));
        let lines: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            lines,
            [
                "`sha256:12` is no id of a key: it is `sha256:` and 64 hexadecimal digits in lower case",
                "`../a.pub` is outside of the repository: a key that counts is reviewed like the rest of it",
                "`/a.pub` is outside of the repository: a key that counts is reviewed like the rest of it",
                "a key is empty: name the file of a public key, or its id",
                "this is a private key: it must not stand here; name the file of the public one",
            ]
        );
    }
}
