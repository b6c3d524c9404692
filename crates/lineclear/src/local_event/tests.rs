use std::fs;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use std::path::Path;

use super::*;

/// A folder with a git repository that no setting of this machine reaches.
struct Repo {
    folder: TempDir,
    root: PathBuf,
}

impl Repo {
    fn empty() -> Self {
        let repo = Self::folder();
        repo.git(&["init", "-q", "-b", "main"]);
        repo.settle();
        repo
    }

    /// One commit, `first`, with the file `a`.
    fn new() -> Self {
        let repo = Self::empty();
        repo.commit("first", &["a"]);
        repo
    }

    fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().join("app");
        fs::create_dir(&root).expect("a folder can be made");
        Self { folder, root }
    }

    fn settle(&self) {
        for (key, value) in [("user.name", "mona"), ("user.email", "mona@example.com"), ("commit.gpgsign", "false")] {
            self.git(&["config", key, value]);
        }
    }

    fn at(&self, root: &Path) -> Checkout {
        Checkout::find(root)
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.root, arguments)
    }

    fn write(&self, path: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        let old = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{old}x")).expect("a file can be written");
    }

    fn commit(&self, message: &str, paths: &[&str]) -> String {
        paths.iter().for_each(|path| self.write(path));
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes a bare copy and calls it `origin`, at the address of a forge.
    fn push_to_origin(&self) {
        let bare = self.folder.path().join("origin.git");
        git_in(self.folder.path(), &["clone", "-q", "--bare", "app", "origin.git"]);
        self.git(&["remote", "add", "origin", bare.to_str().expect("the path is text")]);
        self.git(&["fetch", "-q", "origin"]);
        self.git(&["remote", "set-head", "origin", "main"]);
        self.git(&["remote", "set-url", "origin", "git@github.com:octo/app.git"]);
    }

    fn event(&self, name: &str) -> LocalEvent {
        self.event_with(name, EventOptions::default()).expect("the event can be made")
    }

    fn event_with(&self, name: &str, options: EventOptions) -> Result<LocalEvent, EventError> {
        LocalEvent::from_repository(&Checkout::find(&self.root), Some(name), &options, |_| with_paths())
    }

    /// The event of a payload.
    fn told(&self, name: &str, payload: &Value) -> ForgeEvent {
        let file = self.folder.path().join("event.json");
        fs::write(&file, payload.to_string()).expect("a file can be written");
        let options = EventOptions { payload: Some(file), ..EventOptions::default() };
        self.event_with(name, options).expect("the payload can be read").event
    }
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_DATE", "2026-01-31T12:00:00+01:00"),
        ("GIT_COMMITTER_DATE", "2026-01-31T12:00:00+01:00"),
    ] {
        command.env(name, value);
    }
    let output = command.output().expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn with_paths() -> Wants {
    Wants { paths: true, hints: Hints::default() }
}

fn changed(event: &ForgeEvent) -> String {
    match &event.changed {
        Changed::Files { paths, compared_with } => format!("{} {compared_with}", paths.join(" ")),
        Changed::Unknown { reason } => format!("unknown: {reason}"),
    }
}

const ZEROS: &str = "0000000000000000000000000000000000000000";

#[test]
fn without_a_remote_a_push_is_that_of_the_last_commit() {
    let repo = Repo::new();
    let first = repo.git(&["rev-parse", "HEAD"]);
    let second = repo.commit("second\n\nwith a body", &["src/b"]);
    let LocalEvent { event, head_message, notes, .. } = repo.event("push");
    assert_eq!(
        (event.name.as_str(), event.reference.as_str(), event.sha.as_str()),
        ("push", "refs/heads/main", &*second)
    );
    assert_eq!(event.repository.full_name(), "local/app");
    assert_eq!((event.repository.default_branch.as_str(), event.actor.as_str()), ("main", "mona"));
    assert_eq!(event.payload["before"], json!(first));
    assert_eq!(event.payload["after"], json!(second));
    assert_eq!((&event.payload["created"], &event.payload["deleted"]), (&json!(false), &json!(false)));
    let head = &event.payload["head_commit"];
    assert_eq!(head["message"], json!("second\n\nwith a body"));
    assert_eq!(head["timestamp"], json!("2026-01-31T12:00:00+01:00"));
    assert_eq!(head["author"], json!({ "name": "mona", "email": "mona@example.com" }));
    assert_eq!(head["url"], json!(format!("https://github.com/local/app/commit/{second}")));
    assert_eq!(event.payload["commits"].as_array().map(Vec::len), Some(1));
    assert_eq!(event.payload["pusher"]["name"], json!("mona"));
    assert_eq!(event.payload["repository"]["full_name"], json!("local/app"));
    assert_eq!(head_message.as_deref(), Some("second\n\nwith a body"));
    assert_eq!(notes, [] as [String; 0]);
    assert_eq!(changed(&event), format!("src/b against {}, uncommitted changes included", &first[..7]));
}

