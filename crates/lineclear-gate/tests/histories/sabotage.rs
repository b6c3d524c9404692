//! Whether the histories would notice a rule that is broken: each is broken on purpose, and has to be found.

use lineclear_event::{CheckConclusion, CheckLeg, Evidence, MovedTag, Statement, Subject};
use lineclear_gate::{
    Asked, Commits, Decision, Entry, Held, Index, Rules, SkippedCounts, Target, WantedTag, decide, plan_tags,
};

use crate::simulation::{Parts, simulate};

/// So many histories have to be enough.
const HISTORIES: u64 = 20_000;

fn is_noticed(parts: &dyn Parts, how: &str) {
    let fault = (0..HISTORIES).find_map(|seed| simulate(seed, parts).err());
    let fault = fault.unwrap_or_else(|| panic!("{HISTORIES} histories do not notice it"));
    assert!(fault.contains(how), "it is noticed by something else: {fault}");
}

/// Decides over evidence that was changed by `forge`.
struct Forged(fn(&Asked, &mut Evidence) -> bool);

impl Parts for Forged {
    fn decide(&self, rules: &Rules, asked: &Asked, index: &Index, commits: &dyn Commits) -> Decision {
        let mut forged = Index::default();
        for entry in index.entries() {
            let mut entry: Entry = entry.clone();
            if (self.0)(asked, &mut entry.evidence) {
                forged.add(entry);
            }
        }
        decide(rules, asked, &forged, commits)
    }
}

/// Decides by other rules.
struct Lax(fn(&mut Rules));

impl Parts for Lax {
    fn decide(&self, rules: &Rules, asked: &Asked, index: &Index, commits: &dyn Commits) -> Decision {
        let mut lax = rules.clone();
        (self.0)(&mut lax);
        decide(&lax, asked, index, commits)
    }
}

fn each_leg(evidence: &mut Evidence, change: impl Fn(&mut CheckLeg)) {
    if let Statement::Check(check) = &mut evidence.statement {
        check.legs.iter_mut().for_each(change);
    }
}

const DIFFERS: &str = "the oracle says";

#[test]
fn a_failure_that_is_not_seen_is_noticed() {
    let no_failures = |_: &Asked, evidence: &mut Evidence| {
        each_leg(evidence, |leg| {
            if leg.conclusion == CheckConclusion::Failure {
                leg.conclusion = CheckConclusion::NotRun;
            }
        });
        true
    };
    is_noticed(&Forged(no_failures), DIFFERS);
}

#[test]
fn evidence_of_a_sibling_digest_is_noticed() {
    let of_siblings = |asked: &Asked, evidence: &mut Evidence| {
        if matches!(evidence.statement, Statement::Scan(_) | Statement::Signature(_) | Statement::Sbom(_))
            && matches!((&evidence.subject, &asked.subject), (Subject::Digest(_), Subject::Digest(_)))
        {
            evidence.subject = asked.subject.clone();
        }
        true
    };
    is_noticed(&Forged(of_siblings), DIFFERS);
}

#[test]
fn evidence_of_adjusted_runs_is_noticed() {
    let not_adjusted = |_: &Asked, evidence: &mut Evidence| {
        match &mut evidence.statement {
            Statement::Check(check) => check.adjusted.clear(),
            Statement::Run(run) => run.adjusted.clear(),
            _ => {}
        }
        true
    };
    is_noticed(&Forged(not_adjusted), DIFFERS);
}

#[test]
fn a_message_that_counts_again_when_it_comes_again_is_noticed() {
    struct Doubled;
    impl Parts for Doubled {
        fn decide(&self, rules: &Rules, asked: &Asked, index: &Index, commits: &dyn Commits) -> Decision {
            let mut forged = Index::default();
            for entry in index.entries() {
                let mut entry = entry.clone();
                // As if every message were one of a run of its own.
                if let lineclear_event::Witness::Run(run) = &mut entry.evidence.by {
                    run.run.0 = run.run.0 * 1000 + entry.number;
                }
                forged.add(entry);
            }
            decide(rules, asked, &forged, commits)
        }
    }
    is_noticed(&Doubled, DIFFERS);
}

