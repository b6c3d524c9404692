//! The life of a move: what has to be done next, whatever happened before.
//!
//! ```text
//! Asked ─ clear ─► Cleared ─ begun ─► Copying ─ copied ─► Tagging ─ all set ─► Done
//!   │                 │                  │                   │
//! blocked          all stay        fails, blocked          fails
//!   ▼                 ▼                  │                   ▼
//! Refused       NothingToDo              └──────────► PuttingBack ─ all back ─► Undone
//! ```
//! [`Move::after`] is pure: it takes what happened and says what is to be done. The gate is asked first, and nobody logs in before it is
//! clear. It is asked again after the copy, which may take its time; the tags follow at once. Everything that would have to be put back is in the
//! ledger before it is done: a move that was begun and has no end is [open](crate::Index::open_moves), and its next try is [`what_next`],
//! which needs nothing but the ledger's entry, the registry's tags and the gate.
//!
//! Carrying effects out is `lineclear-deliver`'s part. Each can be done twice without harm: a copy by digest, a tag that is set only while it is
//! what it was.

use lineclear_event::{MovePhase, MoveStatement, MovedTag, Statement};

use crate::{Entry, Index};

/// Where a move stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// The gate has not answered.
    Asked,
    /// The gate is clear, and this is what is planned. Nothing has changed anywhere.
    Cleared {
        begun: MoveStatement,
    },
    /// The ledger knows that it was begun.
    Copying {
        begun: MoveStatement,
    },
    /// The image is there. So many of the tags that move are set.
    Tagging {
        begun: MoveStatement,
        set: usize,
    },
    /// So many tags are still to be put back, the last first.
    PuttingBack {
        begun: MoveStatement,
        left: usize,
        reason: String,
    },
    Done {
        begun: MoveStatement,
    },
    Undone {
        begun: MoveStatement,
        reason: String,
    },
    /// The gate was not clear: nothing was begun.
    Refused,
    /// Every tag stays where it is.
    NothingToDo,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The gate is clear, its decision is recorded; `begun` is what is planned.
    Clear { begun: Box<MoveStatement> },
    /// The gate is blocked; after the copy this means that evidence was withdrawn meanwhile.
    Blocked { reason: String },
    /// That it was begun is recorded.
    Begun,
    /// The image is in the release repository, whole, and the gate is still clear.
    Copied,
    /// The next tag stands for what it is to stand for.
    TagSet,
    /// The tag that was to be put back is what it was.
    TagBack,
    /// What was to be done last could not be done.
    Failed { reason: String },
    /// Done or undone, and recorded.
    Ended,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Records it; durable before anything else is done.
    Record(Box<MoveStatement>),
    /// Logs in, copies the image by digest, checks that it is whole, and asks the gate again.
    Copy,
    /// Sets the tag, if it is what `from` says, or already is what it is to be.
    SetTag(MovedTag),
    /// Puts the tag back to `from` (removes one that was new), if it still is what the move made of it.
    PutBack(MovedTag),
}

/// What happened cannot happen where the move stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a move cannot go on from {state:?} with {happened:?}")]
pub struct OutOfTurn {
    pub state: Box<Move>,
    pub happened: Box<Happened>,
}

/// What the next try does with a move that was begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Every tag is set; only the last line in the ledger is missing.
    RecordDone,
    /// No tag has moved: it never happened.
    RecordUndone,
    /// The gate is clear: the tags that are missing are set, those that somebody else has moved since are left.
    Finish,
    /// The gate is not clear any more: the tags that moved are put back.
    PutBack,
}

impl Move {
    /// Where the move stands after something happened, and what is to be done now.
    ///
    /// # Errors
    /// [`OutOfTurn`] for what cannot happen here, so that a message that comes twice or late moves nothing.
    pub fn after(self, happened: Happened) -> Result<(Self, Vec<Effect>), OutOfTurn> {
        Ok(match (self, happened) {
            (Self::Asked, Happened::Clear { begun }) if moving(&begun).next().is_none() => {
                (Self::NothingToDo, Vec::new())
            }
            (Self::Asked, Happened::Clear { begun }) => {
                (Self::Cleared { begun: (*begun).clone() }, vec![Effect::Record(begun)])
            }
            (Self::Asked, Happened::Blocked { .. }) => (Self::Refused, Vec::new()),
            (Self::Cleared { begun }, Happened::Begun) => (Self::Copying { begun }, vec![Effect::Copy]),
            // Nothing was recorded, so there is nothing to end.
            (Self::Cleared { .. }, Happened::Failed { .. }) => (Self::Refused, Vec::new()),
            (Self::Copying { begun }, Happened::Copied) => Self::tagging(begun, 0),
            (Self::Copying { begun }, Happened::Blocked { reason } | Happened::Failed { reason }) => {
                Self::putting_back(begun, 0, reason)
            }
            (Self::Tagging { begun, set }, Happened::TagSet) => Self::tagging(begun, set + 1),
            // The tag that failed may be set all the same: its answer was lost. It is put back, too.
            (Self::Tagging { begun, set }, Happened::Failed { reason }) => Self::putting_back(begun, set + 1, reason),
            (Self::PuttingBack { begun, left, reason }, Happened::TagBack) => {
                Self::putting_back(begun, left.saturating_sub(1), reason)
            }
            (Self::Tagging { begun, set }, Happened::Ended) if moving(&begun).nth(set).is_none() => {
                (Self::Done { begun }, Vec::new())
            }
            (Self::PuttingBack { begun, left: 0, reason }, Happened::Ended) => {
                (Self::Undone { begun, reason }, Vec::new())
            }
            (state, happened) => return Err(OutOfTurn { state: Box::new(state), happened: Box::new(happened) }),
        })
    }

