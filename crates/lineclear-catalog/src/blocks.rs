//! Sorted blocks of text, found by name without reading the rest.

/// A text of blocks: each begins with its name on a line of its own, and an empty line stands between two of them. The blocks are
/// sorted by name; before the first stands a head that ends with an empty line, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    text: &'static str,
    /// Where the blocks begin.
    starts: &'static [u32],
}

/// The blocks of a constant text. Where they begin is found when this is compiled: looking for a name reads names only.
macro_rules! blocks {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const STARTS: [u32; crate::blocks::count(TEXT)] = crate::blocks::starts(TEXT);
        crate::blocks::Blocks::new(TEXT, &STARTS)
    }};
}
pub(crate) use blocks;

/// How many empty lines are in a text, each of which a block follows.
pub(crate) const fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut count = 0;
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == b'\n' && bytes[at - 1] == b'\n' {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Where the blocks begin, of which there are `COUNT`.
#[expect(clippy::cast_possible_truncation, reason = "a constant text is smaller than 4 GiB")]
pub(crate) const fn starts<const COUNT: usize>(text: &str) -> [u32; COUNT] {
    let bytes = text.as_bytes();
    let mut starts = [0; COUNT];
    let mut found = 0;
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == b'\n' && bytes[at - 1] == b'\n' {
            starts[found] = at as u32 + 1;
            found += 1;
        }
        at += 1;
    }
    starts
}

/// One block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// How many blocks stand before it.
    pub(crate) index: usize,
    pub(crate) name: &'static str,
    /// The lines behind the name.
    pub(crate) body: &'static str,
}

impl Blocks {
    pub(crate) const fn new(text: &'static str, starts: &'static [u32]) -> Self {
        Self { text, starts }
    }

    /// The block called `name`, in whatever case.
    pub(crate) fn find(self, name: &str) -> Option<Block> {
        let found = self.starts.binary_search_by(|&start| {
            let text = self.text.get(start as usize..).unwrap_or_default();
            compare(text.split_once('\n').map_or(text, |(known, _)| known), name)
        });
        self.block(found.ok()?)
    }

    /// All blocks in their order.
    pub(crate) fn all(self) -> impl Iterator<Item = Block> {
        (0..self.count()).filter_map(move |index| self.block(index))
    }

    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        self.starts.len()
    }

    fn block(self, index: usize) -> Option<Block> {
        let start = *self.starts.get(index)? as usize;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |&next| next as usize - 2);
        let (name, body) = self.text.get(start..end)?.split_once('\n')?;
        Some(Block { index, name, body: body.trim_end_matches('\n') })
    }
}

fn compare(known: &str, name: &str) -> std::cmp::Ordering {
    known.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {

    #[test]
    fn every_block_is_found_and_nothing_else() {
        let blocks = blocks!("# head\n# more\n\na/a\n1\n\na/b\n2\n3\n\nc/c\n4\n\nd/d\n5\n");
        let bodies: Vec<_> = blocks.all().map(|block| (block.name, block.body)).collect();
        assert_eq!(bodies, [("a/a", "1"), ("a/b", "2\n3"), ("c/c", "4"), ("d/d", "5")]);
        for (name, body) in bodies {
            assert_eq!(blocks.find(&name.to_ascii_uppercase()).map(|block| block.body), Some(body), "{name}");
        }
        for name in ["", "a", "a/aa", "b/b", "z/z", "# head"] {
            assert!(blocks.find(name).is_none(), "{name}");
        }
    }
}
