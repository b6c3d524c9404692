//! What holds for every workflow and every history: properties over random ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lineclear_engine::{Effect, Engine, Input, TimerId};
use lineclear_event::{Conclusion, JobKey, JobReport, JobSpec, RunEvent, RunId, Timestamp};
use proptest::prelude::*;

use crate::history::request;

/// One job of a random workflow.
#[derive(Clone, Debug)]
struct Job {
    /// Places of earlier jobs.
    needs: BTreeSet<usize>,
    condition: Option<&'static str>,
    /// Number of legs; none for a job without a matrix.
    legs: Option<usize>,
    fail_fast: bool,
    max_parallel: Option<usize>,
    may_fail: bool,
    group: Option<(&'static str, &'static str)>,
    calls: bool,
}

const CONDITIONS: &[&str] =
    &["always()", "failure()", "success()", "!cancelled()", "cancelled()", "!failure()", "false", "github.sha != ''"];

const GROUPS: &[(&str, &str)] = &[
    ("g", ""),
    ("G", ", cancel-in-progress: true"),
    ("h", ", queue: max"),
    ("H", ", cancel-in-progress: true"),
    ("run", ""),
];

const CALLED: &str = "
on: workflow_call
concurrency: called
jobs:
  one: { runs-on: x, steps: [{ run: a }] }
  two: { needs: one, if: always(), concurrency: h, runs-on: x, steps: [{ run: a }] }
  three: { needs: one, strategy: { matrix: { v: [1, 2] } }, runs-on: x, steps: [{ run: a }] }
";

fn job(place: usize, plain: bool) -> impl Strategy<Value = Job> {
    let needs = proptest::collection::btree_set(0..place.max(1), 0..4);
    (
        needs,
        proptest::option::weighted(0.5, proptest::sample::select(CONDITIONS)),
        proptest::option::weighted(0.4, 1_usize..4),
        any::<bool>(),
        proptest::option::weighted(0.5, 1_usize..3),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.3, proptest::sample::select(GROUPS)),
        proptest::bool::weighted(0.2),
    )
        .prop_map(move |(needs, condition, legs, fail_fast, max_parallel, may_fail, group, calls)| Job {
            needs: if place == 0 { BTreeSet::new() } else { needs },
            condition,
            legs: legs.filter(|_| !plain),
            fail_fast,
            max_parallel,
            may_fail: may_fail && (plain || !calls),
            group: group.filter(|_| !plain),
            calls: calls && !plain,
        })
}

fn jobs(plain: bool) -> impl Strategy<Value = Vec<Job>> {
    (1_usize..8).prop_flat_map(move |count| (0..count).map(|place| job(place, plain)).collect::<Vec<_>>())
}

/// The workflow's text: jobs are called `j0`, `j1` …
fn text(jobs: &[Job], group: bool) -> String {
    let mut text = String::from("on: push\n");
    if group {
        text.push_str("concurrency: { group: run, cancel-in-progress: true }\n");
    }
    text.push_str("jobs:\n");
    for (place, job) in jobs.iter().enumerate() {
        let needs: Vec<_> = job.needs.iter().map(|need| format!("j{need}")).collect();
        let _ = write!(text, "  j{place}: {{ needs: [{}]", needs.join(", "));
        if let Some(condition) = job.condition {
            let _ = write!(text, ", if: '${{{{ {} }}}}'", condition.replace('\'', "''"));
        }
        if let Some((group, rest)) = job.group {
            let _ = write!(text, ", concurrency: {{ group: {group}{rest} }}");
        }
        if let Some(legs) = job.legs {
            let legs: Vec<_> = (0..legs).map(|leg| leg.to_string()).collect();
            let _ = write!(text, ", strategy: {{ fail-fast: {}, matrix: {{ v: [{}] }}", job.fail_fast, legs.join(", "));
            if let Some(max) = job.max_parallel {
                let _ = write!(text, ", max-parallel: {max}");
            }
            text.push_str(" }");
        }
        if job.may_fail {
            text.push_str(", continue-on-error: true");
        }
        text.push_str(if job.calls {
            ", uses: ./.github/workflows/called.yml }\n"
        } else {
            ", runs-on: x, steps: [{ run: a }] }\n"
        });
    }
    text
}

