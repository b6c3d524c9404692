//! Splitting a text into words as a shell would, without expanding anything.

/// The words of `text`: separated by white space, with single quotes, double quotes and backslashes.
///
/// # Errors
/// A quote that is not closed, said in a sentence.
pub(crate) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(format!("a single quote in `{text}` is not closed")),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some('\n') => {}
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err(format!("a double quote in `{text}` is not closed")),
                        },
                        Some(c) => word.push(c),
                        None => return Err(format!("a double quote in `{text}` is not closed")),
                    }
                }
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => word.get_or_insert_default().push('\\'),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            (" a  b\n\tc ", &["a", "b", "c"]),
            (r#"--health-cmd "pg_isready -U me" --x='a b'"#, &["--health-cmd", "pg_isready -U me", "--x=a b"]),
            (r"a\ b \' \\", &["a b", "'", r"\"]),
            (r#""a\"b\n\$c" '' "" x"#, &[r#"a"b\n$c"#, "", "", "x"]),
            ("a\\\nb", &["ab"]),
            (r"'\' $HOME `x`", &[r"\", "$HOME", "`x`"]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text).expect("words"), expected, "{text}");
        }
        for open in ["'a", "\"a", "\"a\\"] {
            assert!(split(open).is_err(), "{open}");
        }
    }
}
