//! What is set is there again, in its scope, and nowhere in the file.

use lineclear_secrets::{Contents, Kind, LARGEST_VALUE, LastUses, Place, Scope, SecretText, SecretsError};
use proptest::prelude::*;

use crate::{Bench, environment, name, repository, set, shown};

#[test]
fn a_store_that_is_not_there_is_empty_and_reading_makes_nothing() {
    let bench = Bench::new();
    assert!(bench.store().read().expect("read").entries().is_empty());
    assert_eq!(bench.store().key_kind().expect("read"), None);
    assert!(!bench.path("secrets").exists() && !bench.path("keys").exists());
}

#[test]
fn a_value_has_its_times_and_revision_and_its_new_value_replaces_the_old() {
    let bench = Bench::new();
    let store = bench.store();
    assert!(set(&store, Scope::Machine, "token", "one", 1_000).expect("set"));
    assert!(!set(&store, Scope::Machine, "TOKEN", "two", 2_000).expect("set"));
    let contents = store.read().expect("read");
    let [entry] = contents.entries() else { panic!("one record, not {:?}", shown(&contents)) };
    let facts = (entry.name().as_str(), entry.value().expose(), entry.revision(), entry.created(), entry.updated());
    assert_eq!(facts, ("TOKEN", "two", 2, 1_000, 2_000));
    assert!(
        store.change(|contents| Ok(contents.remove(Kind::Secret, &Scope::Machine, &name("TOKEN")))).expect("removed")
    );
    assert!(store.read().expect("read").entries().is_empty());
}

#[test]
fn the_nearest_scope_wins_and_variables_are_apart_from_secrets() {
    let bench = Bench::new();
    let store = bench.store();
    let own = repository("octo/app");
    set(&store, Scope::Machine, "A", "machine", 1).expect("set");
    set(&store, Scope::Machine, "B", "machine", 1).expect("set");
    set(&store, environment("staging"), "A", "staging", 1).expect("set");
    set(&store, Scope::Repository(own.clone()), "A", "repository", 1).expect("set");
    set(&store, Scope::Repository(repository("octo/other")), "C", "other", 1).expect("set");
    store
        .change(|contents| contents.set(Kind::Variable, Scope::Machine, name("A"), SecretText::new("open".into()), 1))
        .expect("set");
    let contents = store.read().expect("read");
    let seen = |kind, environment| {
        let seen = contents.seen_from(kind, Place { repository: &own, environment });
        seen.iter().map(|(name, entry)| format!("{name}={}", entry.value().expose())).collect::<Vec<_>>()
    };
    assert_eq!(seen(Kind::Secret, None), ["A=repository", "B=machine"]);
    assert_eq!(seen(Kind::Secret, Some("Staging")), ["A=staging", "B=machine"]);
    assert_eq!(seen(Kind::Secret, Some("production")), ["A=repository", "B=machine"]);
    assert_eq!(seen(Kind::Variable, None), ["A=open"]);
}

#[test]
fn no_value_is_in_a_file_or_in_debug_output() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let store = bench.store();
    set(&store, Scope::Machine, "TOKEN", "open-sesame-1234", 1).expect("set");
    for file in ["secrets/store", "keys/key"] {
        let text = std::fs::read_to_string(bench.path(file)).expect("a file of text");
        assert!(!text.contains("open-sesame") && !text.contains("b3Blbi1zZXNhbW"), "{file}: {text}");
        let mode = std::fs::metadata(bench.path(file)).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let shown = format!("{store:?} {:?}", store.read().expect("read"));
    assert!(!shown.contains("open-sesame") && shown.contains("***"), "{shown}");
}

#[test]
fn what_github_would_not_take_is_not_taken() {
    let bench = Bench::new();
    let store = bench.store();
    assert!(matches!(set(&store, Scope::Machine, "A", "", 1), Err(SecretsError::EmptyValue)));
    let value = "x".repeat(LARGEST_VALUE + 1);
    let error = set(&store, Scope::Machine, "A", &value, 1).expect_err("too large");
    assert!(matches!(error, SecretsError::TooLarge { size: 49_153 }), "{error}");
    assert!(set(&store, Scope::Machine, "A", &value[1..], 1).expect("just fits"));
    assert!(!bench.text().is_empty());
}