    fn tagging(begun: MoveStatement, set: usize) -> (Self, Vec<Effect>) {
        let effect = match moving(&begun).nth(set) {
            Some(tag) => Effect::SetTag(tag.clone()),
            None => Effect::Record(Box::new(MoveStatement { phase: MovePhase::Done, ..begun.clone() })),
        };
        (Self::Tagging { begun, set }, vec![effect])
    }

    fn putting_back(begun: MoveStatement, left: usize, reason: String) -> (Self, Vec<Effect>) {
        let effect = match left.checked_sub(1).and_then(|last| moving(&begun).nth(last)) {
            Some(tag) => Effect::PutBack(tag.clone()),
            None => Effect::Record(Box::new(MoveStatement {
                phase: MovePhase::Undone,
                reason: reason.clone(),
                ..begun.clone()
            })),
        };
        (Self::PuttingBack { begun, left, reason }, vec![effect])
    }
}

/// What the next try does with the open move `begun`. `now` gives what the registry has for a tag, `is_clear` whether the gate lets the move through now.
pub fn what_next(
    begun: &MoveStatement,
    now: &mut dyn FnMut(&str) -> Option<String>,
    is_clear: &mut dyn FnMut() -> bool,
) -> Next {
    let (mut set, mut missing) = (0_usize, 0_usize);
    for tag in moving(begun) {
        match now(&tag.tag).as_deref() == Some(tag.to.as_str()) {
            true => set += 1,
            false => missing += 1,
        }
    }
    match (set, missing) {
        (_, 0) => Next::RecordDone,
        (0, _) => Next::RecordUndone,
        _ if is_clear() => Next::Finish,
        _ => Next::PutBack,
    }
}

/// The tags that a move moves.
fn moving(begun: &MoveStatement) -> impl Iterator<Item = &MovedTag> {
    begun.tags.iter().filter(|tag| tag.stays.is_none())
}

