use lineclear_event::RunId;
use lineclear_forge::NodeId;
use lineclear_forge_local::PostedAction;
use serde_json::json;

use crate::ground::{header, open, request, texts, world};

#[test]
fn the_forge_keeps_what_every_forge_promises() {
    let world = world();
    lineclear_forge::contract::holds(&world.forge, &world.ground());
}

#[test]
fn an_issue_is_made_edited_closed_and_listed() {
    let world = world();
    let made = world.expect(
        201,
        "POST",
        "issues",
        &json!({"title": "Broken", "body": "since today", "labels": ["bug", "p1"], "assignees": ["ada"]}),
    );
    assert_eq!(
        (&made["number"], &made["state"], &made["user"]["login"]),
        (&json!(8), &json!("open"), &json!("github-actions[bot]"))
    );
    assert_eq!(made["user"]["type"], "Bot");
    assert_eq!(made["html_url"], "https://github.com/octo/app/issues/8");
    assert_eq!(made["assignee"]["login"], "ada");
    let node: NodeId = made["node_id"].as_str().expect("a node id").parse().expect("one of ours");
    assert_eq!(node.number(), Some(8));
    let closed = world.expect(200, "PATCH", "issues/8", &json!({"state": "closed", "state_reason": "not_planned"}));
    assert_eq!((&closed["state"], &closed["state_reason"]), (&json!("closed"), &json!("not_planned")));
    // An open pull request is an issue, too.
    assert_eq!(texts(&world.read("issues"), "title"), ["Call one"]);
    assert!(world.read("issues")[0]["pull_request"]["url"].is_string());
    assert_eq!(texts(&world.read("issues?state=all"), "title"), ["Broken", "Call one"]);
    assert_eq!(texts(&world.read("issues?state=all&labels=p1"), "title"), ["Broken"]);
    assert_eq!(texts(&world.read("issues?state=all&creator=ada"), "title"), ["Call one"]);
    assert_eq!(texts(&world.read("issues?state=all&assignee=none"), "title"), ["Call one"]);
    assert_eq!(texts(&world.read("issues?state=all&since=2099-01-01T00:00:00Z"), "title"), Vec::<String>::new());
    assert_eq!(texts(&world.read("issues/8/events"), "event"), ["labeled", "labeled", "assigned", "closed"]);
}

/// S2-33: however often it is edited, it is one comment; and what was posted is told once, in its last form.
#[test]
fn an_edited_comment_stays_one_and_is_posted_once() {
    let world = world();
    let made = world.expect(201, "POST", "issues/7/comments", &json!({"body": "first"}));
    let path = format!("issues/comments/{}", made["id"]);
    world.expect(200, "PATCH", &path, &json!({"body": "second"}));
    assert_eq!(texts(&world.read("issues/7/comments"), "body"), ["second"]);
    assert_eq!(world.read("issues/7")["comments"], 1);
    let posted = world.forge.posted(RunId(1)).expect("it can be read");
    assert_eq!(posted.len(), 1, "{posted:?}");
    assert_eq!((posted[0].kind.as_str(), posted[0].markdown.as_str()), ("comment", "second"));
    assert_eq!(posted[0].action, PostedAction::Created);
    assert_eq!(posted[0].url, format!("https://github.com/octo/app/pull/7#issuecomment-{}", made["id"]));

    // The next run finds it and edits it.
    let again = open(&world.folder.path().join("forge"), &world.facts, &world.store);
    let mut caller = crate::ground::everything();
    caller.run = RunId(2);
    let edit = request("PATCH", &path).json(&json!({"body": "third"}));
    assert_eq!(lineclear_forge::ForgeApi::call(&again, &caller, &edit).status, 200);
    let posted = again.posted(RunId(2)).expect("it can be read");
    assert_eq!((posted[0].action, posted[0].markdown.as_str()), (PostedAction::Updated, "third"));
    assert_eq!(texts(&world.read("issues/7/comments"), "body"), ["third"]);
}

#[test]
fn what_is_posted_and_deleted_was_never_posted() {
    let world = world();
    let made = world.expect(201, "POST", "issues/7/comments", &json!({"body": "gone soon"}));
    world.expect(204, "DELETE", &format!("issues/comments/{}", made["id"]), &json!({}));
    assert_eq!(world.forge.posted(RunId(1)).expect("it can be read"), []);
}