/// A store in a repository: its history shows which record changed.
#[test]
fn a_record_keeps_its_line_until_its_value_changes() {
    let bench = Bench::new();
    let store = bench.store();
    for called in ["A", "B", "C"] {
        set(&store, Scope::Machine, called, called, 1).expect("set");
    }
    let before: Vec<String> = bench.text().lines().map(str::to_owned).collect();
    set(&store, Scope::Machine, "B", "new", 2).expect("set");
    let after: Vec<String> = bench.text().lines().map(str::to_owned).collect();
    let changed: Vec<usize> = (0..after.len()).filter(|&at| before[at] != after[at]).collect();
    assert_eq!(changed, [3, 5], "line 4 has B, line 6 the seal");
    store.change(|_| Ok(())).expect("nothing to change");
    assert_eq!(bench.text().lines().collect::<Vec<_>>(), after, "what changes nothing writes nothing");
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let bench = Bench::new();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let store = bench.store();
            threads.spawn(move || {
                for number in 0..10 {
                    set(&store, Scope::Machine, &format!("S{thread}_{number}"), "value", 1).expect("set");
                }
            });
        }
    });
    assert_eq!(bench.store().read().expect("read").entries().len(), 40);
}

#[test]
fn a_change_that_fails_leaves_the_file_as_it_was() {
    let bench = Bench::new();
    let store = bench.store();
    set(&store, Scope::Machine, "A", "one", 1).expect("set");
    let before = bench.bytes();
    let refused: Result<(), _> = store.change(|contents| {
        contents.remove(Kind::Secret, &Scope::Machine, &name("A"));
        Err(SecretsError::EmptyValue)
    });
    assert!(refused.is_err());
    assert_eq!(bench.bytes(), before);
    // The new file cannot be made, as on a full disk: a folder that is not empty stands in its place.
    std::fs::create_dir_all(bench.path("secrets/store.new/x")).expect("a folder");
    let error = set(&store, Scope::Machine, "A", "two", 2).expect_err("not writable");
    assert!(matches!(error, SecretsError::Io { doing: "write", .. }), "{error}");
    assert_eq!(bench.bytes(), before);
    std::fs::remove_dir_all(bench.path("secrets/store.new")).expect("removed");
    // What a crash left behind is in nobody's way.
    std::fs::write(bench.path("secrets/store.new"), "half").expect("written");
    set(&store, Scope::Machine, "A", "two", 2).expect("set");
    assert_eq!(shown(&store.read().expect("read")), ["A=two"]);
    assert!(!bench.path("secrets/store.new").exists());
}

#[test]
fn last_uses_are_kept_beside_and_a_damaged_file_of_them_is_no_fault() {
    let bench = Bench::new();
    let uses = LastUses::new(bench.path("secrets/uses"));
    uses.record(["a", "b"], 5).expect("kept");
    uses.record(["b"], 7).expect("kept");
    uses.record([], 9).expect("nothing to keep");
    assert_eq!(uses.read().into_iter().collect::<Vec<_>>(), [("a".to_owned(), 5), ("b".to_owned(), 7)]);
    std::fs::write(bench.path("secrets/uses"), "{").expect("written");
    assert!(uses.read().is_empty());
    uses.record(["c"], 9).expect("kept");
    assert_eq!(uses.read().len(), 1);
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Machine),
        "[a-z]{1,3}/[a-z.]{1,3}".prop_map(|text| Scope::Repository(repository(&text))),
        ("[a-z]{1,3}/[a-z]{1,3}", "[a-zA-Z0-9äß /-]{1,9}")
            .prop_filter_map("a scope", |(owner, name)| Scope::environment(repository(&owner), &name).ok()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Law: what was set last for a scope and name is what is read, whatever else was set and removed.
    #[test]
    fn what_was_set_is_read(
        steps in proptest::collection::vec((any_scope(), "[A-C]", "\\PC{0,40}|[a-z\n]{0,300}", any::<bool>()), 1..12)
    ) {
        let bench = Bench::new();
        let store = bench.store();
        let mut expected: Vec<(Scope, String, String)> = Vec::new();
        for (scope, called, value, removes) in steps {
            let at = expected.iter().position(|(of, known, _)| *of == scope && *known == called);
            if removes || value.is_empty() {
                let removed = store.change(|contents| Ok(contents.remove(Kind::Secret, &scope, &name(&called))));
                prop_assert_eq!(removed.expect("removed"), at.is_some());
                if let Some(at) = at {
                    expected.remove(at);
                }
            } else {
                let is_new = set(&store, scope.clone(), &called, &value, 1).expect("set");
                prop_assert_eq!(is_new, at.is_none());
                match at {
                    Some(at) => expected[at].2 = value,
                    None => expected.push((scope, called, value)),
                }
            }
            let contents: Contents = store.read().expect("read");
            prop_assert_eq!(contents.entries().len(), expected.len());
            for (scope, called, value) in &expected {
                let entry = contents.get(Kind::Secret, scope, &name(called)).expect("there");
                prop_assert_eq!(entry.value().expose(), value);
            }
        }
    }
}
