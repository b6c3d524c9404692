//! Actions and called workflows of other repositories: fetched by git, locked, and refused when they move.

use std::process::Command;

use lineclear_testkit::{Repository, Run};

const ACTION: &str = "name: Greet\nruns:\n  using: composite\n  steps:\n    - uses: other/inner@v1\n    - run: echo outer-one\n      shell: bash\n";

struct Scene {
    user: Repository,
    /// The repositories that are fetched from, below one folder.
    servers: Repository,
}

impl Scene {
    fn new() -> Self {
        let servers = Repository::new("servers");
        let scene = Self {
            user: Repository::with(
                "remote",
                "on: push\njobs:\n  a:\n    runs-on: linux\n    steps: [ { uses: own/greet@v1 } ]\n  b:\n    uses: own/greet/.github/workflows/called.yml@v1\n",
            ),
            servers,
        };
        scene.publish("own/greet", "action.yml", ACTION);
        scene.publish(
            "own/greet",
            ".github/workflows/called.yml",
            "on: workflow_call\njobs: { c: { runs-on: linux, steps: [ { run: echo called-one } ] } }\n",
        );
        let inner = "name: Inner\nruns: { using: node20, main: m.js }\n";
        scene.publish("other/inner", "m.js", "console.log('inner-one')\n");
        scene.publish("other/inner", "action.yml", inner);
        scene
    }

    /// Adds a commit and moves the tag `v1` to it; gives its id.
    fn publish(&self, name: &str, path: &str, text: &str) -> String {
        let (work, bare) =
            (self.servers.beside("work").join(name), self.servers.beside("bare").join(format!("{name}.git")));
        std::fs::create_dir_all(&work).expect("a folder");
        let file = work.join(path);
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        std::fs::write(file, text).expect("it can be written");
        let script = "[ -d .git ] || git init -q -b main; git config user.name T; git config user.email t@example.org
            git add -A && git commit -q -m change && git tag -f v1 >/dev/null
            [ -d \"$1\" ] || git init -q --bare \"$1\"; git push -q -f \"$1\" main v1 && git rev-parse HEAD";
        let output = Command::new("bash").args(["-ec", script, "bash"]).arg(bare).current_dir(work).output();
        let output = output.expect("bash is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = self.user.lineclear(&[&["run", "--format", "json"], args].concat());
        command.env_remove("LINECLEAR_ACTIONS_DIR").env("LINECLEAR_OFFLINE", "0");
        command.env("LINECLEAR_ACTION_SERVERS", self.servers.beside("bare"));
        Run::of(command)
    }
}

#[test]
fn a_tag_is_locked_with_what_it_pulls_in_and_refused_when_it_moves() {
    let scene = Scene::new();
    let first = scene.run(&[]);
    assert_eq!(first.exit, 0, "{}", first.transcript());
    for line in ["outer-one", "inner-one"] {
        assert!(first.log("a").iter().any(|known| known == line), "{line}: {}", first.transcript());
    }
    let lock = scene.user.read("lineclear.lock");
    assert!(lock.contains("own/greet@v1") && lock.contains("other/inner@v1"), "{lock}");
    let used: Vec<_> = first.events("fact").filter(|event| event["kind"] == "action").collect();
    assert!(used.iter().any(|used| used["version"].as_str().is_some_and(|sha| lock.contains(sha))), "{used:?}");

    let old = scene.publish("own/greet", "other", "1");
    let new = scene.publish("own/greet", "action.yml", &ACTION.replace("outer-one", "outer-two"));
    let refused = scene.run(&["-j", "a"]);
    assert_eq!(refused.exit, 2, "a called workflow is asked for before any job: {}", refused.transcript());
    let told = refused.transcript();
    assert!(told.contains(&new) && told.contains("--update-lock") && !told.contains(&old), "{told}");
    assert_eq!(scene.user.read("lineclear.lock"), lock, "nothing is changed in silence");

    let updated = scene.run(&["--update-lock", "-j", "a"]);
    assert_eq!(updated.exit, 0, "{}", updated.transcript());
    assert!(updated.log("a").iter().any(|line| line == "outer-two"), "{}", updated.transcript());
    assert!(scene.user.read("lineclear.lock").contains(&new));
}

/// A merge left its marks: wrong input, said before anything starts, and the file stays as it is.
#[test]
fn a_damaged_lock_stops_the_run_before_it_begins() {
    let workflow = "on: push\njobs: { a: { runs-on: linux, steps: [ { run: echo }, { uses: own/greet@v1 } ] } }\n";
    let repository = Repository::with("damaged-lock", workflow);
    repository.write("lineclear.lock", "<<<<<<< HEAD\n");
    let refused = repository.run(&[]);
    assert_eq!(refused.exit, 2, "{}", refused.transcript());
    let told = refused.transcript();
    assert!(told.contains("lineclear.lock, line 1"), "{told}");
    assert_eq!(refused.events("run_started").count(), 0, "{told}");
    assert_eq!(repository.read("lineclear.lock"), "<<<<<<< HEAD\n");
}

#[test]
fn a_frozen_lock_takes_nothing_new_and_offline_asks_nobody() {
    let scene = Scene::new();
    let frozen = scene.run(&["--frozen", "-j", "a"]);
    assert_eq!(frozen.exit, 2);
    assert!(frozen.transcript().contains("frozen"), "{}", frozen.transcript());
    assert_eq!(scene.run(&["-j", "a"]).exit, 0);
    let offline = scene.run(&["--offline", "-j", "a"]);
    assert_eq!(offline.exit, 0, "what was fetched before is used: {}", offline.transcript());
}
