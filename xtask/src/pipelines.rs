//! The example's four pipelines: each runs to its end with real builds, the good way and with the failures that it exists for.
//!
//! A pipeline is a folder of `examples/taskboard/pipelines`: workflows and a `lineclear.toml` that are laid over the product. What is asked
//! is what stands in the registries afterwards, what the gate says, and that nothing moved that should not have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lineclear_testkit::images::{PASSWORD, USER, registry_with_login};
use serde_json::Value;

use crate::example::{Told, lineclear, tell};
use crate::shell::Cmd;
use crate::taskboard::{commit_all, kept, repository, skopeo};

/// Where the images of the example go, as the forge's owner is written in names of images.
const RELEASED: &str = "ghcr.io/acme-garden/taskboard";

pub fn run(example: &Path, home: &Path, image_prefix: &str) -> Result<()> {
    let shop = |name: &str| Shop::open(example, home, image_prefix, name);
    balanced(&shop("balanced")?)?;
    hardened(&shop("hardened")?)?;
    matrix(&shop("matrix")?)?;
    promote(&shop("promote")?)
}

/// CI, and a publication of its own after it or for a version tag (S0-1, S0-4, S0-5, S0-15, S0-19..S0-22, S0-33..S0-37, S0-53).
fn balanced(shop: &Shop) -> Result<()> {
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
    let short = &shop.head()?[..7];
    let kept = shop.kept()?;
    for image in ["web", "nginx"] {
        let digest = kept.get(&format!("{RELEASED}-{image}:latest")).context("`latest` is published")?;
        ensure!(kept.get(&format!("{RELEASED}-{image}:sha-{short}")) == Some(digest), "`sha-{short}` is `latest`");
    }
    shop.gate(&["HEAD"], true)?;

    say("balanced, a version");
    shop.git(&["tag", "v1.2.3"])?;
    shop.run(&["--ref", "refs/tags/v1.2.3"])?.ended("success")?;
    ensure!(shop.kept()?.contains_key(&format!("{RELEASED}-web:v1.2.3")), "the version is published");

    say("balanced, a real registry");
    let delivery = registry_with_login();
    let policy = fs::read_to_string(shop.path("lineclear.toml"))?;
    shop.write("lineclear.toml", &policy.replace("ghcr.io/", &format!("{}/", delivery.address())))?;
    let login = shop.path(".git/delivery.json");
    Cmd::new("skopeo")
        .args(&["login", "--tls-verify=false", "--authfile", &login.to_string_lossy(), "--username", USER])
        .args(&["--password", PASSWORD, delivery.address()])
        .run()?;
    let dry = shop.ask(&["publish", "web", "--from", &format!("{RELEASED}-web:latest"), "--dry-run"])?;
    ensure!(dry.contains("latest"), "a dry run says what would move: {dry}");
    let login = login.to_string_lossy();
    shop.ask(&["publish", "web", "--from", &format!("{RELEASED}-web:latest"), "--authfile", &login])?;
    let there = skopeo(&[
        "inspect",
        "--no-tags",
        &format!("docker://{}/acme-garden/taskboard-web:latest", delivery.address()),
    ])?;
    let there: Value = serde_json::from_str(&there)?;
    ensure!(there["Digest"].as_str() == kept.get(&format!("{RELEASED}-web:latest")).map(String::as_str), "{there}");
    shop.write("lineclear.toml", &policy)?;

    say("balanced, a commit that breaks");
    let before = shop.kept()?;
    shop.append("frontend/src/columns.js", "\nconst unused = 1;\n")?;
    shop.commit("an unused name")?;
    let told = shop.run(&["--ref", "refs/heads/main"])?;
    told.ended("failure")?;
    told.jobs(&[("frontend-quality", "failure"), ("smoke-e2e", "skipped")])?;
    shop.gate(&["HEAD"], false)?;
    let refused = shop.refuse(&["publish", "web", "--from", &format!("{RELEASED}-web:latest")])?;
    ensure!(refused.contains("frontend-quality"), "the refusal names the check: {refused}");
    shop.git(&["tag", "v1.2.4"])?;
    shop.run(&["--ref", "refs/tags/v1.2.4"])?.ended("failure")?;
    ensure!(shop.kept()? == before, "a red commit changed the registry");

    say("balanced, a pull request");
    shop.git(&["checkout", "-q", "-b", "feature/build"])?;
    shop.git(&["revert", "--no-edit", "HEAD"])?;
    let told = shop.run(&["--event", "pull_request", "-W", ".github/workflows/ci.yml", "-j", "docker-build-check"])?;
    told.ended("success")?;
    ensure!(shop.kept()? == before, "a pull request changed the registry");
    Ok(())
}

