//! Whose a tag is that somebody chose: what the policy calls an image at one place is not given at another by an easier gate.

use std::fmt::Write as _;

use fancy_regex::{Regex, escape};
use lineclear_gate::WantedTag;
use lineclear_policy::Image;

/// Where the policy gives out tags.
#[derive(Clone, Copy, Debug)]
enum Giver<'p> {
    /// A target of promotions.
    Target,
    /// The refs of a pattern.
    Refs(&'p str),
}

/// Holds `tags`, which the promotion of `image` to `target` is to give through `gate`, against everything else that gives tags in the same
/// repository: that is `images`, which that one is among. `own` are the tags that the policy itself gives at this target.
///
/// # Errors
/// A sentence: which tag belongs elsewhere, behind another gate, and how it is given there.
pub(super) fn check(
    tags: &[WantedTag],
    own: &[WantedTag],
    (image, target, gate): (&Image, &str, Option<&str>),
    images: &[&Image],
) -> Result<(), String> {
    let named = |gate: Option<&str>| gate.map_or_else(|| "none".to_owned(), |gate| format!("`{gate}`"));
    let chosen = tags.iter().filter(|wanted| !own.iter().any(|known| known.tag == wanted.tag));
    for tag in chosen.map(|wanted| wanted.tag.as_str()) {
        for other in images {
            let name = &other.name.value;
            let published = other.gate.as_ref().map(|gate| gate.value.as_str());
            let elsewhere = |theirs: Option<&str>, giver: &str, command: &str| {
                format!(
                    "tag `{tag}` is one of {giver}, whose gate is {} and not {}: `lineclear {command}` gives it",
                    named(theirs),
                    named(gate)
                )
            };
            for promotion in &other.promote {
                let theirs = promotion.gate.as_ref().map(|gate| gate.value.as_str()).or(published);
                let to = &promotion.target.value;
                let is_own = name == &image.name.value && to == target;
                if !is_own
                    && theirs != gate
                    && promotion.tags.iter().any(|template| may_make(&template.value, Giver::Target, tag))
                {
                    let giver = format!("image `{name}` at target `{to}`");
                    return Err(elsewhere(theirs, &giver, &format!("promote {name} {to}")));
                }
            }
            let gives = |rule: &&lineclear_policy::TagRule| {
                rule.tags.iter().any(|template| may_make(&template.value, Giver::Refs(&rule.refs.value), tag))
            };
            if let (true, Some(rule)) = (published != gate, other.tags.iter().find(gives)) {
                let giver = format!("image `{name}` for `{}`", rule.refs.value);
                return Err(elsewhere(published, &giver, &format!("publish {name}")));
            }
        }
    }
    Ok(())
}

/// Whether `template` may make `tag`, for any commit, ref and day. What cannot be told may.
fn may_make(template: &str, giver: Giver<'_>, tag: &str) -> bool {
    let mut pattern = String::from(r"\A");
    let mut rest = template;
    while let Some((before, inside)) = rest.split_once("${") {
        pattern.push_str(&escape(before));
        let Some((name, after)) = inside.split_once('}') else {
            pattern.push_str(r"\$\{");
            rest = inside;
            continue;
        };
        let Some(value) = value(name, giver) else { return false };
        // Writing to a string cannot fail.
        let _ = write!(pattern, "(?:{value})");
        rest = after;
    }
    pattern.push_str(&escape(rest));
    pattern.push_str(r"\z");
    Regex::new(&pattern).ok().and_then(|pattern| pattern.is_match(tag).ok()).unwrap_or(true)
}

/// What a placeholder may stand for, as a pattern; `None` for one that stands for nothing there.
fn value(placeholder: &str, giver: Giver<'_>) -> Option<String> {
    // What the names of these refs begin with, if there are any in this folder.
    let beginning = |folder: &str| match giver {
        Giver::Target => Some(String::new()),
        Giver::Refs(pattern) => {
            let literal = literal(pattern);
            let name = literal.strip_prefix(folder).or_else(|| folder.starts_with(literal).then_some(""))?;
            Some(name.replace(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)), "-"))
        }
    };
    let named = |folder: &str| beginning(folder).map(|name| format!("{}.*", escape(&name)));
    Some(match (placeholder, giver) {
        ("sha" | "commit", _) => "[0-9a-f]{40,64}".to_owned(),
        ("short-sha", _) => "[0-9a-f]{7}".to_owned(),
        ("date", _) => "[0-9]{8}".to_owned(),
        ("version", _) => beginning("refs/tags/").map(|_| "[0-9].*".to_owned())?,
        ("major" | "minor", _) => beginning("refs/tags/").map(|_| "[^.]+".to_owned())?,
        // A promotion is of no ref but of a version that git knows.
        ("tag", Giver::Target) => r"(?:.+-)?v?[0-9].*\..*".to_owned(),
        ("tag", Giver::Refs(_)) => named("refs/tags/")?,
        ("branch", _) => named("refs/heads/")?,
        ("pull-request", _) => beginning("refs/pull/").map(|_| "[^/]+".to_owned())?,
        _ => return None,
    })
}

/// A pattern up to the first sign that stands for something else than itself.
fn literal(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '+', '[', ']', '!', '\\']).unwrap_or(pattern.len());
    let literal = &pattern[..end];
    match pattern[end..].starts_with('?') {
        // The sign before it need not be there.
        true => literal.char_indices().next_back().map_or(literal, |(last, _)| &literal[..last]),
        false => literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_may_make_whatever_its_placeholders_may_stand_for() {
        let refs = Giver::Refs("refs/tags/v*");
        for (template, giver, tag, expected) in [
            ("production", Giver::Target, "production", true),
            ("production", Giver::Target, "productions", false),
            ("prod-${short-sha}", Giver::Target, "prod-1a2b3c4", true),
            ("prod-${short-sha}", Giver::Target, "prod-1a2b3c45", false),
            ("prod.${date}", Giver::Target, "prod.20260131", true),
            ("prod.${date}", Giver::Target, "prod-20260131", false),
            ("${version}", Giver::Target, "1.2.3-rc.1", true),
            ("${version}", Giver::Target, "stable", false),
            ("${tag}", Giver::Target, "v1.2.3", true),
            ("${tag}", Giver::Target, "again", false),
            ("${tag}", refs, "v1.2.3", true),
            ("${tag}", refs, "again", false),
            ("${branch}", refs, "main", false),
            ("${version}", Giver::Refs("refs/heads/main"), "1.2.3", false),
            ("${branch}", Giver::Refs("refs/heads/rel/*"), "rel-1", true),
            ("${branch}", Giver::Refs("refs/heads/rel/*"), "main", false),
            ("${branch}", Giver::Refs("refs/**"), "anything", true),
            ("${tag}", Giver::Refs("refs/tags/v?1"), "1", true),
            ("a${", Giver::Target, "a${", true),
        ] {
            assert_eq!(may_make(template, giver, tag), expected, "{template} {giver:?} {tag}");
        }
    }
}
