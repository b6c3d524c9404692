//! Workflows that follow others (`on: workflow_run`): what they are told, when they run, and when they do not.

use lineclear_testkit::{Repository, Run};
use serde_json::{Value, json};

/// A CI whose one job ends as the file `verdict` says.
const CI: &str = "\
name: CI
on: { push: { branches: ['**'] }, pull_request: {} }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: test \"$(cat verdict)\" = green
";

/// A publish workflow as teams have it: after CI on `main`, and for version tags.
const PUBLISH: &str = "\
name: Publish
on:
  workflow_run: { workflows: [CI], types: [completed], branches: [main] }
  push: { tags: ['v*'] }
concurrency: { group: publish }
jobs:
  publish:
    if: >-
      github.event_name == 'push' || (github.event.workflow_run.conclusion == 'success' &&
      github.event.workflow_run.head_branch == 'main' &&
      github.event.workflow_run.head_repository.full_name == github.repository)
    runs-on: ubuntu-latest
    outputs: { of: '${{ steps.of.outputs.of }}' }
    steps:
      - id: of
        run: echo \"of=${{ github.event.workflow_run.head_sha || github.sha }}\" >> \"$GITHUB_OUTPUT\"
";

fn repository(name: &str, verdict: &str) -> Repository {
    let repository = Repository::with(name, CI);
    repository.sh("git mv .github/workflows/w.yml .github/workflows/ci.yml");
    repository.write(".github/workflows/publish.yml", PUBLISH);
    repository.write("verdict", verdict);
    repository.sh("git remote add origin https://example.org/octo/app.git");
    repository.commit("second");
    repository
}

fn head(repository: &Repository) -> String {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).current_dir(repository.root()).output();
    String::from_utf8(output.expect("git runs").stdout).expect("a commit").trim().to_owned()
}

/// The names of the workflows that ran, in order.
fn ran(run: &Run) -> Vec<&str> {
    run.events("run_started").filter_map(|event| event["workflow"].as_str()).collect()
}

fn notices(run: &Run) -> String {
    run.events("notice").filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn publishing_follows_a_green_ci_without_anybody_asking() {
    // S0-4, S0-19, S0-20
    let repository = repository("chain", "green");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(ran(&run), ["CI", "Publish"]);
    assert_eq!(run.output("publish", "of"), Some(head(&repository).as_str()), "{}", run.transcript());
    assert_eq!(run.events("run_finished").count(), 2);
    assert_eq!(run.last(), "success");
    assert!(notices(&run).contains("of `CI`, which ended: success"), "{}", notices(&run));
}

#[test]
fn a_version_tag_publishes_by_itself() {
    // S0-5, S0-20, S0-35
    let repository = repository("chain-tag", "green");
    repository.sh("git tag v1.2.3");
    let run = repository.run(&["--event", "tag"]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["Publish"]), "{}", run.transcript());
    assert_eq!(run.conclusion("publish"), "success");
}

#[test]
fn nothing_is_published_after_a_red_ci_or_of_another_branch_and_the_reason_is_recorded() {
    // S0-33, S0-34, S2-5
    let repository = repository("chain-red", "red");
    let run = repository.run(&[]);
    assert_eq!((run.exit, ran(&run)), (1, vec!["CI", "Publish"]), "{}", run.transcript());
    assert_eq!(run.conclusion("publish"), "skipped");
    let reason = run.job("publish").expect("it ended")["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("workflow_run.conclusion") && reason.contains("failure"), "{reason}");
    assert_eq!(run.last(), "failure");

    repository.write("verdict", "green");
    repository.sh("git checkout -q -b next");
    repository.commit("green");
    let run = repository.run(&[]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["CI"]), "{}", run.transcript());
    let told = notices(&run);
    assert!(told.contains("Publish (.github/workflows/publish.yml) does not follow"), "{told}");
    assert!(told.contains("head branch `next` does not match `main`"), "{told}");
    let why = repository.say(&["why"]);
    assert!(why.stdout.contains("head branch `next` does not match `main`"), "{}{}", why.stdout, why.stderr);
}

/// What `plan` says of the publish job: `runs`, or why not.
fn verdict(repository: &Repository, args: &[&str]) -> String {
    let (_, plan, stderr) = repository.plan(args);
    let workflows = plan["workflows"].as_array().unwrap_or_else(|| panic!("{stderr}"));
    let publish = workflows.iter().find(|one| one["name"] == "Publish").expect("it is planned");
    if publish["triggered"] == false {
        return format!("not started: {}", publish["reason"].as_str().unwrap_or_default());
    }
    let decision = &publish["jobs"][0]["decision"];
    match decision["verdict"].as_str() {
        Some("runs") => "runs".to_owned(),
        _ => format!("skipped: {}", decision["reason"].as_str().unwrap_or_default()),
    }
}

