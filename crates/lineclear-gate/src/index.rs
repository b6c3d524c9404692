//! What the ledger says, by what it speaks of.
//!
//! [`Index::add`] files each entry under its subject, and there in *series*: everything that one witness says again and again of the same thing, such
//! as the ends of one leg of one check. Deciding then reads the ends of a few series, however long the ledger is.
//!
//! Messages may come twice and late, so a series keeps three rules. An entry that says word for word what an earlier one says is not filed.
//! What belongs to an earlier attempt of a run than one that was heard of is not filed. Of two ends of a check that disagree about the same
//! attempt, the failure is believed; of scans, coverage and tests everything that the newest attempt says counts together, for several legs or
//! jobs may say it. Apart from that, newest means last in the ledger: clocks go back, the ledger does not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lineclear_event::{
    CheckConclusion, CheckContext, CommitStatement, CoverageStatement, Evidence, ImageStatement, MoveStatement, RunId,
    RunWitness, Statement, Subject, Witness,
};
use sha2::{Digest as _, Sha256};

use crate::conclusions::{Counts, counts_as, is_verdict};
use crate::names::{Name, Names};
use crate::{Commits, Entry, SkippedCounts};

/// All entries of a ledger, found by what they speak of.
#[derive(Clone, Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    names: Names,
    known: HashMap<Name, Known>,
    /// Tree → the commits that have it.
    by_tree: HashMap<Name, Vec<Name>>,
    /// Digests of what evidence was filed, to know a message that comes twice.
    filed: HashSet<[u8; 32]>,
    /// Of a series and a run: the latest attempt that was heard of.
    attempts: HashMap<(Name, Series, RunId), Heard>,
    /// Runs that were not as the files and the commit say.
    adjusted: HashSet<RunId>,
    /// Where a check was last seen: its workflow's file and its job.
    places: HashMap<Name, (Name, Name)>,
    /// Coverage of commits by report, the highest first.
    reached: BTreeMap<Report, BTreeSet<Reached>>,
    /// Moves by their own id.
    moves: BTreeMap<Name, Vec<usize>>,
    all_moves: Vec<usize>,
}

/// What is known of one commit or digest.
#[derive(Clone, Debug, Default)]
struct Known {
    all: Vec<usize>,
    tree: Option<Name>,
    series: BTreeMap<Series, Vec<At>>,
}

/// The latest attempt of a run that was heard of, and the first entry in which it was.
#[derive(Clone, Copy, Debug)]
struct Heard {
    attempt: u32,
    first: usize,
}

/// What is said again and again. The fields' order is that in which series are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series {
    pub(crate) kind: Kind,
    /// The check, the report, the tool, the name of a statement.
    pub(crate) what: Name,
    pub(crate) file: Name,
    pub(crate) job: Name,
    /// The leg of a check, the category of a scan.
    pub(crate) part: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Ends of a leg that say yes or no.
    Verdict,
    /// Ends of a leg that was left out.
    LeftOut,
    /// Ends in runs that do not count.
    Adjusted,
    Coverage,
    Tests,
    Scan,
    Stated,
    Image,
    Sbom,
    Signature,
    Provenance,
}

/// A place in the ledger: an entry and, of a check, one of its legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) entry: usize,
    pub(crate) leg: usize,
}

/// A report of coverage, wherever it comes from in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Report {
    pub(crate) name: Name,
    pub(crate) file: Name,
    pub(crate) job: Name,
}

/// Coverage that a commit once had. Sorts the highest first, and of equals the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reached {
    pub(crate) share: std::cmp::Reverse<Share>,
    pub(crate) entry: usize,
    pub(crate) commit: Name,
}

/// A part of a whole, in millionths of a per cent, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u64);

/// Everything that is newest of one leg of a check.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LegEnds {
    pub(crate) verdict: Option<Verdict>,
    /// A later success that takes nothing back, because it is of another context.
    pub(crate) takes_nothing_back: Option<At>,
    pub(crate) left_out: Option<LeftOut>,
}

/// An end of a leg that says yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) at: At,
    pub(crate) context: CheckContext,
    pub(crate) fails: bool,
}

