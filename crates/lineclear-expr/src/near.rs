//! "Did you mean …?"

/// The candidate that `word` is most likely a slip of: the same but for case, or one or two letters off.
pub(crate) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // Names are short; a long word is no slip of one, and comparing it would be slow.
    if word.len() > 40 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let tolerance = if word.chars().count() <= 3 { 1 } else { 2 };
    candidates
        .map(|candidate| (distance(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let names = ["github", "env", "needs", "matrix", "steps", "secrets"];
        let nearest = |word| nearest(word, names.into_iter());
        assert_eq!(nearest("gihtub"), Some("github"));
        assert_eq!(nearest("Git"), None);
        assert_eq!(nearest("need"), Some("needs"));
        assert_eq!(nearest("secret"), Some("secrets"));
        assert_eq!(nearest("step"), Some("steps"));
        assert_eq!(nearest("main"), None);
        assert_eq!(nearest(&"x".repeat(20_000)), None);
    }
}
