//! A history in words: scripts go in, effects come out, both as lines of text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::Expect;
use lineclear_engine::{Effect, Engine, Input, Refused, RunRequest, Selection, Stop, TimerId};
use lineclear_event::{
    Changed, Conclusion, ForgeEvent, JobKey, JobReport, JobSpec, Repository, RunEvent, RunId, Timestamp,
};
use lineclear_plan::Platform;

/// Plays `script` and compares what the engine did.
///
/// `files` are paths and texts; run 1 of the first is requested at once. Each line of the script is one thing that happens,
/// a second after the one before:
///
/// ```text
/// build ok tag=v1         job build starts and succeeds, with an output
/// build fails no luck     it starts and fails, for that reason
/// build starts
/// build ends cancelled    its runner says that it ended so
/// fire timeout build      its timer fires; or: fire cancel-timeout build
/// cancel                  everything; or: cancel 2
/// run 2 .github/…         another run of a file
/// ```
///
/// A job of another run than 1 is written `2:build`; a space in a job's key is written `_`.
pub(crate) fn check(files: &[(&str, &str)], script: &str, expected: Expect) {
    let mut history = History::new(files);
    history.play("run 1 0");
    history.text.clear();
    for event in std::mem::take(&mut history.first) {
        history.text.push_str(&event);
    }
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        history.play(line);
    }
    expected.assert_eq(&history.text);
}

/// One workflow file.
pub(crate) fn check_one(workflow: &str, script: &str, expected: Expect) {
    check(&[("ci.yml", workflow)], script, expected);
}

/// The state of one played history.
pub(crate) struct History {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) text: String,
    pub(crate) specs: BTreeMap<(RunId, JobKey), JobSpec>,
    files: BTreeMap<String, Arc<str>>,
    order: Vec<String>,
    first: Vec<String>,
    /// Changes every request before it is made.
    pub(crate) adjust: fn(&mut RunRequest),
    /// Whether timers and starts are written down too.
    pub(crate) in_full: bool,
}

impl History {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self {
            engine: Engine::new(),
            now: Timestamp(0),
            text: String::new(),
            specs: BTreeMap::new(),
            files: files.iter().map(|&(path, text)| (path.to_owned(), text.into())).collect(),
            order: files.iter().map(|&(path, _)| path.to_owned()).collect(),
            first: Vec::new(),
            adjust: |_| {},
            in_full: false,
        }
    }

    /// Plays one line of a script.
    pub(crate) fn play(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_first = self.text.is_empty() && self.first.is_empty();
        if !is_first {
            let _ = writeln!(self.text, "> {line}");
        }
        self.now = self.now.plus_millis(1000);
        match words.as_slice() {
            ["run", run, file] => {
                let file = file.parse::<usize>().map_or((*file).to_owned(), |at| self.order[at].clone());
                let mut request = request(run.parse().expect("a run is a number"), &file, self.files.clone());
                (self.adjust)(&mut request);
                self.apply(&Input::RunRequested { at: self.now, request: Box::new(request) });
            }
            ["cancel", rest @ ..] => {
                let run = rest.first().map(|run| RunId(run.parse().expect("a run is a number")));
                self.apply(&Input::CancelRequested { at: self.now, run, reason: "interrupted".into() });
            }
            ["fire", timer, job] => {
                let (run, job) = job_of(job);
                let timer = match *timer {
                    "timeout" => TimerId::JobTimeout { run, job },
                    "cancel-timeout" => TimerId::CancelTimeout { run, job },
                    other => panic!("no such timer: {other}"),
                };
                self.apply(&Input::TimerFired { at: self.now, timer });
            }
            [job, "starts"] => self.start(job),
            [job, "ok", outputs @ ..] => {
                self.start(job);
                self.now = self.now.plus_millis(1000);
                self.end(job, Conclusion::Success, outputs, None);
            }
            [job, "fails", reason @ ..] => {
                self.start(job);
                self.now = self.now.plus_millis(1000);
                let reason = if reason.is_empty() { "a step failed".to_owned() } else { reason.join(" ") };
                self.end(job, Conclusion::Failure, &[], Some(reason));
            }
            [job, "ends", conclusion, outputs @ ..] => {
                let conclusion = serde_json::from_value((*conclusion).into()).expect("a conclusion");
                self.end(job, conclusion, outputs, None);
            }
            other => panic!("not understood: {other:?}"),
        }
        if is_first {
            self.first = vec![self.text.clone()];
        }
    }

    fn start(&mut self, job: &str) {
        let (run, job) = job_of(job);
        self.apply(&Input::JobStarted { at: self.now, run, job });
    }

    fn end(&mut self, job: &str, conclusion: Conclusion, outputs: &[&str], reason: Option<String>) {
        let (run, job) = job_of(job);
        let pair = |pair: &&str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let outputs = outputs.iter().filter_map(pair).collect();
        let report = JobReport { conclusion, outputs, reason };
        self.apply(&Input::JobEnded { at: self.now, run, job, report });
    }

    pub(crate) fn apply(&mut self, input: &Input) {
        match self.engine.apply(input) {
            Ok(effects) => effects.iter().for_each(|effect| self.write(effect)),
            Err(Refused(why)) => {
                let _ = writeln!(self.text, "refused: {why}");
            }
        }
    }

    fn write(&mut self, effect: &Effect) {
        if let Effect::Dispatch(spec) = effect {
            self.specs.insert((spec.run, spec.job.clone()), (**spec).clone());
        }
        if let Some(line) = in_words(effect, self.now, self.in_full) {
            let _ = writeln!(self.text, "{line}");
        }
    }

    pub(crate) fn spec(&self, job: &str) -> &JobSpec {
        let (run, job) = job_of(job);
        self.specs.get(&(run, job)).unwrap_or_else(|| panic!("{:?}", self.specs.keys()))
    }
}