/// Scanners that never fail a job, and a gate that reads what they found (S1-51, S1-52, S1-56, S1-62, S1-72).
fn hardened(shop: &Shop) -> Result<()> {
    say("hardened, a push of main");
    let keys = shop.path(".git/keys");
    fs::create_dir_all(&keys)?;
    Cmd::new("cosign").args(&["generate-key-pair"]).folder(&keys).env("COSIGN_PASSWORD", "").read()?;
    fs::create_dir_all(shop.path("keys"))?;
    fs::copy(keys.join("cosign.pub"), shop.path("keys/release.pub"))?;
    shop.commit("the key of releases")?;
    let key = fs::read_to_string(keys.join("cosign.key"))?;
    let secrets = [("COSIGN_PRIVATE_KEY", key.as_str()), ("COSIGN_PASSWORD", "")];
    let push = ["--ref", "refs/heads/main", "--secret", "COSIGN_PRIVATE_KEY", "--secret", "COSIGN_PASSWORD"];
    let told = shop.run_with(&push, &secrets)?;
    told.ended("success")?;
    told.jobs(&[
        ("Models and migrations agree", "success"),
        ("Hooks", "success"),
        ("Security", "success"),
        ("Image", "success"),
        ("publish", "success"),
    ])?;
    let latest = format!("{RELEASED}-web:latest");
    let published = shop.kept()?.get(&latest).cloned().context("`latest` is published")?;
    let about = shop.ask(&["gate", &published, "--explain"])?;
    ensure!(about.contains("signature") && about.contains("SBOM"), "the gate shows what it rests on: {about}");

    say("hardened, a finding that nobody wanted to see");
    shop.append(
        "backend/tasks/summary.py",
        "\n\ndef shell(command):\n    import subprocess\n\n    return subprocess.run(command, shell=True)\n",
    )?;
    shop.commit("a shell for everybody")?;
    let told = shop.run_with(&push, &secrets)?;
    told.jobs(&[("Security", "success"), ("publish", "failure")])?;
    shop.gate(&["HEAD"], false)?;
    let list = shop.ask(&["security"])?;
    ensure!(list.contains("B602"), "the finding is in the list: {list}");
    ensure!(shop.kept()?.get(&latest) == Some(&published), "an image with a finding moved");
    Ok(())
}

/// A matrix, one image for all of its legs, and a delivery that tries it by digest (S2-1..S2-12, S2-31).
fn matrix(shop: &Shop) -> Result<()> {
    say("matrix, a push of main");
    let told = shop.run(&["--ref", "refs/heads/main"])?;
    told.ended("success")?;
    told.jobs(&[("Image", "success"), ("Try the image", "success")])?;
    let commit = shop.head()?;
    let name = |tag: &str| format!("ghcr.io/acme-garden/taskboard:{tag}");
    let built = shop.kept()?.get(&name(&format!("sha-{commit}"))).cloned().context("CI pushed the commit's image")?;
    ensure!(told.output("Try the image", "digest") == built, "another image was tried than CI had built");
    ensure!(told.logs("try").iter().any(|line| line.contains("total 267.00")), "the image answered");

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
    told.jobs(&[("Image", "skipped"), ("Try the image", "skipped")])?;
    ensure!(shop.kept()? == before, "a red commit changed the registry");
    Ok(())
}

