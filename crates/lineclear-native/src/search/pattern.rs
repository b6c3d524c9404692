//! One pattern in the dialect of `@actions/glob`, for Unix paths.
//!
//! # Source
//! `packages/glob` of `actions/toolkit`: how a pattern is rooted, what of it is a literal path, what a trailing slash means.

use std::path::{Path, PathBuf};

/// A pattern that is rooted and split at its slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) negated: bool,
    /// Ended in a slash: only folders match.
    only_folders: bool,
    /// Added because of a folder that is named: does not match the folder itself.
    is_implicit: bool,
    segments: Vec<Vec<char>>,
    /// The literal path before the first wildcard.
    pub(super) search_path: PathBuf,
}

/// What a path is matched as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
}

impl Pattern {
    /// Reads one line: `!` in front turns it around, `~` is the home folder, what has no root is below `root`.
    ///
    /// # Errors
    /// A sentence, for `.` and `..` inside the pattern and for one that is empty.
    pub(super) fn parse(line: &str, root: &Path, home: Option<&str>) -> Result<Self, String> {
        let mut text = line.trim();
        let mut negated = false;
        while let Some(rest) = text.strip_prefix('!') {
            negated = !negated;
            text = rest.trim();
        }
        if text.is_empty() {
            return Err(format!("The pattern `{line}` names nothing"));
        }
        let parts = |text: &str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let own = parts(text);
        let literals = own.iter().map(|part| literal(&part.chars().collect::<Vec<_>>()));
        let is_relative_part = |(at, part): (usize, Option<String>)| match part.as_deref() {
            Some(".") => at > 0 || text.starts_with('/'),
            Some("..") => true,
            _ => false,
        };
        if literals.enumerate().any(is_relative_part) {
            return Err(format!("Invalid pattern '{text}'. Relative pathing '.' and '..' is not allowed."));
        }
        let first = own.first().map_or("", String::as_str);
        let (base, rest) = if text.starts_with('/') {
            (PathBuf::from("/"), own.as_slice())
        } else if first == "." {
            (root.to_path_buf(), &own[1..])
        } else if first == "~" {
            let home =
                home.filter(|home| home.starts_with('/')).ok_or("There is no home folder for `~`: HOME is not set")?;
            (PathBuf::from(home), &own[1..])
        } else {
            (root.to_path_buf(), own.as_slice())
        };
        let base = parts(&base.to_string_lossy());
        let mut segments: Vec<Vec<char>> = base.iter().map(|part| escaped(part)).collect();
        segments.extend(rest.iter().map(|part| part.chars().collect()));
        let mut search_path = PathBuf::from("/");
        search_path.extend(segments.iter().map_while(|segment| literal(segment)));
        Ok(Self {
            negated,
            only_folders: text.ends_with('/') && text.len() > 1,
            is_implicit: false,
            segments,
            search_path,
        })
    }

    /// What a pattern that may name a folder stands for besides: everything below.
    pub(super) fn descendants(&self) -> Option<Self> {
        let ends_in_globstar = self.segments.last().is_some_and(|last| is_globstar(last));
        if ends_in_globstar && !self.only_folders {
            return None;
        }
        let mut all = Self { only_folders: false, is_implicit: true, ..self.clone() };
        all.segments.push(vec!['*', '*']);
        Some(all)
    }

    /// Whether the item of this path and kind matches.
    pub(super) fn matches(&self, path: &Path, kind: Kind) -> bool {
        if self.only_folders && kind == Kind::File {
            return false;
        }
        whole(&self.segments, &segments_of(path), !self.is_implicit)
    }

    /// Whether something below the folder may match.
    pub(super) fn may_match_below(&self, folder: &Path) -> bool {
        beginning(&self.segments, &segments_of(folder))
    }
}

fn segments_of(path: &Path) -> Vec<Vec<char>> {
    path.to_string_lossy().split('/').filter(|part| !part.is_empty()).map(|part| part.chars().collect()).collect()
}

fn is_globstar(segment: &[char]) -> bool {
    segment == ['*', '*']
}

