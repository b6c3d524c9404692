//! What is remembered of a run while it goes on, for the report at its end.

use std::collections::{BTreeMap, VecDeque};

use lineclear_event::{Annotation, Conclusion, Envelope, Fact, JobKey, JobSpec, Outcome, RunEvent, RunId};

/// Lines kept of each step's end.
const TAIL_LINES: usize = 20;
/// Bytes kept of each such line.
const TAIL_BYTES: usize = 400;

/// All runs of one command.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    pub(crate) runs: BTreeMap<RunId, RunDigest>,
}

#[derive(Debug, Default)]
pub(crate) struct RunDigest {
    pub(crate) workflow: String,
    pub(crate) file: String,
    pub(crate) conclusion: Option<Conclusion>,
    pub(crate) duration_ms: u64,
    /// In the order of their first event.
    pub(crate) jobs: Vec<JobDigest>,
    pub(crate) notices: Vec<(lineclear_event::AnnotationLevel, String)>,
}

#[derive(Debug)]
pub(crate) struct JobDigest {
    pub(crate) key: JobKey,
    pub(crate) name: String,
    /// How many jobs of the run had started before it; `None` for one that never started.
    pub(crate) started: Option<usize>,
    /// Arguments that run just this job again.
    pub(crate) rerun: String,
    pub(crate) conclusion: Option<Conclusion>,
    pub(crate) reason: Option<String>,
    pub(crate) duration_ms: u64,
    pub(crate) steps: Vec<StepDigest>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) summaries: Vec<String>,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Debug)]
pub(crate) struct StepDigest {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) conclusion: Option<Conclusion>,
    pub(crate) duration_ms: u64,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    /// The first line of what it runs, as the log's head shows it.
    pub(crate) command: Option<String>,
    /// The last lines of its output.
    pub(crate) tail: VecDeque<String>,
    head: Head,
}

/// Whether a step's log is past its head: the group that shows script, shell and environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    Expected,
    Inside,
    Past,
}

impl StepDigest {
    pub(crate) fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            outcome: None,
            conclusion: None,
            duration_ms: 0,
            exit_code: None,
            reason: None,
            command: None,
            tail: VecDeque::new(),
            head: Head::Expected,
        }
    }

    /// `lines` without what belongs to the head.
    fn past_head<'a>(&mut self, mut lines: &'a [u8]) -> &'a [u8] {
        if self.head == Head::Past && is_inner_head(lines) {
            self.head = Head::Inside;
        }
        while self.head != Head::Past && !lines.is_empty() {
            let end = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
            let (line, rest) = lines.split_at(end);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            match (self.head, line.strip_prefix(b"##[group]Run ")) {
                (Head::Expected, Some(command)) => {
                    self.command = Some(String::from_utf8_lossy(command).into_owned());
                    self.head = Head::Inside;
                }
                (Head::Expected, None) => {
                    self.head = Head::Past;
                    return lines;
                }
                (Head::Inside, _) if line == b"##[endgroup]" => self.head = Head::Past,
                _ => {}
            }
            lines = rest;
        }
        lines
    }
}

/// Whether a batch of lines begins with the head of a step inside a composite action: a group that shows a script or inputs.
/// Groups that steps make themselves have other lines in them.
fn is_inner_head(lines: &[u8]) -> bool {
    let mut lines = lines.split(|&byte| byte == b'\n');
    let group = lines.next().is_some_and(|line| line.starts_with(b"##[group]Run "));
    group
        && lines.next().is_some_and(|line| {
            [&b"\x1b[36;1m"[..], b"with:", b"env:", b"shell: "].iter().any(|start| line.starts_with(start))
        })
}

impl Digest {
    pub(crate) fn dispatched(&mut self, spec: &JobSpec) {
        let mut rerun = format!("-j {}", shell_word(top_level_id(spec.job.as_str())));
        if let Some(matrix) = spec.contexts.matrix.as_object() {
            for (axis, value) in matrix {
                let value = match value {
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Array(_) | serde_json::Value::Object(_) => continue,
                    other => other.to_string(),
                };
                rerun.push_str(&format!(" --matrix {}", shell_word(&format!("{axis}:{value}"))));
            }
        }
        // What it needs has just been run, so its outputs are there.
        if spec.contexts.needs.as_object().is_some_and(|needs| !needs.is_empty()) {
            rerun.push_str(" --skip-needs");
        }
        self.job(spec.run, &spec.job, &spec.name).rerun = rerun;
    }

