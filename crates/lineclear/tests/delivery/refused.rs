//! Tags that others have set, and refusals that are not the gate's: the ledger has them all.

use lineclear_event::CheckConclusion::Success;
use lineclear_event::{MovePhase, Statement};
use lineclear_testkit::images::{registry, registry_with_login};

use crate::house::{House, remote, set_without_lineclear, short};

#[test]
fn a_tag_that_was_set_without_lineclear_stays_until_a_person_takes_it_by_name() {
    let registry = registry();
    let house = House::new("take", &format!("{}/octo/app", registry.address()));
    let before = set_without_lineclear(registry.address(), "latest");
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    let latest = || remote(registry.address(), "latest", None);
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("not known to this ledger") && said.stdout.contains("--take` moves it"),
        "{}",
        said.stdout
    );
    assert_eq!(latest(), Some(before.clone()));
    assert_eq!(remote(registry.address(), &format!("sha-{}", short(&commit)), None), Some(digest.clone()));

    let foreseen = house.say(&["publish", "--take", "--dry-run"]);
    assert!(foreseen.stdout.contains("taken by"), "{}", foreseen.stdout);
    assert_eq!(latest(), Some(before.clone()));
    let taken = house.say(&["publish", "--take"]);
    assert_eq!(taken.exit, 0, "{}{}", taken.stdout, taken.stderr);
    assert_eq!(latest(), Some(digest.clone()));
    let name = house.git("git config user.name");
    let index = house.ledger().index().expect("it is whole");
    let tags = index.entries().iter().filter_map(|entry| match &entry.evidence.statement {
        Statement::Move(moved) if moved.phase == MovePhase::Done => Some(&moved.tags),
        _ => None,
    });
    let takers: Vec<&str> = tags.flatten().filter_map(|tag| tag.taken.as_deref()).collect();
    assert!(takers.len() == 1 && takers[0].starts_with(&name), "{takers:?}");

    // From here on it moves along the commits, whoever asks for what.
    let newer = house.commit("two");
    let new = house.ran(&newer, b"two", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let back = house.say(&["publish", "app", "--commit", &commit, "--take"]);
    assert_eq!(back.exit, 0, "{}{}", back.stdout, back.stderr);
    assert_eq!(latest(), Some(new), "what the ledger knows is not taken");
}

#[test]
fn what_a_tags_rule_or_the_registry_refuses_is_in_the_ledger_like_any_other_refusal() {
    let registry = registry_with_login();
    let house = House::new("refusals", &format!("{}/octo/app", registry.address()));
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 1, "nobody is logged in");
    let refused = |digest| {
        house.has(digest, |statement| matches!(statement, Statement::Move(moved) if moved.phase == MovePhase::Refused && !moved.reason.is_empty()))
    };
    assert_eq!(refused(&digest), 1);
    let shown = house.say(&["ledger", "show", digest.as_str()]).stdout;
    assert!(shown.contains("refused: sha-") && shown.contains("cannot log in to the registry"), "{shown}");
    let summary = house.say(&["ledger", "show", "--summary"]);
    assert_eq!(summary.exit, 0, "a refusal is no move without a gate: {}", summary.stdout);
    assert!(summary.stdout.contains("0 done, 0 undone, 1 refused, 0 open"), "{}", summary.stdout);

    // An immutable tag, in the embedded registry.
    let policy =
        house.repository.read("lineclear.toml").replace(&format!("{}/octo", registry.address()), "ghcr.io/octo");
    house.repository.write("lineclear.toml", &policy);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let other = house.ran(&commit, b"built again", Success);
    assert_eq!(house.say(&["publish", "app", "--digest", other.as_str()]).exit, 1);
    assert_eq!(refused(&other), 1);
    assert_eq!(house.embedded("latest"), Some(digest));
    let resumed = house.say(&["publish", "--resume"]);
    assert!(resumed.stdout.contains("no move was interrupted"), "{}", resumed.stdout);
}
