//! Nothing is ignored in silence: files that together use every key of the language, and what becomes of them when a key is
//! misspelt, left out, or given a value of another type.

use std::collections::BTreeSet;

use lineclear_check::{Edit, apply};
use lineclear_source::{Source, Span};
use lineclear_workflow::{Workflow, keys_at};
use lineclear_yaml::{Entry, Limits, Node};

use crate::files::{check, source};

/// A place of the language: `["jobs", "*", "steps", "*"]`.
type Place = Vec<String>;

/// Keys that the list of possible keys has and this place cannot have, because of what the step would be.
const ELSEWHERE_ONLY: [&str; 5] = ["background", "wait", "wait-all", "cancel", "parallel"];

/// Mappings whose keys are names that their writer chooses: a misspelt one is just another name, so there is nothing to tell.
fn is_free(place: &Place) -> bool {
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    matches!(
        place[..],
        ["jobs"]
            | [.., "env" | "with" | "secrets" | "outputs" | "inputs" | "services"]
            // Axes, and what a leg is given: a slip in `include` and `exclude` themselves is told of.
            | [.., "include" | "exclude", _]
    )
}

/// Every event with each of its filters in turn: some of them exclude each other.
fn triggers() -> Vec<String> {
    let mut files = Vec::new();
    for event in keys_at(&["on"]) {
        if matches!(event, "schedule" | "workflow_call" | "workflow_dispatch") {
            continue;
        }
        let keys = keys_at(&["on", event]);
        let with = |filter: &str| {
            let type_of = lineclear_workflow::values_at(&["on", event, "types"]).first().copied().unwrap_or("deployed");
            let value = if filter == "types" { type_of } else { "main" };
            let needed =
                if event == "workflow_run" && filter != "workflows" { "    workflows:\n      - main\n" } else { "" };
            let needed_type =
                if event == "workflow_run" && filter != "types" { "    types:\n      - completed\n" } else { "" };
            let body = if filter.is_empty() { String::new() } else { format!("    {filter}:\n      - {value}\n") };
            format!(
                "on:\n  {event}:\n{body}{needed}{needed_type}permissions: {{}}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n      - run: make\n"
            )
        };
        files.push(with(""));
        files.extend(keys.into_iter().map(with));
    }
    files
}

/// All other keys. Each entry has lines of its own, so that it can be taken away.
fn rich() -> Vec<String> {
    let mut files: Vec<String> = [WORKFLOW, CALLED, CALLER, FORMS].iter().map(|text| (*text).to_owned()).collect();
    let scopes: String = keys_at(&["permissions"])
        .into_iter()
        .map(|scope| {
            let level = lineclear_workflow::values_at(&["permissions", scope])[0];
            format!("  {scope}: {level}\n")
        })
        .collect();
    let indented = scopes.replace("  ", "      ");
    files.push(format!("on: push\npermissions:\n{scopes}jobs:\n  a:\n    permissions:\n{indented}    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n      - run: make\n"));
    files.extend(triggers());
    files
}

const WORKFLOW: &str = "\
name: All keys
run-name: By ${{ github.actor }}
description: What it is for
on:
  schedule:
    -
      cron: '5 4 * * *'
      timezone: Europe/Berlin
  workflow_dispatch:
    inputs:
      level:
        description: How loud
        required: true
        default: low
        type: choice
        options:
          - low
          - high
        deprecationMessage: Say it elsewhere
permissions:
  contents: read
env:
  NAME: value
defaults:
  run:
    shell: bash
    working-directory: code
concurrency:
  group: all
  cancel-in-progress: true
jobs:
  build:
    name: Build
    if: github.ref == 'refs/heads/main'
    runs-on:
      group: builders
      labels: big
    permissions:
      contents: read
    environment:
      name: staging
      url: https://example.com
      deployment: false
    concurrency:
      group: build
      queue: max
    outputs:
      version: ${{ steps.one.outputs.version }}
    env:
      NAME: other
    defaults:
      run:
        shell: sh
        working-directory: src
    timeout-minutes: 5
    cancel-timeout-minutes: 2
    continue-on-error: true
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        os:
          - linux
          - mac
        include:
          -
            os: linux
            fast: true
        exclude:
          -
            os: mac
    container:
      image: ghcr.io/acme/build:1
      credentials:
        username: me
        password: ${{ secrets.PASSWORD }}
      env:
        IN: container
      ports:
        - 80
      volumes:
        - /data:/data
      options: --cpus 1
    services:
      store:
        image: ghcr.io/acme/store:1
        credentials:
          username: me
          password: ${{ secrets.PASSWORD }}
        env:
          IN: service
        ports:
          - 5432
        volumes:
          - /store:/store
        options: --health-cmd true
        entrypoint: /bin/store
        command: serve
    steps:
      -
        name: One
        id: one
        if: success()
        env:
          A: b
        run: make
        shell: bash
        working-directory: here
        continue-on-error: true
        timeout-minutes: 3
      -
        name: Two
        id: two
        uses: actions/checkout@v6
        with:
          persist-credentials: false
        timeout-minutes: 4
      -
        id: server
        run: make serve
        background: true
      -
        id: worker
        run: make work
        background: true
      -
        cancel: server
      -
        wait: worker
      -
        wait-all: true
      -
        name: Beside each other
        parallel:
          -
            name: Three
            id: three
            if: success()
            env:
              A: b
            run: make
            shell: bash
            working-directory: here
            continue-on-error: true
            timeout-minutes: 3
          -
            uses: actions/checkout@v6
            with:
              persist-credentials: false
  after:
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      -
        run: echo ${{ needs.build.outputs.version }}
  image:
    runs-on: image-maker
    timeout-minutes: 5
    snapshot:
      image-name: acme
      version: 1.*
      if: github.ref == 'refs/heads/main'
    steps:
      -
        run: make
