//! Puts the tree together, event by event, on a stack of its own: hostile nesting meets a limit, not the thread's stack.

use std::sync::{Arc, OnceLock};

use lineclear_source::{Diagnostic, Source, Span, suggest};

use super::place;
use crate::events::{Event, Properties, ScalarEvent, Tag, TagName};
use crate::keys::Keys;
use crate::lenient::Repairs;
use crate::scalar::{Decoded, Origin};
use crate::syntax::SyntaxError;
use crate::{Alias, Anchor, Entry, Limits, Node, Scalar, ScalarStyle, ScalarTag, Tree, decode};

/// Why reading ended before the end.
pub(super) enum Stop {
    Syntax(SyntaxError),
    Limit(Box<Diagnostic>),
}

pub(super) struct Builder<'a> {
    source: &'a Source,
    file: Arc<str>,
    text: &'a str,
    repairs: &'a Repairs<'a>,
    limits: &'a Limits,
    diagnostics: Vec<Diagnostic>,
    tree: Tree,
    frames: Vec<Frame>,
    /// What each anchor names, by its number less one; `None` while its node is not complete.
    named: Vec<Option<Built>>,
    /// The name of each anchor as an index into the tree's anchors, by its number less one.
    anchor_names: Vec<usize>,
    /// Where the last event that stands in the text ended.
    last_end: usize,
    /// Nodes so far, every alias followed.
    nodes: usize,
    documents: usize,
    /// The place of the second document, after which nothing is read into the tree.
    second_document: bool,
}

/// A collection that is not complete yet.
struct Frame {
    content: Content,
    anchor: Option<usize>,
    start: usize,
    flow: bool,
    end: usize,
    nodes: usize,
    /// Levels of collections below this one.
    height: usize,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, keys: Keys, next: Next },
}

/// What a mapping waits for.
enum Next {
    Key,
    Value(Arc<Scalar>),
    /// The value of a key that was reported and is left out.
    Left,
}

