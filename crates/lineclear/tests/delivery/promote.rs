//! `lineclear promote`.

use lineclear_event::CheckConclusion::{Failure, Success};
use lineclear_testkit::images::registry;

use crate::house::{House, remote, short};

// S2-31, S3-14, S3-16
#[test]
fn a_promotion_is_a_new_name_for_the_digest_that_was_published() {
    let registry = registry();
    let house = House::new("promote", &format!("{}/octo/app", registry.address()));
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let (exit, promoted) = house.json(&["promote", "app", "production", "--from", "latest"]);
    assert_eq!((exit, &promoted["images"][0]["outcome"]), (0, &"moved".into()), "{promoted}");
    assert_eq!(remote(registry.address(), &format!("prod-{}", short(&commit)), None), Some(digest.clone()));
    let (_, known) = house.json(&["images", digest.as_str()]);
    assert_eq!(known["images"][0]["targets"][0], "production", "{known}");
    // Tags of one's own, in place of the policy's.
    assert_eq!(house.say(&["promote", "app", "production", "--tag", "v2.0.0"]).exit, 0);
    assert_eq!(remote(registry.address(), "v2.0.0", None), Some(digest));
}

// S3-17, S4-33, S1-62
#[test]
fn what_has_failed_since_is_not_promoted() {
    let registry = registry();
    let house = House::new("not-promoted", &format!("{}/octo/app", registry.address()));
    let commit = house.commit("one");
    house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    house.checked(&commit, Failure);
    let said = house.say(&["promote", "app", "production"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("CI / test"), "{}", said.stdout);
    assert_eq!(remote(registry.address(), &format!("prod-{}", short(&commit)), None), None);
}

// S3-20
#[test]
fn a_merge_commit_stands_for_what_was_tested_and_says_so() {
    let house = House::new("merge", "ghcr.io/octo/app");
    house.commit("base");
    house.repository.sh("git branch prod");
    let tested = house.commit("feature");
    let digest = house.ran(&tested, b"feature", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    // Nothing else on the other branch: the merge has the contents of what was tested.
    house.repository.sh("git switch -q prod && git merge -q --no-ff -m merge main");
    let same = house.say(&["promote", "app", "production"]);
    assert_eq!(same.exit, 0, "{}{}", same.stdout, same.stderr);
    assert!(same.stdout.contains(&format!("has the same contents as {}", short(&tested))), "{}", same.stdout);
    assert_eq!(house.embedded(&format!("prod-{}", short(&tested))), Some(digest.clone()));
    // With something of its own there, the merge has other contents; what it merged was tested.
    house.repository.sh("git reset -q --hard HEAD^ && echo x > only-here && git add -A && git commit -qm own");
    house.repository.sh("git merge -q --no-ff -m merge main");
    let merged = house.say(&["promote", "app", "production", "--tag", "prod"]);
    assert_eq!(merged.exit, 0, "{}{}", merged.stdout, merged.stderr);
    assert!(merged.stdout.contains(&format!("merged {}, which was tested", short(&tested))), "{}", merged.stdout);
    assert_eq!(house.embedded("prod"), Some(digest));
}
