//! Promises about runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lineclear_event::{Conclusion, Envelope, JobKey, RunEvent, RunId};

use super::{NOW, Promise, WholeStore, new_run};
use crate::{RunRecord, StoreError};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("a_run_reads_back_as_it_was_written", a_run_reads_back_as_it_was_written),
        ("ids_and_numbers_are_given_once", ids_and_numbers_are_given_once),
        ("runs_are_listed_newest_first", runs_are_listed_newest_first),
        ("a_run_is_alive_until_it_is_finished_or_let_go", a_run_is_alive_until_it_is_finished_or_let_go),
        ("a_log_keeps_steps_times_and_text_apart", a_log_keeps_steps_times_and_text_apart),
        ("many_jobs_one_after_the_other_are_no_burden", many_jobs_one_after_the_other_are_no_burden),
        ("what_is_not_there_is_said_to_be_missing", what_is_not_there_is_said_to_be_missing),
    ]
}

fn notice(record: &dyn RunRecord, message: &str) -> Envelope {
    let event = RunEvent::Log { job: JobKey::new("a"), step: "s".into(), line: message.into() };
    Envelope { event, run: record.header().id, at: NOW }
}

fn a_run_reads_back_as_it_was_written<S: WholeStore>(store: &S, _: &Path) {
    let record = store.begin(new_run(".github/workflows/ci.yml", NOW)).expect("a run begins");
    let run = record.header().id;
    assert_eq!(record.header().number, 1);
    record.input(r#"{"JobEnded":1}"#).expect("an input is recorded");
    let events = [notice(&*record, "one"), notice(&*record, "two \n \u{2028} ünï")];
    record.event(&events[0]).expect("an event is recorded");
    record.input("{\n  \"a\": [1,\r\n 2]\n}").expect("an input is recorded");
    record.event(&events[1]).expect("an event is recorded");
    // Everything can be read while the run goes on.
    assert_eq!(store.events(run).expect("events are read"), events);
    assert_eq!(store.inputs(run).expect("inputs are read"), [r#"{"JobEnded":1}"#, "{   \"a\": [1,   2] }"]);
    record.finish(Conclusion::Failure, NOW.plus_millis(5)).expect("the run finishes");
    assert_eq!(store.events(run).expect("events are read"), events);
    let summary = store.run(run).expect("the run is known");
    assert_eq!(&summary.header, record.header());
    assert_eq!((summary.conclusion, summary.finished), (Some(Conclusion::Failure), Some(NOW.plus_millis(5))));
    assert!(matches!(record.finish(Conclusion::Success, NOW), Err(StoreError::Refused(_))), "it ended already");
    assert_eq!(store.run(run).expect("the run is known").conclusion, Some(Conclusion::Failure));
}

fn ids_and_numbers_are_given_once<S: WholeStore>(store: &S, _: &Path) {
    let begin = |file: &str| store.begin(new_run(file, NOW)).expect("a run begins").header().clone();
    let headers = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..10).map(|_| begin("a.yml")).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker fails")).collect::<Vec<_>>()
    });
    let ids: BTreeSet<RunId> = headers.iter().map(|header| header.id).collect();
    assert_eq!(ids.len(), 40, "each run has an id of its own");
    assert!(ids.iter().all(|id| id.0 < 1 << 53), "ids are exact in JavaScript");
    assert!(ids.iter().next().is_some_and(|id| id.0 >= NOW.0.unsigned_abs()), "ids are made of the time");
    let numbers: BTreeSet<u64> = headers.iter().map(|header| header.number).collect();
    assert_eq!(numbers, (1..=40).collect(), "numbers count the runs of a workflow");
    assert_eq!(begin("b.yml").number, 1, "each workflow has its own count");
    let other = crate::NewRun { repository: "o/other".into(), ..new_run("a.yml", NOW) };
    assert_eq!(store.begin(other).expect("a run begins").header().number, 1, "and each repository");
}

fn runs_are_listed_newest_first<S: WholeStore>(store: &S, _: &Path) {
    for (repository, later) in [("o/r", 0), ("o/other", 10), ("o/r", 20)] {
        let run = crate::NewRun { repository: repository.into(), ..new_run("a.yml", NOW.plus_millis(later)) };
        store.begin(run).expect("a run begins");
    }
    let started = |repository: Option<&str>, limit: usize| -> Vec<i64> {
        let found = store.runs(repository, limit).expect("runs are listed");
        found.iter().map(|summary| summary.header.run.started.0 - NOW.0).collect()
    };
    assert_eq!(started(None, 10), [20, 10, 0]);
    assert_eq!(started(None, 2), [20, 10]);
    assert_eq!(started(Some("o/r"), 10), [20, 0]);
    assert_eq!(started(Some("o/r"), 1), [20]);
    assert_eq!(started(Some("nobody/nothing"), 10), [] as [i64; 0]);
}

