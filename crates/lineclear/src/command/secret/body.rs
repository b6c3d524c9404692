//! Where the value of a secret or variable is taken from.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use lineclear_secrets::{Kind, LARGEST_VALUE, Name, SecretText};
use zeroize::Zeroizing;

use crate::prompt;

/// The value: given, in a file ("-": standard input), on standard input, or asked for.
pub(super) fn read(kind: Kind, name: &Name, given: Option<&str>, file: Option<&Path>) -> Result<SecretText, String> {
    read_as(&format!("{} {name}", kind.as_str()), given, file)
}

/// The same of anything else that is asked for as `what`.
pub(super) fn read_as(what: &str, given: Option<&str>, file: Option<&Path>) -> Result<SecretText, String> {
    let text = match (given, file) {
        (Some(given), _) => return Ok(SecretText::new(given.to_owned())),
        (None, Some(file)) if file.as_os_str() != "-" => {
            let opened = File::open(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            read_all(opened, &format!("`{}`", file.display()))?
        }
        (None, None) if std::io::stdin().is_terminal() => {
            return prompt::hidden(&format!("Value of {what} (not shown): ")).map(SecretText::new);
        }
        (None, _) => read_all(std::io::stdin().lock(), "standard input")?,
    };
    Ok(SecretText::new(without_last_break(text)))
}

/// Text, no more of it than can be kept.
fn read_all(from: impl Read, what: &str) -> Result<String, String> {
    // Room from the start: a buffer that grows would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_VALUE + 4));
    from.take(LARGEST_VALUE as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read {what}: {error}"))?;
    if bytes.len() > LARGEST_VALUE + 2 {
        return Err(format!(
            "{what} has more than {LARGEST_VALUE} bytes: keep it encrypted in a file, and its key here"
        ));
    }
    let advice = "encode it with base64, and decode it in the step that uses it";
    String::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| format!("{what} is not valid UTF-8: {advice}"))
}

/// The line break that editors and `echo` put behind a single line is not meant; a text of several lines, such as a key, is
/// kept as it is.
fn without_last_break(mut text: String) -> String {
    if text.trim_end_matches(['\r', '\n']).contains('\n') {
        return text;
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_line_loses_its_break_and_a_key_keeps_it() {
        for (text, expected) in [
            ("token\n", "token"),
            ("token\r\n", "token"),
            ("token", "token"),
            ("token\n\n", "token\n"),
            ("-----BEGIN\nabc\n-----END\n", "-----BEGIN\nabc\n-----END\n"),
            ("\n", ""),
        ] {
            assert_eq!(without_last_break(text.to_owned()), expected, "{text:?}");
        }
    }

    #[test]
    fn only_text_of_a_possible_size_is_read() {
        assert!(read_all(&[0xff_u8, 0xfe][..], "x").is_err_and(|why| why.contains("base64")));
        let large = vec![b'a'; LARGEST_VALUE + 3];
        assert!(read_all(&large[..], "x").is_err_and(|why| why.contains("more than 49152 bytes")));
        assert!(read_all(std::io::repeat(b'a'), "x").is_err());
    }
}