/// Whether all of the path matches. A last `**` matches what stands before it only when `last_may_be_empty`.
fn whole(pattern: &[Vec<char>], path: &[Vec<char>], last_may_be_empty: bool) -> bool {
    // Row by row: which beginnings of the path the pattern so far can match. Never more work than pattern times path.
    let mut reachable = vec![false; path.len() + 1];
    reachable[0] = true;
    for (number, segment) in pattern.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if is_globstar(segment) {
            let is_last = number + 1 == pattern.len();
            let mut seen = false;
            for (at, place) in next.iter_mut().enumerate() {
                *place = seen || (reachable[at] && (!is_last || last_may_be_empty));
                seen |= reachable[at];
            }
        } else {
            for (at, name) in path.iter().enumerate() {
                next[at + 1] = reachable[at] && matches_name(segment, name);
            }
        }
        reachable = next;
    }
    reachable[path.len()]
}

/// Whether the path is the beginning of something that matches.
fn beginning(pattern: &[Vec<char>], path: &[Vec<char>]) -> bool {
    if path.is_empty() {
        return true;
    }
    for (segment, name) in pattern.iter().zip(path) {
        if is_globstar(segment) {
            return true;
        }
        if !matches_name(segment, name) {
            return false;
        }
    }
    path.len() < pattern.len()
}

/// A name matched with `*`, `?`, `[…]` and `\`.
pub(super) fn matches_name(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
                continue;
            }
            Some('?') => Some(at + 1),
            Some('[') => match class(&pattern[at..]) {
                Some((class, length)) => class.contains(name[place]).then_some(at + length),
                None => (name[place] == '[').then_some(at + 1),
            },
            Some('\\') if at + 1 < pattern.len() => (pattern[at + 1] == name[place]).then_some(at + 2),
            Some(character) => (*character == name[place]).then_some(at + 1),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => {
                at = next;
                place += 1;
            }
            (None, Some((star_at, taken))) => {
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                place = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// A set of characters: `[a-z]`, `[!0-9]`, `[[:alpha:]_]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    named: Vec<String>,
}

impl Class {
    pub(super) fn contains(&self, character: char) -> bool {
        let in_named = |name: &String| match name.as_str() {
            "alpha" => character.is_alphabetic(),
            "digit" => character.is_numeric(),
            "alnum" => character.is_alphanumeric(),
            "upper" => character.is_uppercase(),
            "lower" => character.is_lowercase(),
            "space" => character.is_whitespace(),
            "blank" => matches!(character, ' ' | '\t'),
            "punct" => character.is_ascii_punctuation(),
            "cntrl" => character.is_control(),
            "xdigit" => character.is_ascii_hexdigit(),
            "word" => character.is_alphanumeric() || character == '_',
            "graph" => !character.is_control() && !character.is_whitespace(),
            "print" => !character.is_control(),
            "ascii" => character.is_ascii(),
            _ => false,
        };
        let is_in =
            self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) || self.named.iter().any(in_named);
        is_in != self.negated
    }
}

/// The set that `text` begins with, and its length; `None` where the bracket is never closed and so means itself.
pub(super) fn class(text: &[char]) -> Option<(Class, usize)> {
    let mut class = Class::default();
    let mut at = 1;
    if matches!(text.get(at), Some('!' | '^')) {
        class.negated = true;
        at += 1;
    }
    let start = at;
    loop {
        let character = *text.get(at)?;
        if character == ']' && at > start {
            return Some((class, at + 1));
        }
        if character == '[' && text.get(at + 1) == Some(&':') {
            let name: String = text[at + 2..].iter().take_while(|c| c.is_ascii_lowercase()).collect();
            let end = at + 2 + name.len();
            if text.get(end) == Some(&':') && text.get(end + 1) == Some(&']') {
                class.named.push(name);
                at = end + 2;
                continue;
            }
        }
        let (from, after) = one(text, at)?;
        at = after;
        if text.get(at) == Some(&'-') && text.get(at + 1).is_some_and(|next| *next != ']') {
            let (to, after) = one(text, at + 1)?;
            at = after;
            class.ranges.push((from, to));
        } else {
            class.ranges.push((from, from));
        }
    }
}

