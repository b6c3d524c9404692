//! Problem matchers: regular expressions that find errors and warnings in ordinary output.
//!
//! # Source
//! `IssueMatcher.cs` of `actions/runner`, and GitHub's documentation of problem matchers.

use lineclear_event::AnnotationLevel;
use serde::Deserialize;

use crate::{Note, NoteOrigin};

/// Steps of backtracking that one expression may take on one line before it counts as too slow: the hosted runner allows a
/// second, which would make a run depend on the machine.
const BACKTRACKING_LIMIT: usize = 1_000_000;
/// After this many lines that took too long a matcher is turned off.
const STRIKES: u8 = 3;

/// The matchers that are on in a job, newest first.
#[derive(Debug, Default)]
pub struct Matchers {
    list: Vec<Matcher>,
}

/// Why a matcher file is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MatcherError(pub String);

impl Matchers {
    /// Turns on the matchers of a file; one whose owner is on already is replaced.
    pub fn add(&mut self, json: &str) -> Result<(), MatcherError> {
        let new = read(json)?;
        self.list.retain(|old| !new.iter().any(|matcher| matcher.owner.eq_ignore_ascii_case(&old.owner)));
        self.list.splice(0..0, new);
        Ok(())
    }

    /// Turns off the matchers of an owner.
    pub fn remove(&mut self, owner: &str) {
        self.list.retain(|matcher| !matcher.owner.eq_ignore_ascii_case(owner));
    }

