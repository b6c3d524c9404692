//! Patterns for paths, as the npm packages `minimatch` and `picomatch` read them, for the actions that use those.
//!
//! # Source
//! The documentation of both packages: `*`, `**`, `?`, classes, braces and extended patterns. A `!` in front turns a pattern around.

use fancy_regex::Regex;

use crate::braces;

/// Deepest nesting of extended patterns.
const DEEPEST: usize = 20;
/// Longest pattern, in bytes.
const LONGEST: usize = 4096;

/// One pattern for paths with forward slashes.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    regexes: Vec<Regex>,
    is_negated: bool,
}

/// Whether `*` and `?` also match a dot at the beginning of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dots {
    Matched,
    Explicit,
}

impl Glob {
    /// # Errors
    /// A sentence about a pattern that is too large, or that is none.
    pub(crate) fn new(pattern: &str, dots: Dots) -> Result<Self, String> {
        if pattern.len() > LONGEST {
            return Err(format!("a pattern of {} bytes is too long: {LONGEST} are allowed", pattern.len()));
        }
        let stripped = pattern.trim_start_matches('!');
        let (bangs, stripped) = match stripped.strip_prefix('(') {
            // `!(…)` is an extended pattern.
            Some(_) if pattern.starts_with("!(") => (0, pattern),
            _ => (pattern.len() - stripped.len(), stripped),
        };
        let stripped = stripped.strip_prefix("./").unwrap_or(stripped);
        let characters: Vec<char> = stripped.chars().collect();
        let mut regexes = Vec::new();
        for alternative in braces::expand(&characters) {
            let text = format!("^(?:{})$", Translation { characters: &alternative, dots }.all());
            let regex = Regex::new(&text).map_err(|error| format!("`{pattern}` is no usable pattern: {error}"))?;
            regexes.push(regex);
        }
        Ok(Self { regexes, is_negated: bangs % 2 == 1 })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        // A pattern that takes too long to match does not.
        self.regexes.iter().any(|regex| regex.is_match(path).unwrap_or(false)) != self.is_negated
    }
}

/// From a pattern to a regular expression.
struct Translation<'p> {
    characters: &'p [char],
    dots: Dots,
}

impl Translation<'_> {
    fn all(&self) -> String {
        let mut out = String::new();
        let segments: Vec<&[char]> = split(self.characters);
        let count = segments.len();
        let mut index = 0;
        while index < count {
            let segment = segments[index];
            let is_last = index + 1 == count;
            if segment == ['*', '*'] {
                // Any folders; names that begin with a dot only where they are matched at all.
                let name = if self.dots == Dots::Matched { "[^/]+" } else { "(?!\\.)[^/]+" };
                match (is_last, index == 0) {
                    // `a/**` is also `a/`, and not `a`; alone it is everything.
                    (true, _) => out.push_str(&format!("(?:{name}(?:/{name})*)?")),
                    (false, _) => out.push_str(&format!("(?:{name}/)*")),
                }
                index += 1;
                continue;
            }
            let guard = if segment.first().is_some_and(|first| "*?[+@!".contains(*first)) { self.guard() } else { "" };
            out.push_str(guard);
            if segment == ['*'] {
                out.push_str("[^/]+");
            } else {
                out.push_str(&self.segment(segment, 0));
            }
            if !is_last {
                out.push('/');
            }
            index += 1;
        }
        out
    }

    /// Before a wildcard at the beginning of a name.
    fn guard(&self) -> &'static str {
        match self.dots {
            Dots::Matched => "(?!\\.{1,2}(?:/|$))",
            Dots::Explicit => "(?!\\.)",
        }
    }

    fn segment(&self, characters: &[char], depth: usize) -> String {
        let mut out = String::new();
        let mut at = 0;
        while at < characters.len() {
            let character = characters[at];
            let is_extended = characters.get(at + 1) == Some(&'(') && depth < DEEPEST;
            if is_extended
                && "?*+@!".contains(character)
                && let Some((end, alternatives)) = group(characters, at + 1)
            {
                let parts: Vec<String> = alternatives.iter().map(|part| self.segment(part, depth + 1)).collect();
                let parts = parts.join("|");
                if character == '!' {
                    let rest = self.segment(&characters[end + 1..], depth + 1);
                    out.push_str(&format!("(?!(?:{parts}){rest}(?:/|$))[^/]*?"));
                } else {
                    let times = match character {
                        '@' => "",
                        '?' => "?",
                        '*' => "*",
                        _ => "+",
                    };
                    out.push_str(&format!("(?:{parts}){times}"));
                }
                at = end + 1;
                continue;
            }
            match character {
                '*' => {
                    while characters.get(at + 1) == Some(&'*') {
                        at += 1;
                    }
                    out.push_str("[^/]*?");
                }
                '?' => out.push_str("[^/]"),
                '[' => match class(characters, at) {
                    Some((end, text)) => {
                        out.push_str(&text);
                        at = end;
                    }
                    None => out.push_str("\\["),
                },
                '\\' if at + 1 < characters.len() => {
                    at += 1;
                    push_literal(&mut out, characters[at]);
                }
                other => push_literal(&mut out, other),
            }
            at += 1;
        }
        out
    }
}

