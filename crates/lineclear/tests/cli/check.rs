//! `lineclear check`: what it reads, how it tells, what it repairs, and how it exits.

use lineclear_testkit::{Repository, Said};
use serde_json::Value;

const SOUND: &str = "\
name: CI
on: push
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: make
";

const FAULTY: &str = "\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minuts: 5
    steps:
      - run: make
";

/// The findings of `rule`, or all, as JSON.
fn findings(repository: &Repository, args: &[&str], rule: &str) -> Vec<Value> {
    let mut all = vec!["check", "--format", "json"];
    all.extend(args);
    let Said { stdout, stderr, .. } = repository.say(&all);
    let document: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    let found = document["diagnostics"].as_array().expect("a list").clone();
    found.into_iter().filter(|finding| rule.is_empty() || finding["rule"] == rule).collect()
}

#[test]
fn s1_18_files_are_checked_offline_and_the_exit_code_tells() {
    let repository = Repository::with("check", SOUND);
    let Said { exit, stdout, stderr } = repository.say(&["check"]);
    assert_eq!(exit, 0, "{stdout}{stderr}");
    repository.write(".github/workflows/a.yml", FAULTY);
    let Said { exit, stdout, .. } = repository.say(&["check"]);
    assert_eq!(exit, 1);
    assert!(
        stdout.contains("error[unknown-key]: `timeout-minuts` is not a key of a job; did you mean `timeout-minutes`?"),
        "{stdout}"
    );
    assert!(stdout.contains(".github/workflows/a.yml:5:5"), "{stdout}");
    assert_eq!(repository.say(&["check", ".github/workflows/w.yml"]).exit, 0, "the other file");
    assert_eq!(repository.say(&["check", ".github/workflows/*.yml"]).exit, 1, "a pattern");
    let Said { exit, stderr, .. } = repository.say(&["check", "nowhere.yml"]);
    assert_eq!(exit, 2);
    assert!(stderr.contains("there is no file or folder `nowhere.yml`"), "{stderr}");
}

#[test]
fn a_finding_as_json_has_its_place_and_its_repair() {
    let repository = Repository::with("check-json", FAULTY);
    let [finding] = &findings(&repository, &[], "unknown-key")[..] else { panic!("one finding") };
    let place = ["line", "column", "end_line", "end_column"].map(|key| finding[key].as_u64());
    assert_eq!(place, [Some(5), Some(5), Some(5), Some(19)]);
    assert_eq!((&finding["file"], &finding["severity"]), (&".github/workflows/w.yml".into(), &"error".into()));
    let [finding] = &findings(&repository, &[], "missing-timeout")[..] else { panic!("one finding") };
    assert_eq!(finding["fix"]["safe"], false, "a time-out can end what ran before");
    assert_eq!(finding["fix"]["edits"][0]["line"], 4);
}

#[test]
fn a_broken_file_stops_no_other() {
    let repository = Repository::with("check-broken", FAULTY);
    repository.write(".github/workflows/broken.yml", "on: [push\njobs: {");
    std::fs::write(repository.root().join(".github/workflows/latin.yml"), b"on: push # \xe9\njobs: {}\n")
        .expect("written");
    let all = findings(&repository, &[], "");
    let of = |file: &str| {
        all.iter().filter(|finding| finding["file"].as_str().is_some_and(|name| name.ends_with(file))).count()
    };
    assert!(of("broken.yml") > 0 && of("w.yml") > 0 && of("latin.yml") > 0, "{all:?}");
    let [latin] = &findings(&repository, &[], "unreadable-file")[..] else { panic!("one finding") };
    assert_eq!((latin["line"].as_u64(), latin["column"].as_u64()), (Some(1), Some(12)));
}

