//! How a run is ended from outside, and that nothing is left of it.

use std::path::Path;
use std::time::Duration;

use lineclear_testkit::{Repository, Run, Started, processes_with, within};

const A_WHILE: Duration = Duration::from_secs(60);
/// How long what is left may take to go after a kill.
const SOON: Duration = Duration::from_secs(60);

fn workflow(mark: &str) -> String {
    format!(
        "
name: ending
on: push
jobs:
  a:
    runs-on: linux
    env: {{ MARK: {mark} }}
    steps:
      - id: long
        run: |
          sleep 600 &
          setsid sleep 601 &
          (trap '' INT TERM; sleep 602) &
          touch $STARTED
          sleep 603 & wait
      - id: plain
        run: echo never
      - id: always
        if: always()
        run: echo always-ran && touch $ENDED
      - id: on-cancel
        if: cancelled()
        run: echo cancelled-ran
  b:
    needs: a
    runs-on: linux
    steps: [run: echo never]
"
    )
}

struct Scene {
    repository: Repository,
    mark: String,
    started: Started,
}

impl Scene {
    /// A run whose step waits for ever.
    fn begin(name: &str) -> Self {
        let mark = format!("lineclear-mark-{name}-{}", std::process::id());
        let repository = Repository::with(name, &workflow(&mark));
        let (begun, ended) = (repository.beside("started"), repository.beside("ended"));
        let pair = |name: &str, path: &Path| format!("{name}={}", path.display());
        let (first, second) = (pair("STARTED", &begun), pair("ENDED", &ended));
        let args = ["run", "--format", "json", "--env", &first, "--env", &second];
        let started = Started::new(repository.lineclear(&args));
        assert!(within(A_WHILE, || begun.exists()), "the step starts");
        Self { repository, mark, started }
    }

    fn finish(self) -> (Run, Repository, String) {
        (Run::from(self.started.finish()), self.repository, self.mark)
    }
}

fn assert_nothing_is_left(repository: &Repository, mark: &str) {
    assert!(within(SOON, || processes_with(mark).is_empty()), "still running: {:?}", processes_with(mark));
    assert!(within(SOON, || repository.job_folders().is_empty()), "still there: {:?}", repository.job_folders());
}

#[test]
fn ctrl_c_once_cancels_as_github_does() {
    let scene = Scene::begin("once");
    scene.started.signal("INT");
    let (run, repository, mark) = scene.finish();
    assert_eq!((run.exit, run.last()), (130, "cancelled"), "{}", run.transcript());
    assert_eq!(run.conclusion("a"), "cancelled");
    assert_eq!(run.step("a", "long").expect("it ended")["outcome"], "cancelled");
    assert_eq!(run.step("a", "plain").expect("it is told of")["outcome"], "skipped");
    assert!(run.log("a").iter().any(|line| line == "always-ran"), "{}", run.transcript());
    assert!(run.log("a").iter().any(|line| line == "cancelled-ran"), "{}", run.transcript());
    assert!(repository.beside("ended").exists());
    assert!(run.events("job_started").all(|event| event["job"] != "b"));
    assert!(run.stderr.contains("cancelling"), "{}", run.stderr);
    assert_nothing_is_left(&repository, &mark);
}

#[test]
fn ctrl_c_twice_ends_everything_at_once() {
    let mut scene = Scene::begin("twice");
    // Two that come at the same moment are one to the system.
    while scene.started.is_running() {
        scene.started.signal("INT");
        std::thread::sleep(Duration::from_millis(300));
    }
    let (run, repository, mark) = scene.finish();
    assert_eq!((run.exit, run.last()), (130, "cancelled"), "{}", run.transcript());
    assert!(!repository.beside("ended").exists(), "no step is waited for any more: {}", run.transcript());
    assert_nothing_is_left(&repository, &mark);
}

#[test]
fn termination_cancels_too() {
    let scene = Scene::begin("term");
    scene.started.signal("TERM");
    let (run, repository, mark) = scene.finish();
    assert_eq!((run.exit, run.last()), (130, "cancelled"), "{}", run.transcript());
    assert!(repository.beside("ended").exists());
    assert_nothing_is_left(&repository, &mark);
}