#[test]
fn uncommitted_and_new_files_count_as_changed_and_ignored_ones_do_not() {
    let repo = Repo::new();
    repo.commit("second", &["b", ".gitignore"]);
    fs::write(repo.root.join(".gitignore"), "*.log\n").expect("a file can be written");
    repo.write("a");
    repo.write("new/c d");
    repo.write("x.log");
    repo.git(&["mv", "b", "moved"]);
    let event = repo.event("push").event;
    assert!(changed(&event).starts_with(".gitignore a moved new/c d against "), "{}", changed(&event));
}

#[test]
fn with_a_remote_a_push_is_what_the_forge_does_not_have_yet() {
    let repo = Repo::new();
    let pushed = repo.git(&["rev-parse", "HEAD"]);
    repo.push_to_origin();
    repo.commit("second", &["b"]);
    repo.commit("third", &["c"]);
    let event = repo.event("push").event;
    assert_eq!(event.repository.full_name(), "octo/app");
    assert_eq!(event.payload["before"], json!(pushed));
    let messages: Vec<_> =
        event.payload["commits"].as_array().expect("a list").iter().map(|one| &one["message"]).collect();
    assert_eq!(messages, ["second", "third"], "oldest first");
    assert!(changed(&event).starts_with("b c against "));
}

#[test]
fn a_branch_that_the_forge_does_not_have_is_new_and_compared_with_where_it_left_the_default_branch() {
    let repo = Repo::new();
    repo.push_to_origin();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit("second", &["b"]);
    repo.commit("third", &["c"]);
    let event = repo.event("push").event;
    assert_eq!(event.reference, "refs/heads/topic");
    assert_eq!((&event.payload["before"], &event.payload["created"]), (&json!(ZEROS), &json!(true)));
    assert_eq!(event.payload["commits"].as_array().map(Vec::len), Some(2));
    assert!(changed(&event).starts_with("b c against "));
}

#[test]
fn what_is_checked_out_may_lie_behind_the_forge() {
    let repo = Repo::new();
    repo.commit("second", &["b"]);
    repo.push_to_origin();
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let event = repo.event("push").event;
    assert_eq!(event.payload["head_commit"]["message"], json!("first"));
}

#[test]
fn a_first_commit_changes_everything() {
    let repo = Repo::new();
    let event = repo.event("push").event;
    assert_eq!((&event.payload["before"], &event.payload["created"]), (&json!(ZEROS), &json!(true)));
    assert_eq!(changed(&event), "a since there is no commit before, uncommitted changes included");
}

#[test]
fn a_repository_without_a_commit_and_a_folder_without_a_repository_work() {
    let empty = Repo::empty();
    empty.write("a");
    let LocalEvent { event, notes, .. } = empty.event("push");
    assert_eq!((event.sha.as_str(), event.reference.as_str()), (ZEROS, "refs/heads/main"));
    assert_eq!(event.payload["head_commit"], Value::Null);
    assert_eq!(changed(&event), "a since there is no commit before");
    assert_eq!(notes, ["the repository has no commit yet"]);
    let bare = Repo::folder();
    let LocalEvent { event, notes, .. } = bare.event("push");
    assert_eq!((event.sha.as_str(), event.reference.as_str()), (ZEROS, "refs/heads/main"));
    assert_eq!(changed(&event), "unknown: this folder is in no git repository");
    assert_eq!(notes, ["this folder is in no git repository: the event has no commit"]);
}

#[test]
fn a_detached_head_counts_as_the_branch_at_its_commit() {
    let repo = Repo::new();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit("second", &["b"]);
    repo.git(&["checkout", "-q", "--detach"]);
    let LocalEvent { event, notes, .. } = repo.event("push");
    assert_eq!(event.reference, "refs/heads/topic");
    assert!(notes[0].contains("counts as `topic`, which is at the same commit"), "{notes:?}");
    repo.commit("third", &["c"]);
    assert_eq!(repo.event("push").event.reference, "refs/heads/main");
}

