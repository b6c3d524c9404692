//! `lineclear plan`.

use serde_json::Value;

use lineclear_testkit::Repository;

const WORKFLOW: &str = "
name: CI
run-name: run of ${{ github.ref_name }}
on:
  push:
    branches: [main]
  pull_request:
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { v: '1' }
    steps: [run: 'true']
  test:
    needs: build
    strategy: { matrix: { python: ['3.10', '3.11'] } }
    runs-on: [self-hosted, linux]
    steps: [run: 'true']
  deploy:
    needs: [build, test]
    if: github.ref == 'refs/heads/release'
    runs-on: ubuntu-latest
    steps: [run: 'true']
  late:
    needs: build
    if: needs.build.outputs.v == '1'
    runs-on: ubuntu-latest
    steps: [run: 'true']
";

#[test]
fn the_document_has_the_documented_keys() {
    let repository = Repository::with("plan", WORKFLOW);
    repository
        .write(".github/workflows/other.yml", "on: release\njobs: { a: { runs-on: x, steps: [ { run: a } ] } }\n");
    let (exit, plan, stderr) = repository.plan(&[]);
    assert_eq!(exit, 0, "{stderr}");
    assert_eq!(plan["event"], "push");
    assert!(plan["hash"].as_str().is_some_and(|hash| hash.len() >= 16), "{}", plan["hash"]);
    let workflows = plan["workflows"].as_array().expect("a list");
    let [other, ci] = workflows.as_slice() else { panic!("{workflows:?}") };
    assert_eq!(
        (&other["triggered"], &other["run_name"], &other["jobs"]),
        (&Value::Bool(false), &Value::Null, &Value::Array(vec![]))
    );
    assert!(other["reason"].as_str().is_some_and(|reason| reason.contains("release")), "{}", other["reason"]);
    assert_eq!(ci["file"], ".github/workflows/w.yml");
    assert_eq!((ci["name"].as_str(), ci["run_name"].as_str()), (Some("CI"), Some("run of main")));
    let jobs = ci["jobs"].as_array().expect("a list");
    let keys: Vec<&str> = jobs.iter().filter_map(|job| job["key"].as_str()).collect();
    assert_eq!(keys, ["build", "test (3.10)", "test (3.11)", "deploy", "late"]);
    let test = &jobs[1];
    assert_eq!((test["id"].as_str(), test["name"].as_str()), (Some("test"), Some("test (3.10)")));
    assert_eq!(test["matrix"], serde_json::json!({"python": "3.10"}));
    assert_eq!(
        (&test["needs"], &test["runs_on"]),
        (&serde_json::json!(["build"]), &serde_json::json!(["self-hosted", "linux"]))
    );
    assert_eq!(test["decision"], serde_json::json!({"verdict": "runs", "reason": "no condition; after build"}));
    let deploy = &jobs[3];
    assert_eq!(deploy["if"], "github.ref == 'refs/heads/release'");
    assert_eq!(deploy["decision"]["verdict"], "skipped");
    assert_eq!(
        deploy["decision"]["reason"],
        "if: `github.ref == 'refs/heads/release'` is false: github.ref = refs/heads/main"
    );
    assert_eq!(jobs[4]["decision"]["verdict"], "known_at_run_time");
}

#[test]
fn the_hash_is_that_of_the_inputs() {
    let repository = Repository::with("plan", WORKFLOW);
    let hash = |args: &[&str]| repository.plan(args).1["hash"].as_str().expect("a hash").to_owned();
    let first = hash(&[]);
    assert_eq!(first, hash(&[]), "same inputs, same hash");
    assert_ne!(first, hash(&["--var", "A=1"]));
    assert_ne!(first, hash(&["--event", "pull_request"]));
    repository.write(".github/workflows/w.yml", &format!("{WORKFLOW}# changed\n"));
    assert_ne!(first, hash(&[]));
}

#[test]
fn people_read_a_tree_with_reasons() {
    let repository = Repository::with("plan", WORKFLOW);
    let said = repository.say(&["plan"]);
    assert_eq!(said.exit, 0);
    for part in [
        "CI",
        "branch `main` matches `main`",
        "test (3.11)",
        "after build",
        "is false: github.ref = refs/heads/main",
        "1 workflow",
    ] {
        assert!(said.stdout.contains(part), "no {part:?} in\n{}", said.stdout);
    }
    assert!(!said.stdout.contains('\u{1b}'), "no colours without a terminal");
}

#[test]
fn a_plan_needs_no_repository_and_no_commit() {
    let repository = Repository::new("plan");
    repository.write(".github/workflows/w.yml", WORKFLOW);
    let (exit, plan, stderr) = repository.plan(&[]);
    assert_eq!((exit, &plan["workflows"][0]["triggered"]), (0, &Value::Bool(true)), "{stderr}");
    repository.sh("rm -r .git");
    let (exit, plan, stderr) = repository.plan(&["--event", "pull_request"]);
    assert_eq!((exit, &plan["workflows"][0]["triggered"]), (0, &Value::Bool(true)), "{stderr}");
}

#[test]
fn what_is_asked_for_wrongly_is_told_with_what_there_is() {
    let repository = Repository::with("plan", WORKFLOW);
    for (args, part) in [
        (&["--event", "pul_request"][..], "did you mean `pull_request`?"),
        (&["-W", "nothing.yml"], "there is no workflow file or folder `nothing.yml`"),
        (&["--payload", "nothing.json"], "nothing.json"),
        (&["--changed-since", "no-such-ref"], "`no-such-ref` is no commit"),
        (&["--event", "tag"], "no tag points at what is checked out"),
        (&["--nonsense"], "--nonsense"),
    ] {
        let (exit, _, stderr) = repository.plan(args);
        assert_eq!(exit, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(part), "{args:?}: {stderr}");
    }
}

#[test]
fn a_tag_is_a_push_of_it() {
    let repository = Repository::with(
        "plan",
        "on: { push: { tags: ['v*'] } }\njobs: { a: { runs-on: x, steps: [ { run: a } ] } }\n",
    );
    assert_eq!(repository.plan(&[]).1["workflows"][0]["triggered"], false);
    repository.sh("git tag v1.2.3");
    let (_, plan, stderr) = repository.plan(&["--event", "tag"]);
    assert_eq!(plan["workflows"][0]["triggered"], true, "{stderr} {plan}");
    assert!(plan["workflows"][0]["reason"].as_str().is_some_and(|reason| reason.contains("v1.2.3")), "{plan}");
}

#[test]
fn alone_it_says_what_is_here_and_what_to_type_next() {
    let repository = Repository::with("overview", WORKFLOW);
    let said = repository.say(&[]);
    assert_eq!(said.exit, 0);
    for part in ["1 workflow in .github/workflows", "CI", "push", "pull_request", "lineclear run", "lineclear plan"] {
        assert!(said.stdout.contains(part), "no {part:?} in\n{}", said.stdout);
    }
    let empty = Repository::new("overview").say(&[]);
    assert_eq!(empty.exit, 0);
    assert!(empty.stdout.contains(".github/workflows"), "{}", empty.stdout);
}