";

const CALLED: &str = "\
on:
  workflow_call:
    inputs:
      version:
        description: Which
        required: false
        default: one
        type: string
    secrets:
      token:
        description: What for
        required: true
    outputs:
      name:
        description: How it is called
        value: ${{ jobs.a.outputs.name }}
jobs:
  a:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    outputs:
      name: ${{ steps.one.outputs.name }}
    steps:
      -
        id: one
        run: ./make
        env:
          TOKEN: ${{ secrets.token }}
          VERSION: ${{ inputs.version }}
";

const CALLER: &str = "\
on: push
concurrency:
  group: calls
  queue: max
jobs:
  first:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      -
        run: make
  call:
    name: Call
    needs: first
    if: always()
    permissions:
      contents: read
    concurrency:
      group: call
      cancel-in-progress: true
    strategy:
      matrix:
        version:
          - one
          - two
    uses: acme/pipelines/.github/workflows/build.yml@v1
    with:
      version: ${{ matrix.version }}
    secrets:
      token: ${{ secrets.TOKEN }}
";

/// Values in their other forms.
const FORMS: &str = "\
on:
  push:
    branches:
      - main
permissions: read-all
concurrency: one
jobs:
  a:
    runs-on:
      - self-hosted
      - linux
    environment: staging
    concurrency: two
    container: alpine:3.22
    timeout-minutes: 5
    steps:
      -
        id: one
        run: make
        background: true
      -
        id: two
        run: make
        background: true
      -
        wait:
          - one
          - two
  b:
    needs:
      - a
    uses: ./.github/workflows/b.yml
    secrets: inherit
";

