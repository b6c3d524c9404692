//! `lineclear publish` and `lineclear images`.

use lineclear_event::CheckConclusion::{Failure, Success};
use lineclear_testkit::images::{PASSWORD, USER, registry, registry_with_login};

use crate::house::{Counting, House, remote, short};

const EMBEDDED: &str = "ghcr.io/${owner}/${repository}";

// S0-36, S0-39, S0-44
#[test]
fn a_green_commit_is_published_by_digest_under_every_tag_of_its_branch() {
    let house = House::new("publish", EMBEDDED);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    let sha = format!("sha-{}", short(&commit));
    for tag in ["latest", &sha] {
        assert_eq!(house.embedded(tag), Some(digest.clone()), "{tag}");
        let line = said.stdout.lines().find(|line| line.trim_start().starts_with(tag));
        assert!(line.is_some_and(|line| line.contains(digest.as_str())), "{}", said.stdout);
    }
    let (exit, again) = house.json(&["publish", "app"]);
    assert_eq!((exit, &again["images"][0]["outcome"]), (0, &"nothing_to_move".into()), "{again}");
}

// S0-53
#[test]
fn a_digest_leads_to_its_commit_run_and_tags_and_each_of_them_back() {
    let house = House::new("lookup", EMBEDDED);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let asked = [digest.as_str(), &commit, "#1", "latest", "app", "main"];
    for what in asked {
        let (exit, found) = house.json(&["images", what]);
        let image = &found["images"][0];
        assert_eq!((exit, image["digest"].as_str()), (0, Some(digest.as_str())), "{what}: {found}");
        assert_eq!((&image["commits"][0], &image["runs"][0]), (&commit.as_str().into(), &1.into()), "{found}");
        let tags: Vec<&str> =
            image["tags"].as_array().expect("a list").iter().filter_map(|tag| tag["tag"].as_str()).collect();
        assert!(tags.contains(&"latest"), "{found}");
        assert_eq!(image["gates"][0]["clear"], true, "{found}");
    }
    let table = house.say(&["images"]).stdout;
    assert!(table.contains("app") && table.contains(short(&commit)) && table.contains("main: clear"), "{table}");
    assert_eq!(house.say(&["images", "0000000"]).exit, 1);
}

// S0-1, S0-15, S0-45, S3-10
#[test]
fn a_red_commit_is_refused_with_its_failing_checks_before_any_connection() {
    let counting = Counting::new();
    let house = House::new("refused", &format!("{}/octo/app", counting.address));
    let commit = house.commit("red");
    house.ran(&commit, b"red", Failure);
    for args in [&["publish"][..], &["publish", "app", "--dry-run"]] {
        let said = house.say(args);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("gate `main` is blocked") && said.stdout.contains("CI / test"), "{}", said.stdout);
    }
    assert_eq!(counting.connections(), 0, "somebody called the release registry");
    // The same image, green, is not refused: the test would notice a connection.
    house.checked(&commit, Success);
    let _ = house.repository.lineclear(&["publish"]).spawn().map(|mut child| {
        assert!(lineclear_testkit::within(std::time::Duration::from_secs(60), || counting.connections() > 0));
        child.kill().and_then(|()| child.wait())
    });
}

#[test]
fn ctrl_c_ends_what_waits_for_a_registry_that_never_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let house = House::new("silent", &format!("{}/octo/app", listener.local_addr().expect("an address")));
    let commit = house.commit("green");
    house.ran(&commit, b"green", Success);
    for args in [&["publish"][..], &["publish", "--dry-run"]] {
        let publish = lineclear_testkit::Started::new(house.repository.lineclear(args));
        let _is_kept_open = listener.accept().expect("the registry is called");
        publish.signal("INT");
        let said = publish.finish();
        assert_eq!(said.exit, 130, "{args:?}: {}{}", said.stdout, said.stderr);
    }
}

