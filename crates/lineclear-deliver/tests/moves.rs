//! Moves in a world that dies, lies, and is down, at every step: whatever happens, the next move leaves all tags of a move or none.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lineclear_deliver::{Book, BookError, Carried, MoveError, Moved, Mover, Order, Settled, Shelf, ShelfError};
use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, Evidence, ImageStatement, MoveKind, MovePhase, RunId,
    RunWitness, ScanStatement, Severity, Statement, Subject, Timestamp, Witness,
};
use lineclear_gate::{Commits, Index, Keeps, RequiredCheck, Rules, ScanRule, WantedTag, replay};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{Digest, Tag};
use lineclear_store::MemoryStore;
use proptest::prelude::*;

const REPOSITORY: &str = "ghcr.io/octo/app";

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it was carried out.
    KilledAfter,
    /// It is refused.
    Refused,
    /// It is carried out, and the answer is lost.
    AnswerLost,
}

/// What someone else does.
type Deed = Box<dyn FnOnce(&World)>;

/// The registry and the ledger, and what goes wrong with them.
struct World {
    tags: RefCell<BTreeMap<String, Digest>>,
    contents: RefCell<BTreeSet<Digest>>,
    ledger: LedgerOf,
    calls: Cell<usize>,
    fault: Cell<Option<(usize, Fault)>>,
    /// Nothing that a dead process does has any effect.
    dead: Cell<bool>,
    logins: Cell<usize>,
    /// The registry says of every tag that it stands for this.
    lie: RefCell<Option<Digest>>,
    /// What the image leads to that is brought.
    parts: RefCell<Vec<Digest>>,
    /// Tags cannot be removed, as in many registries.
    keeps_tags: Cell<bool>,
    /// Is done by someone else just before the next tag is set.
    meanwhile: RefCell<Option<Deed>>,
}

/// Commits are numbers, one after the other.
struct Line;

impl Commits for Line {
    fn tree(&self, commit: &str) -> Option<String> {
        Some(format!("tree of {commit}"))
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        Some(old <= new)
    }
}

impl World {
    fn new() -> Self {
        Self {
            tags: RefCell::default(),
            contents: RefCell::default(),
            ledger: LedgerOf::open(Arc::new(MemoryStore::new()), "octo/app"),
            calls: Cell::new(0),
            fault: Cell::new(None),
            dead: Cell::new(false),
            logins: Cell::new(0),
            lie: RefCell::default(),
            parts: RefCell::default(),
            keeps_tags: Cell::new(false),
            meanwhile: RefCell::default(),
        }
    }

    /// Carries `effect` out, or lets it go wrong.
    fn call<T>(&self, effect: impl FnOnce() -> Result<T, ShelfError>) -> Result<T, ShelfError> {
        let lost = |what: &str| Err(ShelfError::Other(what.to_owned()));
        if self.dead.get() {
            return lost("nobody is there any more");
        }
        let number = self.calls.get();
        self.calls.set(number + 1);
        match self.fault.get().filter(|(at, _)| *at == number).map(|(_, fault)| fault) {
            None => effect(),
            Some(Fault::KilledBefore) => {
                self.dead.set(true);
                lost("killed")
            }
            Some(Fault::KilledAfter) => {
                let _ = effect();
                self.dead.set(true);
                lost("killed")
            }
            Some(Fault::Refused) => lost("refused"),
            Some(Fault::AnswerLost) => {
                let _ = effect();
                lost("the answer was lost")
            }
        }
    }

    /// The same, for another life of the process.
    fn reborn(&self, fault: Option<(usize, Fault)>) {
        self.dead.set(false);
        self.calls.set(0);
        self.fault.set(fault);
    }

