//! Moves that were begun and not ended: finished, or put back.

use std::collections::BTreeMap;

use lineclear_event::{Evidence, MovePhase, MoveStatement, Statement, Subject, Witness};
use lineclear_gate::{Next, Rules, what_next};
use lineclear_oci::Digest;

use crate::carry::{Recorded, parsed};
use crate::error::moving;
use crate::parts::Whole;
use crate::{MoveError, Mover, Shelf};

/// What became of a move that was interrupted.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Done or undone.
    pub phase: MovePhase,
    pub statement: MoveStatement,
}

impl Mover<'_> {
    /// Ends every move into `repository` that was begun and not ended. One of which no tag had moved is undone; of the others, those
    /// whose gate is still clear are finished, and the rest is put back.
    ///
    /// `rules_of` gives the rules of the gate by its name; a gate that is no longer there is none that is clear. Nobody is called when there is nothing to end.
    ///
    /// # Errors
    /// [`MoveError::Unfinished`] when neither is possible now.
    pub fn settle(
        &self,
        repository: &str,
        rules_of: &dyn Fn(&str) -> Option<Rules>,
        shelf: &dyn Shelf,
    ) -> Result<Vec<Settled>, MoveError> {
        let open: Vec<MoveStatement> = {
            let index = self.book.index()?;
            index.open_moves(Some(repository)).into_iter().map(|(_, begun)| begun.clone()).collect()
        };
        let mut settled = Vec::new();
        for begun in open {
            let stuck = |stuck: String, source| MoveError::Unfinished { id: begun.id.clone(), stuck, source };
            if settled.is_empty() {
                shelf.log_in().map_err(|source| stuck("the registry does not let anybody in".to_owned(), source))?;
            }
            let mut now = BTreeMap::new();
            for tag in moving(&begun.tags) {
                let cannot = |source| stuck(format!("`{}` cannot be asked for", tag.tag), source);
                let (name, _) = parsed(tag).map_err(cannot)?;
                now.insert(tag.tag.clone(), shelf.tag(&name).map_err(cannot)?.map(|digest| digest.to_string()));
            }
            // The gate is asked, and what it says recorded, only where it matters.
            let (mut verdict, mut fault) = (Ok(()), None);
            let next = what_next(&begun, &mut |tag| now.get(tag).cloned().flatten(), &mut || match self
                .may_finish(&begun, rules_of)
            {
                Ok(answer) => {
                    verdict = answer;
                    verdict.is_ok()
                }
                Err(error) => {
                    fault = Some(error);
                    false
                }
            });
            if let Some(error) = fault {
                return Err(error);
            }
            let mut ended = begun.clone();
            let (phase, reason) = match next {
                Next::RecordDone => (MovePhase::Done, String::new()),
                Next::RecordUndone => (MovePhase::Undone, "it was interrupted before any tag moved".to_owned()),
                Next::Finish => match self.finish(&mut ended, &now, shelf) {
                    Ok(()) => (MovePhase::Done, String::new()),
                    Err(error) => {
                        let why = lineclear_event::with_causes(&error);
                        self.back(&begun, &why, shelf)?;
                        (MovePhase::Undone, format!("it was interrupted, and could not be finished: {why}"))
                    }
                },
                Next::PutBack => {
                    let why = verdict.err().unwrap_or_default();
                    self.back(&begun, &why, shelf)?;
                    (MovePhase::Undone, format!("it was interrupted, and not finished: {why}"))
                }
            };
            ended = MoveStatement { phase, reason, ..ended };
            self.write_end(&ended)?;
            settled.push(Settled { phase, statement: ended });
        }
        Ok(settled)
    }

    /// Sets the tags that are missing. One that someone else has moved since stays with them, and the ledger says so.
    fn finish(
        &self,
        ended: &mut MoveStatement,
        now: &BTreeMap<String, Option<String>>,
        shelf: &dyn Shelf,
    ) -> Result<(), MoveError> {
        let digest = moving(&ended.tags).next().and_then(|tag| Digest::parse(&tag.to).ok());
        if let Some(digest) = digest {
            let doing = "find the whole image where it was copied to";
            shelf.check(&digest).map_err(|source| MoveError::Before { doing, source })?;
        }
        for tag in ended.tags.iter_mut().filter(|tag| tag.stays.is_none()) {
            let found = now.get(&tag.tag).cloned().flatten();
            if found.as_ref() != Some(&tag.to) && found != tag.from {
                tag.from = found;
                tag.stays = Some("someone else has moved it meanwhile".to_owned());
                continue;
            }
            self.set(tag, shelf)?;
        }
        Ok(())
    }

    fn back(&self, begun: &MoveStatement, why: &str, shelf: &dyn Shelf) -> Result<(), MoveError> {
        for tag in moving(&begun.tags).rev() {
            self.put_back(tag, shelf).map_err(|source| MoveError::Unfinished {
                id: begun.id.clone(),
                stuck: format!("it cannot be finished ({why}), and `{}` cannot be put back", tag.tag),
                source,
            })?;
        }
        Ok(())
    }

    /// Whether the gate that let the move through still does.
    fn may_finish(
        &self,
        statement: &MoveStatement,
        rules_of: &dyn Fn(&str) -> Option<Rules>,
    ) -> Result<Result<(), String>, MoveError> {
        let number = usize::try_from(statement.decision).unwrap_or(usize::MAX);
        let index = self.book.index()?;
        let asked = index.entries().get(number).and_then(|entry| match &entry.evidence.statement {
            Statement::Decision(decision) => Some((decision.gate.clone(), decision.context)),
            _ => None,
        });
        // Whoever appends can do so without copying it.
        drop(index);
        let digest = moving(&statement.tags).next().and_then(|tag| Digest::parse(&tag.to).ok());
        let (Some((gate, context)), Some(digest)) = (asked, digest) else {
            return Ok(Err("the ledger does not have the decision that it rests on".to_owned()));
        };
        let Some(rules) = rules_of(&gate) else { return Ok(Err(format!("there is no gate `{gate}` any more"))) };
        let whole = Whole { digest: digest.as_str(), commit: &statement.commit, rules: &rules, context };
        let (decision, _) = self.decide(&whole, Recorded::Always)?;
        let blocked = || format!("gate `{gate}` is blocked: {}", decision.statement().blocked.join("; "));
        if !decision.clear {
            return Ok(Err(blocked()));
        }
        // What it brought was looked at before its first tag moved; what is known of that may have changed since.
        match self.look_inside(&whole, &[]) {
            Err(MoveError::Part(why)) => Ok(Err(why)),
            other => other.map(Ok),
        }
    }

    fn write_end(&self, statement: &MoveStatement) -> Result<(), MoveError> {
        let Some(tag) = statement.tags.first() else { return Ok(()) };
        self.book.append(vec![Evidence {
            subject: Subject::Digest(tag.to.clone()),
            at: (self.clock)(),
            by: Witness::Engine,
            statement: Statement::Move(statement.clone()),
        }])?;
        Ok(())
    }
}
