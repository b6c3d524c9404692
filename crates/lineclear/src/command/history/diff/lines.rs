//! Differences between two texts, line by line.

use serde::Serialize;

/// Lines around a change that are shown.
const CONTEXT: usize = 2;
/// Above this product of lines, the part that differs is shown as one change.
const LARGEST: usize = 4_000_000;

/// A place where two texts differ, with some lines around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Hunk {
    /// Number of the first line in each text, from one.
    pub(super) old: usize,
    pub(super) new: usize,
    /// Each begins with ` `, `-` or `+`.
    pub(super) lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// The places where `new` is not `old`.
pub(super) fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let edits = edits(&old, &new);
    let changes: Vec<usize> = (0..edits.len()).filter(|at| edits[*at] != Edit::Keep).collect();
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut at = 0;
    while at < changes.len() {
        let first = changes[at].saturating_sub(CONTEXT);
        let mut last = changes[at];
        while let Some(next) = changes.get(at).filter(|next| **next <= last + 2 * CONTEXT + 1) {
            last = *next;
            at += 1;
        }
        let end = (last + CONTEXT + 1).min(edits.len());
        hunks.push(hunk(&edits, &old, &new, first, end));
    }
    hunks
}

fn hunk(edits: &[Edit], old: &[&str], new: &[&str], first: usize, end: usize) -> Hunk {
    let count = |edit: Edit| edits[..first].iter().filter(|known| **known == Edit::Keep || **known == edit).count();
    let (mut left, mut right) = (count(Edit::Remove), count(Edit::Add));
    let mut hunk = Hunk { old: left + 1, new: right + 1, lines: Vec::new() };
    for edit in &edits[first..end] {
        match edit {
            Edit::Keep => {
                hunk.lines.push(format!(" {}", old[left]));
                (left, right) = (left + 1, right + 1);
            }
            Edit::Remove => {
                hunk.lines.push(format!("-{}", old[left]));
                left += 1;
            }
            Edit::Add => {
                hunk.lines.push(format!("+{}", new[right]));
                right += 1;
            }
        }
    }
    hunk
}

/// How to come from `old` to `new` with as few changes as possible: a longest common subsequence between what both begin and end
/// with.
fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let begin = old.iter().zip(new).take_while(|(left, right)| left == right).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(left, right)| left == right).count();
    let (left, right) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let mut edits = vec![Edit::Keep; begin];
    if left.len().saturating_mul(right.len()) > LARGEST {
        edits.extend(std::iter::repeat_n(Edit::Remove, left.len()));
        edits.extend(std::iter::repeat_n(Edit::Add, right.len()));
    } else {
        between(left, right, &mut edits);
    }
    edits.extend(std::iter::repeat_n(Edit::Keep, end));
    edits
}

fn between(left: &[&str], right: &[&str], edits: &mut Vec<Edit>) {
    // `common[i][j]`: length of the longest common subsequence of what follows line i and line j.
    let width = right.len() + 1;
    let mut common = vec![0_u32; (left.len() + 1) * width];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i * width + j] = if left[i] == right[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            edits.push(Edit::Keep);
            (i, j) = (i + 1, j + 1);
        } else if i < left.len() && (j == right.len() || common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            edits.push(Edit::Remove);
            i += 1;
        } else {
            edits.push(Edit::Add);
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let hunk = |hunk: Hunk| format!("@{},{} {}", hunk.old, hunk.new, hunk.lines.join("|"));
        hunks(old, new).into_iter().map(hunk).collect::<Vec<_>>().join("  ")
    }

    #[test]
    fn a_changed_line_is_shown_with_what_is_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
        assert_eq!(shown(old, old), "");
        assert_eq!(shown(old, &old.replace("d\n", "D\n")), "@2,2  b| c|-d|+D| e| f");
        assert_eq!(
            shown(old, &old.replace("b\n", "").replace("k\n", "k\nnew\n")),
            "@1,1  a|-b| c| d  @10,9  j| k|+new| l"
        );
        assert_eq!(shown("", "x\n"), "@1,1 +x");
        assert_eq!(shown("x\ny\n", ""), "@1,1 -x|-y");
    }

    #[test]
    fn what_is_applied_gives_the_new_text() {
        // Every pair of texts of up to four lines of two kinds.
        let texts: Vec<Vec<&str>> = (0..31_u32)
            .map(|bits| {
                (0..u32::BITS - (bits + 1).leading_zeros() - 1)
                    .map(|at| if (bits + 1) >> at & 1 == 1 { "a" } else { "b" })
                    .collect()
            })
            .collect();
        for old in &texts {
            for new in &texts {
                let (mut left, mut right) = (old.iter(), new.iter());
                let mut made: Vec<&&str> = Vec::new();
                for edit in edits(old, new) {
                    match edit {
                        Edit::Keep => {
                            assert_eq!(left.next(), right.clone().next());
                            made.extend(right.next());
                        }
                        Edit::Remove => assert!(left.next().is_some()),
                        Edit::Add => made.extend(right.next()),
                    }
                }
                assert_eq!(made, new.iter().collect::<Vec<_>>());
                assert_eq!(left.next(), None);
            }
        }
    }
}