    /// A run has built and pushed the image of `commit`, and its check has ended.
    fn ran(&self, commit: u8, conclusion: CheckConclusion) {
        let by = Witness::Run(RunWitness {
            run: RunId(u64::from(commit)),
            attempt: 1,
            file: ".github/workflows/ci.yml".into(),
            event: "push".into(),
            job: None,
        });
        let of = |subject, statement| Evidence { subject, at: Timestamp(1), by: by.clone(), statement };
        let image = ImageStatement {
            image: "app".into(),
            names: vec![format!("localhost:5000/ci/app:{commit}")],
            commit: sha(commit),
            built: true,
            platforms: Vec::new(),
            children: Vec::new(),
            user: String::new(),
        };
        let leg = CheckLeg { name: String::new(), conclusion, reason: String::new(), since: None };
        let check = CheckStatement {
            check: "CI / test".into(),
            context: CheckContext::Push,
            legs: vec![leg],
            adjusted: Vec::new(),
        };
        let evidence = vec![
            of(Subject::Digest(digest(commit).to_string()), Statement::Image(image)),
            of(Subject::Commit(sha(commit)), Statement::Check(check)),
        ];
        self.ledger.append(evidence).expect("the ledger takes it");
    }

    /// A run of `commit` has built `digest`.
    fn built(&self, digest: Digest, commit: u8) {
        let image = ImageStatement {
            image: "app".into(),
            names: vec![format!("localhost:5000/ci/app:{commit}")],
            commit: sha(commit),
            built: true,
            platforms: Vec::new(),
            children: Vec::new(),
            user: String::new(),
        };
        let run = RunWitness {
            run: RunId(50),
            attempt: 1,
            file: ".github/workflows/ci.yml".into(),
            event: "push".into(),
            job: None,
        };
        let (by, subject) = (Witness::Run(run), Subject::Digest(digest.to_string()));
        let evidence = Evidence { subject, at: Timestamp(1), by, statement: Statement::Image(image) };
        self.ledger.append(vec![evidence]).expect("the ledger takes it");
    }

    fn publish(&self, commit: u8) -> Result<(Vec<Settled>, Moved), MoveError> {
        let mover = self.mover();
        let cleared = mover.guard(order(commit))?;
        let settled = mover.settle(REPOSITORY, &|_| Some(rules()), self)?;
        Ok((settled, mover.carry(cleared, self)?))
    }

    fn settle(&self) -> Result<Vec<Settled>, MoveError> {
        self.mover().settle(REPOSITORY, &|_| Some(rules()), self)
    }

    fn mover(&self) -> Mover<'_> {
        Mover { book: self, commits: &Line, clock: &|| Timestamp(2), cancelled: &|| false, told: &|_| {} }
    }

    fn tag_of(&self, tag: &str) -> Option<Digest> {
        self.tags.borrow().get(tag).cloned()
    }

    /// The ends of all moves: phase and commit, by id.
    fn moves(&self) -> BTreeMap<String, (String, MovePhase)> {
        let index = self.ledger.index().expect("the ledger is whole");
        let mut moves = BTreeMap::new();
        for entry in index.entries() {
            if let Statement::Move(moved) = &entry.evidence.statement {
                moves.insert(moved.id.clone(), (moved.commit.clone(), moved.phase));
            }
        }
        moves
    }
}

impl Shelf for World {
    fn log_in(&self) -> Result<(), ShelfError> {
        self.logins.set(self.logins.get() + 1);
        self.call(|| Ok(()))
    }

    fn tag(&self, tag: &Tag) -> Result<Option<Digest>, ShelfError> {
        self.call(|| Ok(self.lie.borrow().clone().or_else(|| self.tag_of(tag.as_str()))))
    }

    fn copy(&self, digest: &Digest) -> Result<Carried, ShelfError> {
        self.call(|| {
            self.contents.borrow_mut().insert(digest.clone());
            Ok(Carried { manifests: 1, referrers: 0, bytes: 1 })
        })
    }

    fn check(&self, digest: &Digest) -> Result<(), ShelfError> {
        let incomplete = || ShelfError::Incomplete { repository: REPOSITORY.into(), what: digest.to_string() };
        self.call(|| if self.contents.borrow().contains(digest) { Ok(()) } else { Err(incomplete()) })
    }

    fn parts(&self, _: &Digest) -> Result<Vec<Digest>, ShelfError> {
        self.call(|| Ok(self.parts.borrow().clone()))
    }

    fn set_tag(&self, tag: &Tag, digest: &Digest) -> Result<(), ShelfError> {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        self.call(|| {
            self.tags.borrow_mut().insert(tag.to_string(), digest.clone());
            Ok(())
        })
    }

