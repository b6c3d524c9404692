//! What a gate has to say, by the words of `docs/gate.md`, from the whole ledger every time. Slow and plain on purpose: it shares nothing with the
//! index but the types.

use std::collections::BTreeSet;

use lineclear_event::{
    CheckConclusion as End, CheckLeg, CheckStatement, Evidence, RunId, RunWitness, ScanStatement, Statement, Subject,
    Witness,
};
use lineclear_gate::{Asked, Commits, Entry, RequiredCheck, Rules, SkippedCounts, Standing};

/// What the oracle says: of the requirements only those that block.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) clear: bool,
    pub(crate) commit: Option<String>,
    pub(crate) standings: Vec<Standing>,
}

pub(crate) fn ask(entries: &[Entry], rules: &Rules, asked: &Asked, git: &dyn Commits) -> Verdict {
    let mut said: Vec<&Evidence> = Vec::new();
    for entry in entries {
        if !said.contains(&&entry.evidence) {
            said.push(&entry.evidence);
        }
    }
    let oracle = Oracle { said, rules, asked, git };
    match &asked.subject {
        Subject::Commit(commit) => oracle.verdict(Some(commit), None),
        Subject::Digest(digest) => {
            let verdicts: Vec<Verdict> =
                oracle.origins(digest).iter().map(|commit| oracle.verdict(Some(commit), Some(digest))).collect();
            let clear = verdicts.iter().position(|verdict| verdict.clear).unwrap_or(0);
            verdicts.into_iter().nth(clear).unwrap_or_else(|| oracle.verdict(None, Some(digest)))
        }
    }
}

struct Oracle<'a> {
    said: Vec<&'a Evidence>,
    rules: &'a Rules,
    asked: &'a Asked,
    git: &'a dyn Commits,
}

/// One end of one leg.
#[derive(Clone)]
struct Leg<'a> {
    place: usize,
    evidence: &'a Evidence,
    job: (String, String),
    leg: &'a CheckLeg,
}

impl<'a> Oracle<'a> {
    fn verdict(&self, commit: Option<&str>, digest: Option<&str>) -> Verdict {
        let rules = self.rules;
        let same = commit.map(|commit| self.same(commit)).unwrap_or_default();
        let mut standings = Vec::new();
        for required in &rules.require {
            standings.extend(self.check(required, &same));
        }
        if let Some(rule) = &rules.coverage {
            standings.push(self.coverage(rule.min, rule.ratchet, commit, &same));
        }
        if rules.scan.is_some() {
            let of_commit = self.scans(&same);
            if !of_commit.is_empty() {
                standings.push(self.judge_scans(&of_commit));
            }
            if let Some(digest) = digest {
                standings.push(self.judge_scans(&self.scans(&[digest.to_owned()])));
            }
        }
        if let Some(digest) = digest {
            standings.extend(self.of_digest(digest, commit, &same));
        }
        standings.extend(rules.statements.iter().map(|name| self.stated(name, &same, digest)));
        if standings.is_empty() {
            standings.push(Standing::Missing);
        }
        if digest.is_some() {
            standings.insert(0, if commit.is_some() { Standing::Pass } else { Standing::Missing });
        }
        let lets = |standing: &Standing| matches!(standing, Standing::Pass | Standing::NotNeeded);
        Verdict { clear: standings.iter().all(lets), commit: commit.map(str::to_owned), standings }
    }

    /// Whose word counts at all: no person's, and no run's that was adjusted.
    fn counts(&self, evidence: &Evidence) -> bool {
        match &evidence.by {
            Witness::Person(_) => false,
            Witness::Engine => true,
            Witness::Run(run) => run.run == RunWitness::NOT_STARTED || !self.is_adjusted(run.run),
        }
    }

    fn is_adjusted(&self, id: RunId) -> bool {
        self.said.iter().any(|evidence| {
            let adjusted = match &evidence.statement {
                Statement::Check(check) => &check.adjusted,
                Statement::Run(run) => &run.adjusted,
                _ => return false,
            };
            matches!(&evidence.by, Witness::Run(run) if run.run == id) && !adjusted.is_empty()
        })
    }

