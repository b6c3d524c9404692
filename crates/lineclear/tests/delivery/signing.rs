//! Signatures, lists of contents and provenance, where policy asks for them: with the real cosign.

use lineclear_event::CheckConclusion::{Failure, Success};
use lineclear_event::{SignatureStatement, Statement};
use lineclear_oci::Digest;
use lineclear_testkit::cosign::{PASSPHRASE, cosign};
use lineclear_testkit::images::registry;
use lineclear_testkit::{Said, say};

use crate::house::{Counting, House, remote, short};

/// `args`, with the passphrase of cosign's keys.
fn with_passphrase(house: &House, args: &[&str]) -> Said {
    let mut command = house.repository.lineclear(args);
    command.env("COSIGN_PASSWORD", PASSPHRASE).env_remove("LINECLEAR_SIGNING_KEY");
    say(command)
}

fn is_signature(statement: &Statement) -> bool {
    matches!(statement, Statement::Signature(_))
}

// S1-65, S1-66, S0-59
#[test]
fn only_the_digest_that_a_key_of_the_policy_signed_is_promoted() {
    let registry = registry();
    let house = House::new("signed", &format!("{}/octo/app", registry.address()));
    let root = house.repository.root();
    for key in ["ours", "foreign"] {
        cosign(&root, &["generate-key-pair", "--output-key-prefix", key]).succeeds();
    }
    let policy = house.repository.read("lineclear.toml");
    let policy = policy.replace("[\"prod-${short-sha}\"]", "{ tags = [\"prod-${short-sha}\"], gate = \"release\" }")
        + "[gate.release]\nrequire = [\"CI / test\"]\nsignature = true\n[signing]\nkeys = [\"ours.pub\"]\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0, "the gate of publications asks for no signature");
    let sibling_commit = house.commit("two");
    let sibling = house.ran(&sibling_commit, b"two", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);

    let image = |digest: &Digest| format!("{}/octo/app@{digest}", registry.address());
    let sign = |key: &str, digest: &Digest| {
        cosign(&root, &["sign", "--yes", "--tlog-upload=false", "--key", key, &image(digest)]).succeeds();
    };
    let tag = |commit: &str| remote(registry.address(), &format!("prod-{}", short(commit)), None);
    let refused = |words: &str| {
        let said = house.say(&["promote", "app", "production", "--from", digest.as_str()]);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains(words), "expected `{words}`: {}", said.stdout);
        assert_eq!(tag(&commit), None);
    };
    refused("a signature: this digest has none");

    // Whoever can write to the registry can sign: what counts is with which key.
    sign("foreign.key", &digest);
    assert_eq!(house.say(&["image", "verify", &image(&digest)]).exit, 1);
    refused("a signature: this digest has none");
    let foreign = with_passphrase(&house, &["image", "sign", "--key", "./foreign.key", &image(&digest)]);
    assert_eq!(foreign.exit, 0, "{}{}", foreign.stdout, foreign.stderr);
    let key = foreign.stdout.lines().find_map(|line| line.strip_prefix("with key ")).expect("it names the key");
    refused(&format!("signed with {key}, which does not count"));

    // A sibling's signature is the sibling's.
    sign("ours.key", &sibling);
    assert_eq!(house.say(&["image", "verify", &image(&sibling)]).exit, 0);
    refused("which does not count");
    let promoted = house.say(&["promote", "app", "production", "--from", sibling.as_str()]);
    assert_eq!(promoted.exit, 0, "{}{}", promoted.stdout, promoted.stderr);
    assert_eq!(tag(&sibling_commit), Some(sibling));

    // The ledger says that ours signed it, and the registry has no such signature: it is asked again at the move.
    let verified = house.say(&["image", "verify", "--format", "json", "--key", "ours.pub", &image(&digest)]);
    assert_eq!(verified.exit, 1, "{}", verified.stdout);
    let ours = house.ledger().index().expect("it is whole");
    let ours = ours.entries().iter().find_map(|entry| match &entry.evidence.statement {
        Statement::Signature(signature) if signature.key != key => Some(signature.clone()),
        _ => None,
    });
    let claimed = SignatureStatement { attached: None, ..ours.expect("the sibling's") };
    house.says_of(&digest, Statement::Signature(claimed));
    refused("no signature by a key of `[signing] keys`");
    let undone = house.say(&["ledger", "show", digest.as_str()]).stdout;
    assert!(undone.contains("undone") && undone.contains("no signature by a key"), "{undone}");

    sign("ours.key", &digest);
    assert_eq!(house.say(&["image", "verify", &image(&digest)]).exit, 0);
    let promoted = house.say(&["promote", "app", "production", "--from", digest.as_str()]);
    assert_eq!(promoted.exit, 0, "{}{}", promoted.stdout, promoted.stderr);
    assert_eq!(tag(&commit), Some(digest));
}