    fn remove_tag(&self, tag: &Tag) -> Result<(), ShelfError> {
        self.call(|| {
            if self.keeps_tags.get() {
                return Err(ShelfError::Other("tags cannot be removed here".into()));
            }
            self.tags.borrow_mut().remove(tag.as_str());
            Ok(())
        })
    }
}

impl Book for World {
    fn index(&self) -> Result<Arc<Index>, BookError> {
        if self.dead.get() { Err(BookError::new("killed")) } else { Book::index(&self.ledger) }
    }

    fn append(&self, evidence: Vec<Evidence>) -> Result<u64, BookError> {
        let mut number = None;
        let appended = self.call(|| {
            number = Book::append(&self.ledger, evidence).ok();
            Ok(())
        });
        appended.map_err(BookError::new)?;
        number.ok_or_else(|| BookError::new("nothing was appended"))
    }
}

fn sha(commit: u8) -> String {
    format!("{commit:040x}")
}

fn digest(commit: u8) -> Digest {
    Digest::of(&[commit])
}

fn rules() -> Rules {
    Rules {
        gate: "main".into(),
        require: vec![RequiredCheck { check: "CI / test".into(), on: None }],
        ..Rules::default()
    }
}

fn order(commit: u8) -> Order {
    let wanted = |tag: &str, keeps| WantedTag { tag: Tag::parse(tag).expect("a tag"), keeps };
    Order {
        kind: MoveKind::Publish,
        image: "app".into(),
        repository: REPOSITORY.parse().expect("a name"),
        source: format!("localhost:5000/ci/app@{}", digest(commit)),
        digest: digest(commit),
        commit: sha(commit),
        tags: vec![
            wanted(&format!("sha-{commit}"), Keeps::Digest),
            wanted("edge", Keeps::Forward),
            wanted("latest", Keeps::Forward),
        ],
        target: None,
        rules: rules(),
        context: CheckContext::Push,
        by: Witness::Engine,
        take: None,
    }
}

// S0-1, S0-15, S0-45
#[test]
fn a_blocked_gate_is_recorded_and_nobody_logs_in() {
    let world = World::new();
    world.ran(1, CheckConclusion::Failure);
    let Err(MoveError::Refused(refusal)) = world.publish(1) else { panic!("it is not refused") };
    let blocked = refusal.decision.statement().blocked;
    assert!(blocked.iter().any(|why| why.contains("CI / test")), "{blocked:?}");
    assert!(refusal.entry.is_some());
    assert_eq!((world.logins.get(), world.calls.get()), (0, 1), "one line in the ledger, and no call of the registry");
    assert_eq!((world.tags.borrow().len(), world.contents.borrow().len()), (0, 0));
}

// S0-36, S0-38
#[test]
fn what_is_clear_gets_all_of_its_tags_and_older_ones_never_get_latest_back() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    world.ran(2, CheckConclusion::Success);
    let (_, moved) = world.publish(2).expect("it moves");
    assert!(moved.id.is_some() && moved.tags.iter().all(|tag| tag.stays.is_none()));
    let (_, older) = world.publish(1).expect("it moves");
    let latest = older.tags.iter().find(|tag| tag.tag == "latest").expect("it is told");
    assert!(latest.stays.as_deref().is_some_and(|why| why.contains("which is newer")), "{latest:?}");
    assert_eq!(world.tag_of("latest"), Some(digest(2)));
    assert_eq!(world.tag_of("sha-1"), Some(digest(1)));
    let (_, again) = world.publish(2).expect("there is nothing to do");
    assert_eq!(again.id, None);
}

// S4-17, S4-73
#[test]
fn an_immutable_tag_with_another_digest_refuses_the_whole_move() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    world.tags.borrow_mut().insert("sha-1".into(), digest(9));
    let error = world.publish(1).expect_err("it is taken");
    assert!(matches!(&error, MoveError::Taken { tag, .. } if tag == "sha-1"), "{error}");
    assert_eq!(world.tags.borrow().len(), 1);
}

#[test]
fn a_registry_that_lies_about_its_tags_is_not_believed() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    let lie = digest(7);
    // From the moment when the first tag is set.
    *world.meanwhile.borrow_mut() = Some(Box::new(move |world| *world.lie.borrow_mut() = Some(lie)));
    let error = lineclear_event::with_causes(&world.publish(1).expect_err("it lies"));
    assert!(error.contains("the registry took `sha-1`"), "{error}");
    assert!(world.moves().values().all(|(_, phase)| *phase != MovePhase::Done));
}

