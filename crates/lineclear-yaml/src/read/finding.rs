//! What the reader says of values, keys, tags and aliases that cannot stand as they are.

use lineclear_source::{Diagnostic, Severity, Source, Span, clipped, suggest};

use crate::events::{Tag, TagName};
use crate::{Anchor, Entry, Limits, Node, Scalar, ScalarStyle};

/// After so many findings the rest is only counted: nobody reads more, and a hostile file has a million.
const MOST_FINDINGS: usize = 100;

/// The names of so many anchors are compared with one that is not known.
const MOST_NAMES: usize = 200;

/// The findings of one reading, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    shown: Vec<Diagnostic>,
    counted: usize,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Diagnostic) {
        if self.shown.len() < MOST_FINDINGS {
            self.shown.push(finding);
        } else {
            self.counted += 1;
        }
    }

    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        if self.counted > 0 {
            let message = format!("{} more faults of YAML in this file are not shown", self.counted);
            self.shown.push(Diagnostic::new(Severity::Info, "more-faults", message));
        }
        self.shown
    }
}

// Limits.

pub(super) fn too_large(size: usize, limits: &Limits) -> Diagnostic {
    Diagnostic::error("file-too-large", format!("the file is larger than {} bytes: it has {size}", limits.bytes))
        .help("split it: jobs can move into a reusable workflow, long scripts into files of their own")
}

pub(super) fn too_deep(limits: &Limits, at: usize, source: &Source) -> Diagnostic {
    let width = source.text().get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let message = format!("more than {} levels of sequences and mappings inside each other", limits.depth);
    Diagnostic::error("too-deep", message).at(Span::new(at, at + width))
}

/// `nodes` is how many came at once: more than one for an alias.
pub(super) fn too_many(limits: &Limits, nodes: usize, span: Span) -> Diagnostic {
    let message = format!("the file has more than {} values, counted with every alias followed", limits.nodes);
    let diagnostic = Diagnostic::error("too-many-values", message).at(span);
    if nodes > 1 {
        diagnostic.help("an alias of an anchor that itself holds aliases multiplies what it stands for")
    } else {
        diagnostic
    }
}

pub(super) fn second_document(span: Span) -> Diagnostic {
    Diagnostic::error("multiple-documents", "a second YAML document starts here, and a file may hold only one")
        .at(span)
        .help("remove the `---`, or move what follows into a file of its own")
}

// Keys.

pub(super) fn key_on_several_lines(span: Span) -> Diagnostic {
    Diagnostic::error(crate::syntax::CODE, "a key must stand on one line")
        .at(span)
        .help("close the quote on the line where it begins")
}

/// A sequence or a mapping as a key.
pub(super) fn complex_key(node: &Node, place: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("complex-key", format!("{} cannot be a key", node.kind())).at(place);
    // `{{ x }}` is a mapping of one key without value, inside another brace.
    let missing = |entry: &Entry| entry.value.as_scalar().is_some_and(|value| value.is_missing());
    if node.as_mapping().is_some_and(|entries| entries.iter().all(missing)) {
        diagnostic.help("an expression is written `${{ … }}`, and where YAML begins with `{` it must be quoted")
    } else {
        diagnostic.help("write the key as text")
    }
}

pub(super) fn merge_key(place: Span) -> Diagnostic {
    Diagnostic::error("merge-key", "GitHub does not support YAML's merge key `<<`")
        .at(place)
        .help("use the alias for a whole value (`env: *name`), or write the keys out")
}

/// `<<` in ordinary YAML with something else than a mapping.
pub(super) fn merge_of(node: &Node, place: Span) -> Diagnostic {
    Diagnostic::error("merge-key", format!("`<<` takes over the keys of a mapping, and this is {}", node.kind()))
        .at(place)
        .help("name an anchor of a mapping: `<<: *name`")
}

pub(super) fn duplicate_key(first: &Scalar, second: &Scalar, place: Span) -> Diagnostic {
    let (one, other) = (excerpt(&first.text), excerpt(&second.text));
    let message = if first.text == second.text {
        format!("the key `{other}` is already defined")
    } else {
        format!("the key `{other}` is already defined as `{one}`: upper and lower case make no difference")
    };
    Diagnostic::error("duplicate-key", message)
        .at(place)
        .label(first.span, "first defined here")
        .help("remove one of the two, or join their values")
}

