//! The event parser behind this crate's own words: no other module names `granit_parser`.

use std::borrow::Cow;

use granit_parser as granit;
use lineclear_source::Span;

use crate::ScalarStyle;
use crate::syntax::{Fault, SyntaxError};

/// One event of the parser. Anchors have numbers, counted from one in file order.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    Scalar(ScalarEvent<'a>),
    SequenceStart(Properties),
    MappingStart(Properties),
    /// Of a sequence or a mapping.
    End,
    /// The name of the node whose event came just before.
    Anchor {
        number: usize,
        name: Cow<'a, str>,
    },
    Alias(usize),
    /// An alias of a name that no earlier node has.
    UnknownAlias(Cow<'a, str>),
    DocumentStart,
    /// Start and end of the stream, end of a document.
    Other,
}

#[derive(Debug)]
pub(crate) struct ScalarEvent<'a> {
    /// Borrowed if it stands in the file exactly so.
    pub(crate) text: Cow<'a, str>,
    pub(crate) style: ScalarStyle,
    pub(crate) properties: Properties,
}

/// What may stand before a node.
#[derive(Debug)]
pub(crate) struct Properties {
    pub(crate) anchor: Option<usize>,
    pub(crate) tag: Option<Tag>,
}

/// A tag with its place.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: TagName,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagName {
    String,
    Null,
    Bool,
    Int,
    Float,
    Sequence,
    Mapping,
    Other,
}

/// The events of a text, one after another.
pub(crate) struct Events<'a> {
    text: &'a str,
    parser: granit::Parser<'a, granit::StrInput<'a>>,
}

impl<'a> Events<'a> {
    /// `depth` bounds what the parser itself keeps of nested collections.
    pub(crate) fn new(text: &'a str, depth: usize) -> Self {
        let options = granit::options! {
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            flow_nesting_limit: depth,
            block_nesting_limit: depth
        };
        Self { text, parser: granit::Parser::new_from_str_with_options(text, options) }
    }

    /// The next event with its place, `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<(Event<'a>, Span), SyntaxError>> {
        let (event, span) = match self.parser.next_event()? {
            Ok(next) => next,
            Err(error) => return Some(Err(syntax_error(self.text, &error))),
        };
        let event = match event {
            granit::Event::Scalar(text, style, anchor, tag) => {
                let properties = properties(self.text, anchor, tag.as_deref(), &span);
                Event::Scalar(ScalarEvent { text, style: scalar_style(style), properties })
            }
            granit::Event::SequenceStart(_, anchor, tag) => {
                Event::SequenceStart(properties(self.text, anchor, tag.as_deref(), &span))
            }
            granit::Event::MappingStart(_, anchor, tag) => {
                Event::MappingStart(properties(self.text, anchor, tag.as_deref(), &span))
            }
            granit::Event::SequenceEnd | granit::Event::MappingEnd => Event::End,
            granit::Event::Anchor(number, name) => Event::Anchor { number, name },
            granit::Event::Alias(number) => Event::Alias(number),
            granit::Event::UnresolvedAlias(name) => Event::UnknownAlias(name),
            granit::Event::DocumentStart(..) => Event::DocumentStart,
            _ => Event::Other,
        };
        Some(Ok((event, byte_span(self.text, &span))))
    }
}

fn properties(text: &str, anchor: usize, tag: Option<&granit::Tag>, span: &granit::Span) -> Properties {
    let tag = tag.map(|tag| Tag {
        name: tag_name(tag),
        span: span.tag_span().map_or_else(|| byte_span(text, span), |tag_span| byte_span(text, &tag_span)),
    });
    Properties { anchor: (anchor != 0).then_some(anchor), tag }
}

fn tag_name(tag: &granit::Tag) -> TagName {
    match tag.core_suffix() {
        Some("str") => TagName::String,
        Some("null") => TagName::Null,
        Some("bool") => TagName::Bool,
        Some("int") => TagName::Int,
        Some("float") => TagName::Float,
        Some("seq") => TagName::Sequence,
        Some("map") => TagName::Mapping,
        _ => TagName::Other,
    }
}

fn scalar_style(style: granit::ScalarStyle) -> ScalarStyle {
    match style {
        granit::ScalarStyle::Plain => ScalarStyle::Plain,
        granit::ScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        granit::ScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        granit::ScalarStyle::Literal => ScalarStyle::Literal,
        granit::ScalarStyle::Folded => ScalarStyle::Folded,
    }
}

fn byte_span(text: &str, span: &granit::Span) -> Span {
    Span::new(byte_offset(text, &span.start), byte_offset(text, &span.end))
}

fn byte_offset(text: &str, marker: &granit::Marker) -> usize {
    // Reading from a text always gives byte offsets; the way over characters is for the parser's own odd markers.
    let by_characters = || text.char_indices().nth(marker.index()).map_or(text.len(), |(at, _)| at);
    marker.byte_offset().unwrap_or_else(by_characters).min(text.len())
}