    /// The owners that a matcher file names.
    pub fn owners(json: &str) -> Result<Vec<String>, MatcherError> {
        Ok(read(json)?.into_iter().map(|matcher| matcher.owner).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What the matchers see in one more line. The first that completes a match wins and the others start afresh.
    pub fn see(&mut self, line: &str) -> Option<Note> {
        let plain = without_colours(line);
        let (at, note) = self.list.iter_mut().enumerate().find_map(|(at, matcher)| Some((at, matcher.see(&plain)?)))?;
        for (other, matcher) in self.list.iter_mut().enumerate() {
            if other != at {
                matcher.start_afresh();
            }
        }
        Some(note)
    }
}

#[derive(Debug)]
struct Matcher {
    owner: String,
    severity: AnnotationLevel,
    from_path: Option<String>,
    patterns: Vec<Pattern>,
    /// What each pattern captured so far in a match over several lines.
    seen: Vec<Captured>,
    strikes: u8,
}

#[derive(Debug)]
struct Pattern {
    regexp: fancy_regex::Regex,
    groups: Groups,
    repeats: bool,
}

/// Something for each part of a problem: what a pattern's groups are numbered, or what they captured.
#[derive(Clone, Debug, Deserialize)]
#[serde(default = "Parts::nothing")]
struct Parts<T> {
    file: Option<T>,
    #[serde(rename = "fromPath")]
    from_path: Option<T>,
    line: Option<T>,
    column: Option<T>,
    severity: Option<T>,
    code: Option<T>,
    message: Option<T>,
}

type Groups = Parts<usize>;
type Captured = Parts<String>;

impl<T> Parts<T> {
    fn nothing() -> Self {
        Self { file: None, from_path: None, line: None, column: None, severity: None, code: None, message: None }
    }

    /// The parts with the names that a matcher file has for them.
    fn named(&self) -> [(&'static str, Option<&T>); 7] {
        [
            ("file", self.file.as_ref()),
            ("fromPath", self.from_path.as_ref()),
            ("line", self.line.as_ref()),
            ("column", self.column.as_ref()),
            ("severity", self.severity.as_ref()),
            ("code", self.code.as_ref()),
            ("message", self.message.as_ref()),
        ]
    }

    fn map<U>(&self, to: impl Fn(&T) -> Option<U>) -> Parts<U> {
        let part = |part: &Option<T>| part.as_ref().and_then(&to);
        Parts {
            file: part(&self.file),
            from_path: part(&self.from_path),
            line: part(&self.line),
            column: part(&self.column),
            severity: part(&self.severity),
            code: part(&self.code),
            message: part(&self.message),
        }
    }
}

impl Captured {
    /// What is known from the lines before, overlaid by what this line says.
    fn overlaid_by(&self, newer: &Self) -> Self {
        let pick = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
        Self {
            file: pick(&newer.file, &self.file),
            from_path: pick(&newer.from_path, &self.from_path),
            line: pick(&newer.line, &self.line),
            column: pick(&newer.column, &self.column),
            severity: pick(&newer.severity, &self.severity),
            code: pick(&newer.code, &self.code),
            message: pick(&newer.message, &self.message),
        }
    }
}

impl Matcher {
    fn start_afresh(&mut self) {
        self.seen.clear();
    }

    fn see(&mut self, line: &str) -> Option<Note> {
        let last = self.patterns.len() - 1;
        // A repeating last pattern goes on as long as it matches.
        if self.seen.len() > last {
            if let Some(captured) = self.captures(last, line) {
                let known = self.seen[last.saturating_sub(1)].clone();
                return Some(self.note(&known.overlaid_by(&captured)));
            }
            self.start_afresh();
        }
        let at = self.seen.len();
        match self.captures(at, line) {
            Some(captured) => self.went_on(at, &captured),
            // The line that broke a match may begin the next one.
            None if at > 0 => {
                self.start_afresh();
                let captured = self.captures(0, line)?;
                self.went_on(0, &captured)
            }
            None => None,
        }
    }

    fn went_on(&mut self, at: usize, captured: &Captured) -> Option<Note> {
        let known = self.seen.last().map_or_else(|| captured.clone(), |before| before.overlaid_by(captured));
        if at + 1 < self.patterns.len() {
            self.seen.push(known);
            return None;
        }
        let note = self.note(&known);
        if self.patterns[at].repeats {
            self.seen.push(known);
        } else {
            self.start_afresh();
        }
        Some(note)
    }

    fn captures(&mut self, at: usize, line: &str) -> Option<Captured> {
        if self.strikes >= STRIKES {
            return None;
        }
        let pattern = &self.patterns[at];
        let captures = match pattern.regexp.captures(line) {
            Ok(captures) => captures?,
            Err(_) => {
                self.strikes += 1;
                return None;
            }
        };
        Some(pattern.groups.map(|number| {
            let text = captures.get(*number)?.as_str();
            (!text.is_empty()).then(|| text.to_owned())
        }))
    }

    fn note(&self, captured: &Captured) -> Note {
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.trim().parse().ok());
        let level = match captured.severity.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("error") => AnnotationLevel::Error,
            Some("warning") => AnnotationLevel::Warning,
            Some("notice") => AnnotationLevel::Notice,
            _ => self.severity,
        };
        let message = captured.message.clone().unwrap_or_default();
        let message = match &captured.code {
            Some(code) => format!("{code}: {message}"),
            None => message,
        };
        let mut note = Note { origin: NoteOrigin::Matcher, ..Note::new(level, message) };
        note.line = number(&captured.line);
        note.column = note.line.and(number(&captured.column));
        note.file = captured.file.as_ref().map(|file| {
            let from = captured.from_path.as_ref().or(self.from_path.as_ref());
            match from.and_then(|from| from.replace('\\', "/").rsplit_once('/').map(|(folder, _)| folder.to_owned())) {
                Some(folder) if !file.starts_with('/') => format!("{folder}/{file}"),
                _ => file.clone(),
            }
        });
        note
    }
}

#[derive(Deserialize)]
struct MatcherFile {
    #[serde(rename = "problemMatcher")]
    problem_matcher: Vec<MatcherEntry>,
}

#[derive(Deserialize)]
struct MatcherEntry {
    owner: Option<String>,
    severity: Option<String>,
    #[serde(rename = "fromPath")]
    from_path: Option<String>,
    #[serde(default)]
    pattern: Vec<PatternEntry>,
}

#[derive(Deserialize)]
struct PatternEntry {
    regexp: String,
    #[serde(flatten)]
    groups: Groups,
    #[serde(default, rename = "loop")]
    repeats: bool,
}

fn read(json: &str) -> Result<Vec<Matcher>, MatcherError> {
    let json = json.trim_start_matches('\u{feff}');
    let file: MatcherFile = serde_json::from_str(json)
        .map_err(|error| MatcherError(format!("the problem matcher file is not valid: {error}")))?;
    let mut matchers: Vec<Matcher> = Vec::new();
    for entry in file.problem_matcher {
        let owner = entry.owner.filter(|owner| !owner.is_empty());
        let owner = owner.ok_or_else(|| MatcherError("a problem matcher has no `owner`".into()))?;
        if matchers.iter().any(|matcher| matcher.owner.eq_ignore_ascii_case(&owner)) {
            return Err(MatcherError(format!("the problem matcher file names owner `{owner}` twice")));
        }
        let severity = match entry.severity.as_deref().unwrap_or("error").to_ascii_lowercase().as_str() {
            "error" | "" => AnnotationLevel::Error,
            "warning" => AnnotationLevel::Warning,
            "notice" => AnnotationLevel::Notice,
            other => {
                let expected = "expected `error`, `warning` or `notice`";
                return Err(MatcherError(format!("matcher `{owner}` has severity `{other}`; {expected}")));
            }
        };
        let patterns = patterns(&owner, entry.pattern)?;
        matchers.push(Matcher { owner, severity, from_path: entry.from_path, patterns, seen: Vec::new(), strikes: 0 });
    }
    Ok(matchers)
}

fn patterns(owner: &str, entries: Vec<PatternEntry>) -> Result<Vec<Pattern>, MatcherError> {
    let wrong = |what: String| MatcherError(format!("matcher `{owner}`: {what}"));
    if entries.is_empty() {
        return Err(wrong("has no `pattern`".into()));
    }
    let last = entries.len() - 1;
    let mut set: Vec<&str> = Vec::new();
    let mut patterns = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry.repeats && (at != last || last == 0) {
            return Err(wrong("`loop` belongs to the last of several patterns".into()));
        }
        if entry.repeats && entry.groups.message.is_none() {
            return Err(wrong("the pattern with `loop` must set `message`".into()));
        }
        let regexp = fancy_regex::RegexBuilder::new(&ecma_script(&entry.regexp))
            .backtrack_limit(BACKTRACKING_LIMIT)
            .build()
            .map_err(|error| wrong(format!("`{}` is no regular expression: {error}", entry.regexp)))?;
        for (name, number) in entry.groups.named() {
            let Some(&number) = number else { continue };
            if number >= regexp.captures_len() {
                return Err(wrong(format!("`{name}` names group {number}, but `{}` has no such group", entry.regexp)));
            }
            if set.contains(&name) {
                return Err(wrong(format!("`{name}` is set by more than one pattern")));
            }
            set.push(name);
        }
        patterns.push(Pattern { regexp, groups: entry.groups.clone(), repeats: entry.repeats });
    }
    if !set.contains(&"message") {
        return Err(wrong("no pattern sets `message`".into()));
    }
    Ok(patterns)
}