/// A complete node with what it costs to walk it.
#[derive(Clone)]
struct Built {
    node: Node,
    nodes: usize,
    height: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source, repairs: &'a Repairs<'a>, limits: &'a Limits) -> Self {
        Self {
            source,
            file: source.shared_text(),
            text: source.text(),
            repairs,
            limits,
            diagnostics: Vec::new(),
            tree: Tree { root: None, anchors: Vec::new(), aliases: Vec::new(), comments: Vec::new() },
            frames: Vec::new(),
            named: Vec::new(),
            anchor_names: Vec::new(),
            last_end: 0,
            nodes: 0,
            documents: 0,
            second_document: false,
        }
    }

    pub(super) fn finish(mut self) -> (Tree, Vec<Diagnostic>) {
        // After `---` the parser finds a value that nobody wrote.
        let nothing = |root: &Node| root.as_scalar().is_some_and(|scalar| scalar.is_missing() && scalar.tag.is_none());
        self.tree.root = self.tree.root.filter(|root| !nothing(root));
        (self.tree, self.diagnostics)
    }

    /// Takes the next event in.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        if self.second_document {
            return Ok(());
        }
        match event {
            Event::Scalar(scalar) => self.scalar(scalar, span)?,
            Event::SequenceStart(properties) => self.open(&properties, span, Content::Sequence(Vec::new()))?,
            Event::MappingStart(properties) => {
                let content = Content::Mapping { entries: Vec::new(), keys: Keys::default(), next: Next::Key };
                self.open(&properties, span, content)?;
            }
            Event::End => self.close(span),
            Event::Anchor { number, name } => self.anchor(number, name.into_owned(), span),
            Event::Alias(number) => self.alias(number, span)?,
            Event::UnknownAlias(name) => self.unknown_alias(&name, span)?,
            Event::Comment => self.tree.comments.push(span),
            Event::DocumentStart => self.document(span),
            Event::Other => {}
        }
        Ok(())
    }

    fn passed(&mut self, end: usize) {
        self.last_end = self.last_end.max(end);
    }

    fn document(&mut self, span: Span) {
        self.documents += 1;
        self.passed(span.end as usize);
        if self.documents > 1 {
            self.second_document = true;
            self.diagnostics.push(
                Diagnostic::error(
                    "multiple-documents",
                    "a second YAML document starts here, and a file may hold only one",
                )
                .at(span)
                .help("remove the `---`, or move what follows into a file of its own"),
            );
        }
    }

    /// Counts nodes, and stops beyond the limit.
    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        let message = format!("the file has more than {} values, counted with every alias followed", self.limits.nodes);
        let diagnostic = Diagnostic::error("too-many-values", message).at(span);
        Err(Stop::Limit(Box::new(if nodes > 1 {
            diagnostic.help("an alias of an anchor that itself holds aliases multiplies what it stands for")
        } else {
            diagnostic
        })))
    }

    fn open(&mut self, properties: &Properties, span: Span, content: Content) -> Result<(), Stop> {
        self.count(1, span)?;
        if self.frames.len() >= self.limits.depth {
            return Err(Stop::Limit(Box::new(too_deep(self.limits, span.start as usize, self.source))));
        }
        if let Some(tag) = &properties.tag {
            self.collection_tag(tag, &content);
        }
        let flow = !span.is_empty();
        let mut start = span.start as usize;
        // The parser puts the start of a sequence that is not indented behind its dash.
        let is_value = matches!(self.frames.last(), Some(Frame { content: Content::Mapping { .. }, .. }));
        if matches!(content, Content::Sequence(_)) && !flow && is_value {
            start = place::mark(self.text, self.last_end, b"-").unwrap_or(start).min(start);
        }
        self.reserve_anchor(properties.anchor);
        let end = if flow { span.end as usize } else { start };
        self.passed(end);
        self.frames.push(Frame { content, anchor: properties.anchor, start, flow, end, nodes: 1, height: 0 });
        Ok(())
    }

    fn close(&mut self, span: Span) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.flow {
            self.passed(span.end as usize);
        }
        let end = if frame.flow { span.end as usize } else { frame.end };
        let span = Span::new(frame.start, end);
        let node = match frame.content {
            Content::Sequence(items) => Node::Sequence { items: Arc::new(items), span },
            Content::Mapping { entries, .. } => Node::Mapping { entries: Arc::new(entries), span },
        };
        let built = Built { node, nodes: frame.nodes, height: frame.height + 1 };
        self.name(frame.anchor, &built);
        self.add(built, span);
    }

    fn scalar(&mut self, event: ScalarEvent<'_>, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        let ScalarEvent { text, style, properties } = event;
        let scalar = match style {
            ScalarStyle::Plain if span.is_empty() => {
                let at = self.missing_value_place(&properties, span.start as usize);
                // The parser's text for it is `~`, or nothing where a tag asks for a string.
                Scalar::new("", Span::new(at, at), style)
            }
            ScalarStyle::Plain => {
                let origin = self.origin(matches!(text, std::borrow::Cow::Borrowed(_)), span.start as usize);
                Scalar { text: text.into_owned(), span, style, tag: None, origin }
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if self.repairs.rewrote(span) => {
                self.multi_line_key(span);
                let (text, segments) = decode::quoted(self.text, span, style);
                let decoded = Decoded { file: self.file.clone(), block: (0, 0), segments: OnceLock::from(segments) };
                Scalar { text, span, style, tag: None, origin: Origin::Decoded(Box::new(decoded)) }
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let origin = self.origin(matches!(text, std::borrow::Cow::Borrowed(_)), span.start as usize + 1);
                Scalar { text: text.into_owned(), span, style, tag: None, origin }
            }
            ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar(text.into_owned(), style, span),
        };
        let scalar = self.tagged(scalar, properties.tag.as_ref());
        self.reserve_anchor(properties.anchor);
        let place = scalar.span;
        self.passed(if scalar.is_missing() { place.end as usize } else { span.end as usize });
        let built = Built { node: Node::Scalar(Arc::new(scalar)), nodes: 1, height: 0 };
        self.name(properties.anchor, &built);
        self.add(built, place);
        Ok(())
    }

    fn origin(&self, verbatim: bool, start: usize) -> Origin {
        if verbatim {
            Origin::Verbatim(u32::try_from(start).unwrap_or(u32::MAX))
        } else {
            Origin::Decoded(Box::new(Decoded { file: self.file.clone(), block: (0, 0), segments: OnceLock::new() }))
        }
    }

    fn block_scalar(&self, text: String, style: ScalarStyle, span: Span) -> Scalar {
        let place = place::block(self.text, self.last_end, span.start as usize, span.end as usize);
        let Some(block) = place else { return Scalar::new(text, span, style) };
        // Blank lines alone may be indented as they like.
        let indent = if text.bytes().all(|byte| byte == b'\n') { usize::MAX } else { block.indent };
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let block_place = (clamp(block.body), clamp(indent));
        let decoded = Decoded { file: self.file.clone(), block: block_place, segments: OnceLock::new() };
        let span = Span::new(block.start, block.end);
        Scalar { text, span, style, tag: None, origin: Origin::Decoded(Box::new(decoded)) }
    }

    fn missing_value_place(&self, properties: &Properties, parsed: usize) -> usize {
        // The parser's own place is behind a tag or an anchor, and only there what is wanted.
        if properties.anchor.is_some() || properties.tag.is_some() {
            return parsed;
        }
        match self.frames.last().map(|frame| &frame.content) {
            Some(Content::Mapping { next: Next::Value(key), .. }) => {
                place::after_colon(self.text, key.span.end as usize)
            }
            Some(Content::Sequence(_)) => place::after_dash(self.text, self.last_end).unwrap_or(parsed),
            _ => parsed,
        }
    }

    /// A quoted scalar over several lines cannot be a key; where line breaks were taken out for the parser it cannot tell.
    fn multi_line_key(&mut self, span: Span) {
        let is_key =
            matches!(self.frames.last(), Some(Frame { content: Content::Mapping { next: Next::Key, .. }, .. }));
        if is_key {
            self.diagnostics.push(
                Diagnostic::error("yaml-syntax", "a key must stand on one line")
                    .at(span)
                    .help("close the quote on the line where it begins"),
            );
        }
    }

    fn collection_tag(&mut self, tag: &Tag, content: &Content) {
        let fits = match content {
            Content::Sequence(_) => tag.name == TagName::Sequence,
            Content::Mapping { .. } => tag.name == TagName::Mapping,
        };
        if !fits {
            let written = self.source.slice(tag.span);
            let what = if matches!(content, Content::Sequence(_)) { "a sequence" } else { "a mapping" };
            self.diagnostics.push(
                Diagnostic::warning("unknown-tag", format!("the tag `{written}` means nothing before {what}"))
                    .at(tag.span)
                    .help("remove the tag"),
            );
        }
    }

    /// Gives the scalar its tag, or reports why it cannot have it.
    fn tagged(&mut self, mut scalar: Scalar, tag: Option<&Tag>) -> Scalar {
        if let Some(tag) = tag {
            scalar.tag = match tag.name {
                TagName::String => Some(ScalarTag::String),
                TagName::Null => Some(ScalarTag::Null),
                TagName::Bool => Some(ScalarTag::Bool),
                TagName::Int => Some(ScalarTag::Int),
                TagName::Float => Some(ScalarTag::Float),
                TagName::Sequence | TagName::Mapping | TagName::Other => {
                    self.unknown_scalar_tag(tag, &scalar);
                    Some(ScalarTag::String)
                }
            };
            if scalar.style != ScalarStyle::Plain && scalar.tag != Some(ScalarTag::String) {
                let written = self.source.slice(tag.span);
                let message =
                    format!("the tag `{written}` may only stand before a value without quotes and on one line");
                let help = format!("remove the tag, or write the value without {}", marks(scalar.style));
                self.diagnostics.push(Diagnostic::error("tag-mismatch", message).at(scalar.span).help(help));
                return scalar;
            }
        }
        if let Some(kind) = scalar.misfit() {
            self.misfit(&scalar, kind, tag);
        }
        scalar
    }

    fn unknown_scalar_tag(&mut self, tag: &Tag, scalar: &Scalar) {
        let written = self.source.slice(tag.span);
        let whole = self.source.slice(tag.span.to(scalar.span));
        let diagnostic =
            Diagnostic::error("unknown-tag", format!("`{written}` is a tag that GitHub does not know")).at(tag.span);
        self.diagnostics.push(if written.starts_with("!!") || written.starts_with("!<") {
            diagnostic.help("the tags are `!!str`, `!!int`, `!!float`, `!!bool` and `!!null`")
        } else {
            let quoted = whole.lines().next().unwrap_or_default().replace('\'', "''");
            diagnostic.help(format!("a value that starts with `!` must be quoted: '{quoted}'"))
        });
    }

    fn misfit(&mut self, scalar: &Scalar, kind: &str, tag: Option<&Tag>) {
        let text = excerpt(&scalar.text);
        let diagnostic = match (tag, kind) {
            (None, _) => Diagnostic::error("number-too-large", format!("`{text}` does not fit into 32 bits"))
                .help("write the number in decimal, or quote it if it is meant as text"),
            (Some(tag), _) => {
                let written = self.source.slice(tag.span);
                let expected = match kind {
                    "null" => "`null`, `~` or nothing",
                    "bool" => "`true` or `false`",
                    "int" => "an integer of at most 32 bits in `0x` or `0o` form, or decimal digits",
                    _ => "a decimal number, `.inf` or `.nan`",
                };
                Diagnostic::error("tag-mismatch", format!("`{text}` is not what `{written}` says: expected {expected}"))
                    .help("remove the tag, or change the value")
            }
        };
        self.diagnostics.push(diagnostic.at(scalar.span));
    }

    // Anchors and aliases.

    fn reserve_anchor(&mut self, anchor: Option<usize>) {
        if let Some(number) = anchor
            && self.named.len() < number
        {
            self.named.resize(number, None);
            self.anchor_names.resize(number, usize::MAX);
        }
    }

    fn name(&mut self, anchor: Option<usize>, built: &Built) {
        let Some(index) = anchor.and_then(|number| number.checked_sub(1)) else { return };
        if let Some(slot) = self.named.get_mut(index) {
            *slot = Some(built.clone());
        }
        let known = self.anchor_names.get(index).and_then(|&name| self.tree.anchors.get_mut(name));
        if let Some(known) = known {
            known.node = built.node.span();
        }
    }

    /// The name of the node whose event came last: a complete scalar, or a collection just opened.
    fn anchor(&mut self, number: usize, name: String, span: Span) {
        let Some(index) = number.checked_sub(1) else { return };
        let node = self.named.get(index).and_then(Option::as_ref).map_or(span, |built| built.node.span());
        if let Some(slot) = self.anchor_names.get_mut(index) {
            *slot = self.tree.anchors.len();
        }
        self.tree.anchors.push(Anchor { name, span, node });
    }

    fn alias(&mut self, number: usize, span: Span) -> Result<(), Stop> {
        self.passed(span.end as usize);
        let index = number.saturating_sub(1);
        let name = self.anchor_names.get(index).copied().unwrap_or(usize::MAX);
        let Some(built) = self.named.get(index).cloned().flatten() else {
            let written = self.source.slice(span);
            let message = format!("`{written}` stands inside the very value it names, which would never end");
            let mut diagnostic = Diagnostic::error("recursive-anchor", message).at(span);
            if let Some(anchor) = self.tree.anchors.get(name) {
                diagnostic = diagnostic.label(anchor.span, "the value begins here");
            }
            self.diagnostics.push(diagnostic.help("write out the part that is meant"));
            return self.stand_in(span);
        };
        self.count(built.nodes, span)?;
        if self.frames.len() + built.height > self.limits.depth {
            let diagnostic = too_deep(self.limits, span.start as usize, self.source);
            return Err(Stop::Limit(Box::new(diagnostic.help("what an alias names counts where the alias stands"))));
        }
        if name != usize::MAX {
            self.tree.aliases.push(Alias { span, anchor: name });
        }
        self.add(built, span);
        Ok(())
    }

    fn unknown_alias(&mut self, name: &str, span: Span) -> Result<(), Stop> {
        self.passed(span.end as usize);
        let names = self.tree.anchors.iter().map(|anchor| anchor.name.as_str());
        let mut message = format!("no anchor `&{}` comes before this alias", excerpt(name));
        let similar = suggest(name, names);
        if let Some(similar) = similar {
            message.push_str(&format!("; did you mean `*{similar}`?"));
        }
        let diagnostic = Diagnostic::error("undefined-anchor", message).at(span);
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        self.diagnostics.push(if similar.is_none() && !word {
            let written = excerpt(self.source.slice(span));
            diagnostic.help(format!("a pattern that starts with `*` must be quoted: '{}'", written.replace('\'', "''")))
        } else {
            diagnostic
        });
        self.stand_in(span)
    }

    /// Null in place of an alias that names nothing usable; as a key it is left out with its value.
    fn stand_in(&mut self, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        if let Some(Frame { content: Content::Mapping { next: next @ Next::Key, .. }, start, .. }) =
            self.frames.last_mut()
        {
            *next = Next::Left;
            *start = (*start).min(span.start as usize);
            return Ok(());
        }
        let scalar = Scalar::new("", span, ScalarStyle::Plain);
        self.add(Built { node: Node::Scalar(Arc::new(scalar)), nodes: 1, height: 0 }, span);
        Ok(())
    }

    // Putting nodes into what they belong to.

    /// `place` is where the node was written: for an alias, the alias.
    fn add(&mut self, built: Built, place: Span) {
        let Some(frame) = self.frames.last_mut() else {
            self.tree.root = Some(built.node);
            return;
        };
        frame.end = frame.end.max(place.end as usize);
        frame.nodes = frame.nodes.saturating_add(built.nodes);
        frame.height = frame.height.max(built.height);
        match &mut frame.content {
            Content::Sequence(items) => items.push(built.node),
            Content::Mapping { entries, keys, next } => {
                *next = match std::mem::replace(next, Next::Key) {
                    Next::Value(key) => {
                        entries.push(Entry { key, value: built.node });
                        Next::Key
                    }
                    Next::Left => Next::Key,
                    Next::Key => {
                        frame.start = frame.start.min(place.start as usize);
                        match accept_key(&built.node, place, entries, keys) {
                            Ok(key) => Next::Value(key),
                            Err(diagnostic) => {
                                self.diagnostics.push(*diagnostic);
                                Next::Left
                            }
                        }
                    }
                };
            }
        }
    }
}

