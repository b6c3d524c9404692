//! Linters of other languages, which are asked about scripts: ShellCheck for shells, Python's own compiler for Python.
//!
//! The checker starts nothing. It hands [`Snippet`]s to [`Files::lint_shell`](crate::Files::lint_shell) and
//! [`Files::lint_python`](crate::Files::lint_python), and gets [`Remark`]s back. Whoever runs the programs finds here how they are called
//! and how their answers are read.

use std::ops::Range;

use serde_json::Value;

/// A script as a linter can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The script, with letters of the same number of bytes in the place of each `${{ … }}`.
    pub text: String,
    /// The shell's dialect, as ShellCheck calls it: `bash`, `sh`, `dash`, `ksh`. For Python: `python`.
    pub dialect: &'static str,
}

/// What a linter says of a snippet. Lines and columns count from one, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// How much it matters, in the linter's own words.
    pub level: RemarkLevel,
    /// The linter's code: `SC2086`; empty where it has none.
    pub code: String,
    /// What it says.
    pub message: String,
    /// How it would mend it.
    pub replacements: Vec<(Place, String)>,
}

/// From a line and column to a line and column behind the last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// First line and column.
    pub start: (usize, usize),
    /// Line and column behind the last character.
    pub end: (usize, usize),
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkLevel {
    /// A matter of taste.
    Style,
    /// Worth knowing.
    Info,
    /// Likely a mistake.
    Warning,
    /// It fails.
    Error,
}

/// The arguments of `shellcheck` for one snippet, which it reads from its standard input. The answer is for [`read_shellcheck`].
pub fn shellcheck_arguments(dialect: &str) -> Vec<String> {
    let mut arguments: Vec<String> = ["--norc", "--format=json1", "--severity=info"].map(str::to_owned).into();
    arguments.push(format!("--shell={dialect}"));
    arguments.push(format!("--exclude={EXCLUDED}"));
    arguments.push("-".to_owned());
    arguments
}

/// What makes no sense for the script of a step: files that are not there, variables that `env` sets, constants that were expressions,
/// and `cd` without `||`, for every step runs with `-e`.
const EXCLUDED: &str = "SC1009,SC1090,SC1091,SC2043,SC2050,SC2153,SC2154,SC2157,SC2164,SC2193,SC2194";

/// The answer of `shellcheck`; `None` if it is none.
pub fn read_shellcheck(json: &str) -> Option<Vec<Remark>> {
    let answer: Value = serde_json::from_str(json).ok()?;
    let comments = answer.get("comments")?.as_array()?;
    Some(comments.iter().filter_map(read_comment).collect())
}

fn read_comment(comment: &Value) -> Option<Remark> {
    let replacements = comment.get("fix").and_then(|fix| fix.get("replacements")).and_then(Value::as_array);
    let read = |one: &Value| Some((read_place(one)?, one.get("replacement")?.as_str()?.to_owned()));
    Some(Remark {
        place: read_place(comment)?,
        level: read_level(comment.get("level")?.as_str()?),
        code: format!("SC{}", comment.get("code")?.as_u64()?),
        message: comment.get("message")?.as_str()?.to_owned(),
        replacements: replacements.into_iter().flatten().filter_map(read).collect(),
    })
}

fn read_place(value: &Value) -> Option<Place> {
    let number = |name: &str| value.get(name)?.as_u64().and_then(|number| usize::try_from(number).ok());
    Some(Place {
        start: (number("line")?, number("column")?),
        end: (number("endLine").or_else(|| number("line"))?, number("endColumn").or_else(|| number("column"))?),
    })
}

fn read_level(level: &str) -> RemarkLevel {
    match level {
        "error" => RemarkLevel::Error,
        "warning" => RemarkLevel::Warning,
        "style" => RemarkLevel::Style,
        _ => RemarkLevel::Info,
    }
}

/// The program for `python3 -c`: it reads [`python_input`] and prints what [`read_python`] reads. It compiles the snippets and runs nothing of them.
pub const PYTHON_PROGRAM: &str = include_str!("linter.py");

/// What the [`PYTHON_PROGRAM`] reads from its standard input.
pub fn python_input(snippets: &[Snippet]) -> String {
    Value::Array(snippets.iter().map(|snippet| Value::String(snippet.text.clone())).collect()).to_string()
}

/// The answer of the [`PYTHON_PROGRAM`]: one list for each snippet. `None` if it is none.
pub fn read_python(json: &str) -> Option<Vec<Vec<Remark>>> {
    let answer: Value = serde_json::from_str(json).ok()?;
    let read = |one: &Value| {
        Some(Remark {
            place: read_place(one)?,
            level: read_level(one.get("level")?.as_str()?),
            code: String::new(),
            message: one.get("message")?.as_str()?.to_owned(),
            replacements: Vec::new(),
        })
    };
    let lists = answer.as_array()?.iter();
    Some(lists.map(|list| list.as_array().into_iter().flatten().filter_map(read).collect()).collect())
}

/// The text with underscores of the same number of bytes in the place of each of `expressions`, so that places stay what they are.
pub(crate) fn masked(text: &str, expressions: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for range in expressions {
        masked.push_str(text.get(at..range.start).unwrap_or_default());
        let written = text.get(range.clone()).unwrap_or_default().as_bytes();
        for (index, byte) in written.iter().enumerate() {
            // Lines stay lines, and go on for both languages.
            masked.push(match byte {
                b'\n' => '\n',
                _ if written.get(index + 1) == Some(&b'\n') => '\\',
                _ => '_',
            });
        }
        at = range.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    masked
}

/// Leads from lines and columns to bytes.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The bytes of a place; columns behind a line's end are its end.
    pub(crate) fn range(&self, place: Place) -> Option<Range<usize>> {
        let start = self.offset(place.start)?;
        let end = self.offset(place.end).unwrap_or(start).max(start);
        Some(start..end)
    }

    fn offset(&self, (line, column): (usize, usize)) -> Option<usize> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let rest = self.text.get(start..)?;
        let line = rest.split('\n').next().unwrap_or_default();
        let within = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        Some(start + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_every_place() {
        let text = "a ${{ é }} '${{ b\n }}' c";
        let masked = masked(text, &lineclear_shell::expressions(text));
        assert_eq!(masked, "a _________ '____\\\n___' c");
        assert_eq!(masked.len(), text.len());
        let lines = Lines::new(&masked);
        let place = Place { start: (2, 6), end: (2, 7) };
        assert_eq!(lines.range(place).map(|range| text[range].to_owned()), Some("c".to_owned()));
        assert_eq!(lines.range(Place { start: (9, 1), end: (9, 2) }), None);
    }
}
