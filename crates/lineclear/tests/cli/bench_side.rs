//! What a person does at the bench: looking at a failed step where it stands.

use std::time::Duration;

use lineclear_testkit::{Repository, Started, within};

/// Types `answers` at a terminal, each when the text before it has appeared, and gives all that was shown.
const AT_A_TERMINAL: &str = r#"
import os, pty, select, sys, time
talk = [line.split(' => ') for line in os.environ['TALK'].splitlines()]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen, since, until = '', 0, time.time() + 120
while time.time() < until:
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if ready:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece.decode(errors='replace')
    if talk and talk[0][0] in seen[since:]:
        since = len(seen)
        os.write(terminal, (talk.pop(0)[1] + '\n').encode())
_, status = os.waitpid(pid, 0)
print(seen)
print('exit', os.waitstatus_to_exitcode(status))
"#;

fn at_a_terminal(repository: &Repository, args: &[&str], talk: &str) -> String {
    let lineclear = repository.lineclear(args);
    let mut command = std::process::Command::new("python3");
    command.args(["-c", AT_A_TERMINAL]).arg(lineclear.get_program()).args(lineclear.get_args());
    for (name, value) in lineclear.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("TALK", talk).env("SHELL", "/bin/sh").env("PS1", "# ").env("TERM", "xterm");
    command.current_dir(repository.root());
    lineclear_testkit::say(command).stdout
}

const FAILING: &str = "
on: push
jobs:
  a:
    runs-on: linux
    env: { WORD: from-the-job }
    steps:
      - id: fails
        run: mkdir -p sub && cd sub && test -e ../mended && echo \"now-$WORD\"
      - run: echo after-it
";

#[test]
fn a_failed_step_can_be_mended_in_its_environment_and_run_again() {
    let repository = Repository::with("pause", FAILING);
    let shown = at_a_terminal(
        &repository,
        &["run", "--pause-on-failure", "--format", "plain"],
        "leaves it. => echo seen-$WORD; touch mended; exit\n[r] run the step again => r",
    );
    assert!(shown.contains("seen-from-the-job"), "{shown}");
    assert!(shown.contains("now-from-the-job"), "{shown}");
    assert!(shown.contains("after-it") && shown.contains("exit 0"), "{shown}");
}

#[test]
fn going_on_leaves_the_failure_as_it_was() {
    let repository = Repository::with("pause", FAILING);
    let shown = at_a_terminal(
        &repository,
        &["run", "--pause-on-failure"],
        "leaves it. => exit\n[r] run the step again => nonsense\n[r] run the step again => g",
    );
    assert!(shown.contains("exit 1"), "{shown}");
    assert!(!shown.contains("now-from-the-job"), "{shown}");
}

#[test]
fn without_a_terminal_there_is_nobody_to_pause_for() {
    let repository = Repository::with("pause", FAILING);
    let said = repository.say(&["run", "--pause-on-failure"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("--pause-on-failure needs a terminal"), "{}", said.stderr);
}

const TWO_WORKFLOWS: [(&str, &str); 2] = [
    (
        ".github/workflows/a.yml",
        "on: { push: { paths: ['src/**', '.github/**'] } }
jobs:
  one: { runs-on: linux, steps: [ { run: 'echo one >> $NOTES' } ] }
  two:
    needs: one
    runs-on: linux
    steps: [ { run: 'echo two >> $NOTES' } ]
",
    ),
    (
        ".github/workflows/b.yml",
        "on: { push: { paths: ['docs/**', '.github/**'] } }
jobs:
  three: { runs-on: linux, steps: [ { run: 'echo three >> $NOTES' } ] }
",
    ),
];

/// Item 7: a change runs again what it affects, and nothing else.
#[test]
fn a_change_runs_again_what_it_affects() {
    let repository = Repository::new("watch");
    for (path, text) in TWO_WORKFLOWS {
        repository.write(path, text);
    }
    repository.write("src/code", "1");
    repository.write("docs/page", "1");
    repository.write(".gitignore", "*.log\n");
    repository.commit("first");
    let notes = repository.beside("notes");
    let noted = || std::fs::read_to_string(&notes).unwrap_or_default();
    let until = |wanted: &str| {
        let reached = within(Duration::from_secs(60), || noted() == wanted);
        assert!(reached, "wanted {wanted:?}, there is {:?}", noted());
    };
    let variable = format!("NOTES={}", notes.display());
    let args = ["run", "--watch", "--format", "plain", "--env", &variable, "--parallel", "1"];
    let started = Started::new(repository.lineclear(&args));
    // Both files name a path of the first commit, which has no predecessor.
    assert!(within(Duration::from_secs(60), || noted().lines().count() == 3), "{:?}", noted());
    // The run has to be over, or the change cancels it.
    let idle = || repository.job_folders().is_empty();
    assert!(within(Duration::from_secs(60), idle));
    std::fs::write(&notes, "").expect("it can be written");
    repository.write("docs/page", "2");
    until("three\n");
    assert!(within(Duration::from_secs(60), idle));
    repository.write("ignored.log", "2");
    repository.write("other", "2");
    repository.write("src/code", "2");
    until("three\none\ntwo\n");
    assert!(within(Duration::from_secs(60), idle));
    let text = TWO_WORKFLOWS[0].1.replace("echo two", "echo two-again");
    repository.write(TWO_WORKFLOWS[0].0, &text);
    until("three\none\ntwo\none\ntwo-again\n");
    started.signal("INT");
    let said = started.finish();
    assert_eq!(said.exit, 130, "{}", said.stderr);
    assert!(said.stderr.contains("changed: docs/page; running b.yml"), "{}", said.stderr);
    assert!(said.stderr.contains("changed: .github/workflows/a.yml; running job two of a.yml"), "{}", said.stderr);
}