impl Verdict {
    /// Whether `later` takes this one's place. What failed is taken back where it failed, or in the context that is asked: a job may do less
    /// when it is started by hand than on a push.
    pub(crate) fn gives_way_to(&self, later: Self, asked: CheckContext) -> bool {
        self.at < later.at && (!self.fails || later.fails || later.context == self.context || later.context == asked)
    }
}

/// The verdicts on a leg that say how it stands: all that came after the last failure, and that one.
#[derive(Debug, Default)]
struct Verdicts {
    failure: Option<Verdict>,
    /// The newest success of each context.
    successes: Vec<Verdict>,
}

impl Verdicts {
    fn hear(&mut self, verdict: Verdict) {
        if verdict.fails {
            if self.failure.is_none_or(|known| known.at < verdict.at) {
                self.failure = Some(verdict);
            }
        } else if let Some(known) = self.successes.iter_mut().find(|known| known.context == verdict.context) {
            known.at = known.at.max(verdict.at);
        } else {
            self.successes.push(verdict);
        }
    }

    /// How the leg stands, and the success that takes nothing back.
    fn stands(&self, asked: CheckContext) -> (Option<Verdict>, Option<At>) {
        let newest = self.successes.iter().copied().max_by_key(|success| success.at);
        match self.failure {
            Some(failure) if !self.successes.iter().any(|later| failure.gives_way_to(*later, asked)) => {
                (Some(failure), newest.map(|newest| newest.at).filter(|at| *at > failure.at))
            }
            _ => (newest, None),
        }
    }
}

/// An end of a leg that was left out. One whose paths were counted from a commit with the very same contents says nothing that is not asked of
/// those anyway, so it comes after all that look elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeftOut {
    pub(crate) looks_elsewhere: bool,
    pub(crate) at: At,
}

/// Where a digest comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Origin<'i> {
    pub commit: &'i str,
    pub entry: &'i Entry,
}

/// Who was the first to show a digest here, whether or not that makes it a commit's.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstShown<'i> {
    pub entry: &'i Entry,
    /// The commit of the run; `None` if it was not as any commit says.
    pub commit: Option<&'i str>,
    /// What was not as the commit says, as far as the run has said it.
    pub adjusted: Vec<&'i str>,
}

impl std::fmt::Display for FirstShown<'_> {
    /// "run 5 was the first to push it, for 1a2b3c4".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match started(&self.entry.evidence.by) {
            Some(run) => write!(f, "run {run} was the first to push it, ")?,
            None => write!(f, "entry {} was the first to name it, ", self.entry.number)?,
        }
        match self.commit {
            Some(commit) => write!(f, "for {}", commit.get(..7).unwrap_or(commit)),
            None if self.adjusted.is_empty() => f.write_str("and was adjusted, so that it is of no commit"),
            None => write!(f, "and was adjusted ({}), so that it is of no commit", self.adjusted.join(", ")),
        }
    }
}

impl Index {
    /// Takes the next entry in.
    pub fn add(&mut self, entry: Entry) {
        let at = self.entries.len();
        let subject = self.names.take(entry.evidence.subject.id());
        self.known.entry(subject).or_default().all.push(at);
        if self.is_new(&entry.evidence) {
            self.file(subject, at, &entry.evidence);
        }
        self.entries.push(entry);
    }

