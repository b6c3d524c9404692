//! Laws over generated archives.

use std::io::Cursor;

use proptest::prelude::*;

use super::fixture::{Entry, Scratch, archive, end, entry};
use crate::zip::{Packer, UnpackLimits};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// unpack ∘ pack = id.
    #[test]
    fn what_is_packed_comes_back(
        files in proptest::collection::btree_map("[a-c]{1,2}(/[a-c]{1,2}){0,2}", proptest::collection::vec(any::<u8>(), 0..300), 0..8),
        deflate in any::<bool>(),
    ) {
        // Names of one length of path cannot be file and folder at once.
        let files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|(name, content)| (format!("{}{name}", name.matches('/').count()), content)).collect();
        let bytes = if deflate {
            archive(&files.iter().map(|(name, content)| entry(name, content)).collect::<Vec<_>>())
        } else {
            let mut packer = Packer::new(Cursor::new(Vec::new()));
            for (name, content) in &files {
                packer.file(name, content.len() as u64, &mut content.as_slice()).expect("memory can be written to");
            }
            packer.finish().expect("memory can be written to").0.into_inner()
        };
        let scratch = Scratch::new();
        scratch.unpack(&bytes, &UnpackLimits::default()).expect("it is unpacked");
        let mut expected = files;
        expected.sort();
        prop_assert_eq!(scratch.files(), expected);
    }

    /// Whatever is changed: no panic, nothing outside, and what is written is what was packed.
    #[test]
    fn a_changed_archive_writes_nothing_that_was_not_packed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let text = b"text that can be packed, text that can be packed".to_vec();
        let stored = Entry { method: 0, ..entry("b/c", b"stored") };
        let mut bytes = archive(&[entry("a", &text), stored, Entry { descriptor: true, ..entry("d", &text) }]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        let scratch = Scratch::new();
        let limits = UnpackLimits { bytes: 1 << 20, ..UnpackLimits::default() };
        let outcome = scratch.unpack(&bytes, &limits);
        for (name, content) in scratch.files() {
            // Names and their checksums may have been changed together only by more luck than a test has.
            prop_assert!(content.is_empty() || content == text || content == b"stored", "{name}: {outcome:?}");
        }
    }

    #[test]
    fn noise_is_never_an_archive_and_never_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let scratch = Scratch::new();
        let _refused = scratch.unpack(&bytes, &UnpackLimits::default());
        end(&mut bytes, b"PK\x01\x02", 1);
        let _refused = scratch.unpack(&bytes, &UnpackLimits::default());
        prop_assert!(scratch.files().is_empty());
    }
}
