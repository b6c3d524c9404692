//! Statements by people. The newest of a name counts; one that says no withdraws what was said before.

use lineclear_event::{Statement, Witness};

use super::{Finding, Requirement, Standing, View, word};
use crate::Entry;
use crate::index::Kind;
use crate::names::Name;

/// What is said of the digest counts for the digest, and what is said of the commit for all that was built from it: where both are there, both
/// have to say yes.
pub(super) fn requirement(view: &View<'_>, name: &str) -> Requirement {
    let newest = |subjects: &[Name]| {
        let what = view.index.name(name)?;
        view.index.newest_of_all(subjects, Kind::Stated, Some(what)).first().map(|(_, entry)| *entry)
    };
    let found: Vec<(Standing, Finding)> = [newest(&view.same), newest(&view.digest)]
        .into_iter()
        .flatten()
        .filter_map(|entry| judge(view, entry))
        .collect();
    let standing = Standing::of_all(found.iter().map(|(standing, _)| *standing));
    let mut findings: Vec<Finding> = found.into_iter().map(|(_, finding)| finding).collect();
    if findings.is_empty() {
        findings.push(Finding::missing("nobody has stated it"));
    }
    Requirement::new(format!("the statement `{name}`"), standing, findings)
        .supplied_by(|| format!("lineclear evidence add {} --name {}", view.subject(), word(name)))
}

fn judge(view: &View<'_>, entry: &Entry) -> Option<(Standing, Finding)> {
    let (Statement::Stated(stated), Witness::Person(person)) = (&entry.evidence.statement, &entry.evidence.by) else {
        return None;
    };
    let note = if stated.note.is_empty() { String::new() } else { format!(": {}", stated.note) };
    let place = format!("{}{}", view.elsewhere(entry), view.age(&entry.evidence));
    Some(match stated.passes {
        true => (view.passed(&entry.evidence), Finding::of(format!("{person} says yes{place}{note}"), entry)),
        false => (Standing::Fail, Finding::of(format!("{person} says no{place}{note}"), entry)),
    })
}