#[test]
fn whoever_moves_a_tag_meanwhile_is_not_overwritten() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    *world.meanwhile.borrow_mut() = Some(Box::new(|world| {
        world.tags.borrow_mut().insert("latest".into(), digest(8));
    }));
    let error = world.publish(1).expect_err("it was overtaken");
    assert!(matches!(&error, MoveError::Overtaken { tag, .. } if tag == "latest"), "{error}");
    assert_eq!(*world.tags.borrow(), BTreeMap::from([("latest".to_owned(), digest(8))]));
}

// S1-65: what is withdrawn while the image travels is withdrawn for this move, too.
#[test]
fn evidence_that_is_withdrawn_during_the_copy_stops_the_move() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    let cleared = world.mover().guard(order(1)).expect("it is clear");
    world.ran(1, CheckConclusion::Failure);
    let moved = world.mover().carry(cleared, &world);
    assert!(matches!(moved, Err(MoveError::Withdrawn(_))));
    assert!(world.tags.borrow().is_empty());
    assert!(world.moves().values().all(|(_, phase)| *phase == MovePhase::Undone));
}

/// An index around the images of two commits, which a run of the first pushed and, if it was seen to do so, built.
fn wrapped(world: &World, children: &[Digest], built: bool) {
    let image = ImageStatement {
        image: "app".into(),
        names: vec!["localhost:5000/ci/app:both".into()],
        commit: sha(1),
        built,
        platforms: Vec::new(),
        children: children.iter().map(Digest::to_string).collect(),
        user: String::new(),
    };
    let by = Witness::Run(RunWitness {
        run: RunId(9),
        attempt: 1,
        file: ".github/workflows/ci.yml".into(),
        event: "push".into(),
        job: None,
    });
    let subject = Subject::Digest(digest(100).to_string());
    let evidence = Evidence { subject, at: Timestamp(1), by, statement: Statement::Image(image) };
    world.ledger.append(vec![evidence]).expect("the ledger takes it");
}

fn publish_index(world: &World) -> Result<Moved, MoveError> {
    let mover = world.mover();
    let cleared = mover.guard(Order { digest: digest(100), ..order(1) })?;
    mover.carry(cleared, world)
}

// S0-15, S0-45
#[test]
fn an_index_around_another_commits_image_moves_only_if_the_gate_is_clear_for_that_commit_too() {
    for (conclusion, words) in [
        (CheckConclusion::Success, None),
        (CheckConclusion::Failure, Some("which comes from 0000000, and gate `main` is not clear for that")),
    ] {
        // As the ledger knows the index, and as it turns out to be where it arrives.
        for is_known in [true, false] {
            let world = World::new();
            world.ran(1, CheckConclusion::Success);
            world.ran(2, conclusion);
            let children = [digest(1), digest(2)];
            wrapped(&world, if is_known { &children } else { &[] }, false);
            world.parts.replace(children.to_vec());
            match words {
                None => drop(publish_index(&world).expect("all of it is clear")),
                Some(words) => {
                    let error = publish_index(&world).expect_err("one of them is red");
                    assert!(matches!(&error, MoveError::Part(why) if why.contains(words)), "{error}");
                    assert!(error.to_string().contains(&digest(2).to_string()), "{error}");
                    assert!(world.tags.borrow().is_empty());
                    assert_eq!(world.logins.get(), usize::from(!is_known));
                    let phase = if is_known { MovePhase::Refused } else { MovePhase::Undone };
                    assert!(world.moves().values().all(|(_, ended)| *ended == phase), "{:?}", world.moves());
                    assert!(world.mover().look(&Order { digest: digest(100), ..order(1) }).is_err() == is_known);
                }
            }
        }
    }
}

