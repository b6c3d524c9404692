//! Ways round the gate. Each is tried in earnest; afterwards the registry is looked at, and not what anybody said of it.

use std::fs;

use anyhow::{Context, Result, ensure};
use lineclear_oci::{RepositoryName, Tag};
use lineclear_store::{Images as _, LineHash};
use serde_json::{Value, json};

use super::merges::{older_again, two_at_once};
use super::stage::{Said, Stage, sh};
use super::table::Row;
use super::truth::RELEASE;

/// One way round.
pub(super) struct Attack {
    pub(super) name: &'static str,
    deed: &'static str,
    /// What has to become of it.
    expected: &'static str,
    /// Tries it, and gives all that was said; an error is something that has to be so and is not.
    carry: fn(&mut Stage) -> Result<String>,
    /// Words that the refusal has: without them it failed for another reason, and proves nothing.
    refusal: &'static [&'static str],
}

pub(super) const ALL: &[Attack] = &[
    Attack {
        name: "stray-docker-push",
        deed: "a job of a red commit logs in and runs `docker push`",
        expected: "refused with the gate and the failed check; candidates are taken",
        carry: stray_docker_push,
        refusal: &["gate `main` is blocked", "docker: 1"],
    },
    Attack {
        name: "raw-push",
        deed: "`curl` and `skopeo` push with the token of a red commit's job, and rename a candidate",
        expected: "403, each of them",
        carry: raw_push,
        refusal: &["push of ci-raw:  201", "DENIED", "skopeo: 1"],
    },
    Attack {
        name: "forged-workflow-run",
        deed: "`--event workflow_run` with a payload that says success for a red commit: of a run that nobody knows, and of the red one",
        expected: "refused: the record of runs counts, not the payload",
        carry: forged_workflow_run,
        refusal: &["is not known here", "ended: failure"],
    },
    Attack {
        name: "fork-called-main",
        deed: "a fork's pull request from its `main`, which is green, and a publish workflow that does not look",
        expected: "refused: a fork speaks for no commit",
        carry: fork_called_main,
        refusal: &["publishes nothing"],
    },
    Attack {
        name: "tag-on-red",
        deed: "a tag `v9.9.9` on a red commit",
        expected: "the publish job is refused its tag",
        carry: tag_on_red,
        refusal: &["gate `main` is blocked"],
    },
    Attack {
        name: "evidence-of-another-commit",
        deed: "the red commit's code is made green on a branch; then the red commit is run, asked for and published",
        expected: "blocked: evidence follows contents, and not branches",
        carry: evidence_of_another_commit,
        refusal: &["blocked", "test"],
    },
    Attack {
        name: "latest-backwards",
        deed: "an older green commit is run once more while a newer one publishes, and again afterwards",
        expected: "`latest` stays with the newer one",
        carry: latest_backwards,
        refusal: &["newer"],
    },
    Attack {
        name: "version-overwritten",
        deed: "jobs of later green commits push other contents as a version that is released",
        expected: "refused: the version keeps its digest",
        carry: version_overwritten,
        refusal: &["v1.0.0", " 403"],
    },
    Attack {
        name: "version-tagged-anew",
        deed: "a released version's git tag is deleted, and set and pushed anew on another green commit",
        expected: "refused: the version keeps its digest",
        carry: version_tagged_anew,
        refusal: &["v1.1.0"],
    },
    Attack {
        name: "evidence-for-a-sibling",
        deed: "a person tried one image; another image of the same commit is published with that",
        expected: "blocked for the sibling, clear for the image that was tried",
        carry: evidence_for_a_sibling,
        refusal: &["tried-by-hand"],
    },
    Attack {
        name: "edited-ledger",
        deed: "the one failure that is in an image's way is changed in the ledger, removed or put elsewhere, or cut off with what follows",
        expected: "`ledger verify` names the entry, or says how many are gone; `publish` refuses, and would not if the chain were whole",
        carry: edited_ledger,
        refusal: &["entry"],
    },
    Attack {
        name: "dirty-working-tree",
        deed: "changes that no commit has make a red commit's CI green",
        expected: "CI succeeds, and nothing is published",
        carry: dirty_working_tree,
        refusal: &[" was not set"],
    },
    Attack {
        name: "adjusted-run",
        deed: "`--env` and `--matrix` make a red commit's CI green",
        expected: "CI succeeds, and nothing is published",
        carry: adjusted_run,
        refusal: &[" was not set"],
    },
    Attack {
        name: "another-commit-checked-out",
        deed: "the publish job of a green commit checks a red one out, and pushes that",
        expected: "refused: it is not what the job speaks for",
        carry: another_commit_checked_out,
        refusal: &["the job has checked out"],
    },
    Attack {
        name: "policy-dropped",
        deed: "a red branch drops the image from `lineclear.toml`, and pushes",
        expected: "refused: the default branch's policy holds",
        carry: policy_dropped,
        refusal: &["push of latest: ", " 403"],
    },
    Attack {
        name: "easier-gate-on-a-branch",
        deed: "a red branch gives itself an easier gate and the tag `latest`, and publishes by `uses: lineclear/publish` and by a push",
        expected: "refused, both: the default branch's policy holds",
        carry: easier_gate_on_a_branch,
        refusal: &["has no tags for refs/heads/easy", "push of latest: ", " 403"],
    },
    Attack {
        name: "published-by-an-adjusted-run",
        deed: "`--env` changes what the publish job of a green commit builds; later an honest job of that commit pushes the same image again",
        expected: "refused, both: no commit says what is in that image",
        carry: published_by_an_adjusted_run,
        refusal: &["push of ci-odd:  201", "this run was adjusted", "from an unknown commit"],
    },
    Attack {
        name: "image-of-another-commit",
        deed: "a green commit's job pushes a red commit's images under `latest`: as it is, inside an index of its own, and one whose push nobody waited for",
        expected: "refused, all: their commit's gate is asked, too",
        carry: image_of_another_commit,
        refusal: &["push of ci-red:  201", "which comes from", "ci-gone is there", "ci-gone: 1", "it leads to sha256:"],
    },
    Attack {
        name: "other-names",
        deed: "a red commit's job spells the repository and the tag in other ways, removes `latest` and mounts what a candidate has",
        expected: "refused, or no name at all; nothing is removed",
        carry: other_names,
        refusal: &["put /v2/ghcr.io/octo/app/manifests/l%61test: 403", "delete latest: 403", "delete by digest: 403"],
    },
    Attack {
        name: "registry-of-another-name",
        deed: "a red branch says in `lineclear.toml` that no name leads to the embedded registry, and pushes there all the same",
        expected: "refused: the release repository is held under the name by which others find it",
        carry: registry_of_another_name,
        refusal: &["push of ci-name:  201", "push of latest: ", " 403"],
    },
    Attack {
        name: "another-repository",
        deed: "a job of another repository of the same owner, without a policy and with one of its own, pushes to the release repository",
        expected: "refused, both: another repository releases there",
        carry: another_repository,
        refusal: &["`octo/app` releases there, and this is `octo/other`"],
    },
];