#[test]
fn a_tag_is_pushed_where_it_is_checked_out_or_named() {
    let repo = Repo::new();
    assert!(matches!(repo.event_with("tag", EventOptions::default()), Err(EventError::NoTag)));
    repo.git(&["tag", "-a", "v1.0.0", "-m", "one"]);
    repo.git(&["tag", "v1.1.0"]);
    let LocalEvent { event, notes, .. } = repo.event("tag");
    assert_eq!((event.name.as_str(), event.reference.as_str()), ("push", "refs/tags/v1.1.0"));
    assert_eq!((&event.payload["commits"], &event.payload["created"]), (&json!([]), &json!(true)));
    assert_eq!(notes.len(), 1, "there are two tags: {notes:?}");
    for name in ["refs/tags/v9", "v1.0.0"] {
        let options = EventOptions { reference: Some(name.into()), ..EventOptions::default() };
        let event = repo.event_with("push", options).expect("a tag need not exist").event;
        assert!(event.reference.starts_with("refs/tags/v"), "{}", event.reference);
        assert_eq!(event.payload["ref"], json!(event.reference));
    }
    let options = EventOptions { reference: Some("next".into()), ..EventOptions::default() };
    assert_eq!(repo.event_with("push", options).expect("nor a branch").event.reference, "refs/heads/next");
    assert_eq!(repo.event("release").event.payload["release"]["tag_name"], json!("v1.1.0"));
}

#[test]
fn a_pull_request_is_what_left_the_default_branch() {
    let repo = Repo::new();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let head = repo.commit("Better\n\nBody", &["b"]);
    repo.git(&["checkout", "-q", "main"]);
    let base = repo.commit("meanwhile", &["m"]);
    repo.git(&["checkout", "-q", "topic"]);
    let event = repo.event("pull_request").event;
    assert_eq!((event.reference.as_str(), event.sha.as_str()), ("refs/pull/1/merge", &*head));
    assert_eq!((event.base_ref.as_str(), event.head_ref.as_str()), ("main", "topic"));
    let request = &event.payload["pull_request"];
    assert_eq!(event.payload["action"], json!("opened"));
    assert_eq!((&request["title"], &request["body"]), (&json!("Better"), &json!("Body")));
    assert_eq!((&request["base"]["sha"], &request["head"]["sha"]), (&json!(base), &json!(head)));
    assert_eq!((&request["base"]["ref"], &request["head"]["ref"]), (&json!("main"), &json!("topic")));
    assert_eq!(request["draft"], json!(false));
    assert!(
        changed(&event).starts_with("b against "),
        "what the base got meanwhile is not the request's: {}",
        changed(&event)
    );
}

#[test]
fn events_of_the_default_branch_say_so() {
    let repo = Repo::new();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let LocalEvent { event, notes, .. } = repo.event("schedule");
    assert_eq!(event.reference, "refs/heads/main");
    assert_eq!(notes, ["`schedule` happens on `main`, but the files are those of `topic`"]);
    let options = EventOptions { default_branch: Some("topic".into()), ..EventOptions::default() };
    assert_eq!(repo.event_with("issues", options).expect("the event can be made").event.reference, "refs/heads/topic");
}

#[test]
fn every_known_event_can_be_made() {
    let repo = Repo::new();
    for name in [
        "branch_protection_rule",
        "check_run",
        "create",
        "delete",
        "deployment",
        "deployment_status",
        "discussion",
        "fork",
        "issue_comment",
        "label",
        "merge_group",
        "milestone",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_target",
        "registry_package",
        "repository_dispatch",
        "status",
        "workflow_dispatch",
        "workflow_run",
    ] {
        let event = repo.event(name).event;
        assert!(event.payload["repository"]["name"].is_string(), "{name}");
        assert!(event.reference.starts_with("refs/"), "{name}");
    }
}

#[test]
fn a_further_working_tree_and_packed_references_are_read() {
    let repo = Repo::new();
    repo.git(&["branch", "topic"]);
    repo.git(&["pack-refs", "--all"]);
    assert_eq!(repo.event("push").event.sha, repo.git(&["rev-parse", "main"]));
    let tree = repo.folder.path().join("tree");
    repo.git(&["worktree", "add", "-q", tree.to_str().expect("the path is text"), "topic"]);
    let checkout = repo.at(&tree);
    let event = LocalEvent::from_repository(&checkout, None, &EventOptions::default(), |_| with_paths());
    assert_eq!(event.expect("the event can be made").event.reference, "refs/heads/topic");
}

