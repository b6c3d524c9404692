//! What steps talk to, with the official npm clients, driven from workflows.

use std::fs;
use std::path::PathBuf;

use lineclear_testkit::{Repository, Run, official_clients};

/// An action whose input `script` has the clients at hand, each at several major versions.
const SCRIPT: &str = "
import * as core from 'core1'
import * as core3 from 'core3'
import * as github from 'github6'
import { DefaultArtifactClient as Artifact2 } from 'artifact2'
import { DefaultArtifactClient as Artifact5 } from 'artifact5'
import { DefaultArtifactClient as Artifact6 } from 'artifact6'
import * as cache4 from 'cache4'
import * as cache6 from 'cache6'
import * as fs from 'node:fs'
const names = { core, core3, github, Artifact2, Artifact5, Artifact6, cache4, cache6, fs }
try {
  const body = Object.getPrototypeOf(async () => {}).constructor
  const result = await body(...Object.keys(names), core.getInput('script'))(...Object.values(names))
  core.setOutput('result', result === undefined ? '' : typeof result === 'string' ? result : JSON.stringify(result))
} catch (error) {
  core.setFailed(`${error.status ?? ''} ${error.message}`)
}
process.exit()
";

pub(crate) struct Bench {
    repository: Repository,
    actions: PathBuf,
}

impl Bench {
    pub(crate) fn with(workflow: &str) -> Self {
        let repository = Repository::with("services", workflow);
        let actions = repository.beside("actions");
        let folder = actions.join("official/script@v1");
        fs::create_dir_all(&folder).expect("a new folder");
        let metadata =
            "name: script\ninputs: { script: { required: true } }\nruns: { using: node20, main: index.mjs }\n";
        fs::write(folder.join("action.yml"), metadata).expect("a new file");
        fs::write(folder.join("index.mjs"), SCRIPT).expect("a new file");
        let modules = official_clients().join("node_modules");
        std::os::unix::fs::symlink(modules, folder.join("node_modules")).expect("a new link");
        Self { repository, actions }
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut all = vec!["run", "--format", "json"];
        all.extend(args);
        let mut command = self.repository.lineclear(&all);
        command.env("LINECLEAR_ACTIONS_DIR", &self.actions);
        Run::of(command)
    }

    pub(crate) fn passes(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.exit, 0, "{}", run.transcript());
        run
    }
}

/// Facts of a kind, as JSON.
fn facts(run: &Run, kind: &str) -> Vec<serde_json::Value> {
    run.events("fact").filter(|event| event["fact"] == kind).cloned().collect()
}

/// Traps 81, 82, 84, 85: real clients of several major versions, and the built-in actions, on the same artifacts.
#[test]
fn artifacts_pass_between_official_clients_and_built_in_actions() {
    let bench = Bench::with(
        "
on: push
jobs:
  up:
    runs-on: linux
    steps:
      - run: mkdir -p out/deep && echo one > out/a.txt && echo two > out/deep/b.txt
      - uses: official/script@v1
        id: six
        with:
          script: |
            const up = await new Artifact6().uploadArtifact('six', ['out/a.txt', 'out/deep/b.txt'], 'out', { retentionDays: 7 })
            await new Artifact2().uploadArtifact('two', ['out/a.txt'], 'out')
            return up.digest
      - uses: actions/upload-artifact@v4
        with: { name: native, path: out }
  down:
    needs: up
    runs-on: linux
    steps:
      - uses: official/script@v1
        id: list
        with:
          script: |
            const five = new Artifact5()
            const { artifacts } = await five.listArtifacts()
            const names = artifacts.map(artifact => artifact.name).sort()
            for (const artifact of artifacts) await five.downloadArtifact(artifact.id, { path: `got-${artifact.name}` })
            await new Artifact6().deleteArtifact('two')
            return names.join(' ')
      - run: |
          test '${{ steps.list.outputs.result }}' = 'native six two'
          for name in native six; do diff <(cat got-$name/a.txt got-$name/deep/b.txt) <(printf 'one\\ntwo\\n'); done
          cat got-two/a.txt
  native:
    needs: down
    runs-on: linux
    steps:
      - uses: actions/download-artifact@v4
      - run: |
          test \"$(ls -d six native two 2>/dev/null | xargs)\" = 'native six'
          cat six/deep/b.txt
",
    );
    let run = bench.passes(&[]);
    let id = run.events("run_started").next().expect("it started")["run"].to_string();
    let said = bench.repository.say(&["artifacts", &id]);
    assert!(
        said.stdout.contains("six") && said.stdout.contains("native") && !said.stdout.contains("two"),
        "{}",
        said.stdout
    );
}

