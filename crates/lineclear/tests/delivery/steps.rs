//! `uses: lineclear/publish`, `lineclear/promote`, `lineclear/gate`.

use lineclear_event::CheckConclusion::{Failure, Success};
use lineclear_testkit::images::{PASSWORD, USER, registry_with_login};

use crate::house::{House, remote, short};

const WORKFLOW: &str = "\
name: Release
on: push
permissions: { packages: write }
jobs:
  release:
    runs-on: ubuntu-latest
    outputs:
      clear: ${{ steps.gate.outputs.clear }}
      digest: ${{ steps.publish.outputs.digest }}
      tags: ${{ steps.publish.outputs.tags }}
      promoted: ${{ steps.promote.outputs.tags }}
    steps:
      - { id: gate, uses: lineclear/gate@v1, with: { gate: main, fail: false } }
      - { id: publish, uses: lineclear/publish@v1, with: { images: app } }
      - { id: promote, uses: lineclear/promote@v1, with: { image: app, target: production } }
  powerless:
    runs-on: ubuntu-latest
    permissions: { packages: read }
    steps:
      - { uses: lineclear/publish@v1, with: { images: app } }
";

fn house(name: &str) -> (House, String) {
    let house = House::new(name, "ghcr.io/octo/app");
    house.repository.write(".github/workflows/release.yml", WORKFLOW);
    let commit = house.commit("one");
    (house, commit)
}

// S0-39, S3-16
#[test]
fn a_step_publishes_and_promotes_what_the_gate_lets_through() {
    let (house, commit) = house("steps");
    let digest = house.ran(&commit, b"one", Success);
    let run = house.repository.run(&["-j", "release"]);
    assert_eq!(run.conclusion("release"), "success", "{}", run.transcript());
    assert_eq!(run.output("release", "clear"), Some("true"));
    assert_eq!(run.output("release", "digest"), Some(digest.as_str()));
    let sha = short(&commit);
    let tags = format!("ghcr.io/octo/app:sha-{sha}\nghcr.io/octo/app:latest");
    assert_eq!(run.output("release", "tags"), Some(tags.as_str()));
    assert_eq!(run.output("release", "promoted"), Some(format!("ghcr.io/octo/app:prod-{sha}").as_str()));
    assert_eq!(house.embedded("latest"), Some(digest.clone()));
    assert_eq!(house.embedded(&format!("prod-{sha}")), Some(digest));
}

const MISTAKEN: &str = "\
name: Release
on: push
permissions: { packages: write }
jobs:
  mistaken:
    runs-on: ubuntu-latest
    steps:
      - { uses: lineclear/publish@v1, with: { images: app, dry_run: true } }
  gates:
    runs-on: ubuntu-latest
    outputs: { clear: '${{ steps.gates.outputs.clear }}' }
    steps:
      - { id: gates, uses: lineclear/gate }
";

#[test]
fn a_mistyped_input_moves_nothing_and_a_gate_step_without_a_name_asks_all_gates() {
    let house = House::new("mistaken-steps", "ghcr.io/octo/app");
    house.repository.write(".github/workflows/release.yml", MISTAKEN);
    let commit = house.commit("one");
    house.ran(&commit, b"one", Success);
    let check = house.say(&["check"]);
    assert_eq!(check.exit, 1, "{}{}", check.stdout, check.stderr);
    assert!(check.stdout.contains("`lineclear/publish` has no input `dry_run`"), "{}{}", check.stdout, check.stderr);
    let run = house.repository.run(&[]);
    assert_eq!(run.conclusion("mistaken"), "failure", "{}", run.transcript());
    assert!(run.transcript().contains("has no input `dry_run` (did you mean `dry-run`?)"), "{}", run.transcript());
    assert_eq!(house.embedded("latest"), None);
    assert_eq!(run.conclusion("gates"), "success", "{}", run.transcript());
    assert_eq!(run.output("gates", "clear"), Some("true"));
    assert!(run.transcript().contains("gate `main` is clear"), "{}", run.transcript());
}

// S0-15, S3-17
#[test]
fn a_step_of_a_red_commit_fails_and_moves_nothing() {
    let (house, commit) = house("red-steps");
    house.ran(&commit, b"one", Failure);
    let run = house.repository.run(&["-j", "release"]);
    assert_eq!(run.conclusion("release"), "failure", "{}", run.transcript());
    assert_eq!(run.output("release", "clear"), Some("false"));
    assert!(run.transcript().contains("gate `main` is blocked"), "{}", run.transcript());
    assert_eq!(house.embedded("latest"), None);
}

#[test]
fn a_job_without_the_right_to_write_packages_moves_nothing() {
    let (house, commit) = house("powerless-steps");
    house.ran(&commit, b"one", Success);
    let run = house.repository.run(&["-j", "powerless"]);
    assert_eq!(run.conclusion("powerless"), "failure", "{}", run.transcript());
    assert!(run.transcript().contains("needs `permissions: packages: write`"), "{}", run.transcript());
    assert_eq!(house.embedded("latest"), None);
}

