//! Built once on `dev`, retagged for production through a merge commit, and run there.
//!
//! S3-10, S3-11, S3-14..S3-20, S3-25.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::{RELEASED, Shop, say};

const IMAGES: [&str; 4] = ["web", "celery", "celery-beat", "nginx"];
const SMOKE_FAILS: [&str; 2] = ["--var", "SMOKE_MUST_FAIL=yes"];

pub(super) fn play(shop: &Shop) -> Result<()> {
    shop.git(&["branch", "-m", "main", "prod"])?;
    shop.git(&["checkout", "-q", "-b", "dev"])?;
    // As a clone has it, of a repository whose default branch is `dev`.
    shop.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev"])?;

    say("promote, a pull request to dev that fails, and is mended");
    shop.git(&["checkout", "-q", "-b", "feature/colours"])?;
    shop.append("frontend/src/style.css", "\nh1 { color: #37647a; }\n")?;
    shop.append("backend/tasks/summary.py", "\nimport os\n")?;
    shop.commit("colours, and a name that nobody uses")?;
    let asked = ["HEAD", "--gate", "dev", "--on", "pull_request"];
    let to_dev = ["--event", "pull_request", "-W", ".github/workflows/ci.yml"];
    shop.run(&to_dev)?.ended("failure")?;
    shop.blocked(&asked, &["CI / backend"])?;
    shop.git(&["checkout", "-q", "HEAD~1", "--", "backend/tasks/summary.py"])?;
    shop.commit("without it")?;
    shop.run(&to_dev)?.ended("success")?;
    shop.clear(&asked)?;

    say("promote, dev with a smoke test that fails");
    shop.git(&["checkout", "-q", "dev"])?;
    shop.git(&["merge", "-q", "--ff-only", "feature/colours"])?;
    let push = ["--ref", "refs/heads/dev"];
    shop.run(&[&push[..], &SMOKE_FAILS].concat())?.ended("failure")?;
    let names: Vec<String> = shop.kept()?.into_keys().filter(|name| !name.contains(":candidate-")).collect();
    ensure!(names.is_empty(), "a failed smoke test released {names:?}");

    say("promote, dev");
    shop.run(&push)?.ended("success")?;
    let tested = shop.head()?;
    let kept = shop.kept()?;
    for image in IMAGES {
        let candidate = of(&kept, image, &format!("candidate-{tested}"))?;
        let released = of(&kept, image, &format!("dev-{tested}"))?;
        ensure!(released == candidate, "`{image}` was released as it was tested");
    }

    say("promote, a merge into prod with a smoke test that fails");
    shop.git(&["checkout", "-q", "prod"])?;
    shop.git(&["merge", "-q", "--no-ff", "-m", "release", "dev"])?;
    let push = ["--ref", "refs/heads/prod"];
    shop.run(&[&push[..], &SMOKE_FAILS].concat())?.ended("failure")?;
    shop.refuse(&["promote", "web", "production"], &["Production / Smoke"])?;
    ensure!(shop.kept()? == kept, "a failed smoke test promoted something");

    say("promote, the same merge");
    let told = shop.run(&push)?;
    told.ended("success")?;
    ensure!(!told.said("RUN "), "a promotion builds nothing");
    let production = shop.kept()?;
    for image in IMAGES {
        let promoted = of(&production, image, &format!("prod-{}", &tested[..7]))?;
        ensure!(promoted == of(&kept, image, &format!("dev-{tested}"))?, "`{image}` is another one than was tested");
    }
    let web = of(&production, "web", &format!("dev-{tested}"))?;
    ensure!(told.output("Deploy", "running") == web, "what runs is another image than was promoted");
    let table = shop.ask(&["images", "web"])?;
    for part in [&web[..12], &tested[..7], "dev-", "prod-", "production"] {
        ensure!(table.contains(part), "the table of images has no `{part}`: {table}");
    }
    Ok(())
}

fn of(kept: &BTreeMap<String, String>, image: &str, tag: &str) -> Result<String> {
    let name = format!("{RELEASED}-{image}:{tag}");
    kept.get(&name).cloned().with_context(|| format!("there is no `{name}`, but {:?}", kept.keys()))
}
