//! One history: messages arrive, images are published, processes crash, and after every step the invariants are looked at.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use lineclear_event::{
    CheckContext, Evidence, MoveKind, MovePhase, MoveStatement, MovedTag, Statement, Subject, Timestamp, Witness,
};
use lineclear_gate::{
    Asked, Commits, Decision, Effect, Entry, Happened, Held, Index, Keeps, Move, Next, Rules, Target, WantedTag,
    decide, plan_tags, replay, what_next,
};
use lineclear_oci::Tag;

use crate::oracle::{self, Verdict};
use crate::random::Random;
use crate::world::World;

const REPOSITORY: &str = "registry/backend";

/// The parts that a history is played with; a wrong one has to be noticed.
pub(crate) trait Parts {
    fn decide(&self, rules: &Rules, asked: &Asked, index: &Index, commits: &dyn Commits) -> Decision {
        decide(rules, asked, index, commits)
    }

    fn plan(
        &self,
        wanted: &[(WantedTag, Option<Held>)],
        to: Target<'_>,
        index: &Index,
        commits: &dyn Commits,
    ) -> Vec<MovedTag> {
        plan_tags(wanted.iter().map(|(wanted, held)| (wanted, held.as_ref())), to, index, commits)
    }

    /// Whether the gate is asked before the first effect, and after the copy.
    fn asks(&self) -> bool {
        true
    }

    /// Whether moves that were cut off are looked at before the next one.
    fn settles(&self) -> bool {
        true
    }

    /// Whether decisions are made once more in the end.
    fn is_replayed(&self) -> bool {
        false
    }

    /// Whether every decision is held against the oracle's, or only what is published.
    fn is_compared(&self) -> bool {
        true
    }
}

pub(crate) struct Honest;

impl Parts for Honest {
    fn is_replayed(&self) -> bool {
        true
    }
}

/// What was seen in histories.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) clear: u64,
    pub(crate) blocked: u64,
    pub(crate) done: u64,
    pub(crate) undone: u64,
    pub(crate) finished_later: u64,
    pub(crate) crashes: u64,
    pub(crate) stayed: u64,
    pub(crate) doubled: u64,
    pub(crate) late: u64,
    pub(crate) replayed: u64,
    pub(crate) published_while_red: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self {
            clear,
            blocked,
            done,
            undone,
            finished_later,
            crashes,
            stayed,
            doubled,
            late,
            replayed,
            published_while_red,
        } = other;
        self.clear += clear;
        self.blocked += blocked;
        self.done += done;
        self.undone += undone;
        self.finished_later += finished_later;
        self.crashes += crashes;
        self.stayed += stayed;
        self.doubled += doubled;
        self.late += late;
        self.replayed += replayed;
        self.published_while_red += published_while_red;
    }
}

/// Plays one history.
///
/// # Errors
/// The first invariant that does not hold.
pub(crate) fn simulate(seed: u64, parts: &dyn Parts) -> Result<Tally, String> {
    let mut random = Random::new(seed);
    let world = World::new(&mut random);
    let mut play = Play {
        parts,
        rules: World::rules(&mut random),
        world,
        random,
        index: Index::default(),
        pending: Vec::new(),
        registry: BTreeMap::new(),
        tally: Tally::default(),
    };
    let steps = 12 + play.random.below(24);
    for _ in 0..steps {
        play.step()?;
    }
    play.settle()?;
    play.latest_is_newest().map_err(|fault| format!("{fault}\n{}", play.moves_told()))?;
    play.replays()?;
    Ok(play.tally)
}

struct Play<'p> {
    parts: &'p dyn Parts,
    rules: Rules,
    world: World,
    random: Random,
    index: Index,
    /// Messages that are under way.
    pending: Vec<Evidence>,
    registry: BTreeMap<String, String>,
    tally: Tally,
}

