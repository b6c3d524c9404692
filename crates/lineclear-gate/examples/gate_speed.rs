//! How long a decision over 100,000 entries takes, and how fast their chain is verified beside the bare hash of the same bytes.
//!
//! `cargo run --release -p lineclear-gate --example gate_speed [ROUNDS]` prints medians in seconds, one a line; `cargo xtask bench 24` reads them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, CommitStatement, CoverageStatement, Evidence, Finding,
    ImageStatement, JobKey, RunId, RunWitness, ScanStatement, Severity, Statement, Subject, Timestamp, Witness,
};
use lineclear_gate::{Asked, Chain, Commits, CoverageRule, Index, RequiredCheck, Rules, ScanRule, decide, verify};
use sha2::{Digest as _, Sha256};

const ENTRIES: usize = 100_000;
const COMMITS: usize = 2_000;

/// Commits are one line.
struct Line;

impl Commits for Line {
    fn tree(&self, _: &str) -> Option<String> {
        None
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        Some(old <= new)
    }
}

fn main() -> Result<(), String> {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(9_usize);
    let mut chain = Chain::default();
    let mut ledger = String::new();
    let mut index = Index::default();
    for evidence in evidence() {
        let mut before = chain;
        let line = chain.link(&evidence);
        index.add(before.follow(&line).map_err(|broken| broken.to_string())?);
        ledger.push_str(&line);
        ledger.push('\n');
    }
    let (rules, last) = (rules(), COMMITS - 1);
    let questions = [
        ("decision for a commit", Subject::Commit(commit(last))),
        ("decision for a digest", Subject::Digest(digest(last))),
        // `CI / docs` was left out 90 times in a row before it.
        ("decision after 90 commits that were left out", Subject::Commit(commit(1_940))),
    ];
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..=rounds {
        for (what, subject) in &questions {
            let asked = Asked { subject: subject.clone(), context: CheckContext::Push, now: Timestamp(1_000_000_000) };
            let begun = Instant::now();
            let decision = decide(&rules, black_box(&asked), &index, &Line);
            let took = begun.elapsed().as_secs_f64();
            if !decision.clear {
                return Err(format!("{what} is blocked: {:?}", decision.statement().blocked));
            }
            keep(&mut times, round, what, took);
        }
        let begun = Instant::now();
        let end = verify(black_box(ledger.as_bytes()), Some(&chain)).map_err(|broken| broken.to_string())?;
        keep(&mut times, round, "verification", begun.elapsed().as_secs_f64());
        black_box(end);
        let begun = Instant::now();
        black_box(Sha256::digest(black_box(ledger.as_bytes())));
        keep(&mut times, round, "bare hash", begun.elapsed().as_secs_f64());
    }
    for (what, mut all) in times {
        all.sort_by(f64::total_cmp);
        print(what, all.get(all.len() / 2).copied().unwrap_or_default());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is what the program is for")]
fn print(what: &str, seconds: f64) {
    println!("{what}: {seconds:.9}");
}

/// The first round warms up.
fn keep<'w>(times: &mut BTreeMap<&'w str, Vec<f64>>, round: usize, what: &'w str, took: f64) {
    if round > 0 {
        times.entry(what).or_default().push(took);
    }
}

fn commit(number: usize) -> String {
    format!("{number:040x}")
}

fn digest(number: usize) -> String {
    format!("sha256:{number:064x}")
}

fn rules() -> Rules {
    let require = ["CI / test", "CI / lint", "CI / docs", "CI / build (linux)"];
    Rules {
        gate: "main".into(),
        require: require.iter().map(|check| RequiredCheck { check: (*check).into(), on: None }).collect(),
        supplementary: vec!["E2E / full".into()],
        coverage: Some(CoverageRule { min: Some(80.0), ratchet: true }),
        scan: Some(ScanRule { block: [Severity::Critical].into(), budget: 0 }),
        ..Rules::default()
    }
}

/// A history of 2,000 commits, each run four times, with reports and images.
fn evidence() -> impl Iterator<Item = Evidence> {
    (0..COMMITS).flat_map(|number| (0..ENTRIES / COMMITS).map(move |entry| one(number, entry)))
}

fn one(number: usize, entry: usize) -> Evidence {
    let round = entry / 12;
    let job =
        ["", "test", "lint", "docs", "build", "full", "test", "test", "audit", "image", "audit", "lint"][entry % 12];
    let run = RunWitness {
        run: RunId((number * 10 + round) as u64),
        attempt: 1,
        file: ".github/workflows/ci.yml".into(),
        event: "push".into(),
        job: Some(JobKey::new(job)),
    };
    let of_commit = Subject::Commit(commit(number));
    let (subject, statement) = match entry % 12 {
        0 => {
            // Every tenth commit has the tree of the one before it.
            let tree = commit(0xf_0000 + number - usize::from(number % 10 == 9));
            let parents = number.checked_sub(1).map(commit).into_iter().collect();
            (of_commit, Statement::Commit(CommitStatement { tree, parents }))
        }
        1 => (of_commit, check("CI / test", &["3.10", "3.11", "3.12", "3.13"], None)),
        2 => (of_commit, check("CI / lint", &[""], None)),
        3 => (
            of_commit,
            check("CI / docs", &[""], (1_850..1_940).contains(&(number.wrapping_sub(1))).then(|| commit(number - 1))),
        ),
        4 => (of_commit, check("CI / build", &["linux", "windows"], None)),
        5 => (of_commit, check("E2E / full", &[""], None)),
        6 | 7 => {
            let name = if entry % 12 == 6 { "backend" } else { "frontend" };
            let statement =
                CoverageStatement { name: name.into(), lines_covered: 8_000 + number as u64, lines: 10_000 };
            (of_commit, Statement::Coverage(statement))
        }
        8 => (of_commit, Statement::Scan(scan("pip-audit"))),
        9 => {
            let image = ImageStatement {
                image: "backend".into(),
                names: vec!["registry.example.org/ci/backend:ci".into()],
                commit: commit(number),
                built: true,
                platforms: vec!["linux/amd64".into()],
                children: Vec::new(),
                user: "app".into(),
            };
            (Subject::Digest(digest(number)), Statement::Image(image))
        }
        10 => (Subject::Digest(digest(number)), Statement::Scan(scan("trivy"))),
        _ => (of_commit, check("CI / lint", &[""], None)),
    };
    Evidence { subject, at: Timestamp((number * 100 + entry) as i64), by: Witness::Run(run), statement }
}

fn check(name: &str, legs: &[&str], filtered_since: Option<String>) -> Statement {
    let leg = |name: &&str| CheckLeg {
        name: (*name).to_owned(),
        conclusion: if filtered_since.is_some() { CheckConclusion::PathFiltered } else { CheckConclusion::Success },
        reason: String::new(),
        since: filtered_since.clone(),
    };
    let legs = legs.iter().map(leg).collect();
    Statement::Check(CheckStatement { check: name.into(), context: CheckContext::Push, legs, adjusted: Vec::new() })
}

fn scan(tool: &str) -> ScanStatement {
    let found = |number: usize| Finding {
        severity: Severity::Low,
        id: format!("CVE-2024-{number}"),
        place: "openssl".into(),
        version: "3.0.1".into(),
        fixed: "3.0.2".into(),
        title: String::new(),
    };
    let counts = [(Severity::Low, 3)].into();
    ScanStatement { tool: tool.into(), counts, found: (0..3).map(found).collect(), ..ScanStatement::default() }
}
