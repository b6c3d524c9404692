//! `lineclear plan` and `lineclear` alone, through the binary: the contract of the JSON, the tree for people, the exit codes.

use expect_test::{Expect, expect};
use lineclear_testkit::Repository;
use serde_json::{Value, json};

const CI: &str = "\
name: CI
on:
  push: { branches: [main, 'feature/**'], paths: ['src/**'] }
  pull_request:
  workflow_dispatch:
    inputs: { level: { type: choice, options: [low, high], required: true } }
jobs:
  lint: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  test:
    needs: lint
    strategy: { matrix: { python: ['3.10', '3.11'] } }
    runs-on: ubuntu-latest
    steps: [{ run: 'true' }]
  release: { needs: test, uses: ./.github/workflows/release.yml, with: { dry: true } }
  deploy: { needs: release, if: github.ref == 'refs/heads/main', runs-on: [self-hosted, prod], steps: [{ run: 'true' }] }
";

const RELEASE: &str = "\
on: { workflow_call: { inputs: { dry: { type: boolean } } } }
jobs:
  build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  publish: { needs: build, if: '!inputs.dry', runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
";

/// A repository with both files, a second commit that changes `src/a`, on branch `feature/x`.
fn repository(name: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write(".github/workflows/ci.yml", CI);
    repository.write(".github/workflows/release.yml", RELEASE);
    repository.commit("first");
    repository.sh("git checkout -q -b feature/x");
    repository.write("src/a", "1");
    repository.commit("second");
    repository
}

/// Output with what differs from run to run taken out.
fn settled(text: &str) -> String {
    let is_id = |word: &str| word.len() == 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = |line: &str| {
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let bare = word.trim_end_matches([',', ')', ';']);
                if is_id(bare) { word.replace(bare, "1a2b3c4") } else { word.to_owned() }
            })
            .collect();
        words.join(" ")
    };
    text.lines().map(line).map(|line| line + "\n").collect()
}

fn check(repository: &Repository, args: &[&str], exit: i32, expected: &Expect) {
    let said = repository.say(args);
    expected.assert_eq(&settled(&format!("{}{}", said.stdout, said.stderr)));
    assert_eq!(said.exit, exit, "{args:?}");
}

