//! One comment on a pull request, kept up to date.

use crate::forge::pull_request;

fn comment(inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    format!("- id: it\n  uses: marocchino/sticky-pull-request-comment@v2\n  with:\n{inputs}")
}

const MARKER: &str = "<!-- Sticky Pull Request Comment -->";

/// S2-4: once, and edited on the next run.
#[test]
fn a_comment_is_made_once_and_edited() {
    let (bench, forge) = pull_request(&[("notes/a.md", "from a file")]);
    let show =
        "- run: 'echo \"ids=${{ steps.it.outputs.previous_comment_id }}/${{ steps.it.outputs.created_comment_id }}\"'";
    let done = bench.job(&format!("{}{show}", comment("message: first"))).succeeded();
    assert_eq!(done.value("ids"), "/1");
    let done = bench.job(&format!("{}{show}", comment("message: second"))).succeeded();
    // The earlier comment by its node's id: the action finds it by GraphQL.
    assert_eq!(done.value("ids"), "IC_1/");
    assert_eq!(forge.comments(), [format!("second\n{MARKER}")]);
    bench.job(&comment("message: third\nappend: true")).succeeded();
    assert_eq!(forge.comments(), [format!("second\nthird\n{MARKER}")]);
    bench.job(&comment("path: notes/*.md\nheader: other")).succeeded();
    assert_eq!(forge.comments()[1], "from a file\n<!-- Sticky Pull Request Commentother -->");
    bench.job(&comment("message: new\nrecreate: true")).succeeded();
    assert_eq!(forge.comments()[1], format!("new\n{MARKER}"));
    bench.job(&comment("delete: true")).succeeded();
    bench.job(&comment("message: x\nonly_update: true")).succeeded();
    assert_eq!(forge.comments().len(), 1);
}

/// S2-8: without a pull request there is nothing to comment on.
#[test]
fn a_push_has_no_comment() {
    let (mut bench, forge) = pull_request(&[]);
    bench.github["event"] = serde_json::json!({});
    bench.job(&comment("message: x")).succeeded().says(&["no pull request numbers given: skip step"]);
    assert_eq!(forge.calls(), [""; 0]);
}

#[test]
fn what_somebody_else_wrote_is_never_edited() {
    let (bench, forge) = pull_request(&[]);
    let quoted = serde_json::json!({ "id": 90, "body": format!("> {MARKER}"), "user": { "login": "octocat" } });
    forge.list("/repos/octo/App/issues/7/comments", vec![quoted]);
    bench.job(&comment("message: x")).succeeded();
    assert!(forge.calls().contains(&"POST /repos/octo/App/issues/7/comments".into()), "{:?}", forge.calls());
}

#[test]
fn mistakes_and_refusals_fail_the_step() {
    let (bench, forge) = pull_request(&[]);
    bench.job(&comment("header: x")).failed().says(&["Either message or path input is required"]);
    bench
        .job(&comment("message: x\ndelete: true\nrecreate: true"))
        .failed()
        .says(&["cannot be set to true simultaneously"]);
    let refused = serde_json::json!({ "message": "Resource not accessible by integration" });
    forge.answer("POST /repos/octo/App/issues/7/comments", 403, refused);
    bench.job(&comment("message: x")).failed().says(&["Resource not accessible by integration"]);
}
