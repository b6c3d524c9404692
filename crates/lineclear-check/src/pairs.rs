//! Tells quickly that a text cannot hold a word: most questions that rules ask of a script end here.

use memchr::memmem;

/// The pairs of neighbouring bytes of a text, a bit for each. Bytes that differ only in their two highest bits share one.
#[derive(Debug)]
pub(crate) struct Pairs([u64; 64]);

impl Pairs {
    /// Of this text, in one pass.
    pub(crate) fn of(text: &str) -> Self {
        let mut rows = [0; 64];
        for (&one, &next) in text.as_bytes().iter().zip(text.as_bytes().iter().skip(1)) {
            rows[usize::from(one & 63)] |= 1 << (next & 63);
        }
        Self(rows)
    }

    /// Whether a text with these pairs may hold `word`. A word of one letter may always be there.
    fn may_hold(&self, word: &str) -> bool {
        let bytes = word.as_bytes();
        bytes
            .iter()
            .zip(bytes.iter().skip(1))
            .all(|(&one, &next)| self.0[usize::from(one & 63)] & (1 << (next & 63)) != 0)
    }

    /// Whether `text`, which these pairs are of, holds any of `words`.
    pub(crate) fn any_in(&self, text: &str, words: &[&str]) -> bool {
        words.iter().any(|word| self.may_hold(word) && memmem::find(text.as_bytes(), word.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_exactly_where_it_is() {
        for text in ["", "a", "curl -k https://example.org", "größe | tee", "p\u{30}0"] {
            for word in ["a", "|", "curl", "url ", "größe", "http", "0p", "p0", "tee"] {
                assert_eq!(Pairs::of(text).any_in(text, &[word]), text.contains(word), "{word} in {text}");
            }
        }
    }
}
