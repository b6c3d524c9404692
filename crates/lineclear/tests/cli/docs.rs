//! `lineclear docs`.

use lineclear_testkit::{Repository, Said};

const CI: &str = "\
name: CI
on:
  push:
    branches: [main, develop]
  pull_request:
    paths: ['src/**']
permissions:
  contents: read
jobs:
  quality:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - run: make test
        env:
          TOKEN: ${{ secrets.TEST_TOKEN }}
  e2e:
    needs: quality
    runs-on: ubuntu-latest
    timeout-minutes: 20
    strategy: { matrix: { browser: [chromium, firefox] } }
    steps:
      - run: make e2e
";

const DEPLOY: &str = "\
name: Deploy
on:
  workflow_run:
    workflows: [CI]
    types: [completed]
  workflow_dispatch:
  schedule:
    - cron: '0 6 * * 1'
concurrency: deploy
jobs:
  production:
    if: github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-latest
    environment: production
    steps:
      - run: ./deploy
        env:
          KEY: ${{ secrets.SSH_KEY }}
";

fn repository(name: &str) -> Repository {
    let repository = Repository::with(name, CI);
    repository.write(".github/workflows/deploy.yml", DEPLOY);
    repository.write("lineclear.toml", "[gate.main]\nrequire = [\"CI / quality\"]\n");
    repository
}

#[test]
fn s0_49_the_table_of_triggers_is_as_made_by_hand() {
    let Said { exit, stdout, stderr } = repository("docs-matrix").say(&["docs"]);
    assert_eq!(exit, 0, "{stderr}");
    let expected = "\
## What starts what

| Event | Where | Workflows and their jobs |
|---|---|---|
| `push` | branch `main` | **CI**: quality, e2e (…) |
| `push` | branch `develop` | **CI**: quality, e2e (…) |
| `pull_request` | to any branch | **CI**: quality, e2e (…) (only for changes of `src/**`) |
| `schedule` | `0 6 * * 1 (UTC)` | **Deploy**: production |
| `workflow_dispatch` | by hand | **Deploy**: production |
| `workflow_run` | after `CI` | **Deploy**: production (types `completed`) |

## Required checks

| Gate | Check | Required on |
|---|---|---|
| main | `CI / quality` | pull requests and pushes |
";
    assert!(stdout.contains(expected), "{stdout}");
}

#[test]
fn s1_120_each_workflow_has_its_triggers_jobs_and_the_command_that_runs_it_here() {
    let repository = repository("docs-jobs");
    let Said { stdout, .. } = repository.say(&["docs"]);
    let expected = "\
### CI

`.github/workflows/w.yml`

- on `push`: branches `main`, `develop`
- on `pull_request`: only for changes of `src/**`
- token: `contents: read`

| Job | Needs | Runs on | At most | If | Environment | Here |
|---|---|---|---|---|---|---|
| `quality` |  | `ubuntu-latest` | 15 min |  |  | `lineclear run -W w.yml -j quality` |
| `e2e` | `quality` | `ubuntu-latest` | 20 min |  |  | `lineclear run -W w.yml -j e2e` |
";
    assert!(stdout.contains(expected), "{stdout}");
    assert_eq!(repository.say(&["plan", "-W", "w.yml"]).exit, 0, "a file is found by its bare name");
}

#[test]
fn s1_121_secrets_are_listed_by_scope_and_missing_ones_are_marked() {
    let repository = repository("docs-secrets");
    let Said { stdout, .. } = repository.say(&["docs"]);
    assert!(stdout.contains("| `TEST_TOKEN` | repository | w.yml: quality | **missing** |"), "{stdout}");
    assert!(
        stdout.contains("| `SSH_KEY` | environment `production` | deploy.yml: production | **missing** |"),
        "{stdout}"
    );
    assert_eq!(repository.say(&["secret", "set", "SSH_KEY", "--env", "production", "--body", "x"]).exit, 0);
    let Said { stdout, .. } = repository.say(&["docs"]);
    assert!(stdout.contains("| `SSH_KEY` | environment `production` | deploy.yml: production | set |"), "{stdout}");
    let Said { stdout, .. } = repository.say(&["docs", "--no-secrets"]);
    assert!(!stdout.contains("missing"), "{stdout}");
}

#[test]
fn a_guide_that_is_out_of_date_is_told() {
    let repository = repository("docs-check");
    assert_eq!(repository.say(&["docs", "--no-secrets", "--output", "guide.md"]).exit, 0);
    assert_eq!(repository.say(&["docs", "--no-secrets", "--output", "guide.md", "--check"]).exit, 0);
    repository.write(".github/workflows/w.yml", &CI.replace("e2e:", "smoke:"));
    let Said { exit, stderr, .. } = repository.say(&["docs", "--no-secrets", "--output", "guide.md", "--check"]);
    assert_eq!(exit, 1);
    assert!(stderr.contains("`guide.md` is out of date: lineclear docs --output guide.md"), "{stderr}");
}
