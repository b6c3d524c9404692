//! What the histories are made of: commits with trees and parents, rules, and what runs, scanners and people say.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, CommitStatement, CoverageStatement, Evidence, Finding,
    IgnoredUntil, ImageStatement, JobKey, PersonStatement, ProvenanceStatement, RunId, RunStatement, RunWitness,
    SbomStatement, ScanStatement, Severity, SignatureStatement, Statement, Subject, TestTotals, TestsStatement,
    Timestamp, Witness,
};
use lineclear_gate::{Commits, CoverageRule, RequiredCheck, Rules, ScanRule, SkippedCounts};

use crate::random::Random;

/// Check, its file, its job, its legs.
const CHECKS: [(&str, &str, &str, &[&str]); 3] = [
    ("CI / test", "ci.yml", "test", &["3.11", "3.12"]),
    ("CI / lint", "ci.yml", "lint", &[""]),
    ("E2E / full", "e2e.yml", "full", &[""]),
];

pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<usize>,
    /// Itself and its ancestors, a bit each.
    pub(crate) before: u64,
}

/// What git knows, and what happens outside of the ledger.
pub(crate) struct World {
    pub(crate) commits: Vec<Commit>,
    pub(crate) now: i64,
    runs: Vec<(RunId, u32, usize, &'static str)>,
    digests: Vec<String>,
    /// A commit that git does not have here.
    unknown: Option<usize>,
}

impl Commits for World {
    fn tree(&self, commit: &str) -> Option<String> {
        Some(self.commits[self.number(commit)?].tree.clone())
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        let (old, new) = (self.number(old)?, self.number(new)?);
        Some(self.commits[new].before & (1 << old) != 0)
    }
}

impl World {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut world = Self { commits: Vec::new(), now: 1000, runs: Vec::new(), digests: Vec::new(), unknown: None };
        world.commit(random);
        world.commit(random);
        if random.once_in(20) {
            world.unknown = Some(random.below(2));
        }
        world
    }

    fn number(&self, commit: &str) -> Option<usize> {
        let found = self.commits.iter().position(|one| one.id == commit);
        found.filter(|found| Some(*found) != self.unknown)
    }

    /// A new commit: on a line of its own, a merge, one with the tree of an earlier one.
    pub(crate) fn commit(&mut self, random: &mut Random) {
        let count = self.commits.len();
        if count == 12 {
            return;
        }
        let mut parents = Vec::new();
        if count > 0 {
            parents.push(if random.once_in(3) { random.below(count) } else { count - 1 });
            let second = random.below(count);
            if random.once_in(4) && !parents.contains(&second) {
                parents.push(second);
            }
        }
        let tree = match count > 0 && random.once_in(4) {
            true => self.commits[random.below(count)].tree.clone(),
            false => format!("{:040x}", 0x7000 + count),
        };
        let before = parents.iter().fold(1 << count, |all, parent| all | self.commits[*parent].before);
        self.commits.push(Commit { id: format!("{:040x}", 0xc000 + count), tree, parents, before });
    }

    pub(crate) fn rules(random: &mut Random) -> Rules {
        let mut rules = Rules { gate: "main".into(), ..Rules::default() };
        // Half of the gates are easily clear, so that images move.
        let is_mild = random.once_in(2);
        if is_mild {
            let check = *random.of(&["CI / lint", "CI / test", "E2E / full"]);
            rules.require.push(RequiredCheck { check: check.into(), on: None });
            return rules;
        }
        let contexts = [None, None, None, Some(CheckContext::PullRequest), Some(CheckContext::Push)];
        for check in ["CI / test", "CI / lint", "E2E / full", "CI / test (3.12)"] {
            if random.once_in(2) {
                rules.require.push(RequiredCheck { check: check.into(), on: *random.of(&contexts) });
            }
        }
        if random.once_in(3) {
            rules.supplementary.push("E2E / full".into());
        }
        if random.once_in(4) {
            rules.skipped = SkippedCounts::Fail;
        }
        if random.once_in(4) {
            let min = [None, Some(50.0), Some(80.0)];
            rules.coverage = Some(CoverageRule { min: *random.of(&min), ratchet: random.once_in(2) });
        }
        if random.once_in(3) {
            let block = [vec![], vec![Severity::Critical], vec![Severity::Critical, Severity::High]];
            let block = random.of(&block).iter().copied().collect();
            rules.scan = Some(ScanRule { block, budget: random.below(3) as u64 });
        }
        rules.sbom = random.once_in(6);
        rules.signature = random.once_in(6);
        rules.provenance = random.once_in(6);
        rules.keys = ["key".to_owned()].into();
        rules.fresh_for_ms = random.once_in(4).then(|| 20 + random.below(60) as u64);
        if random.once_in(5) {
            rules.statements.push("review".into());
        }
        rules
    }