#[test]
fn a_shallow_clone_does_not_pretend_to_know_what_changed() {
    let repo = Repo::new();
    repo.commit("second", &["b"]);
    let url = format!("file://{}", repo.root.display());
    git_in(repo.folder.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let shallow = repo.folder.path().join("shallow");
    let event = LocalEvent::from_repository(&repo.at(&shallow), None, &EventOptions::default(), |_| with_paths());
    let event = event.expect("the event can be made").event;
    assert_eq!(changed(&event), "unknown: the clone is shallow, and the commit before is not in it");
}

#[test]
fn a_folder_with_workflows_of_its_own_stands_for_itself() {
    let repo = Repo::new();
    repo.commit("second", &["inner/.github/workflows/ci.yml", "inner/x", "outer"]);
    let inner = repo.root.join("inner");
    let checkout = repo.at(&inner.join(".github"));
    assert_eq!(checkout.root, inner);
    let event = LocalEvent::from_repository(&checkout, None, &EventOptions::default(), |_| with_paths());
    let event = event.expect("the event can be made").event;
    assert!(changed(&event).starts_with(".github/workflows/ci.yml x against "), "{}", changed(&event));
}

#[test]
fn the_revision_to_compare_with_can_be_chosen() {
    let repo = Repo::new();
    repo.git(&["tag", "start"]);
    repo.commit("second", &["b"]);
    repo.commit("third", &["c"]);
    let since = |revision: &str| {
        let options = EventOptions { changed_since: Some(revision.into()), ..EventOptions::default() };
        repo.event_with("push", options).map(|local| changed(&local.event))
    };
    assert!(since("start").expect("a tag").starts_with("b c against "));
    assert!(since("HEAD").expect("a revision").starts_with(" against "));
    for revision in ["nothing", "--output=x", ""] {
        assert!(matches!(since(revision), Err(EventError::NoSuchRevision { .. })), "{revision}");
    }
}

#[test]
fn a_push_payload_decides_what_happened() {
    let repo = Repo::new();
    let first = repo.git(&["rev-parse", "HEAD"]);
    let second = repo.commit("second", &["b"]);
    repo.commit("third", &["c"]);
    repo.write("uncommitted");
    let mut payload = json!({
        "ref": "refs/heads/topic", "before": first, "after": second, "sender": { "login": "hubot" },
        "repository": { "full_name": "octo/other", "default_branch": "trunk", "id": 7, "owner": { "id": 9 }, "private": true },
    });
    let event = repo.told("push", &payload);
    assert_eq!(
        (event.reference.as_str(), event.sha.as_str(), event.actor.as_str()),
        ("refs/heads/topic", &*second, "hubot")
    );
    let repository = &event.repository;
    assert_eq!((repository.full_name().as_str(), repository.default_branch.as_str()), ("octo/other", "trunk"));
    assert_eq!((repository.id.as_str(), repository.owner_id.as_str(), repository.private), ("7", "9", true));
    assert_eq!(event.payload, payload);
    assert_eq!(changed(&event), format!("b against {}", &first[..7]));
    // A new branch: against the parent of its first own commit.
    payload["before"] = json!(ZEROS);
    payload["commits"] = json!([{ "id": second }]);
    assert_eq!(changed(&repo.told("push", &payload)), format!("b against {}", &first[..7]));
    payload["commits"] = json!([{ "id": first }]);
    assert_eq!(changed(&repo.told("push", &payload)), "a b since there is no commit before");
    payload["ref"] = json!("refs/tags/v1");
    assert_eq!(repo.told("push", &payload).reference, "refs/tags/v1");
}

#[test]
fn commits_that_are_not_here_are_not_guessed_at() {
    let repo = Repo::new();
    let strange = "1".repeat(40);
    let mut payload = json!({ "ref": "refs/heads/main", "before": strange, "after": "2".repeat(40) });
    assert!(changed(&repo.told("push", &payload)).starts_with("unknown: git says: "));
    payload["commits"] = json!([{ "added": ["x"], "modified": ["b", "a"], "removed": ["b"] }]);
    assert_eq!(changed(&repo.told("push", &payload)), "a b x by the payload's list of commits");
    let hostile =
        json!({ "before": "--output=hostile", "after": "--output=hostile", "commits": [{ "id": "--output=hostile" }] });
    repo.told("push", &hostile);
    assert!(!repo.root.join("hostile").exists(), "no text of a payload is an option of git");
}

#[test]
fn a_pull_request_payload_decides_what_happened() {
    let repo = Repo::new();
    let base = repo.git(&["rev-parse", "HEAD"]);
    let head = repo.commit("second [skip ci]", &["b"]);
    let mut payload = json!({
        "action": "opened", "number": 42,
        "pull_request": { "base": { "ref": "main", "sha": base }, "head": { "ref": "topic", "sha": head }, "merge_commit_sha": "3".repeat(40) },
    });
    let event = repo.told("pull_request", &payload);
    assert_eq!(
        (event.reference.as_str(), event.sha.as_str()),
        ("refs/pull/42/merge", &*head),
        "the merge commit is not here"
    );
    assert_eq!((event.base_ref.as_str(), event.head_ref.as_str()), ("main", "topic"));
    assert_eq!(changed(&event), format!("b against {}", &base[..7]));
    payload["action"] = json!("closed");
    payload["pull_request"]["merged"] = json!(true);
    assert_eq!(repo.told("pull_request", &payload).reference, "refs/heads/main");
    let target = repo.told("pull_request_target", &payload);
    assert_eq!((target.reference.as_str(), target.base_ref.as_str()), ("refs/heads/main", "main"));
    let file = repo.folder.path().join("event.json");
    let options = EventOptions { payload: Some(file), ..EventOptions::default() };
    let local = repo.event_with("pull_request", options).expect("the payload can be read");
    assert_eq!(local.head_message.as_deref(), Some("second [skip ci]"));
}

#[test]
fn other_payloads_decide_what_happened() {
    let repo = Repo::new();
    repo.git(&["tag", "-a", "v1", "-m", "one"]);
    let sha = repo.git(&["rev-parse", "HEAD"]);
    let at = |name: &str, payload: Value| {
        let event = repo.told(name, &payload);
        format!("{} {}", event.reference, if event.sha == sha { "here" } else { event.sha.as_str() })
    };
    assert_eq!(at("workflow_dispatch", json!({ "ref": "v1", "inputs": {} })), "refs/tags/v1 here");
    assert_eq!(at("workflow_dispatch", json!({ "ref": "refs/heads/main" })), "refs/heads/main here");
    assert_eq!(at("release", json!({ "release": { "tag_name": "v1" } })), "refs/tags/v1 here");
    assert_eq!(at("create", json!({ "ref": "v1", "ref_type": "tag" })), "refs/tags/v1 here");
    assert_eq!(at("schedule", json!({ "schedule": "* * * * *" })), "refs/heads/main here");
    assert_eq!(at("workflow_run", json!({ "workflow_run": { "head_branch": "x" } })), "refs/heads/main here");
    assert_eq!(at("repository_dispatch", json!({ "branch": "next", "client_payload": {} })), "refs/heads/next here");
    let group = json!({ "merge_group": { "head_ref": "refs/heads/gh-readonly-queue/main/pr-1", "head_sha": sha } });
    assert_eq!(at("merge_group", group), "refs/heads/gh-readonly-queue/main/pr-1 here");
    assert_eq!(at("deployment", json!({ "deployment": { "sha": sha, "ref": sha } })), " here");
}

#[test]
fn a_payload_that_is_none_and_an_event_that_is_none_are_refused() {
    let repo = Repo::new();
    let file = repo.folder.path().join("event.json");
    let refused = |text: &str| {
        fs::write(&file, text).expect("a file can be written");
        let options = EventOptions { payload: Some(file.clone()), ..EventOptions::default() };
        repo.event_with("push", options).expect_err("it is no payload").to_string()
    };
    assert!(refused("{").ends_with("is not JSON"));
    assert!(refused("[1]").ends_with("is a list; a webhook's payload is a JSON object"));
    let error = repo.event_with("pull-request", EventOptions::default()).expect_err("there is no such event");
    assert_eq!(error.to_string(), "there is no event `pull-request`; did you mean `pull_request`?");
    let options = EventOptions { payload: Some("nowhere.json".into()), ..EventOptions::default() };
    assert!(matches!(repo.event_with("push", options), Err(EventError::Unreadable { .. })));
}

#[test]
fn a_payload_alone_says_which_event_it_is() {
    let repo = Repo::new();
    let file = repo.folder.path().join("event.json");
    fs::write(&file, "\u{feff}{ \"release\": { \"tag_name\": \"v3\" } }").expect("a file can be written");
    let options = EventOptions { payload: Some(file), ..EventOptions::default() };
    let event = LocalEvent::from_repository(&repo.at(&repo.root), None, &options, |_| with_paths());
    assert_eq!(event.expect("the payload can be read").event.name, "release");
}

#[test]
fn the_same_state_makes_the_same_event() {
    let repo = Repo::new();
    repo.commit("second", &["b"]);
    for name in ["push", "pull_request", "release"] {
        assert_eq!(repo.event(name).event, repo.event(name).event, "{name}");
    }
}
