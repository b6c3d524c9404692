//! Where the campaign plays: a small repository with a fast CI, a workflow that publishes, and a gate; and lineclear run in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lineclear_store_folder::FolderStore;

use super::random::Random;
use super::truth::{Content, Counts, LABEL, Truth};

/// A command that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(240);

const POLICY: &str = "\
[gate.main]
require = [\"CI / test\", \"CI / lint\"]

[gate.reviewed]
require = [\"CI / test\", \"CI / lint\"]
statements = [\"tried-by-hand\"]

[image.app]
repository = \"ghcr.io/${owner}/app\"
gate = \"main\"
tags.\"refs/heads/main\" = [\"latest\", \"sha-${short-sha}\"]
tags.\"refs/tags/v*\" = [\"${tag}\"]
candidates = [\"ci-*\"]

[image.reviewed]
repository = \"ghcr.io/${owner}/reviewed\"
gate = \"reviewed\"
tags.\"refs/heads/main\" = [\"stable\"]
candidates = [\"ci-*\"]
";

/// Two jobs, one of them with two legs; how they end says the file `verdict`, or what the caller of the run sets.
const CI: &str = "\
name: CI
on: { push: { branches: ['**'] }, pull_request: {} }
env: { FIRST_TRY: '${{ vars.FIRST_TRY }}' }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - timeout-minutes: 0.25
        run: sh ci.sh test
  lint:
    runs-on: ubuntu-latest
    strategy: { matrix: { of: [code, docs] } }
    steps:
      - uses: actions/checkout@v4
      - run: sh ci.sh lint-${{ matrix.of }}
";

const CI_SCRIPT: &str = "\
case \"$1: ${VERDICT:-$(cat verdict)} $FIRST_TRY\" in
  'test: test-fails '*) echo 'one test fails'; exit 1 ;;
  'lint-docs: lint-fails '*) echo 'one finding'; exit 1 ;;
  'lint-code: cancelled '*) echo 'waits for the end'; sleep 20 ;;
  'test: timed-out '*) sleep 60 ;;
  'test: '*' test-fails') echo 'one test fails, this time'; exit 1 ;;
esac
";

const PUBLISH: &str = "\
name: Publish
on:
  workflow_run: { workflows: [CI], types: [completed], branches: [main] }
  push: { tags: ['v*'] }
  workflow_dispatch: {}
permissions: { contents: read, packages: write }
concurrency: publish
jobs:
  publish:
    if: github.event_name != 'workflow_run' || github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { ref: '${{ github.event.workflow_run.head_sha || github.sha }}', allow-unsafe-pr-checkout: true }
      - id: names
        run: |
          echo 'publishes now'
          test '${{ vars.FIRST_TRY }}' != publish-fails
          if [ '${{ github.event_name }}' = push ]; then tags='${{ github.ref_name }}'; else tags=\"latest sha-$(git rev-parse HEAD | cut -c1-7)\"; fi
          { echo 'tags<<END'; for tag in $tags; do echo \"ghcr.io/octo/app:$tag\"; done; echo END; } >> \"$GITHUB_OUTPUT\"
      - uses: docker/login-action@v3
        with: { registry: ghcr.io, username: '${{ github.actor }}', password: '${{ github.token }}' }
      - uses: docker/build-push-action@v6
        with: { context: ., push: true, tags: '${{ steps.names.outputs.tags }}' }
";

/// The publish workflow alone, asked for by hand: nobody tells it how CI ended, so the gate is all that is in its way.
pub(super) const PUBLISH_BY_HAND: &[&str] = &["--event", "workflow_dispatch", "-W", ".github/workflows/publish.yml"];

/// Pushes an image of no layers with curl alone: `sh push.sh TAG [REPOSITORY] [REMARK]`. Prints the status, and what the registry says.
const PUSH: &str = r#"
repo=${2:-ghcr.io/octo/app} api=http://$LINECLEAR_REGISTRY/v2 auth="x:$TOKEN"
printf '{"architecture":"amd64","os":"linux","author":"%s","config":{"Labels":{"campaign.content":"%s"}},"rootfs":{"type":"layers","diff_ids":[]}}' "$3" "$(cat content)" > "$RUNNER_TEMP/config.json"
digest=sha256:$(sha256sum < "$RUNNER_TEMP/config.json" | cut -c1-64)
curl -sS -o /dev/null -u "$auth" -X POST -H 'content-type: application/octet-stream' --data-binary "@$RUNNER_TEMP/config.json" "$api/$repo/blobs/uploads/?digest=$digest"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[]}' "$digest" "$(wc -c < "$RUNNER_TEMP/config.json")" > "$RUNNER_TEMP/manifest.json"
echo "digest of $1: sha256:$(sha256sum < "$RUNNER_TEMP/manifest.json" | cut -c1-64)"
echo "push of $1: $(curl -sS -w ' %{http_code}' -u "$auth" -X PUT -H 'content-type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$RUNNER_TEMP/manifest.json" "$api/$repo/manifests/$1")"
"#;