    pub(crate) fn a_commit(&self, random: &mut Random) -> usize {
        // The newest matter most.
        if random.once_in(2) { self.commits.len() - 1 } else { random.below(self.commits.len()) }
    }

    pub(crate) fn a_digest(&self, random: &mut Random) -> Option<String> {
        if self.digests.is_empty() {
            return None;
        }
        let newest = self.digests.len() - 1;
        Some(self.digests[if random.once_in(2) { newest } else { random.below(newest + 1) }].clone())
    }

    /// The next thing that somebody says, as many messages.
    pub(crate) fn happens(&mut self, random: &mut Random) -> Vec<Evidence> {
        match random.below(11) {
            0 => vec![self.says_commit(random)],
            10 => vec![self.leaves_out(random)],
            1..=4 => self.runs(random),
            5 => self.runs_again(random),
            6 | 7 => self.of_digest(random).into_iter().collect(),
            8 => vec![self.says(random)],
            _ => {
                self.commit(random);
                vec![self.says_commit(random)]
            }
        }
    }

    fn evidence(&self, subject: Subject, by: Witness, statement: Statement) -> Evidence {
        Evidence { subject, at: Timestamp(self.now), by, statement }
    }

    fn says_commit(&self, random: &mut Random) -> Evidence {
        let commit = &self.commits[self.a_commit(random)];
        let parents = commit.parents.iter().map(|parent| self.commits[*parent].id.clone()).collect();
        let statement = Statement::Commit(CommitStatement { tree: commit.tree.clone(), parents });
        self.evidence(Subject::Commit(commit.id.clone()), Witness::Engine, statement)
    }

    /// No run was started, because of the paths; of all of these the number is the same.
    fn leaves_out(&self, random: &mut Random) -> Evidence {
        let commit = self.a_commit(random);
        let (check, file, job, _) = random.of(&CHECKS);
        let by = RunWitness {
            run: RunWitness::NOT_STARTED,
            attempt: 1,
            file: (*file).into(),
            event: "push".into(),
            job: Some(JobKey::new(*job)),
        };
        let since = self.commits[commit].parents.first().map(|since| self.commits[*since].id.clone());
        let conclusion = CheckConclusion::PathFiltered;
        let leg = CheckLeg { name: String::new(), conclusion, reason: String::new(), since };
        let adjusted = if random.once_in(6) { vec!["--env".to_owned()] } else { Vec::new() };
        let context = *random.of(&[CheckContext::Push, CheckContext::PullRequest]);
        let statement = CheckStatement { check: (*check).into(), context, legs: vec![leg], adjusted };
        let subject = Subject::Commit(self.commits[commit].id.clone());
        self.evidence(subject, Witness::Run(by), Statement::Check(statement))
    }

    fn runs(&mut self, random: &mut Random) -> Vec<Evidence> {
        let commit = self.a_commit(random);
        let run = RunId(self.runs.len() as u64 + 1);
        let file = *random.of(&["ci.yml", "e2e.yml"]);
        self.runs.push((run, 1, commit, file));
        self.attempt(random, run, 1, commit, file, false)
    }

    fn runs_again(&mut self, random: &mut Random) -> Vec<Evidence> {
        if self.runs.is_empty() {
            return Vec::new();
        }
        let at = random.below(self.runs.len());
        self.runs[at].1 += 1;
        let (run, attempt, commit, file) = self.runs[at];
        self.attempt(random, run, attempt, commit, file, true)
    }