fn a_run_is_alive_until_it_is_finished_or_let_go<S: WholeStore>(store: &S, _: &Path) {
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let summary = |id| store.run(id).expect("the run is known");
    let id = record.header().id;
    assert!(summary(id).alive);
    assert!(summary(id).alive, "asking does not change it");
    record.finish(Conclusion::Success, NOW).expect("the run finishes");
    assert!(!summary(id).alive, "a finished run is not alive though its record is still held");

    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let id = record.header().id;
    record.input("1").expect("an input is recorded");
    drop(record);
    assert!(!summary(id).alive);
    assert_eq!(summary(id).conclusion, None, "it ended without a conclusion");
    assert_eq!(store.inputs(id).expect("inputs are read"), ["1"]);
}

fn a_log_keeps_steps_times_and_text_apart<S: WholeStore>(store: &S, _: &Path) {
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let (matrix, plain) = (JobKey::new("test (3.12, linux)"), JobKey::new("test-3.12-linux"));
    let long = "x".repeat(700_000);
    record.log(&matrix, "build", NOW, b"one\n\ntwo\n").expect("lines are kept");
    // Text that looks like the store's own form stays text.
    record
        .log(&matrix, "build", NOW, b"step \"forged\"\n{\"finish\":1}\n2026-11-21T08:15:30.1230000Z x\n")
        .expect("lines");
    record.log(&matrix, "a \"b\"\nstep \"c\"", NOW.plus_millis(1000), b"\xff\xfe bytes\r\n").expect("lines are kept");
    record.log(&plain, "s", NOW, b"another job\n").expect("lines are kept");
    record.log(&matrix, "build", NOW, format!("{long}\nafter\n").as_bytes()).expect("a long line is kept");
    record.log(&matrix, "build", NOW, b"no newline").expect("lines are kept");
    record.log(&matrix, "nothing", NOW, b"").expect("nothing is no line");
    record.log(&matrix, "build", NOW, b"last\n").expect("lines are kept");

    let mut lines = Vec::new();
    let run = record.header().id;
    let read = store.log(run, &matrix, &mut |line| {
        lines.push((line.step.to_owned(), line.time.to_owned(), line.line.to_owned()));
        true
    });
    read.expect("the log is read");
    let time = "2026-11-21T08:15:30.1230000Z";
    let expected = [
        ("build", time, "one"),
        ("build", time, ""),
        ("build", time, "two"),
        ("build", time, "step \"forged\""),
        ("build", time, "{\"finish\":1}"),
        ("build", time, "2026-11-21T08:15:30.1230000Z x"),
        ("a \"b\"\nstep \"c\"", "2026-11-21T08:15:31.1230000Z", "\u{fffd}\u{fffd} bytes\r"),
        ("build", time, &long),
        ("build", time, "after"),
        ("build", time, "no newline"),
        ("build", time, "last"),
    ];
    let expected = expected.map(|(step, time, line)| (step.to_owned(), time.to_owned(), line.to_owned()));
    assert!(lines == expected, "the log of a job is its lines in order");

    let mut seen = 0;
    let read = store.log(run, &matrix, &mut |_| {
        seen += 1;
        seen < 2
    });
    read.expect("the log is read");
    assert_eq!(seen, 2, "reading stops when asked to");
    let mut other = Vec::new();
    let read = store.log(run, &plain, &mut |line| {
        other.push(line.line.to_owned());
        true
    });
    read.expect("the log is read");
    assert_eq!(other, ["another job"], "each job has its own log");
}

fn many_jobs_one_after_the_other_are_no_burden<S: WholeStore>(store: &S, _: &Path) {
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let run = record.header().id;
    let mut texts = Vec::new();
    for number in 0..3_000 {
        let job = JobKey::new(format!("job {number}"));
        record.log(&job, "s", NOW, b"early\n").expect("lines are kept");
        let (name, outputs) = (job.to_string(), BTreeMap::new());
        let (conclusion, reason) = (Conclusion::Success, None);
        let event = RunEvent::JobFinished { job: job.clone(), name, conclusion, outputs, duration_ms: 1, reason };
        record.event(&Envelope { event, run, at: NOW }).expect("an event is recorded");
        if number % 1_000 == 0 {
            record.log(&job, "s", NOW, b"late\n").expect("lines are kept after the job's end too");
            let read = store.log(run, &job, &mut |line| {
                texts.push(format!("{} {}", line.step, line.line));
                true
            });
            read.expect("the log is read");
        }
    }
    assert_eq!(texts, ["s early", "s late", "s early", "s late", "s early", "s late"]);
}

fn what_is_not_there_is_said_to_be_missing<S: WholeStore>(store: &S, _: &Path) {
    let missing = |outcome: Result<(), StoreError>| matches!(outcome, Err(StoreError::NotFound { .. }));
    let run = RunId(12_345);
    assert!(missing(store.events(run).map(drop)));
    assert!(missing(store.inputs(run).map(drop)));
    assert!(missing(store.run(run).map(drop)));
    assert!(missing(store.log(run, &JobKey::new("a"), &mut |_| true)));
    assert!(store.runs(None, 10).expect("an empty store is no error").is_empty());
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let mut lines = 0;
    let read = store.log(record.header().id, &JobKey::new("silent"), &mut |_| {
        lines += 1;
        true
    });
    read.expect("a job that said nothing has an empty log");
    assert_eq!(lines, 0);
    assert_eq!(store.events(record.header().id).expect("a new run has no events"), []);
}