/// One thing that may happen. Numbers choose among what there is to choose from.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Start(usize),
    End(usize, Conclusion),
    /// The same input once more.
    Again(usize),
    Fire(usize),
    Cancel(Option<u64>),
    Request,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Conclusion::{Cancelled, Failure, Success};
    let conclusion = prop_oneof![4 => Just(Success), 2 => Just(Failure), 1 => Just(Cancelled)];
    prop_oneof![
        8 => any::<usize>().prop_map(Happening::Start),
        8 => (any::<usize>(), conclusion).prop_map(|(which, conclusion)| Happening::End(which, conclusion)),
        2 => any::<usize>().prop_map(Happening::Again),
        1 => any::<usize>().prop_map(Happening::Fire),
        1 => proptest::option::of(1_u64..4).prop_map(Happening::Cancel),
        1 => Just(Happening::Request),
    ]
}

/// Watches what the engine orders and objects to what must never happen.
#[derive(Default)]
struct Watch {
    jobs: Vec<Job>,
    /// Whether the workflow as a whole has a group.
    has_group: bool,
    dispatched: BTreeSet<(RunId, JobKey)>,
    /// Handed out and not finished.
    under_way: BTreeMap<(RunId, JobKey), JobSpec>,
    started: BTreeSet<(RunId, JobKey)>,
    finished: BTreeMap<(RunId, JobKey), Conclusion>,
    timers: BTreeSet<TimerId>,
    requested: BTreeSet<RunId>,
    ended: BTreeMap<RunId, Conclusion>,
}

impl Watch {
    fn see(&mut self, effects: &[Effect]) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Dispatch(spec) => self.dispatch(spec)?,
                Effect::StopJob { run, job, .. } => {
                    prop_assert!(
                        self.under_way.contains_key(&(*run, job.clone())),
                        "{job} was stopped but not under way"
                    );
                }
                Effect::SetTimer { timer, .. } => {
                    self.timers.insert(timer.clone());
                }
                // One that has fired may be cleared too.
                Effect::ClearTimer { timer } => {
                    self.timers.remove(timer);
                }
                Effect::Tell { run, event, .. } => self.hear(*run, event)?,
                Effect::RunEnded { run, conclusion } => {
                    prop_assert!(self.ended.insert(*run, *conclusion).is_none(), "run {run} ended twice");
                    prop_assert!(self.under_way.keys().all(|(of, _)| of != run), "run {run} ended with jobs under way");
                }
            }
        }
        self.groups_have_one_holder()
    }

    fn dispatch(&mut self, spec: &JobSpec) -> Result<(), TestCaseError> {
        let id = (spec.run, spec.job.clone());
        prop_assert!(self.dispatched.insert(id.clone()), "{} was handed out twice", spec.job);
        prop_assert!(!self.finished.contains_key(&id), "{} was handed out after its end", spec.job);
        prop_assert!(!self.ended.contains_key(&spec.run), "{} was handed out after its run ended", spec.job);
        let json = serde_json::to_string(spec).expect("a specification is plain data");
        prop_assert_eq!(&serde_json::from_str::<JobSpec>(&json).expect("it reads back"), spec);
        if let Some(place) = self.place(&spec.job) {
            for need in &self.jobs[place].needs {
                let waits_for = |(run, key): &&(RunId, JobKey)| *run == spec.run && self.place(key) == Some(*need);
                let running = self.under_way.keys().find(waits_for);
                prop_assert!(running.is_none(), "{} began before {running:?} ended", spec.job);
            }
            if let (Some(max), Some(_), false) =
                (self.jobs[place].max_parallel, self.jobs[place].legs, self.jobs[place].calls)
            {
                let same = |(run, key): &&(RunId, JobKey)| *run == spec.run && self.place(key) == Some(place);
                prop_assert!(self.under_way.keys().filter(same).count() < max, "max-parallel of {}", spec.job);
            }
        }
        self.under_way.insert(id, spec.clone());
        Ok(())
    }

    fn hear(&mut self, run: RunId, event: &RunEvent) -> Result<(), TestCaseError> {
        prop_assert!(!self.ended.contains_key(&run), "{event:?} after the run ended");
        match event {
            RunEvent::JobStarted { job, .. } => {
                let id = (run, job.clone());
                prop_assert!(!self.finished.contains_key(&id), "{job} started after its end");
                prop_assert!(self.started.insert(id), "{job} started twice");
            }
            RunEvent::JobFinished { job, conclusion, reason, .. } => {
                let id = (run, job.clone());
                self.under_way.remove(&id);
                prop_assert!(
                    *conclusion == Conclusion::Success || reason.is_some(),
                    "{job} {conclusion} without a reason"
                );
                prop_assert!(self.finished.insert(id, *conclusion).is_none(), "{job} finished twice");
            }
            _ => {}
        }
        Ok(())
    }

    /// The job of the run's own workflow that a key belongs to.
    fn place(&self, key: &JobKey) -> Option<usize> {
        let digits: String = key.as_str().strip_prefix('j')?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    fn groups_have_one_holder(&self) -> Result<(), TestCaseError> {
        // Per group: who is under way in it, a called workflow counted once.
        let mut inside: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (run, key) in self.under_way.keys() {
            if self.has_group {
                inside.entry("run".into()).or_default().insert(format!("run {run}"));
            }
            let outer = key.as_str().split('/').next().unwrap_or_default();
            if let Some((group, _)) = self.place(key).and_then(|place| self.jobs[place].group) {
                inside.entry(group.to_lowercase()).or_default().insert(format!("{run} {outer}"));
            }
            if key.as_str().contains('/') {
                inside.entry("called".into()).or_default().insert(format!("{run} {outer}"));
            }
            if key.as_str().ends_with("/two") {
                inside.entry("h".into()).or_default().insert(format!("{run} {key}"));
            }
        }
        for (group, holders) in inside {
            prop_assert!(holders.len() <= 1, "{group} is held by {holders:?}");
        }
        Ok(())
    }
}