fn syntax_error(text: &str, error: &granit::ScanError) -> SyntaxError {
    SyntaxError { fault: fault(error.kind()), at: byte_offset(text, error.marker()) }
}

/// What the parser's many kinds of errors come to for the person who wrote the text.
fn fault(kind: &granit::ErrorKind) -> Fault {
    use granit::ErrorKind as Kind;
    match kind {
        Kind::InvalidQuotedScalarIndent => Fault::UnderIndentedQuote,
        Kind::CommentNotSeparated => Fault::TouchingComment,
        Kind::UnclosedQuotedScalar => Fault::UnclosedQuote,
        Kind::DocumentIndicatorInQuotedScalar => Fault::DocumentMarkInQuote,
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => Fault::TextAfterQuote,
        Kind::UnknownQuotedScalarEscape => Fault::UnknownEscape,
        Kind::InvalidQuotedScalarHexEscape
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::InvalidLowSurrogate
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate
        | Kind::InvalidUnicodeEscape => Fault::BadCodePoint,
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar
        | Kind::InvalidBlockEntryWhitespace
        | Kind::InvalidMappingValueWhitespace => Fault::Tab,
        Kind::MappingValueNotAllowed | Kind::MappingKeyNotAllowed => Fault::ValueNotAllowed,
        Kind::InvalidColonPlacement | Kind::FlowMappingValueAdjacentCollection => Fault::ColonInFlow,
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => Fault::NoColon,
        Kind::ExpectedBlockMappingKey | Kind::UnexpectedEofBlockMapping => Fault::NoKey,
        Kind::ExpectedBlockSequenceEntry | Kind::UnexpectedEofBlockSequence => Fault::NoSequenceEntry,
        Kind::BlockSequenceEntryNotAllowed => Fault::SequenceEntryNotAllowed,
        Kind::BlockEntryInFlowCollection | Kind::PlainScalarStartsWithDashFlowIndicator => Fault::DashInFlow,
        Kind::InvalidIndentation | Kind::InvalidFlowScalarIndent => Fault::Indentation,
        Kind::ExpectedFlowSequenceSeparator | Kind::UnexpectedEofFlowSequence => Fault::NoCommaInSequence,
        Kind::ExpectedFlowMappingSeparator
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnexpectedEofImplicitFlowMapping => Fault::NoCommaInMapping,
        Kind::UnclosedFlowCollection { open } => Fault::UnclosedBracket { open: *open },
        Kind::MisplacedFlowCollectionEnd => Fault::StrayBracket,
        Kind::MismatchedFlowCollectionEnd { open, close } => Fault::WrongBracket { open: *open, close: *close },
        Kind::UnexpectedCharacter { character } => Fault::Character { character: *character },
        Kind::BomInsideDocument => Fault::Character { character: '\u{feff}' },
        Kind::UnexpectedEndOfPlainScalar | Kind::ExpectedNodeContent | Kind::UnexpectedEof => Fault::NoValue,
        Kind::CommentInterceptedScalar => Fault::CommentInText,
        Kind::ZeroBlockScalarIndent | Kind::InvalidBlockScalarHeader => Fault::BlockHeader,
        Kind::InvalidBlockScalarIndent => Fault::BlockIndentation,
        Kind::MissingAnchorOrAliasName => Fault::AnchorName,
        Kind::UndeclaredTagHandle
        | Kind::ExpectedTagBang
        | Kind::InvalidGlobalTagCharacter
        | Kind::InvalidTagTerminator
        | Kind::MissingTagUri
        | Kind::UnclosedVerbatimTag
        | Kind::InvalidTagEscape
        | Kind::InvalidTagUtf8LeadingByte
        | Kind::InvalidTagUtf8TrailingByte
        | Kind::InvalidTagUtf8 => Fault::Tag,
        Kind::DuplicateVersionDirective
        | Kind::UnsupportedYamlMajorVersion
        | Kind::DuplicateTagDirective
        | Kind::InvalidDirectiveTerminator
        | Kind::MissingYamlVersionSeparator
        | Kind::MissingDirectiveName
        | Kind::InvalidDirectiveName
        | Kind::DirectiveByteLimitExceeded { .. }
        | Kind::TooManyReservedDirectiveParams { .. }
        | Kind::YamlVersionTooLong
        | Kind::MissingYamlVersion
        | Kind::InvalidTagDirectiveTerminator
        | Kind::ExpectedTagDirectiveBang => Fault::Directive,
        Kind::ExpectedDocumentStart | Kind::InvalidDocumentEnd | Kind::MissingDocumentEndBeforeDirective => {
            Fault::DocumentEnd
        }
        Kind::RecursionLimitExceeded => Fault::TooDeep,
        other => Fault::Other { message: other.to_string() },
    }
}
