//! What a call would show to people, in Markdown: for the end of a run, and for the record of what was refused.

use serde_json::Value;

use crate::{ApiRequest, ApiResponse, segments};

/// The longest rendering, in bytes; a comment of GitHub is shorter.
const MAX_SHOWN: usize = 70_000;

/// What `request` shows on the forge: a heading in bold, then the text as it was written. Empty where there is nothing to read.
pub fn shown(request: &ApiRequest, response: &ApiResponse) -> String {
    let Some(segments) = segments(&request.path) else { return String::new() };
    let below: Vec<&str> = match segments.as_slice() {
        [repos, _, _, below @ ..] if repos == "repos" => below.iter().map(String::as_str).collect(),
        _ => return String::new(),
    };
    let Ok(body) = serde_json::from_slice::<Value>(&request.body)
        .or_else(|error| if request.body.is_empty() { Ok(Value::Null) } else { Err(error) })
    else {
        return String::new();
    };
    let answer = if response.is_success() { response.value() } else { Value::Null };
    let mut text = rendered(&request.method, &below, &body, &answer);
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n\n… (shortened)");
    }
    text
}

fn rendered(method: &str, below: &[&str], body: &Value, answer: &Value) -> String {
    match (method, below) {
        ("POST", ["issues", number, "comments"]) => titled(&format!("Comment on #{number}"), body),
        ("PATCH", ["issues", "comments", id]) => titled(&of_issue("Comment", "edited", answer, id), body),
        ("DELETE", ["issues", "comments", id]) => format!("**Comment {id} deleted**"),
        ("POST", ["issues"]) => titled(&named("Issue", answer, body), body),
        ("PATCH", ["issues", number]) => edited(&format!("Issue #{number}"), body),
        ("POST", ["pulls"]) => titled(&named("Pull request", answer, body), body),
        ("PATCH", ["pulls", number]) => edited(&format!("Pull request #{number}"), body),
        ("PUT", ["pulls", number, "merge"]) => format!("**Pull request #{number} merged**"),
        ("POST", ["pulls", number, "reviews"]) => review(number, body),
        ("POST", ["pulls", number, "comments"]) => remark(number, body),
        ("POST", ["pulls", number, "comments", _, "replies"]) => titled(&format!("Reply on #{number}"), body),
        ("PATCH", ["pulls", "comments", id]) => titled(&format!("Review comment {id} edited"), body),
        ("POST", ["pulls", number, "requested_reviewers"]) => {
            format!("**Review of #{number} asked of** {}", list(&body["reviewers"]))
        }
        ("POST", ["commits", sha, "comments"]) => titled(&format!("Comment on commit {}", short(sha)), body),
        ("PATCH", ["comments", id]) => titled(&format!("Commit comment {id} edited"), body),
        ("POST", ["statuses", sha]) => status(sha, body),
        ("POST", ["check-runs"]) | ("PATCH", ["check-runs", _]) => check(body, answer),
        ("POST" | "PUT", ["issues", number, "labels"]) => {
            let labels = if body.is_array() { body } else { &body["labels"] };
            format!("**Labels of #{number}**: {}", list(labels))
        }
        ("DELETE", ["issues", number, "labels", name]) => format!("**Label of #{number} removed**: `{name}`"),
        ("POST", ["issues", number, "assignees"]) => format!("**Assigned to #{number}**: {}", list(&body["assignees"])),
        ("PUT", ["issues", number, "lock"]) => format!("**#{number} locked**"),
        ("POST", [.., "reactions"]) => format!("**Reaction** {}", text(body, "content")),
        ("POST", ["releases"]) | ("PATCH", ["releases", _]) => release(body, answer),
        ("POST", ["releases", _, "assets"]) => format!("**Release asset** `{}`", text(answer, "name")),
        ("POST", ["deployments"]) => deployment(body),
        ("POST", ["deployments", id, "statuses"]) => deployment_status(id, body),
        ("PUT", ["code-scanning", "analysis"]) | ("POST", ["code-scanning", "sarifs"]) => {
            format!("**Code scanning results** for `{}`", text(body, "ref"))
        }
        ("POST", ["dispatches"]) => format!("**Repository dispatch** `{}`", text(body, "event_type")),
        ("POST", ["actions", "workflows", file, "dispatches"]) => {
            format!("**Workflow `{file}` started** on `{}`", text(body, "ref"))
        }
        ("PUT" | "DELETE", ["contents", path @ ..]) => {
            titled_text(&format!("Commit to `{}`", path.join("/")), text(body, "message"))
        }
        ("POST", ["git", "refs"]) => format!("**Ref created** `{}`", text(body, "ref")),
        ("PATCH", ["git", "refs", name @ ..]) => format!("**Ref moved** `refs/{}`", name.join("/")),
        ("DELETE", ["git", "refs", name @ ..]) => format!("**Ref deleted** `refs/{}`", name.join("/")),
        _ => String::new(),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn titled(title: &str, body: &Value) -> String {
    titled_text(title, text(body, "body"))
}

fn titled_text(title: &str, body: &str) -> String {
    if body.is_empty() { format!("**{title}**") } else { format!("**{title}**\n\n{body}") }
}

/// `Issue #8: its title`, the number as far as the forge gave one.
fn named(kind: &str, answer: &Value, body: &Value) -> String {
    let number = answer["number"].as_u64().map(|number| format!(" #{number}")).unwrap_or_default();
    format!("{kind}{number}: {}", text(body, "title"))
}

fn of_issue(kind: &str, done: &str, answer: &Value, id: &str) -> String {
    match text(answer, "issue_url").rsplit_once('/') {
        Some((_, number)) => format!("{kind} on #{number} {done}"),
        None => format!("{kind} {id} {done}"),
    }
}

/// The fields that an edit names, but the body, which follows as text.
fn edited(what: &str, body: &Value) -> String {
    let fields = body.as_object().into_iter().flatten().filter(|(name, _)| *name != "body");
    let fields: Vec<String> = fields
        .map(|(name, value)| match value {
            Value::String(value) => format!("{name} = {value}"),
            Value::Array(_) => format!("{name} = {}", list(value)),
            other => format!("{name} = {other}"),
        })
        .collect();
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    titled(&format!("{what} edited{fields}"), body)
}

fn list(values: &Value) -> String {
    let names = values.as_array().into_iter().flatten().map(|value| value.as_str().unwrap_or(text(value, "name")));
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn short(sha: &str) -> String {
    sha.chars().take(7).collect()
}

fn review(number: &str, body: &Value) -> String {
    let event = text(body, "event");
    let mut shown = titled(&format!("Review of #{number}{}{event}", if event.is_empty() { "" } else { ": " }), body);
    for comment in body["comments"].as_array().into_iter().flatten() {
        shown.push_str("\n\n");
        shown.push_str(&place(comment));
        shown.push_str(text(comment, "body"));
    }
    shown
}

fn remark(number: &str, body: &Value) -> String {
    format!("**Review comment on #{number}**\n\n{}{}", place(body), text(body, "body"))
}

fn place(comment: &Value) -> String {
    match comment["line"].as_u64() {
        Some(line) => format!("`{}:{line}`: ", text(comment, "path")),
        None => format!("`{}`: ", text(comment, "path")),
    }
}

fn status(sha: &str, body: &Value) -> String {
    let context = body["context"].as_str().unwrap_or("default");
    let mut shown = format!("**Status** `{context}` of {}: {}", short(sha), text(body, "state"));
    for (key, before) in [("description", " — "), ("target_url", "\n")] {
        if !text(body, key).is_empty() {
            shown.push_str(before);
            shown.push_str(text(body, key));
        }
    }
    shown
}

fn check(body: &Value, answer: &Value) -> String {
    let name = body["name"].as_str().unwrap_or(text(answer, "name"));
    let state = body["conclusion"].as_str().or(body["status"].as_str()).unwrap_or(text(answer, "status"));
    let mut shown = format!("**Check** `{name}`: {state}");
    let output = &body["output"];
    for key in ["title", "summary", "text"] {
        if !text(output, key).is_empty() {
            shown.push_str("\n\n");
            shown.push_str(text(output, key));
        }
    }
    for note in output["annotations"].as_array().into_iter().flatten() {
        let line = note["start_line"].as_u64().unwrap_or_default();
        let (path, level, message) = (text(note, "path"), text(note, "annotation_level"), text(note, "message"));
        shown.push_str(&format!("\n- `{path}:{line}` {level}: {message}"));
    }
    shown
}

fn release(body: &Value, answer: &Value) -> String {
    let tag = body["tag_name"].as_str().unwrap_or(text(answer, "tag_name"));
    let name = body["name"].as_str().filter(|name| !name.is_empty() && *name != tag);
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let draft = if body["draft"].as_bool() == Some(true) { ", draft" } else { "" };
    titled(&format!("Release {tag}{name}{draft}"), body)
}

fn deployment(body: &Value) -> String {
    let environment = body["environment"].as_str().unwrap_or("production");
    titled_text(&format!("Deployment of `{}` to {environment}", text(body, "ref")), text(body, "description"))
}

fn deployment_status(id: &str, body: &Value) -> String {
    let mut shown = titled_text(&format!("Deployment {id}: {}", text(body, "state")), text(body, "description"));
    if !text(body, "environment_url").is_empty() {
        shown.push('\n');
        shown.push_str(text(body, "environment_url"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_shown(method: &str, path: &str, body: &Value, answer: &Value, expected: &str) {
        let request = ApiRequest::new(method, &format!("/repos/o/r/{path}")).json(body);
        assert_eq!(shown(&request, &ApiResponse::json(201, answer)), expected, "{method} {path}");
    }

    #[test]
    fn what_people_would_read_is_shown() {
        let none = json!({});
        check_shown("POST", "issues/7/comments", &json!({"body": "a\nb"}), &none, "**Comment on #7**\n\na\nb");
        let answer = json!({"issue_url": "http://x/repos/o/r/issues/7"});
        check_shown("PATCH", "issues/comments/9", &json!({"body": "b"}), &answer, "**Comment on #7 edited**\n\nb");
        let issue = json!({"title": "Broken", "body": "since today"});
        check_shown("POST", "issues", &issue, &json!({"number": 8}), "**Issue #8: Broken**\n\nsince today");
        let edit = json!({"state": "closed", "labels": ["a", "b"]});
        check_shown("PATCH", "issues/8", &edit, &none, "**Issue #8 edited: state = closed, labels = `a`, `b`**");
        let status =
            json!({"state": "failure", "context": "lint", "description": "2 errors", "target_url": "http://y"});
        check_shown(
            "POST",
            "statuses/1234567890",
            &status,
            &none,
            "**Status** `lint` of 1234567: failure — 2 errors\nhttp://y",
        );
        let run = json!({"name": "unit", "conclusion": "success", "output": {"title": "3 passed", "summary": "all",
            "annotations": [{"path": "a.rs", "start_line": 3, "annotation_level": "notice", "message": "hm"}]}});
        check_shown(
            "POST",
            "check-runs",
            &run,
            &none,
            "**Check** `unit`: success\n\n3 passed\n\nall\n- `a.rs:3` notice: hm",
        );
        check_shown("POST", "issues/7/labels", &json!({"labels": ["x"]}), &none, "**Labels of #7**: `x`");
        check_shown("PUT", "issues/7/labels", &json!(["x", "y"]), &none, "**Labels of #7**: `x`, `y`");
        let release = json!({"tag_name": "v1", "name": "One", "body": "notes", "draft": true});
        check_shown("POST", "releases", &release, &none, "**Release v1 (One), draft**\n\nnotes");
    }

    #[test]
    fn hostile_bodies_are_shown_as_far_as_they_can_be() {
        for body in [json!(null), json!([1, 2]), json!("x"), json!({"body": 7, "labels": {"a": 1}, "output": 3})] {
            for (method, path) in
                [("POST", "issues"), ("PUT", "issues/7/labels"), ("POST", "check-runs"), ("PATCH", "issues/1")]
            {
                let request = ApiRequest::new(method, &format!("/repos/o/r/{path}")).json(&body);
                shown(&request, &ApiResponse::empty(204));
            }
        }
        let request = ApiRequest { body: b"{not json".to_vec(), ..ApiRequest::new("POST", "/repos/o/r/issues") };
        assert_eq!(shown(&request, &ApiResponse::empty(204)), "");
        let long = ApiRequest::new("POST", "/repos/o/r/issues/7/comments").json(&json!({"body": "ä".repeat(100_000)}));
        assert!(shown(&long, &ApiResponse::empty(204)).ends_with("… (shortened)"));
    }
}