// S0-15, S0-45
#[test]
fn an_image_of_two_commits_moves_for_a_red_one_not_by_what_was_proven_of_the_green_one() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    world.ran(2, CheckConclusion::Failure);
    // Both have built the very same image.
    world.built(digest(1), 2);
    let order = Order { commit: sha(2), ..order(1) };
    let error = world.mover().look(&order).expect_err("its commit is red");
    assert!(matches!(error, MoveError::Refused(_)), "{error}");
    let Err(MoveError::Refused(refusal)) = world.mover().guard(order.clone()) else { panic!("its commit is red") };
    assert_eq!(refusal.decision.subject, Subject::Commit(sha(2)));
    let index = world.ledger.index().expect("the ledger is whole");
    let entry = index.entries().iter().find(|entry| Some(entry.number) == refusal.entry).expect("it is recorded");
    assert_eq!(entry.evidence.subject, Subject::Commit(sha(2)));
    replay(&index, entry.number, &rules(), &Line).expect("it is decided the same again");
    assert!(world.tags.borrow().is_empty());
    // For the green one it moves; and what a gate does not ask of commits it does not ask of this one.
    world.publish(1).expect("its commit is green");
    let block = BTreeSet::from([Severity::Critical]);
    let rules = Rules { require: Vec::new(), scan: Some(ScanRule { block, budget: 0 }), ..rules() };
    let scan = Statement::Scan(ScanStatement { tool: "trivy".into(), ..ScanStatement::default() });
    let subject = Subject::Digest(digest(1).to_string());
    let scanned = Evidence { subject, at: Timestamp(1), by: Witness::Engine, statement: scan };
    world.ledger.append(vec![scanned]).expect("the ledger takes it");
    world.mover().look(&Order { rules, ..order }).expect("it has been scanned");
}

#[test]
fn what_a_green_run_built_whole_is_its_own_and_findings_in_an_image_of_it_count_all_the_same() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    world.ran(2, CheckConclusion::Failure);
    wrapped(&world, &[digest(2)], true);
    let block = BTreeSet::from([Severity::Critical]);
    let rules = Rules { scan: Some(ScanRule { block, budget: 0 }), ..rules() };
    let scanned = |of: u8, critical: u64| {
        let scan = ScanStatement {
            tool: "trivy".into(),
            counts: BTreeMap::from([(Severity::Critical, critical)]),
            ..ScanStatement::default()
        };
        let subject = Subject::Digest(digest(of).to_string());
        let evidence = Evidence { subject, at: Timestamp(1), by: Witness::Engine, statement: Statement::Scan(scan) };
        world.ledger.append(vec![evidence]).expect("the ledger takes it");
    };
    scanned(100, 0);
    let order = Order { digest: digest(100), rules, ..order(1) };
    // The image has no scan of its own: that of the index is what is asked for.
    world.mover().look(&order).expect("it was built by a green run");
    scanned(2, 1);
    let error = world.mover().look(&order).expect_err("it has a critical finding");
    assert!(matches!(&error, MoveError::Part(why) if why.contains("critical")), "{error}");
}

#[test]
fn a_move_that_was_killed_at_any_call_is_ended_by_the_next_one() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::Refused, Fault::AnswerLost] {
        // More calls than a move has: the last rounds go wrong nowhere.
        for at in 0..40 {
            let world = World::new();
            world.ran(1, CheckConclusion::Success);
            world.ran(2, CheckConclusion::Success);
            world.publish(1).expect("nothing goes wrong yet");
            world.reborn(Some((at, fault)));
            let first = world.publish(2);
            world.reborn(None);
            world.settle().expect("what was begun is ended");
            let of_second = [world.tag_of("sha-2"), world.tag_of("edge"), world.tag_of("latest")];
            let (old, new) = (Some(digest(1)), Some(digest(2)));
            let none = [None, old.clone(), old];
            let all = [new.clone(), new.clone(), new];
            assert!(of_second == none || of_second == all, "{fault:?} at call {at}: {of_second:?}");
            assert!(first.is_err() || of_second == all, "{fault:?} at call {at}");
            world.publish(2).expect("the next try moves it");
            assert_eq!(world.tag_of("latest"), Some(digest(2)), "{fault:?} at call {at}");
            assert!(world.moves().values().all(|(_, phase)| *phase != MovePhase::Begun), "{fault:?} at call {at}");
        }
    }
}

