//! Reads one scalar out of the file again, and remembers which byte became which.
//!
//! The event parser gives a scalar's text but not the way back. The same rules are written down here once more, for
//! one scalar whose extent is known: folding, escapes, indentation. Tests hold the two readings against each other.

use lineclear_source::Span;

use crate::ScalarStyle;

/// A piece of a scalar's text and the bytes of the file it came from.
///
/// Pieces of equal length were copied byte for byte; any other was replaced as a whole (an escape, a folded line break).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) text: u32,
    pub(crate) length: u32,
    pub(crate) source: u32,
    pub(crate) source_length: u32,
}

impl Segment {
    /// The byte that the text's byte `index`, in or behind this piece, came from.
    pub(crate) fn start_of(self, index: usize) -> usize {
        let into = (index - self.text as usize).min(self.length as usize);
        if self.length == self.source_length {
            self.source as usize + into
        } else if into < self.length as usize {
            self.source as usize
        } else {
            (self.source + self.source_length) as usize
        }
    }

    /// The end of what the text up to `index`, which is in this piece, came from.
    pub(crate) fn end_of(self, index: usize) -> usize {
        if self.length == self.source_length {
            self.source as usize + (index - self.text as usize).min(self.length as usize)
        } else {
            (self.source + self.source_length) as usize
        }
    }
}

/// The pieces of the scalar at `span`. `body` and `indent` are those of a block scalar: the first byte after its header
/// line and the width of its indentation. `length` is that of its text, which its chomping has decided.
pub(crate) fn segments(
    file: &str,
    span: Span,
    style: ScalarStyle,
    body: usize,
    indent: usize,
    length: usize,
) -> Box<[Segment]> {
    let mut decoder = Decoder::new(file);
    match style {
        ScalarStyle::Literal => decoder.literal(body, indent, length),
        ScalarStyle::Folded => decoder.folded(body, indent, length),
        ScalarStyle::Plain => decoder.flow(span.start as usize, span.end as usize, style),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => decoder.quoted(span, style),
    }
    decoder.segments.into()
}

/// The text of the quoted scalar at `span`, and its pieces.
pub(crate) fn quoted(file: &str, span: Span, style: ScalarStyle) -> (String, Box<[Segment]>) {
    let mut decoder = Decoder::new(file);
    decoder.quoted(span, style);
    (decoder.text, decoder.segments.into())
}

struct Decoder<'a> {
    file: &'a str,
    text: String,
    segments: Vec<Segment>,
}

impl<'a> Decoder<'a> {
    fn new(file: &'a str) -> Self {
        Self { file, text: String::new(), segments: Vec::new() }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.file.as_bytes().get(at).copied()
    }

    /// Takes over `start..end` of the file as it is.
    fn copy(&mut self, start: usize, end: usize) {
        let Some(piece) = self.file.get(start..end) else { return };
        if piece.is_empty() {
            return;
        }
        let (text, length) = (self.text.len(), piece.len());
        self.text.push_str(piece);
        if let Some(last) = self.segments.last_mut() {
            let verbatim = last.length == last.source_length;
            if verbatim && (last.source + last.source_length) as usize == start {
                last.length += to_u32(length);
                last.source_length += to_u32(length);
                return;
            }
        }
        self.push(text, length, start, length);
    }

    /// Puts `piece` for `start..end` of the file.
    fn replace(&mut self, start: usize, end: usize, piece: &str) {
        let text = self.text.len();
        self.text.push_str(piece);
        self.push(text, piece.len(), start, end.saturating_sub(start));
    }

    fn push(&mut self, text: usize, length: usize, source: usize, source_length: usize) {
        self.segments.push(Segment {
            text: to_u32(text),
            length: to_u32(length),
            source: to_u32(source),
            source_length: to_u32(source_length),
        });
    }

    /// The offset behind the line break at `at`, if there is one.
    fn after_break(&self, at: usize) -> Option<usize> {
        match (self.byte(at)?, self.byte(at + 1)) {
            (b'\r', Some(b'\n')) => Some(at + 2),
            (b'\r' | b'\n', _) => Some(at + 1),
            _ => None,
        }
    }