    fn attempt(
        &mut self,
        random: &mut Random,
        run: RunId,
        attempt: u32,
        commit: usize,
        file: &'static str,
        again: bool,
    ) -> Vec<Evidence> {
        let subject = Subject::Commit(self.commits[commit].id.clone());
        let adjusted = if random.once_in(12) { vec!["--env".to_owned()] } else { Vec::new() };
        let by = |job: Option<&str>| {
            let job = job.map(JobKey::new);
            Witness::Run(RunWitness { run, attempt, file: file.into(), event: "push".into(), job })
        };
        let since = self.commits[commit].parents.first().copied().or(random.once_in(9).then_some(commit));
        let since = since.map(|since| self.commits[since].id.clone());
        let mut said = Vec::new();
        for (check, _, job, legs) in CHECKS.iter().filter(|(_, of, _, _)| *of == file) {
            if again && random.once_in(2) {
                continue;
            }
            let whole = random.once_in(8);
            let legs = if whole { &[""] } else { *legs };
            let legs = legs.iter().map(|leg| leg_end(random, leg, since.as_deref())).collect();
            let context = *random.of(&[CheckContext::Push, CheckContext::PullRequest, CheckContext::Other]);
            let statement = CheckStatement { check: (*check).into(), context, legs, adjusted: adjusted.clone() };
            said.push(self.evidence(subject.clone(), by(Some(job)), Statement::Check(statement)));
        }
        // Legs of a matrix may have one name for their reports.
        for _ in 0..*random.of(&[0, 0, 0, 1, 1, 2]) {
            let statement = CoverageStatement {
                name: "lcov".into(),
                lines_covered: *random.of(&[4, 5, 8, 8, 9, 9, 10, 11]),
                lines: *random.of(&[10, 10, 10, 10, 10, 10, 10, 0]),
            };
            said.push(self.evidence(subject.clone(), by(Some("test (3.11)")), Statement::Coverage(statement)));
        }
        if random.once_in(6) {
            let totals = TestTotals { passed: 3, flaky: random.below(2) as u64, ..TestTotals::default() };
            let tests = TestsStatement { name: "unit".into(), totals, flaky: Vec::new(), failed: Vec::new() };
            said.push(self.evidence(subject.clone(), by(Some("test (3.11)")), Statement::Tests(tests)));
        }
        for _ in 0..*random.of(&[0, 0, 0, 1, 1, 2]) {
            said.push(self.evidence(subject.clone(), by(Some("lint")), Statement::Scan(scan(random))));
        }
        for job in ["scan", "lint"] {
            if let Some(digest) = self.a_digest(random).filter(|_| random.once_in(6)) {
                said.push(self.evidence(Subject::Digest(digest), by(Some(job)), Statement::Scan(scan(random))));
            }
        }
        if random.once_in(2) {
            said.push(self.image(random, by(Some("build")), commit));
        }
        if random.once_in(2) {
            let run = RunStatement {
                workflow: file.into(),
                conclusion: CheckConclusion::Success,
                head_branch: "main".into(),
                head_repository: "a/b".into(),
                adjusted,
            };
            said.push(self.evidence(subject, by(None), Statement::Run(run)));
        }
        said
    }

    /// A new image, the same again, or one of another commit that is only pushed.
    fn image(&mut self, random: &mut Random, by: Witness, commit: usize) -> Evidence {
        let (digest, built) = match self.a_digest(random).filter(|_| random.once_in(3)) {
            Some(digest) => (digest, random.once_in(2)),
            None => {
                let digest = format!("sha256:{:064x}", 0xd000 + self.digests.len());
                self.digests.push(digest.clone());
                (digest, !random.once_in(5))
            }
        };
        let image = ImageStatement {
            image: "backend".into(),
            names: Vec::new(),
            commit: self.commits[commit].id.clone(),
            built,
            platforms: Vec::new(),
            children: self.a_digest(random).into_iter().collect(),
            user: String::new(),
        };
        self.evidence(Subject::Digest(digest), by, Statement::Image(image))
    }

