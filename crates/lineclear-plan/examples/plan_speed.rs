//! How long planning takes: a matrix of 256 legs, a graph of 1,000 jobs, 10,000 changed paths against 200 filters.
//!
//! `cargo run --release -p lineclear-plan --example plan_speed` prints the median of each in microseconds.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use lineclear_event::{Changed, ForgeEvent, Repository};
use lineclear_plan::{Facts, plan};
use lineclear_source::Source;
use lineclear_workflow::Workflow;

const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    let axis = (0..16).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let matrix = format!(
        "on: push\njobs:\n  j:\n    name: ${{{{ matrix.a }}}}-${{{{ matrix.b }}}}\n    strategy: {{ matrix: {{ a: [{axis}], b: [{axis}] }} }}\n    \
         runs-on: ubuntu-latest\n    steps: [{{ run: a }}]\n"
    );
    let mut graph = String::from("on: push\njobs:\n  j0: { runs-on: x, steps: [{ run: a }] }\n");
    for n in 1..1000_usize {
        let needs: Vec<_> = (n.saturating_sub(3)..n).map(|need| format!("j{need}")).collect();
        let needs = needs.join(", ");
        writeln!(graph, "  j{n}: {{ needs: [{needs}], if: github.ref != 'x', runs-on: x, steps: [{{ run: a }}] }}")?;
    }
    let filters = (0..200).map(|n| format!("'src/part{n}/**/*.rs'")).collect::<Vec<_>>().join(", ");
    let filtered =
        format!("on: {{ push: {{ paths: [{filters}] }} }}\njobs: {{ j: {{ runs-on: x, steps: [{{ run: a }}] }} }}\n");
    let many = (0..10_000).map(|n| format!("other/part{n}/file.rs")).collect();
    time("matrix of 256 legs", &matrix, Vec::new())?;
    time("graph of 1,000 jobs", &graph, Vec::new())?;
    time("10,000 paths, 200 filters", &filtered, many)
}

fn time(what: &str, text: &str, paths: Vec<String>) -> Result<(), Box<dyn Error>> {
    let event = ForgeEvent {
        name: "push".into(),
        payload: serde_json::json!({}),
        repository: Repository {
            owner: "octo".into(),
            name: "app".into(),
            default_branch: "main".into(),
            id: "1".into(),
            owner_id: "1".into(),
            private: false,
        },
        reference: "refs/heads/main".into(),
        sha: "0".repeat(40),
        base_ref: String::new(),
        head_ref: String::new(),
        actor: "mona".into(),
        changed: Changed::Files { paths, compared_with: "against nothing".into() },
    };
    let source = Source::new(".github/workflows/w.yml", text);
    let read = Workflow::read(&source);
    let workflows = [(read.model.ok_or("the workflow can be read")?, read.diagnostics)];
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let made = plan(&workflows, &event, &Facts::default(), &BTreeMap::<String, Arc<str>>::new());
            (start.elapsed().as_micros(), made.workflows.len())
        })
        .collect();
    times.sort_unstable();
    let median = times.get(ROUNDS / 2).map_or(0, |(time, _)| *time);
    writeln!(std::io::stdout(), "{what:<28} {median:>8} µs")?;
    Ok(())
}
