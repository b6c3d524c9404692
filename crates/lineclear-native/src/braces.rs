//! Braces in patterns, as the npm package `brace-expansion` reads them for `minimatch` and its like.

/// Most patterns that braces may stand for.
const MOST_ALTERNATIVES: usize = 1000;
/// Deepest nesting of braces.
const DEEPEST: usize = 20;

/// The patterns that braces stand for: `{a,b}` is both, `{1..3}` all three; a brace without a partner is itself.
pub(crate) fn expand(pattern: &[char]) -> Vec<Vec<char>> {
    expand_within(pattern, 0)
}

fn expand_within(pattern: &[char], depth: usize) -> Vec<Vec<char>> {
    let whole = || vec![pattern.to_vec()];
    if depth > DEEPEST {
        return whole();
    }
    let Some((open, close, alternatives)) = first(pattern) else { return whole() };
    let rests = expand_within(&pattern[close + 1..], depth + 1);
    let mut all = Vec::new();
    for alternative in alternatives {
        for middle in expand_within(&alternative, depth + 1) {
            for rest in &rests {
                if all.len() == MOST_ALTERNATIVES {
                    return all;
                }
                all.push([&pattern[..open], &middle, rest].concat());
            }
        }
    }
    all
}

/// The first braces that stand for alternatives: where they open and close, and what is between the commas.
fn first(pattern: &[char]) -> Option<(usize, usize, Vec<Vec<char>>)> {
    let mut open = 0;
    loop {
        open += pattern[open..].iter().position(|character| *character == '{')?;
        let (mut depth, mut commas) = (0_usize, Vec::new());
        let mut close = None;
        let mut at = open;
        while at < pattern.len() {
            match pattern[at] {
                '\\' => at += 1,
                '{' => depth += 1,
                ',' if depth == 1 => commas.push(at),
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        close = Some(at);
                        break;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        let backslashes = pattern[..open].iter().rev().take_while(|character| **character == '\\').count();
        let is_escaped = backslashes % 2 == 1 || pattern[..open].ends_with(&['$']);
        if let (Some(close), false) = (close, is_escaped) {
            if !commas.is_empty() {
                let borders: Vec<usize> = [open].into_iter().chain(commas).chain([close]).collect();
                let between = borders.windows(2).map(|pair| pattern[pair[0] + 1..pair[1]].to_vec());
                return Some((open, close, between.collect()));
            }
            if let Some(sequence) = sequence(&pattern[open + 1..close]) {
                return Some((open, close, sequence));
            }
        }
        open += 1;
    }
}

/// `1..3` and `a..e`.
fn sequence(text: &[char]) -> Option<Vec<Vec<char>>> {
    let text: String = text.iter().collect();
    let (from, to) = text.split_once("..")?;
    let own = |text: String| text.chars().collect::<Vec<_>>();
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let length = usize::try_from(from.abs_diff(to)).ok().filter(|length| *length < MOST_ALTERNATIVES)?;
        let step = if from <= to { 1 } else { -1 };
        return Some(
            (0..=length)
                .scan(from, |at, _| Some(std::mem::replace(at, *at + step)))
                .map(|n| own(n.to_string()))
                .collect(),
        );
    }
    let single = |text: &str| Some(text.chars().next()?).filter(|c| c.is_ascii_alphabetic() && text.len() == 1);
    let (from, to) = (single(from)?, single(to)?);
    let mut all: Vec<Vec<char>> = (from.min(to)..=from.max(to)).map(|character| vec![character]).collect();
    if from > to {
        all.reverse();
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(pattern: &str) -> Vec<String> {
        let pattern: Vec<char> = pattern.chars().collect();
        expand(&pattern).into_iter().map(|one| one.into_iter().collect()).collect()
    }

    #[test]
    fn braces_stand_for_alternatives_and_sequences() {
        assert_eq!(expanded("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
        assert_eq!(expanded("{3..1}{a..b}"), ["3a", "3b", "2a", "2b", "1a", "1b"]);
        for itself in ["a{b}c", "a{b,c", r"a\{b,c}", "${b,c}", "{1..99999999}"] {
            assert_eq!(expanded(itself), [itself]);
        }
        assert_eq!(expanded(r"\\{b,c}"), [r"\\b", r"\\c"], "the backslash is escaped, not the brace");
    }
}
