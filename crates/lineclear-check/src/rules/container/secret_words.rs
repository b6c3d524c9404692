//! Names that say "secret", and values that are one.

/// Words at whose end a name means a secret.
const WORDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api-key",
    "private-key",
    "access-key",
    "secret-key",
    "credentials",
    "auth-key",
    "encryption-key",
];

/// Values that nobody takes for a secret.
const PLACEHOLDERS: [&str; 18] = [
    "changeme",
    "change-me",
    "dummy",
    "example",
    "placeholder",
    "fake",
    "test",
    "none",
    "null",
    "true",
    "false",
    "yes",
    "no",
    "unset",
    "todo",
    "xxx",
    "build",
    "redacted",
];

/// How tokens of known services begin, with the service.
const TOKENS: [(&str, &str); 11] = [
    ("ghp_", "GitHub"),
    ("gho_", "GitHub"),
    ("ghs_", "GitHub"),
    ("github_pat_", "GitHub"),
    ("glpat-", "GitLab"),
    ("AKIA", "AWS"),
    ("xoxb-", "Slack"),
    ("xoxp-", "Slack"),
    ("sk_live_", "Stripe"),
    ("npm_", "npm"),
    ("pypi-AgE", "PyPI"),
];

/// Whether a variable of this name holds a secret: `DB_PASSWORD`, `apiKey`; not `TOKEN_URL`, `PASSWORD_FILE`.
pub(super) fn names_secret(name: &str) -> bool {
    let folded = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let is_at_end = |word: &str| {
        folded.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('-') || word.len() >= 6)
    };
    !folded.contains("public") && WORDS.iter().any(|word| is_at_end(word))
}

/// Whether a value stands for nothing: empty, a word like `changeme`, a path, or a variable.
pub(super) fn is_placeholder(value: &str) -> bool {
    let folded = value.to_ascii_lowercase().replace('_', "-");
    value.len() < 2
        || value.starts_with(['/', '$', '<'])
        || PLACEHOLDERS.iter().any(|word| folded == *word)
        || ["dummy", "changeme", "placeholder", "example", "your-"].iter().any(|word| folded.contains(word))
}

/// The service whose token a value is, by its beginning.
pub(super) fn token_of(value: &str) -> Option<&'static str> {
    let (mark, service) = TOKENS.iter().find(|(mark, _)| value.starts_with(mark))?;
    let rest = value.get(mark.len()..)?;
    let is_random =
        rest.len() >= 12 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    is_random.then_some(*service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_known() {
        for name in
            ["DB_PASSWORD", "PGPASSWORD", "SECRET_KEY", "apiKey", "GITHUB_TOKEN", "aws_secret_access_key", "TOKEN"]
        {
            assert!(names_secret(name), "{name}");
        }
        for name in ["TOKEN_URL", "PASSWORD_FILE", "SSH_PUBLIC_KEY", "PUBLIC_TOKEN", "KEY", "MONKEY", "TOKENIZER"] {
            assert!(!names_secret(name), "{name}");
        }
        assert!(
            is_placeholder("changeme")
                && is_placeholder("${X}")
                && is_placeholder("/run/x")
                && !is_placeholder("hunter2")
        );
        assert_eq!(token_of("npm_config"), None);
        assert_eq!(token_of(&format!("ghp_{}", "0a".repeat(10))), Some("GitHub"));
    }
}