pub(super) struct Stage {
    binary: PathBuf,
    folder: tempfile::TempDir,
    pub(super) truth: Truth,
    pub(super) random: Random,
    made: usize,
}

/// What a command said, on both of its ways, and how it ended.
pub(super) struct Said {
    pub(super) exit: i32,
    pub(super) text: String,
}

/// A command that runs. It is killed if nobody waits for its end.
pub(super) struct Started {
    child: Child,
    output: PathBuf,
}

impl Stage {
    pub(super) fn new(binary: PathBuf, seed: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lineclear-campaign-").tempdir()?;
        let mut stage = Self { binary, folder, truth: Truth::default(), random: Random::of(seed), made: 0 };
        fs::create_dir_all(stage.root().join(".github/workflows"))?;
        for (name, text) in [
            ("lineclear.toml", POLICY),
            (".github/workflows/ci.yml", CI),
            (".github/workflows/publish.yml", PUBLISH),
            ("ci.sh", CI_SCRIPT),
            ("push.sh", PUSH),
        ] {
            fs::write(stage.root().join(name), text)?;
        }
        stage.git("git init -q -b main && git config user.name Tester && git config user.email tester@example.org")?;
        stage.git("git remote add origin https://example.org/octo/app.git")?;
        stage.commit("green", None)?;
        stage.published_now()?;
        Ok(stage)
    }