struct World {
    engine: Engine,
    watch: Watch,
    text: String,
    now: i64,
    runs: u64,
    inputs: Vec<Input>,
    effects: Vec<Effect>,
}

impl World {
    fn new(jobs: Vec<Job>, has_group: bool) -> Self {
        let text = text(&jobs, has_group);
        let watch = Watch { jobs, has_group, ..Watch::default() };
        Self { engine: Engine::new(), watch, text, now: 0, runs: 0, inputs: Vec::new(), effects: Vec::new() }
    }

    /// Applies an input; one that is refused must change nothing.
    fn apply(&mut self, input: Input) -> Result<bool, TestCaseError> {
        // Writing the whole state down takes longer than all else here, so it is done now and then only.
        let before = (self.inputs.len() % 8 == 1).then(|| format!("{:?}", self.engine));
        let result = self.engine.apply(&input);
        let json = serde_json::to_string(&input).expect("an input is plain data");
        prop_assert_eq!(&serde_json::from_str::<Input>(&json).expect("it reads back"), &input);
        let accepted = result.is_ok();
        match result {
            Ok(effects) => {
                self.watch.see(&effects)?;
                self.effects.extend(effects);
            }
            Err(_) => {
                let same = before.is_none_or(|before| before == format!("{:?}", self.engine));
                prop_assert!(same, "a refused input changed something: {input:?}");
            }
        }
        self.inputs.push(input);
        Ok(accepted)
    }

    fn happen(&mut self, happening: Happening) -> Result<(), TestCaseError> {
        self.now += 1;
        let at = Timestamp(self.now);
        let pick = |from: Vec<(RunId, JobKey)>, which: usize| from.get(which % from.len().max(1)).cloned();
        let under_way = || self.watch.under_way.keys().cloned().collect::<Vec<_>>();
        let input = match happening {
            Happening::Start(which) => {
                let not_begun = under_way().into_iter().filter(|id| !self.watch.started.contains(id)).collect();
                pick(not_begun, which).map(|(run, job)| Input::JobStarted { at, run, job })
            }
            Happening::End(which, conclusion) => pick(under_way(), which).map(|(run, job)| {
                let outputs = BTreeMap::from([("o".to_owned(), job.to_string())]);
                Input::JobEnded { at, run, job, report: JobReport { conclusion, outputs, reason: None } }
            }),
            Happening::Again(which) => self.inputs.get(which % self.inputs.len().max(1)).cloned(),
            Happening::Fire(which) => {
                let timers: Vec<_> = self.watch.timers.iter().cloned().collect();
                timers.get(which % timers.len().max(1)).cloned().map(|timer| Input::TimerFired { at, timer })
            }
            Happening::Cancel(run) => {
                Some(Input::CancelRequested { at, run: run.map(RunId), reason: "interrupted".into() })
            }
            Happening::Request => Some(self.request(at)),
        };
        if let Some(input) = input {
            if let Input::TimerFired { timer, .. } = &input {
                self.watch.timers.remove(timer);
            }
            self.apply(input)?;
        }
        Ok(())
    }

