//! Where the comments of a document are. Few ask, so the parser leaves them out and they are looked for between its scalars.

use lineclear_source::Span;

use crate::{Node, Scalar, ScalarStyle, Tree};

impl Tree {
    /// Every comment of `text`, which this tree was read from without faults: from its `#` to the end of its line, in file order.
    pub fn comments(&self, text: &str) -> Vec<Span> {
        let mut scalars = self.scalars();
        scalars.sort_by_key(|scalar| scalar.span);
        let mut comments = Vec::new();
        let mut from = 0;
        for scalar in scalars {
            let is_block = matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded);
            let start = scalar.span.start as usize;
            // A comment may stand behind the mark of a block.
            let header = if is_block { line_end(text, start) } else { start };
            add_between(text, from, header, &mut comments);
            from = from.max(scalar.span.end as usize).max(header);
        }
        add_between(text, from, text.len(), &mut comments);
        comments
    }

    fn scalars(&self) -> Vec<&Scalar> {
        let mut scalars: Vec<&Scalar> = Vec::new();
        let mut waiting: Vec<&Node> = self.root.iter().collect();
        while let Some(node) = waiting.pop() {
            match node {
                Node::Scalar(scalar) => scalars.push(scalar),
                Node::Sequence { items, .. } => waiting.extend(items.iter()),
                Node::Mapping { entries, .. } => {
                    scalars.extend(entries.iter().map(|entry| &*entry.key));
                    waiting.extend(entries.iter().map(|entry| &entry.value));
                }
            }
        }
        scalars
    }
}

/// Adds the comments that begin between two places which are in no scalar.
fn add_between(text: &str, from: usize, to: usize, comments: &mut Vec<Span>) {
    let mut at = from;
    while let Some(found) = text.get(at..to).and_then(|rest| rest.find('#')) {
        let start = at + found;
        let before = start.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        if before.is_none_or(u8::is_ascii_whitespace) {
            let end = line_end(text, start);
            comments.push(Span::new(start, end));
            at = end;
        } else {
            at = start + 1;
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find(['\r', '\n'])).map_or(text.len(), |length| from + length)
}
