//! The merge key `<<` of ordinary YAML: a mapping takes the entries of others that it does not have itself.

use std::collections::HashSet;

use super::finding::{self, Findings};
use crate::{Entry, Node, Scalar, ScalarStyle};

pub(super) fn is_merge_key(key: &Scalar) -> bool {
    key.text == "<<" && key.style == ScalarStyle::Plain && key.tag.is_none()
}

/// Puts what `<<` names in its place: behind the mapping's own entries, without those that it has itself. Of several mappings
/// the earlier one wins.
pub(super) fn merge(entries: &mut Vec<Entry>, findings: &mut Findings) {
    let Some(at) = entries.iter().position(|entry| is_merge_key(&entry.key)) else { return };
    let merged = entries.remove(at);
    let mut seen: HashSet<String> = entries.iter().map(|entry| entry.key.text.clone()).collect();
    let mut take = |node: &Node| match node.as_mapping() {
        Some(others) => {
            for other in others.iter().filter(|other| seen.insert(other.key.text.clone())) {
                entries.push(other.clone());
            }
        }
        None => findings.add(finding::merge_of(node, merged.key.span)),
    };
    match merged.value.as_sequence() {
        Some(nodes) => nodes.iter().for_each(take),
        None => take(&merged.value),
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use crate::{Limits, parse_ordinary};

    fn keys(text: &str, of: &str) -> Vec<String> {
        let parsed = parse_ordinary(&Source::new("t.yml", text), &Limits::default());
        assert_eq!(parsed.diagnostics, [], "{text}");
        let root = parsed.tree.and_then(|tree| tree.root).expect("there is a root");
        let entries = root.get(of).and_then(|node| node.as_mapping()).expect("it is a mapping");
        let text = |node: &crate::Node| node.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        entries.iter().map(|entry| format!("{}={}", entry.key.text, text(&entry.value))).collect()
    }

    #[test]
    fn a_mapping_takes_what_it_does_not_have() {
        let text = "a: &a { x: 1, y: 2 }\nb: &b { y: 3, z: 4 }\nc: { <<: *a, y: 5 }\nd: { <<: [*b, *a], w: 6 }\n";
        assert_eq!(keys(text, "c"), ["y=5", "x=1"]);
        assert_eq!(keys(text, "d"), ["w=6", "y=3", "z=4", "x=1"]);
    }

    #[test]
    fn upper_and_lower_case_make_a_difference_and_numbers_may_be_long() {
        assert_eq!(keys("a: { x: 1, X: 0xFFFFFFFFFF }\n", "a"), ["x=1", "X=0xFFFFFFFFFF"]);
    }

    #[test]
    fn only_mappings_are_merged() {
        let parsed = parse_ordinary(&Source::new("t.yml", "a: { <<: 1 }\n"), &Limits::default());
        assert_eq!(parsed.diagnostics[0].message, "`<<` takes over the keys of a mapping, and this is a number");
    }

    #[test]
    fn tags_of_the_application_are_kept_with_their_nodes() {
        let text = "a: !reset null\nb: !override [1]\nc: !x\n  k: v\n";
        let source = Source::new("t.yml", text);
        let parsed = parse_ordinary(&source, &Limits::default());
        assert_eq!(parsed.diagnostics, []);
        let tree = parsed.tree.expect("it is YAML");
        let tags: Vec<_> = tree.tags.iter().map(|tag| (source.slice(tag.span), source.slice(tag.node))).collect();
        assert_eq!(tags, [("!reset", "null"), ("!override", "[1]"), ("!x", "k: v")]);
    }
}
