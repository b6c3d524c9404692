//! How much a file may ask for.

/// Beyond these a file is refused with a diagnostic that names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the text in bytes.
    pub bytes: usize,
    /// Collections inside each other, counted with every alias followed. A reader of the tree may therefore recurse.
    pub depth: usize,
    /// Nodes counted with every alias followed.
    pub nodes: usize,
}

impl Limits {
    /// What GitHub grants a workflow or action file: 1 MiB, 50 levels, 1 000 000 nodes.
    ///
    /// # Source
    /// `ParseOptions` and `TemplateMemory` of GitHub's workflow parser. Its size counts UTF-16 units; bytes are never fewer.
    pub const fn workflow() -> Self {
        Self { bytes: 1024 * 1024, depth: 50, nodes: 1_000_000 }
    }
}

impl Default for Limits {
    /// Those of [`Limits::workflow`].
    fn default() -> Self {
        Self::workflow()
    }
}