// Tags.

/// `what` is "a sequence" or "a mapping".
pub(super) fn tag_without_meaning(tag: &Tag, what: &str, source: &Source) -> Diagnostic {
    let written = source.slice(tag.span);
    Diagnostic::warning("unknown-tag", format!("the tag `{written}` means nothing before {what}"))
        .at(tag.span)
        .help("remove the tag")
}

pub(super) fn unknown_tag(tag: &Tag, scalar: &Scalar, source: &Source) -> Diagnostic {
    let written = source.slice(tag.span);
    let diagnostic = if matches!(tag.name, TagName::Sequence | TagName::Mapping) {
        Diagnostic::error("tag-mismatch", format!("`{written}` cannot stand before a single value"))
    } else {
        Diagnostic::error("unknown-tag", format!("`{written}` is a tag that GitHub does not know"))
    };
    let diagnostic = diagnostic.at(tag.span);
    if written.starts_with("!!") || written.starts_with("!<") {
        return diagnostic.help("the tags are `!!str`, `!!int`, `!!float`, `!!bool` and `!!null`");
    }
    let whole = excerpt(source.slice(tag.span.to(scalar.span)));
    diagnostic.help(format!("a value that starts with `!` must be quoted: '{}'", whole.replace('\'', "''")))
}

/// A tag other than `!!str` before a scalar that is quoted or in a block.
pub(super) fn tag_before_quote(tag: &Tag, scalar: &Scalar, source: &Source) -> Diagnostic {
    let written = source.slice(tag.span);
    let without = match scalar.style {
        ScalarStyle::Plain => "line breaks",
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => "quotes",
        ScalarStyle::Literal => "`|`",
        ScalarStyle::Folded => "`>`",
    };
    let message = format!("the tag `{written}` may only stand before a value without quotes and on one line");
    let help = format!("remove the tag, or write the value without {without}");
    Diagnostic::error("tag-mismatch", message).at(scalar.span).help(help)
}

/// A scalar that is not of the kind that its tag, or without one its form, says.
pub(super) fn misfit(scalar: &Scalar, kind: &str, tag: Option<&Tag>, source: &Source) -> Diagnostic {
    let text = excerpt(&scalar.text);
    let Some(tag) = tag else {
        return Diagnostic::error("number-too-large", format!("`{text}` does not fit into 32 bits"))
            .at(scalar.span)
            .help("write the number in decimal, or quote it if it is meant as text");
    };
    let written = source.slice(tag.span);
    let expected = match kind {
        "null" => "`null`, `~` or nothing",
        "bool" => "`true` or `false`",
        "int" => "decimal digits, or at most 32 bits in `0x` or `0o` form",
        _ => "a decimal number, `.inf` or `.nan`",
    };
    Diagnostic::error("tag-mismatch", format!("`{text}` is not what `{written}` says: expected {expected}"))
        .at(scalar.span)
        .help("remove the tag, or change the value")
}

// Aliases.

pub(super) fn recursive_alias(span: Span, anchor: Option<&Anchor>, source: &Source) -> Diagnostic {
    let written = excerpt(source.slice(span));
    let message = format!("`{written}` stands inside the very value it names, which would never end");
    let diagnostic = Diagnostic::error("recursive-anchor", message).at(span);
    let diagnostic = match anchor {
        Some(anchor) => diagnostic.label(anchor.span, "the value begins here"),
        None => diagnostic,
    };
    diagnostic.help("write out the part that is meant")
}

pub(super) fn unknown_alias(name: &str, span: Span, anchors: &[Anchor]) -> Diagnostic {
    let mut message = format!("no anchor `&{}` comes before this alias", excerpt(name));
    let names = anchors.iter().rev().take(MOST_NAMES).map(|anchor| anchor.name.as_str());
    let similar = suggest(name, names);
    if let Some(similar) = similar {
        message.push_str(&format!("; did you mean `*{similar}`?"));
    }
    let diagnostic = Diagnostic::error("undefined-anchor", message).at(span);
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if similar.is_none() && !word {
        let written = format!("*{}", excerpt(name)).replace('\'', "''");
        diagnostic.help(format!("a pattern that starts with `*` must be quoted: '{written}'"))
    } else {
        diagnostic
    }
}

/// Text short enough for a message.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    clipped(text.lines().next().unwrap_or_default(), LONGEST)
}
