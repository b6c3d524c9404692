//! `free-release-tag`: a pattern of `candidates` that lets any job set a tag which a release gets.

use lineclear_policy::{Image, TagRule};
use lineclear_source::Severity;

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/free-release-tag.md`.
#[derive(Debug)]
pub(super) struct FreeReleaseTag;

static META: RuleMeta = RuleMeta {
    id: "free-release-tag",
    summary: "a pattern of `candidates` that lets any job set the tag of a release",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("free-release-tag"),
};

impl Rule for FreeReleaseTag {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        for image in &policy.images {
            let Some(repository) = &image.repository else { continue };
            // What one image frees is free for every other of the same repository.
            let same = policy.images.iter().filter(|other| {
                other.repository.as_ref().is_some_and(|other| other.value.eq_ignore_ascii_case(&repository.value))
            });
            let released: Vec<Released<'_>> = same.flat_map(released).collect();
            for pattern in &image.candidates {
                // Of a pattern of stars alone the reader has said so already.
                if pattern.value.bytes().all(|byte| byte == b'*') {
                    continue;
                }
                let meets = |chosen| move |tag: &&Released<'_>| meet(pattern.value.as_bytes(), &tag.pieces, chosen);
                let always = released.iter().find(meets(Chosen::Any));
                let Some(tag) = always.or_else(|| released.iter().find(meets(Chosen::Some))) else { continue };
                let (pattern_text, written) = (&pattern.value, tag.written);
                let finding = match always {
                    Some(_) => report.at(
                        pattern.span,
                        format!("`{pattern_text}` lets any job set `{written}`, whatever the gate says: releases get this tag"),
                    ),
                    None => report
                        .at(
                            pattern.span,
                            format!("`{pattern_text}` lets any job set some tags of `{written}`, whatever the gate says"),
                        )
                        .severity(Severity::Warning),
                };
                finding.help("give what is not released yet tags that no release gets, as `ci-*`; or leave the pattern out: a job may set the tags of its own commit once the gate is clear");
            }
        }
    }
}

/// A tag that releases get.
struct Released<'p> {
    written: &'p str,
    pieces: Vec<Piece>,
}

/// One letter of a tag, or more.
#[derive(Clone, Copy)]
enum Piece {
    Letter(u8),
    Digit,
    /// Of hexadecimal digits.
    Hex,
    /// At least one digit.
    Number,
    /// At least one letter, as somebody called a branch, tag or version.
    Chosen,
}

/// Which names people are taken to choose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Whatever it is: only a star stands for it.
    Any,
    /// One that fits.
    Some,
}

fn released(image: &Image) -> Vec<Released<'_>> {
    let by_ref = image.tags.iter().flat_map(|rule: &TagRule| {
        rule.tags.iter().filter_map(|tag| {
            Some(Released { written: &tag.value, pieces: pieces(&tag.value, Some(&rule.refs.value))? })
        })
    });
    let promoted = image.promote.iter().flat_map(|promotion| {
        promotion
            .tags
            .iter()
            .filter_map(|tag| Some(Released { written: &tag.value, pieces: pieces(&tag.value, None)? }))
    });
    by_ref.chain(promoted).collect()
}

/// What a tag is made of that stands at this pattern of refs; `None` if none is ever made there.
fn pieces(template: &str, refs: Option<&str>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, inside)) = rest.split_once("${") {
        pieces.extend(before.bytes().map(Piece::Letter));
        let (name, after) = inside.split_once('}')?;
        match name {
            "sha" | "commit" => pieces.extend([Piece::Hex; 40]),
            "short-sha" => pieces.extend([Piece::Hex; 7]),
            "date" => pieces.extend([Piece::Digit; 8]),
            "major" | "minor" | "pull-request" => pieces.push(Piece::Number),
            "version" => pieces.extend([Piece::Digit, Piece::Chosen]),
            "branch" => pieces.extend(of_refs(refs, "refs/heads/")?),
            "tag" => pieces.extend(of_refs(refs, "refs/tags/")?),
            _ => return None,
        }
        rest = after;
    }
    pieces.extend(rest.bytes().map(Piece::Letter));
    Some(pieces)
}

/// The names that a pattern of refs lets through, as letters of a tag.
fn of_refs(refs: Option<&str>, folder: &str) -> Option<Vec<Piece>> {
    let Some(refs) = refs else { return Some(vec![Piece::Chosen]) };
    let known = refs.split(['*', '?', '+', '[', '!', '\\']).next().unwrap_or_default();
    let is_whole = known.len() == refs.len();
    let Some(name) = known.strip_prefix(folder) else {
        return (!is_whole && folder.starts_with(known)).then(|| vec![Piece::Chosen]);
    };
    // A plus or question mark speaks of the letter before it.
    let name = if is_whole || refs[known.len()..].starts_with('*') {
        name
    } else {
        name.get(..name.len().saturating_sub(1)).unwrap_or_default()
    };
    let letter = |byte: u8| if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) { byte } else { b'-' };
    let mut pieces: Vec<Piece> = name.bytes().map(|byte| Piece::Letter(letter(byte))).collect();
    if !is_whole {
        pieces.push(Piece::Chosen);
    }
    Some(pieces)
}

/// Whether a tag made of `pieces` is of the pattern, in which `*` stands for any letters and `?` for one.
fn meet(pattern: &[u8], pieces: &[Piece], chosen: Chosen) -> bool {
    // `reached[at]`: whether what has been made so far can end at `at` of the pattern.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_stars(pattern, &mut reached);
    for piece in pieces {
        let takes: &dyn Fn(u8) -> bool = match piece {
            Piece::Letter(letter) => &|wanted| wanted == *letter,
            Piece::Digit | Piece::Number => &|wanted| wanted.is_ascii_digit(),
            Piece::Hex => &|wanted| matches!(wanted, b'0'..=b'9' | b'a'..=b'f'),
            Piece::Chosen if chosen == Chosen::Some => {
                &|wanted| wanted.is_ascii_alphanumeric() || b"._-".contains(&wanted)
            }
            Piece::Chosen => {
                // Nobody knows how many letters they are: a question mark is not enough.
                reached.iter_mut().enumerate().for_each(|(at, is)| *is &= pattern.get(at) == Some(&b'*'));
                skip_stars(pattern, &mut reached);
                continue;
            }
        };
        step(pattern, &mut reached, takes);
        // Each repetition reaches further, or nothing new.
        let repetitions = if matches!(piece, Piece::Number | Piece::Chosen) { pattern.len() } else { 0 };
        for _ in 0..repetitions {
            let before = reached.clone();
            step(pattern, &mut reached, takes);
            reached.iter_mut().zip(before).for_each(|(now, before)| *now |= before);
        }
    }
    reached.last() == Some(&true)
}

/// One letter more, of those that `takes` allows.
fn step(pattern: &[u8], reached: &mut Vec<bool>, takes: &dyn Fn(u8) -> bool) {
    let mut next = vec![false; reached.len()];
    for (at, wanted) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
        match wanted {
            b'*' => next[at] = true,
            b'?' => next[at + 1] = true,
            wanted if takes(*wanted) => next[at + 1] = true,
            _ => {}
        }
    }
    skip_stars(pattern, &mut next);
    *reached = next;
}

/// A star may stand for nothing.
fn skip_stars(pattern: &[u8], reached: &mut [bool]) {
    for at in 0..pattern.len() {
        if reached[at] && pattern[at] == b'*' {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_meets_the_tags_that_are_made_of_a_template() {
        for (pattern, template, refs, always, sometimes) in [
            ("branch-*", "branch-${branch}", "refs/heads/main", true, true),
            ("branch-m??n", "branch-${branch}", "refs/heads/main", true, true),
            ("branch-dev", "branch-${branch}", "refs/heads/main", false, false),
            ("branch-*", "${branch}", "refs/heads/**", false, true),
            ("release-*", "${branch}", "refs/heads/release/**", true, true),
            ("v*", "${tag}", "refs/tags/v*", true, true),
            ("v*-rc", "${tag}", "refs/tags/v*", false, true),
            ("ci-*", "${tag}", "refs/tags/v*", false, false),
            ("v1*", "${tag}", "refs/tags/v1?.0", false, true),
            ("*", "${branch}", "refs/tags/v*", false, false),
            ("l*", "latest", "refs/heads/main", true, true),
            ("sha-0*", "sha-${short-sha}", "refs/heads/main", true, true),
            ("sha-x*", "sha-${short-sha}", "refs/heads/main", false, false),
            ("??????", "${short-sha}", "refs/heads/main", false, false),
            ("???????", "${short-sha}", "refs/heads/main", true, true),
            ("pr-1??", "pr-${pull-request}", "refs/pull/*/merge", true, true),
            ("pr-x", "pr-${pull-request}", "refs/pull/*/merge", false, false),
            ("2*", "${version}", "refs/tags/v*", true, true),
            ("*-rc", "${version}", "refs/tags/v*", false, true),
            ("build-*", "${date}", "refs/heads/main", false, false),
        ] {
            let pieces = pieces(template, Some(refs));
            let meets = |chosen| pieces.as_ref().is_some_and(|pieces| meet(pattern.as_bytes(), pieces, chosen));
            assert_eq!(
                (meets(Chosen::Any), meets(Chosen::Some)),
                (always, sometimes),
                "{pattern} and {template} of {refs}"
            );
        }
    }
}
