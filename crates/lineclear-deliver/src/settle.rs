//! Moves that were begun and not ended: finished, or put back.

use lineclear_event::{Evidence, MovePhase, MoveStatement, Statement, Subject, Witness};
use lineclear_gate::{Index, Rules};
use lineclear_oci::Digest;

use crate::carry::{Recorded, parsed};
use crate::error::moving;
use crate::{MoveError, Mover, Shelf};

/// What became of a move that was interrupted.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Done or undone.
    pub phase: MovePhase,
    pub statement: MoveStatement,
}

/// The moves that were begun and have no end, oldest first: those into `repository`, or all.
pub fn open_moves(index: &Index, repository: Option<&str>) -> Vec<MoveStatement> {
    let mut open: Vec<MoveStatement> = Vec::new();
    for entry in index.entries() {
        let Statement::Move(statement) = &entry.evidence.statement else { continue };
        match statement.phase {
            MovePhase::Begun if repository.is_none_or(|of| of == statement.repository) => open.push(statement.clone()),
            MovePhase::Begun => {}
            MovePhase::Done | MovePhase::Undone => open.retain(|one| one.id != statement.id),
        }
    }
    open
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
        let open = open_moves(&*self.book.index()?, Some(repository));
        let mut settled = Vec::new();
        for statement in open {
            let stuck = |stuck: &str, source| MoveError::Unfinished {
                id: statement.id.clone(),
                stuck: stuck.to_owned(),
                source,
            };
            if settled.is_empty() {
                shelf.log_in().map_err(|source| stuck("the registry does not let anybody in", source))?;
            }
            let (mut moved, mut missing) = (0, 0);
            for tag in moving(&statement.tags) {
                let cannot = |source| stuck(&format!("`{}` cannot be asked for", tag.tag), source);
                let (name, to) = parsed(tag).map_err(cannot)?;
                match shelf.tag(&name).map_err(cannot)? == Some(to) {
                    true => moved += 1,
                    false => missing += 1,
                }
            }
            let end = if missing == 0 {
                // All that was missing is the last line in the ledger.
                (MovePhase::Done, String::new())
            } else if moved == 0 {
                (MovePhase::Undone, "it was interrupted before any tag moved".to_owned())
            } else {
                self.finish_or_put_back(&statement, rules_of, shelf)?
            };
            let (phase, reason) = end;
            let statement = MoveStatement { phase, reason, ..statement };
            self.write_end(&statement)?;
            settled.push(Settled { phase, statement });
        }
        Ok(settled)
    }

    fn finish_or_put_back(
        &self,
        statement: &MoveStatement,
        rules_of: &dyn Fn(&str) -> Option<Rules>,
        shelf: &dyn Shelf,
    ) -> Result<(MovePhase, String), MoveError> {
        let why = match self.may_finish(statement, rules_of)? {
            Ok(()) => match self.name(statement, shelf) {
                Ok(()) => return Ok((MovePhase::Done, String::new())),
                Err(error) => lineclear_event::with_causes(&error),
            },
            Err(why) => why,
        };
        self.put_back(statement, shelf).map_err(|(tag, source)| MoveError::Unfinished {
            id: statement.id.clone(),
            stuck: format!("it cannot be finished ({why}), and `{tag}` cannot be put back"),
            source,
        })?;
        Ok((MovePhase::Undone, format!("it was interrupted, and not finished: {why}")))
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
        let (decision, _) = self.decide(&rules, &digest, context, Recorded::Always)?;
        let blocked = || format!("gate `{gate}` is blocked: {}", decision.statement().blocked.join("; "));
        Ok(if decision.clear { Ok(()) } else { Err(blocked()) })
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