/// Trap 86, S1-83, S4-54: scopes, prefixes and the reason of a miss, over runs and branches.
#[test]
fn caches_of_official_clients_keep_to_their_branches() {
    let bench = Bench::with(
        "
on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: mkdir -p data && echo \"of $GITHUB_REF_NAME\" > data/file
      - uses: official/script@v1
        id: restore
        with:
          script: |
            return (await cache6.restoreCache(['data'], 'key-exact', ['key-', 'other-'])) ?? 'missed'
      - run: cat data/file
      - uses: official/script@v1
        with:
          script: |
            await cache4.saveCache(['data'], `key-${process.env.GITHUB_REF_NAME}`)
    outputs: { found: '${{ steps.restore.outputs.result }}' }
",
    );
    let first = bench.passes(&[]);
    assert_eq!(first.output("a", "found"), Some("missed"), "{}", first.transcript());
    let misses = facts(&first, "cache");
    assert!(
        misses
            .iter()
            .any(|fact| fact["matched"].is_null() && fact["reason"].as_str().is_some_and(|why| !why.is_empty())),
        "{misses:?}"
    );
    bench.repository.sh("git checkout -q -b feature");
    let feature = bench.passes(&[]);
    assert_eq!(feature.output("a", "found"), Some("key-main"), "a branch reads the default branch's");
    assert!(feature.log("a").iter().any(|line| line == "of main"), "{}", feature.transcript());
    bench.repository.sh("git checkout -q -b sibling main");
    let sibling = bench.passes(&[]);
    assert_eq!(sibling.output("a", "found"), Some("key-main"), "and not a sibling's, though that is newer");
}

/// S1-16, S1-119.
#[test]
fn an_identity_token_is_given_with_its_permission_only() {
    let bench = Bench::with(
        "
on: push
permissions: {}
jobs:
  with:
    runs-on: linux
    permissions: { id-token: write }
    environment: staging
    steps:
      - uses: official/script@v1
        id: token
        with:
          script: |
            const token = await core3.getIDToken('sigstore')
            return JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub
      - run: test -n \"$ACTIONS_ID_TOKEN_REQUEST_URL\"
    outputs: { sub: '${{ steps.token.outputs.result }}' }
  without:
    runs-on: linux
    steps:
      - run: test -z \"$ACTIONS_ID_TOKEN_REQUEST_URL$ACTIONS_ID_TOKEN_REQUEST_TOKEN\"
      - uses: official/script@v1
        with: { script: await core3.getIDToken() }
",
    );
    let run = bench.run(&[]);
    assert_eq!((run.conclusion("with"), run.conclusion("without")), ("success", "failure"), "{}", run.transcript());
    let subject = run.output("with", "sub").expect("a subject");
    assert!(subject.starts_with("repo:") && subject.ends_with(":environment:staging"), "{subject}");
}

const COMMENT: &str = "
            const { owner, repo } = github.context.repo
            const kit = github.getOctokit(process.env.TOKEN)
            const of = { owner, repo, issue_number: github.context.issue.number }
            const known = await kit.paginate(kit.rest.issues.listComments, of)
            const mine = known.find(comment => comment.body.includes('<!-- mark -->'))
            const body = '<!-- mark --> **4 passed**'
            if (mine) await kit.rest.issues.updateComment({ owner, repo, comment_id: mine.id, body: body + ' again' })
            else await kit.rest.issues.createComment({ ...of, body })
            return String(known.length)
";

/// S1-1, S1-8, S1-9, S1-11, S1-29, S2-20, S2-23: a comment needs its permission, and is edited on re-run.
#[test]
fn a_comment_needs_its_permission_and_is_edited_on_a_second_run() {
    let bench = Bench::with(&format!(
        "
on: pull_request
permissions: {{ contents: read }}
jobs:
  allowed:
    runs-on: linux
    permissions: {{ pull-requests: write }}
    env: {{ TOKEN: '${{{{ github.token }}}}' }}
    steps:
      - run: exit 1
        continue-on-error: true
      - uses: official/script@v1
        id: comment
        with:
          script: |{COMMENT}
    outputs: {{ before: '${{{{ steps.comment.outputs.result }}}}' }}
  refused:
    runs-on: linux
    env: {{ TOKEN: '${{{{ secrets.GITHUB_TOKEN }}}}' }}
    steps:
      - uses: official/script@v1
        with:
          script: |{COMMENT}
"
    ));
    bench.repository.sh("git checkout -q -b topic");
    bench.repository.write("new", "1");
    bench.repository.commit("topic");
    for before in ["0", "1", "1"] {
        let run = bench.run(&["--event", "pull_request"]);
        assert_eq!(
            (run.conclusion("allowed"), run.conclusion("refused")),
            ("success", "failure"),
            "{}",
            run.transcript()
        );
        assert_eq!(run.output("allowed", "before"), Some(before), "{}", run.transcript());
        let log = run.log("refused").join("\n");
        assert!(log.contains("403 Resource not accessible by integration"), "{log}");
        let calls = facts(&run, "forge_call");
        assert!(calls.iter().any(|call| call["job"] == "refused" && call["status"] == 403), "{calls:?}");
    }
    let shown = bench.repository.lineclear(&["run", "--event", "pull_request", "--format", "plain"]);
    let mut shown = shown;
    shown.env("LINECLEAR_ACTIONS_DIR", &bench.actions);
    let said = lineclear_testkit::say(shown);
    for part in
        ["Would have been posted", "**4 passed** again", "Refused by the jobs' permissions", "pull-requests: write"]
    {
        assert!(said.stdout.contains(part), "{part}: {}", said.stdout);
    }
}

