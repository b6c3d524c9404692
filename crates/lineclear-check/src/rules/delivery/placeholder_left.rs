//! `placeholder-left`: something that was to be filled in.

use lineclear_source::Severity;
use lineclear_source::Span;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/placeholder-left.md`.
#[derive(Debug)]
pub(super) struct PlaceholderLeft;

static META: RuleMeta = RuleMeta {
    id: "placeholder-left",
    summary: "something that was to be filled in",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[
        FileKind::Workflow,
        FileKind::Action,
        FileKind::Policy,
        FileKind::Compose,
        FileKind::Dockerfile,
        FileKind::Dependabot,
    ],
    repair: Repair::None,
    since: "0.1",
    page: page!("placeholder-left"),
};

impl Rule for PlaceholderLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let text = file.source().text();
        for line in lines(text) {
            // A comment says that something is to be done; a value is something that was to be replaced.
            let (start, line) = line;
            let comment = comment_of(line);
            let (value, comment) = line.split_at(comment.unwrap_or(line.len()));
            for word in MARKS {
                if let Some(at) = whole_word(comment, word) {
                    let from = start + value.len() + at;
                    report
                        .at(Span::new(from, from + word.len()), format!("`{word}`: this is not finished"))
                        .help("finish it, or make it an issue and name that here");
                }
            }
            for word in PLACEHOLDERS {
                if let Some(at) = value.find(word).filter(|_| comment_of(value).is_none()) {
                    let from = start + at;
                    report
                        .at(Span::new(from, from + word.len()), format!("`{word}` stands for a value of your own"))
                        .help("put in the value");
                }
            }
        }
    }
}

/// Words in comments.
const MARKS: &[&str] = &["TODO", "FIXME", "CHANGEME"];

/// Words in values that nobody has meant.
const PLACEHOLDERS: &[&str] = &[
    "CHANGEME",
    "CHANGE_ME",
    "REPLACE_ME",
    "your-org/",
    "your-username",
    "<your-",
    "YOUR_",
    "my-org/",
    "path/to/your",
];

/// The lines, each with the byte where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let has_any =
        MARKS.iter().chain(PLACEHOLDERS).any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some());
    let mut start = 0;
    text.split_inclusive('\n').take_while(move |_| has_any).map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    })
}

/// Where the comment of a line begins: a `#` at its start or behind a blank, outside of quotes.
fn comment_of(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (None, b'#') if before == b' ' => return Some(at),
            (None, b'"' | b'\'') if matches!(before, b' ' | b'[' | b'{' | b'=' | b',' | b':') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        before = byte;
    }
    None
}

fn whole_word(text: &str, word: &str) -> Option<usize> {
    let at = text.find(word)?;
    let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == '-');
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
    (!is_part(before) && !is_part(after)).then_some(at)
}
