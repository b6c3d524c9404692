//! The patterns of `@actions/glob`: which files of the workspace `hashFiles()` means.
//!
//! # Source
//! `packages/glob` of `actions/toolkit` (`internal-pattern.ts`, `internal-globber.ts`) and the options it gives to minimatch:
//! hidden files count, braces are ordinary characters, no extended patterns.

use std::path::{Path, PathBuf};

/// The patterns of one search, in order. The last that matches decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(Vec<Pattern>);

/// One pattern, rooted: every part of its path in turn.
#[derive(Clone, Debug)]
struct Pattern {
    negated: bool,
    /// Written with a slash at its end: matches folders only.
    only_folders: bool,
    /// The same pattern for everything below a folder that it matches; does not match the folder itself.
    is_descendants: bool,
    parts: Vec<Part>,
    /// How many parts at the front hold no wildcard.
    literal: usize,
}

#[derive(Clone, Debug)]
enum Part {
    /// `**`: any number of folders, also none.
    AnyFolders,
    Name(Vec<Piece>),
}

#[derive(Clone, Debug)]
enum Piece {
    One(char),
    /// `?`
    AnyOne,
    /// `*`
    Any,
    /// `[a-z]`, `[!0-9]`
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Patterns {
    /// Reads patterns, one a line; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// A sentence, for a pattern with `.` or `..` inside it.
    pub(crate) fn parse(text: &str, root: &Path) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let pattern = Pattern::parse(line, root)?;
            let descendants = pattern.descendants();
            patterns.push(pattern);
            patterns.extend(descendants);
        }
        Ok(Self(patterns))
    }

    /// Where a search has to begin: no two of these lie in each other.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = Vec::new();
        for pattern in self.0.iter().filter(|pattern| !pattern.negated) {
            let root = pattern.root();
            if !roots.iter().any(|known| root.starts_with(known)) {
                roots.retain(|known| !known.starts_with(&root));
                roots.push(root);
            }
        }
        roots
    }

    /// Whether the patterns choose this item.
    pub(crate) fn choose(&self, path: &Path, is_folder: bool) -> bool {
        let names = names(path);
        self.0.iter().fold(false, |chosen, pattern| {
            // Once decided, a pattern that could only decide the same need not be tried.
            if chosen == pattern.negated && pattern.matches(&names, is_folder) { !pattern.negated } else { chosen }
        })
    }

    /// Whether something below this folder may be chosen.
    pub(crate) fn may_choose_below(&self, folder: &Path) -> bool {
        let names = names(folder);
        self.0.iter().any(|pattern| !pattern.negated && pattern.may_match_below(&names))
    }
}

impl Pattern {
    fn parse(line: &str, root: &Path) -> Result<Self, String> {
        let mut text = line;
        let mut negated = false;
        while let Some(rest) = text.strip_prefix('!') {
            (negated, text) = (!negated, rest.trim());
        }
        let only_folders = text.len() > 1 && text.ends_with('/');
        let mut written: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let is_rooted = text.starts_with('/');
        if !is_rooted && written.first() == Some(&".") {
            written.remove(0);
        }
        if written.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(format!("Invalid pattern '{text}'. Relative pathing '.' and '..' is not allowed."));
        }
        let mut parts: Vec<Part> = Vec::new();
        if !is_rooted {
            let plain = |name: &str| Part::Name(name.chars().map(Piece::One).collect());
            parts.extend(names(root).iter().map(|name| plain(name)));
        }
        parts.extend(written.into_iter().map(Part::parse));
        let literal = parts.iter().take_while(|part| part.literal().is_some()).count();
        Ok(Self { negated, only_folders, is_descendants: false, parts, literal })
    }

    fn descendants(&self) -> Option<Self> {
        if matches!(self.parts.last(), Some(Part::AnyFolders)) && !self.only_folders {
            return None;
        }
        let mut all = self.clone();
        all.only_folders = false;
        all.is_descendants = true;
        all.parts.push(Part::AnyFolders);
        Some(all)
    }

    fn root(&self) -> PathBuf {
        let mut root = PathBuf::from("/");
        root.extend(self.parts[..self.literal].iter().filter_map(Part::literal));
        root
    }

    fn matches(&self, names: &[String], is_folder: bool) -> bool {
        if self.only_folders && !is_folder {
            return false;
        }
        // `reached[n]`: the parts so far can match the first `n` names. Never more work than parts times names.
        let mut reached = vec![false; names.len() + 1];
        reached[0] = true;
        for (at, part) in self.parts.iter().enumerate() {
            let mut next = vec![false; names.len() + 1];
            match part {
                Part::AnyFolders => {
                    let may_be_none = !(self.is_descendants && at + 1 == self.parts.len());
                    let mut before = false;
                    for (next, &here) in next.iter_mut().zip(&reached) {
                        *next = before || (here && may_be_none);
                        before |= here;
                    }
                }
                Part::Name(pieces) => {
                    for (number, name) in names.iter().enumerate() {
                        next[number + 1] = reached[number] && name_matches(pieces, name);
                    }
                }
            }
            reached = next;
        }
        reached[names.len()]
    }

    fn may_match_below(&self, names: &[String]) -> bool {
        for (at, name) in names.iter().enumerate() {
            match self.parts.get(at) {
                None => return false,
                Some(Part::AnyFolders) => return true,
                Some(Part::Name(pieces)) if !name_matches(pieces, name) => return false,
                Some(Part::Name(_)) => {}
            }
        }
        self.parts.len() > names.len()
    }
}