    fn quoted(&mut self, span: Span, style: ScalarStyle) {
        // The marks themselves do not belong to the text.
        self.flow((span.start + 1) as usize, span.end.saturating_sub(1) as usize, style);
    }

    /// Plain and quoted text: a line break is a space, blank lines are line breaks, indentation is nothing.
    fn flow(&mut self, start: usize, end: usize, style: ScalarStyle) {
        let mut at = start;
        // Where the blanks began that stay only if no line break follows.
        let mut blanks: Option<usize> = None;
        while at < end {
            let Some(byte) = self.byte(at) else { break };
            match byte {
                b' ' | b'\t' => {
                    blanks.get_or_insert(at);
                    at += 1;
                }
                b'\r' | b'\n' => {
                    blanks = None;
                    at = self.fold(at, end);
                }
                b'\\' if style == ScalarStyle::DoubleQuoted => {
                    self.keep_blanks(&mut blanks, at);
                    at = match self.after_break(at + 1) {
                        Some(next) => self.blank_lines(next, end).0,
                        None => self.escape(at),
                    };
                }
                b'\'' if style == ScalarStyle::SingleQuoted => {
                    self.keep_blanks(&mut blanks, at);
                    self.replace(at, at + 2, "'");
                    at += 2;
                }
                _ => {
                    self.keep_blanks(&mut blanks, at);
                    let rest = self.file.as_bytes().get(at..end).unwrap_or_default();
                    let special =
                        rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'\''));
                    let special = special.unwrap_or(rest.len());
                    // A backslash or quote mark that is nothing special in this style.
                    let next = at + special.max(1);
                    self.copy(at, next);
                    at = next;
                }
            }
        }
        self.keep_blanks(&mut blanks, end);
    }

    fn keep_blanks(&mut self, blanks: &mut Option<usize>, until: usize) {
        if let Some(start) = blanks.take() {
            self.copy(start, until);
        }
    }

    /// The line break at `at` with what follows it up to the next content; gives where that begins.
    fn fold(&mut self, at: usize, end: usize) -> usize {
        let first = self.after_break(at).unwrap_or(at + 1);
        let mark = (self.text.len(), self.segments.len());
        let (next, blank_lines) = self.blank_lines(first, end);
        if !blank_lines {
            debug_assert_eq!(mark, (self.text.len(), self.segments.len()), "no blank line adds nothing");
            self.replace(at, first, " ");
        }
        next
    }

    /// Leaves out blanks from `at` on and takes each blank line as a line break. Says where content begins, and whether
    /// there was a blank line.
    fn blank_lines(&mut self, mut at: usize, end: usize) -> (usize, bool) {
        let mut any = false;
        while at < end {
            if matches!(self.byte(at), Some(b' ' | b'\t')) {
                at += 1;
            } else if let Some(next) = self.after_break(at) {
                self.replace(at, next, "\n");
                any = true;
                at = next;
            } else {
                break;
            }
        }
        (at, any)
    }

    /// The escape at `at` of a double-quoted scalar; gives what follows it.
    fn escape(&mut self, at: usize) -> usize {
        let simple = match self.byte(at + 1) {
            Some(b'0') => "\0",
            Some(b'a') => "\x07",
            Some(b'b') => "\x08",
            Some(b't' | b'\t') => "\t",
            Some(b'n') => "\n",
            Some(b'v') => "\x0b",
            Some(b'f') => "\x0c",
            Some(b'r') => "\r",
            Some(b'e') => "\x1b",
            Some(b' ') => " ",
            Some(b'"') => "\"",
            Some(b'/') => "/",
            Some(b'\\') => "\\",
            Some(b'N') => "\u{85}",
            Some(b'_') => "\u{a0}",
            Some(b'L') => "\u{2028}",
            Some(b'P') => "\u{2029}",
            Some(b'x') => return self.code_point(at, 2),
            Some(b'u') => return self.code_point(at, 4),
            Some(b'U') => return self.code_point(at, 8),
            // The event parser refuses any other; without it the backslash stands for itself.
            _ => {
                self.copy(at, at + 1);
                return at + 1;
            }
        };
        self.replace(at, at + 2, simple);
        at + 2
    }

    fn code_point(&mut self, at: usize, digits: usize) -> usize {
        let end = at + 2 + digits;
        let (char, end) = match self.hexadecimal(at + 2, end) {
            // A pair of surrogates, as in JSON, is one character.
            Some(high @ 0xd800..=0xdbff) if self.file.get(end..end + 2) == Some("\\u") => {
                match self.hexadecimal(end + 2, end + 6) {
                    Some(low @ 0xdc00..=0xdfff) => {
                        (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)), end + 6)
                    }
                    _ => (None, end),
                }
            }
            Some(value) => (char::from_u32(value), end),
            None => (None, end),
        };
        let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.replace(at, end, char.encode_utf8(&mut [0; 4]));
        end
    }

    fn hexadecimal(&self, start: usize, end: usize) -> Option<u32> {
        self.file.get(start..end).and_then(|digits| u32::from_str_radix(digits, 16).ok())
    }

    /// The line of a block from `at` on: where its content begins and ends, and where the next line begins.
    fn block_line(&self, at: usize, indent: usize) -> (usize, usize, usize) {
        let rest = self.file.as_bytes().get(at..).unwrap_or_default();
        let ends = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let spaces = rest.iter().take(indent.min(ends)).take_while(|&&byte| byte == b' ').count();
        let end = at + ends;
        (at + spaces, end, self.after_break(end).unwrap_or(end))
    }

    /// A literal block: its lines without their indentation.
    fn literal(&mut self, body: usize, indent: usize, length: usize) {
        let mut at = body;
        while self.text.len() < length {
            let (start, end, next) = self.block_line(at, indent);
            self.copy(start, end);
            if self.text.len() >= length {
                break;
            }
            // At the file's end a line break may be meant without being there.
            self.line_break(end, next);
            if next == at {
                break;
            }
            at = next;
        }
    }

    /// A folded block: the break between two lines of text is a space, next to blank or more indented lines it stays.
    fn folded(&mut self, body: usize, indent: usize, length: usize) {
        let mut at = body;
        // Line breaks since the last content, the first of which ends that content's line.
        let mut breaks: Vec<(usize, usize)> = Vec::new();
        let mut any_content = false;
        let mut was_blank_start = false;
        while self.text.len() < length {
            let (start, end, next) = self.block_line(at, indent);
            if start < end {
                let blank_start = matches!(self.byte(start), Some(b' ' | b'\t'));
                let folds = any_content && !was_blank_start && !blank_start;
                match breaks.as_slice() {
                    [only] if folds => self.replace(only.0, only.1, " "),
                    [_, rest @ ..] if folds => rest.iter().for_each(|line| self.line_break(line.0, line.1)),
                    all => all.iter().for_each(|line| self.line_break(line.0, line.1)),
                }
                breaks.clear();
                self.copy(start, end);
                any_content = true;
                was_blank_start = blank_start;
            }
            breaks.push((end, next));
            // Behind the last content there are only line breaks, of which chomping kept as many as the text is long.
            if next == end || self.text.len() + breaks.len() >= length && !self.content_follows(next, indent) {
                for (start, end) in std::mem::take(&mut breaks) {
                    if self.text.len() < length {
                        self.line_break(start, end);
                    }
                }
                break;
            }
            at = next;
        }
    }

    /// Whether another line with content belongs to the block, from the line at `at` on.
    fn content_follows(&self, mut at: usize, indent: usize) -> bool {
        loop {
            let (start, end, next) = self.block_line(at, indent);
            if start < end {
                return start == at + indent;
            }
            if next == at {
                return false;
            }
            at = next;
        }
    }

    fn line_break(&mut self, start: usize, end: usize) {
        self.replace(start, end, "\n");
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