    fn request(&mut self, at: Timestamp) -> Input {
        self.runs += 1;
        let files = [("ci.yml", self.text.as_str()), (".github/workflows/called.yml", CALLED)];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into())).collect();
        self.watch.requested.insert(RunId(self.runs));
        Input::RunRequested { at, request: Box::new(request(self.runs, "ci.yml", files)) }
    }

    /// Ends everything that is under way until nothing is.
    fn drain(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..10_000 {
            let Some((run, job)) = self.watch.under_way.keys().next().cloned() else { break };
            self.now += 1;
            let report = JobReport { conclusion: Conclusion::Success, outputs: BTreeMap::new(), reason: None };
            let accepted = self.apply(Input::JobEnded { at: Timestamp(self.now), run, job: job.clone(), report })?;
            prop_assert!(accepted, "{job} is under way, and its end was refused");
        }
        Ok(())
    }
}

/// Which jobs run, by the plainest reading of the rules, for a workflow of plain jobs whose runners report `ends`.
fn oracle(jobs: &[Job], ends: &[bool]) -> Vec<Conclusion> {
    let mut results: Vec<Conclusion> = Vec::new();
    for (place, job) in jobs.iter().enumerate() {
        let mut ancestors = BTreeSet::new();
        let mut todo: Vec<usize> = job.needs.iter().copied().collect();
        while let Some(need) = todo.pop() {
            if ancestors.insert(need) {
                todo.extend(&jobs[need].needs);
            }
        }
        let all_succeeded = ancestors.iter().all(|&need| results[need] == Conclusion::Success);
        let any_failed = ancestors.iter().any(|&need| results[need] == Conclusion::Failure);
        let runs = match job.condition {
            None | Some("success()" | "github.sha != ''") => all_succeeded,
            Some("always()" | "!cancelled()") => true,
            Some("failure()") => any_failed,
            Some("!failure()") => !any_failed,
            Some("cancelled()" | "false") => false,
            Some(other) => unreachable!("no such condition: {other}"),
        };
        results.push(match (runs, ends[place] || job.may_fail) {
            (false, _) => Conclusion::Skipped,
            (true, true) => Conclusion::Success,
            (true, false) => Conclusion::Failure,
        });
    }
    results
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_a_rule_and_a_replay_gives_the_same(
        jobs in jobs(false),
        has_group in any::<bool>(),
        history in proptest::collection::vec(happening(), 0..60),
    ) {
        let mut world = World::new(jobs, has_group);
        world.happen(Happening::Request)?;
        for happening in history {
            world.happen(happening)?;
        }
        world.drain()?;
        prop_assert!(world.engine.is_idle(), "nothing is under way, and still a run goes on:\n{}\n{:#?}", world.text, world.engine);
        let ended: BTreeSet<_> = world.watch.ended.keys().copied().collect();
        prop_assert_eq!(&ended, &world.watch.requested);
        prop_assert!(world.watch.timers.is_empty(), "timers are left: {:?}", world.watch.timers);
        for id in &world.watch.dispatched {
            prop_assert!(world.watch.finished.contains_key(id), "{id:?} was handed out and never finished");
        }

        let mut again = Engine::new();
        let mut effects = Vec::new();
        for input in &world.inputs {
            effects.extend(again.apply(input).unwrap_or_default());
        }
        prop_assert_eq!(&effects, &world.effects);
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", world.engine));
    }

    #[test]
    fn needs_and_conditions_agree_with_the_oracle(
        jobs in jobs(true),
        ends in proptest::collection::vec(any::<bool>(), 8),
        order in proptest::collection::vec(any::<usize>(), 8),
    ) {
        let expected = oracle(&jobs, &ends);
        let mut world = World::new(jobs, false);
        world.happen(Happening::Request)?;
        for which in order {
            let under_way: Vec<_> = world.watch.under_way.keys().cloned().collect();
            let Some((run, job)) = under_way.get(which % under_way.len().max(1)).cloned() else { break };
            let place = world.watch.place(&job).expect("a plain job");
            let conclusion = if ends[place] { Conclusion::Success } else { Conclusion::Failure };
            let report = JobReport { conclusion, outputs: BTreeMap::new(), reason: None };
            world.apply(Input::JobEnded { at: Timestamp(0), run, job, report })?;
        }
        let found: Vec<_> = (0..expected.len())
            .map(|place| world.watch.finished.get(&(RunId(1), JobKey::new(format!("j{place}")))).copied())
            .collect();
        prop_assert_eq!(found, expected.iter().copied().map(Some).collect::<Vec<_>>(), "{}", world.text);
    }
}
