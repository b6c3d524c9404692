//! `lineclear lsp`, asked by a client that editors are made with.

use lineclear_testkit::{Repository, binary, language_client};
use serde_json::{Value, json};

const WORKFLOW: &str = "\
name: CI
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      version: ${{ steps.tag.outputs.name }}
    steps:
      - uses: ./.github/actions/greet
      - id: tag
        run: echo \"::set-output name=name::1\"
  test:
    needs: [build]
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, windows-latest]
    steps:
      - run: echo ${{ needs.build.outputs.version }} ${{ matrix.os }}
";

const ACTION: &str = "\
name: Greet
description: Says hello
inputs:
  who:
    description: Whom to greet
    default: world
runs:
  using: composite
  steps:
    - run: echo hello
      shell: bash
";

/// The answers to `steps`, one for each; the first is what the server says of itself.
fn ask(repository: &Repository, steps: &Value) -> Vec<Value> {
    let client = language_client();
    let output = std::process::Command::new("node")
        .arg(client.join("client.cjs"))
        .arg(binary())
        .arg(repository.root())
        .args([".github/workflows/w.yml", &steps.to_string()])
        .env("LINECLEAR_HOME", repository.home())
        .output()
        .expect("Node is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn repository(name: &str) -> Repository {
    let repository = Repository::with(name, WORKFLOW);
    repository.write(".github/actions/greet/action.yml", ACTION);
    repository
}

/// The place of the `nth` occurrence of `word` in the workflow, `inside` characters into it.
fn place(word: &str, nth: usize, inside: usize) -> Value {
    let at = WORKFLOW.match_indices(word).nth(nth).expect("it is there").0 + inside;
    let line = WORKFLOW[..at].matches('\n').count();
    let character = at - WORKFLOW[..at].rfind('\n').map_or(0, |newline| newline + 1);
    json!({ "line": line, "character": character })
}

fn labels(answer: &Value) -> Vec<String> {
    let items = answer.as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item["label"].as_str().map(str::to_owned)).collect()
}

