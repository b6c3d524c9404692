//! `check` and `run` agree: what has no error can be planned, and what the planner refuses has an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{Changed, ForgeEvent, Repository};
use lineclear_plan::{Facts, PlannedWorkflow, Verdict, plan};
use lineclear_workflow::{JobKind, Workflow};
use serde_json::json;

use crate::files::{check, good, source};

/// How many changed files are tried.
const CHANGES: usize = 700;

#[test]
fn good_files_can_be_planned() {
    for file in good() {
        for event in events() {
            let refused = refusals(&file.name, &file.text, &event);
            assert!(refused.is_empty(), "{} on {}: {refused:?}", file.name, event.name);
        }
    }
}

#[test]
fn what_the_planner_refuses_has_an_error() {
    let files = good();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut wrong = Vec::new();
    let (mut faulty, mut sound) = (0, 0);
    for _ in 0..CHANGES {
        let file = &files[random.below(files.len())];
        let text = changed(&file.text, &mut random);
        if check(&file.name, &text).findings.iter().any(|finding| finding.diagnostic.is_error()) {
            faulty += 1;
            continue;
        }
        sound += 1;
        for event in events() {
            for refused in refusals(&file.name, &text, &event) {
                wrong.push(format!("{}: {refused}\n{text}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} files\n{}", wrong.len(), wrong.join("\n"));
    assert!(faulty > CHANGES / 10 && sound > CHANGES / 10, "{faulty} files are faulty and {sound} are sound");
}

/// Why the planner would not run the file, or a job of it.
fn refusals(name: &str, text: &str, event: &ForgeEvent) -> Vec<String> {
    let read = Workflow::read(&source(name, text));
    let Some(model) = read.model else { return vec!["there is no workflow".into()] };
    let calls = model.jobs.iter().any(|job| matches!(job.kind, JobKind::Call(_)));
    let files: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let planned = plan(&[(model, read.diagnostics)], event, &Facts::default(), &files);
    planned.workflows.iter().flat_map(|workflow| of_workflow(workflow, calls)).collect()
}

fn of_workflow(planned: &PlannedWorkflow, calls: bool) -> Vec<String> {
    let errors = planned.diagnostics.iter().filter(|(_, one)| one.is_error()).map(|(_, one)| one.message.clone());
    let failing = planned.jobs.iter().filter(|job| job.decision.verdict == Verdict::Fails);
    let mut all: Vec<String> = failing.map(|job| format!("job {}: {}", job.id, job.decision.reason)).collect();
    // What is called stands in another repository, which is not here.
    if !calls {
        all.extend(errors);
        all.extend(planned.startup_failure.clone());
    }
    all
}

fn events() -> [ForgeEvent; 2] {
    let event = |name: &str, reference: &str, payload| ForgeEvent {
        name: name.into(),
        payload,
        repository: Repository {
            owner: "acme".into(),
            name: "shop".into(),
            default_branch: "main".into(),
            id: "1".into(),
            owner_id: "2".into(),
            private: false,
        },
        reference: reference.into(),
        sha: "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b".into(),
        base_ref: String::new(),
        head_ref: String::new(),
        actor: "mona".into(),
        changed: Changed::Unknown { reason: "not asked".into() },
    };
    let request =
        json!({ "action": "opened", "number": 7, "pull_request": { "title": "Better", "base": { "ref": "main" } } });
    [
        event("push", "refs/heads/main", json!({ "head_commit": { "message": "Mend it" } })),
        ForgeEvent {
            base_ref: "main".into(),
            head_ref: "topic".into(),
            ..event("pull_request", "refs/pull/7/merge", request)
        },
    ]
}

/// The text with one slip, as people make them.
fn changed(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = random.below(lines.len());
    let line = lines[at];
    let indented = format!("  {line}");
    let letters: Vec<char> = line.chars().collect();
    let letter = random.below(letters.len());
    let without: String =
        letters.iter().enumerate().filter(|(index, _)| *index != letter).map(|(_, one)| one).collect();
    let word = words(text).get(random.below(words(text).len())).copied().unwrap_or_default();
    let other = words(line).get(random.below(words(line).len().max(1))).copied().unwrap_or_default();
    let replaced = if other.is_empty() { line.to_owned() } else { line.replacen(other, word, 1) };
    match random.below(7) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, line),
        2 => lines.swap(at, (at + 1).min(text.split_inclusive('\n').count() - 1)),
        3 => lines[at] = &indented,
        4 => lines[at] = line.strip_prefix("  ").unwrap_or(line),
        5 => lines[at] = &without,
        _ => lines[at] = &replaced,
    }
    lines.concat()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '_' | '.'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit.max(1)
    }
}