pub(super) fn run(stage: &mut Stage, attack: &Attack) -> Result<Row> {
    let said = (attack.carry)(stage).with_context(|| format!("`{}`", attack.name));
    stage.git("git checkout -q -f main && git clean -qfd")?;
    let counts = stage.counts()?;
    let mut row = Row::of(attack.name, attack.deed, attack.expected, &counts);
    match said {
        Ok(text) => {
            for words in attack.refusal.iter().filter(|words| !text.contains(*words)) {
                row.findings.push(format!("{}: nobody said `{words}`", attack.name));
            }
            if !row.is_good() {
                let lines: Vec<&str> = text.lines().filter(|line| !line.contains("\"expression\"")).collect();
                println!("{}", lines[lines.len().saturating_sub(60)..].join("\n"));
            }
        }
        Err(error) => row.findings.push(format!("{error:#}")),
    }
    row.show();
    Ok(row)
}

/// A workflow with one job that may push packages.
fn job(on: &str, checkout: &str, script: &str) -> String {
    let script: String = script.trim().lines().map(|line| format!("          {line}\n")).collect();
    format!(
        "name: Attack\non: {on}\npermissions: {{ contents: read, packages: write }}\njobs:\n  attack:\n    runs-on: ubuntu-latest\n    \
         steps:\n      - uses: actions/checkout@v4\n        with: {{ fetch-depth: 0, allow-unsafe-pr-checkout: true, {checkout} }}\n      \
         - env: {{ TOKEN: '${{{{ github.token }}}}' }}\n        run: |\n{script}"
    )
}

/// Where it lies.
const ATTACK: &str = ".github/workflows/attack.yml";

const PUSHED: &str = "{ push: { branches: ['**'] } }";

/// Commits something red with a workflow that pushes, and runs all of it.
fn red_with(stage: &mut Stage, script: &str) -> Result<Said> {
    stage.commit("test-fails", Some(&job(PUSHED, "", script)))?;
    stage.run(&[])
}