// S0-15
#[test]
fn a_red_commit_that_nobody_pushed_an_image_of_is_told_what_failed_and_what_is_not_there() {
    let house = House::new("red-nothing", EMBEDDED);
    let commit = house.commit("red");
    house.checked(&commit, Failure);
    let said = house.say(&["publish", "app"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    let at = |words: &str| said.stderr.find(words).unwrap_or_else(|| panic!("{words}: {}", said.stderr));
    let blocked = at(&format!("gate `main` is blocked for {}: check `CI / test`", short(&commit)));
    assert!(blocked < at("no run has pushed image `app`"), "{}", said.stderr);
    house.checked(&commit, Success);
    let said = house.say(&["publish", "app"]);
    assert!(said.exit == 1 && !said.stderr.contains("is blocked"), "{}", said.stderr);
}

// S0-15, S0-45
#[test]
fn an_index_around_a_red_commits_image_is_not_published_with_the_evidence_of_a_green_one() {
    let house = House::new("around-red", EMBEDDED);
    let red = house.commit("red");
    let bad = house.ran(&red, b"red", Failure);
    let commit = house.commit("green");
    let good = house.ran(&commit, b"green", Success);
    let index = house.ran_around(&commit, &[good.clone(), bad.clone()], true);
    let refused = |args: &[&str]| {
        let said = house.say(args);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        let words =
            format!("it leads to {bad}, which comes from {}, and gate `main` is not clear for that", short(&red));
        assert!(said.stdout.contains(&words), "{}", said.stdout);
        assert_eq!(house.embedded("latest"), None);
    };
    refused(&["publish", "app", "--digest", index.as_str()]);
    refused(&["publish", "app", "--digest", index.as_str(), "--dry-run"]);
    let ends = || house.say(&["ledger", "show", "--summary"]).stdout;
    assert!(ends().contains("0 done, 0 undone, 1 refused, 0 open"), "{}", ends());
    // What nobody has told of it is found where it arrives, before a tag moves.
    let untold = house.ran_around(&commit, &[bad.clone(), good], false);
    refused(&["publish", "app", "--digest", untold.as_str()]);
    assert!(ends().contains("0 done, 1 undone, 1 refused, 0 open"), "{}", ends());
    house.checked(&red, Success);
    let said = house.say(&["publish", "app", "--digest", index.as_str()]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert_eq!(house.embedded("latest"), Some(index));
}

// S0-37
#[test]
fn a_version_tag_has_its_own_tags_and_latest_only_where_the_policy_says_so() {
    let registry = registry_with_login();
    let house = House::new("version", &format!("{}/octo/app", registry.address()));
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    house.repository.sh("git tag v1.2.3");
    let refused = house.say(&["publish", "--ref", "v1.2.3"]);
    assert_eq!(refused.exit, 1, "nobody is logged in: {}", refused.stdout);
    assert!(refused.stdout.contains("log in to the registry; no tag was moved"), "{}", refused.stdout);
    let login = {
        use std::io::Write as _;
        let file = house.repository.beside("auth.json");
        let encoded = house.git(&format!("printf %s '{USER}:{PASSWORD}' | base64 -w0"));
        let mut out = std::fs::File::create(&file).expect("a file");
        write!(out, "{{\"auths\":{{\"{}\":{{\"auth\":\"{encoded}\"}}}}}}", registry.address()).expect("it is written");
        file.to_string_lossy().into_owned()
    };
    let said = house.say(&["publish", "--ref", "v1.2.3", "--authfile", &login]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    let tag = |tag: &str| remote(registry.address(), tag, Some((USER, PASSWORD)));
    assert_eq!(tag("v1.2.3"), Some(digest.clone()));
    assert_eq!(tag(&format!("sha-{}", short(&commit))), Some(digest.clone()));
    assert_eq!(tag("latest"), None);
    let policy = house.repository.read("lineclear.toml").replace("[\"${tag}\",", "[\"latest\", \"${tag}\",");
    house.repository.write("lineclear.toml", &policy);
    assert_eq!(house.say(&["publish", "--ref", "v1.2.3", "--authfile", &login]).exit, 0);
    assert_eq!(tag("latest"), Some(digest));
    assert!(!said.stdout.contains(PASSWORD) && house.repository.home_files_with(PASSWORD).is_empty());
}

#[test]
fn a_dry_run_says_what_would_move_and_leaves_ledger_and_registry_alone() {
    let house = House::new("dry", EMBEDDED);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    let before = house.ledger().head().expect("a head");
    let (exit, foreseen) = house.json(&["publish", "--dry-run"]);
    assert_eq!((exit, &foreseen["images"][0]["outcome"]), (0, &"would_move".into()), "{foreseen}");
    let tags = foreseen["images"][0]["tags"].as_array().expect("a list");
    assert!(tags.len() == 2 && tags.iter().all(|tag| tag["to"] == digest.as_str()), "{foreseen}");
    assert_eq!(house.ledger().head().expect("a head"), before);
    assert_eq!(house.embedded("latest"), None);
    // Where every tag is there already nothing would move.
    assert_eq!(house.say(&["publish"]).exit, 0);
    let said = house.say(&["publish", "--dry-run"]);
    assert!(said.stdout.contains("nothing to move:") && !said.stdout.contains("would"), "{}", said.stdout);
    let (exit, foreseen) = house.json(&["publish", "--dry-run"]);
    assert_eq!((exit, &foreseen["images"][0]["outcome"]), (0, &"nothing_to_move".into()), "{foreseen}");
}

#[test]
fn a_tag_leads_to_the_image_that_has_it_now_and_to_earlier_ones_when_asked() {
    let house = House::new("moved-on", EMBEDDED);
    let images = ["one", "two"].map(|text| {
        let commit = house.commit(text);
        let digest = house.ran(&commit, text.as_bytes(), Success);
        assert_eq!(house.say(&["publish"]).exit, 0);
        digest
    });
    let found = |args: &[&str]| {
        let (exit, found) = house.json(args);
        assert_eq!(exit, 0, "{found}");
        let images = found["images"].as_array().expect("a list").iter();
        images.map(|image| image["digest"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    for name in ["latest", "ghcr.io/octo/app:latest", "octo/app:ci"] {
        assert_eq!(found(&["images", name]), [images[1].as_str()], "{name}");
    }
    assert_eq!(found(&["images", "latest", "--past"]), [images[0].as_str(), images[1].as_str()]);
    let table = house.say(&["images", "latest", "--past"]).stdout;
    let at = |digest: &lineclear_oci::Digest| table.find(&digest.as_str()[..19]).expect("it is in the table");
    assert!(at(&images[1]) < at(&images[0]), "the newest first: {table}");
}

// S0-38, C2
#[test]
fn latest_stays_with_the_newer_commit_when_the_older_one_is_published_last() {
    let registry = registry();
    let house = House::new("race", &format!("{}/octo/app", registry.address()));
    let older = house.commit("one");
    let old = house.ran(&older, b"one", Success);
    let newer = house.commit("two");
    let new = house.ran(&newer, b"two", Success);
    let commands = [&newer, &older].map(|commit| {
        lineclear_testkit::Started::new(house.repository.lineclear(&["publish", "app", "--commit", commit]))
    });
    for said in commands.map(lineclear_testkit::Started::finish) {
        assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    }
    assert_eq!(remote(registry.address(), "latest", None), Some(new));
    assert_eq!(remote(registry.address(), &format!("sha-{}", short(&older)), None), Some(old));
}

// S4-17, S4-73
#[test]
fn a_version_that_is_published_is_not_overwritten_by_another_digest() {
    let house = House::new("taken", EMBEDDED);
    let commit = house.commit("one");
    let first = house.ran(&commit, b"one", Success);
    house.repository.sh("git tag v1.0.0");
    assert_eq!(house.say(&["publish", "--ref", "v1.0.0"]).exit, 0);
    let second = house.ran(&commit, b"built again", Success);
    let ambiguous = house.say(&["publish", "app", "--ref", "v1.0.0"]);
    assert_eq!(ambiguous.exit, 2, "{}{}", ambiguous.stdout, ambiguous.stderr);
    assert!(ambiguous.stderr.contains(first.as_str()) && ambiguous.stderr.contains(second.as_str()));
    let said = house.say(&["publish", "app", "--ref", "v1.0.0", "--digest", second.as_str()]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("immutable"), "{}", said.stdout);
    assert_eq!(house.embedded("v1.0.0"), Some(first));
}

#[test]
fn an_image_whose_bytes_another_run_pushed_first_is_refused_with_who_that_was_and_what_helps() {
    let house = House::new("bytes", EMBEDDED);
    let one = house.commit("one");
    let adjusted = house.pushes("", b"adjusted");
    house.pushes(&one, b"adjusted");
    house.checked(&one, Success);
    let refused = |args: &[&str], words: &[&str]| {
        let said = house.say(args);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        for word in words {
            assert!(said.stderr.contains(word), "expected `{word}`: {}", said.stderr);
        }
        assert!(!said.stderr.contains("no run has pushed"), "{}", said.stderr);
    };
    let of_none = "run 1 was the first to push it, and was adjusted, so that it is of no commit";
    let pushed = format!("run 2 pushed image `app` for {} as {adjusted}", short(&one));
    refused(&["publish"], &[&pushed, of_none, "--build-arg"]);
    refused(&["publish", "app", "--digest", adjusted.as_str()], &[of_none]);
    // Another commit's bytes are that commit's, and it can be published.
    let first = house.pushes(&one, b"same");
    let two = house.commit("two");
    house.pushes(&two, b"same");
    house.checked(&two, Success);
    let helps = format!("lineclear publish app --commit {}", short(&one));
    refused(&["publish"], &[first.as_str(), &format!("the first to push it, for {}", short(&one)), &helps]);
    let said = house.say(&["publish", "app", "--commit", short(&one)]);
    assert_eq!((said.exit, house.embedded("latest")), (0, Some(first)), "{}{}", said.stdout, said.stderr);
}

#[test]
fn what_cannot_be_published_says_what_to_do() {
    let house = House::new("wrong", EMBEDDED);
    let commit = house.commit("one");
    let expect = |args: &[&str], exit: i32, words: &str| {
        let said = house.say(args);
        assert_eq!(said.exit, exit, "{args:?}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
    };
    expect(&["publish"], 1, "no run has pushed image `app`");
    expect(&["publish", "nothing"], 2, "it has: app");
    house.ran(&commit, b"one", Success);
    expect(&["publish", "--ref", "nowhere"], 2, "no branch and no tag `nowhere`");
    house.repository.sh("git switch -qc side");
    expect(&["publish"], 1, "no tags for refs/heads/side");
    let other = house.commit("two");
    expect(&["publish", "app", "--ref", "main", "--commit", &other], 2, "is not on refs/heads/main");
    expect(&["publish", "app", "--digest", &format!("sha256:{}", "0".repeat(64))], 1, "nobody knows which commit");
    expect(&["promote", "app", "nowhere"], 2, "it has: production");
    expect(&["promote", "app", "production"], 1, "never published");
}

#[test]
fn a_tag_that_the_embedded_registry_lacks_is_said_to_be_lacking_there() {
    let house = House::new("lacks", EMBEDDED);
    let commit = house.commit("one");
    house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    assert_eq!(house.say(&["gate", "ghcr.io/octo/app:latest"]).exit, 0);
    let said = house.say(&["gate", "ghcr.io/octo/app:nope"]);
    assert_eq!(said.exit, 2, "{}{}", said.stdout, said.stderr);
    let words = "of the embedded registry has no tag `nope`; it has: latest, sha-";
    assert!(said.stderr.contains(words), "{}", said.stderr);
}

#[test]
fn status_and_gate_say_the_same_of_a_commit_with_the_contents_of_a_tested_one() {
    let house = House::new("status", EMBEDDED);
    let commit = house.commit("one");
    house.ran(&commit, b"one", Success);
    // No run has spoken of this one: git alone knows that its contents are the same.
    house.repository.sh("git commit -q --allow-empty -m empty");
    let (exit, status) = house.json(&["status"]);
    assert_eq!((exit, &status["gates"][0]["clear"]), (0, &true.into()), "{status}");
    assert_eq!(house.say(&["gate", "--no-record"]).exit, 0);
    house.commit("two");
    let (_, status) = house.json(&["status"]);
    assert_eq!(status["gates"][0]["clear"], false, "{status}");
    assert_eq!(house.say(&["gate", "--no-record"]).exit, 1);
}
