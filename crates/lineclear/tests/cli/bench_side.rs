//! What a person does at the bench: looking at a failed step where it stands.

use lineclear_testkit::Repository;

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