#[test]
fn a_kill_leaves_neither_processes_nor_folders_and_the_next_run_works() {
    let scene = Scene::begin("kill");
    assert!(!scene.repository.job_folders().is_empty(), "the job has a folder while it runs");
    scene.started.signal("KILL");
    let (run, repository, mark) = scene.finish();
    assert_eq!(run.exit, -1);
    assert!(!repository.beside("ended").exists());
    assert_nothing_is_left(&repository, &mark);
    repository
        .write(".github/workflows/w.yml", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo } ] } }\n");
    let next = repository.run(&[]);
    assert_eq!(next.exit, 0, "{}", next.transcript());
}

/// In a process namespace entered from outside, session and group of the first process have no number: they read as 0.
#[test]
fn a_kill_leaves_nothing_where_the_session_has_no_number() {
    let mark = format!("lineclear-mark-namespace-{}", std::process::id());
    let repository = Repository::with("namespace", &workflow(&mark));
    let variable = format!("STARTED={}", repository.beside("started").display());
    let inside = repository.lineclear(&["run", "--format", "json", "--env", &variable]);
    // The shell stays the first process, whose end would be the end of all others.
    let script = r#"
        begun=$1; shift
        "$@" & killed=$!
        for i in {1..300}; do [ -e "$begun" ] && break; sleep 0.1; done
        kill -KILL $killed; wait $killed
        for i in {1..50}; do left=$(grep -lsx sleep /proc/[0-9]*/comm); [ -z "$left" ] && break; read -t 0.1 <> <(:); done
        echo "left: <$left> session: <$(cut -d' ' -f6 /proc/$$/stat)>""#;
    let as_root = std::process::Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let mut command = std::process::Command::new("unshare");
    command.args(if as_root { &[][..] } else { &["--user", "--map-root-user"] });
    command.args(["--pid", "--fork", "--mount-proc", "--", "bash", "-c", script, "bash"]);
    command.arg(repository.beside("started")).arg(inside.get_program()).args(inside.get_args());
    for (name, value) in inside.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(repository.root());
    let said = lineclear_testkit::say(command);
    assert!(said.stdout.ends_with("left: <> session: <0>\n"), "{} {}", said.stdout, said.stderr);
    assert!(repository.beside("started").exists());
}

/// Killed at any moment: nothing stays, and the store is as usable as before.
#[test]
fn kills_at_random_moments_leave_nothing() {
    let mark = format!("lineclear-mark-random-{}", std::process::id());
    let repository = Repository::with(
        "random",
        &format!(
            "on: push
jobs:
  a: &job
    runs-on: linux
    env: {{ MARK: {mark} }}
    steps:
      - uses: actions/checkout@v4
      - run: mkdir -p data && head -c 300000 /dev/urandom > data/file; sleep 0.2 & setsid sleep 100 &
      - uses: actions/cache/save@v4
        with: {{ path: data, key: 'k-${{{{ github.run_id }}}}' }}
      - uses: actions/upload-artifact@v4
        with: {{ name: 'a-${{{{ github.job }}}}', path: data }}
      - run: sleep 1
  b: *job
"
        ),
    );
    for round in 0..12 {
        let started = Started::new(repository.lineclear(&["run", "--format", "json"]));
        // From before the first file is read until the second job ends.
        std::thread::sleep(Duration::from_millis(20 + 67 * round));
        started.signal("KILL");
        started.finish();
    }
    assert_nothing_is_left(&repository, &mark);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_nothing_is_left(&repository, &mark);
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_run() {
    let repository = Repository::with(
        "reader",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'for i in $(seq 20000); do echo line $i; done; touch $ENDED' } ] } }\n",
    );
    let ended = repository.beside("ended");
    let mut command =
        repository.lineclear(&["run", "--format", "plain", "--env", &format!("ENDED={}", ended.display())]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(ended.exists());
}
