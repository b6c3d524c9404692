//! Whole histories through the loop: on simulated time, and once on this machine's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use lineclear_drive::simulation::{Play, World};
use lineclear_drive::{Drive, DriveError, Hands, Inbox, RealTime, inbox, replay_texts};
use lineclear_engine::{Effect, RunRequest, Selection, Stop};
use lineclear_event::{
    Changed, Conclusion, Envelope, ForgeEvent, JobKey, JobReport, JobSpec, Repository, RunEvent, RunId, Timestamp,
};
use lineclear_store::{NewRun, RunHeader, RunRecord, StoreError};

const PAIR: &str = "
on: push
jobs:
  build: { timeout-minutes: 10, runs-on: x, steps: [{ run: a }] }
  test: { needs: build, runs-on: x, steps: [{ run: a }] }
";

/// Why a lock can be had: no test goes on after a panic.
const FREE: &str = "nobody panicked with it";

/// A record in memory, which can be made to fail.
#[derive(Debug)]
struct Memory {
    header: RunHeader,
    inputs: Mutex<Vec<String>>,
    events: Mutex<Vec<Envelope>>,
    finished: Mutex<Option<(Conclusion, Timestamp)>>,
    /// How many inputs it takes.
    room: usize,
}

impl Memory {
    fn new(run: u64, room: usize) -> Arc<Self> {
        let header = RunHeader {
            id: RunId(run),
            number: run,
            run: NewRun {
                repository: "acme/shop".into(),
                file: "ci.yml".into(),
                workflow: "ci.yml".into(),
                event: "push".into(),
                reference: "refs/heads/main".into(),
                sha: String::new(),
                started: Timestamp(0),
            },
        };
        let (inputs, events, finished) = Default::default();
        Arc::new(Self { header, inputs, events, finished, room })
    }

    fn inputs(&self) -> Vec<String> {
        self.inputs.lock().expect(FREE).clone()
    }
}

impl RunRecord for Memory {
    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn input(&self, json: &str) -> Result<(), StoreError> {
        let mut inputs = self.inputs.lock().expect(FREE);
        if inputs.len() == self.room {
            return Err(StoreError::DiskFull { path: "/store".into() });
        }
        inputs.push(json.to_owned());
        Ok(())
    }

    fn event(&self, event: &Envelope) -> Result<(), StoreError> {
        self.events.lock().expect(FREE).push(event.clone());
        Ok(())
    }

