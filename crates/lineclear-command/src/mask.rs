//! Masks: secrets, in clear and in their usual encodings, become `***`.
//!
//! # Source
//! The encodings are those of `ValueEncoders` in `actions/runner`; base64 goes further, so that a secret is also found in the
//! middle of a longer encoded text, at any of the three alignments.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use zeroize::Zeroize;

use crate::encoding;

const MASK: &str = "***";

/// Hides secrets, in clear and in their usual encodings, as `***`. Overlapping and touching hits become one `***`.
#[derive(Clone, Default)]
pub struct Masker {
    finder: Option<Arc<AhoCorasick>>,
    longest: usize,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker(***)")
    }
}

impl Masker {
    /// A masker that hides every pattern given; [`SharedMasker::add`] makes the patterns of a secret.
    fn new(patterns: &BTreeSet<Pattern>) -> Self {
        let longest = patterns.iter().map(|pattern| pattern.0.len()).max().unwrap_or(0);
        if longest == 0 {
            return Self::default();
        }
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Both)
            .build(patterns.iter().map(|pattern| pattern.0.as_bytes()))
            // It can only fail beyond 2^31 states: two gigabytes of secrets, which no store of secrets holds.
            .ok()
            .map(Arc::new);
        Self { finder, longest }
    }

    /// Length in bytes of the longest text that is hidden: so much must be held back where text is cut.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// `text` with every secret in it replaced.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Vec::new();
        if !self.mask_into(text.as_bytes(), &mut out) {
            return Cow::Borrowed(text);
        }
        // Patterns are whole characters, so what is left between them is whole as well.
        Cow::Owned(
            String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// Appends `text`, masked, to `out` and answers true; where nothing is to be hidden, answers false and appends nothing.
    pub fn mask_into(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(mut hit) = self.next_hit(text, 0) else { return false };
        out.reserve(text.len());
        let mut done = 0;
        loop {
            out.extend_from_slice(&text[done..hit.0]);
            out.extend_from_slice(MASK.as_bytes());
            done = hit.1;
            match self.next_hit(text, done) {
                Some(next) => hit = next,
                None => break,
            }
        }
        out.extend_from_slice(&text[done..]);
        true
    }

    /// How much of `text`, the front of a longer text still to come, can be masked now without cutting through a secret.
    pub fn safe_cut(&self, text: &[u8]) -> usize {
        let mut cut = text.len().saturating_sub(self.longest.saturating_sub(1));
        let mut from = 0;
        while let Some((start, end)) = self.next_hit(text, from) {
            if start >= cut {
                break;
            }
            if end > cut {
                cut = start;
                break;
            }
            from = end;
        }
        cut
    }

    /// The next stretch to hide at or after `from`: the leftmost secret and all that overlap or touch it.
    fn next_hit(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let finder = self.finder.as_ref()?;
        let first = finder.find(Input::new(text).range(from..))?;
        let mut end = first.end();
        let mut at = first.start() + 1;
        while at <= end && at < text.len() {
            if let Some(more) = finder.find(Input::new(text).range(at..).anchored(Anchored::Yes)) {
                end = end.max(more.end());
            }
            at += 1;
        }
        Some((first.start(), end))
    }
}

/// One text to hide; wiped from memory when it is dropped.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pattern(String);

impl Drop for Pattern {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Default)]
struct Known {
    patterns: BTreeSet<Pattern>,
    built: Masker,
    built_for: u64,
}

/// The masker of one job: every part that prints reads it, `add-mask` writes it. Clones share what they know.
#[derive(Clone, Default)]
pub struct SharedMasker {
    known: Arc<Mutex<Known>>,
    /// Counts changes, so that a reader notices without the lock that it has the newest form.
    generation: Arc<AtomicU64>,
}

impl std::fmt::Debug for SharedMasker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedMasker(***)")
    }
}