const CURIOUS: &str = "\
name: Release
on: push
permissions: { packages: write }
jobs:
  release:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo '${{ toJSON(secrets) }}' > seen; env >> seen
          cat ~/.docker/config.json \"$DOCKER_CONFIG/config.json\" >> seen 2>/dev/null || true
          ! grep -e \"$(printf %s HALF1 HALF2 | tr -d ' ')\" seen
      - { uses: lineclear/publish@v1, with: { images: app } }
";

// C1
#[test]
fn a_release_login_is_the_engines_alone_and_steps_publish_with_it_all_the_same() {
    let registry = registry_with_login();
    let house = House::new("login", &format!("{}/octo/app", registry.address()));
    let (half, other) = PASSWORD.split_at(PASSWORD.len() / 2);
    let workflow = CURIOUS.replace("HALF1 HALF2", &format!("{half} {other}"));
    house.repository.write(".github/workflows/release.yml", &workflow);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 1, "nobody is logged in");

    let file = house.repository.beside("login");
    std::fs::write(&file, format!("{USER}:{PASSWORD}\n")).expect("it is written");
    let file = file.to_string_lossy().into_owned();
    let set = house.say(&["secret", "set", registry.address(), "--release", "--body-file", &file]);
    assert_eq!(set.exit, 0, "{}{}", set.stdout, set.stderr);
    assert!(set.stdout.contains("no job is given it"), "{}", set.stdout);
    std::fs::remove_file(&file).expect("it is removed");
    let listed = house.say(&["secret", "list", "--release"]).stdout;
    assert!(listed.contains(registry.address()) && listed.contains(USER) && !listed.contains(PASSWORD), "{listed}");
    assert!(!house.say(&["secret", "list"]).stdout.contains("REGISTRY_"), "it is no secret of jobs");
    assert!(house.repository.home_files_with(PASSWORD).is_empty(), "the store is encrypted");

    let run = house.repository.run(&["-j", "release"]);
    assert_eq!(run.conclusion("release"), "success", "{}", run.transcript());
    let tag = |tag: &str| remote(registry.address(), tag, Some((USER, PASSWORD)));
    assert_eq!(tag("latest"), Some(digest.clone()));
    assert!(!run.transcript().contains(PASSWORD));
    assert_eq!(house.say(&["promote", "app", "production"]).exit, 0);
    assert_eq!(tag(&format!("prod-{}", short(&commit))), Some(digest));

    assert_eq!(house.say(&["secret", "rm", registry.address(), "--release"]).exit, 0);
    assert_eq!(house.say(&["promote", "app", "production", "--tag", "again"]).exit, 1);
    let wrong = house.say(&["secret", "set", "ghcr.io", "--release", "--body", "no-colon"]);
    assert!(wrong.exit == 2 && wrong.stderr.contains("USER:PASSWORD"), "{}", wrong.stderr);
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

#[test]
fn a_step_goes_by_the_reviewed_policy_with_the_registries_that_it_maps() {
    let house = House::new("reviewed-map", "ghcr.io/octo/app");
    house.repository.write(".github/workflows/promote.yml", PROMOTES);
    let commit = house.commit("one");
    let digest = house.ran(&commit, b"one", Success);
    assert_eq!(house.say(&["publish"]).exit, 0);
    // By the branch's word the image would go somewhere else, under other names.
    let policy = house.repository.read("lineclear.toml").replace("prod-", "easy-");
    house.repository.sh("git switch -qc easier");
    house.repository.write("lineclear.toml", &format!("{policy}[registry]\nmap = []\n"));
    house.commit("two");
    let run = house.repository.run(&["-j", "promote"]);
    assert_eq!(run.conclusion("promote"), "success", "{}", run.transcript());
    assert_eq!(house.embedded(&format!("prod-{}", short(&commit))), Some(digest));
    assert_eq!(house.embedded(&format!("easy-{}", short(&commit))), None);
}

#[test]
fn a_branch_gives_itself_no_image_where_the_reviewed_policy_has_gates() {
    let house = House::new("reviewed-gates", "ghcr.io/octo/app");
    let policy = house.repository.read("lineclear.toml");
    house.repository.write("lineclear.toml", "[gate.main]\nrequire = [\"CI / test\"]\n");
    house.commit("one");
    house.repository.sh("git switch -qc easier");
    house.repository.write("lineclear.toml", &policy);
    house.repository.write(".github/workflows/promote.yml", PROMOTES);
    let commit = house.commit("two");
    house.ran(&commit, b"two", Success);
    let run = house.repository.run(&["-j", "promote"]);
    assert_eq!(run.conclusion("promote"), "failure", "{}", run.transcript());
    assert!(run.transcript().contains("`lineclear.toml` of `main` has no `[image.app]`"), "{}", run.transcript());
}