/// Trap 91, and the trick of re-exporting the runtime token to `run` steps, which must keep working (section 1.4).
#[test]
fn the_runtime_token_can_be_handed_to_run_steps_and_ends_with_its_job() {
    let bench = Bench::with(
        "
on: push
jobs:
  a:
    runs-on: linux
    steps:
      - uses: official/script@v1
        with:
          script: |
            core.exportVariable('ACTIONS_RUNTIME_TOKEN', process.env.ACTIONS_RUNTIME_TOKEN)
            core.exportVariable('ACTIONS_RESULTS_URL', process.env.ACTIONS_RESULTS_URL)
      - run: |
          call() { curl -s -o answer -w '%{http_code}' -H \"Authorization: Bearer $1\" -H 'Content-Type: application/json' -d '{\"key\":\"k\",\"version\":\"v\",\"restore_keys\":[]}' \"${ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL\"; }
          test \"$(call \"$ACTIONS_RUNTIME_TOKEN\")\" = 200
          test \"$(call \"${ACTIONS_RUNTIME_TOKEN}x\")\" = 401
          echo \"$ACTIONS_RUNTIME_TOKEN\" > $HANDED/token
  b:
    needs: a
    runs-on: linux
    steps:
      - uses: official/script@v1
        with:
          script: |
            const url = process.env.ACTIONS_RESULTS_URL + 'twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL'
            const token = fs.readFileSync(process.env.HANDED + '/token', 'utf8').trim()
            const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
            const { status } = await fetch(url, { method: 'POST', headers, body: '{\"key\":\"k\",\"version\":\"v\"}' })
            if (status !== 401) throw new Error(`the token of a job that ended is answered with ${status}`)
",
    );
    let handed = bench.repository.beside("handed");
    fs::create_dir(&handed).expect("a new folder");
    let run = bench.passes(&["--env", &format!("HANDED={}", handed.display())]);
    assert!(!run.transcript().contains(fs::read_to_string(handed.join("token")).expect("it was written").trim()));
}

/// A checkout by hand of the run's own repository finds it here, with the job's token, and a push stays in the forge.
#[test]
fn git_finds_the_runs_own_repository_and_pushes_stay_in_the_forge() {
    let bench = Bench::with(
        "
on: push
permissions: { contents: write, pull-requests: write }
jobs:
  a:
    runs-on: linux
    env: { TOKEN: '${{ github.token }}' }
    steps:
      - run: |
          git clone -q \"$GITHUB_SERVER_URL/$GITHUB_REPOSITORY\" clone && cd clone
          test \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\"
          git config user.name T && git config user.email t@example.org
          git checkout -q -b made && echo 1 > made && git add made && git commit -q -m made && git push -q origin made
      - uses: official/script@v1
        with:
          script: |
            const kit = github.getOctokit(process.env.TOKEN)
            const { data } = await kit.rest.pulls.create({ ...github.context.repo, title: 'Made', head: 'made', base: 'main' })
            const { data: files } = await kit.rest.pulls.listFiles({ ...github.context.repo, pull_number: data.number })
            return files.map(file => file.filename).join(' ')
        id: pull
    outputs: { files: '${{ steps.pull.outputs.result }}' }
  reader:
    permissions: { contents: read }
    runs-on: linux
    steps:
      - run: |
          git clone -q \"$GITHUB_SERVER_URL/$GITHUB_REPOSITORY\" clone && cd clone
          ! git push -q origin HEAD:refs/heads/forbidden
",
    );
    let run = bench.passes(&[]);
    assert_eq!(run.output("a", "files"), Some("made"), "{}", run.transcript());
    bench.repository.sh("test -z \"$(git branch --list made forbidden)\"");
}