    fn log(&self, _job: &JobKey, _step: &str, _at: Timestamp, _lines: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn finish(&self, conclusion: Conclusion, at: Timestamp) -> Result<(), StoreError> {
        *self.finished.lock().expect(FREE) = Some((conclusion, at));
        Ok(())
    }
}

fn request(run: u64, text: &str) -> RunRequest {
    RunRequest {
        run: RunId(run),
        number: run,
        attempt: 1,
        file: "ci.yml".into(),
        files: BTreeMap::from([("ci.yml".to_owned(), text.into())]),
        event: ForgeEvent {
            name: "push".into(),
            payload: serde_json::json!({ "ref": "refs/heads/main" }),
            repository: Repository {
                owner: "acme".into(),
                name: "shop".into(),
                default_branch: "main".into(),
                id: "1".into(),
                owner_id: "1".into(),
                private: false,
            },
            reference: "refs/heads/main".into(),
            sha: String::new(),
            base_ref: String::new(),
            head_ref: String::new(),
            actor: "ann".into(),
            changed: Changed::Files { paths: Vec::new(), compared_with: String::new() },
        },
        inputs: serde_json::Value::Null,
        vars: BTreeMap::new(),
        platform: lineclear_plan::Platform::default(),
        plan_hash: String::new(),
        run_name: String::new(),
        selection: Selection::default(),
    }
}

/// How a played run went.
struct Played {
    ended: Vec<(RunId, Conclusion)>,
    now: Timestamp,
    record: Arc<Memory>,
    told: Vec<Envelope>,
}

/// Plays one run of `text` to its end.
fn play(text: &str, prepare: impl FnOnce(&World), script: impl FnMut(&JobSpec) -> Play + 'static) -> Played {
    let world = World::default();
    let record = Memory::new(1, usize::MAX);
    world.request(0, request(1, text), record.clone());
    prepare(&world);
    let mut drive = world.drive(script);
    drive.run().expect("nothing fails here");
    assert!(drive.engine().is_idle(), "nothing comes any more, and a run goes on");
    Played { ended: drive.hands().ended.clone(), now: world.now(), record, told: drive.hands().told.clone() }
}

fn finish_of<'a>(told: &'a [Envelope], wanted: &str) -> (Conclusion, &'a str, i64) {
    let found = told.iter().find_map(|envelope| match &envelope.event {
        RunEvent::JobFinished { job, conclusion, reason, .. } if job.as_str() == wanted => {
            Some((*conclusion, reason.as_deref().unwrap_or_default(), envelope.at.0))
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{wanted} did not finish: {told:#?}"))
}

#[test]
fn s1_12_a_time_out_of_ten_minutes_takes_no_time() {
    let began = Instant::now();
    let Played { ended, now, record, told } = play(PAIR, |_| {}, |_| Play::endless());
    assert_eq!(ended, [(RunId(1), Conclusion::TimedOut)]);
    assert_eq!(finish_of(&told, "build"), (Conclusion::TimedOut, "exceeded timeout-minutes: 10", 600_000));
    assert_eq!(finish_of(&told, "test").0, Conclusion::Skipped);
    assert_eq!(now, Timestamp(600_000));
    assert_eq!(*record.finished.lock().expect(FREE), Some((Conclusion::TimedOut, Timestamp(600_000))));
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn a_job_that_does_not_listen_is_killed_when_its_grace_is_over() {
    let Played { ended, now, told, .. } =
        play(PAIR, |world| world.cancel(1000, None, "interrupted"), |_| Play::endless().deaf());
    assert_eq!(ended, [(RunId(1), Conclusion::Cancelled)]);
    assert_eq!(now, Timestamp(1000 + 5 * 60_000), "five minutes, where the file names no other time");
    assert_eq!(finish_of(&told, "build").1, "the run was cancelled: interrupted");
}

#[test]
fn everything_that_is_told_is_recorded_in_order() {
    let Played { now, record, told, .. } =
        play(PAIR, |_| {}, |spec| Play::success(if spec.id == "build" { 700 } else { 300 }));
    assert_eq!(now, Timestamp(1000));
    assert_eq!(*record.events.lock().expect(FREE), told);
    let kinds: Vec<_> = told.iter().map(|told| (told.at.0, kind(&told.event))).collect();
    expect_test::expect![[r#"
        [
            (
                0,
                "run_started",
            ),
            (
                0,
                "job_waiting test",
            ),
            (
                0,
                "job_waiting build",
            ),
            (
                0,
                "job_started build",
            ),
            (
                700,
                "job_finished build",
            ),
            (
                700,
                "job_waiting test",
            ),
            (
                700,
                "job_started test",
            ),
            (
                1000,
                "job_finished test",
            ),
            (
                1000,
                "run_finished",
            ),
        ]
    "#]]
    .assert_debug_eq(&kinds);
}

fn kind(event: &RunEvent) -> String {
    let json = serde_json::to_value(event).expect("an event is plain data");
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("event"), text("job")).trim().to_owned()
}

#[test]
fn what_was_recorded_can_be_decided_again() {
    let world = World::default();
    let text = format!("concurrency: main\n{PAIR}");
    let records: Vec<_> = (1..=3).map(|run| Memory::new(run, usize::MAX)).collect();
    for (at, record) in records.iter().enumerate() {
        let at = i64::try_from(at).expect("three");
        world.request(at * 100, request(record.header.id.0, &text), record.clone());
    }
    world.cancel(5000, None, "interrupted");
    let mut drive = world.drive(|_| Play::success(3000));
    drive.run().expect("nothing fails here");
    // The first was cut short at its second job, the second never began, the third had the group when the end came.
    let ended: BTreeMap<_, _> = drive.hands().ended.iter().copied().collect();
    assert_eq!(ended, (1..=3).map(|run| (RunId(run), Conclusion::Cancelled)).collect());
    // Each record alone knows only its own run; together, in any order, they tell everything.
    let texts: Vec<String> = records.iter().rev().flat_map(|record| record.inputs()).collect();
    let replay = replay_texts(texts.iter().map(String::as_str)).expect("the records are sound");
    assert_eq!(replay.refused, 0);
    assert!(replay.engine.is_idle());
    let told: Vec<_> = replay.effects.iter().filter_map(as_told).collect();
    assert_eq!(told, drive.hands().told);
}

fn as_told(effect: &Effect) -> Option<Envelope> {
    match effect {
        Effect::Tell { run, at, event } => Some(Envelope { event: event.clone(), run: *run, at: *at }),
        _ => None,
    }
}

#[test]
fn a_damaged_record_is_named_by_its_place() {
    let error = replay_texts(["{"]).expect_err("it is no JSON");
    assert_eq!(error.to_string(), "recorded input 1 cannot be read; the record is damaged or of another version");
}

#[test]
fn nothing_is_decided_on_that_cannot_be_kept() {
    let world = World::default();
    let record = Memory::new(1, 2);
    world.request(0, request(1, PAIR), record.clone());
    let mut drive = world.drive(|_| Play::success(1000));
    let error = drive.run().expect_err("the record has room for two inputs");
    assert!(matches!(error, DriveError::Record { run: RunId(1), .. }), "{error}");
    assert_eq!(drive.hands().dispatched.len(), 1, "the end of build was not recorded, so test was not handed out");
}

#[test]
fn late_and_doubled_messages_are_refused_and_shown() {
    let world = World::default();
    world.request(0, request(1, PAIR), Memory::new(1, usize::MAX));
    world.request(10, request(1, PAIR), Memory::new(1, usize::MAX));
    world.cancel(99_000, Some(RunId(1)), "too late");
    let mut drive = world.drive(|_| Play::success(1000));
    drive.run().expect("nothing fails here");
    let refused: Vec<_> = drive.hands().refused.iter().map(|(_, why)| why.to_string()).collect();
    assert_eq!(refused, ["run 1 was asked for before", "run 1 is over"]);
    assert_eq!(drive.hands().ended, [(RunId(1), Conclusion::Success)]);
}

/// Hands that run every job on a thread, which succeeds at once.
struct Threads {
    inbox: Inbox,
    ended: Vec<Conclusion>,
}

impl Hands for Threads {
    fn dispatch(&mut self, spec: Box<JobSpec>) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            inbox.job_started(spec.run, spec.job.clone());
            let report = JobReport { conclusion: Conclusion::Success, outputs: BTreeMap::new(), reason: None };
            inbox.job_ended(spec.run, spec.job.clone(), report);
        });
    }

    fn stop(&mut self, _run: RunId, _job: &JobKey, _stop: Stop) {}

    fn tell(&mut self, _event: &Envelope) {}

    fn run_ended(&mut self, _run: RunId, conclusion: Conclusion) {
        self.ended.push(conclusion);
    }
}

#[test]
fn jobs_on_threads_report_through_the_inbox() {
    let ticks = Arc::new(AtomicI64::new(0));
    let now = move || Timestamp(ticks.fetch_add(1, Ordering::SeqCst));
    let (inbox, receiver) = inbox(now.clone());
    let hands = Threads { inbox: inbox.clone(), ended: Vec::new() };
    let mut drive = Drive::new(receiver, RealTime(now), hands);
    for run in 1..=20 {
        inbox.request(request(run, PAIR), Memory::new(run, usize::MAX) as Arc<dyn RunRecord>);
    }
    drive.run_until_idle().expect("nothing fails here");
    assert_eq!(drive.hands().ended, [Conclusion::Success; 20]);
}
