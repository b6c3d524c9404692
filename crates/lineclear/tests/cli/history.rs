//! Looking back: which runs there were, what they printed, what they kept. docs/history.md.

use std::time::Duration;

use lineclear_testkit::{Repository, Said, Started, within};
use serde_json::Value;

const A_WHILE: Duration = Duration::from_secs(60);

/// A command that succeeds, as JSON.
pub(crate) fn json(repository: &Repository, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let said = repository.say(&all);
    serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{all:?}: {error}\n{}\n{}", said.stdout, said.stderr))
}

/// What a command prints, with ids, times, durations and digests replaced.
pub(crate) fn redacted(said: &Said) -> String {
    let mut text = String::new();
    for line in said.stdout.lines() {
        let mut shown = line.to_owned();
        for (pattern, with) in [
            (r"\b\d{13}\b", "ID"),
            (r"\b[0-9a-f]{64}\b", "DIGEST"),
            (r"sha256:[0-9a-f]+", "DIGEST"),
            (r"\b[0-9a-f]{40}\b", "COMMIT"),
            (r"\b[0-9a-f]{7}\b", "COMMIT"),
            (r"\bjust now\b|\b\d+[smhd] ago\b", "AGE"),
            (r"\b\d+\.\ds\b", "TIME"),
            (r" {2,}", "  "),
        ] {
            shown = replace(&shown, pattern, with);
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}

fn replace(text: &str, pattern: &str, with: &str) -> String {
    fancy_regex::Regex::new(pattern).expect("a pattern").replace_all(text, with).into_owned()
}

/// The folder of a run's record.
pub(crate) fn folder(repository: &Repository, id: &Value) -> std::path::PathBuf {
    repository.home().join("runs").join(id.to_string())
}

const TWO_JOBS: &str = "
name: CI
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - id: style
        run: |
          echo checking
          printf '\\033[31mred\\033[0m \\033]0;title\\007bell\\n'
          echo 'a.py:3: Error: bad style'
      - run: echo report > report.txt
      - uses: actions/upload-artifact@v4
        with: { name: report, path: report.txt, retention-days: 30 }
      - uses: actions/upload-artifact@v4
        with: { name: screenshots, path: report.txt, retention-days: 7 }
  test:
    needs: lint
    strategy: { matrix: { v: [1, 2] }, fail-fast: false }
    runs-on: ubuntu-latest
    steps:
      - id: t
        run: |
          echo testing ${{ matrix.v }}
          [ ${{ matrix.v }} = 1 ] || exit 3
";

#[test]
fn runs_are_listed_and_narrowed() {
    let repository = Repository::with("runs", TWO_JOBS);
    repository.write(
        ".github/workflows/other.yml",
        "on: pull_request\njobs: { a: { runs-on: linux, steps: [ { run: 'true' } ] } }\n",
    );
    assert_eq!(repository.run(&[]).exit, 1);
    assert_eq!(repository.run(&["--event", "pull_request"]).exit, 0);
    let all = json(&repository, &["runs"]);
    let shown: Vec<(&str, &str, &str, u64)> = all["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| {
            let text = |key: &str| run[key].as_str().expect("text");
            (text("file"), text("event"), text("status"), run["number"].as_u64().expect("a number"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            (".github/workflows/other.yml", "pull_request", "success", 1),
            (".github/workflows/w.yml", "push", "failure", 1)
        ]
    );
    assert_eq!(all["runs"][1]["subject"], "first", "{all}");
    let count = |args: &[&str]| json(&repository, args)["runs"].as_array().expect("a list").len();
    assert_eq!(count(&["runs", "--status", "failure"]), 1);
    assert_eq!(count(&["runs", "--status", "killed"]), 0);
    assert_eq!(count(&["runs", "-W", "other"]), 1);
    assert_eq!(count(&["runs", "-W", "CI", "--branch", "main"]), 1);
    assert_eq!(count(&["runs", "--branch", "nowhere"]), 0);
    assert_eq!(count(&["runs", "--event", "push", "-n", "5"]), 1);
    assert_eq!(count(&["runs", "--repository", "nobody/nothing"]), 0);
    assert_eq!(count(&["runs", "--all-repositories"]), 2);
    let said = repository.say(&["runs"]);
    let expected = expect_test::expect![[r#"
        ✓  ID  other.yml#1  success  pull_request  #1  TIME  AGE  COMMIT first
        ✗  ID  w.yml#1  failure  push  main  TIME  AGE  COMMIT first
    "#]];
    expected.assert_eq(&redacted(&said));
}

#[test]
fn a_run_is_found_by_many_names_and_a_wrong_one_is_answered_with_what_there_is() {
    let repository = Repository::with("names", TWO_JOBS);
    repository.run(&[]);
    repository.run(&["-j", "lint"]);
    let runs = json(&repository, &["runs"]);
    let (new, old) = (runs["runs"][0]["id"].to_string(), runs["runs"][1]["id"].to_string());
    for (name, id) in [
        ("last", &new),
        ("@1", &new),
        ("@2", &old),
        ("last-failed", &old),
        ("w.yml", &new),
        ("w@2", &old),
        ("CI", &new),
        ("w.yml#1", &old),
        ("#2", &new),
        ("2", &new),
        (new.as_str(), &new),
        (&old[old.len() - 6..], &old),
    ] {
        let document = json(&repository, &["artifacts", name]);
        assert_eq!(document["run"]["id"].to_string(), **id, "{name}");
    }
    let wrong = |name: &str, with: &str| {
        let said = repository.say(&["logs", name]);
        assert_eq!(said.exit, 2, "{name}: {}", said.stderr);
        assert!(said.stderr.contains(with), "{name}: {}", said.stderr);
    };
    wrong(&new[..5], "may be any of 2 runs");
    wrong("w.yaml", "did you mean `w.yml`?");
    wrong("@9", "there is no run @9");
    wrong("99999999999999999999", "there is no run");
    wrong("lats", "did you mean `last`?");
    wrong("w.yml#7", "its newest are");
    let said = repository.say(&["logs", "last", "lnit"]);
    assert!(said.stderr.contains("did you mean `lint`?"), "{}", said.stderr);
    let said = repository.say(&["logs", "last", "lint", "stlye"]);
    assert!(said.stderr.contains("did you mean `style`?"), "{}", said.stderr);
    let empty = Repository::with("names-empty", TWO_JOBS);
    let said = empty.say(&["why"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("nothing has run here yet"), "{}", said.stderr);
}

#[test]
fn logs_are_shown_by_job_and_step_and_searched() {
    let repository = Repository::with("logs", TWO_JOBS);
    repository.run(&[]);
    let lines = |args: &[&str]| {
        let said = repository.say(args);
        assert_eq!(said.exit, 0, "{args:?}: {}", said.stderr);
        said.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let style = lines(&["logs", "last", "lint", "style"]);
    assert!(style.contains(&"checking".to_owned()) && !style.iter().any(|line| line.contains("report")), "{style:?}");
    // What is no terminal gets no control characters.
    assert!(style.contains(&"red bell".to_owned()), "{style:?}");
    let coloured = {
        let mut command = repository.lineclear(&["logs", "last", "lint", "style"]);
        command.env("CLICOLOR_FORCE", "1");
        lineclear_testkit::say(command).stdout
    };
    assert!(coloured.contains("\u{1b}[31mred\u{1b}[0m bell"), "{coloured:?}");
    assert!(!coloured.contains('\u{7}') && !coloured.contains("\u{1b}]"), "{coloured:?}");

    assert_eq!(lines(&["logs", "last", "lint", "--tail", "1"]).len(), 2, "a heading and a line");
    let both = lines(&["logs", "last", "test"]);
    assert!(both.contains(&"testing 1".to_owned()) && both.contains(&"testing 2".to_owned()), "{both:?}");
    let failed = lines(&["logs", "--failed"]);
    assert!(failed.contains(&"testing 2".to_owned()) && !failed.contains(&"testing 1".to_owned()), "{failed:?}");

    let found = lines(&["logs", "--search", r"^A\.PY:\d: error", "-i", "--context", "0"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("── lint › Run echo checking") && found[1].ends_with("a.py:3: Error: bad style"),
        "{found:?}"
    );
    let around = lines(&["logs", "--search", "^a.py", "--context", "1"]);
    assert!(around.iter().any(|line| line.ends_with("red bell")), "{around:?}");
    assert_eq!(
        lines(&["logs", "--search", "py:3: Error: bad style", "-F", "--context", "0"]).len(),
        3,
        "the script has it too"
    );
    let none = repository.say(&["logs", "--search", "nowhere to be found"]);
    assert_eq!((none.exit, none.stdout.as_str()), (1, ""));
    let wrong = repository.say(&["logs", "--search", "("]);
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("-F looks for it as plain text"), "{}", wrong.stderr);

    let objects = lines(&["logs", "last", "lint", "style", "--search", "^checking$", "--format", "json"]);
    let object: Value = serde_json::from_str(&objects[0]).expect("JSON");
    assert_eq!(
        (objects.len(), &object["job"], &object["step"], &object["line"]),
        (1, &"lint".into(), &"style".into(), &"checking".into())
    );
    assert!(
        object["number"].as_u64() > Some(1) && object["time"].as_str().is_some_and(|time| time.ends_with('Z')),
        "{object}"
    );
}

/// S0-10, S0-54, S1-92: artifacts of finished runs are listed with their retention and downloaded by name; those of an earlier
/// attempt stay when a later one passes.
#[test]
fn s0_10_s0_54_s1_92_artifacts_are_listed_and_downloaded() {
    let repository = Repository::with("artifacts", TWO_JOBS);
    repository.run(&[]);
    let document = json(&repository, &["artifacts"]);
    let first = document["run"]["id"].clone();
    let days = |at: usize| {
        let artifact = &document["artifacts"][at];
        let kept = artifact["expires"].as_i64().expect("a time") - artifact["created"].as_i64().expect("a time");
        (artifact["name"].as_str().expect("a name").to_owned(), kept / 86_400_000)
    };
    assert_eq!([days(0), days(1)], [("report".to_owned(), 30), ("screenshots".to_owned(), 7)]);
    let expected = expect_test::expect![[r#"
        ✗ w.yml#1 failure  push on main, COMMIT first  AGE, took TIME  (run ID)
          report  7 B  1 file  kept AGE  expires in 30d  DIGEST
          screenshots  7 B  1 file  kept AGE  expires in 7d  DIGEST
    "#]];
    expected.assert_eq(&redacted(&repository.say(&["artifacts"])));

    // A second attempt that passes.
    repository.write(".github/workflows/w.yml", &TWO_JOBS.replace("exit 3", "true"));
    assert_eq!(repository.run(&[]).exit, 0);
    let place = repository.beside("out");
    let said = repository.say(&["artifacts", &first.to_string(), "report", "--download", &place.display().to_string()]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(place.join("report.txt")).expect("the file"), "report\n");
    let all = repository.beside("all");
    repository.say(&["artifacts", "last", "--download", &all.display().to_string()]);
    assert!(all.join("report/report.txt").is_file() && all.join("screenshots/report.txt").is_file());
    let wrong = repository.say(&["artifacts", "last", "reprot"]);
    assert_eq!(wrong.exit, 2);
    assert!(wrong.stderr.contains("did you mean `report`?"), "{}", wrong.stderr);
}

/// A run whose process was killed is shown so, its record can be read, and the next run works.
#[test]
fn a_killed_run_is_shown_as_killed_and_can_be_explained() {
    let repository = Repository::with(
        "killed",
        "
name: long
on: push
jobs:
  first: { runs-on: linux, steps: [ { run: echo done } ] }
  long:
    needs: first
    runs-on: linux
    steps:
      - id: sleeps
        run: echo before; touch $BEGUN; sleep 600
      - run: echo never
  never: { needs: long, runs-on: linux, steps: [ { run: echo never } ] }
",
    );
    let begun = repository.beside("begun");
    let variable = format!("BEGUN={}", begun.display());
    let mut started = Started::new(repository.lineclear(&["run", "--format", "json", "--env", &variable]));
    assert!(within(A_WHILE, || begun.exists()), "the step starts");
    let shown = json(&repository, &["runs"]);
    assert_eq!(shown["runs"][0]["status"], "running");
    assert!(started.is_running());
    let follower = Started::new(repository.lineclear(&["logs", "last", "long", "--follow"]));
    started.signal("KILL");
    started.finish();

    let followed = follower.finish();
    assert!(followed.stdout.lines().any(|line| line == "before"), "{}", followed.stdout);
    assert_eq!(followed.exit, 1, "{}", followed.stderr);
    assert!(followed.stderr.contains("was killed"), "{}", followed.stderr);
    let shown = json(&repository, &["runs", "--status", "killed"]);
    assert_eq!(shown["runs"][0]["status"], "killed", "{shown}");
    let log = repository.say(&["logs", "last", "long", "sleeps"]);
    assert!(log.stdout.lines().any(|line| line == "before"), "{}", log.stdout);
    let why = json(&repository, &["why"]);
    let causes = why["causes"].as_array().expect("a list");
    let killed: Vec<&Value> = causes.iter().filter(|cause| cause["kind"] == "killed").collect();
    assert_eq!(killed.len(), 3, "the run, its job, and the step that was under way: {why}");
    assert!(killed[0]["reason"].as_str().is_some_and(|reason| reason.contains("`long` under way")), "{why}");
    assert!(killed[2]["last_lines"].to_string().contains("before"), "{why}");
    let replay = repository.say(&["replay", "last", "--quiet"]);
    assert_eq!(replay.exit, 0, "{}{}", replay.stdout, replay.stderr);
    assert_eq!(repository.run(&["-j", "first"]).exit, 0);
    assert_eq!(json(&repository, &["runs"])["runs"][0]["status"], "success");
}

#[test]
fn a_run_that_goes_on_is_followed_to_its_end() {
    let repository = Repository::with(
        "follow",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo one; touch $BEGUN; while [ ! -e $GO ]; do sleep 0.02; done; echo two; exit 4' } ] } }\n",
    );
    let (begun, go) = (repository.beside("begun"), repository.beside("go"));
    let (first, second) = (format!("BEGUN={}", begun.display()), format!("GO={}", go.display()));
    let started = Started::new(repository.lineclear(&["run", "--format", "json", "--env", &first, "--env", &second]));
    assert!(within(A_WHILE, || begun.exists()), "the step starts");
    let follower = Started::new(repository.lineclear(&["logs", "--follow"]));
    std::fs::write(&go, "").expect("a file");
    let followed = follower.finish();
    started.finish();
    let said: Vec<&str> = followed.stdout.lines().collect();
    assert!(said.contains(&"one") && said.contains(&"two"), "{said:?}");
    assert_eq!(followed.exit, 1, "as the run ended");
}

/// Damage at one place hides nothing elsewhere.
#[test]
fn a_damaged_record_is_read_as_far_as_it_can_be() {
    let repository = Repository::with("damaged", TWO_JOBS);
    repository.run(&[]);
    let id = json(&repository, &["runs"])["runs"][0]["id"].clone();
    let record = folder(&repository, &id).join("record.jsonl");
    let text = std::fs::read_to_string(&record).expect("a record");
    let damaged: Vec<String> = text
        .lines()
        .map(|line| if line.contains("step_started") { line[..line.len() / 2].to_owned() } else { line.to_owned() })
        .collect();
    std::fs::write(&record, damaged.join("\n") + "\n{\"torn").expect("written");
    let why = json(&repository, &["why"]);
    assert!(why["damage"].as_array().is_some_and(|list| list.len() > 3), "{why}");
    assert!(why["causes"].to_string().contains("exit code 3"), "{why}");
    assert_eq!(json(&repository, &["runs"])["runs"][0]["status"], "failure");
    let log = repository.say(&["logs", "last", "lint"]);
    assert!(log.stdout.contains("checking") && log.stderr.contains("is no event"), "{} {}", log.stdout, log.stderr);
    let replay = repository.say(&["replay"]);
    assert_eq!(replay.exit, 3, "{}", replay.stdout);
    assert!(replay.stderr.contains("damaged"), "{}", replay.stderr);

    let log_file = folder(&repository, &id).join("lint.log");
    let mut bytes = std::fs::read(&log_file).expect("a log");
    let half = bytes.len() / 2;
    bytes.splice(half..half, b"\nno time\n".iter().copied());
    std::fs::write(&log_file, bytes).expect("written");
    let log = repository.say(&["logs", "last", "lint"]);
    assert_eq!(log.exit, 3);
    assert!(!log.stdout.is_empty() && log.stderr.contains("lint.log at byte"), "{}", log.stderr);
}

/// A log of a million lines is searched with little memory: far less than the log itself takes.
#[test]
fn a_large_log_is_searched_line_by_line() {
    let repository = Repository::with(
        "large",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'seq -f \"line %.0f xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" 1000000' } ] } }\n",
    );
    let mut run = repository.lineclear(&["run", "--format", "plain"]);
    run.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    assert!(run.status().expect("it starts").success());
    let log = repository.home().join("runs");
    let id = json(&repository, &["runs"])["runs"][0]["id"].clone();
    let size = std::fs::metadata(log.join(id.to_string()).join("a.log")).expect("a log").len();
    assert!(size > 100 << 20, "{size}");
    let search = repository.lineclear(&["logs", "--search", "line 999999 ", "--context", "1"]);
    let mut command = std::process::Command::new("bash");
    // The whole address space, program and libraries included.
    command.args(["-c", "ulimit -v 81920; exec \"$@\"", "bash"]).arg(search.get_program()).args(search.get_args());
    command.current_dir(repository.root()).env("LINECLEAR_HOME", repository.home()).stdin(std::process::Stdio::null());
    let said = lineclear_testkit::say(command);
    assert_eq!(said.exit, 0, "{} {}", said.stdout, said.stderr);
    let found: Vec<&str> = said.stdout.lines().map(str::trim_start).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[2].contains(": line 999999 ") && found[3].contains("  line 1000000 "), "{found:?}");
}

/// Standard output that nobody reads to its end is no error, and the rest of the log is not read.
#[test]
fn a_reader_of_a_log_may_go_away() {
    let repository =
        Repository::with("reader", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: seq 300000 } ] } }\n");
    repository.run(&[]);
    let mut command = repository.lineclear(&["logs"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// What a dry run of `prune` foresees is what the prune then does.
#[test]
fn a_prune_is_foreseen_exactly() {
    let repository = Repository::with("prune", TWO_JOBS);
    for _ in 0..3 {
        repository.run(&[]);
    }
    let args = ["prune", "--keep-runs", "1"];
    let foreseen = json(&repository, &[&args[..], &["--dry-run"]].concat());
    assert_eq!((&foreseen["removed"]["runs"], &foreseen["kept"]["runs"]), (&2.into(), &3.into()), "{foreseen:#}");
    assert!(foreseen["removed"]["freed"].as_u64() > Some(0), "{foreseen:#}");
    let done = json(&repository, &args);
    assert_eq!(done["removed"], foreseen["removed"]);
    assert_eq!(done["kept"]["runs"], 1, "{done:#}");
    let overview = repository.say(&[]);
    assert!(overview.stdout.contains("last run ✗ w.yml#3 failure"), "{}", overview.stdout);
}