fn stray_docker_push(stage: &mut Stage) -> Result<String> {
    let script = "
set +e
docker build -q -t ghcr.io/octo/app:latest . > /dev/null
echo \"$TOKEN\" | docker login ghcr.io -u x --password-stdin > /dev/null 2>&1
docker push ghcr.io/octo/app:latest > docker.txt 2>&1; echo \"docker: $? $(tail -1 docker.txt)\"
docker tag ghcr.io/octo/app:latest ghcr.io/octo/app:ci-docker
docker push -q ghcr.io/octo/app:ci-docker && echo 'the candidate is taken'
docker rmi -f ghcr.io/octo/app:latest ghcr.io/octo/app:ci-docker > /dev/null
true";
    let said = red_with(stage, script)?;
    ensure!(said.text.contains("the candidate is taken"), "nothing was pushed at all: {}", said.tail());
    Ok(said.text)
}

fn raw_push(stage: &mut Stage) -> Result<String> {
    let script = "
set +e
sh push.sh ci-raw
sh push.sh latest
sh push.sh sha-$(git rev-parse HEAD | cut -c1-7)
sh push.sh v7.7.7
r=docker://$LINECLEAR_REGISTRY/ghcr.io/octo/app
skopeo copy --src-tls-verify=false --dest-tls-verify=false --src-creds x:$TOKEN --dest-creds x:$TOKEN $r:ci-raw $r:latest > skopeo.txt 2>&1; echo \"skopeo: $? $(tail -1 skopeo.txt)\"
true";
    let said = red_with(stage, script)?;
    ensure!(said.text.matches(" 403").count() >= 3, "three pushes are to be refused: {}", said.tail());
    Ok(said.text)
}

fn forged_workflow_run(stage: &mut Stage) -> Result<String> {
    stage.commit("test-fails", None)?;
    let red = stage.run(&[])?;
    ensure!(red.exit != 0, "a red commit's CI ended well");
    let id = red.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|event| {
        let run = &event["run"];
        run.as_u64().or_else(|| run["id"].as_u64()).or_else(|| run.as_str()?.parse().ok())
    });
    let id = id.context("no event names its run")?;
    let (sha, mut all) = (stage.head()?, String::new());
    for claimed in [4711, id] {
        let payload = json!({
            "action": "completed", "repository": base(),
            "workflow_run": {
                "id": claimed, "name": "CI", "path": ".github/workflows/ci.yml", "conclusion": "success", "status": "completed",
                "event": "push", "head_branch": "main", "head_sha": sha, "head_repository": base(),
            },
        });
        let file = stage.beside("forged.json");
        fs::write(&file, payload.to_string())?;
        let file = file.to_string_lossy().into_owned();
        all += &stage.run(&["--event", "workflow_run", "--payload", &file])?.text;
    }
    Ok(all)
}

fn base() -> Value {
    json!({ "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" })
}

fn fork_called_main(stage: &mut Stage) -> Result<String> {
    let base_sha = stage.head()?;
    stage.git("git checkout -q -b of-a-fork")?;
    let label = stage.commit("green", None)?;
    let sha = stage.head()?;
    // It is green, and nobody's release.
    let mut content = stage.truth.of(&label).cloned().context("it was committed")?;
    content.green = false;
    stage.truth.add(&label, content);
    let fork = json!({ "full_name": "evil/app", "name": "app", "id": 2, "fork": true, "owner": { "login": "evil" } });
    let payload = json!({
        "action": "opened", "number": 7, "repository": base(),
        "pull_request": {
            "number": 7, "title": "t", "id": 70,
            "head": { "ref": "main", "sha": sha, "repo": fork }, "base": { "ref": "main", "sha": base_sha, "repo": base() },
        },
    });
    let file = stage.beside("fork.json");
    fs::write(&file, payload.to_string())?;
    let said = stage.run(&["--event", "pull_request", "--payload", &file.to_string_lossy()])?;
    stage.git("git checkout -q main && git branch -q -D of-a-fork")?;
    Ok(said.text)
}

fn tag_on_red(stage: &mut Stage) -> Result<String> {
    stage.commit("test-fails", None)?;
    stage.run(&["--no-chain"])?;
    stage.git("git tag v9.9.9")?;
    Ok(stage.run(&["--event", "push", "--ref", "refs/tags/v9.9.9"])?.text)
}