    fn tree(&self, commit: &str) -> Option<String> {
        let stated = self.said.iter().find_map(|evidence| match &evidence.statement {
            Statement::Commit(of) if evidence.subject.id() == commit => Some(of.tree.clone()),
            _ => None,
        });
        stated.or_else(|| self.git.tree(commit))
    }

    fn same(&self, commit: &str) -> Vec<String> {
        let mut same = vec![commit.to_owned()];
        let Some(tree) = self.tree(commit) else { return same };
        for evidence in &self.said {
            if let Statement::Commit(of) = &evidence.statement
                && of.tree == tree
                && !same.iter().any(|known| known == evidence.subject.id())
            {
                same.push(evidence.subject.id().to_owned());
            }
        }
        same
    }

    fn origins(&self, digest: &str) -> Vec<String> {
        let mut origins: Vec<String> = Vec::new();
        let images = self.said.iter().filter(|evidence| evidence.subject.id() == digest);
        let images = images.filter_map(|evidence| match (&evidence.statement, &evidence.by) {
            (Statement::Image(image), Witness::Run(_) | Witness::Engine) => Some((image, self.counts(evidence))),
            _ => None,
        });
        for (number, (image, counts)) in images.enumerate() {
            if counts && (number == 0 || image.built) {
                origins.retain(|commit| *commit != image.commit);
                origins.insert(0, image.commit.clone());
            }
        }
        origins
    }

    /// Whether what was said at `place` came later than what a newer attempt of the same run said of the same thing, or than what the same attempt
    /// said, unless it counts beside that.
    fn is_late(&self, place: usize, beside: bool, is_same: &dyn Fn(&Evidence) -> bool) -> bool {
        let evidence = self.said[place];
        let Witness::Run(run) = &evidence.by else { return false };
        if run.run == RunWitness::NOT_STARTED {
            return false;
        }
        self.said[..place].iter().any(|before| match &before.by {
            Witness::Run(other) => {
                let is_newer = other.attempt > run.attempt || (other.attempt == run.attempt && !beside);
                other.run == run.run && before.subject == evidence.subject && is_newer && is_same(before)
            }
            _ => false,
        })
    }

