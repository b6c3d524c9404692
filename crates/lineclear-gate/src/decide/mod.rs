//! Clear or blocked.
//!
//! [`decide`] goes through the rules of a gate one by one; each has a file here and gives [`Requirement`]s. What counts as evidence at all is the
//! part of [`Index`], and what an end of a check counts as is the table of [`counts_as`](crate::counts_as).
//!
//! A commit is judged by the evidence of all commits with the same tree, for evidence follows contents, and by nothing else. A digest is
//! judged by that of the commit which it was built from, and by what is said of this very digest.

mod check;
mod coverage;
mod digest;
mod scan;
mod stated;
mod tests_shown;

pub use digest::OWN_BYTES;
use lineclear_event::{CheckContext, Evidence, Subject, Timestamp, Witness};

use crate::decision::SOMETHING;
use crate::index::Origin;
use crate::names::Name;
use crate::{Commits, Decision, Entry, Finding, Index, Requirement, Rules, Standing};

/// What is asked of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub subject: Subject,
    pub context: CheckContext,
    pub now: Timestamp,
}

/// So many commits that a digest was built from are tried, the newest first.
const MAX_ORIGINS: usize = 16;
/// So many findings a requirement shows; failures come first.
const MAX_FINDINGS: usize = 200;

/// Whether `asked` may pass.
///
/// A digest passes when a commit that it was built from does, and it has itself what is asked of digests; the decision names that commit, or else
/// the newest one. A gate that asks for nothing, or for nothing of this subject in this context, is blocked: nothing was proven.
pub fn decide(rules: &Rules, asked: &Asked, index: &Index, commits: &dyn Commits) -> Decision {
    let of = |commit: Option<&str>, origin: Option<Origin<'_>>| {
        View::new(rules, asked, index, commits, commit, origin).decide()
    };
    let digest = match &asked.subject {
        Subject::Commit(commit) => return of(Some(commit), None),
        Subject::Digest(digest) => digest,
    };
    let mut newest = None;
    for origin in index.origins(digest).into_iter().take(MAX_ORIGINS) {
        let decision = of(Some(origin.commit), Some(origin));
        if decision.clear {
            return decision;
        }
        newest.get_or_insert(decision);
    }
    newest.unwrap_or_else(|| of(None, None))
}

/// What one decision looks at.
struct View<'a> {
    rules: &'a Rules,
    asked: &'a Asked,
    index: &'a Index,
    commits: &'a dyn Commits,
    commit: Option<&'a str>,
    origin: Option<Origin<'a>>,
    /// The commit and those with the same contents, as far as the ledger knows any of them.
    same: Vec<Name>,
    /// The digest, if one is asked for and the ledger knows it.
    digest: Vec<Name>,
}

impl<'a> View<'a> {
    fn new(
        rules: &'a Rules,
        asked: &'a Asked,
        index: &'a Index,
        commits: &'a dyn Commits,
        commit: Option<&'a str>,
        origin: Option<Origin<'a>>,
    ) -> Self {
        let same = commit.map(|commit| index.same_contents(commit, commits)).unwrap_or_default();
        let digest = match &asked.subject {
            Subject::Commit(_) => None,
            Subject::Digest(digest) => index.name(digest),
        };
        Self { rules, asked, index, commits, commit, origin, same, digest: digest.into_iter().collect() }
    }

    fn decide(&self) -> Decision {
        let rules = self.rules;
        let mut requirements: Vec<Requirement> = Vec::new();
        requirements.extend(rules.require.iter().map(|required| check::required(self, required)));
        requirements.extend(rules.coverage.as_ref().map(|rule| coverage::requirement(self, rule)));
        requirements.extend(scan::requirements(self));
        requirements.extend(digest::requirements(self));
        requirements.extend(rules.statements.iter().map(|name| stated::requirement(self, name)));
        if !requirements.iter().any(|requirement| requirement.blocking) {
            requirements.push(self.nothing_asked());
        }
        requirements.splice(0..0, digest::origin(self));
        requirements.extend(rules.supplementary.iter().map(|check| check::supplementary(self, check)));
        requirements.extend(tests_shown::requirement(self));
        for requirement in &mut requirements {
            requirement.shorten();
        }
        Decision {
            gate: rules.gate.clone(),
            subject: self.asked.subject.clone(),
            commit: self.commit.map(str::to_owned),
            context: self.asked.context,
            at: self.asked.now,
            clear: requirements.iter().all(|one| !one.blocking || one.standing.lets_through()),
            requirements,
            rules: rules.hash(),
        }
    }