    /// All entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is said of `subject`, in order.
    pub fn of<'i>(&'i self, subject: &Subject) -> impl DoubleEndedIterator<Item = &'i Entry> + use<'i> {
        let known = self.names.find(subject.id()).and_then(|name| self.known.get(&name));
        known.into_iter().flat_map(|known| &known.all).filter_map(|&at| self.entries.get(at))
    }

    /// The commits that `digest` comes from, the newest first: those whose runs built it, and the one whose run was the first to
    /// show it. Who only pushes what is there already does not make it theirs. What a run that was adjusted has built is of no commit, nor does
    /// it become that of whoever pushes it again.
    pub fn origins(&self, digest: &str) -> Vec<Origin<'_>> {
        let Some(known) = self.names.find(digest).and_then(|name| self.known.get(&name)) else { return Vec::new() };
        let mut seen: Vec<Origin<'_>> = Vec::new();
        let images = known.series.get(&Series::only(Kind::Image)).into_iter().flatten();
        let mut is_first = true;
        for at in images {
            let Some((entry, image)) = self.entry(at.entry).and_then(|entry| Some((entry, image(entry)?))) else {
                continue;
            };
            let was_first = std::mem::take(&mut is_first);
            let counts = !image.commit.is_empty() && self.counts(&entry.evidence);
            if counts && (image.built || was_first) {
                seen.retain(|origin| origin.commit != image.commit);
                seen.push(Origin { commit: &image.commit, entry });
            }
        }
        seen.reverse();
        seen
    }

    /// Who was the first to show `digest`, if anybody has.
    pub fn first_shown(&self, digest: &str) -> Option<FirstShown<'_>> {
        let known = self.known.get(&self.names.find(digest)?)?;
        let at = known.series.get(&Series::only(Kind::Image))?.first()?;
        let entry = self.entry(at.entry)?;
        let commit = image(entry).map(|image| image.commit.as_str()).filter(|commit| !commit.is_empty());
        let adjusted = match started(&entry.evidence.by) {
            Some(run) if commit.is_none() || !self.counts(&entry.evidence) => self.adjustments(run),
            _ => Vec::new(),
        };
        Some(FirstShown { entry, commit: commit.filter(|_| self.counts(&entry.evidence)), adjusted })
    }

    /// What was adjusted in a run, each once. It goes through the whole ledger.
    fn adjustments(&self, run: RunId) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for entry in self.entries.iter().filter(|entry| started(&entry.evidence.by) == Some(run)) {
            let adjusted = match &entry.evidence.statement {
                Statement::Run(run) => &run.adjusted,
                Statement::Check(check) => &check.adjusted,
                _ => continue,
            };
            for what in adjusted.iter().map(String::as_str) {
                if !all.contains(&what) {
                    all.push(what);
                }
            }
        }
        all
    }

    /// The entries of the move `id`, in order.
    pub fn entries_of_move<'i>(
        &'i self,
        id: &str,
    ) -> impl DoubleEndedIterator<Item = (&'i Entry, &'i MoveStatement)> + use<'i> {
        let moves = self.names.find(id).and_then(|name| self.moves.get(&name));
        moves.into_iter().flatten().filter_map(|&at| self.a_move(at))
    }

    /// The ids of all moves, in the order in which they began.
    pub fn moves<'i>(&'i self) -> impl Iterator<Item = &'i str> + use<'i> {
        self.moves.keys().map(|&id| self.names.text(id))
    }

    /// The tree of `commit` that the ledger knows.
    pub fn tree(&self, commit: &str) -> Option<&str> {
        let tree = self.known.get(&self.names.find(commit)?)?.tree?;
        Some(self.names.text(tree))
    }

    /// The workflow's file and the job of the check, where it was last seen.
    pub(crate) fn place(&self, check: &str) -> Option<(&str, &str)> {
        let (file, job) = self.places.get(&self.names.find(check)?)?;
        Some((self.names.text(*file), self.names.text(*job)))
    }

    /// The commits with the contents of `commit`, itself first. Its own tree is the ledger's word or else git's; others' is the ledger's.
    pub(crate) fn same_contents(&self, commit: &str, commits: &dyn Commits) -> Vec<Name> {
        let own = self.names.find(commit);
        let tree = match own.and_then(|own| self.known.get(&own)?.tree) {
            Some(tree) => Some(tree),
            None => commits.tree(commit).and_then(|tree| self.names.find(&tree)),
        };
        let others = tree.and_then(|tree| self.by_tree.get(&tree)).into_iter().flatten().copied();
        own.into_iter().chain(others.filter(|other| Some(*other) != own)).collect()
    }

    /// How each leg of `check` ended at `commits`, those with the contents of the commit `of`, as the context `asked` sees it; by where the check
    /// comes from and the leg.
    pub(crate) fn legs(
        &self,
        of: &str,
        commits: &[Name],
        check: &str,
        asked: CheckContext,
    ) -> BTreeMap<(Name, Name, Name), LegEnds> {
        let mut legs: BTreeMap<(Name, Name, Name), LegEnds> = BTreeMap::new();
        let Some(check) = self.names.find(check) else { return legs };
        let mut said: BTreeMap<(Name, Name, Name), Verdicts> = BTreeMap::new();
        for (series, all) in self.all(commits, Kind::Verdict, Some(check)) {
            let verdicts = said.entry((series.file, series.job, series.part)).or_default();
            for verdict in all.iter().rev().filter_map(|&at| self.verdict(at)) {
                verdicts.hear(verdict);
                // What came before a failure says nothing any more; nor does what came before a success that is asked for.
                if verdict.fails || verdict.context == asked {
                    break;
                }
            }
        }
        for (leg, verdicts) in said {
            let (verdict, takes_nothing_back) = verdicts.stands(asked);
            // Where no verdict counts, nothing is known of the leg.
            if verdict.is_some() {
                legs.insert(leg, LegEnds { verdict, takes_nothing_back, left_out: None });
            }
        }
        for (series, all) in self.all(commits, Kind::LeftOut, Some(check)) {
            let ends = legs.entry((series.file, series.job, series.part)).or_default();
            let counted = all.iter().rev().filter(|at| self.entry(at.entry).is_some_and(|e| self.counts(&e.evidence)));
            for &at in counted {
                let looks_elsewhere = !self.is_since_one_of(at, of, commits);
                ends.left_out = ends.left_out.max(Some(LeftOut { looks_elsewhere, at }));
                if looks_elsewhere {
                    break;
                }
            }
        }
        legs
    }

    /// What a leg says, if it counts.
    fn verdict(&self, at: At) -> Option<Verdict> {
        let entry = self.entry(at.entry).filter(|entry| self.counts(&entry.evidence))?;
        let Statement::Check(check) = &entry.evidence.statement else { return None };
        let fails = counts_as(check.legs.get(at.leg)?.conclusion, SkippedCounts::Pass) == Counts::Fail;
        Some(Verdict { at, context: check.context, fails })
    }

    /// Whether the paths of a leg that was left out were counted from the commit `of` or one of `commits`.
    fn is_since_one_of(&self, at: At, of: &str, commits: &[Name]) -> bool {
        let leg = self.entry(at.entry).and_then(|entry| match &entry.evidence.statement {
            Statement::Check(check) => check.legs.get(at.leg),
            _ => None,
        });
        leg.and_then(|leg| leg.since.as_deref()).is_some_and(|since| self.is_one_of(since, of, commits))
    }

    /// Whether `commit` is `of` or one of `commits`.
    pub(crate) fn is_one_of(&self, commit: &str, of: &str, commits: &[Name]) -> bool {
        commit == of || self.names.find(commit).is_some_and(|commit| commits.contains(&commit))
    }

    /// The newest of each series of `kind` at each of `subjects`, without those that do not count.
    pub(crate) fn newest(&self, subjects: &[Name], kind: Kind, what: Option<Name>) -> Vec<(Series, At)> {
        let counts =
            |at: &&At| self.entry(at.entry).is_some_and(|entry| kind == Kind::Adjusted || self.counts(&entry.evidence));
        let all = self.all(subjects, kind, what);
        all.filter_map(|(series, all)| Some((series, *all.iter().rev().find(counts)?))).collect()
    }

    /// Each series of `kind` at each of `subjects`.
    fn all<'i>(
        &'i self,
        subjects: &'i [Name],
        kind: Kind,
        what: Option<Name>,
    ) -> impl Iterator<Item = (Series, &'i [At])> + use<'i> {
        let end = |of: Name| Series { kind, what: what.unwrap_or(of), file: of, job: of, part: of };
        let range = end(Name::FIRST)..=end(Name::LAST);
        let known = subjects.iter().filter_map(|subject| self.known.get(subject));
        known.flat_map(move |known| known.series.range(range.clone()).map(|(series, all)| (*series, all.as_slice())))
    }

    /// As [`Index::newest`], and of the same series at several subjects the one that is last in the ledger.
    pub(crate) fn newest_of_all(&self, subjects: &[Name], kind: Kind, what: Option<Name>) -> Vec<(Series, &Entry)> {
        let mut all: BTreeMap<Series, At> = BTreeMap::new();
        for (series, at) in self.newest(subjects, kind, what) {
            let newest = all.entry(series).or_insert(at);
            *newest = (*newest).max(at);
        }
        all.into_iter().filter_map(|(series, at)| Some((series, self.entry(at.entry)?))).collect()
    }

    /// As [`Index::newest_of_all`], with everything else that the same attempt says of the series: legs of a matrix may have one name for their
    /// reports, and several jobs of a run may scan one image. Each of them counts.
    pub(crate) fn newest_attempts_of_all(
        &self,
        subjects: &[Name],
        kind: Kind,
        what: Option<Name>,
    ) -> Vec<(Series, &Entry)> {
        let mut all: BTreeMap<Series, (At, Name)> = BTreeMap::new();
        for subject in subjects {
            for (series, at) in self.newest(std::slice::from_ref(subject), kind, what) {
                let newest = all.entry(series).or_insert((at, *subject));
                *newest = (*newest).max((at, *subject));
            }
        }
        let each = all.into_iter().flat_map(|(series, (at, subject))| {
            let run = self.entry(at.entry).and_then(|entry| started(&entry.evidence.by));
            let said = run.map_or_else(|| vec![at.entry], |run| self.of_attempt(subject, series, run));
            said.into_iter().filter_map(move |said| Some((series, self.entry(said)?)))
        });
        each.collect()
    }

    /// The entries in which the latest attempt of `run` speaks of the series, in order.
    fn of_attempt(&self, subject: Name, series: Series, run: RunId) -> Vec<usize> {
        let heard = self.attempts.get(&(subject, series, run));
        let all = self.known.get(&subject).and_then(|known| known.series.get(&series));
        let (Some(heard), Some(all)) = (heard, all) else { return Vec::new() };
        // What its earlier attempts said is before the first word of this one.
        let since = all.partition_point(|one| one.entry < heard.first);
        let is_of_run = |at: &usize| self.entry(*at).and_then(|entry| started(&entry.evidence.by)) == Some(run);
        all.iter().skip(since).map(|one| one.entry).filter(is_of_run).collect()
    }

    /// What coverage a report reached anywhere, the highest first, without runs that do not count.
    pub(crate) fn reached(&self, report: Report) -> impl Iterator<Item = (&str, Share, &Entry)> {
        let counted = move |reached: &Reached| {
            let entry = self.entry(reached.entry).filter(|entry| self.counts(&entry.evidence))?;
            Some((self.names.text(reached.commit), reached.share.0, entry))
        };
        self.reached.get(&report).into_iter().flatten().filter_map(counted)
    }

    /// Where the entries of moves are, in order.
    pub(crate) fn all_moves(&self) -> &[usize] {
        &self.all_moves
    }

    pub(crate) fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)
    }

    pub(crate) fn name(&self, text: &str) -> Option<Name> {
        self.names.find(text)
    }

    /// Whether what a run saw counts: it was as the files and the commit say.
    fn counts(&self, evidence: &Evidence) -> bool {
        started(&evidence.by).is_none_or(|run| !self.adjusted.contains(&run))
    }

    fn a_move(&self, at: usize) -> Option<(&Entry, &MoveStatement)> {
        let entry = self.entry(at)?;
        match &entry.evidence.statement {
            Statement::Move(statement) => Some((entry, statement)),
            _ => None,
        }
    }

    fn is_new(&mut self, evidence: &Evidence) -> bool {
        let json = serde_json::to_vec(evidence).expect("evidence is plain data with texts as keys");
        self.filed.insert(Sha256::digest(json).into())
    }

    fn file(&mut self, subject: Name, at: usize, evidence: &Evidence) {
        let by_person = matches!(evidence.by, Witness::Person(_));
        match &evidence.statement {
            // People make statements; what machines see is only believed of the engine.
            Statement::Stated(stated) if by_person => {
                let what = self.names.take(&stated.name);
                self.push(subject, Series { what, ..Series::only(Kind::Stated) }, At { entry: at, leg: 0 });
            }
            _ if by_person => {}
            Statement::Stated(_) | Statement::Decision(_) => {}
            Statement::Commit(commit) => self.file_commit(subject, commit),
            Statement::Run(run) => self.file_adjusted(&evidence.by, &run.adjusted),
            Statement::Check(check) => {
                self.file_adjusted(&evidence.by, &check.adjusted);
                self.file_check(subject, at, evidence, check);
            }
            Statement::Coverage(coverage) => {
                let series = self.series(Kind::Coverage, &coverage.name, &evidence.by);
                let is_heard = self.hear(subject, series, at, &evidence.by);
                if let (true, Subject::Commit(_)) = (is_heard, &evidence.subject) {
                    self.file_reached(subject, series, at, &evidence.by, coverage);
                }
            }
            Statement::Tests(tests) => {
                let series = self.series(Kind::Tests, &tests.name, &evidence.by);
                self.hear(subject, series, at, &evidence.by);
            }
            Statement::Scan(scan) => {
                // An image that is scanned again by the same tool is the same image; of a commit, each job looks at something of its own.
                let mut series = match evidence.subject {
                    Subject::Commit(_) => self.series(Kind::Scan, &scan.tool, &evidence.by),
                    Subject::Digest(_) => Series { what: self.names.take(&scan.tool), ..Series::only(Kind::Scan) },
                };
                series.part = self.names.take(&scan.category);
                self.hear(subject, series, at, &evidence.by);
            }
            Statement::Image(_) => self.push(subject, Series::only(Kind::Image), At { entry: at, leg: 0 }),
            Statement::Sbom(_) => self.push(subject, Series::only(Kind::Sbom), At { entry: at, leg: 0 }),
            // One by a key that does not count takes nothing from one that does.
            Statement::Signature(signature) => {
                let what = self.names.take(&signature.key);
                self.push(subject, Series { what, ..Series::only(Kind::Signature) }, At { entry: at, leg: 0 });
            }
            Statement::Provenance(provenance) => {
                let (what, part) = (self.names.take(&provenance.commit), self.names.take(&provenance.key));
                self.push(subject, Series { what, part, ..Series::only(Kind::Provenance) }, At { entry: at, leg: 0 });
            }
            Statement::Move(statement) => {
                let id = self.names.take(&statement.id);
                self.moves.entry(id).or_default().push(at);
                self.all_moves.push(at);
            }
        }
    }

    fn file_commit(&mut self, subject: Name, commit: &CommitStatement) {
        let tree = self.names.take(&commit.tree);
        let known = self.known.entry(subject).or_default();
        // A commit has one tree for ever: the first word stands.
        if known.tree.is_none() {
            known.tree = Some(tree);
            self.by_tree.entry(tree).or_default().push(subject);
        }
    }

    fn file_adjusted(&mut self, by: &Witness, adjusted: &[String]) {
        // Where no run was started, only what says so itself is adjusted.
        if let Some(run) = started(by)
            && !adjusted.is_empty()
        {
            self.adjusted.insert(run);
        }
    }

    fn file_check(&mut self, subject: Name, at: usize, evidence: &Evidence, check: &lineclear_event::CheckStatement) {
        let what = self.names.take(&check.check);
        let (file, job) = self.origin(&evidence.by, true);
        if !self.names.text(file).is_empty() {
            self.places.insert(what, (file, job));
        }
        if !check.adjusted.is_empty() {
            self.push(subject, Series { what, ..Series::only(Kind::Adjusted) }, At { entry: at, leg: 0 });
            return;
        }
        for (number, leg) in check.legs.iter().enumerate() {
            if leg.conclusion == CheckConclusion::NotRun {
                continue;
            }
            let part = self.names.take(&leg.name);
            let kind = if is_verdict(leg.conclusion) { Kind::Verdict } else { Kind::LeftOut };
            let series = Series { kind, what, file, job, part };
            let fails = counts_as(leg.conclusion, SkippedCounts::Pass) == Counts::Fail;
            if self.hears(subject, series, at, &evidence.by, fails) {
                self.push(subject, series, At { entry: at, leg: number });
            }
        }
    }

    /// Files what is heard, unless it is late: everything that the newest attempt says.
    fn hear(&mut self, subject: Name, series: Series, at: usize, by: &Witness) -> bool {
        let is_heard = self.hears(subject, series, at, by, true);
        if is_heard {
            self.push(subject, series, At { entry: at, leg: 0 });
        }
        is_heard
    }

    /// Whether it is no late message. Of an attempt that was heard of already, only what counts `beside` is heard.
    fn hears(&mut self, subject: Name, series: Series, at: usize, by: &Witness, beside: bool) -> bool {
        // What no run says has no attempts that could overtake each other.
        let Witness::Run(RunWitness { attempt, .. }) = by else { return true };
        let (Some(run), attempt) = (started(by), *attempt) else { return true };
        match self.attempts.entry((subject, series, run)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Heard { attempt, first: at });
                true
            }
            std::collections::hash_map::Entry::Occupied(mut heard) => {
                let is_later = attempt > heard.get().attempt;
                let is_beside = attempt == heard.get().attempt && beside;
                if is_later {
                    heard.insert(Heard { attempt, first: at });
                }
                is_later || is_beside
            }
        }
    }

    /// What a commit reached in an attempt is the lowest that this says of it: all of it has to be reached again.
    fn file_reached(&mut self, commit: Name, series: Series, at: usize, by: &Witness, coverage: &CoverageStatement) {
        let Some(own) = Share::of(coverage.lines_covered, coverage.lines) else { return };
        let reached = |entry: usize, share: Share| Reached { share: std::cmp::Reverse(share), entry, commit };
        let earlier = started(by).map(|run| self.of_attempt(commit, series, run)).unwrap_or_default();
        let earlier = earlier.into_iter().filter(|said| *said < at).filter_map(|said| {
            let Statement::Coverage(coverage) = &self.entry(said)?.evidence.statement else { return None };
            Some(reached(said, Share::of(coverage.lines_covered, coverage.lines)?))
        });
        let lowest = earlier.min_by_key(|one| (one.share.0, one.entry));
        if lowest.is_some_and(|lowest| lowest.share.0 <= own) {
            return;
        }
        let of_report =
            self.reached.entry(Report { name: series.what, file: series.file, job: series.job }).or_default();
        if let Some(lowest) = lowest {
            of_report.remove(&lowest);
        }
        of_report.insert(reached(at, own));
    }

    fn push(&mut self, subject: Name, series: Series, at: At) {
        self.known.entry(subject).or_default().series.entry(series).or_default().push(at);
    }

    fn series(&mut self, kind: Kind, what: &str, by: &Witness) -> Series {
        let (file, job) = self.origin(by, false);
        Series { what: self.names.take(what), file, job, ..Series::only(kind) }
    }

    /// The workflow's file and the job, `of_all_legs` without the leg.
    fn origin(&mut self, by: &Witness, of_all_legs: bool) -> (Name, Name) {
        let Witness::Run(run) = by else { return (Name::FIRST, Name::FIRST) };
        let job = run.job.as_ref().map_or("", |job| job.as_str());
        let job = if of_all_legs { job.split_once(" (").map_or(job, |(job, _)| job) } else { job };
        (self.names.take(&run.file), self.names.take(job))
    }
}