fn job_of(text: &str) -> (RunId, JobKey) {
    let (run, job) = match text.split_once(':') {
        Some((run, job)) if run.bytes().all(|digit| digit.is_ascii_digit()) => (run.parse().expect("digits"), job),
        _ => (1, text),
    };
    (RunId(run), JobKey::new(job.replace('_', " ")))
}

fn in_words(effect: &Effect, now: Timestamp, in_full: bool) -> Option<String> {
    let of = |run: &RunId| if *run == RunId(1) { String::new() } else { format!("{run}:") };
    let because = |reason: &Option<String>| reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(match effect {
        Effect::Dispatch(spec) => format!("dispatch {}{}", of(&spec.run), spec.job),
        Effect::StopJob { run, job, stop: Stop::Cancel } => format!("stop {}{job}", of(run)),
        Effect::StopJob { run, job, stop: Stop::Kill } => format!("kill {}{job}", of(run)),
        Effect::SetTimer { timer, at } if in_full => {
            format!("set {} in {} s", timer_in_words(timer), at.millis_since(now) as f64 / 1000.0)
        }
        Effect::ClearTimer { timer } if in_full => format!("clear {}", timer_in_words(timer)),
        Effect::SetTimer { .. } | Effect::ClearTimer { .. } => return None,
        Effect::RunEnded { run, conclusion } => format!("run {run} ended: {conclusion}"),
        Effect::Tell { run, event, .. } => match event {
            RunEvent::JobWaiting { reason, .. } if reason == "a runner" && !in_full => return None,
            RunEvent::JobWaiting { job, reason, .. } => format!("{}{job} waits: {reason}", of(run)),
            RunEvent::JobStarted { job, .. } if in_full => format!("{}{job} started", of(run)),
            RunEvent::JobFinished { job, conclusion, outputs, reason, .. } => {
                let outputs: String = outputs.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("{}{job} {conclusion}{outputs}{}", of(run), because(reason))
            }
            RunEvent::Notice { level, message } => format!("{}{level:?}: {message}", of(run)),
            RunEvent::RunFinished { conclusion, duration_ms } if in_full => {
                format!("run {run} finished: {conclusion} after {duration_ms} ms")
            }
            RunEvent::RunStarted { workflow, file, .. } if in_full => {
                format!("run {run} started: {workflow} of {file}")
            }
            _ => return None,
        },
    })
}

fn timer_in_words(timer: &TimerId) -> String {
    match timer {
        TimerId::JobTimeout { job, .. } => format!("timeout of {job}"),
        TimerId::CancelTimeout { job, .. } => format!("cancel-timeout of {job}"),
    }
}

/// A push to `main` that asks for a run of `file`.
pub(crate) fn request(run: u64, file: &str, files: BTreeMap<String, Arc<str>>) -> RunRequest {
    RunRequest {
        run: RunId(run),
        number: run,
        attempt: 1,
        file: file.to_owned(),
        files,
        event: ForgeEvent {
            name: "push".into(),
            payload: serde_json::json!({ "ref": "refs/heads/main" }),
            repository: Repository {
                owner: "acme".into(),
                name: "shop".into(),
                default_branch: "main".into(),
                id: "11".into(),
                owner_id: "7".into(),
                private: false,
            },
            reference: "refs/heads/main".into(),
            sha: "1234567890123456789012345678901234567890".into(),
            base_ref: String::new(),
            head_ref: String::new(),
            actor: "ann".into(),
            changed: Changed::Files { paths: Vec::new(), compared_with: "nothing".into() },
        },
        inputs: serde_json::Value::Null,
        vars: BTreeMap::from([("REGION".to_owned(), "eu".to_owned())]),
        platform: Platform::default(),
        plan_hash: "0".into(),
        run_name: String::new(),
        selection: Selection::default(),
    }
}
