//! A move, from the gate to the last tag.

use std::fmt;

use lineclear_event::{Evidence, MovePhase, MoveStatement, MovedTag, Statement, Subject, Timestamp};
use lineclear_gate::{
    Asked, Commits, Decision, Effect, Happened, Held, Index, Keeps, Move, Target, WantedTag, decide, plan_tags,
};
use lineclear_oci::{Digest, Tag};

use crate::error::{held, moving, shown};
use crate::parts::{Sources, Whole};
use crate::{Book, BookError, Carried, MoveError, Order, Refusal, Shelf, ShelfError};

/// Carries moves out. Whoever has the [`Turn`](crate::Turn) of a repository uses one.
pub struct Mover<'m> {
    pub book: &'m dyn Book,
    /// What git knows.
    pub commits: &'m dyn Commits,
    /// The time now.
    pub clock: &'m dyn Fn() -> Timestamp,
    /// Whether somebody wants it to end. After the first tag has moved nobody is asked any more: the rest is short.
    pub cancelled: &'m dyn Fn() -> bool,
    /// Hears what is being done.
    pub told: &'m dyn Fn(Step<'_>),
}

impl fmt::Debug for Mover<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mover").finish_non_exhaustive()
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug)]
pub enum Step<'s> {
    /// The gate was asked, and is clear.
    Clear(&'s Decision),
    LogIn,
    Begun(&'s MoveStatement),
    Copied(Carried),
    /// A tag stands for what it is to stand for; the registry was asked.
    Tagged(&'s MovedTag),
    /// Recorded.
    Done,
}

/// An order that the gate let through. There is no other way to one than [`Mover::guard`].
#[derive(Clone, Debug)]
pub struct Cleared {
    order: Order,
    decision: Decision,
    /// The decision's entry.
    entry: u64,
}

/// What would happen.
#[derive(Clone, Debug)]
pub struct Foreseen {
    pub decision: Decision,
    /// With those that would stay, and why.
    pub tags: Vec<MovedTag>,
}

/// What has happened.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Of the move; `None` where every tag stayed where it was, so that there was nothing to do.
    pub id: Option<String>,
    pub digest: Digest,
    pub commit: String,
    /// With those that stayed, and why.
    pub tags: Vec<MovedTag>,
    pub decision: Decision,
    /// The entry of the decision.
    pub entry: u64,
    pub carried: Carried,
}

impl Cleared {
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The commits that a provenance of the image may name: the one that the gate was clear for, and those with its contents whose provenance
    /// it took. `index` has all that the decision rests on.
    pub fn commits(&self, index: &Index) -> Vec<String> {
        let rests_on = self.decision.statement().rests_on.into_iter().filter_map(|number| usize::try_from(number).ok());
        let named = rests_on.filter_map(|number| match &index.entries().get(number)?.evidence.statement {
            Statement::Provenance(provenance) => Some(provenance.commit.clone()),
            _ => None,
        });
        self.decision.commit.clone().into_iter().chain(named).collect()
    }

    fn statement(&self, tags: Vec<MovedTag>) -> MoveStatement {
        let Self { order, entry, .. } = self;
        MoveStatement {
            // The decision belongs to this move alone, so its place in the ledger is a name that nothing else has.
            id: format!("{entry}-{}", order.digest.short()),
            kind: order.kind,
            phase: MovePhase::Begun,
            image: order.image.clone(),
            repository: order.repository.to_string(),
            source: order.source.clone(),
            commit: order.commit.clone(),
            tags,
            decision: *entry,
            target: order.target.clone(),
            reason: String::new(),
        }
    }
}

impl Mover<'_> {
    /// Asks the gate, and writes down what it says. Nobody is called for it.
    ///
    /// # Errors
    /// [`MoveError::Refused`] with everything that is missing; [`MoveError::Part`] for an index with an image that may not move.
    pub fn guard(&self, order: Order) -> Result<Cleared, MoveError> {
        let (decision, entry) = self.decide(&order.whole(), Recorded::Always)?;
        match entry {
            Some(entry) if decision.clear => {
                let cleared = Cleared { order, decision, entry };
                if let Err(error) = self.look_inside(&cleared.order.whole(), &[]) {
                    self.refuse(&cleared, &error)?;
                    return Err(error);
                }
                (self.told)(Step::Clear(&cleared.decision));
                Ok(cleared)
            }
            entry => Err(MoveError::Refused(Box::new(Refusal { decision, entry }))),
        }
    }

    /// What [`Mover::guard`] would say. Writes nothing, and calls nobody.
    ///
    /// # Errors
    /// As that.
    pub fn look(&self, order: &Order) -> Result<Decision, MoveError> {
        let (decision, entry) = self.decide(&order.whole(), Recorded::Never)?;
        if !decision.clear {
            return Err(MoveError::Refused(Box::new(Refusal { decision, entry })));
        }
        self.look_inside(&order.whole(), &[])?;
        Ok(decision)
    }

    /// Whether the images in an index may move, too, as far as the ledger knows of them. Nobody is called.
    ///
    /// # Errors
    /// [`MoveError::Part`] with the first that may not.
    pub fn inside(&self, order: &Order) -> Result<(), MoveError> {
        self.look_inside(&order.whole(), &[])
    }

    /// What [`Mover::guard`] and [`Mover::carry`] would do. Writes nothing, and calls the registry only when the gate is clear.
    ///
    /// # Errors
    /// As these.
    pub fn foresee(
        &self,
        order: &Order,
        open: &dyn Fn() -> Result<Box<dyn Shelf>, ShelfError>,
    ) -> Result<Foreseen, MoveError> {
        let decision = self.look(order)?;
        let shelf = open().map_err(self.cancelled_or("open the release repository"))?;
        shelf.log_in().map_err(self.cancelled_or("log in to the registry"))?;
        let tags = self.plan(order, &*shelf)?;
        Ok(Foreseen { decision, tags })
    }

    /// Moves the image. It is in the release repository under all of its tags afterwards, or under none of them.
    ///
    /// # Errors
    /// See [`MoveError`]; only [`MoveError::Unfinished`] and a ledger that cannot be written leave something for the next move to finish.
    pub fn carry(&self, cleared: Cleared, shelf: &dyn Shelf) -> Result<Moved, MoveError> {
        self.may_go_on()?;
        (self.told)(Step::LogIn);
        let planned = shelf.log_in().map_err(self.cancelled_or("log in to the registry"));
        let begun = match planned.and_then(|()| self.plan(&cleared.order, shelf)) {
            Ok(tags) => cleared.statement(tags),
            Err(error) => {
                self.refuse(&cleared, &error)?;
                return Err(error);
            }
        };
        self.may_go_on()?;
        let Cleared { order, decision, entry } = cleared;
        let mut moved = Moved {
            id: None,
            digest: order.digest.clone(),
            commit: order.commit.clone(),
            tags: begun.tags.clone(),
            decision,
            entry,
            carried: Carried::default(),
        };
        let (mut at, mut failure) = (Move::Asked, None);
        let mut happened = Happened::Clear { begun: Box::new(begun.clone()) };
        loop {
            let (next, effects) = at.after(happened)?;
            at = next;
            let Some(effect) = effects.into_iter().next() else { break };
            let done = match effect {
                Effect::Record(statement) => {
                    self.write(&order, &statement)?;
                    Ok(if statement.phase == MovePhase::Begun {
                        (self.told)(Step::Begun(&begun));
                        Happened::Begun
                    } else {
                        Happened::Ended
                    })
                }
                Effect::Copy => self.bring(&order, shelf).map(|carried| {
                    moved.carried = carried;
                    Happened::Copied
                }),
                Effect::SetTag(tag) => self.set(&tag, shelf).and_then(|()| {
                    let is_last = moving(&begun.tags).next_back() == Some(&tag);
                    if is_last { self.all_set(&begun, shelf) } else { Ok(()) }.map(|()| Happened::TagSet)
                }),
                Effect::PutBack(tag) => {
                    self.put_back(&tag, shelf).map_err(|source| self.unfinished(&begun, &tag, &failure, source))?;
                    Ok(Happened::TagBack)
                }
            };
            happened = done.unwrap_or_else(|error| {
                let reason = lineclear_event::with_causes(&error);
                failure = Some(error);
                Happened::Failed { reason }
            });
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if let Move::Done { begun } = at {
            (self.told)(Step::Done);
            moved.id = Some(begun.id);
        }
        Ok(moved)
    }

    /// Writes down that a move whose gate is clear was not begun, and why: nothing has changed anywhere.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn refuse(&self, cleared: &Cleared, why: &MoveError) -> Result<(), MoveError> {
        let reason = lineclear_event::with_causes(why);
        let tag = |wanted: &WantedTag| MovedTag {
            tag: wanted.tag.to_string(),
            from: None,
            to: cleared.order.digest.to_string(),
            stays: Some("the move was refused".to_owned()),
            taken: None,
        };
        let tags = cleared.order.tags.iter().map(tag).collect();
        let refused = MoveStatement { phase: MovePhase::Refused, reason, ..cleared.statement(tags) };
        self.write(&cleared.order, &refused)
    }

    /// What a call before the first tag moves failed of: of the wish to end, where there was one.
    fn cancelled_or(&self, doing: &'static str) -> impl Fn(ShelfError) -> MoveError + '_ {
        move |source| if (self.cancelled)() { MoveError::Cancelled } else { MoveError::Before { doing, source } }
    }

    /// The image in the release repository, whole, and the gate still clear.
    fn bring(&self, order: &Order, shelf: &dyn Shelf) -> Result<Carried, MoveError> {
        let carried = shelf.copy(&order.digest).map_err(self.cancelled_or("copy the image"))?;
        shelf.check(&order.digest).map_err(self.cancelled_or("find the whole image after the copy"))?;
        (self.told)(Step::Copied(carried));
        self.may_go_on()?;
        // It took its time: the evidence may have been withdrawn meanwhile.
        let (decision, entry) = self.decide(&order.whole(), Recorded::WhenBlocked)?;
        if !decision.clear {
            return Err(MoveError::Withdrawn(Box::new(Refusal { decision, entry })));
        }
        // Only now it is known what is really in it.
        let brought = shelf.parts(&order.digest).map_err(self.cancelled_or("see which images are in it"))?;
        self.look_inside(&order.whole(), &brought)?;
        Ok(carried)
    }

    /// Whether the images in an index may move, too: those that the ledger knows of, and those that it `brought`.
    ///
    /// # Errors
    /// [`MoveError::Part`] with the first that may not.
    pub(crate) fn look_inside(&self, whole: &Whole<'_>, brought: &[Digest]) -> Result<(), MoveError> {
        let index = self.book.index()?;
        let known = Sources { index: &index, commits: self.commits, now: (self.clock)() };
        match whole.in_the_way(brought.iter().map(Digest::to_string), known) {
            None => Ok(()),
            Some(why) => Err(MoveError::Part(why)),
        }
    }

    /// A tag to what it is to stand for, if it is what it was.
    pub(crate) fn set(&self, moved: &MovedTag, shelf: &dyn Shelf) -> Result<(), MoveError> {
        let cannot = |source| MoveError::PutBack { tag: moved.tag.clone(), source };
        let (tag, to) = parsed(moved).map_err(cannot)?;
        let found = shelf.tag(&tag).map_err(cannot)?;
        if found.as_ref() != Some(&to) {
            if found.as_ref().map(Digest::as_str) != moved.from.as_deref() {
                return Err(MoveError::Overtaken {
                    tag: moved.tag.clone(),
                    expected: held(moved.from.as_deref()),
                    found: shown(found.as_ref()),
                });
            }
            shelf.set_tag(&tag, &to).map_err(cannot)?;
            asked_again(shelf, &tag, &to).map_err(cannot)?;
        }
        (self.told)(Step::Tagged(moved));
        Ok(())
    }

    /// Asks for every tag once more: this is what the ledger will say.
    fn all_set(&self, begun: &MoveStatement, shelf: &dyn Shelf) -> Result<(), MoveError> {
        for moved in moving(&begun.tags) {
            let cannot = |source| MoveError::PutBack { tag: moved.tag.clone(), source };
            let (tag, to) = parsed(moved).map_err(cannot)?;
            asked_again(shelf, &tag, &to).map_err(cannot)?;
        }
        Ok(())
    }

    /// A tag back to what it was, if it still is what the move made of it.
    pub(crate) fn put_back(&self, moved: &MovedTag, shelf: &dyn Shelf) -> Result<(), ShelfError> {
        let (tag, to) = parsed(moved)?;
        if shelf.tag(&tag)?.as_ref() != Some(&to) {
            return Ok(());
        }
        match &moved.from {
            Some(from) => {
                let from = digest(from)?;
                shelf.set_tag(&tag, &from)?;
                asked_again(shelf, &tag, &from)
            }
            None => {
                shelf.remove_tag(&tag)?;
                match shelf.tag(&tag)? {
                    None => Ok(()),
                    Some(_) => Err(ShelfError::Other(format!("the registry removed `{tag}`, and still has it"))),
                }
            }
        }
    }

    fn unfinished(
        &self,
        begun: &MoveStatement,
        tag: &MovedTag,
        why: &Option<MoveError>,
        source: ShelfError,
    ) -> MoveError {
        let why =
            why.as_ref().map_or_else(String::new, |why| format!(" after this: {}", lineclear_event::with_causes(why)));
        let stuck = format!("`{}` could not be put back{why}", tag.tag);
        MoveError::Unfinished { id: begun.id.clone(), stuck, source }
    }

    fn write(&self, order: &Order, statement: &MoveStatement) -> Result<(), MoveError> {
        let evidence = Evidence {
            subject: Subject::Digest(order.digest.to_string()),
            at: (self.clock)(),
            by: order.by.clone(),
            statement: Statement::Move(statement.clone()),
        };
        self.book.append(vec![evidence])?;
        Ok(())
    }

    /// What each tag stands for now, and where it goes.
    fn plan(&self, order: &Order, shelf: &dyn Shelf) -> Result<Vec<MovedTag>, MoveError> {
        let mut found = Vec::new();
        for wanted in &order.tags {
            let held = shelf.tag(&wanted.tag);
            found.push(held.map_err(|source| MoveError::Before { doing: "ask what the tags stand for", source })?);
        }
        let index = self.book.index()?;
        let repository = order.repository.to_string();
        let held = |(wanted, digest): (&WantedTag, &Option<Digest>)| {
            digest.as_ref().map(|digest| index.held(&repository, wanted.tag.as_str(), digest.as_str()))
        };
        let held: Vec<Option<Held>> = order.tags.iter().zip(&found).map(held).collect();
        let wanted = order.tags.iter().zip(held.iter().map(Option::as_ref));
        let to = Target { digest: order.digest.as_str(), commit: &order.commit, take: order.take.as_deref() };
        let planned = plan_tags(wanted, to, &index, self.commits);
        // One digest for one version and for one commit: with another, nothing of it moves.
        for (wanted, planned) in order.tags.iter().zip(&planned) {
            if wanted.keeps == Keeps::Digest
                && planned.from.as_ref().is_some_and(|from| *from != planned.to)
                && let Some(why) = &planned.stays
            {
                return Err(MoveError::Taken { tag: planned.tag.clone(), why: why.clone() });
            }
        }
        Ok(planned)
    }

    /// Whether an image may move for its commit. The gate is asked of the image, for which a commit that it was built from has to be clear; and where that is
    /// another one than the image moves for, of this one, too: nobody is served by what was proven of another commit's contents.
    ///
    /// Of an image that may not move, what is given is the decision that says so.
    pub(crate) fn decide(&self, whole: &Whole<'_>, recorded: Recorded) -> Result<(Decision, Option<u64>), MoveError> {
        let digest = Subject::Digest(whole.digest.to_owned());
        loop {
            let now = (self.clock)();
            let (mut decisions, seen) = {
                let index = self.book.index()?;
                let known = Sources { index: &index, commits: self.commits, now };
                let ask = |subject: Subject| {
                    decide(whole.rules, &Asked { subject, context: whole.context, now }, &index, self.commits)
                };
                let of_digest = ask(digest.clone());
                let proves_another = of_digest.clear
                    && !whole.commit.is_empty()
                    && !of_digest.commit.as_deref().is_some_and(|commit| whole.is_own(commit, known));
                let of_commit = match proves_another {
                    true => Some(ask(format!("commit:{}", whole.commit).parse().map_err(BookError::new)?)),
                    false => None,
                };
                let asked = of_commit.filter(|decision| !decision.asks_for_nothing());
                ([Some(of_digest), asked].into_iter().flatten().collect::<Vec<_>>(), index.entries().len() as u64)
            };
            // The one that closes the gate, or else that of the image.
            let telling = decisions.iter().position(|decision| !decision.clear).unwrap_or(0);
            let Some(told) = decisions.get(telling).cloned() else { continue };
            if !recorded.records(&told) {
                return Ok((told, None));
            }
            let evidence = decisions.drain(..).map(|decision| Evidence {
                statement: Statement::Decision(decision.statement()),
                subject: decision.subject,
                at: now,
                by: lineclear_event::Witness::Engine,
            });
            let first = self.book.append(evidence.collect())?;
            // What came in between was not looked at: it may have been what closes the gate.
            if first == seen {
                return Ok((told, Some(first + telling as u64)));
            }
        }
    }

    fn may_go_on(&self) -> Result<(), MoveError> {
        if (self.cancelled)() { Err(MoveError::Cancelled) } else { Ok(()) }
    }
}

/// Whether a decision is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Always,
    WhenBlocked,
    Never,
}

impl Recorded {
    fn records(self, decision: &Decision) -> bool {
        match self {
            Self::Always => true,
            Self::WhenBlocked => !decision.clear,
            Self::Never => false,
        }
    }
}

fn asked_again(shelf: &dyn Shelf, tag: &Tag, to: &Digest) -> Result<(), ShelfError> {
    match shelf.tag(tag)? {
        Some(found) if found == *to => Ok(()),
        found => {
            let found = shown(found.as_ref());
            Err(ShelfError::Other(format!("the registry took `{tag}` for {to}, and gives {found} for it")))
        }
    }
}

/// What a statement of the ledger names.
pub(crate) fn parsed(moved: &MovedTag) -> Result<(Tag, Digest), ShelfError> {
    let tag = Tag::parse(&moved.tag).map_err(|error| ShelfError::Other(error.to_string()))?;
    Ok((tag, digest(&moved.to)?))
}

fn digest(text: &str) -> Result<Digest, ShelfError> {
    Digest::parse(text).map_err(|error| ShelfError::Other(error.to_string()))
}