fn evidence_of_another_commit(stage: &mut Stage) -> Result<String> {
    let script = "sh push.sh latest; sh push.sh ci-red";
    red_with(stage, script)?;
    let red = stage.head()?;
    stage.git("git checkout -q -b again")?;
    stage.commit("green", None)?;
    let green = stage.run(&["--no-chain"])?;
    ensure!(green.exit == 0, "the branch is to be green: {}", green.tail());
    stage.git("git checkout -q main")?;
    let mut all = stage.run(&[])?.text;
    for asked in [&["gate", &red, "--gate", "main", "--explain"][..], &["publish", "app", "--commit", &red]] {
        let said = stage.say(asked)?;
        ensure!(said.exit == 1, "`lineclear {}` ended with {}: {}", asked.join(" "), said.exit, said.text);
        all += &said.text;
    }
    stage.git("git branch -q -D again")?;
    Ok(all)
}

fn latest_backwards(stage: &mut Stage) -> Result<String> {
    stage.published()?;
    stage.commit("green", None)?;
    two_at_once(stage)?;
    // Now that the newer one is there, the older one alone.
    Ok(older_again(stage)?.text)
}

/// A green commit that is released as `version`.
fn release(stage: &mut Stage, version: &str) -> Result<()> {
    let label = stage.published()?;
    stage.git(&format!("git tag {version}"))?;
    let said = stage.run(&["--event", "push", "--ref", &format!("refs/tags/{version}")])?;
    ensure!(said.exit == 0, "`{version}` is not released: {}", said.tail());
    stage.truth.versions.insert(version.to_owned(), label);
    let tag = Tag::parse(version)?;
    let kept = stage.store()?.tag(&RepositoryName::parse(super::truth::RELEASE)?, &tag)?;
    ensure!(kept.is_some(), "`{version}` is not there after its release");
    Ok(())
}

fn version_overwritten(stage: &mut Stage) -> Result<String> {
    release(stage, "v1.0.0")?;
    let follow = "{ workflow_run: { workflows: [CI], types: [completed] } }";
    stage.commit("green", Some(&job(follow, "", "sh push.sh v1.0.0; sh push.sh ci-other")))?;
    let said = stage.run(&[])?;
    stage.truth.newest = Some(fs::read_to_string(stage.root().join("content"))?);
    ensure!(said.text.contains("push of ci-other:  201"), "nothing was pushed at all: {}", said.tail());
    // The same from a run of another version's tag.
    stage.commit("green", Some(&job("{ push: {} }", "", "sh push.sh v1.0.0")))?;
    stage.run(&["-W", ".github/workflows"])?;
    stage.truth.newest = Some(fs::read_to_string(stage.root().join("content"))?);
    stage.git("git tag v1.0.1")?;
    stage.truth.versions.insert("v1.0.1".to_owned(), fs::read_to_string(stage.root().join("content"))?);
    Ok(said.text + &stage.run(&["--event", "push", "--ref", "refs/tags/v1.0.1"])?.text)
}

fn version_tagged_anew(stage: &mut Stage) -> Result<String> {
    release(stage, "v1.1.0")?;
    stage.published()?;
    stage.git("git tag -d v1.1.0 && git tag v1.1.0")?;
    let said = stage.run(&["--event", "push", "--ref", "refs/tags/v1.1.0"])?;
    ensure!(said.exit != 0, "the publish job ended well: {}", said.tail());
    Ok(said.text)
}

fn evidence_for_a_sibling(stage: &mut Stage) -> Result<String> {
    let script = "sh push.sh ci-a ghcr.io/octo/reviewed a; sh push.sh ci-b ghcr.io/octo/reviewed b";
    stage.commit("green", Some(&job(PUSHED, "", script)))?;
    let said = stage.run(&[])?;
    ensure!(said.exit == 0, "the commit is to be green: {}", said.tail());
    stage.truth.newest = Some(fs::read_to_string(stage.root().join("content"))?);
    let repository = RepositoryName::parse("ghcr.io/octo/reviewed")?;
    let digest = |stage: &Stage, tag: &str| -> Result<String> {
        let found = stage.store()?.tag(&repository, &Tag::parse(tag)?)?;
        Ok(found.with_context(|| format!("no `{tag}` was pushed: {}", said.tail()))?.to_string())
    };
    let (tried, sibling) = (digest(stage, "ci-a")?, digest(stage, "ci-b")?);
    ensure!(tried != sibling, "both are the same image");
    let stated = stage.say(&["evidence", "add", &tried, "--name", "tried-by-hand"])?;
    ensure!(stated.exit == 0, "`evidence add`: {}", stated.text);
    let refused = stage.say(&["publish", "reviewed", "--digest", &sibling])?;
    ensure!(refused.exit == 1, "the sibling was published: {}", refused.text);
    let published = stage.say(&["publish", "reviewed", "--digest", &tried])?;
    ensure!(published.exit == 0, "what was tried is not published: {}", published.text);
    ensure!(digest(stage, "stable")? == tried, "`stable` is another image");
    Ok(refused.text)
}

