//! Patterns of file names as `hashFiles`, `actions/upload-artifact` and other actions understand them.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any characters within one name, hidden files included |
//! | `**` as a whole name | any number of folders, none included |
//! | `?` | one character |
//! | `[a-z]`, `[!a-z]`, `[^a-z]` | one character of, or not of, a set |
//! | `\*` | the character itself |
//! | `dir`, `dir/` | the folder with all below it; with `/` at the end only if it is a folder |
//! | `!pattern` | takes out what patterns before it let in |
//! | `# text`, empty line | nothing |
//! | `{a,b}` | itself: there is no brace expansion |
//! | `.`, `./x`, `~`, `~/x`, `/x` | the folder that patterns are relative to, the home folder, an absolute path |
//!
//! Of several patterns the last that matches decides. This module knows no file system: it is asked about paths, and says
//! where a walk has to begin ([`GlobPatterns::search_roots`]) and which folders it can leave out
//! ([`GlobPatterns::may_match_inside`]).
//!
//! ```
//! use lineclear_expr::glob::GlobPatterns;
//!
//! let patterns = GlobPatterns::parse(&["**/*.lock".to_owned(), "!vendor/**".to_owned()])?;
//! assert!(patterns.matches("Cargo.lock", false));
//! assert!(patterns.matches("a/.hidden/x.lock", false));
//! assert!(!patterns.matches("vendor/x.lock", false));
//! assert!(!patterns.may_match_inside("vendor"));
//! # Ok::<(), lineclear_expr::glob::GlobError>(())
//! ```
//!
//! # Source
//! `@actions/glob` with its default options, and minimatch 3 with the options that it sets.

mod segment;

use segment::Segment;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// A `..`, or a `.` in another place than the first.
    #[error("Invalid pattern '{0}'. Relative pathing '.' and '..' is not allowed.")]
    Relative(String),
    /// Nothing behind the `!`.
    #[error("the pattern '{0}' excludes nothing: a path must follow `!`")]
    Empty(String),
    /// A path from the root where only relative ones have a meaning.
    #[error("the pattern '{0}' is an absolute path; it must be relative here")]
    Absolute(String),
    /// A path from the home folder where that is not known.
    #[error("the pattern '{0}' begins in the home folder, which is not known here")]
    NoHome(String),
}

/// A list of patterns, of which the last that matches a path decides about it.
#[derive(Clone, Debug, Default)]
pub struct GlobPatterns {
    patterns: Vec<Pattern>,
}

/// One line, or the `**` that a line without one at its end has in addition.
#[derive(Clone, Debug)]
struct Pattern {
    negated: bool,
    /// A `/` stood at the end: folders only.
    folders_only: bool,
    /// Made to match what is below the folder that the line names, and not that folder.
    implicit: bool,
    segments: Vec<Segment>,
}

impl GlobPatterns {
    /// Reads patterns for relative paths. Each text may hold several lines.
    ///
    /// # Errors
    /// The first pattern that is none, or that is not relative.
    pub fn parse(patterns: &[String]) -> Result<Self, GlobError> {
        Self::parse_with(patterns, None, None)
    }

    /// Reads patterns for absolute paths: relative ones begin at the folder `root`, `~` stands for `home`.
    ///
    /// # Errors
    /// The first pattern that is none.
    pub fn parse_at(root: &str, home: Option<&str>, patterns: &[String]) -> Result<Self, GlobError> {
        Self::parse_with(patterns, Some(root), home)
    }

    fn parse_with(texts: &[String], root: Option<&str>, home: Option<&str>) -> Result<Self, GlobError> {
        let mut patterns = Vec::new();
        for line in texts.iter().flat_map(|text| text.lines()).map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pattern = Pattern::parse(line, root, home)?;
            let ends_open = matches!(pattern.segments.last(), Some(Segment::AnyFolders));
            let below = (pattern.folders_only || !ends_open).then(|| pattern.all_below());
            patterns.push(pattern);
            patterns.extend(below);
        }
        Ok(Self { patterns })
    }

    /// Whether there is no pattern at all: only comments and empty lines, if anything.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the file or folder at `path` is meant. The path has `/` between its names and is relative for
    /// [`GlobPatterns::parse`], absolute for [`GlobPatterns::parse_at`]; the empty path is the root itself.
    pub fn matches(&self, path: &str, is_folder: bool) -> bool {
        let names = names_of(path);
        self.patterns
            .iter()
            .rev()
            .find(|pattern| (is_folder || !pattern.folders_only) && pattern.matches(&names))
            .is_some_and(|pattern| !pattern.negated)
    }

    /// Whether anything below the folder at `path` can be meant; if not, a walk need not go there.
    pub fn may_match_inside(&self, path: &str) -> bool {
        let names = names_of(path);
        for pattern in self.patterns.iter().rev() {
            if !pattern.negated && pattern.may_match_inside(&names) {
                return true;
            }
            if pattern.negated && pattern.matches_all_inside(&names) {
                // Whatever patterns before this one let in is taken out again.
                return false;
            }
        }
        false
    }

    /// The files and folders where a walk that finds everything has to begin, none of them inside of another, in the
    /// order of the patterns: relative for [`GlobPatterns::parse`], where the empty path is the root, else absolute.
    pub fn search_roots(&self) -> Vec<String> {
        let mut roots: Vec<Vec<&str>> = Vec::new();
        for pattern in self.patterns.iter().filter(|pattern| !pattern.negated) {
            let fixed: Vec<&str> = pattern.segments.iter().map_while(Segment::as_literal).collect();
            if !roots.contains(&fixed) {
                roots.push(fixed);
            }
        }
        let outermost =
            roots.iter().filter(|root| !roots.iter().any(|other| other.len() < root.len() && root.starts_with(other)));
        outermost
            .map(|names| match names[..] {
                // The root's own name is empty, which joined with nothing leaves nothing.
                [""] => "/".to_owned(),
                _ => names.join("/"),
            })
            .collect()
    }
}