    /// That nothing is asked for is a mistake of whoever wrote the gate, and no proof.
    fn nothing_asked(&self) -> Requirement {
        let of = match (&self.asked.subject, self.asked.context) {
            (Subject::Commit(_), CheckContext::PullRequest) => "of a commit on pull requests",
            (Subject::Commit(_), CheckContext::Push) => "of a commit on pushes",
            (Subject::Commit(_), CheckContext::Other) => "of a commit",
            (Subject::Digest(_), _) => "of an image here",
        };
        let text = format!(
            "the gate `{}` asks for nothing {of}, so nothing was proven: name checks in `require` of `[gate.{}]` in lineclear.toml",
            self.rules.gate, self.rules.gate
        );
        Requirement::new(SOMETHING, Standing::Missing, vec![Finding { text, entry: None }])
    }

    /// Whether evidence is young enough to count.
    fn is_fresh(&self, evidence: &Evidence) -> bool {
        self.rules.fresh_for_ms.is_none_or(|limit| self.asked.now.millis_since(evidence.at) <= limit)
    }

    /// `Pass`, or `Expired` if it is too old.
    fn passed(&self, evidence: &Evidence) -> Standing {
        if self.is_fresh(evidence) { Standing::Pass } else { Standing::Expired }
    }

    /// Where evidence comes from, when it is not the commit that is asked for: " at 1a2b3c4, which has the same contents".
    fn elsewhere(&self, entry: &Entry) -> String {
        match &entry.evidence.subject {
            Subject::Commit(commit) if Some(commit.as_str()) != self.commit => {
                format!(", at {}, which has the same contents", short(commit))
            }
            _ => String::new(),
        }
    }

    /// ", 9 days ago: older than 7 days" for what is too old.
    fn age(&self, evidence: &Evidence) -> String {
        match self.rules.fresh_for_ms {
            Some(limit) if !self.is_fresh(evidence) => {
                let age = self.asked.now.millis_since(evidence.at);
                format!(", {} ago, and only the last {} count", time(age), time(limit))
            }
            _ => String::new(),
        }
    }

    /// The subject as commands take it.
    fn subject(&self) -> &str {
        self.asked.subject.id()
    }
}

impl Requirement {
    fn new(what: impl Into<String>, standing: Standing, findings: Vec<Finding>) -> Self {
        Self { what: what.into(), blocking: true, standing, findings, supply: None }
    }

    /// The command is only of use where something is missing.
    fn supplied_by(mut self, command: impl FnOnce() -> String) -> Self {
        if !self.standing.lets_through() {
            self.supply = Some(command());
        }
        self
    }

    fn shown_only(mut self) -> Self {
        self.blocking = false;
        self
    }

    fn shorten(&mut self) {
        if self.findings.len() > MAX_FINDINGS {
            let more = self.findings.len() - MAX_FINDINGS;
            self.findings.truncate(MAX_FINDINGS);
            self.findings.push(Finding { text: format!("and {more} more"), entry: None });
        }
    }
}

impl Standing {
    /// How several things stand that are all needed.
    fn of_all(each: impl IntoIterator<Item = Self>) -> Self {
        // In this order one is worse than all after it; of nothing, nothing is known.
        const WORST_FIRST: [Standing; 5] =
            [Standing::Fail, Standing::Missing, Standing::Expired, Standing::Pass, Standing::NotNeeded];
        let place = |standing: Self| WORST_FIRST.iter().position(|one| *one == standing).unwrap_or(0);
        each.into_iter().min_by_key(|standing| place(*standing)).unwrap_or(Self::Missing)
    }
}

impl Finding {
    fn of(text: impl Into<String>, entry: &Entry) -> Self {
        Self { text: text.into(), entry: Some(entry.number) }
    }

    fn missing(text: impl Into<String>) -> Self {
        Self { text: text.into(), entry: None }
    }
}

/// "in run 12", "in run 12, attempt 2", "by Ann"; of what was left out, so that no run of it has a number, "in `ci.yml`".
fn who(by: &Witness) -> String {
    match by {
        Witness::Run(run) if run.started().is_none() => format!("in `{}`", run.file),
        Witness::Run(run) if run.attempt > 1 => format!("in run {}, attempt {}", run.run, run.attempt),
        Witness::Run(run) => format!("in run {}", run.run),
        Witness::Person(name) => format!("by {name}"),
        Witness::Engine => "by the engine".to_owned(),
    }
}

/// The first seven digits.
fn short(commit: &str) -> &str {
    commit.char_indices().nth(7).and_then(|(end, _)| commit.get(..end)).unwrap_or(commit)
}

/// A time in the largest unit that it fills: "3 days".
fn time(milliseconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    let (count, unit) = UNITS
        .iter()
        .find(|(length, _)| milliseconds >= *length)
        .map_or((milliseconds, "millisecond"), |(length, unit)| (milliseconds / length, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A word of the shell, in quotes where it needs them.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '@');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