/// One failure is all that is in the way of an image, and whoever edits the ledger takes it away. Each edit is tried once more with the chain made
/// whole behind it: then the image is published, so it is the chain alone that holds it back.
fn edited_ledger(stage: &mut Stage) -> Result<String> {
    stage.commit("green", Some(&job(PUSHED, "", "sh push.sh ci-edited")))?;
    let green = stage.run(&["--no-chain"])?;
    ensure!(green.exit == 0, "the first run is to be green: {}", green.tail());
    let tag = Tag::parse("ci-edited")?;
    let digest =
        stage.store()?.tag(&RepositoryName::parse(RELEASE)?, &tag)?.context("no image was pushed")?.to_string();
    let publish = ["publish", "app", "--digest", &digest];
    let clear = in_copy(stage, &publish, None, false)?;
    ensure!(clear.exit == 0, "a green image is not published: {}", clear.text);
    let red = stage.run(&["--no-chain", "--var", "FIRST_TRY=test-fails"])?;
    ensure!(red.exit != 0, "the second run is to be red: {}", red.tail());
    let blocked = in_copy(stage, &publish, None, false)?;
    ensure!(blocked.exit == 1, "with a failed test `publish` ended with {}: {}", blocked.exit, blocked.text);
    let mut all = String::new();
    for (deed, found) in
        [(Edit::Changed, "entry "), (Edit::Removed, "entry "), (Edit::Reordered, "entry "), (Edit::CutOff, "gone")]
    {
        let verified = in_copy(stage, &["ledger", "verify"], Some(deed), false)?;
        ensure!(
            verified.exit != 0 && verified.text.contains(found),
            "{deed:?}: `ledger verify` says {}: {}",
            verified.exit,
            verified.text
        );
        let published = in_copy(stage, &publish, Some(deed), false)?;
        ensure!(
            published.exit == 3 && published.text.contains("ledger"),
            "{deed:?}: `publish` ended with {}: {}",
            published.exit,
            published.text
        );
        let unseen = in_copy(stage, &publish, Some(deed), true)?;
        ensure!(unseen.exit == 0, "{deed:?}: it is not the chain that is in the way: {}", unseen.text);
        all += &format!("{deed:?}: {}{}", verified.text, published.text);
    }
    Ok(all)
}

/// What is done to a ledger.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Changed,
    Removed,
    Reordered,
    CutOff,
}