impl Series {
    const fn only(kind: Kind) -> Self {
        Self { kind, what: Name::FIRST, file: Name::FIRST, job: Name::FIRST, part: Name::FIRST }
    }
}

impl Share {
    /// `None` for a part of nothing, and for more than there is.
    pub(crate) fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 || part > whole {
            return None;
        }
        u64::try_from(u128::from(part) * 100_000_000 / u128::from(whole)).ok().map(Self)
    }

    /// The smallest share that is not below so many per cent; `None` for no number.
    pub(crate) fn at_least(percent: f64) -> Option<Self> {
        // Between zero and a hundred million: nothing is lost.
        percent.is_finite().then(|| Self((percent.clamp(0.0, 100.0) * 1_000_000.0).round() as u64))
    }
}

impl std::fmt::Display for Share {
    /// `87.5 %`, rounded down to a tenth: what is below a threshold is not shown as the threshold.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} %", self.0 / 1_000_000, self.0 / 100_000 % 10)
    }
}

/// The run that says it; `None` where none was started, and for whatever no run says.
fn started(by: &Witness) -> Option<RunId> {
    match by {
        Witness::Run(run) => run.started(),
        Witness::Person(_) | Witness::Engine => None,
    }
}

fn image(entry: &Entry) -> Option<&ImageStatement> {
    match &entry.evidence.statement {
        Statement::Image(image) => Some(image),
        _ => None,
    }
}