    fn legs(&self, same: &[String], check: &str, wanted: Option<&str>) -> Vec<Leg<'a>> {
        let mut all: Vec<Leg<'a>> = Vec::new();
        for (place, evidence) in self.said.iter().enumerate() {
            let Some(statement) = of_check(evidence, check) else { continue };
            if !same.iter().any(|commit| commit == evidence.subject.id()) || !self.counts(evidence) {
                continue;
            }
            let Witness::Run(run) = &evidence.by else { continue };
            let job = (run.file.clone(), run.job.as_ref().map(ToString::to_string).unwrap_or_default());
            for leg in &statement.legs {
                let is_same = |before: &Evidence| {
                    let of = of_check(before, check);
                    of.is_some_and(|of| {
                        of.legs.iter().any(|one| {
                            one.name == leg.name && speaks(one) == speaks(leg) && one.conclusion != End::NotRun
                        })
                    })
                };
                if leg.conclusion != End::NotRun && !self.is_late(place, fails(leg), &is_same) {
                    all.push(Leg { place, evidence, job: job.clone(), leg });
                }
            }
        }
        let looks_elsewhere = |leg: &Leg<'_>| !leg.leg.since.as_ref().is_some_and(|since| same.contains(since));
        // The newest of each leg, and one that was left out only where nothing else is known.
        let mut newest: Vec<Leg<'a>> = Vec::new();
        for leg in all {
            let known = newest.iter().position(|one| one.job == leg.job && one.leg.name == leg.leg.name);
            match known {
                None => newest.push(leg),
                Some(known) if speaks(leg.leg) => {
                    if !speaks(newest[known].leg) || self.takes_the_place_of(&newest[known], &leg, check) {
                        newest[known] = leg;
                    }
                }
                // One that points back into the same contents says less than one that does not.
                Some(known)
                    if !speaks(newest[known].leg) && (looks_elsewhere(&leg) || !looks_elsewhere(&newest[known])) =>
                {
                    newest[known] = leg;
                }
                Some(_) => {}
            }
        }
        let whole_is_replaced = |leg: &Leg<'_>| {
            newest.iter().any(|one| {
                one.job == leg.job
                    && !one.leg.name.is_empty()
                    && speaks(one.leg)
                    && (!speaks(leg.leg) || (one.place > leg.place && self.takes_the_place_of(leg, one, check)))
            })
        };
        let is_wanted = |leg: &&Leg<'_>| match leg.leg.name.as_str() {
            "" => !whole_is_replaced(leg),
            name => wanted.is_none_or(|wanted| wanted == name),
        };
        newest.iter().filter(is_wanted).cloned().collect()
    }

    /// What failed is taken back by a success of the same context, or of the one that is asked.
    fn takes_the_place_of(&self, before: &Leg<'_>, later: &Leg<'_>, check: &str) -> bool {
        let context = |leg: &Leg<'_>| of_check(leg.evidence, check).map(|of| of.context);
        let is_heard = context(later) == context(before) || context(later) == Some(self.asked.context);
        !fails(before.leg) || fails(later.leg) || is_heard
    }

    fn check(&self, required: &RequiredCheck, same: &[String]) -> Option<Standing> {
        if required.on.is_some_and(|on| on != self.asked.context) {
            return None;
        }
        let (check, wanted) = reading(&required.check);
        let standings = self.legs(same, check, wanted).into_iter().map(|leg| match leg.leg.conclusion {
            _ if fails(leg.leg) => Standing::Fail,
            End::Skipped if self.rules.skipped == SkippedCounts::Fail => Standing::Fail,
            _ if !self.is_fresh(leg.evidence) => Standing::Expired,
            End::Skipped => Standing::NotNeeded,
            End::PathFiltered => self.filtered(leg.leg.since.as_deref(), check, wanted),
            _ => Standing::Pass,
        });
        Some(worst(standings))
    }

    fn filtered(&self, since: Option<&str>, check: &str, wanted: Option<&str>) -> Standing {
        let mut since = since.map(str::to_owned);
        // No history here is as long; what is, goes round in a circle.
        for _ in 0..100 {
            let Some(commit) = since else { return Standing::NotNeeded };
            let same = self.same(&commit);
            let legs = self.legs(&same, check, wanted);
            if legs.iter().any(|leg| fails(leg.leg)) {
                return Standing::Fail;
            }
            let filtered = legs.iter().filter(|leg| leg.leg.conclusion == End::PathFiltered && leg.leg.since.is_some());
            let outward = filtered.filter(|leg| leg.leg.since.as_ref().is_some_and(|since| !same.contains(since)));
            since = outward.max_by_key(|leg| leg.place).and_then(|leg| leg.leg.since.clone());
        }
        Standing::Fail
    }

    fn is_fresh(&self, evidence: &Evidence) -> bool {
        let age = self.asked.now.0 - evidence.at.0;
        self.rules.fresh_for_ms.is_none_or(|limit| age <= i64::try_from(limit).expect("a short time"))
    }

    fn passed(&self, evidence: &Evidence) -> Standing {
        if self.is_fresh(evidence) { Standing::Pass } else { Standing::Expired }
    }

    fn coverage(&self, min: Option<f64>, ratchet: bool, commit: Option<&str>, same: &[String]) -> Standing {
        let heard: Vec<(&Evidence, u64, u64)> = self
            .said
            .iter()
            .enumerate()
            .filter_map(|(place, evidence)| match &evidence.statement {
                Statement::Coverage(coverage) if self.counts(evidence) => {
                    let is_same = |before: &Evidence| {
                        matches!(before.statement, Statement::Coverage(_)) && series(before) == series(evidence)
                    };
                    (!self.is_late(place, true, &is_same)).then_some((
                        *evidence,
                        coverage.lines_covered,
                        coverage.lines,
                    ))
                }
                _ => None,
            })
            .collect();
        let is_here = |evidence: &Evidence| same.iter().any(|commit| commit == evidence.subject.id());
        let mut newest: Vec<(&Evidence, u64, u64)> = Vec::new();
        for one in heard.iter().filter(|(evidence, ..)| is_here(evidence)) {
            newest.retain(|(evidence, ..)| series(evidence) != series(one.0));
            newest.extend(heard.iter().filter(|(other, ..)| series(other) == series(one.0) && is_beside(other, one.0)));
        }
        worst(newest.into_iter().map(|(evidence, covered, lines)| {
            if lines == 0 || covered > lines {
                return Standing::Fail;
            }
            if min.is_some_and(|min| (covered * 100) < lines * (min as u64)) {
                return Standing::Fail;
            }
            let is_before = |other: &Evidence| {
                series(other) == series(evidence)
                    && !is_here(other)
                    && commit.is_some_and(|commit| self.git.is_ancestor(other.subject.id(), commit) == Some(true))
            };
            // What an attempt reached is the lowest that it says.
            let reached = |other: &Evidence| {
                let said = heard.iter().filter(|(one, ..)| series(one) == series(other) && is_beside(one, other));
                let said = said.filter(|(_, covered, lines)| *lines > 0 && covered <= lines);
                said.map(|(_, covered, lines)| (*covered, *lines)).min_by(|(a, b), (c, d)| (a * d).cmp(&(c * b)))
            };
            let is_step_back = heard.iter().any(|(other, ..)| {
                is_before(other) && reached(other).is_some_and(|(more, of)| covered * of < more * lines)
            });
            if ratchet && is_step_back { Standing::Fail } else { self.passed(evidence) }
        }))
    }

    fn scans(&self, subjects: &[String]) -> Vec<(&'a Evidence, &'a ScanStatement)> {
        let key = |evidence: &Evidence, scan: &ScanStatement| {
            let origin = match evidence.subject {
                Subject::Commit(_) => series(evidence),
                Subject::Digest(_) => Default::default(),
            };
            (scan.tool.clone(), scan.category.clone(), origin)
        };
        let mut newest: Vec<(&'a Evidence, &'a ScanStatement)> = Vec::new();
        for (place, evidence) in self.said.iter().enumerate() {
            let Statement::Scan(scan) = &evidence.statement else { continue };
            if !subjects.iter().any(|subject| subject == evidence.subject.id()) || !self.counts(evidence) {
                continue;
            }
            let is_same = |before: &Evidence| match &before.statement {
                Statement::Scan(other) => key(before, other) == key(evidence, scan),
                _ => false,
            };
            if !self.is_late(place, true, &is_same) {
                newest.retain(|(other, of)| key(other, of) != key(evidence, scan));
                let all = self.said.iter().take(place).filter_map(|other| match &other.statement {
                    Statement::Scan(of) if key(other, of) == key(evidence, scan) => Some((*other, of)),
                    _ => None,
                });
                newest.extend(all.filter(|(other, _)| is_beside(other, evidence)));
                newest.push((*evidence, scan));
            }
        }
        newest
    }

    fn judge_scans(&self, scans: &[(&Evidence, &ScanStatement)]) -> Standing {
        let Some(rule) = &self.rules.scan else { return Standing::Missing };
        let mut different = BTreeSet::new();
        let mut blocking = 0;
        for (_, scan) in scans {
            blocking += rule.block.iter().map(|severity| scan.counts.get(severity).copied().unwrap_or(0)).sum::<u64>();
            for found in scan.found.iter().filter(|found| rule.block.contains(&found.severity)) {
                blocking -= 1;
                different.insert((&found.id, &found.place));
            }
        }
        let over = (blocking + different.len() as u64 > rule.budget).then_some(Standing::Fail);
        let today = self.asked.now.to_string();
        let is_over = |scan: &ScanStatement| {
            scan.ignored_until.iter().any(|one| {
                let counts = match one.severity {
                    Some(severity) => rule.block.contains(&severity),
                    None => true,
                };
                counts && !today.starts_with(&one.day) && one.day < today
            })
        };
        let each = scans.iter().map(|(evidence, scan)| match scan.unreadable.is_empty() && !is_over(scan) {
            true => self.passed(evidence),
            false => Standing::Missing,
        });
        worst(over.into_iter().chain(each))
    }

    fn of_digest(&self, digest: &str, commit: Option<&str>, same: &[String]) -> Vec<Standing> {
        let of = |is: &dyn Fn(&Statement) -> bool| {
            self.said
                .iter()
                .rev()
                .find(|one| one.subject.id() == digest && self.counts(one) && is(&one.statement))
                .copied()
        };
        let newest = |is: &dyn Fn(&Statement) -> bool| of(is).map_or(Standing::Missing, |one| self.passed(one));
        let mut standings = Vec::new();
        if self.rules.sbom {
            standings.push(newest(&|statement| matches!(statement, Statement::Sbom(_))));
        }
        if self.rules.signature {
            let by = |key: &str| of(&|statement| matches!(statement, Statement::Signature(of) if of.key == key));
            let own = by("key").map(|one| self.passed(one));
            standings.push(match (own, by("foreign")) {
                (Some(Standing::Pass), _) => Standing::Pass,
                (own, foreign) => worst(own.into_iter().chain(foreign.map(|_| Standing::Fail))),
            });
        }
        if self.rules.provenance {
            let named: BTreeSet<&str> = self
                .said
                .iter()
                .filter_map(|one| match &one.statement {
                    Statement::Provenance(provenance) => Some(provenance.commit.as_str()),
                    _ => None,
                })
                .collect();
            let mut each = Vec::new();
            for (name, key) in named.into_iter().flat_map(|name| [(name, "key"), (name, "foreign")]) {
                let is = |statement: &Statement| matches!(statement, Statement::Provenance(of) if of.commit == name && of.key == key);
                let is_own = key == "key" && (commit == Some(name) || same.iter().any(|commit| commit == name));
                each.extend(of(&is).map(|one| if is_own { self.passed(one) } else { Standing::Fail }));
            }
            standings.push(if each.contains(&Standing::Pass) { Standing::Pass } else { worst(each) });
        }
        standings
    }

    fn stated(&self, name: &str, same: &[String], digest: Option<&str>) -> Standing {
        let newest = |subjects: &[String]| {
            self.said.iter().rev().find_map(|one| match (&one.statement, &one.by) {
                (Statement::Stated(stated), Witness::Person(_))
                    if stated.name == name && subjects.iter().any(|subject| subject == one.subject.id()) =>
                {
                    Some(if stated.passes { self.passed(one) } else { Standing::Fail })
                }
                _ => None,
            })
        };
        let of_digest: Vec<String> = digest.map(str::to_owned).into_iter().collect();
        worst([newest(same), newest(&of_digest)].into_iter().flatten())
    }
}

