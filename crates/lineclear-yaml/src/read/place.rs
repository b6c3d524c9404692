//! Where things stand that the event parser places only roughly.

/// Where a value that was not written could stand: after the colon of its key, which ends at `key_end`.
pub(super) fn after_colon(text: &str, key_end: usize) -> usize {
    let rest = text.as_bytes().get(key_end..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if rest.get(blanks) == Some(&b':') { key_end + blanks + 1 } else { key_end }
}

/// Where an item that was not written could stand: after its dash, the first thing from `from` on but for comments.
pub(super) fn after_dash(text: &str, from: usize) -> Option<usize> {
    let mut rest = text.as_bytes().get(from..)?.iter().copied().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'#' => {
                rest.find(|&(_, byte)| matches!(byte, b'\r' | b'\n'))?;
            }
            b'-' => return Some(from + at + 1),
            _ => return None,
        }
    }
    None
}

/// A block scalar's extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The `|` or `>`.
    pub(super) start: usize,
    /// The first byte after the header's line.
    pub(super) body: usize,
    /// The end of the last line that is not blank, or of the header.
    pub(super) end: usize,
    /// Columns that belong to the block and not to its text.
    pub(super) indent: usize,
}

/// The extent of the block scalar whose header is the first `|` or `>` after `from`, but for properties and comments.
/// Its text begins at `content` and everything of it ends before `end`.
pub(super) fn block(text: &str, from: usize, content: usize, end: usize) -> Option<Block> {
    let bytes = text.as_bytes();
    let start = mark(text, from, b"|>")?;
    let line_end = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len())
    };
    let header_end = line_end(start);
    let body = match (bytes.get(header_end), bytes.get(header_end + 1)) {
        (Some(b'\r'), Some(b'\n')) => header_end + 2,
        (Some(_), _) => header_end + 1,
        (None, _) => header_end,
    };
    let line_start = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        before.iter().rposition(|byte| matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1)
    };
    // Not `content` itself: in an empty block it may lie behind the header without any text.
    let indent = if content >= body { content - line_start(content) } else { 0 };
    let mut last = end.min(bytes.len());
    loop {
        if last <= body {
            // Only the header: without its comment and the blanks before that.
            let header = bytes.get(start..header_end).unwrap_or_default();
            let marks =
                header.iter().take_while(|byte| matches!(byte, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9')).count();
            last = start + marks;
            break;
        }
        let begin = line_start(last);
        let blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if !blank(bytes.get(begin..last).unwrap_or_default()) {
            break;
        }
        last = begin.saturating_sub(1);
        if last > 0 && bytes.get(last) == Some(&b'\n') && bytes.get(last - 1) == Some(&b'\r') {
            last -= 1;
        }
    }
    Some(Block { start, body, end: last, indent })
}

/// The first of `marks` from `from` on that is in no comment, anchor or tag. Between a key and its value nothing else stands.
pub(super) fn mark(text: &str, from: usize, marks: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        match bytes.get(at)? {
            byte if marks.contains(byte) => return Some(at),
            b'#' => at += until_any(bytes, at, b"\r\n"),
            b'&' | b'!' => at += until_any(bytes, at, b" \t\r\n"),
            _ => at += 1,
        }
    }
}

fn until_any(bytes: &[u8], from: usize, stops: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| stops.contains(byte)).unwrap_or(rest.len())
}