/// An image's layer with one file.
fn layer(house: &House) -> Vec<u8> {
    let file = house.repository.beside("layer.tar");
    house.git(&format!("echo text > ../file && tar --mtime=@0 -C .. -cf {} file", file.display()));
    std::fs::read(file).expect("the layer")
}

// S1-65, S1-66, S0-59
#[test]
fn publishing_signs_lists_and_attests_where_the_policy_says_so_once_nothing_else_is_missing() {
    let registry = registry();
    let counting = Counting::new();
    let house = House::new("signs", &format!("{}/octo/app", counting.address));
    let policy = house
        .repository
        .read("lineclear.toml")
        .replace(
            "require = [\"CI / test\"]",
            "require = [\"CI / test\"]\nsbom = true\nsignature = true\nprovenance = true",
        )
        .replace("gate = \"main\"\n", "gate = \"main\"\nsign = true\nsbom = [\"spdx\", \"cyclonedx\"]\n")
        + "[signing]\nkey = \"release\"\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, &layer(&house), Failure);
    assert_eq!(house.say(&["key", "generate", "release"]).exit, 0);

    let red = house.say(&["publish"]);
    assert_eq!(red.exit, 1, "{}{}", red.stdout, red.stderr);
    assert!(
        red.stdout.contains("CI / test") && red.stdout.contains("a signature: this digest has none"),
        "{}",
        red.stdout
    );
    for command in ["image sign", "image sbom", "image attest"] {
        assert!(!red.stdout.contains(command), "publishing makes it, nobody has to type it: {}", red.stdout);
    }
    assert!(red.stdout.contains("publishing makes it when nothing else is in the way"), "{}", red.stdout);
    assert_eq!(house.has(&digest, is_signature), 0, "nothing is signed that was not proven");
    assert_eq!(counting.connections(), 0);

    house.repository.write("lineclear.toml", &policy.replace(&counting.address, registry.address()));
    house.checked(&commit, Success);
    let before = house.ledger().head().expect("a head");
    let (exit, foreseen) = house.json(&["publish", "--dry-run"]);
    assert_eq!((exit, &foreseen["images"][0]["outcome"]), (0, &"would_move".into()), "{foreseen}");
    assert!(foreseen["images"][0]["notes"].to_string().contains("it would be signed"), "{foreseen}");
    assert_eq!(house.ledger().head().expect("a head"), before, "a look writes nothing down");

    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    for words in ["signed with sha256:", "a list of its contents was attached (spdx)", "a provenance was attached"] {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    assert_eq!(remote(registry.address(), "latest", None), Some(digest.clone()));
    // What was made where the image was built has come along, and others verify it.
    let public = house.say(&["key", "public", "release"]).stdout;
    house.repository.write("release.pub", &public);
    let image = format!("{}/octo/app@{digest}", registry.address());
    let root = house.repository.root();
    cosign(&root, &["verify", "--key", "release.pub", "--insecure-ignore-tlog=true", &image]).succeeds();
    for kind in ["signature", "provenance"] {
        let mut args = vec!["image", "verify", "--key", "release.pub", &image];
        if kind == "provenance" {
            args.extend(["--attestation", kind]);
        }
        let verified = house.say(&args);
        assert_eq!(verified.exit, 0, "{kind}: {}{}", verified.stdout, verified.stderr);
    }
    // A second time there is nothing to make, and nothing to move.
    let (exit, again) = house.json(&["publish"]);
    assert_eq!((exit, &again["images"][0]["outcome"]), (0, &"nothing_to_move".into()), "{again}");
    assert_eq!(again["images"][0]["notes"], serde_json::json!([]));
    assert_eq!(house.has(&digest, is_signature), 1);
    assert_eq!(house.has(&digest, |statement| matches!(statement, Statement::Sbom(_))), 2);
    assert_eq!(house.has(&digest, |statement| matches!(statement, Statement::Provenance(_))), 1);
}

#[test]
fn a_key_that_is_missing_is_said_before_anything_moves() {
    let registry = registry();
    let house = House::new("keyless", &format!("{}/octo/app", registry.address()));
    let policy = house.repository.read("lineclear.toml").replace("gate = \"main\"\n", "gate = \"main\"\nsign = true\n");
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("lineclear key generate release"), "{}", said.stdout);
    assert_eq!(remote(registry.address(), "latest", None), None);
    // A key that the gate would not believe signs nothing.
    assert_eq!(house.say(&["key", "generate", "release"]).exit, 0);
    house.repository.write("lineclear.toml", &policy.replace("require", "signature = true\nrequire"));
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("does not count: name it in lineclear.toml"), "{}", said.stdout);
    assert_eq!(house.has(&digest, |statement| matches!(statement, Statement::Signature(_))), 0);
    assert_eq!(house.say(&["key", "remove", "release"]).exit, 0);
    // A gate that asks for signatures, and a key that cannot be read: no gate is guessed at.
    house.repository.write(
        "lineclear.toml",
        &(policy.replace("require", "signature = true\nrequire") + "[signing]\nkeys = [\"gone.pub\"]\n"),
    );
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 2, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("gone.pub"), "{}", said.stderr);
    // Whoever only asks is answered: of a commit no signature is asked, and for an image none counts.
    assert_eq!(house.say(&["gate", "--no-record"]).exit, 0);
    let said = house.say(&["gate", digest.as_str(), "--no-record"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("no signature counts here") && said.stderr.contains("gone.pub"), "{}", said.stderr);
}

