//! In front of the embedded forge and its guard, with a real git repository: as a run has it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_forge::{ApiRequest, Caller, ForgeApi, Guarded};
use lineclear_forge_local::{Addresses, LocalForge, NoLinks, Ports, PullFacts, RepositoryFacts};
use lineclear_graphql::GraphqlOverRest;
use lineclear_store::MemoryStore;
use serde_json::{Value, json};

type Forge = GraphqlOverRest<Guarded<LocalForge>>;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = [
        ("GIT_AUTHOR_NAME", "Mona"),
        ("GIT_AUTHOR_EMAIL", "m@x"),
        ("GIT_COMMITTER_NAME", "Mona"),
        ("GIT_COMMITTER_EMAIL", "m@x"),
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .envs(who)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository with a branch `main` of two commits and `feature` of one more, and pull request 7 between them.
fn forge(folder: &Path) -> (Forge, String) {
    let work = folder.join("work");
    std::fs::create_dir(&work).expect("a folder can be made");
    git(&work, &["init", "-q", "-b", "main"]);
    for number in 1..=2 {
        std::fs::write(work.join("a.txt"), format!("{number}\n")).expect("a file can be written");
        git(&work, &["add", "."]);
        git(&work, &["commit", "-q", "-m", &format!("change {number}")]);
    }
    let base = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["checkout", "-q", "-b", "feature"]);
    git(&work, &["commit", "-q", "--allow-empty", "-m", "more"]);
    let head = git(&work, &["rev-parse", "HEAD"]);
    let pull = PullFacts {
        number: 7,
        title: "Add feature".into(),
        user: "mona".into(),
        head_ref: "feature".into(),
        head_sha: head.clone(),
        base_ref: "main".into(),
        base_sha: base.clone(),
        ..PullFacts::default()
    };
    let facts = RepositoryFacts {
        owner: "octo".into(),
        name: "demo".into(),
        default_branch: "main".into(),
        private: true,
        git: Some(work),
        sha: head,
        pull: Some(pull),
        ..RepositoryFacts::default()
    };
    let store = Arc::new(MemoryStore::new());
    let local = "http://127.0.0.1:9/api/v3".to_owned();
    let ports = Ports {
        store: store.clone(),
        artifacts: store.clone(),
        caches: store,
        links: Arc::new(NoLinks),
        clock: Arc::new(|| Timestamp(1_767_225_600_000)),
        addresses: Addresses { api: local.clone(), server: "https://github.com".into(), uploads: local },
    };
    let forge = LocalForge::open(&folder.join("forge"), facts, ports).expect("a new forge opens");
    (GraphqlOverRest::new(Guarded::new(forge)), base)
}

fn ask(forge: &Forge, permissions: &[(&str, &str)], query: &str, variables: &Value) -> Value {
    let permissions: BTreeMap<String, String> =
        permissions.iter().map(|(name, level)| ((*name).into(), (*level).into())).collect();
    let caller = Caller { permissions, ..crate::caller() };
    forge
        .call(&caller, &ApiRequest::new("POST", "/graphql").json(&json!({ "query": query, "variables": variables })))
        .value()
}

const OWN: &str = "{ viewer { login } repository(owner: \"octo\", name: \"demo\") { pullRequest(number: 7) { id isDraft comments(first: 100) { nodes { id body author { login } isMinimized } } } } }";

/// S2-20, S2-4: a job with no more than `pull-requests: write` keeps one comment.
#[test]
fn a_sticky_comment_needs_no_more_than_pull_requests() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (forge, _) = forge(folder.path());
    let allowed = [("pull-requests", "write")];
    let before = ask(&forge, &allowed, OWN, &Value::Null);
    assert_eq!(before["errors"], Value::Null, "{before:#}");
    let pull = &before["data"]["repository"]["pullRequest"];
    let add = "mutation($id: ID!, $body: String!) { addComment(input: { subjectId: $id, body: $body }) { commentEdge { node { id } } } }";
    let added = ask(&forge, &allowed, add, &json!({ "id": pull["id"], "body": "first" }));
    let id = &added["data"]["addComment"]["commentEdge"]["node"]["id"];
    assert!(id.is_string(), "{added:#}");
    let edit =
        "mutation($input: UpdateIssueCommentInput!) { updateIssueComment(input: $input) { issueComment { body } } }";
    let edited = ask(&forge, &allowed, edit, &json!({ "input": { "id": id, "body": "second" } }));
    assert_eq!(edited["data"]["updateIssueComment"]["issueComment"]["body"], "second", "{edited:#}");
    let hide = "mutation($id: ID!) { minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) { minimizedComment { isMinimized minimizedReason } } }";
    let hidden = ask(&forge, &allowed, hide, &json!({ "id": id }));
    let expected = json!({ "isMinimized": true, "minimizedReason": "outdated" });
    assert_eq!(hidden["data"]["minimizeComment"]["minimizedComment"], expected, "{hidden:#}");
    let again = ask(&forge, &allowed, OWN, &Value::Null);
    assert_eq!(again["data"]["repository"]["pullRequest"]["comments"]["nodes"][0]["isMinimized"], true);
    let show =
        "mutation($id: ID!) { unminimizeComment(input: { subjectId: $id }) { unminimizedComment { isMinimized } } }";
    ask(&forge, &allowed, show, &json!({ "id": id }));
    let after = ask(&forge, &allowed, OWN, &Value::Null);
    let comments = &after["data"]["repository"]["pullRequest"]["comments"]["nodes"];
    let login = after["data"]["viewer"]["login"].as_str().expect("a login is text").replace("[bot]", "");
    assert_eq!(comments, &json!([{ "id": id, "body": "second", "author": { "login": login }, "isMinimized": false }]));
}