    pub(crate) fn event(&mut self, envelope: &Envelope) {
        let run = envelope.run;
        match &envelope.event {
            RunEvent::RunStarted { workflow, file, .. } => {
                let digest = self.runs.entry(run).or_default();
                (digest.workflow, digest.file) = (workflow.clone(), file.clone());
            }
            RunEvent::JobWaiting { job, name, .. } => {
                self.job(run, job, name);
            }
            RunEvent::JobStarted { job, name } => {
                let before =
                    self.runs.get(&run).map_or(0, |run| run.jobs.iter().filter(|job| job.started.is_some()).count());
                self.job(run, job, name).started = Some(before);
            }
            RunEvent::StepStarted { job, step, name } => {
                self.job(run, job, "").steps.push(StepDigest::new(step, name));
            }
            RunEvent::Annotation(annotation) => self.job(run, &annotation.job, "").annotations.push(annotation.clone()),
            RunEvent::Summary { job, markdown, .. } => self.job(run, job, "").summaries.push(markdown.clone()),
            // Only these are shown at the end; reports of tests may be large.
            RunEvent::Fact { job, fact: fact @ Fact::ForgeCall { .. }, .. } => {
                self.job(run, job, "").facts.push(fact.clone());
            }
            RunEvent::Fact { .. } => {}
            RunEvent::StepFinished { job, step, name, outcome, conclusion, duration_ms, exit_code, reason } => {
                let job = self.job(run, job, "");
                let at = job.steps.iter().rposition(|known| known.id == *step && known.conclusion.is_none());
                let at = at.unwrap_or_else(|| {
                    job.steps.push(StepDigest::new(step, name));
                    job.steps.len() - 1
                });
                let known = &mut job.steps[at];
                known.name.clone_from(name);
                known.outcome = Some(*outcome);
                known.conclusion = Some(*conclusion);
                known.duration_ms = *duration_ms;
                known.exit_code = *exit_code;
                known.reason.clone_from(reason);
                if !matches!(outcome, Outcome::Failure) {
                    known.tail = VecDeque::new();
                }
            }
            RunEvent::JobFinished { job, name, conclusion, duration_ms, reason, .. } => {
                let job = self.job(run, job, name);
                job.conclusion = Some(*conclusion);
                job.duration_ms = *duration_ms;
                job.reason.clone_from(reason);
            }
            RunEvent::Notice { level, message } => {
                self.runs.entry(run).or_default().notices.push((*level, message.clone()));
            }
            RunEvent::RunFinished { conclusion, duration_ms } => {
                let digest = self.runs.entry(run).or_default();
                digest.conclusion = Some(*conclusion);
                digest.duration_ms = *duration_ms;
            }
            RunEvent::Log { job, step, line } => {
                self.log(run, job, step, line.as_bytes());
            }
        }
    }

    /// Remembers the last of `lines`, and gives those that are worth showing: all but the head, which repeats the script.
    pub(crate) fn log<'a>(&mut self, run: RunId, job: &JobKey, step: &str, lines: &'a [u8]) -> &'a [u8] {
        let job = self.job(run, job, "");
        let Some(step) = job.steps.iter_mut().rev().find(|known| known.id == step) else { return lines };
        let shown = step.past_head(lines);
        if shown.is_empty() {
            return shown;
        }
        let lines = shown.strip_suffix(b"\n").unwrap_or(shown);
        let mut last: Vec<String> = Vec::new();
        for line in lines.rsplit(|&byte| byte == b'\n').take(TAIL_LINES) {
            let line = &line[..line.len().min(TAIL_BYTES)];
            last.push(String::from_utf8_lossy(line).into_owned());
        }
        for line in last.into_iter().rev() {
            if step.tail.len() == TAIL_LINES {
                step.tail.pop_front();
            }
            step.tail.push_back(line);
        }
        shown
    }

    /// The digest of a job, made at its first mention.
    pub(crate) fn job(&mut self, run: RunId, key: &JobKey, name: &str) -> &mut JobDigest {
        let jobs = &mut self.runs.entry(run).or_default().jobs;
        let at = jobs.iter().rposition(|job| job.key == *key).unwrap_or_else(|| {
            jobs.push(JobDigest {
                key: key.clone(),
                name: if name.is_empty() { key.to_string() } else { name.to_owned() },
                started: None,
                rerun: format!("-j {}", shell_word(top_level_id(key.as_str()))),
                conclusion: None,
                reason: None,
                duration_ms: 0,
                steps: Vec::new(),
                annotations: Vec::new(),
                summaries: Vec::new(),
                facts: Vec::new(),
            });
            jobs.len() - 1
        });
        &mut jobs[at]
    }
}

/// The id in the run's own workflow file of the job that `key` belongs to.
fn top_level_id(key: &str) -> &str {
    key.split(['/', ' ']).next().unwrap_or(key)
}

/// `text` as one word of a shell command.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
