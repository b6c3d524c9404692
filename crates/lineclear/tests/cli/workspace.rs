//! Where jobs work: a private copy of the working tree, as it stands.

use lineclear_testkit::{Repository, Run, Started};

/// Fails unless it sees the working tree of [`dirty`], then changes what it can.
const LOOK: &str = "
on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: |
          [ \"$(cat tracked)\" = changed ] && [ -e untracked ] && [ ! -e ignored ] && [ ! -e removed ] && [ -L link ] && [ -x tool ]
          [ \"$GITHUB_WORKSPACE\" = \"$PWD\" ] && [ \"$RUNNER_WORKSPACE\" = \"$(dirname \"$PWD\")\" ]
      - run: echo by-the-job > tracked; rm untracked; touch new
";

fn dirty(name: &str, workflow: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write(".github/workflows/w.yml", workflow);
    repository.write("tracked", "committed\n");
    repository.write("removed", "x");
    repository.write("tool", "x");
    repository.write(".gitignore", "ignored\n");
    repository.sh("chmod +x tool; ln -s tracked link");
    repository.commit("first");
    repository.write("tracked", "changed\n");
    repository.write("untracked", "x");
    repository.write("ignored", "x");
    repository.sh("rm removed");
    repository
}

fn state(repository: &Repository) -> String {
    repository.sh("{ git status --porcelain=v2 --branch; git for-each-ref; ls -lA --time-style=full-iso -I .git; cat tracked; git stash list; } > ../state");
    std::fs::read_to_string(repository.beside("state")).expect("written")
}

#[test]
fn jobs_see_uncommitted_and_untracked_files_and_change_nothing_of_the_users() {
    let repository = dirty("workspace", LOOK);
    let before = state(&repository);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(state(&repository), before, "the user's files and refs are as they were");
    assert!(repository.job_folders().is_empty(), "{:?}", repository.job_folders());
}

/// Without a checkout there are the files and no `.git`; a checkout brings a repository of the job's own.
#[test]
fn a_checkout_gives_the_same_files_and_a_repository() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: '[ ! -e .git ] && [ -e tracked ]'
      - uses: actions/checkout@v4
      - run: |
          [ \"$(cat tracked)\" = changed ] && [ -e untracked ] && [ ! -e ignored ] && [ ! -e removed ] && [ -L link ] && [ -x tool ]
          [ \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\" ] && [ \"$(git status --porcelain | wc -l)\" -ge 1 ]
          git add -A; git -c user.name=x -c user.email=x@y commit -qm job
          git tag made-by-the-job; git checkout -q -b branch-of-the-job
";
    let repository = dirty("workspace", workflow);
    let before = state(&repository);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(state(&repository), before);
}

#[test]
fn an_empty_workspace_is_empty_until_it_is_checked_out() {
    let repository = dirty(
        "workspace",
        "on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: '[ -z \"$(ls -A)\" ]'
      - uses: actions/checkout@v4
      - run: '[ -e tracked ]'
",
    );
    let run = repository.run(&["--empty-workspace"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
}

#[test]
fn every_job_has_a_copy_of_its_own() {
    let repository = dirty(
        "workspace",
        "on: push
jobs:
  a: &job
    runs-on: linux
    steps: [run: '[ ! -e mine ] && touch mine && sleep 0.3']
  b: *job
  c:
    needs: [a, b]
    runs-on: linux
    steps: [run: '[ ! -e mine ]']
",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
}

#[test]
fn in_place_works_in_the_users_own_folder() {
    let repository = dirty(
        "workspace",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { uses: actions/checkout@v4 }, { run: 'cat ignored && echo from-job > made' } ] } }\n",
    );
    let run = repository.run(&["--in-place"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(repository.read("made"), "from-job\n");
    // A checkout leaves uncommitted work alone.
    assert_eq!(repository.read("tracked"), "changed\n");
    assert!(repository.root().join("untracked").exists());
    assert_eq!(repository.say(&["run", "--in-place", "--empty-workspace"]).exit, 2);
}

#[test]
fn a_folder_without_git_and_a_repository_without_commits_run_too() {
    let repository = Repository::new("workspace");
    repository
        .write(".github/workflows/w.yml", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: cat file } ] } }\n");
    repository.write("file", "here");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    repository.sh("rm -r .git");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
}

#[test]
fn worktrees_submodules_and_odd_names_are_copied() {
    let repository = Repository::new("workspace");
    repository.write("lib/.keep", "");
    repository.sh("git init -q -b main ../sub && cd ../sub && git config user.name T && git config user.email t@e && echo s > s && git add s && git commit -qm s");
    repository.sh("git -c protocol.file.allow=always submodule --quiet add ../sub module");
    repository.write("a folder/ümläut \"quoted\"\n.txt", "odd");
    repository.write(
        ".github/workflows/w.yml",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'ls -R; [ \"$(cat a\\ folder/*)\" = odd ] && [ -e module/s ]' } ] } }\n",
    );
    repository.commit("first");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    repository.sh("git worktree add -q ../worktree -b other");
    let mut command = repository.lineclear(&["run", "--format", "json"]);
    command.current_dir(repository.beside("worktree"));
    // The submodule of a new worktree is not checked out.
    let run = Run::of(command);
    assert!(run.log("a").iter().any(|line| line.contains("a folder")), "{}", run.transcript());
}

/// Two commands in one repository at once: nothing is shared but the store.
#[test]
fn two_runs_at_once_do_not_meet() {
    let repository = dirty(
        "workspace",
        "on: push
jobs:
  a:
    runs-on: linux
    steps:
      - run: touch only-mine; sleep 1; [ \"$(ls | grep -c only-mine)\" = 1 ]
      - uses: actions/cache/save@v4
        with: { path: only-mine, key: same }
      - uses: actions/upload-artifact@v4
        with: { name: same, path: tracked }
",
    );
    let args = ["run", "--format", "json"];
    let started: Vec<Started> = (0..3).map(|_| Started::new(repository.lineclear(&args))).collect();
    let runs: Vec<Run> = started.into_iter().map(|started| Run::from(started.finish())).collect();
    let mut numbers: Vec<u64> = Vec::new();
    for run in &runs {
        assert_eq!(run.exit, 0, "{}", run.transcript());
        numbers.extend(run.events("run_started").filter_map(|event| event["run"].as_u64()));
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "every run has its own id");
    assert!(repository.job_folders().is_empty(), "{:?}", repository.job_folders());
}
