//! Lists of files as outputs.

use lineclear_runner::native::NativeError;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListFormat {
    None,
    Csv,
    Json,
    Shell,
    Escape,
}

impl ListFormat {
    pub(super) fn read(text: &str) -> Result<Self, NativeError> {
        Ok(match text {
            "none" | "" => Self::None,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "shell" => Self::Shell,
            "escape" => Self::Escape,
            other => {
                return Err(NativeError(format!("Input parameter 'list-files' is set to invalid value '{other}'")));
            }
        })
    }

    pub(super) fn write(self, paths: &[&str]) -> Option<String> {
        let joined =
            |one: fn(&str) -> String, between| paths.iter().map(|path| one(path)).collect::<Vec<_>>().join(between);
        match self {
            Self::None => None,
            Self::Csv => Some(joined(csv, ",")),
            Self::Json => Some(json!(paths).to_string()),
            Self::Shell => Some(joined(shell, " ")),
            Self::Escape => Some(joined(escape, " ")),
        }
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._+:@%/-".contains(character)
}

fn csv(path: &str) -> String {
    if path.chars().all(is_plain) { path.to_owned() } else { format!("\"{}\"", path.replace('"', "\"\"")) }
}

fn shell(path: &str) -> String {
    if !path.is_empty() && path.chars().all(|character| is_plain(character) || character == ',') {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

fn escape(path: &str) -> String {
    let mut out = String::new();
    for character in path.chars() {
        if !is_plain(character) && character != ',' {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_written_for_their_readers() {
        let paths = ["a.txt", "b c.txt", "it's \"d\".txt"];
        let write = |format: ListFormat| format.write(&paths).unwrap_or_default();
        assert_eq!(write(ListFormat::Csv), r#"a.txt,"b c.txt","it's ""d"".txt""#);
        assert_eq!(write(ListFormat::Json), r#"["a.txt","b c.txt","it's \"d\".txt"]"#);
        assert_eq!(write(ListFormat::Shell), r#"a.txt 'b c.txt' 'it'\''s "d".txt'"#);
        assert_eq!(write(ListFormat::Escape), r#"a.txt b\ c.txt it\'s\ \"d\".txt"#);
        assert_eq!(ListFormat::None.write(&paths), None);
        assert!(ListFormat::read("xml").is_err());
    }
}
