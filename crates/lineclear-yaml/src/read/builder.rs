//! Puts the tree together, event by event, on a stack of its own: hostile nesting meets a limit, not the thread's stack.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use lineclear_source::{Diagnostic, Source, Span};

use super::anchors::{Anchors, Built, Named};
use super::finding::{self, Findings};
use super::merge;
use super::place;
use crate::events::{Event, Properties, ScalarEvent, Tag, TagName};
use crate::keys::Keys;
use crate::lenient::Repairs;
use crate::scalar::{Decoded, Origin};
use crate::syntax::SyntaxError;
use crate::tree::NodeTag;
use crate::{Alias, Dialect, Entry, Limits, Node, Scalar, ScalarStyle, ScalarTag, Tree, decode};

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
    dialect: Dialect,
    findings: Findings,
    root: Option<Node>,
    aliases: Vec<Alias>,
    tags: Vec<NodeTag>,
    anchors: Anchors,
    frames: Vec<Frame>,
    /// Where the last thing read from the text ended.
    last_end: usize,
    /// Nodes so far, every alias followed.
    nodes: usize,
    /// Only the first is read into the tree.
    documents: usize,
}

/// A collection that is not complete yet.
struct Frame {
    content: Content,
    anchor: Option<usize>,
    /// A tag of the application's own.
    tag: Option<Span>,
    flow: bool,
    start: usize,
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

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source, repairs: &'a Repairs<'a>, limits: &'a Limits, dialect: Dialect) -> Self {
        Self {
            source,
            file: source.shared_text(),
            text: source.text(),
            repairs,
            limits,
            dialect,
            findings: Findings::default(),
            root: None,
            aliases: Vec::new(),
            tags: Vec::new(),
            anchors: Anchors::default(),
            frames: Vec::new(),
            last_end: 0,
            nodes: 0,
            documents: 0,
        }
    }

    pub(super) fn finish(self) -> (Tree, Vec<Diagnostic>) {
        // After `---` the parser finds a value that nobody wrote.
        let nothing = |root: &Node| root.as_scalar().is_some_and(|scalar| scalar.is_missing() && scalar.tag.is_none());
        let root = self.root.filter(|root| !nothing(root));
        let tree = Tree { root, anchors: self.anchors.finish(), aliases: self.aliases, tags: self.tags };
        (tree, self.findings.finish())
    }

    /// Takes the next event in.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        if self.documents > 1 {
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
            Event::Anchor { number, name } => self.anchors.give_name(number, name.into_owned(), span),
            Event::Alias(number) => self.alias(number, span)?,
            Event::UnknownAlias(name) => {
                self.findings.add(finding::unknown_alias(&name, span, self.anchors.list()));
                self.stand_in(span)?;
            }
            Event::DocumentStart => {
                self.passed(span.end as usize);
                self.documents += 1;
                if self.documents > 1 {
                    self.findings.add(finding::second_document(span));
                }
            }
            Event::Other => {}
        }
        Ok(())
    }

    fn passed(&mut self, end: usize) {
        self.last_end = self.last_end.max(end);
    }

    /// Counts nodes, and stops beyond the limit.
    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        Err(Stop::Limit(Box::new(finding::too_many(self.limits, nodes, span))))
    }

    // Collections.

    fn open(&mut self, properties: &Properties, span: Span, content: Content) -> Result<(), Stop> {
        self.count(1, span)?;
        if self.frames.len() >= self.limits.depth {
            let finding = finding::too_deep(self.limits, span.start as usize, self.source);
            return Err(Stop::Limit(Box::new(finding)));
        }
        let sequence = matches!(content, Content::Sequence(_));
        let own_tag = properties.tag.as_ref().filter(|tag| self.is_own(tag)).map(|tag| tag.span);
        if let Some(tag) = &properties.tag {
            let (fitting, what) =
                if sequence { (TagName::Sequence, "a sequence") } else { (TagName::Mapping, "a mapping") };
            if tag.name != fitting && own_tag.is_none() {
                self.findings.add(finding::tag_without_meaning(tag, what, self.source));
            }
        }
        let flow = !span.is_empty();
        let mut start = span.start as usize;
        // The parser puts the start of a sequence that is not indented behind its dash.
        let is_value = matches!(self.frames.last(), Some(Frame { content: Content::Mapping { .. }, .. }));
        if sequence && !flow && is_value {
            start = place::mark(self.text, self.last_end, b"-").unwrap_or(start).min(start);
        }
        let end = if flow { span.end as usize } else { start };
        self.passed(end);
        self.anchors.reserve(properties.anchor);
        self.frames.push(Frame {
            content,
            anchor: properties.anchor,
            tag: own_tag,
            flow,
            start,
            end,
            nodes: 1,
            height: 0,
        });
        Ok(())
    }

    fn close(&mut self, span: Span) {
        let Some(frame) = self.frames.pop() else { return };
        let end = if frame.flow { span.end as usize } else { frame.end };
        self.passed(end);
        let span = Span::new(frame.start, end);
        let node = match frame.content {
            Content::Sequence(items) => Node::Sequence { items: Arc::new(items), span },
            Content::Mapping { mut entries, .. } => {
                if self.dialect == Dialect::Ordinary {
                    merge::merge(&mut entries, &mut self.findings);
                }
                Node::Mapping { entries: Arc::new(entries), span }
            }
        };
        self.tags.extend(frame.tag.map(|tag| NodeTag { span: tag, node: span }));
        let built = Built { node, nodes: frame.nodes, height: frame.height + 1 };
        self.anchors.complete(frame.anchor, &built);
        self.add(built, span);
    }

    // Scalars.

    fn scalar(&mut self, event: ScalarEvent<'_>, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        let ScalarEvent { text, style, properties } = event;
        let scalar = match style {
            ScalarStyle::Plain if span.is_empty() => {
                let at = self.missing_value_place(&properties, span.start as usize);
                // The parser's text for it is `~`, or nothing where a tag asks for a string.
                Scalar::new("", Span::new(at, at), style)
            }
            ScalarStyle::Plain => self.flow_scalar(text, style, span, 0),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if self.repairs.rewrote(span) => {
                self.rewritten_scalar(style, span)
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.flow_scalar(text, style, span, 1),
            ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar(text.into_owned(), style, span),
        };
        let scalar = self.tagged(scalar, properties.tag.as_ref());
        let place = scalar.span;
        self.passed(if scalar.is_missing() { place.end } else { span.end } as usize);
        self.anchors.reserve(properties.anchor);
        let built = Built { node: Node::Scalar(Arc::new(scalar)), nodes: 1, height: 0 };
        self.anchors.complete(properties.anchor, &built);
        self.add(built, place);
        Ok(())
    }

    /// A plain or quoted scalar, whose text begins `mark` bytes after its span.
    fn flow_scalar(&self, text: Cow<'_, str>, style: ScalarStyle, span: Span, mark: u32) -> Scalar {
        let origin = match &text {
            Cow::Borrowed(_) => Origin::Verbatim(span.start + mark),
            Cow::Owned(_) => self.decoded((0, 0), OnceLock::new()),
        };
        Scalar { text: text.into_owned(), span, style, tag: None, origin }
    }

    /// A quoted scalar whose line breaks were taken out for the parser.
    fn rewritten_scalar(&mut self, style: ScalarStyle, span: Span) -> Scalar {
        // So the parser could not tell that it goes over several lines, which a key may not.
        if matches!(self.frames.last(), Some(Frame { content: Content::Mapping { next: Next::Key, .. }, .. })) {
            self.findings.add(finding::key_on_several_lines(span));
        }
        let (text, segments) = decode::quoted(self.text, span, style);
        Scalar { text, span, style, tag: None, origin: self.decoded((0, 0), OnceLock::from(segments)) }
    }

    fn block_scalar(&self, text: String, style: ScalarStyle, span: Span) -> Scalar {
        let place = place::block(self.text, self.last_end, span.start as usize, span.end as usize);
        let Some(block) = place else { return Scalar::new(text, span, style) };
        // Blank lines alone may be indented as they like.
        let indent = if text.bytes().all(|byte| byte == b'\n') { usize::MAX } else { block.indent };
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let origin = self.decoded((clamp(block.body), clamp(indent)), OnceLock::new());
        Scalar { text, span: Span::new(block.start, block.end), style, tag: None, origin }
    }

    fn decoded(&self, block: (u32, u32), segments: OnceLock<Box<[decode::Segment]>>) -> Origin {
        Origin::Decoded(Box::new(Decoded { file: self.file.clone(), block, segments }))
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

    /// Gives the scalar its tag, or reports why it cannot have it.
    fn tagged(&mut self, mut scalar: Scalar, tag: Option<&Tag>) -> Scalar {
        if let Some(tag) = tag {
            scalar.tag = Some(match tag.name {
                TagName::String => ScalarTag::String,
                TagName::Null => ScalarTag::Null,
                TagName::Bool => ScalarTag::Bool,
                TagName::Int => ScalarTag::Int,
                TagName::Float => ScalarTag::Float,
                TagName::Other if self.is_own(tag) => {
                    self.tags.push(NodeTag { span: tag.span, node: scalar.span });
                    return scalar;
                }
                TagName::Sequence | TagName::Mapping | TagName::Other => {
                    self.findings.add(finding::unknown_tag(tag, &scalar, self.source));
                    ScalarTag::String
                }
            });
            if scalar.style != ScalarStyle::Plain && scalar.tag != Some(ScalarTag::String) {
                self.findings.add(finding::tag_before_quote(tag, &scalar, self.source));
            }
        }
        let is_checked = scalar.tag.is_some() || self.dialect == Dialect::GitHub;
        if let Some(kind) = scalar.misfit().filter(|_| is_checked) {
            self.findings.add(finding::misfit(&scalar, kind, tag, self.source));
        }
        scalar
    }

    /// Whether a tag is one that the reader of the tree gives a meaning.
    fn is_own(&self, tag: &Tag) -> bool {
        self.dialect == Dialect::Ordinary && tag.name == TagName::Other
    }

    // Aliases.

    fn alias(&mut self, number: usize, span: Span) -> Result<(), Stop> {
        let (name, built) = match self.anchors.find(number) {
            Named::Complete { name, built } => (name, built.clone()),
            Named::Open { name } => {
                let anchor = name.and_then(|name| self.anchors.list().get(name));
                self.findings.add(finding::recursive_alias(span, anchor, self.source));
                return self.stand_in(span);
            }
        };
        self.passed(span.end as usize);
        self.count(built.nodes, span)?;
        if self.frames.len() + built.height > self.limits.depth {
            let finding = finding::too_deep(self.limits, span.start as usize, self.source);
            return Err(Stop::Limit(Box::new(finding.help("what an alias names counts where the alias stands"))));
        }
        self.aliases.extend(name.map(|anchor| Alias { span, anchor }));
        self.add(built, span);
        Ok(())
    }

    /// Null in place of an alias that names nothing usable; as a key it is left out with its value.
    fn stand_in(&mut self, span: Span) -> Result<(), Stop> {
        self.passed(span.end as usize);
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
            self.root = Some(built.node);
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
                        match accept_key(built.node, place, entries, keys, self.dialect) {
                            Ok(key) => Next::Value(key),
                            Err(finding) => {
                                self.findings.add(*finding);
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
fn accept_key(
    node: Node,
    place: Span,
    entries: &[Entry],
    keys: &mut Keys,
    dialect: Dialect,
) -> Result<Arc<Scalar>, Box<Diagnostic>> {
    let Node::Scalar(key) = node else { return Err(Box::new(finding::complex_key(&node, place))) };
    if dialect == Dialect::GitHub && merge::is_merge_key(&key) {
        return Err(Box::new(finding::merge_key(place)));
    }
    match keys.find(entries, &key.text, dialect).and_then(|at| entries.get(at)) {
        Some(first) => Err(Box::new(finding::duplicate_key(&first.key, &key, place))),
        None => Ok(key),
    }
}
