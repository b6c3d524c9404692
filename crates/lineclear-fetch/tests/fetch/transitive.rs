//! What composite actions and called workflows pull in.

use crate::{Bench, resolve, run};
use lineclear_fetch::{FetchError, Wanted};
use lineclear_workflow::{ActionRef, WorkflowRef};

fn action(uses: &str) -> Wanted {
    Wanted::action(&ActionRef::parse(uses).expect("valid")).expect("of another repository")
}

fn workflow(uses: &str) -> Wanted {
    Wanted::workflow(&WorkflowRef::parse(uses).expect("valid")).expect("of another repository")
}

fn composite(uses: &[&str]) -> String {
    let steps: String = uses.iter().map(|uses| format!("    - uses: {uses}\n")).collect();
    format!(
        "name: x\ndescription: x\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n{steps}"
    )
}

const NODE: &str = "name: x\ndescription: x\nruns: { using: node20, main: index.js }\n";

#[test]
fn composites_are_followed_and_stand_in_the_lock() {
    let bench = Bench::new();
    let outer = composite(&["o/middle/deep@v1", "actions/checkout@v4", "./local", "docker://alpine", "$/same"]);
    bench.repository("o/outer", &[("action.yml", &outer), ("same/action.yaml", &composite(&["o/leaf@main"]))]);
    let (middle, _) =
        bench.repository("o/middle", &[("deep/action.yml", &composite(&["O/Leaf/sub@main", "o/outer@main"]))]);
    run(&middle, &["tag", "v1"]);
    bench.repository("o/leaf", &[("action.yml", NODE), ("sub/action.yml", NODE)]);
    let fetcher = bench.fetcher();
    let built_in = |wanted: &Wanted| wanted.owner == "actions";
    let (found, failed) = fetcher.resolve_all(&[action("o/outer@main"), action("actions/cache@v4")], &built_in);
    assert!(failed.is_empty(), "{failed:?}");
    let names: Vec<String> = found.iter().map(|found| found.wanted.to_string()).collect();
    assert_eq!(names, ["o/outer@main", "o/leaf@main", "o/middle/deep@v1", "O/Leaf/sub@main"]);
    fetcher.save_lock().expect("saved");
    let lock = lineclear_fetch::Lock::read(&bench.lock()).expect("valid");
    let needs = |uses: &str| lock.entries[uses].needs.iter().cloned().collect::<Vec<_>>();
    assert_eq!(needs("o/outer@main"), ["actions/checkout@v4", "o/leaf@main", "o/middle@v1"]);
    assert_eq!(needs("o/middle@v1"), ["o/leaf@main", "o/outer@main"]);
    assert!(needs("o/leaf@main").is_empty());
    // The next run finds the same and changes nothing.
    let text = bench.lock_text();
    let fetcher = bench.fetcher();
    let (again, _) = fetcher.resolve_all(&[action("o/outer@main")], &built_in);
    assert!(again.len() == 4 && again.iter().all(|found| found.resolved.locked));
    assert!(fetcher.save_lock().expect("saved").is_empty());
    assert_eq!(bench.lock_text(), text);
}

#[test]
fn called_workflows_are_followed() {
    let bench = Bench::new();
    let called = "on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: o/leaf@main\n  b:\n    uses: ./.github/workflows/inner.yml\n  c:\n    uses: o/other/.github/workflows/x.yml@main\n";
    let inner = "on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: o/second@main\n      - uses: $/act\n";
    bench.repository(
        "o/flows",
        &[
            (".github/workflows/f.yml", called),
            (".github/workflows/inner.yml", inner),
            ("act/action.yml", &composite(&["o/third@main"])),
        ],
    );
    let leaf = "on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'true'\n";
    bench.repository("o/other", &[(".github/workflows/x.yml", leaf)]);
    for name in ["o/leaf", "o/second", "o/third"] {
        bench.repository(name, &[("action.yml", NODE)]);
    }
    let fetcher = bench.fetcher();
    let (found, failed) = fetcher.resolve_all(&[workflow("o/flows/.github/workflows/f.yml@main")], &|_| false);
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(found.len(), 5);
    let workflows: Vec<String> =
        fetcher.used().into_iter().filter(|used| used.is_workflow).map(|used| used.uses).collect();
    assert_eq!(workflows, ["o/flows@main", "o/other@main"], "C20");
}

#[test]
fn what_cannot_be_found_is_told_beside_what_can() {
    let bench = Bench::new();
    bench.repository("o/outer", &[("action.yml", &composite(&["o/gone@v1", "o/leaf@main"]))]);
    bench.repository("o/leaf", &[("action.yml", "{ this is: no action")]);
    bench.repository("o/odd", &[("readme", "no action here")]);
    let roots = [action("o/outer@main"), action("o/odd@main"), action("o/odd/no/such/folder@main")];
    let (found, failed) = bench.fetcher().resolve_all(&roots, &|_| false);
    assert_eq!(found.len(), 4);
    assert!(
        matches!(&failed[..], [(wanted, FetchError::NoSuchRepository { .. })] if wanted.to_string() == "o/gone@v1"),
        "{failed:?}"
    );
}

#[test]
fn a_chain_without_end_ends() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("action.yml", &composite(&["o/r@t1"]))]);
    for number in 1..30 {
        run(&made, &["tag", &format!("t{number}")]);
        crate::commit(&made, &[("action.yml", &composite(&[&format!("o/r@t{}", number + 1)]))], "next");
    }
    let (found, _) = bench.fetcher().resolve_all(&[action("o/r@main")], &|_| false);
    assert!(found.len() <= 20);
    resolve(&bench.fetcher(), "o/r@t29").expect("found");
}
