//! Whose token a step holds.

use lineclear_source::Spanned;
use lineclear_workflow::{Env, Text};

/// Whose token a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Token {
    /// Nothing was given.
    #[default]
    None,
    /// The job's own.
    Own,
    /// Another one: what it may do is not the job's matter.
    Other,
    /// One or the other, by what the run has.
    Either,
}

/// What the variables around a step hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// Whether the job's token is in any variable.
    pub own: bool,
    /// Whose token `gh` takes: that of `GH_TOKEN` or `GITHUB_TOKEN`.
    pub gh: Token,
}

impl Surroundings {
    /// What `envs` hold, outermost first.
    pub(super) fn of<'e>(envs: impl Iterator<Item = &'e Env>) -> Self {
        envs.fold(Self::default(), |around, env| around.with(Some(env)))
    }

    /// The same with one more `env` inside.
    pub(super) fn with(&self, env: Option<&Env>) -> Self {
        let Some(Env::Names(names)) = env else { return self.clone() };
        let mut inner = self.clone();
        for (name, value) in names {
            let token = of_text(value.raw());
            inner.own |= matches!(token, Token::Own | Token::Either);
            if matches!(name.raw(), "GH_TOKEN" | "GITHUB_TOKEN") {
                inner.gh = token;
            }
        }
        inner
    }
}

/// Whose token the value of an input or variable is.
pub(super) fn of_text(text: &str) -> Token {
    let inner = text.trim();
    if inner.is_empty() {
        return Token::None;
    }
    let is_own = names_own(inner);
    let is_mixed = inner.contains("||") || inner.contains("&&") || inner.contains("inputs.") || inner.contains("env.");
    match (is_own, is_mixed) {
        (true, false) => Token::Own,
        (true, true) => Token::Either,
        (false, true) if inner.to_ascii_lowercase().contains("token") => Token::Either,
        (false, _) => Token::Other,
    }
}

/// Whether a text names the job's token.
pub(super) fn names_own(text: &str) -> bool {
    if !text.contains("${{") {
        return false;
    }
    let bytes = text.as_bytes();
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    ["github.token", "secrets.github_token", "secrets['github_token']"].iter().any(|name| {
        let mut windows = bytes.windows(name.len()).enumerate();
        windows.any(|(at, window)| {
            window.eq_ignore_ascii_case(name.as_bytes())
                && !is_word(bytes.get(at + name.len()))
                && !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
        })
    })
}

/// Whether an input is given the job's token.
pub(super) fn is_given(with: &[(Spanned<String>, Text)]) -> bool {
    with.iter().any(|(_, value)| names_own(value.raw()))
}

/// `owner/repo[/path]`.
pub(super) fn name(owner: &str, repo: &str, path: Option<&str>) -> String {
    match path {
        Some(path) => format!("{owner}/{repo}/{path}"),
        None => format!("{owner}/{repo}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_whose_token_it_is() {
        for (text, expected) in [
            ("${{ github.token }}", Token::Own),
            ("${{ secrets.GITHUB_TOKEN }}", Token::Own),
            ("${{ secrets.BOT_GITHUB_TOKEN }}", Token::Other),
            ("${{ secrets.GITHUB_TOKEN_BOT }}", Token::Other),
            ("${{ secrets.PAT || github.token }}", Token::Either),
            ("${{ inputs.token }}", Token::Either),
            ("${{ steps.app.outputs.token }}", Token::Other),
            ("", Token::None),
        ] {
            assert_eq!(of_text(text), expected, "{text}");
        }
    }
}