#[test]
fn a_job_without_the_permission_reads_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (forge, _) = forge(folder.path());
    let allowed = [("pull-requests", "read")];
    let id = ask(&forge, &allowed, OWN, &Value::Null)["data"]["repository"]["pullRequest"]["id"].clone();
    let draft =
        "mutation($id: ID!) { convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { isDraft } } }";
    let refused = ask(&forge, &allowed, draft, &json!({ "id": id }));
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN", "{refused:#}");
    assert_eq!(refused["errors"][0]["message"], "Resource not accessible by integration");
    let done = ask(&forge, &[("pull-requests", "write")], draft, &json!({ "id": id }));
    assert_eq!(done["data"]["convertPullRequestToDraft"]["pullRequest"]["isDraft"], true, "{done:#}");
    let nothing = ask(&forge, &[], OWN, &Value::Null);
    assert_eq!(nothing["data"]["repository"]["pullRequest"], Value::Null);
    assert_eq!(nothing["errors"][0]["type"], "FORBIDDEN", "{nothing:#}");
    let other = ask(&forge, &allowed, "{ repository(owner: \"octo\", name: \"other\") { id } }", &Value::Null);
    assert_eq!(other["errors"][0]["type"], "NOT_FOUND");
}

#[test]
fn history_refs_and_files_come_from_git() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (forge, base) = forge(folder.path());
    let allowed = [("contents", "read"), ("pull-requests", "read")];
    let query = "{ repository(owner: \"octo\", name: \"demo\") {
      defaultBranchRef { name target { oid } }
      refs(refPrefix: \"refs/heads/\", first: 10) { nodes { name } }
      object(expression: \"main\") { ... on Commit { oid history(first: 5) { totalCount nodes { messageHeadline author { name } } } } }
      file: object(expression: \"main:a.txt\") { ... on Blob { text } }
      pullRequest(number: 7) { headRefName baseRefName commits(first: 5) { nodes { commit { message } } } files(first: 5) { totalCount } }
    } }";
    let answer = ask(&forge, &allowed, query, &Value::Null);
    assert_eq!(answer["errors"], Value::Null, "{answer:#}");
    let expected = json!({
        "defaultBranchRef": { "name": "main", "target": { "oid": base } },
        "refs": { "nodes": [{ "name": "feature" }, { "name": "main" }] },
        "object": { "oid": base, "history": { "totalCount": 2, "nodes": [
            { "messageHeadline": "change 2", "author": { "name": "Mona" } },
            { "messageHeadline": "change 1", "author": { "name": "Mona" } },
        ] } },
        "file": { "text": "2\n" },
        "pullRequest": { "headRefName": "feature", "baseRefName": "main", "commits": { "nodes": [{ "commit": { "message": "more" } }] }, "files": { "totalCount": 0 } },
    });
    assert_eq!(answer["data"]["repository"], expected);
}

/// A commit that a job makes over the API, as actions do that sign with the forge's key.
#[test]
fn a_commit_is_made_and_labels_are_set() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (forge, base) = forge(folder.path());
    let allowed = [("contents", "write"), ("issues", "write"), ("pull-requests", "write")];
    let query = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid message } ref { name target { oid } } } }";
    let input = json!({ "input": {
        "branch": { "repositoryNameWithOwner": "octo/demo", "branchName": "main" },
        "message": { "headline": "update" },
        "expectedHeadOid": base,
        "fileChanges": { "additions": [{ "path": "b.txt", "contents": "aGk=" }], "deletions": [{ "path": "a.txt" }] },
    } });
    let made = ask(&forge, &allowed, query, &input);
    assert_eq!(made["errors"], Value::Null, "{made:#}");
    let made = &made["data"]["createCommitOnBranch"];
    assert_eq!(made["ref"]["target"]["oid"], made["commit"]["oid"]);
    let files = "{ repository(owner: \"octo\", name: \"demo\") { a: object(expression: \"main:a.txt\") { oid } b: object(expression: \"main:b.txt\") { ... on Blob { text } } } }";
    let files = ask(&forge, &allowed, files, &Value::Null);
    assert_eq!(files["data"]["repository"], json!({ "a": null, "b": { "text": "hi" } }));
    let stale = ask(&forge, &allowed, query, &input);
    assert_eq!(stale["errors"][0]["type"], "STALE_DATA", "{stale:#}");

    let labels =
        ApiRequest::new("POST", "/repos/octo/demo/labels").json(&json!({ "name": "big one", "color": "ff0000" }));
    let all = allowed.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect();
    assert_eq!(forge.call(&Caller { permissions: all, ..crate::caller() }, &labels).status, 201);
    let ids = "{ repository(owner: \"octo\", name: \"demo\") { label(name: \"big one\") { id } pullRequest(number: 7) { id } } }";
    let ids = ask(&forge, &allowed, ids, &Value::Null)["data"]["repository"].clone();
    let add = "mutation($pull: ID!, $label: ID!) { addLabelsToLabelable(input: { labelableId: $pull, labelIds: [$label] }) { labelable { labels(first: 5) { nodes { name color } } } } }";
    let added = ask(&forge, &allowed, add, &json!({ "pull": ids["pullRequest"]["id"], "label": ids["label"]["id"] }));
    let expected = json!({ "nodes": [{ "name": "big one", "color": "ff0000" }] });
    assert_eq!(added["data"]["addLabelsToLabelable"]["labelable"]["labels"], expected, "{added:#}");
}
