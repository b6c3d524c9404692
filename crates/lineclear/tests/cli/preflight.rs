//! Before a run: what the selected jobs use and nobody has set. `secret audit`: the same for all that is here.

use expect_test::{Expect, expect};
use lineclear_testkit::Repository;

const DEPLOY: &str = "on: push
env:
  GLOBAL: ${{ secrets.GLOBAL }}
jobs:
  build:
    runs-on: linux
    steps:
      - run: echo ${{ vars.REGION }}
        env: { T: '${{ secrets.TOKEN }}', O: \"${{ secrets.SENTRY_DSN || 'none' }}\" }
      - if: vars.EXTRA == 'yes'
        run: echo \"$D\"
        env: { D: \"${{ format('{0}', secrets['TOKEN']) }}\", G: '${{ secrets.GITHUB_TOKEN }}' }
  deploy:
    needs: build
    runs-on: linux
    environment: ${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}
    steps:
      - run: |
          echo first
          echo ${{ secrets.HOST }}
  release:
    uses: ./.github/workflows/release.yml
    with: { to: production }
    secrets: { key: '${{ secrets.SSH_KEY }}' }
  never:
    if: false
    runs-on: linux
    steps: [ { run: 'echo ${{ secrets.NEVER }}' } ]
";

const RELEASE: &str = "on:
  workflow_call:
    inputs: { to: { type: string } }
    secrets: { key: { required: true } }
jobs:
  publish:
    runs-on: linux
    environment: ${{ inputs.to }}
    steps: [ { run: 'echo ${{ secrets.key }} ${{ secrets.PUBLISH }}' } ]
";

fn repository(name: &str) -> Repository {
    let repository = Repository::with(name, DEPLOY);
    repository.write(".github/workflows/release.yml", RELEASE);
    repository.commit("release");
    repository
}

fn check(repository: &Repository, args: &[&str], exit: i32, expected: Expect) {
    let said = repository.say(args);
    assert_eq!(said.exit, exit, "{}{}", said.stdout, said.stderr);
    expected.assert_eq(&said.stderr);
}

fn keep(repository: &Repository, args: &[&str]) {
    let said = repository.say(args);
    assert_eq!(said.exit, 0, "{args:?}: {}", said.stderr);
}

/// S1-122, S4-66: with the place, the job and the command that would set it, before anything starts.
#[test]
fn a_run_names_what_is_not_set_before_any_job_starts() {
    let repository = repository("preflight");
    check(
        &repository,
        &["run", "--dry-run"],
        0,
        expect![[r#"
        note: 5 secrets and 1 variable are not set and will be empty, as on GitHub (--require-secrets makes this an error):
          secret GLOBAL
            .github/workflows/w.yml:3:15 (job build)
            .github/workflows/w.yml:3:15 (job deploy)
            lineclear secret set GLOBAL
          secret TOKEN
            .github/workflows/w.yml:9:24 (job build)
            .github/workflows/w.yml:12:38 (job build)
            lineclear secret set TOKEN
          variable REGION
            .github/workflows/w.yml:8:23 (job build)
            lineclear variable set REGION
          secret SSH_KEY
            .github/workflows/w.yml:24:26 (job release)
            lineclear secret set SSH_KEY
          secret HOST (environment production)
            .github/workflows/w.yml:20:20 (job deploy)
            lineclear secret set HOST --env production
          secret PUBLISH (environment production)
            .github/workflows/release.yml:9:50 (job release/publish)
            lineclear secret set PUBLISH --env production
        not set, but only tested or with a fallback: secret SENTRY_DSN, variable EXTRA
    "#]],
    );
    assert_eq!(repository.say(&["plan"]).stderr, repository.say(&["run", "--dry-run"]).stderr, "a plan tells the same");
    let said = repository.say(&["run", "--require-secrets", "--format", "json"]);
    assert_eq!((said.exit, said.stdout.as_str()), (2, ""), "no job starts: {}", said.stderr);
    assert!(said.stderr.starts_with("error: "), "{}", said.stderr);
    assert!(repository.job_folders().is_empty());
}

#[test]
fn only_the_jobs_that_would_run_are_asked_about() {
    let repository = repository("selected");
    check(
        &repository,
        &["run", "--dry-run", "-j", "build"],
        0,
        expect![[r#"
        note: 2 secrets and 1 variable are not set and will be empty, as on GitHub (--require-secrets makes this an error):
          secret GLOBAL
            .github/workflows/w.yml:3:15 (job build)
            lineclear secret set GLOBAL
          secret TOKEN
            .github/workflows/w.yml:9:24 (job build)
            .github/workflows/w.yml:12:38 (job build)
            lineclear secret set TOKEN
          variable REGION
            .github/workflows/w.yml:8:23 (job build)
            lineclear variable set REGION
        not set, but only tested or with a fallback: secret SENTRY_DSN, variable EXTRA
    "#]],
    );
    // What is given with the command is there; what is optional stops nothing.
    let run = repository.run(&[
        "-j",
        "build",
        "--require-secrets",
        "--secret",
        "TOKEN=x1",
        "--secret",
        "global=x2",
        "--var",
        "region=eu",
    ]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(run.stderr.contains("secret SENTRY_DSN") && !run.stderr.contains("TOKEN"), "{}", run.stderr);
    let run = repository.run(&["-j", "build"]);
    assert_eq!(run.exit, 0, "what is missing is empty, as on GitHub: {}", run.transcript());
}

#[test]
fn what_is_kept_is_not_missing_and_only_where_it_counts() {
    let repository = repository("kept");
    for args in [
        &["secret", "set", "GLOBAL", "--machine", "-b", "v"][..],
        &["secret", "set", "TOKEN", "-b", "v"],
        &["secret", "set", "HOST", "--env", "staging", "-b", "v"],
        &["secret", "set", "PUBLISH", "--env", "Production", "-b", "v"],
        &["variable", "set", "REGION", "eu"],
    ] {
        keep(&repository, args);
    }
    check(
        &repository,
        &["run", "--dry-run"],
        0,
        expect![[r#"
        note: 2 secrets are not set and will be empty, as on GitHub (--require-secrets makes this an error):
          secret SSH_KEY
            .github/workflows/w.yml:24:26 (job release)
            lineclear secret set SSH_KEY
          secret HOST (environment production)
            .github/workflows/w.yml:20:20 (job deploy)
            lineclear secret set HOST --env production
        not set, but only tested or with a fallback: secret SENTRY_DSN, variable EXTRA
    "#]],
    );
    let branch = ["run", "--dry-run", "--ref", "refs/heads/feature", "-j", "deploy", "--require-secrets"];
    let said = repository.say(&branch);
    assert_eq!(said.exit, 0, "a branch deploys to staging, which has its host: {}", said.stderr);
}

#[test]
fn a_pull_request_from_a_fork_is_not_told_to_set_secrets_that_it_would_not_see() {
    let repository = Repository::with(
        "fork",
        "on: pull_request\njobs: { a: { runs-on: linux, steps: [ { run: 'echo ${{ secrets.S }} ${{ vars.V }}' } ] } }\n",
    );
    let repo = |name: &str| serde_json::json!({ "full_name": name });
    let payload = serde_json::json!({
        "action": "opened", "number": 7,
        "pull_request": { "number": 7, "head": { "ref": "x", "repo": repo("fork/r") }, "base": { "ref": "main", "repo": repo("octo/r") } },
        "repository": { "full_name": "octo/r", "default_branch": "main" },
    });
    repository.write("fork.json", &payload.to_string());
    let said = repository.say(&["run", "--dry-run", "--event", "pull_request", "--payload", "fork.json"]);
    assert!(!said.stderr.contains("secret S") && said.stderr.contains("variable V"), "{}", said.stderr);
}

/// S1-121, S1-128.
#[test]
fn an_audit_says_who_uses_what_and_what_is_missing_or_unused() {
    let repository = repository("audit");
    keep(&repository, &["secret", "set", "TOKEN", "-b", "v"]);
    keep(&repository, &["secret", "set", "FORGOTTEN", "-b", "v"]);
    keep(&repository, &["secret", "set", "HOST", "--env", "staging", "-b", "v"]);
    keep(&repository, &["secret", "set", "PUBLISH", "--env", "production", "-b", "v"]);
    keep(&repository, &["variable", "set", "REGION", "eu"]);
    let said = repository.say(&["secret", "audit"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    expect![[r#"
        .github/workflows/w.yml
          job build
            secret GLOBAL      missing                3:15
            secret TOKEN       local/repo, set today  9:24
            secret SENTRY_DSN  not set, optional      9:51
            variable REGION    local/repo, set today  8:23
            variable EXTRA     not set, optional      10:13
            secret TOKEN       local/repo, set today  12:38
          job deploy (environment ${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}, known at run time)
            secret GLOBAL  missing                       3:15
            secret HOST    set for environments staging  20:20
          job release
            secret SSH_KEY  missing  24:26
          job release/publish (environment production)
            secret KEY      passed by the caller                             .github/workflows/release.yml:9:31
            secret PUBLISH  environment production of local/repo, set today  .github/workflows/release.yml:9:50
          job never
            secret GLOBAL  missing  3:15
            secret NEVER   missing  28:31

        Missing:
          lineclear secret set GLOBAL
          lineclear secret set SSH_KEY
          lineclear secret set NEVER

        Unused by any workflow here:
          secret FORGOTTEN  local/repo  set today

        local/repo: 13 uses, 3 missing, 2 optional and not set, 1 unused, 0 old
    "#]].assert_eq(&said.stdout);
    assert_eq!(repository.say(&["secret", "audit", "--strict"]).exit, 1);
    let document: serde_json::Value =
        serde_json::from_str(&repository.say(&["secret", "audit", "--format", "json"]).stdout).expect("JSON");
    let status = |job: &str, name: &str| {
        let uses = document["uses"].as_array().expect("a list");
        let found = uses.iter().find(|used| used["job"] == job && used["name"] == name);
        found.unwrap_or_else(|| panic!("{job} {name}: {document:#}"))["status"].clone()
    };
    assert_eq!(document["version"], 1);
    assert_eq!(status("build", "TOKEN"), "set");
    assert_eq!(status("build", "GLOBAL"), "missing");
    assert_eq!(status("deploy", "HOST"), "in_environments");
    assert_eq!(status("release", "SSH_KEY"), "missing");
    assert_eq!(status("release/publish", "KEY"), "passed");
    assert_eq!(status("release/publish", "PUBLISH"), "set");
    assert_eq!(document["unused"][0]["name"], "FORGOTTEN");
    for name in ["GLOBAL", "SSH_KEY", "NEVER"] {
        keep(&repository, &["secret", "set", name, "-b", "v"]);
    }
    assert_eq!(repository.say(&["secret", "audit", "--strict"]).exit, 0);
}

/// S1-128: a secret that is older than a quarter is named; one that is read again and again shows when.
#[test]
fn an_audit_names_what_is_old_and_says_what_was_used_when() {
    use lineclear_secrets::{KeySources, Kind, Name, PassphraseCost, Scope, SecretStore, SecretText};
    let repository = Repository::with(
        "old",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo ${{ secrets.OLD }}' } ] } }\n",
    );
    let keys = KeySources {
        key: None,
        passphrase: None,
        key_file: repository.home().join("keys/secrets"),
        cost: PassphraseCost::default(),
    };
    let store = SecretStore::new(repository.home().join("secrets/store"), keys);
    for name in ["OLD", "OLD_AND_FOREIGN"] {
        let name = Name::new(name).expect("a name");
        store
            .change(|contents| contents.set(Kind::Secret, Scope::Machine, name, SecretText::new("value".into()), 0))
            .expect("set");
    }
    assert!(!repository.say(&["secret", "audit"]).stdout.contains("used today"));
    assert_eq!(repository.run(&[]).exit, 0);
    let said = repository.say(&["secret", "audit"]).stdout;
    assert!(said.contains("Older than 90 days") && said.contains("used today"), "{said}");
    assert!(said.ends_with(": 1 use, 0 missing, 0 optional and not set, 0 unused, 1 old\n"), "{said}");
    let said = repository.say(&["secret", "audit", "--max-age", "1000000"]).stdout;
    assert!(!said.contains("Older than"), "{said}");
}

#[test]
fn an_audit_follows_inheritance_and_whatever_is_read_as_a_whole() {
    let repository = Repository::with(
        "inherit",
        "on: push
jobs:
  all: { runs-on: linux, steps: [ { run: 'echo ${{ toJSON(secrets) }} ${{ secrets[matrix.name] }}' } ] }
  near: { uses: ./.github/workflows/near.yml, secrets: inherit }
  bare: { uses: ./.github/workflows/near.yml }
  far: { uses: octo/shared/.github/workflows/far.yml@v1, secrets: inherit }
",
    );
    repository.write(
        ".github/workflows/near.yml",
        "on: workflow_call\njobs: { inner: { runs-on: linux, steps: [ { run: 'echo ${{ secrets.DEEP }}' } ] } }\n",
    );
    repository.write(
        ".github/workflows/alone.yml",
        "on: workflow_call\njobs: { inner: { runs-on: linux, steps: [ { run: ':' } ] } }\n",
    );
    keep(&repository, &["secret", "set", "ANY", "-b", "v"]);
    let said = repository.say(&["secret", "audit"]);
    expect![[r#"
        .github/workflows/w.yml
          job all
            all secrets (secrets)  whichever are set  3:59
            all secrets (secrets)  whichever are set  3:75
          job near/inner
            secret DEEP  missing  .github/workflows/near.yml:2:60
          job bare/inner
            secret DEEP  not passed by the caller: empty  .github/workflows/near.yml:2:60
          job far
            all secrets (secrets: inherit)  whichever are set  6:67

        Missing:
          lineclear secret set DEEP

        local/repo: 5 uses, 1 missing, 0 optional and not set, 0 unused, 0 old
    "#]]
    .assert_eq(&said.stdout);
    assert!(said.stderr.contains("alone.yml: no workflow here calls it"), "{}", said.stderr);
    assert!(said.stderr.contains("`octo/shared/.github/workflows/far.yml@v1`"), "{}", said.stderr);
}