impl Edit {
    /// Takes the newest failure of the test out of the way.
    fn carry(self, ledger: &str) -> Result<String> {
        let mut lines: Vec<String> = ledger.lines().map(str::to_owned).collect();
        let newest = |conclusion: &str| {
            let is_it = |line: &String| line.contains(conclusion) && line.contains("\"CI / test\"");
            lines.iter().rposition(is_it).with_context(|| format!("the ledger has no {conclusion} of the test"))
        };
        let (failure, success) = (newest("\"failure\"")?, newest("\"success\"")?);
        ensure!(success < failure, "the newest statement of the test is no failure");
        match self {
            Self::Changed => lines[failure] = lines[failure].replace("\"failure\"", "\"success\""),
            Self::Removed => drop(lines.remove(failure)),
            Self::Reordered => lines.swap(success, failure),
            // With all that was written by the same append.
            Self::CutOff => lines.truncate(lines[..failure].iter().rposition(String::is_empty).map_or(0, |at| at + 1)),
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// The same lines with numbers and hashes that fit, as somebody writes them who knows how.
fn made_whole(ledger: &str) -> String {
    let (mut previous, mut number) = (LineHash([0; 32]), 0);
    let mut whole = String::new();
    for line in ledger.lines() {
        let rest = line.split_once("\"number\":").and_then(|(_, rest)| rest.split_once(','));
        if let Some((_, rest)) = rest {
            let line = format!("{{\"previous\":\"{previous}\",\"number\":{number},{rest}");
            previous = LineHash::of(&line);
            number += 1;
            whole += &line;
        }
        whole.push('\n');
    }
    whole
}

/// A command in a copy of the home, after its ledger was edited. With `is_whole`, by somebody who also links what is behind the edit anew, and takes
/// the note away that says where the ledger ended.
fn in_copy(stage: &Stage, args: &[&str], edit: Option<Edit>, is_whole: bool) -> Result<Said> {
    let copy = stage.beside("edited");
    sh(&copy, "find . -mindepth 1 -delete")?;
    sh(&stage.home(), &format!("cp -a . '{}'", copy.display()))?;
    let file = stage.ledger(&copy)?;
    if let Some(edit) = edit {
        let edited = edit.carry(&fs::read_to_string(&file)?)?;
        fs::write(&file, if is_whole { made_whole(&edited) } else { edited })?;
        if is_whole {
            fs::remove_file(file.with_extension("head"))?;
        }
    }
    stage.start_at(&stage.root(), &copy, args)?.end()
}

fn dirty_working_tree(stage: &mut Stage) -> Result<String> {
    stage.commit("test-fails", Some(&job(PUSHED, "", "sh push.sh latest; sh push.sh ci-dirty")))?;
    fs::write(stage.root().join("verdict"), "green")?;
    let said = stage.run(&[])?;
    stage.git("git checkout -q .")?;
    green_ci(&said)?;
    let again = stage.say(&["publish", "app"])?;
    ensure!(again.exit == 1, "`publish` ended with {}: {}", again.exit, again.text);
    Ok(said.text)
}

fn adjusted_run(stage: &mut Stage) -> Result<String> {
    let attack = job(PUSHED, "", "sh push.sh latest; sh push.sh ci-adjusted");
    stage.commit("test-fails", Some(&attack))?;
    let env = stage.run(&["--env", "VERDICT=green"])?;
    green_ci(&env)?;
    stage.commit("lint-fails", Some(&attack))?;
    let matrix = stage.run(&["--matrix", "of:code"])?;
    let again = stage.say(&["publish", "app"])?;
    ensure!(again.exit == 1, "`publish` ended with {}: {}", again.exit, again.text);
    Ok(env.text + &matrix.text)
}

/// The test has succeeded: else it was no attack.
fn green_ci(said: &Said) -> Result<()> {
    let events = said.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut tests = events.filter(|event| event["event"] == "job_finished" && event["name"] == "test");
    ensure!(tests.any(|event| event["conclusion"] == "success"), "the test is to succeed: {}", said.tail());
    Ok(())
}

fn another_commit_checked_out(stage: &mut Stage) -> Result<String> {
    stage.commit("test-fails", None)?;
    stage.run(&["--no-chain"])?;
    let red = stage.head()?;
    let follow =
        "{ workflow_run: { workflows: [CI], types: [completed] }, workflow_dispatch: { inputs: { commit: {} } } }";
    let checkout = format!("ref: \"${{{{ inputs.commit || '{red}' }}}}\"");
    stage.commit("green", Some(&job(follow, &checkout, "sh push.sh latest; sh push.sh ci-another")))?;
    let said = stage.run(&[])?;
    stage.truth.newest = Some(fs::read_to_string(stage.root().join("content"))?);
    // The same, where somebody asks for it by hand.
    let input = format!("commit={red}");
    let by_hand = stage.run(&["--event", "workflow_dispatch", "-W", ATTACK, "--input", &input])?;
    ensure!(by_hand.text.contains("the job has checked out"), "by hand it is taken: {}", by_hand.tail());
    Ok(said.text)
}

fn policy_dropped(stage: &mut Stage) -> Result<String> {
    stage.git("git checkout -q -b without-policy")?;
    fs::write(stage.root().join("lineclear.toml"), "")?;
    let said = red_with(stage, "sh push.sh latest; sh push.sh sha-1234567")?;
    stage.git("git checkout -q main && git branch -q -D without-policy")?;
    Ok(said.text)
}

fn easier_gate_on_a_branch(stage: &mut Stage) -> Result<String> {
    stage.git("git checkout -q -b easy")?;
    let file = stage.root().join("lineclear.toml");
    let policy =
        fs::read_to_string(&file)?.replace("require = [\"CI / test\", \"CI / lint\"]", "require = [\"CI / lint\"]");
    fs::write(&file, policy.replace("refs/heads/main", "refs/heads/*"))?;
    let publish = "      - { if: always(), uses: lineclear/publish@v1, with: { images: app } }\n";
    stage.commit("test-fails", Some(&(job(PUSHED, "", "sh push.sh ci-easy; sh push.sh latest") + publish)))?;
    // Its easier gate is clear: otherwise it was no attack.
    stage.run(&["--no-chain", "-W", ".github/workflows/ci.yml"])?;
    let gate = stage.say(&["gate", "--gate", "main"])?;
    ensure!(gate.exit == 0, "the branch's own gate is to be clear: {}", gate.text);
    let said = stage.run(&["-W", ATTACK])?;
    stage.git("git checkout -q main && git branch -q -D easy")?;
    ensure!(said.text.contains("push of ci-easy:  201"), "nothing was pushed at all: {}", said.tail());
    ensure!(said.exit != 0, "`lineclear/publish` ended well: {}", said.tail());
    Ok(said.text)
}

fn published_by_an_adjusted_run(stage: &mut Stage) -> Result<String> {
    let script = "
if [ \"$ODD\" = yes ]; then echo odd > content; sh push.sh latest; sh push.sh ci-odd; exit 0; fi
r=docker://$LINECLEAR_REGISTRY/ghcr.io/octo/app
skopeo copy --src-tls-verify=false --dest-tls-verify=false --src-creds x:$TOKEN --dest-creds x:$TOKEN $r:ci-odd $r:latest";
    stage.commit("green", Some(&job("{ workflow_dispatch: {} }", "", script)))?;
    let ci = stage.run(&["--no-chain"])?;
    ensure!(ci.exit == 0, "the commit is to be green: {}", ci.tail());
    let dispatch = ["--event", "workflow_dispatch", "-W", ATTACK];
    let odd = stage.run(&[&dispatch[..], &["--env", "ODD=yes"]].concat())?;
    let honest = stage.run(&dispatch)?;
    ensure!(honest.exit != 0, "the image is taken from an honest job: {}", honest.tail());
    // What the commit really is may be published.
    stage.published_now()?;
    Ok(odd.text + &honest.text)
}

fn image_of_another_commit(stage: &mut Stage) -> Result<String> {
    // The second push hangs up before it is answered.
    let red = "
sh push.sh ci-red
sed 's/\"layers\":\\[\\]/&,\"annotations\":{\"of\":\"nobody\"}/' $RUNNER_TEMP/manifest.json > $RUNNER_TEMP/gone.json
exec 3<>/dev/tcp/${LINECLEAR_REGISTRY%:*}/${LINECLEAR_REGISTRY##*:}
printf 'PUT /v2/ghcr.io/octo/app/manifests/ci-gone HTTP/1.1\\r\\nhost: %s\\r\\nauthorization: Basic %s\\r\\ncontent-type: application/vnd.oci.image.manifest.v1+json\\r\\ncontent-length: %s\\r\\n\\r\\n' $LINECLEAR_REGISTRY $(printf x:$TOKEN | base64 -w0) $(wc -c < $RUNNER_TEMP/gone.json) >&3
cat $RUNNER_TEMP/gone.json >&3
exec 3>&- 3<&-
sleep 1";
    let red = red_with(stage, red)?;
    let script = "
set +e
r=docker://$LINECLEAR_REGISTRY/ghcr.io/octo/app
skopeo copy --src-tls-verify=false --dest-tls-verify=false --src-creds x:$TOKEN --dest-creds x:$TOKEN $r:ci-red $r:latest
skopeo inspect --raw --tls-verify=false --creds x:$TOKEN $r:ci-gone > /dev/null && echo 'ci-gone is there'
skopeo copy --src-tls-verify=false --dest-tls-verify=false --src-creds x:$TOKEN --dest-creds x:$TOKEN $r:ci-gone $r:latest; echo \"ci-gone: $?\"
api=http://$LINECLEAR_REGISTRY/v2/ghcr.io/octo/app/manifests kind=application/vnd.oci.image
curl -sS -u x:$TOKEN -H \"accept: $kind.manifest.v1+json\" $api/ci-red > $RUNNER_TEMP/red.json
printf '{\"schemaVersion\":2,\"mediaType\":\"%s.index.v1+json\",\"manifests\":[{\"mediaType\":\"%s.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%s,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}' $kind $kind $(sha256sum < $RUNNER_TEMP/red.json | cut -c1-64) $(wc -c < $RUNNER_TEMP/red.json) > $RUNNER_TEMP/index.json
echo \"index: $(curl -sS -w ' %{http_code}' -u x:$TOKEN -X PUT -H \"content-type: $kind.index.v1+json\" --data-binary @$RUNNER_TEMP/index.json $api/latest)\"";
    stage.commit("green", Some(&job("{ workflow_dispatch: {} }", "", script)))?;
    let ci = stage.run(&["--no-chain"])?;
    ensure!(ci.exit == 0, "the commit is to be green: {}", ci.tail());
    Ok(red.text + &stage.run(&["--event", "workflow_dispatch", "-W", ATTACK])?.text)
}

fn other_names(stage: &mut Stage) -> Result<String> {
    let script = "
set +e
sh push.sh ci-names
kind=application/vnd.oci.image.manifest.v1+json api=http://$LINECLEAR_REGISTRY
status() { curl -sS --path-as-is -o $RUNNER_TEMP/said -w '%{http_code}' -u x:$TOKEN \"$@\"; }
put() { echo \"put $1: $(status -X PUT -H \"content-type: $kind\" --data-binary @$RUNNER_TEMP/manifest.json $api$1)\"; }
for path in ghcr.io/octo/app/manifests/l%61test ghcr.io%2Focto%2Fapp/manifests/latest ghcr.io/octo/app/manifests/latest?ns=docker.io \
  GHCR.IO/octo/app/manifests/latest ghcr.io/Octo/App/manifests/latest ghcr.io/octo//app/manifests/latest /ghcr.io/octo/app/manifests/latest \
  ghcr.io/octo/x/../app/manifests/latest ghcr.io/octo/x/%2e%2e/app/manifests/latest ghcr.io:443/octo/app/manifests/latest \
  ghcr.io/octo/app/manifests/latest%00 ghcr.io/octo/app/manifests/latest/ ghcr.io/octo/app/manifests/LATEST; do
  put /v2/$path
done
echo \"mount: $(status -X POST \"$api/v2/ghcr.io/octo/app/blobs/uploads/?mount=sha256:$(sha256sum < $RUNNER_TEMP/config.json | cut -c1-64)&from=ghcr.io/octo/reviewed\")\"
digest=$(curl -sS -I -u x:$TOKEN -H 'accept: */*' $api/v2/ghcr.io/octo/app/manifests/latest | tr -d '\\r' | sed -n 's/^docker-content-digest: //p')
echo \"delete latest: $(status -X DELETE $api/v2/ghcr.io/octo/app/manifests/latest)\"
echo \"delete by digest: $(status -X DELETE $api/v2/ghcr.io/octo/app/manifests/$digest)\"
true";
    let said = red_with(stage, script)?;
    ensure!(said.text.contains("push of ci-names:  201"), "nothing was pushed at all: {}", said.tail());
    let puts = said.text.split("put /v2/").skip(1).filter_map(|put| put.split_once(": "));
    let taken: Vec<&str> = puts.filter(|(_, status)| status.starts_with('2')).map(|(path, _)| path).collect();
    ensure!(taken.is_empty(), "taken: {}", taken.join(", "));
    Ok(said.text)
}

fn registry_of_another_name(stage: &mut Stage) -> Result<String> {
    stage.git("git checkout -q -b elsewhere")?;
    let file = stage.root().join("lineclear.toml");
    fs::write(&file, fs::read_to_string(&file)? + "\n[registry]\nmap = []\n")?;
    let said = red_with(stage, "sh push.sh ci-name; sh push.sh latest; sh push.sh sha-1234567")?;
    stage.git("git checkout -q main && git branch -q -D elsewhere")?;
    Ok(said.text)
}

const EASY: &str = ".github/workflows/easy.yml";

fn another_repository(stage: &mut Stage) -> Result<String> {
    let other = stage.beside("other");
    let push = job(PUSHED, "", "sh push.sh latest; sh push.sh other ghcr.io/octo/other");
    fs::create_dir_all(other.join(".github/workflows"))?;
    fs::write(other.join(ATTACK), push)?;
    fs::write(
        other.join(EASY),
        "name: Easy\non: push\njobs: { easy: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n",
    )?;
    fs::write(other.join("content"), "other")?;
    fs::copy(stage.root().join("push.sh"), other.join("push.sh"))?;
    sh(&other, "git init -q -b main && git config user.name Tester && git config user.email tester@example.org")?;
    sh(&other, "git remote add origin https://example.org/octo/other.git && git add -A && git commit -q -m other")?;
    let run = |stage: &Stage, args: &[&str]| {
        stage.start_at(&other, &stage.home(), &[&["run", "--format", "json"], args].concat())?.end()
    };
    let without = run(stage, &["-W", ATTACK])?;
    ensure!(without.text.contains("push of other:  201"), "nothing was pushed at all: {}", without.tail());
    ensure!(without.text.contains(" 403"), "without a policy it is taken: {}", without.tail());
    let mut all = without.text;
    // An easy gate, `latest` a candidate, and another name that would be the same place.
    for repository in ["ghcr.io/octo/app", "registry.example/ghcr.io/octo/app"] {
        for more in ["", "candidates = ['late*']"] {
            let policy = format!(
                "[gate.main]\nrequire = ['Easy / easy']\n[image.app]\nrepository = '{repository}'\ngate = 'main'\n\
                 tags.'refs/heads/main' = ['latest']\n{more}\n"
            );
            fs::write(other.join("lineclear.toml"), policy)?;
            sh(&other, "git add -A && git commit -q -m policy")?;
            run(stage, &["-W", EASY])?;
            let with = run(stage, &["-W", ATTACK])?;
            ensure!(with.text.contains(" 403"), "with `{repository}` and `{more}` it is taken: {}", with.tail());
            all += &with.text;
        }
    }
    Ok(all)
}