#[test]
fn findings_come_as_one_types_and_go_when_they_are_mended() {
    let repository = repository("lsp-diagnostics");
    let slip = json!({ "range": { "start": place("runs-on", 0, 0), "end": place("runs-on", 0, 7) }, "text": "run-on" });
    let back =
        json!({ "range": { "start": place("runs-on", 0, 0), "end": place("runs-on", 0, 6) }, "text": "runs-on" });
    let answers =
        ask(&repository, &json!([{ "open": null }, { "change": slip }, { "change": back }, { "junk": null }]));
    assert_eq!(answers[0]["name"], "lineclear");
    let codes = |answer: &Value| -> Vec<String> {
        let all = answer["diagnostics"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one["code"].as_str().map(str::to_owned)).collect()
    };
    assert!(codes(&answers[1]).contains(&"missing-timeout".to_owned()), "{}", answers[1]);
    let slip = answers[2]["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["code"] == "unknown-key")
        .expect("the slip");
    assert_eq!(slip["range"]["start"], place("runs-on", 0, 0));
    assert_eq!(slip["severity"], 1);
    assert!(slip["codeDescription"]["href"].as_str().is_some_and(|href| href.ends_with("/docs/rules/unknown-key.md")));
    assert_eq!(codes(&answers[3]), codes(&answers[1]));
    assert!(answers[4]["error"].as_str().is_some_and(|message| message.contains("no/such/request")), "{}", answers[4]);
}

#[test]
fn hover_tells_types_and_what_actions_take() {
    let repository = repository("lsp-hover");
    let steps = json!([
        { "open": null },
        { "hover": place("matrix.os", 1, 8) },
        { "hover": place("./.github", 0, 3) },
        { "hover": place("needs", 0, 1) },
        { "hover": place("name: CI", 0, 7) },
    ]);
    let answers = ask(&repository, &steps);
    let text = |at: usize| answers[at]["contents"]["value"].as_str().unwrap_or_default().to_owned();
    assert!(text(2).contains("matrix.os: string"), "{}", answers[2]);
    assert!(text(3).contains("Says hello") && text(3).contains("`who` = `world`"), "{}", answers[3]);
    assert!(text(4).contains("succeed before"), "{}", answers[4]);
    assert_eq!(answers[5], Value::Null);
}

#[test]
fn jobs_steps_inputs_and_files_lead_to_where_they_are_defined() {
    let repository = repository("lsp-definition");
    let steps = json!([
        { "open": null },
        { "definition": place("[build]", 0, 2) },
        { "definition": place("steps.tag", 0, 7) },
        { "definition": place("matrix.os", 0, 7) },
        { "definition": place("./.github", 0, 3) },
        { "definition": place("echo", 0, 1) },
    ]);
    let answers = ask(&repository, &steps);
    assert_eq!(answers[2]["range"]["start"], place("build:", 0, 0));
    assert_eq!(answers[3]["range"]["start"], place("tag\n", 0, 0));
    assert_eq!(answers[4]["range"]["start"], place("os: [", 0, 0));
    assert!(
        answers[5]["uri"].as_str().is_some_and(|uri| uri.ends_with("/.github/actions/greet/action.yml")),
        "{}",
        answers[5]
    );
    assert_eq!(answers[6], Value::Null);
}

#[test]
fn completion_knows_keys_jobs_contexts_and_inputs_also_while_the_file_is_broken() {
    let repository = repository("lsp-completion");
    let end = json!({ "line": 19, "character": 0 });
    let typed = |text: &str| json!({ "change": { "range": { "start": end, "end": end }, "text": text } });
    let steps = json!([
        { "open": null },
        typed("  deploy:\n    needs: [bu"),
        { "complete": { "line": 20, "character": 14 } },
        { "change": { "range": { "start": { "line": 20, "character": 4 }, "end": { "line": 20, "character": 14 } }, "text": "ru" } },
        { "complete": { "line": 20, "character": 6 } },
        { "change": { "range": { "start": { "line": 20, "character": 4 }, "end": { "line": 20, "character": 6 } }, "text": "if: github." } },
        { "complete": { "line": 20, "character": 15 } },
        { "complete": place("needs.build.outputs", 0, 20) },
        { "change": { "range": { "start": place("      - id", 0, 0), "end": place("      - id", 0, 0) }, "text": "        with:\n          w\n" } },
        { "complete": { "line": 10, "character": 11 } },
    ]);
    let answers = ask(&repository, &steps);
    assert_eq!(labels(&answers[3]), ["build", "test"]);
    assert!(labels(&answers[5]).contains(&"runs-on".to_owned()), "{:?}", labels(&answers[5]));
    assert!(labels(&answers[7]).contains(&"event_name".to_owned()), "{:?}", labels(&answers[7]));
    assert_eq!(labels(&answers[8]), ["version"]);
    assert_eq!(labels(&answers[10]), ["who"]);
}

#[test]
fn repairs_are_code_actions_and_the_outline_has_jobs_and_steps() {
    let repository = repository("lsp-actions");
    let answers =
        ask(&repository, &json!([{ "open": null }, { "actions": place("build:", 0, 2) }, { "symbols": null }]));
    let titles: Vec<&str> =
        answers[2].as_array().expect("a list").iter().filter_map(|action| action["title"].as_str()).collect();
    assert!(titles.contains(&"Add `timeout-minutes: 30` (to be read)"), "{titles:?}");
    assert!(titles.contains(&"Make all safe repairs of this file"), "{titles:?}");
    assert!(titles.iter().any(|title| title.starts_with("Ignore `missing-timeout` here")), "{titles:?}");
    let jobs = answers[3].as_array().expect("a list");
    let names: Vec<&str> = jobs.iter().filter_map(|job| job["name"].as_str()).collect();
    assert_eq!(names, ["build", "test"]);
    assert_eq!(jobs[0]["children"].as_array().map(Vec::len), Some(2));
}
