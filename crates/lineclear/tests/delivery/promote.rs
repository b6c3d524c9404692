//! `lineclear promote`.

use lineclear_event::CheckConclusion::{Failure, Success};
use lineclear_event::{Finding, ScanStatement, Severity, Statement};
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
    house.repository.sh("git tag v2.0.0");
    assert_eq!(house.say(&["promote", "app", "production", "--tag", "v2.0.0"]).exit, 0);
    assert_eq!(remote(registry.address(), "v2.0.0", None), Some(digest));
}

#[test]
fn a_tag_of_ones_own_names_no_commit_and_no_version_that_is_not_the_images() {
    let house = House::new("claims", "ghcr.io/${owner}/${repository}");
    let older = house.commit("one");
    house.repository.sh("git tag v1.0.0");
    let commit = house.commit("two");
    house.ran(&commit, b"two", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let entries = house.ledger().head().expect("it is whole").entries;
    let refused = |tag: &str, words: &str| {
        let said = house.say(&["promote", "app", "production", "--tag", tag]);
        assert_eq!(said.exit, 2, "{tag}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words), "{tag}: {}", said.stderr);
    };
    let own = format!("it would have to be `sha-{}`", short(&commit));
    refused("sha-1234567", &own);
    refused(&format!("sha-{}", short(&older)), &own);
    refused(short(&older), &format!("it would have to be `{}`", short(&commit)));
    refused(&older, &format!("it would have to be `{commit}`"));
    refused("v1.2.3", &format!("`git tag v1.2.3 {}` makes it one", short(&commit)));
    refused("v1.0.0", &format!("git's tag `v1.0.0` is at {}", short(&older)));
    assert_eq!(house.ledger().head().expect("it is whole").entries, entries, "nothing was asked or begun");

    house.repository.sh("git tag v2.1.0");
    refused("v1.2.3", "it would have to be `v2.1.0`");
    let own = format!("sha-{}", short(&commit));
    for tag in
        ["v2.1.0", "2.1.0", "2.1", own.as_str(), commit.as_str(), "${version}-${short-sha}", "20260131", "stable"]
    {
        let said = house.say(&["promote", "app", "production", "--tag", tag]);
        assert_eq!(said.exit, 0, "{tag}: {}{}", said.stdout, said.stderr);
    }
}

// S3-17
#[test]
fn no_target_and_no_tag_is_a_way_around_the_gate_of_another_target() {
    let house = House::new("around", "ghcr.io/octo/app");
    let policy = house.repository.read("lineclear.toml").replace(
        "production = [\"prod-${short-sha}\"]",
        "staging = [\"staging\"]\nproduction = { tags = [\"prod\", \"prod-${short-sha}\"], gate = \"release\" }",
    ) + "[gate.release]\nrequire = [\"CI / test\"]\nstatements = [\"manual-validation\"]\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let entries = house.ledger().head().expect("it is whole").entries;
    let refused = |args: &[&str], words: &str| {
        let said = house.say(&[&["promote", "app"], args].concat());
        assert_eq!(said.exit, 2, "{args:?}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
    };
    refused(&["prod", "--tag", "prod"], "image `app` has no target `prod`; it has: staging, production");
    let elsewhere = "of image `app` at target `production`, whose gate is `release` and not `main`: `lineclear promote app production`";
    refused(&["staging", "--tag", "prod"], elsewhere);
    refused(&["staging", "--tag", &format!("prod-{}", short(&commit))], elsewhere);
    // The other way round, too: what is published is published through the image's own gate.
    refused(&["production", "--tag", "latest"], "for `refs/heads/main`, whose gate is `main` and not `release`");
    assert_eq!(house.ledger().head().expect("it is whole").entries, entries, "nothing was asked or begun");
    assert_eq!(house.embedded("prod"), None);
    // What nobody else gives is free, and so is what the same gate gives.
    for tag in ["stable", "latest"] {
        let said = house.say(&["promote", "app", "staging", "--tag", tag]);
        assert_eq!(said.exit, 0, "{tag}: {}{}", said.stdout, said.stderr);
        assert_eq!(house.embedded(tag), Some(digest.clone()));
    }
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

// S1-3, S1-62
#[test]
fn an_image_with_a_critical_finding_does_not_reach_production_and_the_finding_is_named() {
    let house = House::new("critical", "ghcr.io/octo/app");
    let policy = house.repository.read("lineclear.toml");
    let policy = policy.replace("[\"prod-${short-sha}\"]", "{ tags = [\"prod-${short-sha}\"], gate = \"release\" }")
        + "[gate.release]\nrequire = [\"CI / test\"]\nscan = { block = [\"critical\", \"high\"] }\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let scanned = |found: &[(Severity, &str)]| {
        let finding = |(severity, id): &(Severity, &str)| Finding {
            severity: *severity,
            id: (*id).into(),
            place: "openssl".into(),
            version: "1.0".into(),
            fixed: "1.1".into(),
            title: String::new(),
        };
        let found: Vec<Finding> = found.iter().map(finding).collect();
        let mut scan = ScanStatement { tool: "trivy".into(), ..ScanStatement::default() };
        for one in &found {
            *scan.counts.entry(one.severity).or_default() += 1;
        }
        house.says_of(&digest, Statement::Scan(ScanStatement { found, ..scan }));
    };
    let tag = || house.embedded(&format!("prod-{}", short(&commit)));
    let refused = |words: &str| {
        let said = house.say(&["promote", "app", "production"]);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains(words), "expected `{words}`: {}", said.stdout);
        assert_eq!(tag(), None);
    };
    // One command, and without a scan of this very digest it is refused.
    refused("scan");
    for severity in [Severity::Critical, Severity::High] {
        scanned(&[(severity, "CVE-2026-0001"), (Severity::Low, "CVE-2026-0002")]);
        refused("CVE-2026-0001");
    }
    scanned(&[(Severity::Low, "CVE-2026-0002")]);
    assert_eq!(house.say(&["promote", "app", "production"]).exit, 0);
    assert_eq!(tag(), Some(digest));
}

// S3-12, S3-13
#[test]
fn a_promotion_waits_for_what_people_state_of_the_image() {
    let house = House::new("stated", "ghcr.io/octo/app");
    let policy = house.repository.read("lineclear.toml");
    let policy = policy.replace("[\"prod-${short-sha}\"]", "{ tags = [\"prod-${short-sha}\"], gate = \"release\" }")
        + "[gate.release]\nrequire = [\"CI / test\"]\nstatements = [\"manual-validation\", \"stress-test\"]\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let promote = || house.say(&["promote", "app", "production"]);
    let refused = promote();
    assert_eq!(refused.exit, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stdout.contains("manual-validation") && refused.stdout.contains("stress-test"),
        "{}",
        refused.stdout
    );
    let state = |name: &str, more: &[&str]| {
        let args = [&["evidence", "add", digest.as_str(), "--name", name, "--as", "Ann"], more].concat();
        let said = house.say(&args);
        assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    };
    state("manual-validation", &["--note", "pulled and tried on node 3"]);
    assert!(!promote().stdout.contains("manual-validation"), "one of two is there");
    house.repository.write("report.json", "{}");
    state("stress-test", &["--file", "report.json"]);
    assert_eq!(promote().exit, 0);
    let shown = house.say(&["images", digest.as_str()]).stdout;
    assert!(shown.contains("stress-test: passes") && shown.contains("tried on node 3"), "{shown}");
    // A word that is taken back closes the gate again.
    state("stress-test", &["--fails"]);
    assert_eq!(house.say(&["promote", "app", "production", "--tag", "again"]).exit, 1);
}

// S3-19, S4-34
#[test]
fn every_target_has_the_identical_digest_and_the_table_leads_from_target_to_digest_to_commit() {
    let house = House::new("targets", "ghcr.io/octo/app");
    let policy = house.repository.read("lineclear.toml") + "staging = [\"staging\"]\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    assert_eq!(house.say(&["promote", "app", "staging"]).exit, 0);
    assert_eq!(house.say(&["promote", "app", "production", "--from", "staging"]).exit, 0);
    for tag in ["latest", "staging", &format!("prod-{}", short(&commit))] {
        assert_eq!(house.embedded(tag), Some(digest.clone()), "{tag}");
    }
    let row = |digest: &lineclear_oci::Digest| {
        let table = house.say(&["images"]).stdout;
        let row = table.lines().find(|line| line.contains(&digest.as_str()[..19]));
        row.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    let both = row(&digest);
    assert!(both.contains(short(&commit)) && both.ends_with("production, staging"), "{both}");
    // What comes after has staging; production stays where it is.
    let newer = house.commit("two");
    let new = house.ran(&newer, b"two", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    assert_eq!(house.say(&["promote", "app", "staging"]).exit, 0);
    assert!(row(&new).ends_with("staging") && row(&digest).ends_with("production"), "{}\n{}", row(&new), row(&digest));
}