/// The key if it may be one, or what is wrong with it.
fn accept_key(node: &Node, place: Span, entries: &[Entry], keys: &mut Keys) -> Result<Arc<Scalar>, Box<Diagnostic>> {
    let Some(key) = node.as_scalar() else {
        let diagnostic = Diagnostic::error("complex-key", format!("{} cannot be a key", node.kind())).at(place);
        let doubly_braced =
            matches!(node, Node::Mapping { entries, .. } if entries.is_empty() || node_is_braced(entries));
        return Err(Box::new(if doubly_braced {
            diagnostic.help("an expression is written `${{ … }}`, and where YAML begins with `{` it must be quoted")
        } else {
            diagnostic.help("write the key as text")
        }));
    };
    if key.text == "<<" && key.style == ScalarStyle::Plain && key.tag.is_none() {
        return Err(Box::new(
            Diagnostic::error("merge-key", "GitHub does not support YAML's merge key `<<`")
                .at(place)
                .help("use the alias for a whole value (`env: *name`), or write the keys out"),
        ));
    }
    let Some(first) = keys.find(entries, &key.text).and_then(|at| entries.get(at)) else { return Ok(key.clone()) };
    let (one, other) = (excerpt(&first.key.text), excerpt(&key.text));
    let message = if first.key.text == key.text {
        format!("the key `{other}` is already defined")
    } else {
        format!("the key `{other}` is already defined as `{one}`: upper and lower case make no difference")
    };
    let diagnostic = Diagnostic::error("duplicate-key", message).at(place).label(first.key.span, "first defined here");
    Err(Box::new(diagnostic.help("remove one of the two, or join their values")))
}

/// Whether the mapping is what `{ x }` inside another brace gives: one key without value.
fn node_is_braced(entries: &[Entry]) -> bool {
    entries.iter().all(|entry| entry.value.as_scalar().is_some_and(|value| value.is_missing()))
}

pub(super) fn too_deep(limits: &Limits, at: usize, source: &Source) -> Diagnostic {
    let width = source.text().get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Diagnostic::error(
        "too-deep",
        format!("more than {} levels of sequences and mappings inside each other", limits.depth),
    )
    .at(Span::new(at, at + width))
}

fn marks(style: ScalarStyle) -> &'static str {
    match style {
        ScalarStyle::Plain => "line breaks",
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => "quotes",
        ScalarStyle::Literal => "`|`",
        ScalarStyle::Folded => "`>`",
    }
}

/// Text short enough for a message.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