/// A character of a set, which may be escaped.
fn one(text: &[char], at: usize) -> Option<(char, usize)> {
    match (*text.get(at)?, text.get(at + 1)) {
        ('\\', Some(next)) => Some((*next, at + 2)),
        (character, _) => Some((character, at + 1)),
    }
}

/// The name that a segment without wildcards stands for.
fn literal(segment: &[char]) -> Option<String> {
    let mut text = String::new();
    let mut at = 0;
    while let Some(&character) = segment.get(at) {
        match character {
            '\\' if at + 1 < segment.len() => {
                text.push(segment[at + 1]);
                at += 2;
                continue;
            }
            '*' | '?' => return None,
            '[' => {
                // A set of one character is that character, which is how wildcards are escaped.
                if let Some(closed) = segment[at + 1..].iter().position(|c| *c == ']') {
                    let set: Vec<char> =
                        segment[at + 1..at + 1 + closed].iter().copied().filter(|c| *c != '\\').collect();
                    match set.as_slice() {
                        [] => {}
                        [single] => {
                            text.push(*single);
                            at += closed + 2;
                            continue;
                        }
                        _ => return None,
                    }
                }
            }
            _ => {}
        }
        text.push(character);
        at += 1;
    }
    Some(text)
}

/// A name of the file system as a segment that matches only it.
fn escaped(name: &str) -> Vec<char> {
    name.chars().flat_map(|c| if "*?[\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], misfits: &[&str]) {
        let pattern = Pattern::parse(pattern, Path::new("/w"), Some("/home/u")).expect("a pattern");
        for (paths, expected) in [(fits, true), (misfits, false)] {
            for path in paths {
                let kind = if path.ends_with('/') { Kind::Folder } else { Kind::File };
                assert_eq!(pattern.matches(Path::new(path), kind), expected, "{pattern:?} {path}");
            }
        }
    }

    #[test]
    fn patterns_match_as_in_the_official_client() {
        check("a.txt", &["/w/a.txt"], &["/w/b/a.txt", "/a.txt", "/w/a.txtx"]);
        check("./*.txt", &["/w/a.txt", "/w/.txt"], &["/w/a/b.txt"]);
        check("**/*.rs", &["/w/a.rs", "/w/a/b/.c/d.rs"], &["/a.rs"]);
        check("src/**", &["/w/src/", "/w/src/a", "/w/src/a/b"], &["/w/srcs"]);
        check("build/", &["/w/build/"], &["/w/build"]);
        check("~/.cache/p?p", &["/home/u/.cache/pip"], &["/w/.cache/pip"]);
        check("/opt/[a-c]x[!0-9]", &["/opt/bxy"], &["/opt/dxy", "/opt/bx1"]);
        check("{a,b}", &["/w/{a,b}"], &["/w/a"]);
        check("a[*]b", &["/w/a*b"], &["/w/axb"]);
        check("a\\*b", &["/w/a*b"], &["/w/axb"]);
        check("x[", &["/w/x["], &["/w/x"]);
        check("a*b*c", &["/w/abc", "/w/a-b-b-c"], &["/w/ab"]);
    }

    #[test]
    fn the_search_path_is_the_literal_beginning() {
        let path = |text: &str| Pattern::parse(text, Path::new("/w[1]"), None).expect("a pattern").search_path;
        assert_eq!(path("a/b/*.txt"), Path::new("/w[1]/a/b"));
        assert_eq!(path("a[b]c"), Path::new("/w[1]/abc"));
        assert_eq!(path("**"), Path::new("/w[1]"));
        assert_eq!(path("/x/y"), Path::new("/x/y"));
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for text in ["../a", "a/../b", "a/./b", "!", "~/x"] {
            assert!(Pattern::parse(text, Path::new("/w"), None).is_err(), "{text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern: String = "a*".repeat(200) + "/" + &"**/x/".repeat(100);
        check(&pattern, &[], &[&format!("/w/{}", "a".repeat(2000)), &format!("/w/{}", "a/x/".repeat(500))]);
    }
}