impl Index {
    /// The moves that were begun and have no end, in the order in which they began; those into `repository` (registry and name), or all.
    pub fn open_moves<'i>(&'i self, repository: Option<&str>) -> Vec<(&'i Entry, &'i MoveStatement)> {
        let mut open = Vec::new();
        for id in self.moves() {
            let mut begun = None;
            let mut is_ended = false;
            for (entry, moved) in self.entries_of_move(id) {
                match moved.phase {
                    MovePhase::Begun => begun = begun.or(Some((entry, moved))),
                    MovePhase::Done | MovePhase::Undone | MovePhase::Refused => is_ended = true,
                }
            }
            open.extend(
                begun.filter(|(_, moved)| {
                    !is_ended && repository.is_none_or(|repository| repository == moved.repository)
                }),
            );
        }
        open.sort_by_key(|(entry, _)| entry.number);
        open
    }

    /// The entries of all moves into `repository` (registry and name), in order.
    pub fn moves_into<'i>(
        &'i self,
        repository: &'i str,
    ) -> impl DoubleEndedIterator<Item = (&'i Entry, &'i MoveStatement)> + use<'i> {
        self.all_moves().iter().filter_map(move |&at| {
            let entry = self.entries().get(at)?;
            match &entry.evidence.statement {
                Statement::Move(moved) if moved.repository == repository => Some((entry, moved)),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::{Evidence, MoveKind, Subject, Timestamp, Witness};

    use super::*;

    fn begun(id: &str, tags: &[(&str, Option<&str>, bool)]) -> MoveStatement {
        let tag = |(tag, from, stays): &(&str, Option<&str>, bool)| MovedTag {
            tag: (*tag).into(),
            from: from.map(str::to_owned),
            to: "new".into(),
            stays: stays.then(|| "it is there already".into()),
            taken: None,
        };
        MoveStatement {
            id: id.into(),
            kind: MoveKind::Publish,
            phase: MovePhase::Begun,
            image: "backend".into(),
            repository: "registry/backend".into(),
            source: "registry/ci@new".into(),
            commit: "c".into(),
            tags: tags.iter().map(tag).collect(),
            decision: 0,
            target: None,
            reason: String::new(),
        }
    }

    fn walk(happened: impl IntoIterator<Item = Happened>) -> (Move, Vec<String>) {
        let mut words = Vec::new();
        let mut at = Move::Asked;
        for one in happened {
            let (next, effects) = at.after(one).expect("it can happen");
            words.extend(effects.iter().map(|effect| match effect {
                Effect::Record(statement) => format!("record {:?}", statement.phase),
                Effect::Copy => "copy".into(),
                Effect::SetTag(tag) => format!("set {}", tag.tag),
                Effect::PutBack(tag) => format!("put back {}", tag.tag),
            }));
            at = next;
        }
        (at, words)
    }

    fn clear() -> Happened {
        let tags = [("v1", None, false), ("same", Some("new"), true), ("latest", Some("old"), false)];
        Happened::Clear { begun: Box::new(begun("1", &tags)) }
    }

    fn failed() -> Happened {
        Happened::Failed { reason: "the registry is down".into() }
    }

    #[test]
    fn a_move_is_guarded_recorded_copied_tagged_and_recorded() {
        use Happened::{Begun, Copied, Ended, TagSet};
        let (end, words) = walk([clear(), Begun, Copied, TagSet, TagSet, Ended]);
        assert!(matches!(end, Move::Done { .. }));
        assert_eq!(words, ["record Begun", "copy", "set v1", "set latest", "record Done"]);
    }

    #[test]
    fn nothing_is_done_for_a_gate_that_is_blocked_or_tags_that_all_stay() {
        assert_eq!(walk([Happened::Blocked { reason: String::new() }]), (Move::Refused, vec![]));
        let stay = Happened::Clear { begun: Box::new(begun("1", &[("same", Some("new"), true)])) };
        assert_eq!(walk([stay]), (Move::NothingToDo, vec![]));
    }

    #[test]
    fn what_fails_is_put_back_the_last_first_and_so_is_what_may_have_been_done() {
        use Happened::{Begun, Copied, Ended, TagBack, TagSet};
        let (end, words) = walk([clear(), Begun, Copied, TagSet, failed(), TagBack, TagBack, Ended]);
        assert!(matches!(end, Move::Undone { reason, .. } if reason == "the registry is down"));
        assert_eq!(
            words,
            ["record Begun", "copy", "set v1", "set latest", "put back latest", "put back v1", "record Undone"]
        );
        let withdrawn = Happened::Blocked { reason: "withdrawn".into() };
        let (end, words) = walk([clear(), Begun, withdrawn, Ended]);
        assert!(matches!(end, Move::Undone { .. }));
        assert_eq!(words, ["record Begun", "copy", "record Undone"]);
    }

    #[test]
    fn what_comes_out_of_turn_is_refused() {
        for (before, late) in [
            (vec![], Happened::Copied),
            (vec![clear()], Happened::TagSet),
            (vec![clear(), Happened::Begun], clear()),
            (vec![clear(), Happened::Begun, Happened::Copied], Happened::Ended),
            (vec![clear(), Happened::Begun, Happened::Copied, failed()], Happened::TagSet),
        ] {
            let (at, _) = walk(before);
            assert!(at.after(late).is_err());
        }
    }

    #[test]
    fn the_next_try_needs_the_ledger_the_tags_and_the_gate() {
        let tags = [("v1", None, false), ("latest", Some("old"), false)];
        let next = |v1: Option<&str>, latest: Option<&str>, is_clear: bool| {
            let of = |tag: &str| if tag == "v1" { v1 } else { latest }.map(str::to_owned);
            what_next(&begun("1", &tags), &mut |tag| of(tag), &mut || is_clear)
        };
        assert_eq!(next(Some("new"), Some("new"), false), Next::RecordDone);
        assert_eq!(next(None, Some("old"), true), Next::RecordUndone);
        assert_eq!(next(Some("new"), Some("old"), true), Next::Finish);
        assert_eq!(next(Some("new"), Some("old"), false), Next::PutBack);
    }

    #[test]
    fn open_moves_are_those_that_were_begun_and_not_ended_each_once() {
        let mut index = Index::default();
        let mut number = 0;
        let mut add = |id: &str, phase: MovePhase, at: i64| {
            index.add(Entry {
                previous: String::new(),
                number,
                evidence: Evidence {
                    subject: Subject::Digest(format!("sha256:{}", "0".repeat(64))),
                    at: Timestamp(at),
                    by: Witness::Engine,
                    statement: Statement::Move(MoveStatement { phase, ..begun(id, &[("v1", None, false)]) }),
                },
            });
            number += 1;
        };
        add("1", MovePhase::Begun, 0);
        add("2", MovePhase::Begun, 1);
        add("1", MovePhase::Done, 2);
        add("3", MovePhase::Undone, 3);
        // The message comes once more, and late.
        add("1", MovePhase::Begun, 4);
        add("2", MovePhase::Begun, 5);
        let ids = |repository| {
            let open = index.open_moves(repository);
            open.iter().map(|(entry, moved)| (entry.number, moved.id.clone())).collect::<Vec<_>>()
        };
        assert_eq!(ids(None), [(1, "2".to_owned())]);
        assert_eq!(ids(Some("registry/backend")), ids(None));
        assert_eq!(ids(Some("registry/other")), []);
    }
}