    fn of_digest(&self, random: &mut Random) -> Option<Evidence> {
        let subject = Subject::Digest(self.a_digest(random)?);
        let commit = self.commits[self.a_commit(random)].id.clone();
        let statement = match random.below(7) {
            0..=2 => Statement::Scan(scan(random)),
            3 => Statement::Sbom(SbomStatement {
                format: "spdx".into(),
                document: String::new(),
                packages: 3,
                attached: None,
            }),
            4 => Statement::Signature(SignatureStatement { key: key(random), form: "cosign".into(), attached: None }),
            5 => Statement::Provenance(ProvenanceStatement {
                predicate: String::new(),
                builder: "lineclear".into(),
                commit,
                key: key(random),
                attached: None,
            }),
            _ => return Some(self.stated(random, subject)),
        };
        let by = if random.once_in(8) { Witness::Person("Ann".into()) } else { Witness::Engine };
        Some(self.evidence(subject, by, statement))
    }

    fn says(&self, random: &mut Random) -> Evidence {
        let subject = Subject::Commit(self.commits[self.a_commit(random)].id.clone());
        self.stated(random, subject)
    }

    fn stated(&self, random: &mut Random, subject: Subject) -> Evidence {
        let statement = PersonStatement {
            name: "review".into(),
            passes: !random.once_in(3),
            note: String::new(),
            files: BTreeMap::new(),
        };
        let by = if random.once_in(8) { Witness::Engine } else { Witness::Person("Ann".into()) };
        self.evidence(subject, by, Statement::Stated(statement))
    }
}

fn leg_end(random: &mut Random, name: &str, since: Option<&str>) -> CheckLeg {
    let conclusion = match random.below(20) {
        0..=12 => CheckConclusion::Success,
        13 => CheckConclusion::Failure,
        14 => CheckConclusion::Cancelled,
        15 => CheckConclusion::Skipped,
        16 | 17 => CheckConclusion::PathFiltered,
        18 => CheckConclusion::NotRun,
        _ => *random.of(&[
            CheckConclusion::TimedOut,
            CheckConclusion::Neutral,
            CheckConclusion::ActionRequired,
            CheckConclusion::Stale,
            CheckConclusion::StartupFailure,
        ]),
    };
    let since = since.filter(|_| conclusion == CheckConclusion::PathFiltered).map(str::to_owned);
    CheckLeg { name: name.into(), conclusion, reason: String::new(), since }
}

fn scan(random: &mut Random) -> ScanStatement {
    let mut counts = BTreeMap::new();
    let mut found = BTreeSet::new();
    for severity in [Severity::Critical, Severity::High, Severity::Low] {
        let count = random.below(4).saturating_sub(1);
        counts.insert(severity, count as u64);
        // Not all of them are listed.
        for number in 0..count.min(1) {
            let id = format!("CVE-{number}");
            let (place, version, fixed, title) = ("openssl".into(), String::new(), String::new(), String::new());
            found.insert(Finding { severity, id, place, version, fixed, title });
        }
    }
    let tool = (*random.of(&["trivy", "bandit"])).into();
    let kind = random.below(9);
    // The histories are of the first day of 1970.
    let ignored_until = match kind {
        1 => vec![(Some(Severity::Critical), "1969-12-31"), (Some(Severity::Low), "1970-01-01")],
        2 => vec![(Some(Severity::Low), "1969-12-31"), (None, "2026-12-31")],
        3 => vec![(None, "1969-12-31")],
        _ => Vec::new(),
    };
    let until = |(severity, day): (_, &str)| IgnoredUntil { severity, day: day.into(), id: "CVE-9".into() };
    ScanStatement {
        tool,
        counts,
        found: found.into_iter().collect(),
        unreadable: if kind == 0 { "cut off".into() } else { String::new() },
        ignored_until: ignored_until.into_iter().map(until).collect(),
        ..ScanStatement::default()
    }
}

/// Most signatures are by the key that counts.
fn key(random: &mut Random) -> String {
    if random.once_in(4) { "foreign".into() } else { "key".into() }
}