fn of_check<'e>(evidence: &'e Evidence, check: &str) -> Option<&'e CheckStatement> {
    match &evidence.statement {
        Statement::Check(statement) if statement.check == check && statement.adjusted.is_empty() => Some(statement),
        _ => None,
    }
}

fn reading(check: &str) -> (&str, Option<&str>) {
    match check.strip_suffix(')').and_then(|check| check.split_once(" (")) {
        Some((check, leg)) => (check, Some(leg)),
        None => (check, None),
    }
}

/// The file and the job of the run that says it.
fn series(evidence: &Evidence) -> (String, String) {
    match &evidence.by {
        Witness::Run(run) => (run.file.clone(), run.job.as_ref().map(ToString::to_string).unwrap_or_default()),
        _ => Default::default(),
    }
}

/// Whether both are of the same thing and the same attempt of a run; or the very same.
fn is_beside(one: &Evidence, other: &Evidence) -> bool {
    match (&one.by, &other.by) {
        (Witness::Run(a), Witness::Run(b)) if a.run != RunWitness::NOT_STARTED => {
            one.subject == other.subject && (a.run, a.attempt) == (b.run, b.attempt)
        }
        _ => std::ptr::eq(one, other),
    }
}

/// Whether it ended with a yes or no.
fn speaks(leg: &CheckLeg) -> bool {
    !matches!(leg.conclusion, End::Skipped | End::PathFiltered | End::NotRun)
}

fn fails(leg: &CheckLeg) -> bool {
    speaks(leg) && !matches!(leg.conclusion, End::Success | End::Neutral)
}

fn worst(standings: impl IntoIterator<Item = Standing>) -> Standing {
    let all: Vec<Standing> = standings.into_iter().collect();
    [Standing::Fail, Standing::Missing, Standing::Expired, Standing::Pass, Standing::NotNeeded]
        .into_iter()
        .find(|standing| all.contains(standing))
        .unwrap_or(Standing::Missing)
}
