//! XML as a stream of elements and texts, with lines.

use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::Wrong;

/// What comes next in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A start tag. An empty element is opened and closed.
    Open(Element),
    /// Part of the text inside of an element.
    Text(String),
    /// An end tag.
    Close,
}

/// A start tag, without namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    pub(crate) line: u64,
}

impl Element {
    /// An attribute; absent where it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn owned(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// An attribute that is a whole number; decimals are cut, as some tools write them.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let text = self.get(name)?.trim();
        text.split('.').next().unwrap_or(text).parse().ok()
    }
}

/// Reads pieces.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    text: &'t str,
    reader: quick_xml::Reader<&'t [u8]>,
    open: Vec<String>,
    depth: usize,
    counted_to: usize,
    line: u64,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str, depth: usize) -> Self {
        let mut reader = quick_xml::Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.allow_dangling_amp = true;
        Self { text, reader, open: Vec::new(), depth, counted_to: 0, line: 1 }
    }

    /// The next piece, or `None` at the end of a file in which everything is closed.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Wrong> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let at = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
                    let line = self.line_at(at);
                    let cut = matches!(error, quick_xml::Error::Syntax(_));
                    return Err(match self.open.last().cloned() {
                        Some(open) if cut => Wrong::Truncated { line: self.last_line(), inside: format!("<{open}>") },
                        _ => Wrong::Syntax { line, reason: error.to_string() },
                    });
                }
            };
            let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Event::Start(start) => {
                    let line = self.line_at(at);
                    if self.open.len() >= self.depth {
                        return Err(Wrong::TooDeep { line, limit: self.depth });
                    }
                    let element = element(&start, line);
                    self.open.push(element.name.clone());
                    return Ok(Some(Piece::Open(element)));
                }
                Event::End(_) => {
                    self.open.pop();
                    return Ok(Some(Piece::Close));
                }
                Event::Text(text) => return Ok(Some(Piece::Text(lossy(&text)))),
                Event::CData(text) => return Ok(Some(Piece::Text(lossy(&text)))),
                Event::GeneralRef(reference) => return Ok(Some(Piece::Text(resolved(&reference)))),
                Event::DocType(text) => {
                    if text.windows(8).any(|part| part == b"<!ENTITY") {
                        return Err(Wrong::Entities { line: self.line_at(at) });
                    }
                }
                Event::Eof => {
                    return match self.open.last().cloned() {
                        None => Ok(None),
                        Some(open) => Err(Wrong::Truncated { line: self.last_line(), inside: format!("<{open}>") }),
                    };
                }
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// The line of an offset, which never goes back.
    fn line_at(&mut self, offset: usize) -> u64 {
        let offset = offset.clamp(self.counted_to, self.text.len());
        let between = &self.text.as_bytes()[self.counted_to..offset];
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted_to = offset;
        self.line
    }

    pub(crate) fn last_line(&mut self) -> u64 {
        self.line_at(self.text.trim_end().len())
    }
}

fn element(start: &BytesStart<'_>, line: u64) -> Element {
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false).flatten().map(|attribute| {
        let value = match attribute.unescape_value() {
            Ok(value) => value.into_owned(),
            // An entity that nobody declared: shown as it stands.
            Err(_) => lossy(&attribute.value),
        };
        (lossy(attribute.key.local_name().as_ref()), value)
    });
    Element { name: lossy(start.local_name().as_ref()), attributes: attributes.collect(), line }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `&name;` stands for; what is not known stays as it is.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = lossy(reference);
    match name.as_str() {
        "lt" => "<".into(),
        "gt" => ">".into(),
        "amp" => "&".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        _ => format!("&{name};"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, depth: usize) -> Result<Vec<String>, Wrong> {
        let mut reader = Reader::new(text, depth);
        let mut pieces = Vec::new();
        while let Some(piece) = reader.next()? {
            pieces.push(match piece {
                Piece::Open(element) => format!("<{} {:?} {}", element.name, element.attributes, element.line),
                Piece::Text(text) => text,
                Piece::Close => ">".into(),
            });
        }
        Ok(pieces)
    }

    #[test]
    fn elements_come_with_their_lines_and_resolved_texts() {
        let text = "<?xml version='1.0'?>\n<a x='1 &lt; 2'>\n<n:b y='&unknown;'/>&#65;&amp;<![CDATA[<]]></a>";
        let expected =
            ["\n", "<a [(\"x\", \"1 < 2\")] 2", "\n", "<b [(\"y\", \"&unknown;\")] 3", ">", "A", "&", "<", ">"];
        assert_eq!(pieces(text, 9), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let inside = |inside: &str, line| Err(Wrong::Truncated { line, inside: inside.into() });
        assert_eq!(pieces("<a>\n<b>", 9), inside("<b>", 2));
        assert_eq!(pieces("<a>\n<b x='1", 9), inside("<a>", 2));
        assert_eq!(pieces("<a>\n<b><c></c>", 1), Err(Wrong::TooDeep { line: 2, limit: 1 }));
        assert!(matches!(pieces("<a>\n</b>", 9), Err(Wrong::Syntax { line: 2, .. })));
    }

    #[test]
    fn entities_are_not_declared_by_reports() {
        let bomb = "<!DOCTYPE a [\n<!ENTITY x \"xxxx\">\n<!ENTITY y \"&x;&x;\">\n]>\n<a>&y;</a>";
        assert_eq!(pieces(bomb, 9), Err(Wrong::Entities { line: 4 }));
    }
}
