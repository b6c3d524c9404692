//! Files that are not as they were written: each is noticed, named, and left alone.

use lineclear_secrets::{Scope, SecretsError};
use proptest::prelude::*;

use crate::{Bench, environment, set};

fn three() -> Bench {
    let bench = Bench::new();
    let store = bench.store();
    set(&store, Scope::Machine, "A", "first value", 1).expect("set");
    set(&store, environment("staging"), "A", "second value", 1).expect("set");
    set(&store, environment("production"), "A", "third value", 1).expect("set");
    bench
}

fn refused(bench: &Bench) -> SecretsError {
    let before = bench.bytes();
    let error = bench.store().read().expect_err("it is not what was written");
    set(&bench.store(), Scope::Machine, "NEW", "x", 2).expect_err("nothing is written over it");
    assert_eq!(bench.bytes(), before, "nothing is lost");
    error
}

#[test]
fn every_flipped_bit_of_a_small_file_is_found() {
    let bench = Bench::new();
    set(&bench.store(), Scope::Machine, "A", "value", 1).expect("set");
    let whole = bench.bytes();
    for at in 0..whole.len() {
        for bit in [0, 1, 4, 5, 7] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            bench.put(&bytes);
            assert!(bench.store().read().is_err(), "byte {at}, bit {bit}");
        }
    }
    bench.put(&whole);
    assert!(bench.store().read().is_ok());
}

#[test]
fn every_shorter_file_is_found() {
    let bench = three();
    let whole = bench.bytes();
    for length in 0..whole.len() {
        bench.put(&whole[..length]);
        assert!(bench.store().read().is_err(), "{length} of {} bytes", whole.len());
    }
    bench.put(&whole[..whole.len() - 40]);
    let error = refused(&bench);
    assert!(error.is_damage() && error.to_string().contains("cut off"), "{error}");
    bench.put(b"");
    assert!(refused(&bench).to_string().contains("cut off"));
}

#[test]
fn records_that_change_places_go_or_come_back_are_found() {
    let bench = three();
    let text = bench.text();
    let lines: Vec<&str> = text.lines().collect();
    let put = |lines: &[&str]| bench.put(lines.join("\n") + "\n");
    let seal_does_not_fit = || {
        let error = refused(&bench).to_string();
        assert!(error.contains("seal does not fit"), "{error}");
    };
    put(&[lines[0], lines[1], lines[3], lines[2], lines[4], lines[5]]);
    seal_does_not_fit();
    put(&[lines[0], lines[1], lines[2], lines[4], lines[5]]);
    seal_does_not_fit();
    put(&[lines[0], lines[1], lines[2], lines[3], lines[4], lines[4], lines[5]]);
    seal_does_not_fit();
    let staging = lines[3].replace("staging", "Staging");
    put(&[lines[0], lines[1], lines[2], &staging, lines[4], lines[5]]);
    seal_does_not_fit();
    // The value of production's record in staging's line: what stays is the old seal, and the old value comes back.
    put(&lines);
    set(&bench.store(), Scope::Machine, "A", "changed", 2).expect("set");
    let newer = bench.text();
    let newer: Vec<&str> = newer.lines().collect();
    put(&[newer[0], newer[1], lines[2], newer[3], newer[4], newer[5]]);
    seal_does_not_fit();
}

#[test]
fn other_files_say_what_they_are() {
    let bench = three();
    let text = bench.text();
    bench.put("TOKEN=plain\n");
    assert!(matches!(refused(&bench), SecretsError::NotAStore { .. }));
    bench.put([0xff, 0xfe, 0]);
    assert!(matches!(refused(&bench), SecretsError::NotAStore { .. }));
    bench.put(text.replacen("lineclear-secrets 1", "lineclear-secrets 2", 1));
    assert_eq!(
        refused(&bench).to_string().split_once("store` ").map(|(_, rest)| rest.to_owned()).as_deref(),
        Some("has version 2 of the format, this program knows 1: use the newer Lineclear that wrote it")
    );
    bench.put(text.replacen("lineclear-secrets 1", "lineclear-secrets 01", 1));
    assert!(matches!(refused(&bench), SecretsError::Damaged { .. }));
    bench.put(text.replacen("{\"id\"", "<<<<<<< ours\n{\"id\"", 1));
    assert!(matches!(refused(&bench), SecretsError::MergeConflict { .. }));
    let hostile = "{\"how\":{\"passphrase\":{\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"memory_kib\":4294967295,\"passes\":9,\"lanes\":1}},\"check\":\"\"}";
    bench.put(format!("lineclear-secrets 1\n{hostile}\nseal AAAA\n"));
    assert!(matches!(refused(&bench), SecretsError::UnreasonableCost { .. }));
}

#[test]
fn a_store_of_endless_size_is_not_read() {
    let bench = three();
    let file = std::fs::OpenOptions::new().write(true).open(bench.path("secrets/store")).expect("opened");
    file.set_len(1 << 30).expect("a file with a hole");
    assert!(matches!(bench.store().read(), Err(SecretsError::FileTooLarge { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Law: any file that differs in any byte is refused, and no bytes make it panic.
    #[test]
    fn any_other_bytes_are_refused(
        at in any::<prop::sample::Index>(),
        new in proptest::collection::vec(any::<u8>(), 0..8),
        removed in 0_usize..8,
    ) {
        let bench = Bench::new();
        set(&bench.store(), environment("e"), "A", "value", 1).expect("set");
        let whole = bench.bytes();
        let at = at.index(whole.len());
        let end = (at + removed).min(whole.len());
        let bytes = [&whole[..at], &new, &whole[end..]].concat();
        prop_assume!(bytes != whole);
        bench.put(&bytes);
        prop_assert!(bench.store().read().is_err());
    }
}
