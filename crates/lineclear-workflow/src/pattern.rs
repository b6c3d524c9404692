//! The dialect of filter patterns under `on:`, and matching by it.
//!
//! A [`FilterPattern`] is one pattern, a [`PatternSet`] is a filter list with its rule: the *last* pattern that matches
//! decides. `?` and `+` repeat the character before them, `*` stops at `/`, `**` does not, and `**/` may be nothing.
//!
//! Matching takes time in proportion to pattern × name, whatever the pattern. Most patterns are a literal head, one
//! wildcard and a literal tail, and most names fail on the first bytes, so [`Names`] keeps the first and last eight bytes
//! of each name ready: a pattern that does not fit is then one comparison.
//!
//! Source of the rules: GitHub's "filter pattern cheat sheet".

use std::fmt;

use lineclear_source::{Diagnostic, Span, Spanned};

use crate::{Patterns, code};

/// One filter pattern, ready to match.
#[derive(Clone, Debug)]
pub struct FilterPattern {
    /// Whether it began with `!`: a name that matches is taken out again.
    negative: bool,
    /// Every matching name begins with this …
    head: Box<str>,
    /// … ends with this, which does not overlap the head …
    tail: Box<str>,
    /// … and has this between the two.
    middle: Middle,
    head_word: WordTest,
    tail_word: WordTest,
}

/// What stands between the literal head and tail of a pattern.
#[derive(Clone, Debug)]
enum Middle {
    /// Nothing: head and tail are the whole name (and the tail is empty).
    Nothing,
    /// `**`.
    Anything,
    /// `*`.
    NoSlash,
    /// `**/`: nothing, or anything that ends in a slash.
    Folders,
    /// `**/*`: the tail holds no slash, so any text will do.
    FoldersAndName,
    /// Anything else, in few enough pieces for one machine word.
    Bits(Box<Bits>),
    Pieces(Box<[Piece]>),
}

/// The general matcher with a bit for each state: bit `i` says that the text so far fits the pieces before `i`.
#[derive(Clone, Debug)]
struct Bits {
    pieces: Box<[Piece]>,
    /// For each ASCII character, the pieces that read it.
    readers: [u64; 128],
    /// Pieces that read once and go on.
    once: u64,
    /// Pieces that read and stay.
    many: u64,
    folders: u64,
    /// Pieces that may be nothing.
    skipped: u64,
    maybe_folders: u64,
}

/// One state of the general matcher.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    One(Set),
    /// Zero or one.
    Maybe(Set),
    /// Zero or more.
    Many(Set),
    /// The start of `**/`: goes on with the `Folders` that follows it, or past it. Reads nothing.
    MaybeFolders,
    /// Reads anything; past it only by reading a slash.
    Folders,
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    Char(char),
    /// `[a-z_]`.
    Ranges(Box<[(char, char)]>),
    NoSlash,
    Any,
}

impl Set {
    fn holds(&self, c: char) -> bool {
        match self {
            Self::Char(wanted) => *wanted == c,
            Self::Ranges(ranges) => ranges.iter().any(|&(from, to)| from <= c && c <= to),
            Self::NoSlash => c != '/',
            Self::Any => true,
        }
    }
}

/// Why a text is no filter pattern, and where in it (bytes from its start).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PatternError {
    pub kind: PatternErrorKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternErrorKind {
    Empty,
    /// Only a `!`.
    NothingToNegate,
    /// `?` or `+` at the start or after another special character.
    NothingToRepeat(char),
    UnclosedSet,
    EmptySet,
    UnfinishedRange,
    BackwardRange(char, char),
    LineBreak,
}

