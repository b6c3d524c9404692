//! Where the master key comes from, and how it is changed.

use std::os::unix::fs::PermissionsExt;

use lineclear_secrets::{KeyKind, KeySources, NewKey, Scope, SecretStore, SecretText, SecretsError};

use crate::{Bench, set, shown};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn text(text: &str) -> Option<SecretText> {
    Some(SecretText::new(text.to_owned()))
}

fn with_key(bench: &Bench, key: &str) -> SecretStore {
    SecretStore::new(bench.path("secrets/store"), KeySources { key: text(key), ..bench.sources() })
}

fn with_passphrase(bench: &Bench, passphrase: &str) -> SecretStore {
    SecretStore::new(bench.path("secrets/store"), KeySources { passphrase: text(passphrase), ..bench.sources() })
}

#[test]
fn a_key_of_the_environment_counts_instead_of_the_key_file() {
    let bench = Bench::new();
    set(&with_key(&bench, KEY), Scope::Machine, "A", "one", 1).expect("set");
    assert!(!bench.path("keys/key").exists());
    assert_eq!(shown(&with_key(&bench, &format!(" {KEY}\n")).read().expect("read")), ["A=one"]);
    let error = with_key(&bench, OTHER_KEY).read().expect_err("another key");
    assert!(matches!(&error, SecretsError::WrongKey { from, .. } if from == "LINECLEAR_SECRETS_KEY"), "{error}");
    assert!(!error.is_damage());
    let error = bench.store().read().expect_err("no key");
    assert!(matches!(error, SecretsError::NoKey { .. }), "{error}");
    assert!(!bench.path("keys/key").exists(), "no key is made for a store that has another");
    for wrong in ["", "AAEC", "not base64!", &KEY[..40]] {
        let error = with_key(&bench, wrong).read().expect_err("no key");
        assert!(matches!(error, SecretsError::MalformedKey { .. }), "{error}");
        assert!(wrong.is_empty() || !error.to_string().contains(wrong), "a key is not shown: {error}");
    }
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let bench = Bench::new();
    set(&with_passphrase(&bench, "correct horse"), Scope::Machine, "A", "one", 1).expect("set");
    assert_eq!(bench.store().key_kind().expect("readable"), Some(KeyKind::Passphrase));
    assert_eq!(shown(&with_passphrase(&bench, "correct horse").read().expect("read")), ["A=one"]);
    let error = with_passphrase(&bench, "correct horsf").read().expect_err("another passphrase");
    assert!(matches!(error, SecretsError::WrongKey { .. }), "{error}");
    assert!(matches!(bench.store().read(), Err(SecretsError::NoPassphrase { .. })));
    let short = Bench::new();
    let error = set(&with_passphrase(&short, "short"), Scope::Machine, "A", "one", 1).expect_err("too short");
    assert!(matches!(error, SecretsError::ShortPassphrase { .. }), "{error}");
    assert!(!short.path("secrets/store").exists());
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_advice() {
    let bench = Bench::new();
    let store = bench.store();
    set(&store, Scope::Machine, "A", "one", 1).expect("set");
    let key = bench.path("keys/key");
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).expect("set");
        let error = store.read().expect_err("others can read it");
        assert!(matches!(error, SecretsError::ExposedKeyFile { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600") && error.to_string().contains("rekey"), "{error}");
    }
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400)).expect("set");
    assert_eq!(shown(&store.read().expect("read")), ["A=one"]);
    // A link could lead to a file of somebody else.
    std::fs::rename(&key, bench.path("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(bench.path("elsewhere"), &key).expect("a link");
    assert!(matches!(store.read(), Err(SecretsError::Io { .. })));
    std::fs::remove_file(&key).expect("removed");
    assert!(matches!(store.read(), Err(SecretsError::NoKey { .. })));
    std::fs::write(&key, "something else\n").expect("written");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("set");
    assert!(matches!(store.read(), Err(SecretsError::MalformedKey { .. })));
}

#[test]
fn a_new_key_encrypts_everything_anew_and_the_old_ones_open_what_is_older() {
    let bench = Bench::new();
    let store = bench.store();
    let second = SecretStore::new(bench.path("secrets/second"), bench.sources());
    set(&store, Scope::Machine, "A", "one", 1).expect("set");
    set(&second, Scope::Machine, "B", "two", 1).expect("set");
    let backup = bench.text();
    assert_eq!(store.rekey(&NewKey::KeyFile).expect("rekeyed"), 1);
    let after = bench.text();
    let shared = backup.lines().filter(|line| after.lines().any(|other| other == *line)).count();
    assert_eq!(shared, 1, "only the first line stays");
    assert_eq!(shown(&store.read().expect("read")), ["A=one"]);
    assert_eq!(shown(&second.read().expect("the older key is still in the key file")), ["B=two"]);
    bench.put(&backup);
    assert_eq!(shown(&store.read().expect("a backup opens")), ["A=one"]);
}

#[test]
fn a_store_moves_from_a_key_to_a_passphrase_and_on() {
    let bench = Bench::new();
    set(&bench.store(), Scope::Machine, "A", "one", 1).expect("set");
    let passphrase = SecretText::new("correct horse".into());
    bench.store().rekey(&NewKey::Passphrase(passphrase)).expect("rekeyed");
    assert!(matches!(bench.store().read(), Err(SecretsError::NoPassphrase { .. })));
    let store = with_passphrase(&bench, "correct horse");
    assert_eq!(shown(&store.read().expect("read")), ["A=one"]);
    let before = bench.bytes();
    assert!(store.rekey(&NewKey::Key(SecretText::new("nonsense".into()))).is_err());
    assert!(store.rekey(&NewKey::Passphrase(SecretText::new("short".into()))).is_err());
    assert_eq!(bench.bytes(), before);
    store.rekey(&NewKey::Key(SecretText::new(KEY.into()))).expect("rekeyed");
    assert_eq!(shown(&with_key(&bench, KEY).read().expect("read")), ["A=one"]);
    assert_eq!(Bench::new().store().rekey(&NewKey::KeyFile).expect("nothing to do"), 0);
}

/// The key file may stand beside the store: the lock of their folder is taken once.
#[test]
fn a_store_may_be_beside_its_key() {
    let bench = Bench::new();
    let sources = KeySources { key_file: bench.path("secrets/key"), ..bench.sources() };
    let store = SecretStore::new(bench.path("secrets/store"), sources);
    set(&store, Scope::Machine, "A", "one", 1).expect("set");
    store.rekey(&NewKey::KeyFile).expect("rekeyed");
    assert_eq!(shown(&store.read().expect("read")), ["A=one"]);
}