#[test]
fn s1_21_repairs_keep_comments_and_order_and_are_made_once() {
    let text = "# The build.\non: push\njobs:\n  build:   # everything\n    # where\n    runs-on: \"ubuntu-latest\"\n    steps: [ { run: make } ]\n";
    let repository = Repository::with("check-fix", text);
    let Said { exit, stdout, .. } = repository.say(&["check", "--fix=all", "--diff", "--rule", "missing-timeout"]);
    assert_eq!(exit, 1, "there is something to repair");
    assert!(stdout.contains("+    timeout-minutes: 30\n"), "{stdout}");
    assert_eq!(repository.read(".github/workflows/w.yml"), text, "nothing is written");
    let Said { exit, stderr, .. } = repository.say(&["check", "--fix=all", "--rule", "missing-timeout"]);
    assert_eq!(exit, 0, "{stderr}");
    let fixed = repository.read(".github/workflows/w.yml");
    assert_eq!(fixed, text.replace("    runs-on:", "    timeout-minutes: 30\n    runs-on:"));
    let Said { exit, stdout, .. } = repository.say(&["check", "--fix=all", "--diff", "--rule", "missing-timeout"]);
    assert_eq!((exit, stdout.as_str()), (0, ""));
    let (exit, plan, _) = repository.plan(&["--event", "push"]);
    assert_eq!((exit, plan["workflows"][0]["jobs"][0]["id"].as_str()), (0, Some("build")));
}

#[test]
fn what_an_old_repository_has_is_left_alone_by_a_baseline() {
    let repository = Repository::with("check-baseline", FAULTY);
    assert_eq!(repository.say(&["check", "--write-baseline", "known.json"]).exit, 0);
    let Said { exit, stderr, .. } = repository.say(&["check", "--baseline", "known.json"]);
    assert_eq!(exit, 0, "{stderr}");
    assert!(stderr.contains("known ones are left out"), "{stderr}");
    repository
        .write(".github/workflows/w.yml", &FAULTY.replace("on: push\n", "# moved\n\non: push\n    # x\nfoo: 1\n"));
    let Said { exit, stdout, .. } = repository.say(&["check", "--baseline", "known.json", "--format", "short"]);
    assert_eq!(exit, 1);
    assert!(stdout.contains("`foo` is not a key") && !stdout.contains("timeout-minuts"), "{stdout}");
    repository.write("known.json", "{}");
    assert_eq!(repository.say(&["check", "--baseline", "known.json"]).exit, 2);
}

#[test]
fn s2_15_one_setting_makes_warnings_fail() {
    let repository = Repository::with("check-deny", &SOUND.replace("    timeout-minutes: 5\n", ""));
    assert_eq!(repository.say(&["check"]).exit, 0);
    assert_eq!(repository.say(&["check", "--deny", "warning"]).exit, 1);
    assert_eq!(repository.say(&["check", "--deny", "warning", "--allow", "missing-timeout"]).exit, 0);
    repository.write("lineclear.toml", "[check]\ndeny = \"warning\"\n");
    assert_eq!(repository.say(&["check"]).exit, 1, "from lineclear.toml");
    repository.write("lineclear.toml", "[check]\ndeny = \"warning\"\n[check.rules]\nmissing-timeout = \"info\"\n");
    assert_eq!(repository.say(&["check"]).exit, 0, "its level is set");
    repository.write(
        "lineclear.toml",
        "[[check.paths]]\nfiles = [\".github/workflows/w*.yml\"]\nrules = { missing-timeout = \"error\" }\n",
    );
    assert_eq!(repository.say(&["check"]).exit, 1, "for some files");
}

#[test]
fn a_comment_with_a_reason_silences_a_finding() {
    let text = SOUND
        .replace("    timeout-minutes: 5\n", "")
        .replace("  build:\n", "  # lineclear: ignore[missing-timeout] the runner has one\n  build:\n");
    let repository = Repository::with("check-ignore", &text);
    let Said { exit, stdout, stderr } = repository.say(&["check", "--deny", "warning"]);
    assert_eq!(exit, 0, "{stdout}");
    assert!(stderr.contains("1 ignored by comments"), "{stderr}");
}