#[test]
fn the_json_keeps_its_contract() {
    let repository = repository("contract");
    let (exit, plan, _) = repository.plan(&["--event", "push"]);
    assert_eq!(exit, 0);
    let ci = &plan["workflows"][0];
    assert_eq!((&ci["file"], &ci["triggered"]), (&json!(".github/workflows/ci.yml"), &json!(true)));
    assert!(ci["reason"].as_str().is_some_and(|reason| reason.contains("`src/a` matches `src/**`")), "{ci}");
    let jobs: Vec<String> = ci["jobs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|job| {
            format!(
                "{} | {} | {} | {} | {} | {}",
                job["id"], job["name"], job["matrix"], job["needs"], job["runs_on"], job["if"]
            )
        })
        .collect();
    expect![[r#"
        "lint" | "lint" | null | [] | ["ubuntu-latest"] | null
        "test" | "test (3.10)" | {"python":"3.10"} | ["lint"] | ["ubuntu-latest"] | null
        "test" | "test (3.11)" | {"python":"3.11"} | ["lint"] | ["ubuntu-latest"] | null
        "release" | "release" | null | ["test"] | [] | null
        "release/build" | "release / build" | null | [] | ["ubuntu-latest"] | null
        "release/publish" | "release / publish" | null | ["release/build"] | ["ubuntu-latest"] | "!inputs.dry"
        "deploy" | "deploy" | null | ["release"] | ["self-hosted","prod"] | "github.ref == 'refs/heads/main'""#]]
    .assert_eq(&jobs.join("\n"));
    assert_eq!(plan["workflows"][1]["jobs"], json!([]));
    assert_eq!(repository.plan(&["--event", "push"]).1["hash"], plan["hash"], "the same inputs have the same hash");
}

#[test]
fn the_tree_says_what_runs_and_why() {
    let repository = repository("tree");
    check(
        &repository,
        &["plan"],
        0,
        &expect![[r#"
        push on refs/heads/feature/x at 1a2b3c4, 1 file changed against 1a2b3c4, uncommitted changes included

        CI (.github/workflows/ci.yml)
          push: branch `feature/x` matches `feature/**`; paths: `src/a` matches `src/**` (1 file changed against 1a2b3c4, uncommitted changes included)
          ● lint                 ubuntu-latest
          ● test (3.10)          ubuntu-latest · after lint
          ● test (3.11)          ubuntu-latest · after lint
          ● release              calls .github/workflows/release.yml · after test
            ● release / build    ubuntu-latest
            ○ release / publish  skipped: if: `!inputs.dry` is false: inputs.dry = true
          ○ deploy               skipped: if: `github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/feature/x

        Not started:
          ○ .github/workflows/release.yml
              it runs only when a job of another workflow calls it

        1 of 2 workflows starts; 4 jobs run; 2 jobs are skipped
    "#]],
    );
    check(
        &repository,
        &["plan", "--event", "pull_request", "--ref", "feature/x"],
        0,
        &expect![[r#"
        pull_request on refs/pull/1/merge at 1a2b3c4

        CI (.github/workflows/ci.yml)
          pull_request: type `opened`
          ● lint                 ubuntu-latest
          ● test (3.10)          ubuntu-latest · after lint
          ● test (3.11)          ubuntu-latest · after lint
          ● release              calls .github/workflows/release.yml · after test
            ● release / build    ubuntu-latest
            ○ release / publish  skipped: if: `!inputs.dry` is false: inputs.dry = true
          ○ deploy               skipped: if: `github.ref == 'refs/heads/main'` is false: github.ref = refs/pull/1/merge

        Not started:
          ○ .github/workflows/release.yml
              it runs only when a job of another workflow calls it

        1 of 2 workflows starts; 4 jobs run; 2 jobs are skipped
    "#]],
    );
    repository.write("docs/x", "1");
    check(
        &repository,
        &["plan", "--changed-since", "HEAD"],
        0,
        &expect![[r#"
        push on refs/heads/feature/x at 1a2b3c4, 1 file changed against 1a2b3c4, uncommitted changes included

        Not started:
          ○ CI (.github/workflows/ci.yml)
              paths: nothing under `src/**` changed (1 file changed against 1a2b3c4, uncommitted changes included)
          ○ .github/workflows/release.yml
              it runs only when a job of another workflow calls it

        None of 2 workflows starts
    "#]],
    );
    check(
        &repository,
        &["plan", "--event", "push", "--ref", "refs/tags/v1"],
        0,
        &expect![[r#"
        push on refs/tags/v1 at 1a2b3c4

        Not started:
          ○ CI (.github/workflows/ci.yml)
              tag `v1`: only `branches` are named and no `tags`, so a tag does not start it
          ○ .github/workflows/release.yml
              it runs only when a job of another workflow calls it

        None of 2 workflows starts
    "#]],
    );
}

#[test]
fn path_filters_see_the_commits_of_the_payload() {
    let repository = repository("payload");
    let payload = |before: &str, after: &str| {
        repository.sh(&format!(
            "printf '{{\"ref\":\"refs/heads/main\",\"before\":\"%s\",\"after\":\"%s\"}}' $(git rev-parse {before}) $(git rev-parse {after}) \
             > ../event.json"
        ));
        let file = repository.beside("event.json");
        let (exit, plan, _) =
            repository.plan(&["--event", "push", "--payload", file.to_str().expect("the path is text")]);
        assert_eq!(exit, 0);
        plan["workflows"][0]["triggered"].clone()
    };
    assert_eq!(payload("HEAD~1", "HEAD"), json!(true));
    assert_eq!(payload("HEAD", "HEAD"), json!(false));
}

#[test]
fn wrong_input_is_refused_with_what_is_wrong() {
    let repository = repository("refused");
    check(
        &repository,
        &["plan", "--event", "pushh"],
        2,
        &expect![[r#"
        error: there is no event `pushh`; did you mean `push`?
    "#]],
    );
    check(
        &repository,
        &["plan", "--changed-since", "nowhere"],
        2,
        &expect![[r#"
        error: `nowhere` is no commit of this repository
    "#]],
    );
    check(
        &repository,
        &["plan", "--payload", "none.json"],
        2,
        &expect![[r#"
        error: cannot read payload `none.json`: No such file or directory (os error 2)
    "#]],
    );
    let dispatch = ["plan", "--event", "workflow_dispatch", "--input", "level=mars", "--input", "x=1"];
    check(
        &repository,
        &dispatch,
        2,
        &expect![[r#"
        workflow_dispatch on refs/heads/feature/x at 1a2b3c4

        Not started:
          ○ CI (.github/workflows/ci.yml)
              workflow_dispatch: unknown input `x`; the workflow declares `level`; input `level` is one of `low`, `high`, not `mars`
          ○ .github/workflows/release.yml
              it runs only when a job of another workflow calls it

        None of 2 workflows starts
    "#]],
    );
    check(
        &repository,
        &["plan", "-W", "none.yml"],
        2,
        &expect![[r#"
        error: there is no workflow file or folder `none.yml`
    "#]],
    );
}

#[test]
fn a_file_with_errors_stops_no_other_and_fails_only_when_it_was_named() {
    let repository = repository("broken");
    repository.write(".github/workflows/bad.yml", "on: push\njobs: { j: { runs-on: x, stepz: [] } }\n");
    repository.write(".github/workflows/none.yml", "just text\n");
    let (exit, plan, complaints) = repository.plan(&[]);
    let started: Vec<&Value> =
        plan["workflows"].as_array().expect("a list").iter().map(|one| &one["triggered"]).collect();
    assert_eq!((exit, started), (0, vec![&json!(false), &json!(true), &json!(false), &json!(false)]));
    assert!(complaints.contains("bad.yml") && complaints.contains("none.yml"), "{complaints}");
    assert!(plan["workflows"][0]["diagnostics"][0]["line"].is_u64());
    let (exit, plan, _) = repository.plan(&["-W", ".github/workflows/bad.yml", "-W", ".github/workflows/ci.yml"]);
    assert_eq!((exit, &plan["workflows"][1]["triggered"]), (2, &json!(true)), "the sound one is planned all the same");
    let alone = Repository::new("broken-alone");
    alone.write(".github/workflows/bad.yml", "on: push\njobs: [\n");
    assert_eq!(alone.plan(&[]).0, 2, "as `run` does where no file can be read");
}

#[test]
fn lineclear_alone_says_what_is_here() {
    check(
        &repository("overview"),
        &[],
        0,
        &expect![[r#"
        2 workflows in .github/workflows

        CI ci.yml
          on   push (main, feature/**; paths src/**), pull_request, workflow_dispatch
          jobs lint, test (matrix), release (calls .github/workflows/release.yml), deploy

        release.yml
          on   workflow_call
          jobs build, publish

        Type next:
          lineclear run                       run what a push of this branch starts, here and now
          lineclear plan                      see what that would be, and why
          lineclear run -j lint               one job, with what it needs
          lineclear run --event pull_request  what `pull_request` starts
          lineclear run --event workflow_dispatch -W .github/workflows/ci.yml --input level=…  start a workflow by hand
          lineclear --help                    everything else
    "#]],
    );
    let empty = Repository::new("nothing");
    empty.write(".gitlab-ci.yml", "");
    let said = empty.say(&[]);
    assert_eq!(said.exit, 0);
    assert!(said.stdout.starts_with("There are no workflows here: no *.yml or *.yaml file in "), "{}", said.stdout);
    assert!(said.stdout.contains("`.gitlab-ci.yml` is there, but only .github/workflows is run."), "{}", said.stdout);
}
