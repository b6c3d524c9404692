//! Makes the edits that findings propose, and checks what came of them before anybody sees it.

use std::collections::{BTreeSet, HashMap};

use lineclear_source::{Diagnostic, Source, Span};
use lineclear_workflow::{Job, JobKind, Workflow};

use crate::{Checker, Edit, FileKind, Finding, Fix, Project, Safety, apply};

/// A file after its repairs.
#[derive(Debug)]
pub struct Repaired {
    /// The text; the same as before if nothing was made.
    pub text: String,
    /// What was done, in the order in which it was.
    pub made: Vec<Made>,
    /// What would have been done, had it not changed more than it should.
    pub refused: Vec<Made>,
}

/// One repair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// The rule whose finding it mends.
    pub rule: String,
    /// What it does.
    pub title: String,
}

/// A repair may open the way for another, but not for ever.
const MOST_ROUNDS: usize = 16;

/// Repairs one file as far as `up_to` allows. `checker` must be one whose settings ask for fixes.
///
/// Edits that overlap wait for the next round; findings with the very same edits are mended together. After each round the text is read again: repairs after which the reader has more
/// errors than before, or after which there are other jobs or steps, are taken back one by one.
pub fn repair(
    checker: &Checker<'_>,
    source: &Source,
    kind: FileKind,
    project: &Project<'_>,
    up_to: Safety,
) -> Repaired {
    let mut text = source.text().to_owned();
    let mut made = Vec::new();
    let mut refused: BTreeSet<Made> = BTreeSet::new();
    for _ in 0..MOST_ROUNDS {
        let now = Source::new(source.name(), text.as_str());
        let findings = checker.check(now.clone(), kind, project).findings;
        let chosen = choose(&findings, up_to, &refused);
        if chosen.is_empty() {
            break;
        }
        let all: Vec<Edit> = chosen.iter().flat_map(|choice| choice.fix.edits.clone()).collect();
        match apply(&text, &all) {
            Ok(after) if after != text && is_sound(&now, &after, kind) => {
                text = after;
                made.extend(chosen.into_iter().flat_map(|choice| choice.made));
            }
            _ => {
                // At least one of them is at fault; alone, each shows whether it is the one.
                let mut progress = false;
                for Choice { made: names, fix } in chosen {
                    let sound = |after: &String| *after != text && is_sound(&now, after, kind);
                    match apply(&text, &fix.edits).ok().filter(sound) {
                        // The others' places are those of the text before: they come in the next round.
                        Some(after) if !progress => {
                            text = after;
                            made.extend(names);
                            progress = true;
                        }
                        Some(_) => {}
                        None if !progress => refused.extend(names),
                        None => {}
                    }
                }
            }
        }
    }
    Repaired { text, made, refused: refused.into_iter().collect() }
}

/// A fix to make, and the repairs that it is: findings of one step often have the same.
struct Choice<'f> {
    made: Vec<Made>,
    fix: &'f Fix,
}

/// The repairs that can be made together.
fn choose<'f>(findings: &'f [Finding], up_to: Safety, refused: &BTreeSet<Made>) -> Vec<Choice<'f>> {
    let mut chosen: Vec<Choice<'_>> = Vec::new();
    let mut taken: Vec<Span> = Vec::new();
    let mut known: HashMap<Vec<&Edit>, usize> = HashMap::new();
    for finding in findings {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safety <= up_to && !fix.edits.is_empty()) else {
            continue;
        };
        let made = Made { rule: finding.diagnostic.code.clone().into_owned(), title: fix.title.clone() };
        if refused.contains(&made) {
            continue;
        }
        let mut edits: Vec<&Edit> = fix.edits.iter().collect();
        edits.sort_unstable();
        if let Some(same) = known.get(&edits).and_then(|at| chosen.get_mut(*at)) {
            same.made.push(made);
            continue;
        }
        if fix.edits.iter().any(|edit| taken.iter().any(|span| touches(*span, edit.span))) {
            continue;
        }
        taken.extend(fix.edits.iter().map(|edit| edit.span));
        known.insert(edits, chosen.len());
        chosen.push(Choice { made: vec![made], fix });
    }
    chosen
}

/// Two insertions at one place touch, too: what they add might be the same key.
fn touches(one: Span, other: Span) -> bool {
    one.start < other.end && other.start < one.end || one == other
}