#[test]
fn rules_are_listed_and_explained() {
    let repository = Repository::with("check-rules", SOUND);
    let Said { exit, stdout, .. } = repository.say(&["check", "--list"]);
    assert_eq!(exit, 0);
    assert!(stdout.contains("missing-timeout") && stdout.contains("correctness"), "{stdout}");
    let Said { stdout, .. } = repository.say(&["check", "--list", "--format", "json"]);
    let rules: Vec<Value> = serde_json::from_str(&stdout).expect("a list");
    assert!(rules.len() > 100, "{} rules", rules.len());
    let Said { exit, stdout, .. } = repository.say(&["check", "--explain", "missing-timeout"]);
    assert_eq!(exit, 0);
    assert!(stdout.starts_with("# missing-timeout\n"));
    let Said { exit, stderr, .. } = repository.say(&["check", "--explain", "mising-timeout"]);
    assert_eq!(exit, 2);
    assert!(stderr.contains("did you mean `missing-timeout`?"));
}

#[test]
fn standard_input_is_checked_under_the_name_it_is_given() {
    let repository = Repository::with("check-stdin", SOUND);
    let mut command =
        repository.lineclear(&["check", "-", "--stdin-filename", ".github/workflows/new.yml", "--format", "short"]);
    let input = repository.beside("input.yml");
    std::fs::write(&input, FAULTY).expect("written");
    command.stdin(std::fs::File::open(&input).expect("there"));
    let Said { exit, stdout, .. } = lineclear_testkit::say(command);
    assert_eq!(exit, 1);
    assert!(stdout.contains(".github/workflows/new.yml:5:5: error[unknown-key]"), "{stdout}");
}

#[test]
fn annotations_name_file_line_and_rule() {
    let repository = Repository::with("check-annotations", FAULTY);
    let Said { stdout, .. } = repository.say(&["check", "--format", "github"]);
    let expected = "::error file=.github/workflows/w.yml,line=5,endLine=5,col=5,endColumn=18,title=unknown-key::";
    assert!(stdout.lines().any(|line| line.starts_with(expected)), "{stdout}");
}

#[test]
fn s1_19_s1_20_s1_133_findings_are_counted_and_listed_by_rule() {
    let repository = Repository::with("check-count", FAULTY);
    let Said { stdout, .. } = repository.say(&["check", "--statistics", "--format", "short"]);
    assert!(stdout.lines().any(|line| line.split_whitespace().eq(["1", "warning", "missing-timeout"])), "{stdout}");
    repository.write(".github/workflows/w.yml", SOUND);
    let Said { stdout, stderr, .. } = repository.say(&["check", "--statistics", "--rule", "missing-timeout"]);
    assert!(stdout.is_empty() && stderr.contains("nothing found"), "{stdout}{stderr}");
}

#[test]
fn advisories_of_the_repository_are_read_offline() {
    let text = SOUND.replace("      - run: make\n", "      - uses: acme/greet@v1.0.0\n");
    let repository = Repository::with("check-advisories", &text);
    assert_eq!(findings(&repository, &[], "vulnerable-action").len(), 0);
    repository.write("lineclear.toml", "[check]\nadvisories = \"known\"\n");
    repository.write(
        "known/one.json",
        r#"{"id": "GHSA-0000-1111-2222", "summary": "greets too much", "affected": [{"package": {"ecosystem": "GitHub Actions", "name": "acme/greet"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}]}]}"#,
    );
    let [finding] = &findings(&repository, &[], "vulnerable-action")[..] else { panic!("one finding") };
    assert!(finding["message"].as_str().is_some_and(|message| message.contains("GHSA-0000-1111-2222")), "{finding}");
    repository.write("known/two.json", "{");
    let Said { stderr, .. } = repository.say(&["check"]);
    assert!(stderr.contains("two.json` are not used"), "{stderr}");
}

#[test]
fn the_projects_own_workflows_and_examples_have_no_errors() {
    let root = lineclear_testkit::examples().join("..");
    let mut command = std::process::Command::new(lineclear_testkit::binary());
    command.current_dir(&root).args(["check", "--format", "short", "--min-severity", "error", ".github"]);
    command.args(["examples/python-package", "examples/node-service"]);
    let Said { exit, stdout, stderr } = lineclear_testkit::say(command);
    assert_eq!((exit, stdout.as_str()), (0, ""), "{stderr}");
}
