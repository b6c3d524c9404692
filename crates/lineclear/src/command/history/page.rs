//! Printing much: in blocks, and no further than anybody reads.

use crate::output;

/// Bytes gathered for one write.
const BLOCK: usize = 64 * 1024;

/// Lines on their way to standard output.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    gone: bool,
}

impl Page {
    /// Adds a line. False: the reader went away, and nothing more is of use to anyone.
    pub(super) fn line(&mut self, line: &str) -> bool {
        self.text.push_str(line);
        self.text.push('\n');
        if self.text.len() >= BLOCK {
            self.flush();
        }
        !self.gone
    }

    /// Shows what was added until now.
    pub(super) fn flush(&mut self) {
        if !self.gone && !self.text.is_empty() {
            self.gone = !output::print_to_reader(&self.text);
        }
        self.text.clear();
    }

    pub(super) fn is_read(&self) -> bool {
        !self.gone
    }
}