fn names_of(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").collect()
}

impl Pattern {
    fn parse(line: &str, root: Option<&str>, home: Option<&str>) -> Result<Self, GlobError> {
        let mut text = line;
        let mut negated = false;
        while let Some(rest) = text.strip_prefix('!') {
            negated = !negated;
            text = rest.trim();
        }
        let (base, rest) = match text {
            "" => return Err(GlobError::Empty(line.to_owned())),
            "." => (root, ""),
            "~" => (Some(home.ok_or_else(|| GlobError::NoHome(line.to_owned()))?), ""),
            _ => {
                if let Some(rest) = text.strip_prefix("./") {
                    (root, rest)
                } else if let Some(rest) = text.strip_prefix("~/") {
                    (Some(home.ok_or_else(|| GlobError::NoHome(line.to_owned()))?), rest)
                } else if text.starts_with('/') {
                    (Some("/"), text)
                } else {
                    (root, text)
                }
            }
        };
        if root.is_none() && base.is_some() {
            return Err(GlobError::Absolute(line.to_owned()));
        }
        let mut segments = Vec::new();
        if let Some(base) = base {
            segments.push(Segment::Root);
            segments.extend(names_of(base).into_iter().map(Segment::literal));
        }
        for name in rest.split('/').filter(|name| !name.is_empty()) {
            let segment = Segment::parse(name);
            if matches!(segment.as_literal(), Some("." | "..")) {
                return Err(GlobError::Relative(line.to_owned()));
            }
            segments.push(segment);
        }
        Ok(Self { negated, folders_only: text.ends_with('/'), implicit: false, segments })
    }

    /// The pattern of everything below the folders that this one matches.
    fn all_below(&self) -> Self {
        let mut segments = self.segments.clone();
        segments.push(Segment::AnyFolders);
        Self { negated: self.negated, folders_only: false, implicit: true, segments }
    }

    /// The segments without that of the root, which no name stands for.
    fn named(&self) -> &[Segment] {
        self.segments.strip_prefix(&[Segment::Root][..]).unwrap_or(&self.segments)
    }

    /// Which segments can come next once `names` are matched: one flag for each, and one for the end.
    fn reach(&self, names: &[&str]) -> Vec<bool> {
        let segments = self.named();
        let end = segments.len();
        let mut reached = vec![false; end + 1];
        reached[0] = true;
        for name in names {
            Self::skip_empty(segments, &mut reached);
            let mut next = vec![false; end + 1];
            for (at, segment) in segments.iter().enumerate().filter(|&(at, _)| reached[at]) {
                if let Segment::AnyFolders = segment {
                    next[at] = true;
                    next[at + 1] |= at + 1 == end;
                } else if segment.matches(name) {
                    next[at + 1] = true;
                }
            }
            reached = next;
        }
        Self::skip_empty(segments, &mut reached);
        reached
    }

    /// A `**` can stand for nothing, except at the end.
    fn skip_empty(segments: &[Segment], reached: &mut [bool]) {
        for at in 0..segments.len().saturating_sub(1) {
            if reached[at] && matches!(segments[at], Segment::AnyFolders) {
                reached[at + 1] = true;
            }
        }
    }

    fn matches(&self, names: &[&str]) -> bool {
        let reached = self.reach(names);
        let end = reached.len() - 1;
        // `dir/**` as it is written matches `dir` too.
        reached[end] || !self.implicit && self.ends_open() && reached[end - 1]
    }

    fn ends_open(&self) -> bool {
        matches!(self.named().last(), Some(Segment::AnyFolders))
    }

    fn may_match_inside(&self, names: &[&str]) -> bool {
        let reached = self.reach(names);
        reached[..reached.len() - 1].contains(&true)
    }

    fn matches_all_inside(&self, names: &[&str]) -> bool {
        let reached = self.reach(names);
        !self.folders_only && self.ends_open() && reached[reached.len() - 2]
    }
}

#[cfg(test)]
mod tests;
