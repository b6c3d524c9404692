//! "Did you mean": the known word that is closest to a mistyped one.

/// Words longer than this are not compared: nobody mistypes them, and the comparison takes the product of the lengths.
const LONGEST: usize = 64;

/// The candidate that `word` was most likely meant to be, if one is close enough.
///
/// Close enough is one slip (a letter too many, too few, wrong, or two swapped) for every three letters of the longer
/// word, and at least one; upper and lower case, and `-` and `_`, count as nothing. Of equally close ones the first is given.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word)?;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let Some(other) = fold(candidate) else { continue };
        let longer = folded.len().max(other.len());
        let allowed = (longer / 3).max(1);
        // A word of one letter is one slip from every other.
        if longer < 2 || folded.len().abs_diff(other.len()) > allowed {
            continue;
        }
        let distance = distance(&folded, &other);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> Option<Vec<char>> {
    if word.len() > LONGEST {
        return None;
    }
    Some(word.chars().map(|char| if char == '_' { '-' } else { char.to_ascii_lowercase() }).collect())
}

/// How many letters to insert, remove, replace or swap with the next.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, &a) in one.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, &b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == other[j - 1] && b == one[i - 1] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(suggest(word, candidates.iter().copied()), expected, "{word}");
    }

    #[test]
    fn a_slip_leads_to_the_word_that_was_meant() {
        check("job", &["name", "jobs", "on"], Some("jobs"));
        check("step", &["steps", "stop"], Some("steps"));
        check("run-on", &["runs-on", "run-name"], Some("runs-on"));
        check("runs_on", &["needs", "runs-on"], Some("runs-on"));
        check("Timeout-Minutes", &["timeout-minutes"], Some("timeout-minutes"));
        check("timeout-mintues", &["timeout-minutes", "cancel-timeout-minutes"], Some("timeout-minutes"));
        check("ture", &["true", "false"], Some("true"));
        check("contians", &["contains", "startsWith"], Some("contains"));
    }

    #[test]
    fn a_word_far_from_all_leads_nowhere() {
        check("banana", &["name", "jobs", "on"], None);
        check("x", &["y", "on"], None);
        check("", &["on", "a"], None);
        check("anything", &[], None);
        check(&"a".repeat(10_000), &["a"], None);
    }

    #[test]
    fn letters_of_any_script_count_as_one() {
        check("größe", &["grösse", "größen"], Some("größen"));
    }
}
