//! The word that was probably meant.

/// The candidate nearest to `word`, if one is near enough to be a slip: a letter in three, ignoring case, `-` and `_`.
pub(super) fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).take(64).collect()
    };
    let word = fold(word);
    let limit = (word.len() / 3).max(1);
    let near = candidates.into_iter().map(|candidate| (distance(&word, &fold(candidate)), candidate));
    near.filter(|&(distance, _)| distance <= limit).min_by_key(|&(distance, _)| distance).map(|(_, near)| near)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == *b && *a == to[j - 1] {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let words = ["runs-on", "jobs", "pull_request", "needs"];
        assert_eq!(suggest("run-on", words), Some("runs-on"));
        assert_eq!(suggest("runs_on", words), Some("runs-on"));
        assert_eq!(suggest("Job", words), Some("jobs"));
        assert_eq!(suggest("pull-requset", words), Some("pull_request"));
        assert_eq!(suggest("steps", words), None);
    }
}
