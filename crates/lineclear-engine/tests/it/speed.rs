//! How long a turn takes must not depend on how much else there is. The bounds are generous: they catch what grows too fast,
//! not what is a little slower.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lineclear_engine::{Effect, Engine, Input};
use lineclear_event::{Conclusion, JobReport, Timestamp};

use crate::history::request;

/// Plays a whole run in which every job succeeds; gives the time that the engine took and the number of jobs.
fn play(text: &str, adjust: impl FnOnce(&mut lineclear_engine::RunRequest)) -> (Duration, usize) {
    let mut request = request(1, "ci.yml", BTreeMap::from([("ci.yml".to_owned(), text.into())]));
    adjust(&mut request);
    let mut engine = Engine::new();
    let mut jobs = 0;
    let mut todo = vec![Input::RunRequested { at: Timestamp(0), request: Box::new(request) }];
    let began = Instant::now();
    while let Some(input) = todo.pop() {
        for effect in engine.apply(&input).expect("it applies") {
            if let Effect::Dispatch(spec) = effect {
                jobs += 1;
                let (run, job) = (spec.run, spec.job);
                let report = JobReport { conclusion: Conclusion::Success, outputs: BTreeMap::new(), reason: None };
                todo.push(Input::JobEnded { at: Timestamp(2), run, job: job.clone(), report });
                todo.push(Input::JobStarted { at: Timestamp(1), run, job });
            }
        }
    }
    let took = began.elapsed();
    assert!(engine.is_idle(), "the run ended");
    (took, jobs)
}

fn chain(length: usize, needs: impl Fn(usize) -> String) -> String {
    let mut text = String::from("on: push\njobs:\n");
    for place in 0..length {
        let _ = writeln!(text, "  j{place}: {{ needs: [{}], runs-on: x, steps: [{{ run: a }}] }}", needs(place));
    }
    text
}

/// A line that `--nocapture` shows.
fn report(what: &str, (took, jobs): (Duration, usize)) -> String {
    format!("{what}: {jobs} jobs, {took:?}, {:?} for each", took / u32::try_from(jobs).expect("not that many"))
}

#[test]
fn a_chain_of_a_thousand_jobs() {
    let one_by_one =
        play(&chain(1000, |place| if place == 0 { String::new() } else { format!("j{}", place - 1) }), |_| {});
    println!("{}", report("chain", one_by_one));
    assert_eq!(one_by_one.1, 1000);
    assert!(one_by_one.0 < Duration::from_secs(30), "{one_by_one:?}");
}

#[test]
fn a_thousand_jobs_with_ten_needs_each() {
    let needs =
        |place: usize| (place.saturating_sub(10)..place).map(|need| format!("j{need}")).collect::<Vec<_>>().join(", ");
    let graph = play(&chain(1000, needs), |_| {});
    println!("{}", report("graph", graph));
    assert!(graph.0 < Duration::from_secs(30), "{graph:?}");
}

#[test]
fn a_matrix_of_256_legs_with_a_large_payload() {
    let axis = |name: &str| format!("{name}: [{}]", (0..16).map(|at| at.to_string()).collect::<Vec<_>>().join(", "));
    let text = format!(
        "on: push\njobs:\n  j: {{ strategy: {{ max-parallel: 8, matrix: {{ {}, {} }} }}, runs-on: '${{{{ matrix.a }}}}', steps: [{{ run: a }}] }}\n",
        axis("a"),
        axis("b")
    );
    let matrix = play(&text, |request| {
        let commits: Vec<_> = (0..2000).map(|at| serde_json::json!({ "id": at, "message": "m".repeat(200) })).collect();
        request.event.payload["commits"] = commits.into();
    });
    println!("{}", report("matrix", matrix));
    assert_eq!(matrix.1, 256);
    assert!(matrix.0 < Duration::from_secs(30), "{matrix:?}");
}

#[test]
fn a_skipped_chain_of_five_thousand_jobs_needs_no_deep_stack() {
    let text = chain(5000, |place| if place == 0 { String::new() } else { format!("j{}", place - 1) });
    let text = text.replacen("needs: []", "if: false", 1);
    let (took, jobs) = play(&text, |_| {});
    println!("skipped chain: {took:?}");
    assert_eq!(jobs, 0);
}