#[test]
fn of_all_ends_branches_forks_and_tags_only_success_on_main_and_version_tags_publish() {
    // S0-33, S0-34, S0-35
    let repository = repository("chain-matrix", "green");
    let full = |name: &str, id: u64| json!({ "full_name": name, "id": id, "name": "app" });
    let payload = |conclusion: &str, branch: &str, head: &Value, event: &str| {
        json!({
            "action": "completed",
            "repository": { "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" },
            "workflow_run": {
                "id": 5, "name": "CI", "conclusion": conclusion, "head_branch": branch, "head_sha": "1".repeat(40),
                "event": event, "head_repository": head,
            },
        })
    };
    let own = full("octo/app", 1);
    let fork = full("evil/app", 2);
    let mut published = Vec::new();
    for conclusion in ["success", "failure", "cancelled", "timed_out", "skipped", "neutral", "action_required", "stale"]
    {
        for branch in ["main", "next", "v1.0.0"] {
            for (whose, head, event) in [("own", &own, "push"), ("fork", &fork, "pull_request")] {
                let text = payload(conclusion, branch, head, event).to_string();
                let file = repository.beside("payload.json");
                std::fs::write(&file, text).expect("a file");
                let said =
                    verdict(&repository, &["--event", "workflow_run", "--payload", file.to_str().expect("text")]);
                if said == "runs" {
                    published.push(format!("{conclusion} {branch} {whose}"));
                } else {
                    let named = if branch == "main" { "workflow_run." } else { "does not match `main`" };
                    assert!(said.contains(named), "{conclusion} {branch} {whose}: {said}");
                }
            }
        }
    }
    assert_eq!(published, ["success main own"]);
    for (reference, runs) in [
        ("refs/tags/v1.2.3", true),
        ("refs/tags/v2", true),
        ("refs/tags/release-1", false),
        ("refs/heads/main", false),
        ("refs/heads/v1", false),
    ] {
        let said = verdict(&repository, &["--event", "push", "--ref", reference]);
        assert_eq!(said == "runs", runs, "{reference}: {said}");
    }
}

#[test]
fn a_forks_pull_request_from_its_main_is_followed_with_a_payload_that_tells_on_it() {
    // S0-34: the guard is the workflow's; that no permit is given whatever it says is proven in `permits`.
    let repository = repository("chain-fork", "green");
    let base = json!({ "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" });
    let sha = head(&repository);
    let payload = json!({
        "action": "opened", "number": 7, "repository": base,
        "pull_request": {
            "number": 7, "title": "Trust me", "id": 70,
            "head": { "ref": "main", "sha": sha, "repo": { "full_name": "evil/app", "name": "app", "id": 2, "fork": true } },
            "base": { "ref": "main", "sha": sha, "repo": base },
        },
    });
    let file = repository.beside("payload.json");
    std::fs::write(&file, payload.to_string()).expect("a file");
    let run = repository.run(&["--event", "pull_request", "--payload", file.to_str().expect("text")]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["CI", "Publish"]), "{}", run.transcript());
    assert_eq!(run.conclusion("publish"), "skipped");
    let reason = run.job("publish").expect("it ended")["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("evil/app"), "{reason}");
}