impl Part {
    fn parse(text: &str) -> Self {
        if text == "**" { Self::AnyFolders } else { Self::Name(pieces(text)) }
    }

    /// The name it stands for if it has no wildcard.
    fn literal(&self) -> Option<String> {
        let Self::Name(pieces) = self else { return None };
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::One(character) => Some(*character),
                Piece::AnyOne | Piece::Any | Piece::Set { .. } => None,
            })
            .collect()
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let characters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::with_capacity(characters.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        at += 1;
        match character {
            '\\' if at < characters.len() => {
                pieces.push(Piece::One(characters[at]));
                at += 1;
            }
            '?' => pieces.push(Piece::AnyOne),
            '*' => pieces.push(Piece::Any),
            '[' => match set(&characters[at..]) {
                // A set of one character is how a wildcard is escaped.
                Some((Piece::Set { negated: false, ranges }, length)) if matches!(&*ranges, [(from, to)] if from == to) =>
                {
                    pieces.extend(ranges.first().map(|(only, _)| Piece::One(*only)));
                    at += length;
                }
                Some((set, length)) => {
                    pieces.push(set);
                    at += length;
                }
                // A bracket that is never closed means itself.
                None => pieces.push(Piece::One('[')),
            },
            other => pieces.push(Piece::One(other)),
        }
    }
    pieces
}

/// The set after an opening bracket and its length with the closing one.
fn set(text: &[char]) -> Option<(Piece, usize)> {
    let mut at = 0;
    let negated = matches!(text.first(), Some('!' | '^'));
    if negated {
        at += 1;
    }
    let mut ranges = Vec::new();
    loop {
        let mut from = *text.get(at)?;
        if from == ']' && !ranges.is_empty() {
            return Some((Piece::Set { negated, ranges }, at + 1));
        }
        if from == '\\' {
            at += 1;
            from = *text.get(at)?;
        }
        at += 1;
        match (text.get(at), text.get(at + 1)) {
            (Some('-'), Some(&to)) if to != ']' => {
                ranges.push((from, to));
                at += 2;
            }
            _ => ranges.push((from, from)),
        }
    }
}

/// Matches one name, going back only to the last `*`: never more work than pieces times characters.
fn name_matches(pieces: &[Piece], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut piece, mut character) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while character < name.len() {
        let fits = match pieces.get(piece) {
            Some(Piece::Any) => {
                last_star = Some((piece, character));
                piece += 1;
                continue;
            }
            Some(Piece::AnyOne) => true,
            Some(Piece::One(one)) => *one == name[character],
            Some(Piece::Set { negated, ranges }) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&name[character])) != *negated
            }
            None => false,
        };
        if fits {
            piece += 1;
            character += 1;
        } else if let Some((star, taken)) = last_star {
            last_star = Some((star, taken + 1));
            (piece, character) = (star + 1, taken + 1);
        } else {
            return false;
        }
    }
    pieces[piece..].iter().all(|piece| matches!(piece, Piece::Any))
}

fn names(path: &Path) -> Vec<String> {
    path.iter().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "/").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(patterns: &str, path: &str) -> bool {
        let patterns = Patterns::parse(patterns, Path::new("/w")).expect("patterns");
        patterns.choose(Path::new(path), path.ends_with('/'))
    }

    #[test]
    fn trap_32_hidden_files_count_and_braces_are_ordinary() {
        for (pattern, path) in [
            ("*.txt", "/w/.hidden.txt"),
            ("**/*.txt", "/w/a.txt"),
            ("**/*.txt", "/w/.a/b/c.txt"),
            ("{a,b}", "/w/{a,b}"),
            ("src", "/w/src/deep/down"),
            ("src/", "/w/src/deep"),
            ("./a", "/w/a"),
            ("/etc/h?sts", "/etc/hosts"),
            ("[a-c]x[!0-9]", "/w/bxy"),
            ("a[*]b", "/w/a*b"),
            ("x[", "/w/x["),
        ] {
            assert!(chosen(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.txt", "/w/a/b.txt"),
            ("{a,b}", "/w/a"),
            ("a[*]b", "/w/axb"),
            ("src/", "/w/src"),
            ("A", "/w/a"),
            ("[!0]", "/w/0"),
        ] {
            assert!(!chosen(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        assert!(!chosen("**\n!node_modules", "/w/node_modules/a"));
        assert!(chosen("**\n!node_modules\nnode_modules/keep", "/w/node_modules/keep"));
        assert!(!chosen("# **\n\n", "/w/a"));
        assert!(chosen("!!a", "/w/a"));
    }

    #[test]
    fn a_search_begins_where_the_wildcards_do() {
        let patterns = Patterns::parse("a/b/*.x\na/**\n!c\n/etc/hosts", Path::new("/w[1]")).expect("patterns");
        assert_eq!(patterns.roots(), [PathBuf::from("/w[1]/a"), PathBuf::from("/etc/hosts")]);
        assert!(patterns.may_choose_below(Path::new("/w[1]/a/z")) && !patterns.may_choose_below(Path::new("/w[1]/b")));
        assert!(Patterns::parse("a/../b", Path::new("/w")).is_err());
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!chosen(&format!("{}b", "a*".repeat(200)), &format!("/w/{}", "a".repeat(3000))));
        assert!(!chosen(&format!("{}b", "**/x/".repeat(100)), &format!("/w/{}", "x/".repeat(400))));
    }
}
