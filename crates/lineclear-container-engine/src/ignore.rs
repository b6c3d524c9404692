//! `.dockerignore`: what of a build's context is left out.
//!
//! # Source
//! Docker's reference of the Dockerfile, section on `.dockerignore`: patterns of Go's `filepath.Match` with `**`, from the context's root, the last
//! one that matches counts, `!` takes back.

/// The patterns of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    keeps: bool,
    parts: Vec<String>,
}

impl Ignore {
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let patterns = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let line = line.trim();
            let (keeps, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let mut parts: Vec<String> = Vec::new();
            for part in line.split('/') {
                match part {
                    "" | "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part.into()),
                }
            }
            (!parts.is_empty()).then_some(Pattern { keeps, parts })
        });
        Self { patterns: patterns.collect() }
    }

    /// Whether a path (relative, with `/`) is left out: it or a folder that it is in matches.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let mut out = false;
        for pattern in &self.patterns {
            let matches = || (1..=parts.len()).any(|length| match_parts(&pattern.parts, &parts[..length]));
            if pattern.keeps == out && matches() {
                out = !pattern.keeps;
            }
        }
        out
    }

    /// Whether something in a folder that is left out may be taken back.
    pub(crate) fn may_keep_in(&self, folder: &str) -> bool {
        let parts: Vec<&str> = folder.split('/').collect();
        self.patterns.iter().filter(|pattern| pattern.keeps).any(|pattern| {
            let deep = pattern.parts.iter().position(|part| part == "**").unwrap_or(usize::MAX);
            let length = parts.len().min(pattern.parts.len()).min(deep);
            (deep <= parts.len() || pattern.parts.len() > parts.len())
                && pattern.parts[..length].iter().zip(&parts).all(|(pattern, part)| match_part(pattern, part))
        })
    }
}

fn match_parts(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            // A last `**` stands for something, others also for nothing.
            let least = usize::from(rest.is_empty());
            (least..=path.len()).any(|skipped| match_parts(rest, &path[skipped..]))
        }
        (Some((first, rest)), Some((part, path))) => match_part(first, part) && match_parts(rest, path),
        _ => false,
    }
}

/// Matches one part of a path against a pattern of `*`, `?`, `[a-z]` and `\`.
fn match_part(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where the last star stands, and how much of the text it took.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match one(&pattern, p, text[t]) {
            Some(next) => (p, t) = (next, t + 1),
            None if pattern.get(p) == Some(&'*') => {
                star = Some((p, t));
                p += 1;
            }
            None => match star {
                Some((at, taken)) => {
                    (p, t) = (at + 1, taken + 1);
                    star = Some((at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Where the pattern goes on if what stands at `p` takes this character.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern.get(p)? {
        '*' => None,
        '?' => Some(p + 1),
        '\\' => (*pattern.get(p + 1)? == c).then_some(p + 2),
        '[' => {
            let mut at = p + 1;
            let negated = pattern.get(at) == Some(&'^');
            at += usize::from(negated);
            let (mut found, first) = (false, at);
            loop {
                let mut next = || {
                    at += usize::from(*pattern.get(at)? == '\\');
                    at += 1;
                    pattern.get(at - 1).copied()
                };
                let low = next()?;
                let high = if pattern.get(at) == Some(&'-') {
                    at += 1;
                    at += usize::from(*pattern.get(at)? == '\\');
                    at += 1;
                    *pattern.get(at - 1)?
                } else {
                    low
                };
                found |= (low..=high).contains(&c);
                if pattern.get(at) == Some(&']') && at > first {
                    return (found != negated).then_some(at + 1);
                }
            }
        }
        &literal => (literal == c).then_some(p + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out<'p>(patterns: &str, paths: &[&'p str]) -> Vec<&'p str> {
        let ignore = Ignore::parse(patterns);
        paths.iter().copied().filter(|path| ignore.leaves_out(path)).collect()
    }

    #[test]
    fn patterns_match_from_the_root_and_folders_with_all_in_them() {
        let paths = ["a.md", "d/a.md", "d/e/a.md", "node_modules/x/y", "src/node_modules/z", "tempa", "tempab"];
        assert_eq!(out("*.md", &paths), ["a.md"]);
        assert_eq!(out("*/*.md", &paths), ["d/a.md"]);
        assert_eq!(out("**/*.md", &paths), ["a.md", "d/a.md", "d/e/a.md"]);
        assert_eq!(out("node_modules", &paths), ["node_modules/x/y"]);
        assert_eq!(out("/node_modules/", &paths), ["node_modules/x/y"]);
        assert_eq!(out("**/node_modules", &paths), ["node_modules/x/y", "src/node_modules/z"]);
        assert_eq!(out("temp?", &paths), ["tempa"]);
        assert_eq!(out("temp[a-c]*", &paths), ["tempa", "tempab"]);
        assert_eq!(out("temp[^b]", &paths), ["tempa"]);
        assert_eq!(out("d/**", &paths), ["d/a.md", "d/e/a.md"]);
        assert_eq!(out("# *.md\n\n./d/../d/e", &paths), ["d/e/a.md"]);
    }

    #[test]
    fn the_last_pattern_that_matches_counts() {
        let paths = ["a.md", "README.md", "d/x", "d/keep/x"];
        assert_eq!(out("*.md\n!README.md", &paths), ["a.md"]);
        assert_eq!(out("*.md\n!README*.md\nREADME.md", &paths), ["a.md", "README.md"]);
        assert_eq!(out("*\n!d/keep", &paths), ["a.md", "README.md", "d/x"]);
        assert!(Ignore::parse("*\n!d/keep").may_keep_in("d"));
        assert!(Ignore::parse("*\n!**/keep").may_keep_in("d/e/f"));
        assert!(!Ignore::parse("*\n!d/keep").may_keep_in("e"));
    }

    #[test]
    fn a_pattern_that_is_broken_matches_nothing() {
        for broken in ["[", "[a", "[a-", "[\\", "\\", "[^"] {
            assert_eq!(out(broken, &["a", "b"]), [""; 0], "{broken}");
        }
    }
}