impl fmt::Display for PatternErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the pattern is empty"),
            Self::NothingToNegate => write!(f, "a pattern must follow `!`"),
            Self::NothingToRepeat(c) => write!(f, "`{c}` repeats the character before it, and there is none to repeat"),
            Self::UnclosedSet => write!(f, "`[` has no closing `]`"),
            Self::EmptySet => write!(f, "`[]` lists no character"),
            Self::UnfinishedRange => write!(f, "the range has no last character"),
            Self::BackwardRange(from, to) => write!(f, "the range `{from}-{to}` runs backwards"),
            Self::LineBreak => write!(f, "a pattern holds no line break"),
        }
    }
}

impl FilterPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first thing that GitHub would not accept; `\` before an ordinary character and an odd `!` are accepted.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError { kind: PatternErrorKind::Empty, span: Span::default() });
        }
        let negative = text.starts_with('!');
        let offset = usize::from(negative);
        if text.len() == offset {
            return Err(PatternError { kind: PatternErrorKind::NothingToNegate, span: Span::new(0, 1) });
        }
        let pieces = parse_pieces(&text[offset..])
            .map_err(|error| PatternError { span: error.span.shifted(offset), ..error })?;
        Ok(Self::from_pieces(negative, pieces))
    }

    fn from_pieces(negative: bool, mut pieces: Vec<Piece>) -> Self {
        fn literal(piece: &Piece) -> Option<char> {
            match piece {
                Piece::One(Set::Char(c)) => Some(*c),
                _ => None,
            }
        }
        let head: String = pieces.iter().map_while(literal).collect();
        pieces.drain(..head.chars().count());
        let tail_length = pieces.iter().rev().map_while(literal).count();
        let tail: String = pieces.drain(pieces.len() - tail_length..).filter_map(|piece| literal(&piece)).collect();
        let middle = match pieces.as_slice() {
            [] => Middle::Nothing,
            [Piece::Many(Set::Any)] => Middle::Anything,
            [Piece::Many(Set::NoSlash)] => Middle::NoSlash,
            [Piece::MaybeFolders, Piece::Folders] => Middle::Folders,
            [Piece::MaybeFolders, Piece::Folders, Piece::Many(Set::NoSlash)] if !tail.contains('/') => {
                Middle::FoldersAndName
            }
            few if few.len() < 64 => Middle::Bits(Box::new(Bits::new(few))),
            _ => Middle::Pieces(pieces.into()),
        };
        Self {
            negative,
            head_word: WordTest::head(&head),
            tail_word: WordTest::tail(&tail),
            head: head.into(),
            tail: tail.into(),
            middle,
        }
    }

    /// Whether it began with `!`.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the whole of `name` fits the pattern (without its `!`), minding case.
    pub fn matches(&self, name: &str) -> bool {
        if !name.starts_with(&*self.head) || !name.ends_with(&*self.tail) {
            return false;
        }
        let Some(middle) = name.get(self.head.len()..name.len() - self.tail.len()) else { return false };
        match &self.middle {
            Middle::Nothing => middle.is_empty(),
            Middle::Anything | Middle::FoldersAndName => true,
            Middle::NoSlash => !middle.contains('/'),
            Middle::Folders => middle.is_empty() || middle.ends_with('/'),
            Middle::Bits(bits) => bits.fits(middle),
            Middle::Pieces(pieces) => fits(pieces, middle),
        }
    }

    fn may_match(&self, name: &Name<'_>) -> bool {
        self.head_word.holds(name.head) && self.tail_word.holds(name.tail)
    }
}

impl Bits {
    fn new(pieces: &[Piece]) -> Self {
        let all = |is: fn(&Piece) -> bool| {
            pieces.iter().enumerate().filter(|(_, piece)| is(piece)).fold(0, |bits, (at, _)| bits | 1u64 << at)
        };
        let mut readers = [0; 128];
        for (c, bits) in (0..128u8).zip(&mut readers) {
            *bits = readers_of(pieces, char::from(c));
        }
        Self {
            pieces: pieces.into(),
            readers,
            once: all(|piece| matches!(piece, Piece::One(_) | Piece::Maybe(_))),
            many: all(|piece| matches!(piece, Piece::Many(_))),
            folders: all(|piece| matches!(piece, Piece::Folders)),
            skipped: all(|piece| matches!(piece, Piece::Maybe(_) | Piece::Many(_))),
            maybe_folders: all(|piece| matches!(piece, Piece::MaybeFolders)),
        }
    }

    fn fits(&self, name: &str) -> bool {
        let mut here = self.skip(1);
        for c in name.chars() {
            let readers = match self.readers.get(c as usize) {
                Some(readers) => *readers,
                None => readers_of(&self.pieces, c),
            };
            let past_folders = if c == '/' { here & self.folders } else { 0 };
            let go = here & readers & self.once | past_folders;
            let stay = here & (readers & self.many | self.folders);
            here = self.skip(go << 1 | stay);
            if here == 0 {
                return false;
            }
        }
        here >> self.pieces.len() & 1 == 1
    }

    /// Adds the states that are reached by reading nothing.
    fn skip(&self, mut here: u64) -> u64 {
        loop {
            let maybe_folders = here & self.maybe_folders;
            let more = here | (here & self.skipped) << 1 | maybe_folders << 1 | maybe_folders << 2;
            if more == here {
                return here;
            }
            here = more;
        }
    }
}

/// The pieces that read `c`, by their own set; `Folders` reads everything and is counted apart.
fn readers_of(pieces: &[Piece], c: char) -> u64 {
    let reads = |piece: &Piece| match piece {
        Piece::One(set) | Piece::Maybe(set) | Piece::Many(set) => set.holds(c),
        Piece::MaybeFolders | Piece::Folders => false,
    };
    pieces.iter().enumerate().filter(|(_, piece)| reads(piece)).fold(0, |bits, (at, _)| bits | 1u64 << at)
}

/// Walks all ways through `pieces` at once, so that no pattern can make it slow.
fn fits(pieces: &[Piece], name: &str) -> bool {
    // `here[i]`: the text so far fits the pieces before `i`.
    let mut here = vec![false; pieces.len() + 1];
    let mut next = here.clone();
    here[0] = true;
    skip_what_may_be_nothing(pieces, &mut here);
    for c in name.chars() {
        next.fill(false);
        let mut alive = false;
        for (at, piece) in pieces.iter().enumerate().filter(|&(at, _)| here[at]) {
            let (stay, go) = match piece {
                Piece::One(set) | Piece::Maybe(set) => (false, set.holds(c)),
                Piece::Many(set) => (set.holds(c), false),
                Piece::MaybeFolders => (false, false),
                Piece::Folders => (true, c == '/'),
            };
            next[at] |= stay;
            next[at + 1] |= go;
            alive |= stay || go;
        }
        if !alive {
            return false;
        }
        skip_what_may_be_nothing(pieces, &mut next);
        std::mem::swap(&mut here, &mut next);
    }
    here[pieces.len()]
}

fn skip_what_may_be_nothing(pieces: &[Piece], states: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if !states[at] {
            continue;
        }
        match piece {
            Piece::Maybe(_) | Piece::Many(_) => states[at + 1] = true,
            Piece::MaybeFolders => {
                states[at + 1] = true;
                // The parser always writes `Folders` after `MaybeFolders`, so there is a state behind it.
                if let Some(behind) = states.get_mut(at + 2) {
                    *behind = true;
                }
            }
            Piece::One(_) | Piece::Folders => {}
        }
    }
}

fn parse_pieces(text: &str) -> Result<Vec<Piece>, PatternError> {
    let fault = |kind, start, end| Err(PatternError { kind, span: Span::new(start, end) });
    let mut pieces = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    // Whether the last piece is a character or set that `?` and `+` may repeat.
    let mut repeatable = false;
    while let Some((at, c)) = chars.next() {
        let set = match c {
            '*' => {
                let mut stars = 1;
                while chars.next_if(|&(_, next)| next == '*').is_some() {
                    stars += 1;
                }
                let starts_segment = matches!(pieces.last(), None | Some(Piece::One(Set::Char('/')) | Piece::Folders));
                if stars == 1 {
                    pieces.push(Piece::Many(Set::NoSlash));
                } else if starts_segment && chars.next_if(|&(_, next)| next == '/').is_some() {
                    pieces.extend([Piece::MaybeFolders, Piece::Folders]);
                } else {
                    pieces.push(Piece::Many(Set::Any));
                }
                repeatable = false;
                continue;
            }
            '?' | '+' => {
                let last = if repeatable { pieces.pop() } else { None };
                let Some(Piece::One(set)) = last else {
                    return fault(PatternErrorKind::NothingToRepeat(c), at, at + 1);
                };
                if c == '?' {
                    pieces.push(Piece::Maybe(set));
                } else {
                    pieces.extend([Piece::One(set.clone()), Piece::Many(set)]);
                }
                repeatable = false;
                continue;
            }
            '[' => {
                let mut ranges = Vec::new();
                loop {
                    let Some((from_at, from)) = chars.next() else {
                        return fault(PatternErrorKind::UnclosedSet, at, text.len());
                    };
                    if from == ']' {
                        if ranges.is_empty() {
                            return fault(PatternErrorKind::EmptySet, at, from_at + 1);
                        }
                        break;
                    }
                    if chars.next_if(|&(_, next)| next == '-').is_none() {
                        ranges.push((from, from));
                        continue;
                    }
                    match chars.next() {
                        None => return fault(PatternErrorKind::UnclosedSet, at, text.len()),
                        Some((end, ']')) => return fault(PatternErrorKind::UnfinishedRange, from_at, end),
                        Some((end, to)) if from > to => {
                            let span = (from_at, end + to.len_utf8());
                            return fault(PatternErrorKind::BackwardRange(from, to), span.0, span.1);
                        }
                        Some((_, to)) => ranges.push((from, to)),
                    }
                }
                Set::Ranges(ranges.into())
            }
            '\\' => {
                // Before an ordinary character the backslash is one itself: a path may hold it.
                let escaped = chars.next_if(|&(_, next)| matches!(next, '[' | ']' | '?' | '+' | '*' | '!' | '\\'));
                Set::Char(escaped.map_or('\\', |(_, next)| next))
            }
            '\n' | '\r' => return fault(PatternErrorKind::LineBreak, at, at + 1),
            other => Set::Char(other),
        };
        pieces.push(Piece::One(set));
        repeatable = true;
    }
    Ok(pieces)
}

/// A filter list: `branches`, `paths-ignore` and their like.
#[derive(Clone, Debug)]
pub struct PatternSet {
    ignore: bool,
    /// Each with its index in the list as written; patterns that could not be read are left out.
    patterns: Vec<(usize, FilterPattern)>,
}

impl PatternSet {
    /// Makes a set of a filter list. Patterns that are none are reported and match nothing.
    pub fn new(patterns: &Patterns) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut list = Vec::with_capacity(patterns.list.len());
        for (index, text) in patterns.list.iter().enumerate() {
            match FilterPattern::parse(&text.value) {
                Ok(pattern) => list.push((index, pattern)),
                Err(error) => diagnostics.push(not_a_pattern(text, &error)),
            }
        }
        (Self { ignore: patterns.ignore, patterns: list }, diagnostics)
    }

    /// The last pattern that matches `name`: whether it takes the name in (`true`) or, by its `!`, out, and its index in
    /// the list as written. `None` where no pattern matches.
    ///
    /// Says nothing about the `-ignore` form: there, to be taken in means to be ignored. See [`Self::includes`].
    pub fn decide(&self, name: &str) -> Option<(bool, usize)> {
        self.decide_prepared(&Name::of(name))
    }

    fn decide_prepared(&self, name: &Name<'_>) -> Option<(bool, usize)> {
        let last =
            self.patterns.iter().rev().find(|(_, pattern)| pattern.may_match(name) && pattern.matches(name.text));
        last.map(|(index, pattern)| (!pattern.negative, *index))
    }

    /// Whether the filter lets `name` pass: for `X` if it is matched, for `X-ignore` if it is not.
    pub fn includes(&self, name: &str) -> bool {
        self.includes_prepared(&Name::of(name))
    }

    fn includes_prepared(&self, name: &Name<'_>) -> bool {
        matches!(self.decide_prepared(name), Some((true, _))) != self.ignore
    }

    /// Whether the filter lets any of `names` pass: the rule for `paths` and `paths-ignore`.
    pub fn any_included(&self, names: &Names<'_>) -> bool {
        self.first_included(names).is_some()
    }

    /// The first of `names` that the filter lets pass, for a reason to show.
    pub fn first_included<'a>(&self, names: &Names<'a>) -> Option<&'a str> {
        if !self.ignore && self.patterns.iter().all(|(_, pattern)| pattern.negative) {
            return None;
        }
        let found = match self.patterns.as_slice() {
            // The common filter has one pattern, and then the loop is worth keeping tight.
            [(_, only)] if !self.ignore => {
                names.list.iter().find(|name| only.may_match(name) && only.matches(name.text))
            }
            _ => names.list.iter().find(|name| self.includes_prepared(name)),
        };
        found.map(|name| name.text)
    }
}

/// The finding for a text that is no pattern.
pub(crate) fn not_a_pattern(text: &Spanned<String>, error: &PatternError) -> Diagnostic {
    Diagnostic::error(code::GLOB_SYNTAX, format!("`{}` is not a filter pattern: {error}", text.value)).at(text.span)
}

/// Names to be tried against many filters: changed paths, prepared once.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    list: Vec<Name<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Name<'a> {
    /// The first eight bytes, padded with zeros.
    head: u64,
    /// The last eight bytes, padded in front.
    tail: u64,
    text: &'a str,
}

impl<'a> FromIterator<&'a str> for Names<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        Self { list: names.into_iter().map(Name::of).collect() }
    }
}

impl<'a> Name<'a> {
    fn of(text: &'a str) -> Self {
        Self { head: head_word(text), tail: tail_word(text), text }
    }
}

impl Names<'_> {
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn head_word(text: &str) -> u64 {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[..length].copy_from_slice(&text.as_bytes()[..length]);
    u64::from_le_bytes(word)
}

fn tail_word(text: &str) -> u64 {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[8 - length..].copy_from_slice(&text.as_bytes()[text.len() - length..]);
    u64::from_le_bytes(word)
}

/// Whether a word agrees with the bytes that are known of it.
#[derive(Clone, Copy, Debug)]
struct WordTest {
    mask: u64,
    value: u64,
}

impl WordTest {
    fn head(text: &str) -> Self {
        let known = text.len().min(8) as u32;
        Self { mask: u64::MAX.checked_shr(64 - known * 8).unwrap_or(0), value: head_word(text) }
    }

    fn tail(text: &str) -> Self {
        let known = text.len().min(8) as u32;
        Self { mask: u64::MAX.checked_shl(64 - known * 8).unwrap_or(0), value: tail_word(text) }
    }

    fn holds(self, word: u64) -> bool {
        word & self.mask == self.value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        FilterPattern::parse(pattern).expect("the test's pattern is valid").matches(name)
    }

    fn set(ignore: bool, patterns: &[&str]) -> PatternSet {
        let list = patterns.iter().map(|text| Spanned::new((*text).to_owned(), Span::default())).collect();
        PatternSet::new(&Patterns { ignore, list, span: Span::default() }).0
    }

    #[test]
    fn patterns_match_as_the_cheat_sheet_says() {
        for (pattern, yes, no) in [
            ("feature/*", "feature/my-branch", "feature/beta-a/my-branch"),
            ("feature/**", "feature/beta-a/my-branch", "features/x"),
            ("main", "main", "mainline"),
            ("**", "all/the/branches", ""),
            ("*", "main", "a/b"),
            ("*feature", "ver-10-feature", "feature-x"),
            ("v2*", "v2.0", "v1.0"),
            ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.1.1"),
            ("*.js", "app.js", "js/app.js"),
            ("**.js", "src/js/app.js", "app.jsx"),
            ("docs/*", "docs/README.md", "docs/a/b.md"),
            ("docs/**", "docs/mona/octocat.txt", "docs"),
            ("docs/**/*.md", "docs/README.md", "docs/README.mdx"),
            ("docs/**/*.md", "docs/a/markdown/file.md", "other/docs/a.md"),
            ("**/docs/**", "dir/docs/my-file.txt", "dir/mydocs/my-file.txt"),
            ("**/docs/**", "docs/hello.md", "docs"),
            ("**/README.md", "js/README.md", "js/OREADME.md"),
            ("**/*src/**", "my-src/code/js/app.js", "src2/app.js"),
            ("**/*src/**", "a/src/app.js", "a/srcs/app.js"),
            ("**/*-post.md", "path/his-post.md", "path/post.md"),
            ("**/migrate-*.sql", "db/sept/migrate-v1.sql", "db/migrate.sql"),
            ("*.jsx?", "page.js", "page.jsxx"),
            ("*.jsx?", "page.jsx", "page.j"),
            ("a/**/b", "a/b", "ab"),
            ("a/**/b", "a/x/y/b", "a/xb"),
            ("a**b", "a/x/b", "a/x/c"),
            ("**/**/x", "x", "yx"),
            ("**/**/x", "a/b/x", "a/b/x/"),
        ] {
            if !yes.is_empty() {
                assert!(matches(pattern, yes), "{pattern} should match {yes}");
            }
            if !no.is_empty() {
                assert!(!matches(pattern, no), "{pattern} should not match {no}");
            }
        }
    }

    #[test]
    fn trap_93_question_mark_and_plus_act_on_the_character_before() {
        assert!(matches("colou?r", "color") && matches("colou?r", "colour"));
        assert!(!matches("colou?r", "colouur") && !matches("a?", "ab"));
        assert!(matches("ab+", "abbb") && !matches("ab+", "a"));
        assert!(matches("v[0-9]+", "v42") && !matches("v[0-9]+", "v"));
        assert!(matches("é+t", "éét"), "characters, not bytes, are repeated");
    }

    #[test]
    fn trap_93_double_star_slash_matches_the_root_too() {
        assert!(matches("**/x", "x") && matches("**/x", "a/b/x") && !matches("**/x", "ax"));
    }

    #[test]
    fn trap_93_the_last_matching_pattern_decides() {
        let list = set(false, &["releases/**", "!releases/**-alpha", "releases/10-alpha"]);
        assert_eq!(list.decide("releases/10"), Some((true, 0)));
        assert_eq!(list.decide("releases/9-alpha"), Some((false, 1)));
        assert_eq!(list.decide("releases/10-alpha"), Some((true, 2)));
        assert_eq!(list.decide("main"), None);
        let other_order = set(false, &["!releases/**-alpha", "releases/**"]);
        assert!(other_order.includes("releases/9-alpha"));
    }

    #[test]
    fn a_list_of_only_negative_patterns_lets_nothing_pass() {
        let list = set(false, &["!docs/**"]);
        assert!(!list.includes("src/a") && !list.includes("docs/a"));
        assert!(!list.any_included(&["src/a", "docs/a"].into_iter().collect()));
    }

    #[test]
    fn trap_99_an_ignore_list_stops_only_when_every_name_is_ignored() {
        let list = set(true, &["docs/**", "**.md", "!docs/api.md"]);
        assert!(!list.any_included(&["docs/x", "README.md"].into_iter().collect()));
        let names: Names<'_> = ["docs/x", "src/a.rs"].into_iter().collect();
        assert_eq!(list.first_included(&names), Some("src/a.rs"));
        assert!(list.includes("docs/api.md"), "`!` takes a name out of the ignored ones");
    }

    #[test]
    fn a_backslash_escapes_special_characters_and_is_otherwise_itself() {
        assert!(matches(r"a\*", "a*") && !matches(r"a\*", "ab"));
        assert!(matches(r"\!x", "!x") && matches(r"a\b", r"a\b") && matches(r"a\\+", r"a\\"));
        assert!(!FilterPattern::parse(r"\!x").expect("valid").is_negative());
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_place() {
        let fault = |text: &str| {
            let error = FilterPattern::parse(text).expect_err("the test's pattern is invalid");
            format!("{}..{} {error}", error.span.start, error.span.end)
        };
        assert_eq!(fault(""), "0..0 the pattern is empty");
        assert_eq!(fault("!"), "0..1 a pattern must follow `!`");
        assert_eq!(fault("+a"), "0..1 `+` repeats the character before it, and there is none to repeat");
        assert_eq!(fault("!a*?"), "3..4 `?` repeats the character before it, and there is none to repeat");
        assert_eq!(fault("v[0-9"), "1..5 `[` has no closing `]`");
        assert_eq!(fault("v[]"), "1..3 `[]` lists no character");
        assert_eq!(fault("v[0-]"), "2..4 the range has no last character");
        assert_eq!(fault("v[9-0]"), "2..5 the range `9-0` runs backwards");
        assert_eq!(fault("a\nb"), "1..2 a pattern holds no line break");
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = "a?".repeat(500) + &"**/*a".repeat(200) + "[b]";
        let name = "a".repeat(5_000);
        assert!(!matches(&pattern, &name));
    }

    proptest! {
        /// The prepared test may only ever save work.
        #[test]
        fn prepared_names_decide_as_plain_ones(
            patterns in prop::collection::vec("!?[ab/]{0,3}(\\*{0,2}/?[ab]?){0,3}[ab.]{0,4}[ab]", 1..5),
            names in prop::collection::vec("[ab./]{0,12}", 0..20),
            ignore: bool,
        ) {
            let texts: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let list = set(ignore, &texts);
            let plain = names.iter().map(String::as_str).find(|name| list.includes(name));
            prop_assert_eq!(list.first_included(&names.iter().map(String::as_str).collect()), plain);
        }

        #[test]
        fn no_text_makes_the_reader_or_the_matcher_panic(pattern: String, name: String) {
            if let Ok(pattern) = FilterPattern::parse(&pattern) {
                pattern.matches(&name);
            }
        }

        /// The matcher with bits agrees with the plain one.
        #[test]
        fn bits_agree_with_the_plain_matcher(
            pattern in "[ab/é]{0,2}(\\*{1,2}/?|[ab/é][?+]?|\\[ab\\]\\+?){1,6}[ab/]{0,2}", name in "[ab/é]{0,10}",
        ) {
            if let Ok(pieces) = parse_pieces(&pattern) {
                prop_assert_eq!(Bits::new(&pieces).fits(&name), fits(&pieces, &name));
                prop_assert_eq!(matches(&pattern, &name), fits(&pieces, &name));
            }
        }

        /// The shapes with a short cut agree with the general matcher.
        #[test]
        fn short_cuts_agree_with_the_general_matcher(pattern in "[ab/]{0,2}(\\*|\\*\\*|\\*\\*/|\\*\\*/\\*)[ab/]{0,2}", name in "[ab/]{0,8}") {
            let pieces = parse_pieces(&pattern).expect("this shape is valid");
            prop_assert_eq!(matches(&pattern, &name), fits(&pieces, &name));
        }
    }
}
