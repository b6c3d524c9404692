//! CI, and a publication of its own after it or for a version tag.
//!
//! S0-1, S0-3..S0-5, S0-11, S0-12, S0-14..S0-16, S0-18..S0-22, S0-33..S0-37, S0-53.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use lineclear_testkit::images::{PASSWORD, USER, registry_with_login};
use serde_json::Value;

use super::{RELEASED, Shop, say};
use crate::shell::Cmd;
use crate::taskboard::skopeo;

const CHECKS: [&str; 4] = ["backend-quality", "frontend-quality", "docker-build-check", "smoke-e2e"];

pub(super) fn play(shop: &Shop) -> Result<()> {
    say("balanced, a push of main");
    let told = shop.run(&["--ref", "refs/heads/main"])?;
    told.ended("success")?;
    told.jobs(&[
        ("backend-quality", "success"),
        ("frontend-quality", "success"),
        ("smoke-e2e", "success"),
        ("docker-build-check", "skipped"),
        ("Image web", "success"),
        ("Image nginx", "success"),
    ])?;
    let of_publish = |name: &&str| name.starts_with("Image ") || *name == "Version";
    let names: BTreeSet<&str> = told.names().into_iter().filter(|name| !of_publish(name)).collect();
    ensure!(names == BTreeSet::from(CHECKS), "the checks are {names:?}");
    let short = &shop.head()?[..7];
    let kept = shop.kept()?;
    for image in ["web", "nginx"] {
        let digest = kept.get(&format!("{RELEASED}-{image}:latest")).context("`latest` is published")?;
        ensure!(kept.get(&format!("{RELEASED}-{image}:sha-{short}")) == Some(digest), "`sha-{short}` is `latest`");
    }
    let clear = shop.clear(&["HEAD"])?;
    ensure!(clear.contains("not needed"), "the build check of pull requests is not needed here: {clear}");

    say("balanced, the same commit under other policies");
    let blocks = [
        // Supplementary today, and blocking by a change of the policy alone.
        ("supplementary = [\"E2E / full\"]", "statements = [\"E2E was looked at\"]", "E2E was looked at"),
        ("\"CI / smoke-e2e\"", "\"E2E / full\"", "E2E / full"),
        ("min = 80", "min = 100", "coverage"),
    ];
    for (from, to, word) in blocks {
        shop.with_policy(&[(from, to)], || shop.blocked(&["HEAD", "--no-record"], &[word]))?;
    }

    say("balanced, a version");
    shop.git(&["tag", "v1.2.3"])?;
    shop.run(&["--ref", "refs/tags/v1.2.3"])?.ended("success")?;
    let latest = format!("{RELEASED}-web:latest");
    let version = shop.kept()?.get(&format!("{RELEASED}-web:v1.2.3")).cloned();
    ensure!(version.as_ref() == Some(&kept[&latest]), "the version is the image that was tested: {version:?}");

    say("balanced, a real registry");
    publish_elsewhere(shop, &latest, &kept[&latest])?;

    say("balanced, a commit that breaks");
    let before = shop.kept()?;
    shop.append("frontend/src/columns.js", "\nconst unused = 1;\n")?;
    shop.append("backend/tasks/summary.py", "\nimport os\n")?;
    shop.write(".github/workflows/stray.yml", STRAY)?;
    shop.commit("names that nobody uses, and a push past the gate")?;
    let told = shop.run(&["--ref", "refs/heads/main"])?;
    told.ended("failure")?;
    told.jobs(&[("frontend-quality", "failure"), ("backend-quality", "failure"), ("smoke-e2e", "skipped")])?;
    // The follower was left out before its matrix was looked at.
    told.jobs(&[("Image ${{ matrix.image }}", "skipped")])?;
    shop.blocked(&["HEAD"], &["CI / frontend-quality"])?;
    shop.refuse(&["publish", "web"], &["no run has pushed image `web`"])?;
    shop.git(&["tag", "v1.2.4"])?;
    let told = shop.run(&["--ref", "refs/tags/v1.2.4"])?;
    told.ended("failure")?;
    told.jobs(&[("Version", "failure"), ("push", "failure")])?;
    let refusal = told.logs("push").into_iter().find(|line| line.contains("CI / frontend-quality"));
    ensure!(refusal.is_some(), "the refusal of the push names the check: {:?}", told.logs("push"));
    ensure!(shop.kept()? == before, "a red commit changed the registry");

    say("balanced, a pull request");
    shop.git(&["checkout", "-q", "-b", "feature/build"])?;
    shop.git(&["revert", "--no-edit", "HEAD"])?;
    let planned =
        shop.ask(&["plan", "--event", "pull_request", "-W", ".github/workflows/ci.yml", "--format", "json"])?;
    for check in CHECKS {
        ensure!(planned.contains(&format!("\"id\": \"{check}\"")), "{check} is planned: {planned}");
    }
    let told = shop.run(&["--event", "pull_request", "-W", ".github/workflows/ci.yml", "-j", "docker-build-check"])?;
    told.ended("success")?;
    ensure!(shop.kept()? == before, "a pull request changed the registry");
    // What is left out because of its paths does not stay pending where it is required.
    shop.git(&["checkout", "-q", "main"])?;
    shop.git(&["checkout", "-q", "-b", "feature/words"])?;
    shop.append("README.md", "\nMore words.\n")?;
    shop.commit("words")?;
    shop.run(&["--event", "pull_request", "-W", ".github/workflows/e2e.yml"])?.ended("skipped")?;
    let required = [("supplementary = [\"E2E / full\"]", ""), ("  \"CI / smoke-e2e\",\n", "  \"E2E / full\",\n")];
    let about = shop.with_policy(&required, || shop.blocked(&["HEAD", "--on", "pull_request"], &["E2E / full"]))?;
    let line = about.lines().find(|line| line.contains("E2E / full")).unwrap_or_default();
    ensure!(line.contains("not needed"), "what its paths left out is not needed: {about}");
    Ok(())
}