// S1-65, S1-66
#[test]
fn an_index_is_signed_itself_and_lists_the_contents_of_each_of_its_images() {
    let registry = registry();
    let house = House::new("index", &format!("{}/octo/app", registry.address()));
    let policy = house
        .repository
        .read("lineclear.toml")
        .replace("require = [\"CI / test\"]", "require = [\"CI / test\"]\nsbom = true\nsignature = true")
        .replace("gate = \"main\"\n", "gate = \"main\"\nsign = true\nsbom = [\"spdx\"]\n")
        + "[signing]\nkey = \"release\"\n";
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    assert_eq!(house.say(&["key", "generate", "release"]).exit, 0);
    let (index, images) = house.ran_index(&commit, &layer(&house), Success);
    let said = house.say(&["publish"]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert_eq!(remote(registry.address(), "latest", None), Some(index.clone()));
    let lists = |digest: &Digest| house.has(digest, |statement| matches!(statement, Statement::Sbom(_)));
    assert_eq!(lists(&index), 2, "one for each image in it");
    let root = house.repository.root();
    house.repository.write("release.pub", &house.say(&["key", "public", "release"]).stdout);
    let verify = |digest: &Digest| {
        let image = format!("{}/octo/app@{digest}", registry.address());
        cosign(&root, &["verify", "--key", "release.pub", "--insecure-ignore-tlog=true", &image])
    };
    verify(&index).succeeds();
    for image in &images {
        assert_eq!((lists(image), house.has(image, is_signature)), (1, 0));
        assert!(!verify(image).success, "the signature of an index is not that of its images");
        // What is known of the index is not known of what is in it.
        assert_eq!(house.say(&["gate", image.as_str(), "--no-record"]).exit, 1);
    }
    assert_eq!(house.say(&["gate", index.as_str(), "--no-record"]).exit, 0);
}

const PROMOTES: &str = "\
name: Promote
on: push
permissions: { packages: write }
jobs:
  promote:
    runs-on: ubuntu-latest
    steps:
      - { uses: lineclear/promote@v1, with: { image: app, target: production, from: latest } }
";

// S1-65
#[test]
fn a_branch_does_not_say_what_stands_in_the_key_file_that_was_reviewed() {
    let registry = registry();
    let house = House::new("reviewed-keys", &format!("{}/octo/app", registry.address()));
    let root = house.repository.root();
    for key in ["ours", "foreign"] {
        cosign(&root, &["generate-key-pair", "--output-key-prefix", key]).succeeds();
    }
    let policy = house.repository.read("lineclear.toml");
    let policy = policy.replace("[\"prod-${short-sha}\"]", "{ tags = [\"prod-${short-sha}\"], gate = \"release\" }")
        + "[gate.release]\nrequire = [\"CI / test\"]\nsignature = true\n[signing]\nkeys = [\"ours.pub\"]\n";
    house.repository.write("lineclear.toml", &policy);
    house.repository.write(".github/workflows/promote.yml", PROMOTES);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    let image = format!("{}/octo/app@{digest}", registry.address());
    cosign(&root, &["sign", "--yes", "--tlog-upload=false", "--key", "foreign.key", &image]).succeeds();
    // The ledger says that ours has signed it, and what lies there is somebody else's.
    let ours = lineclear_sigstore::PublicKey::from_pem(house.repository.read("ours.pub").as_bytes()).expect("a key");
    let claimed = SignatureStatement { key: ours.id(), form: "cosign".into(), attached: None };
    house.says_of(&digest, Statement::Signature(claimed));
    house.repository.sh("git switch -qc easier && cp foreign.pub ours.pub && git commit -qam easier");
    let run = house.repository.run(&["-j", "promote"]);
    assert_eq!(run.conclusion("promote"), "failure", "{}", run.transcript());
    assert!(run.transcript().contains("no signature by a key of `[signing] keys`"), "{}", run.transcript());
    assert_eq!(remote(registry.address(), &format!("prod-{}", short(&commit)), None), None);

    cosign(&root, &["sign", "--yes", "--tlog-upload=false", "--key", "ours.key", &image]).succeeds();
    let run = house.repository.run(&["-j", "promote"]);
    assert_eq!(run.conclusion("promote"), "success", "{}", run.transcript());
    assert_eq!(remote(registry.address(), &format!("prod-{}", short(&commit)), None), Some(digest));
}

#[test]
fn nothing_is_signed_and_nobody_called_for_one_image_while_the_gate_of_another_is_blocked() {
    let counting = Counting::new();
    let house = House::new("of-several", &format!("{}/octo/app", counting.address));
    let policy = house.repository.read("lineclear.toml").replace("gate = \"main\"\n", "gate = \"main\"\nsign = true\n")
        + &format!(
            "[signing]\nkey = \"release\"\n[gate.other]\nrequire = [\"CI / other\"]\n[image.other]\nrepository = \"{}/other/app\"\n\
             gate = \"other\"\ntags.\"refs/heads/main\" = [\"latest\"]\n",
            counting.address
        );
    house.repository.write("lineclear.toml", &policy);
    let commit = house.commit("one");
    let digest = house.ran(&commit, &layer(&house), Success);
    assert_eq!(house.say(&["key", "generate", "release"]).exit, 0);
    for args in [&["publish"][..], &["publish", "--dry-run"]] {
        let said = house.say(args);
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        for words in ["gate `other` is blocked", "another image was not moved, and this one waits for it"] {
            assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
        }
        assert_eq!((house.has(&digest, is_signature), counting.connections()), (0, 0), "{}", said.stdout);
    }
}