    /// Another one, at the same point of its history; what happens here and there has nothing to do with one another.
    pub(super) fn copy(&self, seed: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lineclear-campaign-").tempdir()?;
        sh(self.folder.path(), &format!("cp -a . '{}'", folder.path().display()))?;
        let (binary, truth) = (self.binary.clone(), self.truth.clone());
        Ok(Self { binary, folder, truth, random: Random::of(seed), made: self.made })
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path beside the repository.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new commit of what is checked out, whose CI ends by `verdict`; `attack` is one more workflow. Gives the label of its contents.
    pub(super) fn commit(&mut self, verdict: &str, attack: Option<&str>) -> Result<String> {
        self.made += 1;
        let label = format!("{:03}-{verdict}", self.made);
        fs::write(self.root().join("verdict"), verdict)?;
        fs::write(self.root().join("content"), &label)?;
        fs::write(
            self.root().join("Dockerfile"),
            format!("FROM scratch\nLABEL {LABEL}=\"{label}\"\nCOPY content /\n"),
        )?;
        let file = self.root().join(".github/workflows/attack.yml");
        match attack {
            Some(attack) => fs::write(&file, attack)?,
            None if file.exists() => fs::remove_file(&file)?,
            None => {}
        }
        self.git(&format!("git add -A && git commit -q -m '{label}'"))?;
        let commit = self.head()?;
        self.truth.add(&label, Content { commit, green: verdict == "green" });
        Ok(label)
    }

    /// A commit that is green, run to its end: from now on it has to be `latest`.
    pub(super) fn published(&mut self) -> Result<String> {
        let label = self.commit("green", None)?;
        self.published_now()?;
        Ok(label)
    }

    /// Runs what is checked out, which is green and the newest, until it is published.
    pub(super) fn published_now(&mut self) -> Result<()> {
        let said = self.run(&[])?;
        ensure!(said.exit == 0, "a green commit is not published: exit code {}\n{}", said.exit, said.tail());
        self.truth.newest = Some(fs::read_to_string(self.root().join("content"))?);
        let counts = self.counts()?;
        ensure!(counts == Counts::default(), "after a green commit: {counts:?}\n{}", said.tail());
        Ok(())
    }

    pub(super) fn head(&self) -> Result<String> {
        self.git("git rev-parse HEAD")
    }

    pub(super) fn git(&self, script: &str) -> Result<String> {
        sh(&self.root(), script)
    }

    /// A run, in its events.
    pub(super) fn run(&self, args: &[&str]) -> Result<Said> {
        self.say(&[&["run", "--format", "json"], args].concat())
    }

    pub(super) fn say(&self, args: &[&str]) -> Result<Said> {
        self.start(args)?.end()
    }

    pub(super) fn start(&self, args: &[&str]) -> Result<Started> {
        self.start_at(&self.root(), &self.home(), args)
    }

    pub(super) fn start_at(&self, root: &Path, home: &Path, args: &[&str]) -> Result<Started> {
        let (file, output) = tempfile::Builder::new().prefix("said-").tempfile_in(self.folder.path())?.keep()?;
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir(root).stdin(Stdio::null());
        command.env("LINECLEAR_HOME", home).env("LINECLEAR_OFFLINE", "1");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name == "CI" || ["GITHUB_", "RUNNER_", "ACTIONS_"].iter().any(|outer| name.starts_with(outer)) {
                command.env_remove(&*name);
            }
        }
        command.stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start `{}`", self.binary.display()))?;
        Ok(Started { child, output })
    }

    pub(super) fn store(&self) -> Result<FolderStore> {
        Ok(FolderStore::open(self.home())?)
    }

    /// Both counts, now.
    pub(super) fn counts(&self) -> Result<Counts> {
        self.truth.count(&self.store()?)
    }

    /// The file of the ledger in a home.
    pub(super) fn ledger(&self, home: &Path) -> Result<PathBuf> {
        let found = File::open(home).and_then(|_| fs::read_dir(home.join("ledger")));
        for entry in found.with_context(|| format!("there is no ledger in `{}`", home.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                return Ok(path);
            }
        }
        bail!("there is no ledger in `{}`", home.display())
    }
}

impl Started {
    /// Waits until it has said `words`, or ended.
    pub(super) fn says(&mut self, words: &str) -> Result<()> {
        let start = Instant::now();
        while !fs::read_to_string(&self.output)?.contains(words) && self.child.try_wait()?.is_none() {
            ensure!(start.elapsed() < LONGEST, "nobody says `{words}`: {}", tail(&fs::read_to_string(&self.output)?));
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(super) fn signal(&mut self, name: &str) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            sh(Path::new("/"), &format!("kill -s {name} {} || true", self.child.id()))?;
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<Said> {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(start.elapsed() < LONGEST, "it hangs: {}", tail(&fs::read_to_string(&self.output)?));
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = String::from_utf8_lossy(&fs::read(&self.output)?).into_owned();
        fs::remove_file(&self.output)?;
        // A signal has no code of its own.
        Ok(Said { exit: status.code().unwrap_or(-1), text })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended, but for a campaign that breaks off.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Said {
    pub(super) fn tail(&self) -> String {
        tail(&self.text)
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// Runs a script, and gives what it prints.
pub(super) fn sh(folder: &Path, script: &str) -> Result<String> {
    fs::create_dir_all(folder)?;
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "`{script}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