/// Whether the text after an edit can still be read, and has the same jobs and steps.
fn is_sound(before: &Source, after: &str, kind: FileKind) -> bool {
    let after = Source::new(before.name(), after);
    match kind {
        FileKind::Workflow => {
            let (old, new) = (Workflow::read(before), Workflow::read(&after));
            let shape =
                |model: Option<&Workflow>| model.map(|workflow| workflow.jobs.iter().map(shape_of).collect::<Vec<_>>());
            errors(&new.diagnostics) <= errors(&old.diagnostics)
                && shape(old.model.as_ref()) == shape(new.model.as_ref())
        }
        FileKind::Action => {
            let (old, new) = (lineclear_workflow::Action::read(before), lineclear_workflow::Action::read(&after));
            errors(&new.diagnostics) <= errors(&old.diagnostics) && old.model.is_some() == new.model.is_some()
        }
        FileKind::Dependabot => {
            let parse =
                |source: &Source| lineclear_yaml::parse(source, &lineclear_yaml::Limits::workflow()).diagnostics;
            errors(&parse(&after)) <= errors(&parse(before))
        }
        FileKind::Dockerfile => {
            let read = |source: &Source| lineclear_dockerfile::Dockerfile::read(source).1;
            errors(&read(&after)) <= errors(&read(before))
        }
        FileKind::Compose => {
            let read = |source: &Source| lineclear_compose::Compose::read(source).1;
            errors(&read(&after)) <= errors(&read(before))
        }
        FileKind::Policy => {
            let read = |source: &Source| lineclear_policy::Policy::read(source).1;
            errors(&read(&after)) <= errors(&read(before))
        }
    }
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
}

/// What a plan is made of and no repair may change: the job, what it needs, its matrix, and its steps.
fn shape_of(job: &Job) -> (String, Vec<String>, Option<usize>, Vec<Option<String>>) {
    let steps = match &job.kind {
        JobKind::Steps(steps) => steps.steps.iter().map(|step| step.id.as_ref().map(|id| id.value.clone())).collect(),
        JobKind::Call(_) => Vec::new(),
    };
    let matrix = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref());
    let matrix = matrix.map(|matrix| (matrix.span().end - matrix.span().start) as usize);
    (job.id.value.clone(), job.needs.iter().map(|need| need.value.clone()).collect(), matrix, steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Memory, Settings};

    fn repaired(text: &str) -> Repaired {
        let settings = Settings { fixes: true, ..Settings::default() };
        let memory = Memory::default();
        let source = Source::new(".github/workflows/a.yml", text);
        repair(&Checker::new(&settings), &source, FileKind::Workflow, &Project::new(&memory), Safety::Review)
    }

    #[test]
    fn what_was_repaired_once_stays_as_it_is() {
        let text = "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [{ run: make }] }\n  b:\n    runs-on: ubuntu-latest # it is\n    steps:\n      - run: make\n";
        let first = repaired(text);
        assert!(first.text.contains("timeout-minutes"), "{}", first.text);
        assert!(first.text.contains("# it is"));
        assert!(first.refused.is_empty());
        let second = repaired(&first.text);
        assert_eq!(second.text, first.text);
        assert!(second.made.is_empty());
    }

    #[test]
    fn findings_with_the_same_edits_are_mended_together() {
        let fix = |title: &str, edits: Vec<Edit>| {
            let diagnostic = Diagnostic::error("rule", "message");
            Finding { diagnostic, fix: Some(Fix::safe(title, edits)) }
        };
        let (one, other) = (Edit::insert(4, "a"), Edit::replace(Span::new(8, 9), "b"));
        let findings = [
            fix("both", vec![one.clone(), other.clone()]),
            fix("both in another order", vec![other.clone(), one]),
            fix("one of them", vec![other]),
        ];
        let chosen = choose(&findings, Safety::Safe, &BTreeSet::new());
        let titles: Vec<Vec<&str>> =
            chosen.iter().map(|choice| choice.made.iter().map(|made| made.title.as_str()).collect()).collect();
        assert_eq!(titles, [["both", "both in another order"]]);
    }

    #[test]
    fn a_change_of_jobs_is_not_sound() {
        let before =
            Source::new(".github/workflows/a.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: a }]\n");
        assert!(is_sound(&before, before.text(), FileKind::Workflow));
        for after in [
            "on: push\njobs:\n  b:\n    runs-on: x\n    steps: [{ run: a }]\n",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: a }, { run: b }]\n",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: a }\n",
        ] {
            assert!(!is_sound(&before, after, FileKind::Workflow), "{after}");
        }
    }
}
