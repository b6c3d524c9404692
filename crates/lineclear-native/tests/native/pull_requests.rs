//! What a pull request changes: labels and filters of paths.

use serde_json::json;

use crate::bench::Bench;
use crate::forge::pull_request;

fn step(uses: &str, inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    format!("- id: it\n  uses: {uses}\n  with:\n{inputs}")
}

const LABELS: &str = "docs:\n- changed-files:\n  - any-glob-to-any-file: docs/**\nfeature:\n- head-branch: ^feature\nold:\n- base-branch: ^old\n";
const SHOW: &str = "- run: 'echo \"new=${{ steps.it.outputs.new-labels }} all=${{ steps.it.outputs.all-labels }}\"'";

#[test]
fn labels_are_set_by_files_and_branches() {
    let (bench, forge) = pull_request(&[(".github/labeler.yml", LABELS)]);
    let pull = json!({ "number": 7, "labels": [{ "name": "old" }, { "name": "kept" }], "head": { "ref": "feature/x" }, "base": { "ref": "main" } });
    forge.answer("GET /repos/octo/App/pulls/7", 200, pull);
    // More than one page.
    let files = (0..130)
        .map(|n| json!({ "filename": if n == 129 { "docs/a.md".into() } else { format!("src/{n}") } }))
        .collect();
    forge.list("/repos/octo/App/pulls/7/files", files);
    forge.answer("PUT /repos/octo/App/issues/7/labels", 200, json!([]));
    let done = bench.job(&format!("{}{SHOW}", step("actions/labeler@v5", "sync-labels: true"))).succeeded();
    assert_eq!(done.value("new"), "docs,feature all=kept,docs,feature");
    assert_eq!(forge.body("PUT /repos/octo/App/issues/7/labels"), json!({ "labels": ["kept", "docs", "feature"] }));
    let done = bench.job(&format!("{}{SHOW}", step("actions/labeler@v6", "dot: false"))).succeeded();
    assert_eq!(done.value("new"), "docs,feature all=old,kept,docs,feature");
}

#[test]
fn labels_that_may_not_be_set_fail_with_the_reason() {
    let (bench, forge) = pull_request(&[]);
    forge.answer(
        "GET /repos/octo/App/pulls/7",
        200,
        json!({ "head": { "ref": "feature/x" }, "base": { "ref": "main" } }),
    );
    forge.list("/repos/octo/App/pulls/7/files", Vec::new());
    let packed = json!({ "content": "ZmVhdHVyZToKLSBoZWFkLWJyYW5jaDogZmVhdHVyZQo=\n", "encoding": "base64" });
    forge.answer("GET /repos/octo/App/contents/.github/labeler.yml", 200, packed);
    forge.answer(
        "PUT /repos/octo/App/issues/7/labels",
        403,
        json!({ "message": "Resource not accessible by integration" }),
    );
    bench.job(&step("actions/labeler@v5", "sync-labels: false")).failed().says(&[
        "was not found locally, fetching via the api",
        "The action requires write permission to add labels",
        "Resource not accessible by integration",
    ]);
}

const FILTER: &str = "dorny/paths-filter@v3";
const SHOW_FILTERS: &str = "- run: 'echo \"seen=${{ steps.it.outputs.src }} ${{ steps.it.outputs.src_count }} ${{ steps.it.outputs.docs }} ${{ steps.it.outputs.changes }}\"'\n- run: 'echo \"files=${{ steps.it.outputs.src_files }}\"'";
const FILTERS: &str = "filters: |\n  src:\n    - added|modified: 'src/**'\n  docs: 'docs/**'\n";

#[test]
fn filters_ask_the_forge_about_a_pull_request() {
    let (bench, forge) = pull_request(&[]);
    let files = vec![
        json!({ "filename": "src/a b.js", "status": "added" }),
        json!({ "filename": "src/c.js", "previous_filename": "docs/c.js", "status": "renamed" }),
        json!({ "filename": "src/gone.js", "status": "removed" }),
    ];
    forge.list("/repos/octo/App/pulls/7/files", files);
    let done =
        bench.job(&format!("{}{SHOW_FILTERS}", step(FILTER, &format!("{FILTERS}list-files: shell")))).succeeded();
    assert_eq!(done.value("seen"), r#"true 2 true [src,docs]"#);
    assert!(done.log.contains("src/a b.js [added]") && done.log.contains("docs/c.js [deleted]"), "{}", done.log);
}

#[test]
fn filters_ask_git_about_a_push() {
    let mut bench = Bench::new(&[("src/a", "1"), ("docs/a", "1")]);
    let before = bench.github["sha"].clone();
    bench.commit("second", &[("src/a", "2"), ("src/new", "1")]);
    bench.github["event"]["before"] = before;
    let run = |bench: &Bench, inputs: &str| {
        let steps = step(FILTER, &format!("{FILTERS}list-files: csv\n{inputs}"));
        let done = bench
            .job(&format!("- uses: actions/checkout@v4\n  with: {{ fetch-depth: 0 }}\n{steps}{SHOW_FILTERS}"))
            .succeeded();
        (done.value("seen").to_owned(), done.value("files").to_owned())
    };
    assert_eq!(run(&bench, ""), ("true 2 false [src]".into(), "src/a,src/new".into()));
    // The first push of a branch is compared with the default branch.
    bench.git(&["checkout", "--quiet", "-b", "feature"]);
    bench.commit("third", &[("docs/b", "1")]);
    bench.about("refs/heads/feature");
    bench.github["event"]["before"] = "0000000000000000000000000000000000000000".into();
    assert_eq!(run(&bench, ""), ("false 0 true [docs]".into(), String::new()));
}

#[test]
fn filters_that_are_wrong_are_said() {
    let (bench, ..) = pull_request(&[]);
    bench.job(&step(FILTER, "filters: missing.yml")).failed().says(&["Configuration file 'missing.yml' not found"]);
    bench.job(&step(FILTER, "filters: 'a: 1'")).failed().says(&["Invalid filter YAML format"]);
    bench.job(&step(FILTER, "filters: 'a: b'\nlist-files: xml")).failed().says(&["invalid value 'xml'"]);
}