#[test]
fn a_follower_runs_on_the_last_commit_of_the_default_branch_and_is_told_the_one_that_was_tested() {
    // S2-9, S2-10
    let repository = repository("chain-behind", "green");
    let tested = head(&repository);
    repository.commit("third");
    repository.commit("fourth");
    let last = head(&repository);
    repository.write(
        ".github/workflows/publish.yml",
        "name: CD\non: { workflow_run: { workflows: [CI], types: [completed] } }\njobs:\n  cd:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n        with: { ref: '${{ github.event.workflow_run.head_sha }}' }\n      - run: |\n          echo \"tested ${{ github.event.workflow_run.head_sha }} here $GITHUB_SHA on $GITHUB_REF by $GITHUB_EVENT_NAME\"\n          echo \"checked out $(git rev-parse HEAD)\"\n          jq -r '.workflow_run | \"path \\(.path) event \\(.event) message \\(.head_commit.message) status \\(.status)\"' \"$GITHUB_EVENT_PATH\"\n",
    );
    let payload = json!({
        "ref": "refs/heads/main", "after": tested, "before": "0".repeat(40),
        "head_commit": { "id": tested, "message": "second" },
        "repository": { "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" },
    });
    let file = repository.beside("payload.json");
    std::fs::write(&file, payload.to_string()).expect("a file");
    let run = repository.run(&["--event", "push", "--payload", file.to_str().expect("text")]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let log = run.log("cd").join("\n");
    assert!(log.contains(&format!("tested {tested} here {last} on refs/heads/main by workflow_run")), "{log}");
    assert!(log.contains(&format!("checked out {tested}")), "{log}");
    assert!(log.contains("path .github/workflows/ci.yml event push message second status completed"), "{log}");
}

#[test]
fn three_runs_may_follow_one_another_and_the_fourth_is_refused_with_its_reason() {
    let repository = Repository::new("chain-levels");
    let job = "jobs:\n  j:\n    runs-on: ubuntu-latest\n    steps: [{ run: 'true' }]\n";
    repository.write(".github/workflows/a.yml", &format!("name: A\non: push\n{job}"));
    for (before, name) in [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")] {
        let on = format!("on: {{ workflow_run: {{ workflows: [{before}], types: [completed] }} }}");
        repository.write(&format!(".github/workflows/{name}.yml"), &format!("name: {name}\n{on}\n{job}"));
    }
    repository.commit("all");
    let run = repository.run(&[]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["A", "B", "C", "D"]), "{}", run.transcript());
    let told = notices(&run);
    assert!(told.contains("E (.github/workflows/E.yml) does not follow: 3 runs are before it already"), "{told}");
    let plan = repository.say(&["plan"]);
    assert!(plan.stdout.contains("Then, if C succeeds:"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("Then, if D succeeds:"), "{}", plan.stdout);
}

#[test]
fn a_run_is_followed_from_its_request_to_its_end_as_the_types_say() {
    let repository = repository("chain-types", "green");
    repository.write(
        ".github/workflows/publish.yml",
        "name: Watch\non: { workflow_run: { workflows: [CI], types: [requested, in_progress, completed] } }\njobs:\n  w:\n    runs-on: ubuntu-latest\n    steps: [{ run: 'echo \"action=${{ github.event.action }} conclusion=${{ github.event.workflow_run.conclusion }}.\"' }]\n",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let log = run.log("w").join("\n");
    for line in
        ["action=requested conclusion=.", "action=in_progress conclusion=.", "action=completed conclusion=success."]
    {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert_eq!(ran(&run).len(), 4);
}

#[test]
fn what_a_run_uploaded_is_downloaded_by_the_one_that_follows() {
    let repository = Repository::new("chain-artifact");
    repository.write(
        ".github/workflows/ci.yml",
        "name: CI\non: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo built > image.txt\n      - uses: actions/upload-artifact@v4\n        with: { name: image, path: image.txt }\n",
    );
    repository.write(
        ".github/workflows/cd.yml",
        "name: CD\non: { workflow_run: { workflows: [CI], types: [completed] } }\npermissions: { actions: read }\njobs:\n  cd:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/download-artifact@v4\n        with: { name: image, path: got, run-id: '${{ github.event.workflow_run.id }}', github-token: '${{ github.token }}' }\n      - run: cat got/image.txt\n",
    );
    repository.commit("all");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(run.log("cd").join("\n").contains("built"), "{}", run.transcript());
}

#[test]
fn following_can_be_switched_off_and_a_part_of_a_run_is_not_followed() {
    let repository = repository("chain-off", "green");
    let run = repository.run(&["--no-chain"]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["CI"]), "{}", run.transcript());
    let run = repository.run(&["--job", "test"]);
    assert_eq!((run.exit, ran(&run)), (0, vec!["CI"]), "{}", run.transcript());
    assert!(notices(&run).contains("only a part of `CI` was run (--job)"), "{}", notices(&run));
}

#[test]
fn a_plan_shows_what_would_follow() {
    let repository = repository("chain-plan", "green");
    let (exit, plan, _) = repository.plan(&[]);
    let followers = plan["followers"].as_array().expect("there are followers");
    assert_eq!((exit, followers.len()), (0, 1));
    assert_eq!((&followers[0]["after"], &followers[0]["name"]), (&json!("CI"), &json!("Publish")));
    assert_eq!(followers[0]["jobs"][0]["decision"]["verdict"], "runs");
    let text = repository.say(&["plan"]).stdout;
    assert!(text.contains("Then, if CI succeeds:"), "{text}");
}

#[test]
fn the_command_that_runs_a_failed_follower_again_does_so() {
    let repository = repository("chain-again", "green");
    let red = "test -z \"$GITHUB_ACTIONS\" # and is red";
    let publish = repository.read(".github/workflows/publish.yml");
    repository.write(".github/workflows/publish.yml", &format!("{publish}      - run: {red}\n"));
    repository.commit("publishing fails");
    let mut said = repository.say(&["run", "--format", "plain", "--secret", "A=b"]);
    // What is run again says the same of itself.
    for _ in 0..2 {
        assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
        let again = said.stdout.lines().find_map(|line| line.trim().strip_prefix("run again:")).expect("a command");
        let words: Vec<&str> = again.split_whitespace().collect();
        assert!(matches!(words[..], ["lineclear", "replay", _, "--run", "--", "--secret", "A"]), "{again}");
        let mut command = repository.lineclear(&words[1..]);
        command.args(["--format", "plain"]).env("A", "b");
        said = lineclear_testkit::say(command);
        assert!(
            said.stdout.contains("Publish failed") || said.stdout.contains("publish failed"),
            "{}{}",
            said.stdout,
            said.stderr
        );
        assert!(!said.stdout.contains("CI (.github"), "the one that it followed is not run again: {}", said.stdout);
    }
}
