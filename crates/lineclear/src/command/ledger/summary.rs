//! What a ledger comes to: above all, whether anything ever moved without a clear gate. S0-50.

use std::collections::BTreeMap;

use lineclear_event::{MovePhase, MoveStatement, Statement, Subject};
use lineclear_gate::{Entry, Index};
use lineclear_source::Style;
use serde::Serialize;

/// Counts over a whole ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) entries: u64,
    /// Statements by their kind.
    pub(crate) statements: BTreeMap<&'static str, u64>,
    pub(crate) commits: u64,
    pub(crate) digests: u64,
    /// Moves that were carried out to their end, and those that were undone.
    pub(crate) moves_done: u64,
    pub(crate) moves_undone: u64,
    /// Moves that their gate let through, and a tag's rule or the registry did not.
    pub(crate) moves_refused: u64,
    /// Neither yet: a move that goes on, or one that was killed and waits to be settled.
    pub(crate) moves_open: u64,
    /// Moves whose decision is missing, of another subject, not before them, or not clear. There must never be one.
    pub(crate) moves_without_clear_gate: u64,
    /// The entries of these.
    pub(crate) without_clear_gate: Vec<u64>,
}

impl Summary {
    pub(crate) fn of(index: &Index) -> Self {
        let mut summary = Self { entries: index.entries().len() as u64, ..Self::default() };
        let mut subjects: BTreeMap<&Subject, ()> = BTreeMap::new();
        let mut phases: BTreeMap<&str, MovePhase> = BTreeMap::new();
        for entry in index.entries() {
            let evidence = &entry.evidence;
            *summary.statements.entry(kind(&evidence.statement)).or_default() += 1;
            if subjects.insert(&evidence.subject, ()).is_none() {
                match &evidence.subject {
                    Subject::Commit(_) => summary.commits += 1,
                    Subject::Digest(_) => summary.digests += 1,
                }
            }
            if let Statement::Move(moved) = &evidence.statement {
                let is_first = !phases.contains_key(moved.id.as_str());
                phases.insert(&moved.id, moved.phase);
                let has_begun = moved.phase != MovePhase::Refused;
                if is_first && has_begun && !is_cleared(entry, moved, index) {
                    summary.without_clear_gate.push(entry.number);
                }
            }
        }
        summary.moves_without_clear_gate = summary.without_clear_gate.len() as u64;
        for phase in phases.values() {
            *match phase {
                MovePhase::Begun => &mut summary.moves_open,
                MovePhase::Done => &mut summary.moves_done,
                MovePhase::Undone => &mut summary.moves_undone,
                MovePhase::Refused => &mut summary.moves_refused,
            } += 1;
        }
        summary
    }

    pub(crate) fn text(&self, repository: &str, style: Style) -> String {
        let mut text = format!(
            "{} entries in the ledger of {repository}: {} commits, {} images\n",
            self.entries, self.commits, self.digests
        );
        for (kind, count) in &self.statements {
            text.push_str(&format!("  {count:>7}  {kind}\n"));
        }
        text.push_str(&format!(
            "moves: {} done, {} undone, {} refused, {} open\n",
            self.moves_done, self.moves_undone, self.moves_refused, self.moves_open
        ));
        let line = format!("moves without a clear gate: {}", self.moves_without_clear_gate);
        match self.without_clear_gate.as_slice() {
            [] => text.push_str(&format!("{} {line}\n", style.green("✓"))),
            entries => {
                let entries: Vec<String> = entries.iter().map(u64::to_string).collect();
                text.push_str(&format!("{} {line}, see entries {}\n", style.red("✗"), entries.join(", ")));
            }
        }
        text
    }
}

/// Whether a clear decision about what is moved stands before the move.
fn is_cleared(entry: &Entry, moved: &MoveStatement, index: &Index) -> bool {
    let decision = usize::try_from(moved.decision).ok().and_then(|number| index.entries().get(number));
    decision.is_some_and(|decision| match &decision.evidence.statement {
        Statement::Decision(said) => {
            let about = [entry.evidence.subject.id(), moved.commit.as_str()];
            let is_of_it =
                about.contains(&decision.evidence.subject.id()) || said.commit.as_deref() == Some(&moved.commit);
            said.clear && is_of_it && decision.number < entry.number
        }
        _ => false,
    })
}

fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Commit(_) => "commits",
        Statement::Run(_) => "runs",
        Statement::Check(_) => "checks",
        Statement::Coverage(_) => "coverage",
        Statement::Tests(_) => "tests",
        Statement::Scan(_) => "scans",
        Statement::Image(_) => "images built or pushed",
        Statement::Sbom(_) => "lists of contents",
        Statement::Signature(_) => "signatures",
        Statement::Provenance(_) => "provenance",
        Statement::Stated(_) => "statements of people",
        Statement::Decision(_) => "decisions",
        Statement::Move(_) => "steps of moves",
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::{CheckContext, DecisionStatement, Evidence, MoveKind, Timestamp, Witness};

    use super::*;

    fn index(entries: Vec<(Subject, Statement)>) -> Index {
        let mut index = Index::default();
        for (number, (subject, statement)) in (0..).zip(entries) {
            let evidence = Evidence { subject, at: Timestamp(1), by: Witness::Engine, statement };
            index.add(Entry { previous: "0".repeat(64), number, evidence });
        }
        index
    }

    fn digest(digit: char) -> Subject {
        Subject::Digest(format!("sha256:{}", digit.to_string().repeat(64)))
    }

    fn decision(clear: bool) -> Statement {
        Statement::Decision(DecisionStatement {
            gate: "main".into(),
            context: CheckContext::Push,
            clear,
            commit: Some("c".repeat(40)),
            blocked: Vec::new(),
            rests_on: Vec::new(),
            rules: String::new(),
        })
    }

    fn moved(id: &str, decision: u64, phase: MovePhase) -> Statement {
        Statement::Move(MoveStatement {
            id: id.into(),
            kind: MoveKind::Publish,
            phase,
            image: "backend".into(),
            repository: "example.org/backend".into(),
            source: "example.org/ci/backend".into(),
            commit: "c".repeat(40),
            tags: Vec::new(),
            decision,
            target: None,
            reason: String::new(),
        })
    }

    // S0-50
    #[test]
    fn a_move_without_a_clear_gate_is_counted_whatever_became_of_it() {
        let (one, other) = (digest('1'), digest('2'));
        let clear = index(vec![
            (one.clone(), decision(true)),
            (one.clone(), moved("a", 0, MovePhase::Begun)),
            (one.clone(), moved("a", 0, MovePhase::Done)),
            (one.clone(), moved("b", 0, MovePhase::Begun)),
        ]);
        let summary = Summary::of(&clear);
        assert_eq!((summary.moves_done, summary.moves_open, summary.moves_without_clear_gate), (1, 1, 0));
        let red = |entries| Summary::of(&index(entries)).without_clear_gate;
        let begun = |decision| moved("a", decision, MovePhase::Begun);
        assert_eq!(red(vec![(one.clone(), decision(false)), (one.clone(), begun(0))]), [1]);
        assert_eq!(red(vec![(one.clone(), begun(1)), (one.clone(), decision(true))]), [0], "decided afterwards");
        assert_eq!(red(vec![(one.clone(), begun(7))]), [0], "nothing was decided");
        let elsewhere = Statement::Decision(DecisionStatement {
            commit: Some("d".repeat(40)),
            ..match decision(true) {
                Statement::Decision(decision) => decision,
                _ => unreachable!("it is one"),
            }
        });
        assert_eq!(red(vec![(other, elsewhere), (one, begun(0))]), [1], "about something else");
    }
}