/// What somebody adds who wants a release now.
const STRAY: &str = "\
name: Stray
on: { push: { tags: ['v*'] } }
permissions: { contents: read, packages: write }
jobs:
  push:
    runs-on: ubuntu-latest
    env: { IMAGE: 'ghcr.io/acme-garden/taskboard-web' }
    steps:
      - uses: actions/checkout@v4
      - uses: docker/login-action@v3
        with: { registry: ghcr.io, username: '${{ github.actor }}', password: '${{ github.token }}' }
      - run: |
          printf 'FROM scratch\\nCOPY README.md /\\n' | docker build --quiet --tag $IMAGE:$GITHUB_REF_NAME --file - .
          docker push $IMAGE:$GITHUB_REF_NAME
";

/// To a registry that is not ours, with a login that no job has.
fn publish_elsewhere(shop: &Shop, latest: &str, digest: &str) -> Result<()> {
    let delivery = registry_with_login();
    let login = shop.path(".git/delivery.json");
    let login = login.to_string_lossy();
    Cmd::new("skopeo")
        .args(&["login", "--tls-verify=false", "--authfile", &login, "--username", USER])
        .args(&["--password", PASSWORD, delivery.address()])
        .run()?;
    shop.with_policy(&[("ghcr.io/", &format!("{}/", delivery.address()))], || {
        let publish = ["publish", "web", "--from", latest, "--authfile", &*login];
        let dry = shop.ask(&[&publish[..], &["--dry-run"]].concat())?;
        ensure!(dry.contains("latest"), "a dry run says what would move: {dry}");
        shop.ask(&publish)
    })?;
    let name = format!("docker://{}/acme-garden/taskboard-web:latest", delivery.address());
    let there: Value = serde_json::from_str(&skopeo(&["inspect", "--no-tags", &name])?)?;
    ensure!(there["Digest"].as_str() == Some(digest), "{there}");
    Ok(())
}