fn push_literal(out: &mut String, character: char) {
    if character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_' && character != '/' {
        out.push('\\');
    }
    out.push(character);
}

/// The segments of a pattern: slashes in groups and classes separate, too, as no name has one.
fn split(characters: &[char]) -> Vec<&[char]> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut at = 0;
    while at < characters.len() {
        match characters[at] {
            '\\' => at += 1,
            '(' if at > 0 && "?*+@!".contains(characters[at - 1]) => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '/' if depth == 0 => {
                segments.push(&characters[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if depth > 0 {
        return characters.split(|character| *character == '/').collect();
    }
    segments.push(&characters[start..]);
    segments
}

/// The alternatives of an extended pattern whose bracket opens at `open`, and where it closes.
fn group(characters: &[char], open: usize) -> Option<(usize, Vec<&[char]>)> {
    let mut depth = 0_usize;
    let mut bars = vec![open];
    let mut at = open;
    while at < characters.len() {
        match characters[at] {
            '\\' => at += 1,
            '(' => depth += 1,
            '|' if depth == 1 => bars.push(at),
            ')' => {
                depth -= 1;
                if depth == 0 {
                    bars.push(at);
                    let parts = bars.windows(2).map(|pair| &characters[pair[0] + 1..pair[1]]).collect();
                    return Some((at, parts));
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// A class as a regular expression, and where it ends.
fn class(characters: &[char], open: usize) -> Option<(usize, String)> {
    let mut at = open + 1;
    let is_negated = matches!(characters.get(at), Some('!' | '^'));
    at += usize::from(is_negated);
    let first = at;
    let mut inside = String::new();
    loop {
        match characters.get(at)? {
            ']' if at > first => break,
            '/' => return None,
            '[' if characters.get(at + 1) == Some(&':') => {
                let end = (at + 2..characters.len()).find(|end| characters[*end..].starts_with(&[':', ']']))?;
                let name: String = characters[at + 2..end].iter().collect();
                if !["alpha", "digit", "alnum", "upper", "lower", "space", "punct", "xdigit"].contains(&name.as_str()) {
                    return None;
                }
                inside.push_str(&format!("[:{name}:]"));
                at = end + 1;
            }
            '-' if at > first && characters.get(at + 1).is_some_and(|next| *next != ']') => inside.push('-'),
            '\\' => {
                at += 1;
                push_literal(&mut inside, *characters.get(at)?);
            }
            other => push_literal(&mut inside, *other),
        }
        at += 1;
    }
    let not = if is_negated { "^/" } else { "" };
    Some((at, format!("[{not}{inside}]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let glob = Glob::new(pattern, Dots::Matched).expect("a pattern");
        for path in matching {
            assert!(glob.matches(path), "`{pattern}` and `{path}`: {glob:?}");
        }
        for path in others {
            assert!(!glob.matches(path), "`{pattern}` and not `{path}`: {glob:?}");
        }
    }

    #[test]
    fn patterns_match_as_the_packages_of_node_do() {
        check("src/**", &["src/a", "src/a/b.js", "src/.hidden"], &["src", "a/src/b", "lib/a"]);
        check("**/*.md", &["a.md", "docs/a.md", "docs/.github/a.md"], &["a.mdx"]);
        check("*", &["a", ".a"], &["a/b"]);
        check("*.{js,ts}", &["a.js", "a.ts"], &["a.jsx", "b/a.js"]);
        check("file{1..3}.txt", &["file2.txt"], &["file4.txt"]);
        check("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/bb", "ab"]);
        check("!src/**", &["lib/a"], &["src/a"]);
        check("!(src|lib)/*", &["docs/a"], &["src/a", "lib/a"]);
        check("+(a|b).txt", &["ab.txt", "a.txt"], &[".txt", "c.txt"]);
        check("[a-c]?[!x]", &["bzz"], &["dzz", "bzx", "b/z"]);
        check("[[:digit:]].txt", &["1.txt"], &["a.txt"]);
        check("a\\*b", &["a*b"], &["axb"]);
        check("./a.txt", &["a.txt"], &["b.txt"]);
        check("a[b", &["a[b"], &["ab"]);
        check("**", &["a", "a/b/c"], &[]);
    }

    #[test]
    fn dots_are_matched_when_asked_for_only() {
        let glob = Glob::new("**/*.md", Dots::Explicit).expect("a pattern");
        assert!(glob.matches("a/b.md") && !glob.matches(".github/b.md") && !glob.matches("a/.b.md"));
    }

    #[test]
    fn hostile_patterns_end() {
        let deep = "{a,".repeat(40);
        assert!(Glob::new(&deep, Dots::Matched).is_ok());
        assert!(Glob::new(&"x".repeat(5000), Dots::Matched).is_err());
        let slow = Glob::new("+(+(+(a|aa)))b", Dots::Matched).expect("a pattern");
        assert!(!slow.matches(&"a".repeat(60)));
    }
}