#[test]
fn a_filter_that_hides_a_failure_is_noticed() {
    let no_since = |_: &Asked, evidence: &mut Evidence| {
        each_leg(evidence, |leg| leg.since = None);
        true
    };
    is_noticed(&Forged(no_since), DIFFERS);
}

#[test]
fn evidence_that_does_not_follow_trees_or_follows_more_is_noticed() {
    let no_trees = |_: &Asked, evidence: &mut Evidence| !matches!(evidence.statement, Statement::Commit(_));
    is_noticed(&Forged(no_trees), DIFFERS);
    let one_tree = |_: &Asked, evidence: &mut Evidence| {
        if let Statement::Commit(commit) = &mut evidence.statement {
            commit.tree = "0".repeat(40);
        }
        true
    };
    is_noticed(&Forged(one_tree), DIFFERS);
}

#[test]
fn an_ignore_that_never_ends_is_noticed() {
    let for_ever = |_: &Asked, evidence: &mut Evidence| {
        if let Statement::Scan(scan) = &mut evidence.statement {
            scan.ignored_until.clear();
        }
        true
    };
    is_noticed(&Forged(for_ever), DIFFERS);
}

#[test]
fn rules_that_are_not_kept_are_noticed() {
    let broken: [fn(&mut Rules); 8] = [
        |rules| rules.fresh_for_ms = None,
        |rules| rules.skipped = SkippedCounts::Pass,
        |rules| rules.require.iter_mut().for_each(|required| required.on = None),
        |rules| rules.scan.iter_mut().for_each(|scan| scan.budget += 1),
        |rules| rules.coverage.iter_mut().for_each(|coverage| coverage.ratchet = false),
        |rules| rules.coverage.iter_mut().for_each(|coverage| coverage.min = None),
        |rules| rules.statements.clear(),
        |rules| rules.provenance = false,
    ];
    for (number, rule) in broken.into_iter().enumerate() {
        println!("rule {number}");
        is_noticed(&Lax(rule), DIFFERS);
    }
}

/// Nothing is compared with the oracle but what is published in the end.
struct Unguarded;

impl Parts for Unguarded {
    fn asks(&self) -> bool {
        false
    }
    fn is_compared(&self) -> bool {
        false
    }
}

#[test]
fn publishing_without_the_gate_is_noticed() {
    is_noticed(&Unguarded, "while it was red");
}

#[test]
fn tags_that_move_as_they_like_are_noticed() {
    struct AsTheyLike;
    impl Parts for AsTheyLike {
        fn plan(
            &self,
            wanted: &[(WantedTag, Option<Held>)],
            to: Target<'_>,
            index: &Index,
            commits: &dyn Commits,
        ) -> Vec<MovedTag> {
            let mut tags = plan_tags(wanted.iter().map(|(wanted, held)| (wanted, held.as_ref())), to, index, commits);
            tags.iter_mut().for_each(|tag| tag.stays = None);
            tags
        }
    }
    let fault = (0..HISTORIES).find_map(|seed| simulate(seed, &AsTheyLike).err());
    let fault = fault.expect("it is noticed");
    assert!(fault.contains("does not come after") || fault.contains("was moved"), "{fault}");
}

#[test]
fn a_tag_that_never_moves_is_noticed() {
    struct Stays;
    impl Parts for Stays {
        fn plan(
            &self,
            wanted: &[(WantedTag, Option<Held>)],
            to: Target<'_>,
            index: &Index,
            commits: &dyn Commits,
        ) -> Vec<MovedTag> {
            let mut tags = plan_tags(wanted.iter().map(|(wanted, held)| (wanted, held.as_ref())), to, index, commits);
            for tag in tags.iter_mut().filter(|tag| tag.from.is_some()) {
                tag.stays = Some("it stays".into());
            }
            tags
        }
    }
    is_noticed(&Stays, "comes after it");
}

#[test]
fn moves_that_nobody_ends_are_noticed() {
    struct Forgetful;
    impl Parts for Forgetful {
        fn settles(&self) -> bool {
            false
        }
    }
    let fault = (0..HISTORIES).find_map(|seed| simulate(seed, &Forgetful).err());
    assert!(fault.expect("it is noticed").contains("which no move made it"));
}