impl Play<'_> {
    fn step(&mut self) -> Result<(), String> {
        // The clock may go back.
        self.world.now += *self.random.of(&[0, 1, 1, 3, 10, -4]);
        match self.random.below(10) {
            0..=2 => {
                let said = self.world.happens(&mut self.random);
                self.pending.extend(said);
            }
            3..=5 => {
                for _ in 0..3 {
                    self.deliver();
                }
            }
            6..=8 => self.publish()?,
            _ => {
                let asked = self.question();
                self.ask(&asked)?;
            }
        }
        Ok(())
    }

    /// One of the oldest messages arrives, and perhaps once more later.
    fn deliver(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let at = self.random.below(self.pending.len().min(3));
        self.tally.late += u64::from(at > 0);
        let message = if self.random.once_in(6) {
            self.tally.doubled += 1;
            let message = self.pending.remove(at);
            self.pending.push(message.clone());
            message
        } else {
            self.pending.remove(at)
        };
        self.append(message);
    }

    fn append(&mut self, evidence: Evidence) -> u64 {
        let number = self.index.entries().len() as u64;
        self.index.add(Entry { previous: String::new(), number, evidence });
        number
    }

    fn question(&mut self) -> Asked {
        let digest = self.world.a_digest(&mut self.random).filter(|_| self.random.once_in(2));
        let subject = match digest {
            Some(digest) => Subject::Digest(digest),
            None => Subject::Commit(self.world.commits[self.world.a_commit(&mut self.random)].id.clone()),
        };
        let context = *self.random.of(&[CheckContext::Push, CheckContext::PullRequest]);
        Asked { subject, context, now: Timestamp(self.world.now) }
    }

    /// The decision, and whether the oracle says that it is clear.
    fn ask(&mut self, asked: &Asked) -> Result<(Decision, bool), String> {
        let decision = self.parts.decide(&self.rules, asked, &self.index, &self.world);
        let expected = oracle::ask(self.index.entries(), &self.rules, asked, &self.world);
        let blocking = decision.requirements.iter().filter(|requirement| requirement.blocking);
        let own = Verdict {
            clear: decision.clear,
            commit: decision.commit.clone(),
            standings: blocking.map(|requirement| requirement.standing).collect(),
        };
        if self.parts.is_compared() && own != expected {
            let mut told =
                format!("{asked:?}\n is decided {own:#?}\n and the oracle says {expected:#?}\n by {:#?}\n", self.rules);
            for entry in self.index.entries() {
                told.push_str(&format!(
                    "{} {}\n",
                    entry.number,
                    serde_json::to_string(&entry.evidence).expect("plain data")
                ));
            }
            return Err(told);
        }
        match decision.clear {
            true => self.tally.clear += 1,
            false => self.tally.blocked += 1,
        }
        Ok((decision, expected.clear))
    }

    /// Somebody publishes an image; the process may end at any place.
    fn publish(&mut self) -> Result<(), String> {
        self.settle()?;
        let Some(digest) = self.world.a_digest(&mut self.random) else { return Ok(()) };
        let asked = Asked {
            subject: Subject::Digest(digest.clone()),
            context: CheckContext::Push,
            now: Timestamp(self.world.now),
        };
        let (decision, is_green) = self.ask(&asked)?;
        let statement = Statement::Decision(decision.statement());
        let number = self.append(self.by_engine(&digest, statement));
        let is_clear = decision.clear || !self.parts.asks();
        let commit = decision.commit.clone().unwrap_or_default();
        let happened = match is_clear {
            true => Happened::Clear { begun: Box::new(self.begun(number, &digest, &commit)) },
            false => Happened::Blocked { reason: "the gate is blocked".into() },
        };
        self.carry(happened, &asked, is_green)
    }

    fn carry(&mut self, first: Happened, asked: &Asked, mut is_green: bool) -> Result<(), String> {
        let mut at = Move::Asked;
        let mut happened = Some(first);
        while let Some(next) = happened.take() {
            let (now, effects) = at.after(next).map_err(|error| error.to_string())?;
            at = now;
            for effect in effects {
                if self.random.once_in(12) {
                    self.tally.crashes += 1;
                    return Ok(());
                }
                let is_lost = self.random.once_in(15);
                happened = Some(match effect {
                    Effect::Record(statement) => {
                        let phase = statement.phase;
                        self.append(self.by_engine(asked.subject.id(), Statement::Move(*statement)));
                        match phase {
                            MovePhase::Begun => Happened::Begun,
                            MovePhase::Done => {
                                self.tally.done += 1;
                                Happened::Ended
                            }
                            // A move that was not begun leaves the state machine as it is.
                            MovePhase::Undone | MovePhase::Refused => {
                                self.tally.undone += 1;
                                Happened::Ended
                            }
                        }
                    }
                    Effect::Copy => {
                        // It takes its time, and the world goes on.
                        for _ in 0..self.random.below(4) {
                            self.deliver();
                        }
                        let (decision, green) = self.ask(asked)?;
                        is_green = green;
                        match decision.clear || !self.parts.asks() {
                            _ if is_lost => Happened::Failed { reason: "the registry is down".into() },
                            true => Happened::Copied,
                            false => Happened::Blocked { reason: "it was withdrawn".into() },
                        }
                    }
                    Effect::SetTag(tag) => {
                        // Of an answer that is lost, nobody knows whether the tag was set.
                        if !is_lost || self.random.once_in(2) {
                            self.set(&tag, is_green)?;
                        }
                        if is_lost { Happened::Failed { reason: "no answer".into() } } else { Happened::TagSet }
                    }
                    Effect::PutBack(tag) => {
                        self.put_back(&tag);
                        if is_lost {
                            self.tally.crashes += 1;
                            return Ok(());
                        }
                        Happened::TagBack
                    }
                });
            }
        }
        Ok(())
    }

    /// The next try of moves that were cut off.
    fn settle(&mut self) -> Result<(), String> {
        if !self.parts.settles() {
            return Ok(());
        }
        let open: Vec<MoveStatement> =
            self.index.open_moves(Some(REPOSITORY)).into_iter().map(|(_, begun)| begun.clone()).collect();
        for begun in open {
            let digest = begun.tags[0].to.clone();
            let asked = Asked {
                subject: Subject::Digest(digest.clone()),
                context: CheckContext::Push,
                now: Timestamp(self.world.now),
            };
            let (decision, is_green) = self.ask(&asked)?;
            let registry = &self.registry;
            let next = what_next(&begun, &mut |tag| registry.get(tag).cloned(), &mut || decision.clear);
            let moving: Vec<MovedTag> = begun.tags.iter().filter(|tag| tag.stays.is_none()).cloned().collect();
            let phase = match next {
                Next::RecordDone => MovePhase::Done,
                Next::RecordUndone => MovePhase::Undone,
                Next::Finish => {
                    self.tally.finished_later += 1;
                    moving.iter().try_for_each(|tag| self.set(tag, is_green))?;
                    MovePhase::Done
                }
                Next::PutBack => {
                    moving.iter().rev().for_each(|tag| self.put_back(tag));
                    MovePhase::Undone
                }
            };
            match phase {
                MovePhase::Done => self.tally.done += 1,
                _ => self.tally.undone += 1,
            }
            self.append(self.by_engine(&digest, Statement::Move(MoveStatement { phase, ..begun })));
        }
        Ok(())
    }

    fn by_engine(&self, digest: &str, statement: Statement) -> Evidence {
        Evidence {
            subject: Subject::Digest(digest.into()),
            at: Timestamp(self.world.now),
            by: Witness::Engine,
            statement,
        }
    }

    fn begun(&mut self, decision: u64, digest: &str, commit: &str) -> MoveStatement {
        let tag = |name: &str, keeps: Keeps| WantedTag { tag: Tag::parse(name).expect("a tag"), keeps };
        let own = format!("sha-{}", commit.get(commit.len().saturating_sub(7)..).unwrap_or("none"));
        let wanted = [tag(&own, Keeps::Digest), tag("latest", Keeps::Forward)];
        let wanted = wanted.map(|wanted| {
            let held = self.registry.get(wanted.tag.as_str());
            let held = held.map(|digest| self.index.held(REPOSITORY, wanted.tag.as_str(), digest));
            (wanted, held)
        });
        let tags = self.parts.plan(&wanted, Target { digest, commit, take: None }, &self.index, &self.world);
        self.tally.stayed += tags.iter().filter(|tag| tag.stays.is_some()).count() as u64;
        MoveStatement {
            id: format!("move-{decision}"),
            kind: MoveKind::Publish,
            phase: MovePhase::Begun,
            image: "backend".into(),
            repository: REPOSITORY.into(),
            source: format!("ci/backend@{digest}"),
            commit: commit.into(),
            tags,
            decision,
            target: None,
            reason: String::new(),
        }
    }

    /// Sets a tag if it is what it was, as a registry does.
    fn set(&mut self, tag: &MovedTag, is_green: bool) -> Result<(), String> {
        let now = self.registry.get(&tag.tag);
        if now == Some(&tag.to) || now != tag.from.as_ref() {
            return Ok(());
        }
        if !is_green {
            self.tally.published_while_red += 1;
            return Err(format!("{} was published as {} while it was red", tag.to, tag.tag));
        }
        if tag.tag.starts_with("sha-") && now.is_some() {
            return Err(format!("{} stood for {now:?} and was moved", tag.tag));
        }
        // The move that is under way is not done: its commit is in its first line.
        let new = self.index.open_moves(None).last().map(|(_, begun)| begun.commit.clone());
        if let (Some(old), Some(new)) = (now, new) {
            for old in self.index.held(REPOSITORY, "latest", old).commits {
                if self.world.is_ancestor(&old, &new) != Some(true) {
                    return Err(format!("{} went from {old} to {new}, which does not come after", tag.tag));
                }
            }
        }
        self.registry.insert(tag.tag.clone(), tag.to.clone());
        Ok(())
    }

    fn put_back(&mut self, tag: &MovedTag) {
        if self.registry.get(&tag.tag) == Some(&tag.to) {
            match &tag.from {
                Some(from) => self.registry.insert(tag.tag.clone(), from.clone()),
                None => self.registry.remove(&tag.tag),
            };
        }
    }

    /// `latest` is an image that was published whole, and none that was comes after it.
    fn latest_is_newest(&self) -> Result<(), String> {
        let done: Vec<&MoveStatement> = self
            .index
            .moves_into(REPOSITORY)
            .filter(|(_, moved)| moved.phase == MovePhase::Done)
            .map(|(_, moved)| moved)
            .collect();
        let Some(latest) = self.registry.get("latest") else {
            return match done.iter().any(|moved| moved.tags.iter().any(|tag| tag.tag == "latest")) {
                true => Err("latest is gone".into()),
                false => Ok(()),
            };
        };
        let stands = |tag: &MovedTag| {
            tag.tag == "latest" && tag.to == *latest && (tag.stays.is_none() || tag.from.as_ref() == Some(latest))
        };
        // Several commits may have made the same image.
        let at: Vec<&str> =
            done.iter().filter(|moved| moved.tags.iter().any(stands)).map(|moved| moved.commit.as_str()).collect();
        if at.is_empty() {
            return Err(format!("latest is {latest}, which no move made it"));
        }
        let comes_after = |moved: &&&MoveStatement| {
            at.iter().all(|at| *at != moved.commit && self.world.is_ancestor(at, &moved.commit) == Some(true))
        };
        match done.iter().find(comes_after) {
            Some(newer) => Err(format!("latest is of {at:?}, and {} comes after it", newer.commit)),
            None => Ok(()),
        }
    }

    fn moves_told(&self) -> String {
        let moves = self.index.moves_into(REPOSITORY);
        moves
            .map(|(entry, moved)| format!("{} {:?} of {}: {:?}\n", entry.number, moved.phase, moved.commit, moved.tags))
            .collect()
    }

    /// What was decided is decided the same again.
    fn replays(&mut self) -> Result<(), String> {
        if !self.parts.is_replayed() {
            return Ok(());
        }
        for entry in self.index.entries() {
            if matches!(entry.evidence.statement, Statement::Decision(_)) {
                replay(&self.index, entry.number, &self.rules, &self.world)
                    .map_err(|error| format!("{error}: {error:?}"))?;
                self.tally.replayed += 1;
            }
        }
        Ok(())
    }
}