impl SharedMasker {
    /// Hides `secret` from now on: the whole, each of its lines, and their encodings. Empty values are ignored.
    pub fn add(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.patterns.len();
        let lines = secret.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
        for value in std::iter::once(secret).chain(lines) {
            known.patterns.extend(encoding::all(value).into_iter().filter(|text| !text.is_empty()).map(Pattern));
        }
        if known.patterns.len() != before {
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    /// Counts the changes: a [`Masker`] taken at this generation is the newest.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The masker as it is now. Cheap unless something was added since the last call.
    pub fn current(&self) -> Masker {
        let generation = self.generation();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.built_for != generation {
            known.built = Masker::new(&known.patterns);
            known.built_for = generation;
        }
        known.built.clone()
    }

    /// `text` with every secret in it replaced.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.current().mask(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masker(secrets: &[&str]) -> Masker {
        let shared = SharedMasker::default();
        secrets.iter().for_each(|secret| shared.add(secret));
        shared.current()
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        assert_eq!(masker(&["hunter2"]).mask("a hunter2 b hunter2"), "a *** b ***");
        assert_eq!(masker(&[""]).mask("nothing to hide"), "nothing to hide");
    }

    #[test]
    fn trap_25_adjacent_and_overlapping_secrets_print_one_mask() {
        let masker = masker(&["abcd", "cdef", "ghi"]);
        assert_eq!(masker.mask("x abcdefghi y"), "x *** y");
        assert_eq!(masker.mask("abcdghi"), "***");
        assert_eq!(masker.mask("abcd ghi"), "*** ***");
    }

    #[test]
    fn trap_24_each_line_of_a_multi_line_secret_is_hidden() {
        let masker = masker(&["-----BEGIN KEY-----\n  MIIEow\r\n-----END KEY-----\n"]);
        assert_eq!(masker.mask("key: MIIEow"), "key: ***");
        assert_eq!(masker.mask("-----BEGIN KEY-----"), "***");
        assert_eq!(masker.mask("a\\nb"), "a\\nb");
    }

    #[test]
    fn trap_24_encodings_of_a_secret_are_hidden() {
        let secret = r#"pa"ss'w&rd <x>/7"#;
        let masker = masker(&[secret]);
        for encoded in [
            r#"pa\"ss'w&rd <x>/7"#,
            r#"pa"ss''w&rd <x>/7"#,
            "pa%22ss%27w%26rd%20%3Cx%3E%2F7",
            "pa%22ss'w%26rd%20%3Cx%3E%2F7",
            "pa&quot;ss&apos;w&amp;rd &lt;x&gt;/7",
            "cGEic3MndyZyZCA8eD4vNw==",
        ] {
            assert_eq!(masker.mask(encoded), "***", "{encoded}");
        }
    }

    #[test]
    fn base64_of_a_longer_text_that_holds_the_secret_is_hidden_at_every_alignment() {
        let masker = masker(&["correct-horse-battery"]);
        for user in ["", "x", "xy", "xyz", "x-access-token:"] {
            let whole = encoding::base64(format!("{user}correct-horse-battery\n").as_bytes());
            let shown = masker.mask(&whole).into_owned();
            assert!(shown.contains("***"), "{whole} is shown as {shown}");
            // What stays around the mask is the other text's and at most a border character of the secret.
            assert!(shown.len() < whole.len() - 20, "{whole} is shown as {shown}");
        }
    }

    #[test]
    fn a_cut_never_goes_through_a_secret() {
        let masker = masker(&["secret-one"]);
        assert!(masker.safe_cut(b"0123456789secret-o") <= 10);
        let text = b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaasecret-oneb";
        let cut = masker.safe_cut(text);
        assert!(cut <= 50, "{cut}");
    }

    proptest! {
        #[test]
        fn no_secret_survives_in_clear(secret in "[a-z0-9+/=&\"' \\n-]{1,24}", before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
            let shown = masker(&[&secret]).mask(&format!("{before}{secret}{after}")).into_owned();
            prop_assert!(secret.trim() == "" && secret.contains('\n') || !shown.contains(&secret) || "***".contains(&secret));
        }
    }
}