/// The expression with ECMAScript's meaning of `\d` and `\w`: ASCII only.
fn ecma_script(regexp: &str) -> String {
    let mut out = String::with_capacity(regexp.len());
    let mut in_class = false;
    let mut characters = regexp.chars();
    while let Some(character) = characters.next() {
        match character {
            '[' if !in_class => {
                in_class = true;
                out.push('[');
            }
            // A bracket inside a class is an ordinary character there, unlike in the engine used here.
            '[' => out.push_str("\\["),
            ']' => {
                in_class = false;
                out.push(']');
            }
            '\\' => match (characters.next(), in_class) {
                (Some('d'), false) => out.push_str("[0-9]"),
                (Some('d'), true) => out.push_str("0-9"),
                (Some('D'), false) => out.push_str("[^0-9]"),
                (Some('w'), false) => out.push_str("[A-Za-z0-9_]"),
                (Some('w'), true) => out.push_str("A-Za-z0-9_"),
                (Some('W'), false) => out.push_str("[^A-Za-z0-9_]"),
                (Some(other), _) => out.extend(['\\', other]),
                (None, _) => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

/// `line` without terminal colours (`ESC [ … m` and other control sequences).
fn without_colours(line: &str) -> std::borrow::Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return line.into();
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = match sequence.strip_prefix('[') {
            Some(parameters) => match parameters.find(|character: char| ('@'..='~').contains(&character)) {
                Some(end) => &parameters[end + 1..],
                None => "",
            },
            None => sequence,
        };
    }
    out.push_str(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, lines: &[&str], expected: &[&str]) {
        let mut matchers = Matchers::default();
        matchers.add(json).expect("a valid matcher file");
        let seen: Vec<String> = lines
            .iter()
            .filter_map(|line| matchers.see(line))
            .map(|note| {
                let place = |number: Option<u32>| number.map(|number| format!(":{number}")).unwrap_or_default();
                let file = note.file.unwrap_or_default();
                format!("{:?} {file}{}{} {}", note.level, place(note.line), place(note.column), note.message)
            })
            .collect();
        assert_eq!(seen, expected);
    }

    const ESLINT: &str = r#"{"problemMatcher":[{"owner":"eslint-stylish","pattern":[
        {"regexp":"^([^\\s].*)$","file":1},
        {"regexp":"^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$",
         "line":1,"column":2,"severity":3,"message":4,"code":5,"loop":true}]}]}"#;

    #[test]
    fn trap_28_a_matcher_of_several_lines_repeats_its_last_pattern() {
        check(
            ESLINT,
            &[
                "src/a.js",
                "  1:2  error  No x  no-x",
                "  \u{1b}[2m3:4\u{1b}[22m  warning  No y  no-y",
                "",
                "  9:9  error  No z  no-z",
            ],
            &["Error src/a.js:1:2 no-x: No x", "Warning src/a.js:3:4 no-y: No y"],
        );
    }

    #[test]
    fn a_single_pattern_matches_line_by_line() {
        let tsc = r#"{"problemMatcher":[{"owner":"tsc","severity":"warning","pattern":[
            {"regexp":"^([^\\s\\[\\]]*)\\((\\d+),(\\d+)\\):\\s+(error|info)\\s+(TS\\d+)\\s*:\\s*(.*)$",
             "file":1,"line":2,"column":3,"severity":4,"code":5,"message":6}]}]}"#;
        check(
            tsc,
            &["a.ts(1,2): error TS100: wrong", "a.ts(1,2): info TS7: odd"],
            &["Error a.ts:1:2 TS100: wrong", "Warning a.ts:1:2 TS7: odd"],
        );
    }

    #[test]
    fn a_relative_file_stands_below_the_folder_of_from_path() {
        let matcher = r#"{"problemMatcher":[{"owner":"m","fromPath":"proj/app.csproj","pattern":[{"regexp":"^(\\S+): (.*)","file":1,"message":2}]}]}"#;
        check(matcher, &["b.cs: x", "/c.cs: y"], &["Error proj/b.cs x", "Error /c.cs y"]);
    }

    #[test]
    fn wrong_files_say_what_is_wrong() {
        let error = |json: &str| Matchers::default().add(json).expect_err("refused").0;
        assert!(error("{").starts_with("the problem matcher file is not valid"));
        assert_eq!(error(r#"{"problemMatcher":[{"pattern":[]}]}"#), "a problem matcher has no `owner`");
        assert_eq!(
            error(r#"{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"x","file":1,"message":0}]}]}"#),
            "matcher `a`: `file` names group 1, but `x` has no such group"
        );
        assert_eq!(
            error(r#"{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"(x)","file":1}]}]}"#),
            "matcher `a`: no pattern sets `message`"
        );
        assert_eq!(
            error(r#"{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"(x)","message":1,"loop":true}]}]}"#),
            "matcher `a`: `loop` belongs to the last of several patterns"
        );
        assert!(
            error(r#"{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"(","message":0}]}]}"#)
                .contains("no regular expression")
        );
    }

    #[test]
    fn a_newer_matcher_of_the_same_owner_replaces_the_older() {
        let with = |word: &str| {
            format!(r#"{{"problemMatcher":[{{"owner":"M","pattern":[{{"regexp":"^{word} (.*)","message":1}}]}}]}}"#)
        };
        let mut matchers = Matchers::default();
        matchers.add(&with("one")).expect("valid");
        matchers.add(&with("two")).expect("valid");
        assert_eq!(matchers.see("one x"), None);
        assert!(matchers.see("two x").is_some());
        matchers.remove("m");
        assert!(matchers.is_empty());
    }

    #[test]
    fn a_matcher_that_takes_too_long_three_times_is_turned_off() {
        let slow =
            r#"{"problemMatcher":[{"owner":"slow","pattern":[{"regexp":"^(?=(a+)+$)(a|aa)+(?!b)c$","message":1}]}]}"#;
        let mut matchers = Matchers::default();
        matchers.add(slow).expect("valid");
        let line = "a".repeat(60);
        for _ in 0..5 {
            assert_eq!(matchers.see(&line), None);
        }
        assert_eq!(matchers.list[0].strikes, STRIKES);
    }
}
