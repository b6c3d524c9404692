//! Sorted blocks of text, found by name without reading the rest.

/// A text of blocks: each begins with its name on a line of its own, and an empty line stands between two of them. The blocks are
/// sorted by name; before the first stands a head that ends with an empty line, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    text: &'static str,
}

/// One block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) name: &'static str,
    /// The lines behind the name.
    pub(crate) body: &'static str,
}

impl Blocks {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text }
    }

    /// The block called `name`, in whatever case.
    pub(crate) fn find(self, name: &str) -> Option<Block> {
        let mut low = self.text.find("\n\n")?;
        let mut high = self.text.len();
        // Between `low` and `high` lie whole blocks; `low` is at an empty line.
        while low < high {
            let middle = low + (high - low) / 2;
            // The data is ASCII, which its tests see to; a middle inside of a character would only end the search.
            let Some(start) = self.text.get(..middle)?.rfind("\n\n").filter(|&at| at >= low).or(Some(low)) else {
                break;
            };
            let block = self.block_at(start + 2)?;
            let next = start + 2 + block.name.len() + 1 + block.body.len();
            match compare(name, block.name) {
                std::cmp::Ordering::Equal => return Some(block),
                std::cmp::Ordering::Less => high = start,
                std::cmp::Ordering::Greater => low = next,
            }
        }
        None
    }

    /// All blocks in their order.
    pub(crate) fn all(self) -> impl Iterator<Item = Block> {
        let mut at = self.text.find("\n\n");
        std::iter::from_fn(move || {
            let start = at?;
            let block = self.block_at(start + 2)?;
            at = Some(start + 2 + block.name.len() + 1 + block.body.len());
            Some(block)
        })
    }

    fn block_at(self, start: usize) -> Option<Block> {
        let text = self.text.get(start..).filter(|text| !text.is_empty())?;
        let end = text.find("\n\n").unwrap_or_else(|| text.trim_end_matches('\n').len());
        let (name, body) = text.get(..end)?.split_once('\n')?;
        Some(Block { name, body })
    }
}

fn compare(name: &str, known: &str) -> std::cmp::Ordering {
    name.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(known.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_found_and_nothing_else() {
        let blocks = Blocks::new("# head\n# more\n\na/a\n1\n\na/b\n2\n3\n\nc/c\n4\n\nd/d\n5\n");
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
