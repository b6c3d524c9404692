//! A matrix, one image for all of its legs, and a delivery that tries it by digest.
//!
//! S2-1..S2-12, S2-27, S2-31.

use anyhow::{Context, Result, ensure};

use super::{Shop, say};
use crate::shell::root;

pub(super) fn play(shop: &Shop) -> Result<()> {
    let name = |tag: &str| format!("ghcr.io/acme-garden/taskboard:{tag}");
    say("matrix, a pull request");
    shop.git(&["checkout", "-q", "-b", "feature/words"])?;
    shop.append("README.md", "\nMore words.\n")?;
    shop.commit("words")?;
    // One leg will do: it proves nothing for a gate, and the forge knows the pull request from then on.
    let part = ["--event", "pull_request", "-j", "comment", "--matrix", "python:3.11"];
    let told = shop.run(&part)?;
    told.ended("success")?;
    let comments = told.shown_on_the_forge("/comments");
    ensure!(comments.iter().any(|comment| comment.contains("Tests: success")), "CI comments: {comments:?}");

    say("matrix, a push of main");
    shop.git(&["checkout", "-q", "main"])?;
    shop.git(&["merge", "-q", "--ff-only", "feature/words"])?;
    // The scan is switched on by a variable, and goes by what was imported on this machine.
    let planned = shop.ask(&["plan", "--ref", "refs/heads/main"])?;
    ensure!(planned.contains("vars.IMAGE_SCAN"), "the plan says what switches the scan on: {planned}");
    let records = root().join("examples/taskboard/pipelines/hardened/security/advisories");
    shop.ask(&["vulnerabilities", "import", &records.to_string_lossy()])?;
    let told = shop.run(&["--ref", "refs/heads/main", "--var", "IMAGE_SCAN=true"])?;
    told.ended("success")?;
    told.jobs(&[("Image", "success"), ("Scan", "success"), ("Try the image", "success")])?;
    let commit = shop.head()?;
    let built = shop.kept()?.get(&name(&format!("sha-{commit}"))).cloned().context("CI pushed the commit's image")?;
    let scans = shop.ask(&["evidence", "list", &built, "--format", "json"])?;
    ensure!(scans.contains("\"scan\""), "what the scan said of the digest is evidence: {scans}");
    ensure!(told.output("Try the image", "digest") == built, "another image was tried than CI had built");
    ensure!(told.logs("try").iter().any(|line| line.contains("total 267.00")), "the image answered");
    let comments = told.shown_on_the_forge("/comments");
    ensure!(
        comments.iter().any(|comment| comment.contains("total 267.00") && comment.contains(&built)),
        "the pull request is told what the image answered: {comments:?}"
    );

    say("matrix, a version");
    shop.git(&["tag", "v2.0.0"])?;
    shop.run(&["--ref", "refs/tags/v2.0.0"])?.ended("success")?;
    ensure!(shop.kept()?.get(&name("prod")) == Some(&built), "`prod` is another image than CI had built");

    say("matrix, too little of it tested");
    let before = shop.kept()?;
    shop.append(
        "service/quote/__init__.py",
        "\n\ndef untested(a):\n    if a:\n        return 1\n    if a is None:\n        return 2\n    return 3\n",
    )?;
    shop.commit("nobody tests this")?;
    let told = shop.run(&["--ref", "refs/heads/main"])?;
    told.ended("failure")?;
    told.jobs(&[("Image", "skipped"), ("Scan", "skipped"), ("Try the image", "skipped")])?;
    shop.blocked(&["HEAD"], &["coverage"])?;
    ensure!(shop.kept()? == before, "a red commit changed the registry");
    Ok(())
}