#[test]
fn what_was_interrupted_is_put_back_when_the_gate_has_closed_since() {
    let world = World::new();
    for commit in [1, 2] {
        world.ran(commit, CheckConclusion::Success);
    }
    world.publish(1).expect("it moves");
    // Killed once the first tag is set: decision, login, three tags, begun, copy, check, tag, set.
    let mut killed = false;
    for at in 0..40 {
        world.reborn(Some((at, Fault::KilledBefore)));
        let _ = world.publish(2);
        if world.tag_of("sha-2").is_some() && world.tag_of("latest") == Some(digest(1)) {
            killed = true;
            break;
        }
        world.reborn(None);
        world.settle().expect("it is ended");
    }
    assert!(killed, "no kill left a move half done");
    world.ran(2, CheckConclusion::Failure);
    world.reborn(None);
    let settled = world.settle().expect("it is put back");
    assert!(settled.iter().all(|one| one.phase == MovePhase::Undone), "{settled:?}");
    assert!(settled[0].statement.reason.contains("CI / test"), "{}", settled[0].statement.reason);
    assert_eq!((world.tag_of("sha-2"), world.tag_of("edge")), (None, Some(digest(1))));
}

#[test]
fn a_registry_that_removes_no_tags_leaves_the_move_open_and_says_so() {
    let world = World::new();
    world.ran(1, CheckConclusion::Success);
    world.keeps_tags.set(true);
    *world.meanwhile.borrow_mut() = Some(Box::new(|world| {
        world.tags.borrow_mut().insert("latest".into(), digest(8));
    }));
    let error = world.publish(1).expect_err("it was overtaken, and cannot be put back");
    assert!(matches!(&error, MoveError::Unfinished { stuck, .. } if stuck.contains("`edge`")), "{error}");
    // The next one finishes it, and leaves the tag of the other with them.
    let settled = world.settle().expect("it is finished");
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].phase, MovePhase::Done);
    let latest = settled[0].statement.tags.iter().find(|tag| tag.tag == "latest").expect("it is told");
    assert_eq!(latest.stays.as_deref(), Some("someone else has moved it meanwhile"));
    assert_eq!(world.tag_of("latest"), Some(digest(8)));
}

fn a_fault() -> impl Strategy<Value = Option<(usize, Fault)>> {
    let kinds = [Fault::KilledBefore, Fault::KilledAfter, Fault::Refused, Fault::AnswerLost];
    proptest::option::weighted(0.7, (0_usize..30, proptest::sample::select(kinds.to_vec())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Any history of publishes of commits in any order, of which some are red, with a fault at any call of each.
    #[test]
    fn any_history_of_faults_leaves_all_tags_of_a_move_or_none(
        reds in proptest::collection::vec(any::<bool>(), 6),
        history in proptest::collection::vec((0_u8..6, a_fault()), 1..12),
    ) {
        let world = World::new();
        for (commit, red) in reds.iter().enumerate() {
            let conclusion = if *red { CheckConclusion::Failure } else { CheckConclusion::Success };
            world.ran(commit as u8, conclusion);
        }
        for (commit, fault) in history {
            world.reborn(fault);
            let published = world.publish(commit);
            let red = reds[usize::from(commit)];
            prop_assert!(!red || published.is_err(), "a red commit was published");
            prop_assert!(world.tags.borrow().values().all(|held| {
                (0..6).any(|commit| digest(commit) == *held && !reds[usize::from(commit)])
            }), "a tag stands for a red commit");
        }
        world.reborn(None);
        world.settle().expect("nothing goes wrong any more");
        let moves = world.moves();
        prop_assert!(moves.values().all(|(_, phase)| *phase != MovePhase::Begun));
        let done: BTreeSet<&String> =
            moves.values().filter(|(_, phase)| *phase == MovePhase::Done).map(|(commit, _)| commit).collect();
        for commit in 0..6 {
            let is_there = world.tag_of(&format!("sha-{commit}")).is_some();
            prop_assert_eq!(is_there, done.contains(&sha(commit)), "the tags and the ledger disagree on {}", commit);
        }
        // The newest that was published, and never one before it.
        let newest = (0..6).rev().find(|commit| done.contains(&sha(*commit))).map(digest);
        prop_assert_eq!(world.tag_of("latest"), newest.clone());
        prop_assert_eq!(world.tag_of("edge"), newest);
        world.ledger.index().expect("the chain holds");
    }
}