/// Every place of the language with its keys, by asking for the keys of each key.
fn schema() -> BTreeSet<(Place, &'static str)> {
    fn gather(place: &mut Place, all: &mut BTreeSet<(Place, &'static str)>) {
        let path: Vec<&str> = place.iter().map(String::as_str).collect();
        let keys = keys_at(&path);
        for key in &keys {
            all.insert((place.clone(), key));
        }
        if place.len() < 7 {
            for key in keys.iter().copied().chain(["*"]) {
                place.push(key.to_owned());
                gather(place, all);
                place.pop();
            }
        }
    }
    let mut all = BTreeSet::new();
    // A workflow is no list, and its own keys have no star among them.
    for key in keys_at(&[]) {
        all.insert((Vec::new(), key));
        gather(&mut vec![key.to_owned()], &mut all);
    }
    let is_parallel = |place: &Place| place.iter().any(|key| key == "parallel");
    all.retain(|(place, key)| !(is_parallel(place) && ELSEWHERE_ONLY.contains(key)));
    all
}

/// One `key: value` of a file.
struct Found {
    place: Place,
    key: String,
    entry: Entry,
}

fn entries(text: &Source) -> Vec<Found> {
    fn gather(node: &Node, place: &mut Place, all: &mut Vec<Found>) {
        match node {
            Node::Scalar(_) => {}
            Node::Sequence { items, .. } => {
                for item in items.iter() {
                    place.push("*".to_owned());
                    gather(item, place, all);
                    place.pop();
                }
            }
            Node::Mapping { entries, .. } => {
                let chosen = is_free(place) || place.last().is_some_and(|last| last == "matrix");
                for entry in entries.iter() {
                    let key = entry.key.text.to_string();
                    all.push(Found { place: place.clone(), key: key.clone(), entry: entry.clone() });
                    let is_known = matches!(key.as_str(), "include" | "exclude");
                    place.push(if chosen && !is_known { "*".to_owned() } else { key });
                    gather(&entry.value, place, all);
                    place.pop();
                }
            }
        }
    }
    let tree = lineclear_yaml::parse(text, &Limits::workflow()).tree.expect("it is YAML");
    let mut all = Vec::new();
    gather(&tree.root.expect("it is not empty"), &mut Vec::new(), &mut all);
    all
}

/// The entries to try changes on: of a file that is about its trigger alone, those of the trigger.
fn tried(text: &Source) -> Vec<Found> {
    let about_trigger = !text.text().contains("      -\n") && text.text().starts_with("on:\n");
    entries(text)
        .into_iter()
        .filter(|found| !about_trigger || found.place.first().is_some_and(|first| first == "on"))
        .collect()
}

#[test]
fn the_files_use_every_key() {
    let used: BTreeSet<(Place, String)> = rich()
        .iter()
        .flat_map(|text| entries(&source("rich.yml", text)))
        .map(|found| (found.place, found.key))
        .collect();
    let missing: Vec<String> = schema()
        .into_iter()
        .filter(|(place, key)| !used.contains(&(place.clone(), (*key).to_owned())))
        .map(|(place, key)| format!("{}.{key}", place.join(".")))
        .collect();
    assert!(missing.is_empty(), "no file has\n{}", missing.join("\n"));
    for text in rich() {
        let checked = check("rich.yml", &text);
        let wrong: Vec<&str> = checked
            .findings
            .iter()
            .filter(|one| one.diagnostic.code.contains("key"))
            .map(|one| &*one.diagnostic.message)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    }
}

#[test]
fn a_misspelt_key_is_told_of_at_its_place() {
    let mut silent = Vec::new();
    for text in rich() {
        let source = source("rich.yml", &text);
        for found in tried(&source) {
            if is_free(&found.place) || is_axis(&found) {
                continue;
            }
            let span = found.entry.key.span;
            for wrong in misspelt(&found.key) {
                let after = apply(&text, &[Edit::replace(span, wrong.as_str())]).expect("one edit");
                let tells = |place: Span| place.start <= span.start && place.end >= span.end;
                let checked = check("rich.yml", &after);
                if !checked.findings.iter().any(|one| one.diagnostic.span.is_some_and(tells)) {
                    silent.push(format!("{}.{wrong}", found.place.join(".")));
                }
            }
        }
    }
    assert!(silent.is_empty(), "nobody tells of\n{}", silent.join("\n"));
}

#[test]
fn a_key_that_goes_changes_the_workflow_or_is_missed() {
    let mut silent = Vec::new();
    for text in rich() {
        let source = source("rich.yml", &text);
        let before = meaning(&text);
        for found in tried(&source) {
            let end = found.entry.value.span().end.max(found.entry.key.span.end);
            let lines = Edit::remove_lines(&source, Span { start: found.entry.key.span.start, end });
            let after = apply(&text, &[lines]).expect("one edit");
            if meaning(&after) == before {
                silent.push(format!("{}.{}", found.place.join("."), found.key));
            }
        }
    }
    assert!(silent.is_empty(), "nothing changes without\n{}", silent.join("\n"));
}

#[test]
fn a_value_of_another_type_changes_the_workflow_or_is_told_of() {
    let mut silent = Vec::new();
    for text in rich() {
        let source = source("rich.yml", &text);
        let before = meaning(&text);
        for found in tried(&source) {
            let others: &[&str] = match &found.entry.value {
                Node::Scalar(_) => &["{ zz: 1 }", "[[1]]"],
                Node::Sequence { .. } => &["{ zz: 1 }", "zz"],
                Node::Mapping { .. } => &["[[1]]", "zz"],
            };
            let key = found.entry.key.span;
            let end = found.entry.value.span().end.max(key.end);
            for other in others {
                let value = format!(": {other}");
                let after = apply(&text, &[Edit::replace(Span { start: key.end, end }, value)]).expect("one edit");
                if meaning(&after) == before {
                    silent.push(format!("{}.{}: {other}", found.place.join("."), found.key));
                }
            }
        }
    }
    assert!(silent.is_empty(), "nothing is said of\n{}", silent.join("\n"));
}

/// An axis of a matrix, whose name its writer chooses.
fn is_axis(found: &Found) -> bool {
    found.place.last().is_some_and(|last| last == "matrix") && !matches!(found.key.as_str(), "include" | "exclude")
}

/// The word with two neighbours changed, in every way that changes it.
fn misspelt(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let swapped = (1..letters.len()).filter(|&at| letters[at - 1] != letters[at]).map(|at| {
        let mut letters = letters.clone();
        letters.swap(at - 1, at);
        letters.into_iter().collect()
    });
    swapped.collect()
}

/// What a text means: the model without its places, and what is said of it.
fn meaning(text: &str) -> (String, Vec<String>) {
    let mut model = Workflow::read(&source("rich.yml", text)).model;
    if let Some(model) = &mut model {
        model.source = Source::new("", "");
    }
    let findings = check("rich.yml", text).findings;
    let said = findings.into_iter().map(|one| format!("{}: {}", one.diagnostic.code, one.diagnostic.message)).collect();
    (without_spans(&format!("{model:?}")), said)
}

fn without_spans(debug: &str) -> String {
    let mut pieces = debug.split("Span {");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.split_once('}').map_or("", |(_, rest)| rest));
    }
    kept
}
