//! Names and values from the command line, files and the environment: secrets, variables, inputs.

use std::collections::BTreeMap;
use std::path::Path;

/// What is wrong with a given value, as a sentence.
pub(crate) type Wrong = String;

/// `NAME=VALUE` pairs over those of a file, the pairs winning.
pub(crate) fn pairs(file: Option<&Path>, given: &[(String, String)]) -> Result<BTreeMap<String, String>, Wrong> {
    let mut values = file.map_or_else(|| Ok(BTreeMap::new()), read_dotenv)?;
    values.extend(given.iter().cloned());
    Ok(values)
}

/// Secrets: `NAME=VALUE`, or `NAME` alone, whose value is then taken from the environment.
pub(crate) fn secrets(file: Option<&Path>, given: &[String]) -> Result<BTreeMap<String, String>, Wrong> {
    let mut values = file.map_or_else(|| Ok(BTreeMap::new()), read_dotenv)?;
    for secret in given {
        let (name, value) = match secret.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => {
                let missing = || {
                    format!(
                        "secret `{secret}` has no value: give `{secret}=VALUE`, or set `{secret}` in the environment"
                    )
                };
                (secret.as_str(), std::env::var(secret).map_err(|_| missing())?)
            }
        };
        values.insert(name.to_ascii_uppercase(), value);
    }
    for name in values.keys() {
        let well_formed = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !well_formed {
            return Err(format!(
                "`{name}` is no name for a secret: letters, digits and `_`, not beginning with a digit"
            ));
        }
    }
    Ok(values)
}

/// Reads `NAME=VALUE` lines: blank lines and `#` comments are skipped, `export` before a name is allowed, a value may stand in
/// quotes (in double quotes `\n`, `\"` and `\\` are understood, and it may go over several lines).
fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>, Wrong> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    parse_dotenv(&text).map_err(|(line, why)| format!("{}:{line}: {why}", path.display()))
}

fn parse_dotenv(text: &str) -> Result<BTreeMap<String, String>, (usize, String)> {
    let mut values = BTreeMap::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or((at + 1, "expected NAME=VALUE".to_owned()))?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err((at + 1, "there is no name before `=`".to_owned()));
        }
        let value = match value.chars().next() {
            Some('\'') => value
                .strip_prefix('\'')
                .and_then(|rest| rest.split_once('\''))
                .map(|(inside, _)| inside.to_owned())
                .ok_or((at + 1, "the quote `'` is not closed".to_owned()))?,
            Some('"') => {
                let mut quoted = value[1..].to_owned();
                loop {
                    if let Some(inside) = unquote(&quoted) {
                        break inside;
                    }
                    let (_, more) = lines.next().ok_or((at + 1, "the quote `\"` is not closed".to_owned()))?;
                    quoted.push('\n');
                    quoted.push_str(more);
                }
            }
            _ => value.split(" #").next().unwrap_or(value).trim_end().to_owned(),
        };
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

/// The text up to the closing double quote, escapes undone; `None` while there is none.
fn unquote(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some(out),
            '\\' => match characters.next()? {
                'n' => out.push('\n'),
                other => {
                    if !matches!(other, '"' | '\\' | '$') {
                        out.push('\\');
                    }
                    out.push(other);
                }
            },
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotenv_file_is_read_as_people_write_it() {
        let text =
            "# comment\nA=1\nexport B = two words # note\nC='a # b'\nD=\"x\\ny \\\"z\\\"\"\nE=\"one\ntwo\"\n\nF=\n";
        let values = parse_dotenv(text).expect("well formed");
        let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        assert_eq!(
            shown,
            [r#"A="1""#, r#"B="two words""#, r##"C="a # b""##, r#"D="x\ny \"z\"""#, r#"E="one\ntwo""#, r#"F="""#]
        );
        assert_eq!(parse_dotenv("A=1\nnothing\n"), Err((2, "expected NAME=VALUE".into())));
        assert_eq!(parse_dotenv("A=\"1\n"), Err((1, "the quote `\"` is not closed".into())));
    }

    #[test]
    fn a_secret_needs_a_value_and_a_proper_name() {
        assert_eq!(secrets(None, &["a=b=c".into()]), Ok(BTreeMap::from([("A".into(), "b=c".into())])));
        assert!(secrets(None, &["LINECLEAR_TEST_UNSET_SECRET".into()]).is_err_and(|why| why.contains("has no value")));
        assert!(secrets(None, &["1a=b".into()]).is_err_and(|why| why.contains("no name for a secret")));
    }
}
