//! What changed between two runs, what the caches were worth, and which tests are unreliable.

use lineclear_testkit::Repository;
use serde_json::{Value, json as document};

use crate::history::{folder, json, redacted};

fn action(repository: &Repository, name: &str, words: &str) {
    let folder = repository.beside("actions").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let text =
        format!("name: greet\nruns:\n  using: composite\n  steps:\n    - run: echo {words}\n      shell: bash\n");
    std::fs::write(folder.join("action.yml"), text).expect("written");
}

fn run(repository: &Repository, args: &[&str]) -> i32 {
    let mut all = vec!["run", "--format", "plain"];
    all.extend(args);
    let mut command = repository.lineclear(&all);
    command.env("LINECLEAR_ACTIONS_DIR", repository.beside("actions"));
    lineclear_testkit::say(command).exit
}

const WORKFLOW: &str = "
name: CI
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    env: { TOKEN: '${{ secrets.TOKEN }}' }
    steps:
      - uses: acme/greet@v1
      - uses: acme/other@main
      - id: check
        run: test '${{ vars.MODE }}' = good
";

/// C20: which action, file, workflow line, variable or secret changed between the last green run and the red one.
#[test]
fn c20_what_changed_between_the_green_run_and_the_red_one() {
    let repository = Repository::with("diff", WORKFLOW);
    action(&repository, "acme/greet@v1", "one");
    action(&repository, "acme/greet@v2", "two");
    action(&repository, "acme/other@main", "one");
    assert_eq!(run(&repository, &["--var", "MODE=good"]), 0);

    repository.write("src/a.py", "print(1)\nprint(2)\n");
    repository.write(
        ".github/workflows/w.yml",
        &WORKFLOW
            .replace("acme/greet@v1", "acme/greet@v2")
            .replace("runs-on: ubuntu-latest", "runs-on: ubuntu-22.04")
            .replace("secrets.TOKEN", "secrets.API_TOKEN"),
    );
    repository.commit("second");
    // The same reference with other contents: a branch that moved.
    action(&repository, "acme/other@main", "two");
    assert_eq!(run(&repository, &["--var", "MODE=bad"]), 1);

    let diff = json(&repository, &["diff"]);
    let changed = &diff["changed"];
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|change| change["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names(&changed["actions"]), ["acme/greet", "acme/other"], "{diff:#}");
    assert!(changed["actions"][0]["new"].as_str().is_some_and(|version| version.starts_with("v2 (files:")), "{diff:#}");
    assert_eq!(changed["variables"], document!([{ "name": "MODE", "old": "good", "new": "bad" }]));
    assert_eq!(names(&changed["secrets"]), ["API_TOKEN", "TOKEN"]);
    assert_eq!(changed["machines"][0], document!({ "name": "test", "old": "ubuntu-latest", "new": "ubuntu-22.04" }));
    let files: Vec<&str> =
        changed["files"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str()).collect();
    assert_eq!(files, [".github/workflows/w.yml", "src/a.py"]);
    assert_eq!(changed["files"][1]["added"], 2);
    assert!(changed["workflows"][0]["hunks"].to_string().contains("+      - uses: acme/greet@v2"), "{diff:#}");
    assert_eq!(diff["results"]["conclusion"]["new"], "failure");
    assert_eq!(diff["results"]["steps"][0]["new"], "failure", "{diff:#}");

    let expected = expect_test::expect![[r#"
        old  ✓ w.yml#1 success  push on main, COMMIT first  AGE, took TIME  (run ID)
        new  ✗ w.yml#2 failure  push on main, COMMIT second  AGE, took TIME  (run ID)

        What changed
          commit  COMMIT → COMMIT
          files of the repository
          .github/workflows/w.yml  +3 -3
          src/a.py  +2 -0
          .github/workflows/w.yml changed
          line 4, now 4
          jobs:
          test:
          -  runs-on: ubuntu-latest
          -  env: { TOKEN: '${{ secrets.TOKEN }}' }
          +  runs-on: ubuntu-22.04
          +  env: { TOKEN: '${{ secrets.API_TOKEN }}' }
          steps:
          -  - uses: acme/greet@v1
          +  - uses: acme/greet@v2
          - uses: acme/other@main
          - id: check
          actions
          acme/greet  v1 (files:VERSION) → v2 (files:VERSION)
          acme/other  main (files:VERSION) → main (files:VERSION)
          variables
          MODE  good → bad
          secrets that are read
          API_TOKEN  new: read
          TOKEN  gone: read
          machines
          test  ubuntu-latest → ubuntu-22.04

        What came out differently
          run  success → failure
          jobs
          test  success → failure
          steps
          test › Run test 'bad' = good  success → failure
    "#]];
    let text = redacted(&repository.say(&["diff", "@2", "last"]));
    let versions = fancy_regex::Regex::new("files:[0-9a-f]{16}").expect("a pattern");
    expected.assert_eq(&versions.replace_all(&text, "files:VERSION"));

    let same = repository.say(&["diff", "last", "last"]);
    assert!(same.stdout.contains("Nothing that was recorded"), "{}", same.stdout);
    // C20: what a record cannot tell is said, since a run also has what is not committed.
    assert!(same.stdout.contains("not committed are not recorded"), "{}", same.stdout);
}

const CACHED: &str = "
name: cached
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: data
        uses: actions/cache@v4
        with: { path: data, key: 'data-${{ vars.KEY }}' }
      - run: '[ -e data/x ] || { sleep 1.2; mkdir -p data; echo x > data/x; }'
";

/// S1-83, S1-84: look-ups are counted as a hit rate, and jobs with caches are compared with those without.
#[test]
fn s1_83_s1_84_the_hit_rate_and_what_caching_saves() {
    let repository = Repository::with("stats", CACHED);
    for key in ["0a1b2c", "0a1b2c", "0a1b2c"] {
        assert_eq!(repository.run(&["--var", &format!("KEY={key}")]).exit, 0);
    }
    let stats = json(&repository, &["cache", "stats"]);
    assert_eq!(
        (&stats["rate"]["look_ups"], &stats["rate"]["exact"], &stats["rate"]["missed"]),
        (&3.into(), &2.into(), &1.into())
    );
    assert_eq!((&stats["hit_percent"], &stats["keys"][0]["keys"]), (&66.into(), &"data-…".into()), "{stats:#}");
    let compared = &stats["comparison"][0];
    assert_eq!((&compared["job"], &compared["with"], &compared["without"]), (&"build".into(), &2.into(), &1.into()));
    assert!(compared["without_ms"].as_u64() >= Some(1200), "{stats:#}");
    let said = repository.say(&["cache", "stats"]);
    assert!(said.stdout.starts_with("2 of 3 look-ups found something (67 %) in the last 3 runs"), "{}", said.stdout);
    assert!(said.stdout.contains("With caches and without"), "{}", said.stdout);
    assert!(json(&repository, &["cache", "why"])["look_ups"][0]["found"] == "exact");
}

/// S4-54: a branch reads its own caches and those of the default branch; `cache why` says which, and why another's are not found.
#[test]
fn s4_54_cache_why_tells_scope_paths_and_what_is_near() {
    let repository = Repository::with("cache-why", CACHED);
    assert_eq!(repository.run(&["--var", "KEY=0a1b2c"]).exit, 0);
    repository.sh("git checkout -q -b feature");
    assert_eq!(repository.run(&["--var", "KEY=feature1"]).exit, 0);
    let seen = |args: &[&str]| {
        let mut all = vec!["cache", "why"];
        all.extend(args);
        let said = repository.say(&all);
        (said.exit, said.stdout)
    };
    let (exit, text) = seen(&["data-0a1b2c"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("as seen from feature, then main") && text.contains("refs/heads/main"), "{text}");
    let (exit, text) = seen(&["data-feature1", "--ref", "other"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("Other branches have this key"), "{text}");
    let (exit, text) = seen(&["data-0a1b2c", "--paths", "elsewhere"]);
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("other paths"), "{text}");
    let (exit, text) = seen(&["data-0a1b2c", "--paths", "data"]);
    assert_eq!(exit, 0, "{text}");
    let (exit, text) = seen(&["data-0a1b99"]);
    assert_eq!(exit, 1);
    assert!(text.contains("Keys that begin alike:") && text.contains("data-0a1b2c"), "{text}");

    // What was there and is gone.
    assert_eq!(repository.run(&["--var", "KEY=0a1b2c"]).exit, 0);
    let listed = json(&repository, &["cache", "ls", "--key", "data-0a"]);
    let id = listed["caches"][0]["id"].to_string();
    let removed = repository.say(&["cache", "rm", &id]);
    assert!(removed.stdout.starts_with("removed data-0a1b2c"), "{}", removed.stdout);
    let (_, text) = seen(&["data-0a1b2c"]);
    assert!(text.contains("Last found") && text.contains("it was there and is gone"), "{text}");
    let wrong = repository.say(&["cache", "rm", "data-featrue1"]);
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("did you mean `data-feature1`?"), "{}", wrong.stderr);
    assert_eq!(repository.say(&["cache", "rm", "--all"]).exit, 0);
    assert_eq!(json(&repository, &["cache", "ls"])["caches"], document!([]));
}

/// Tests that pass only when tried again, and tests that flip on a commit, are told from those that were broken.
#[test]
fn unreliable_tests_are_listed_with_how_often_and_why() {
    let repository = Repository::with(
        "flakes",
        "name: e2e\non: push\njobs: { e2e: { runs-on: linux, steps: [ { run: 'true' } ] } }\n",
    );
    let case = |name: &str, outcome: &str, message: &str| document!({ "suite": "login", "name": name, "outcome": outcome, "duration_ms": 5, "message": message });
    for cases in [
        vec![case("signs in", "passed", ""), case("signs out", "failed", "timed out after 5s")],
        vec![case("signs in", "flaky", "element is not attached"), case("signs out", "passed", "")],
    ] {
        assert_eq!(repository.run(&[]).exit, 0);
        let id = json(&repository, &["runs"])["runs"][0]["id"].clone();
        let totals = document!({ "passed": 0, "flaky": 0, "failed": 0, "skipped": 0, "duration_ms": 0 });
        let event = document!({
            "event": "fact", "job": "e2e", "step": "__run", "fact": "tests", "name": "results.json", "cases": cases,
            "totals": totals, "run": id, "at": 1_795_250_130_000_i64,
        });
        let record = folder(&repository, &id).join("record.jsonl");
        let text = std::fs::read_to_string(&record).expect("a record");
        std::fs::write(&record, format!("{text}{event}\n")).expect("written");
    }
    let expected = expect_test::expect![[r#"
        2 tests unreliable in the last 2 runs, 2 of them with reports of tests

        50 %  login › signs in  w.yml › e2e
          1 of 2 runs: passed on retry 1 times; last seen AGE in run ID
          element is not attached

        50 %  login › signs out  w.yml › e2e
          1 of 2 runs: failed 1 times where it passed too (COMMIT); last seen AGE in run ID
          timed out after 5s
    "#]];
    expected.assert_eq(&redacted(&repository.say(&["flakes"])));
    let found = json(&repository, &["flakes"]);
    assert_eq!((&found["flakes"][0]["retried"], &found["flakes"][1]["failed"]), (&1.into(), &1.into()), "{found:#}");
    let diff = json(&repository, &["diff", "@2", "last"]);
    let tests = &diff["results"]["tests"];
    assert_eq!(tests[0], document!({ "name": "login › signs in (e2e)", "old": "passed", "new": "flaky" }), "{diff:#}");
}