/// Built once on `dev`, retagged for production through a merge commit (S3-10, S3-11, S3-14..S3-17, S3-20).
fn promote(shop: &Shop) -> Result<()> {
    const IMAGES: [&str; 4] = ["web", "celery", "celery-beat", "nginx"];
    say("promote, a push of dev");
    shop.git(&["branch", "-m", "main", "prod"])?;
    shop.git(&["checkout", "-q", "-b", "dev"])?;
    shop.append("frontend/src/style.css", "\nh1 { color: #37647a; }\n")?;
    shop.commit("colours")?;
    shop.run(&["--ref", "refs/heads/dev"])?.ended("success")?;
    let tested = shop.head()?;
    let kept = shop.kept()?;
    let of = |kept: &BTreeMap<String, String>, image: &str, tag: &str| {
        kept.get(&format!("{RELEASED}-{image}:{tag}")).cloned()
    };
    for image in IMAGES {
        let candidate = of(&kept, image, &format!("candidate-{tested}")).context("the candidate is there")?;
        ensure!(
            of(&kept, image, &format!("dev-{tested}")) == Some(candidate),
            "`{image}` was released as it was tested"
        );
    }

    say("promote, a merge into prod");
    shop.git(&["checkout", "-q", "prod"])?;
    shop.git(&["merge", "-q", "--no-ff", "-m", "release", "dev"])?;
    let told = shop.run(&["--ref", "refs/heads/prod"])?;
    told.ended("success")?;
    ensure!(!told.said("Building"), "a promotion builds nothing");
    let production = shop.kept()?;
    for image in IMAGES {
        let mut promoted = production.iter().filter(|(name, _)| name.starts_with(&format!("{RELEASED}-{image}:prod-")));
        let (_, digest) = promoted.next().with_context(|| format!("`{image}` is promoted: {production:?}"))?;
        ensure!(
            of(&kept, image, &format!("dev-{tested}")).as_ref() == Some(digest),
            "`{image}` runs as another one was tested"
        );
    }

    say("promote, a smoke test that fails, on dev and in production");
    for branch in ["dev", "prod"] {
        shop.git(&["checkout", "-q", branch])?;
        if branch == "prod" {
            shop.git(&["merge", "-q", "--no-ff", "-m", "release", "dev~1"])?;
        }
        shop.append("README.md", &format!("\nOn {branch}.\n"))?;
        shop.commit("words")?;
        let before = shop.kept()?;
        let told = shop.run(&["--ref", &format!("refs/heads/{branch}"), "--var", "SMOKE_MUST_FAIL=yes"])?;
        told.ended("failure")?;
        let released = |kept: BTreeMap<String, String>| {
            kept.into_iter().filter(|(name, _)| !name.contains(":candidate-")).collect::<BTreeMap<_, _>>()
        };
        ensure!(released(shop.kept()?) == released(before), "a failed smoke test released something on {branch}");
    }
    Ok(())
}

fn say(what: &str) {
    println!("-- pipeline {what}");
}

/// A repository with one of the pipelines.
struct Shop {
    folder: tempfile::TempDir,
    home: PathBuf,
    variable: String,
}

impl Shop {
    fn open(example: &Path, home: &Path, image_prefix: &str, name: &str) -> Result<Self> {
        let folder = repository(example, Some(&example.join("pipelines").join(name)))?;
        let home = home.join(format!("pipeline-{name}"));
        fs::create_dir_all(&home)?;
        Ok(Self { folder, home, variable: format!("IMAGE_PREFIX={image_prefix}") })
    }

    fn run(&self, args: &[&str]) -> Result<Told> {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], secrets: &[(&str, &str)]) -> Result<Told> {
        let mut all = vec!["--var", &self.variable];
        all.extend(args);
        tell(self.folder.path(), &self.home, &all, secrets)
    }

    fn command(&self, args: &[&str]) -> Result<std::process::Output> {
        let mut command = std::process::Command::new(lineclear());
        command.args(args).current_dir(self.folder.path()).env("LINECLEAR_HOME", &self.home);
        command.output().with_context(|| format!("cannot start `lineclear {}`", args.join(" ")))
    }

    /// A command that succeeds; gives what it says.
    fn ask(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args)?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        ensure!(output.status.success(), "`lineclear {}` ended with {}: {text}", args.join(" "), output.status);
        Ok(text)
    }

    /// A command that is refused; gives what it says.
    fn refuse(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args)?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        ensure!(output.status.code() == Some(1), "`lineclear {}` ended with {}: {text}", args.join(" "), output.status);
        Ok(text)
    }

    fn gate(&self, args: &[&str], clear: bool) -> Result<()> {
        let mut all = vec!["gate", "--explain"];
        all.extend(args);
        let output = self.command(&all)?;
        let expected = if clear { 0 } else { 1 };
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(expected), "the gate says {}: {text}", output.status);
        Ok(())
    }

    fn kept(&self) -> Result<BTreeMap<String, String>> {
        kept(self.folder.path(), &self.home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path(name), text).with_context(|| format!("cannot write `{name}`"))
    }

    fn append(&self, name: &str, text: &str) -> Result<()> {
        let before = fs::read_to_string(self.path(name)).with_context(|| format!("cannot read `{name}`"))?;
        self.write(name, &(before + text))
    }

    fn commit(&self, message: &str) -> Result<()> {
        commit_all(self.folder.path(), message)
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        let who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"];
        Cmd::new("git").args(&who).args(args).folder(self.folder.path()).run()
    }

    fn head(&self) -> Result<String> {
        let head = Cmd::new("git").args(&["rev-parse", "HEAD"]).folder(self.folder.path()).read()?;
        Ok(head.trim().to_owned())
    }
}
