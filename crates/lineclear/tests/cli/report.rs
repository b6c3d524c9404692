//! What people read.

use lineclear_testkit::Repository;

/// S1-132 and S0-48: a failure names the step, the command, the exit code, the last lines and what to do next.
#[test]
fn a_failure_ends_with_all_that_is_needed_to_go_on() {
    let repository = Repository::with(
        "report",
        "name: CI
on: push
jobs:
  test:
    name: Unit tests
    runs-on: linux
    steps:
      - run: echo '# Results' >> $GITHUB_STEP_SUMMARY; echo '3 passed' >> $GITHUB_STEP_SUMMARY
      - name: Run the tests
        run: |
          for i in $(seq 30); do echo line $i; done
          echo '::error file=app.py,line=7::assertion failed'
          no-such-command --flag
",
    );
    let said = repository.say(&["run", "--format", "plain", "--var", "A=b c"]);
    assert_eq!(said.exit, 1);
    for part in [
        "Unit tests failed",
        "Run the tests",
        "exit code:  127",
        "no-such-command",
        "hint:",
        "run again:  lineclear run --event push --var 'A=b c' -W .github/workflows/w.yml -j test",
        "app.py:7",
        "assertion failed",
        "Summary of Unit tests",
        "3 passed",
        "line 30",
    ] {
        assert!(said.stdout.contains(part), "no {part:?} in\n{}", said.stdout);
    }
    let closing = said.stdout.split("Unit tests failed").nth(1).unwrap_or_default();
    assert!(!closing.contains("line 3\n"), "only the last lines are repeated\n{closing}");
    assert!(!said.stdout.contains("##[group]"), "markers are not for people\n{}", said.stdout);
}

#[test]
fn the_command_that_runs_it_again_does_so() {
    let repository = Repository::with(
        "report",
        "on: push
jobs:
  t:
    strategy: { matrix: { v: ['a b', c] } }
    runs-on: linux
    steps: [run: '[ ${{ matrix.v }} = c ]']
",
    );
    let said = repository.say(&["run", "--format", "plain"]);
    let again = said.stdout.lines().find_map(|line| line.trim().strip_prefix("run again:")).expect("a command").trim();
    let again = again.replacen("lineclear", &lineclear_testkit::binary().to_string_lossy(), 1);
    repository.sh(&format!("export LINECLEAR_HOME=../home; if {again} --format json > ../again; then exit 1; fi"));
    let events = std::fs::read_to_string(repository.beside("again")).expect("written");
    assert!(events.contains("\"job\":\"t (a b)\"") && !events.contains("\"job\":\"t (c)\""), "{events}");
}

#[test]
fn without_a_terminal_lines_are_plain_and_carry_their_job() {
    let repository = Repository::with(
        "report",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo from-a } ] }, b: { runs-on: linux, steps: [ { run: echo from-b } ] } }\n",
    );
    let said = repository.say(&["run"]);
    assert!(
        said.stdout.lines().any(|line| line == "a | from-a") && said.stdout.lines().any(|line| line == "b | from-b"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("success"), "{}", said.stdout);
}

#[test]
fn help_and_version_are_there() {
    let repository = Repository::new("report");
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["plan", "--help"],
        &["eval", "--help"],
        &["prune", "--help"],
        &["--version"],
    ] {
        let said = repository.say(args);
        assert!(said.exit == 0 && !said.stdout.is_empty() && said.stderr.is_empty(), "{args:?}");
    }
    for command in [
        "policy explain",
        "evidence add",
        "evidence list",
        "ledger show",
        "ledger verify",
        "ledger export",
        "key generate",
        "key import",
        "key list",
        "key public",
        "key remove",
        "vulnerabilities import",
        "vulnerabilities status",
    ] {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = repository.say(&words).stdout;
        let own =
            help.split_once("Examples:\n").map(|(_, examples)| examples.contains(&format!("lineclear {command}")));
        assert!(own == Some(true) && help.contains("Exit codes: 0"), "{command}: {help}");
    }
    for args in [&["runn"][..], &["run", "--fromat", "json"], &["run", "--format", "yaml"]] {
        let said = repository.say(args);
        assert!(said.exit == 2 && said.stdout.is_empty() && !said.stderr.is_empty(), "{args:?}");
    }
}

/// S0-2: four files are run, each on its own, unchanged.
#[test]
fn a_broken_file_among_others_is_told_and_stops_no_other() {
    let repository =
        Repository::with("report", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo } ] } }\n");
    repository.write(".github/workflows/broken.yml", "on: push\njobs: { a: { runs-on: linux, stpes: [] } }\n");
    let run = repository.run(&[]);
    assert_eq!(run.job("a").expect("the sound one runs")["conclusion"], "success");
    assert_eq!(run.exit, 2, "{}", run.transcript());
    assert!(run.stderr.contains("broken.yml") && run.stderr.contains("did you mean `steps`?"), "{}", run.stderr);
    let named = repository.run(&["-W", ".github/workflows/broken.yml"]);
    assert_eq!(named.exit, 2);
    assert!(named.all().is_empty(), "{}", named.transcript());
}
