//! Scanners that never fail a job, and a gate that reads what they found; images that are scanned, listed and signed by digest.
//!
//! S1-51..S1-53, S1-56, S1-58, S1-62, S1-64..S1-66, S1-72, S1-74, S1-75.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::{RELEASED, Shop, say};
use crate::shell::Cmd;

const IMAGES: [&str; 2] = ["web", "nginx"];

const PUSH: [&str; 6] = ["--ref", "refs/heads/main", "--secret", "COSIGN_PRIVATE_KEY", "--secret", "COSIGN_PASSWORD"];

pub(super) fn play(shop: &Shop) -> Result<()> {
    say("hardened, a push of main");
    // What jobs sign with, and what releases are signed with: no job has that one.
    let keys = shop.path(".git/keys");
    fs::create_dir_all(&keys)?;
    Cmd::new("cosign").args(&["generate-key-pair"]).folder(&keys).env("COSIGN_PASSWORD", "").read()?;
    let key = fs::read_to_string(keys.join("cosign.key"))?;
    let secrets = [("COSIGN_PRIVATE_KEY", key.as_str()), ("COSIGN_PASSWORD", "")];
    shop.ask(&["key", "generate", "release"])?;
    fs::create_dir_all(shop.path("keys"))?;
    shop.write("keys/release.pub", &shop.ask(&["key", "public", "release"])?)?;
    shop.commit("the key of releases")?;
    let told = shop.run_with(&PUSH, &secrets)?;
    told.ended("success")?;
    told.jobs(&[
        ("Models and migrations agree", "success"),
        ("Hooks", "success"),
        ("Security", "success"),
        ("Image web", "success"),
        ("Image nginx", "success"),
        ("publish", "success"),
    ])?;
    told.overlapped("Image web", "Image nginx")?;
    let built = built(shop)?;
    let kept = shop.kept()?;
    for image in IMAGES {
        let latest = kept.get(&format!("{RELEASED}-{image}:latest")).context("`latest` is published")?;
        ensure!(*latest == built[image], "`{image}` is released as it was built");
        let about = shop.clear(&[&built[image]])?;
        ensure!(about.contains("signature") && about.contains("list of"), "the gate shows what it rests on: {about}");
    }
    let about = shop.clear(&["HEAD"])?;
    ensure!(about.contains("CI / Advisories"), "the gate shows whether others could be asked: {about}");
    let list = shop.ask(&["security", "--all"])?;
    ensure!(list.contains("bandit") && !list.contains("backend/tests"), "bandit looked at all but the tests: {list}");

    say("hardened, what others see of it");
    let registry = shop.serve()?;
    for image in IMAGES {
        let place = format!("{}/{RELEASED}-{image}@{}", registry.address, built[image]);
        let key = ["--key", "keys/release.pub", "--insecure-ignore-tlog=true", &place];
        Cmd::new("cosign").args(&["verify"]).args(&key).folder(&shop.path("")).read()?;
    }

    say("hardened, a vulnerability that becomes known later");
    let web = format!("{}/{RELEASED}-web@{}", registry.address, built["web"]);
    shop.write("security/advisories/later.json", LATER)?;
    shop.refuse(&["image", "scan", &web, "--fail-on", "critical"], &["TEAM-2026-1"])?;
    shop.blocked(&[&built["web"]], &["TEAM-2026-1"])?;
    fs::remove_file(shop.path("security/advisories/later.json"))?;

    say("hardened, a finding that nobody wanted to see");
    shop.append(
        "backend/tasks/summary.py",
        "\n\ndef shell(command):\n    import subprocess\n\n    return subprocess.run(command, shell=True)\n",
    )?;
    shop.commit("a shell for everybody")?;
    let told = shop.run_with(&PUSH, &secrets)?;
    told.jobs(&[("Security", "success"), ("Image web", "success"), ("publish", "failure")])?;
    shop.blocked(&["HEAD"], &["B602"])?;
    let list = shop.ask(&["security", "--severity", "critical,high"])?;
    ensure!(list.contains("B602"), "the finding is in the list: {list}");
    let after = shop.kept()?;
    for image in IMAGES {
        let latest = after.get(&format!("{RELEASED}-{image}:latest"));
        ensure!(latest == Some(&built[image]), "`{image}` of a commit with a finding moved");
    }
    Ok(())
}

/// The digests that CI has built for the commit.
fn built(shop: &Shop) -> Result<BTreeMap<&'static str, String>> {
    let (kept, commit) = (shop.kept()?, shop.head()?);
    let of = |image: &'static str| {
        let digest = kept.get(&format!("{RELEASED}-{image}:candidate-{commit}")).context("CI pushed a candidate")?;
        Ok((image, digest.clone()))
    };
    IMAGES.into_iter().map(of).collect()
}

/// A record of the team's own, about every version of what the image has.
const LATER: &str = r#"{
  "schema_version": "1.6.0",
  "id": "TEAM-2026-1",
  "modified": "2026-01-01T00:00:00Z",
  "summary": "what nobody knew yesterday",
  "affected": [
    {
      "package": { "ecosystem": "PyPI", "name": "django" },
      "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }]
    }
  ],
  "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }]
}
"#;
