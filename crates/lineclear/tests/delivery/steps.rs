//! `uses: lineclear/publish`, `lineclear/promote`, `lineclear/gate`.

use lineclear_event::CheckConclusion::{Failure, Success};

use crate::house::{House, short};

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