#[test]
fn labels_know_their_issues() {
    let world = world();
    world.expect(201, "POST", "labels", &json!({"name": "area/core", "color": "#FF0000", "description": "the core"}));
    let twice = world.expect(422, "POST", "labels", &json!({"name": "Area/Core"}));
    assert_eq!(twice["errors"][0]["code"], "already_exists");
    world.expect(200, "PUT", "issues/7/labels", &json!({"labels": ["AREA/core", "new"]}));
    assert_eq!(texts(&world.read("issues/7/labels"), "name"), ["area/core", "new"]);
    assert_eq!(world.read("labels/area%2Fcore")["color"], "ff0000");
    world.expect(200, "PATCH", "labels/area%2Fcore", &json!({"new_name": "core"}));
    assert_eq!(texts(&world.read("pulls/7")["labels"], "name"), ["core", "new"]);
    world.expect(204, "DELETE", "labels/core", &json!({}));
    assert_eq!(texts(&world.read("issues/7/labels"), "name"), ["new"]);
}

#[test]
fn milestones_locks_reactions_and_assignees() {
    let world = world();
    world.expect(201, "POST", "milestones", &json!({"title": "1.0"}));
    world.expect(200, "PATCH", "issues/7", &json!({"milestone": 1}));
    assert_eq!(world.read("issues/7")["milestone"]["title"], "1.0");
    assert_eq!(world.read("milestones/1")["open_issues"], 1);
    assert_eq!(world.expect(422, "PATCH", "issues/7", &json!({"milestone": 9}))["errors"][0]["field"], "milestone");
    world.expect(204, "PUT", "issues/7/lock", &json!({"lock_reason": "resolved"}));
    assert_eq!(world.read("issues/7")["active_lock_reason"], "resolved");
    world.expect(201, "POST", "issues/7/assignees", &json!({"assignees": ["eve"]}));
    assert_eq!(
        texts(&world.expect(200, "DELETE", "issues/7/assignees", &json!({"assignees": ["eve"]}))["assignees"], "login"),
        Vec::<String>::new()
    );
    let made = world.expect(201, "POST", "issues/7/comments", &json!({"body": "x"}));
    let reactions = format!("issues/comments/{}/reactions", made["id"]);
    world.expect(201, "POST", &reactions, &json!({"content": "rocket"}));
    world.expect(200, "POST", &reactions, &json!({"content": "rocket"}));
    world.expect(422, "POST", &reactions, &json!({"content": "fish"}));
    assert_eq!(world.read("issues/7/comments")[0]["reactions"]["rocket"], 1);
}

#[test]
fn a_known_answer_is_not_sent_again() {
    let world = world();
    let first = world.get("issues/7");
    let tag = header(&first, "etag").expect("an entity tag").to_owned();
    let mut again = request("GET", "issues/7");
    again.headers.push(("if-none-match".into(), tag.clone()));
    let second = world.send(&again);
    assert_eq!((second.status, second.body.len()), (304, 0));
    world.expect(201, "POST", "issues/7/comments", &json!({"body": "new"}));
    assert_eq!(world.send(&again).status, 200);
    assert_eq!(header(&first, "x-ratelimit-remaining"), Some("4999"));
}

/// What GraphQL's `minimizeComment` comes down to.
#[test]
fn a_comment_can_be_hidden_and_shown_again() {
    let world = world();
    let made = world.expect(201, "POST", "issues/7/comments", &json!({"body": "old"}));
    assert_eq!(made["minimized"], json!(null));
    let path = format!("issues/comments/{}", made["id"]);
    world.expect(200, "PUT", &format!("{path}/minimized"), &json!({"reason": "outdated"}));
    assert_eq!(world.read(&path)["minimized"]["reason"], "outdated");
    assert_eq!(texts(&world.read("issues/7/comments"), "body"), ["old"]);
    world.expect(200, "DELETE", &format!("{path}/minimized"), &json!({}));
    assert_eq!(world.read(&path)["minimized"], json!(null));
}
