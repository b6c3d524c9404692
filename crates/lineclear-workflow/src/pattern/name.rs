//! Names with their first and last bytes at hand.

/// Names to be tried against many filters: changed paths, prepared once.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    list: Vec<Name<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// The first eight bytes, padded with zeros.
    pub(super) head: u64,
    /// The last eight bytes, padded in front.
    pub(super) tail: u64,
    pub(super) text: &'a str,
}

impl<'a> FromIterator<&'a str> for Names<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        Self { list: names.into_iter().map(Name::of).collect() }
    }
}

impl<'a> Name<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { head: head_word(text), tail: tail_word(text), text }
    }
}

impl<'a> Names<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Name<'a>> {
        self.list.iter()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn head_word(text: &str) -> u64 {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[..length].copy_from_slice(&text.as_bytes()[..length]);
    u64::from_le_bytes(word)
}

fn tail_word(text: &str) -> u64 {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[8 - length..].copy_from_slice(&text.as_bytes()[text.len() - length..]);
    u64::from_le_bytes(word)
}

/// Whether a word agrees with the bytes that are known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordTest {
    mask: u64,
    value: u64,
}

impl WordTest {
    /// For names that begin with `text`.
    pub(super) fn head(text: &str) -> Self {
        let known = text.len().min(8) as u32;
        Self { mask: u64::MAX.checked_shr(64 - known * 8).unwrap_or(0), value: head_word(text) }
    }

    /// For names that end with `text`.
    pub(super) fn tail(text: &str) -> Self {
        let known = text.len().min(8) as u32;
        Self { mask: u64::MAX.checked_shl(64 - known * 8).unwrap_or(0), value: tail_word(text) }
    }

    pub(super) fn holds(self, word: u64) -> bool {
        word & self.mask == self.value
    }
}
