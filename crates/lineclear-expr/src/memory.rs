//! How much memory an expression may take, counted as the runner counts it.

/// What one expression may take by itself, in bytes.
pub const EXPRESSION_BYTES: usize = 1024 * 1024;

/// What the values of a template, and each expression in it, may take, in bytes.
pub const TEMPLATE_BYTES: usize = 10 * 1024 * 1024;

/// Counts the bytes of the values that are alive at each level of the tree.
///
/// A value that is made of others lets those below it go; one that is taken out of data keeps them.
///
/// # Source
/// `EvaluationMemory.cs` and `MemoryCounter.cs` of the runner.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    total: usize,
    levels: Vec<usize>,
}

impl Memory {
    /// What a value other than a text counts for.
    pub(crate) const OBJECT: usize = 24;

    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, total: 0, levels: Vec::new() }
    }

    /// What a text counts for: its UTF-16 units and what stands around them.
    pub(crate) fn of_text(text: &str) -> usize {
        let units = if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() };
        26 + 2 * units
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Adds a value at `level`, after letting go of those below it if `trim`. False once there is too much.
    pub(crate) fn add(&mut self, level: usize, bytes: usize, trim: bool) -> bool {
        if trim && self.levels.len() > level + 1 {
            for gone in self.levels.drain(level + 1..) {
                self.total -= gone;
            }
        }
        if self.levels.len() <= level {
            self.levels.resize(level + 1, 0);
        }
        self.levels[level] += bytes;
        self.total += bytes;
        self.total <= self.limit
    }
}
