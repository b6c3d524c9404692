//! Carries moves out: every gate before any login, then one image after the other.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lineclear_deliver::{
    Cleared, Foreseen, MoveError, Moved, Mover, Order, Proofs, RegistryShelf, Settled, Shelf, Step, Turn,
};
use lineclear_event::{Statement, Subject};
use lineclear_oci::Digest;
use lineclear_registry::Client;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::attaching::Missing;
use super::{Chosen, Delivery, Ended};
use crate::output;
use crate::settings::now;

/// How long another move of the same repository is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of one image.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) chosen: Chosen,
    /// What an earlier move had left, and what became of it.
    pub(crate) settled: Vec<Settled>,
    pub(crate) end: End,
}

#[derive(Debug)]
pub(crate) enum End {
    Moved(Box<Moved>),
    Foreseen(Box<Foreseen>),
    Failed(Box<MoveError>),
    /// The ledger, or this machine.
    Fault(String),
    /// Another image was refused, or failed, and this one waits for it.
    NotTried,
}

/// An image whose gate was asked.
enum Ready {
    Is(Box<Cleared>),
    /// Nothing is in its way but what a publication makes.
    Lacks(Missing),
}

/// Ends what is under way when somebody wants it to end.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    asked: Arc<AtomicBool>,
    carrier: Arc<Mutex<Option<Client>>>,
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Cancel {
    /// One that listens to Ctrl-C. The second one ends the process, and leaves the rest to the next move.
    pub(crate) fn on_signals() -> Result<Self, Ended> {
        let cancel = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| Ended::fault(&error))?;
        let heard = cancel.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if heard.asked.load(Ordering::SeqCst) {
                    output::complain("ending now; the next move of the image finishes this one, or puts it back");
                    std::process::exit(130);
                }
                heard.cancel();
            }
        });
        Ok(cancel)
    }

    /// Ends it: at once while the image is copied, and not any more once tags move.
    pub(crate) fn cancel(&self) {
        self.asked.store(true, Ordering::SeqCst);
        if let Some(carrier) = &*self.carrier.lock().unwrap_or_else(PoisonError::into_inner) {
            carrier.cancel();
        }
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn watch(&self, carrier: &Client) {
        *self.carrier.lock().unwrap_or_else(PoisonError::into_inner) = Some(carrier.clone());
    }
}

/// Hears what is being done with an image: its name, and the step.
pub(crate) type Told<'t> = &'t dyn Fn(&str, Step<'_>);

impl Delivery {
    /// Moves all of them, if all gates are clear; the outcomes are in the same order.
    ///
    /// As long as one gate is blocked nothing is made for any of them, and nobody is called.
    pub(crate) fn carry(&self, mut chosen: Vec<Chosen>, cancel: &Cancel, told: Told<'_>) -> Vec<Outcome> {
        let guard = |one: &Chosen| {
            let told = |step: Step<'_>| told(&one.order.image, step);
            self.with_mover(cancel, &told, |mover| mover.guard(one.order.clone()))
        };
        let ask = |one: &Chosen| match self.missing(one)? {
            missing if missing.is_nothing() => guard(one).map(|cleared| Ready::Is(Box::new(cleared))),
            missing => Ok(Ready::Lacks(missing)),
        };
        let asked: Vec<Result<Ready, MoveError>> = chosen.iter().map(ask).collect();
        let mut stopped = asked.iter().any(Result::is_err);
        let mut guarded = Vec::new();
        for (one, asked) in chosen.iter_mut().zip(asked) {
            guarded.push(match asked {
                Err(error) => Some(Err(error)),
                Ok(Ready::Is(cleared)) => Some(Ok(*cleared)),
                Ok(Ready::Lacks(_)) if stopped => None,
                Ok(Ready::Lacks(missing)) => {
                    let made = self.attach(one, missing, cancel).and_then(|()| guard(one));
                    stopped |= made.is_err();
                    Some(made)
                }
            });
        }
        let mut outcomes = Vec::new();
        for (chosen, cleared) in chosen.into_iter().zip(guarded) {
            let mut settled = Vec::new();
            let end = match cleared {
                Some(Err(error)) => End::Failed(Box::new(self.without_own_work(&chosen, error))),
                Some(Ok(cleared)) if !stopped => self.carry_one(&chosen, cleared, cancel, told, &mut settled),
                Some(Ok(_)) | None => End::NotTried,
            };
            stopped |= !matches!(end, End::Moved(_));
            outcomes.push(Outcome { chosen, settled, end });
        }
        outcomes
    }

    fn carry_one(
        &self,
        chosen: &Chosen,
        cleared: Cleared,
        cancel: &Cancel,
        told: Told<'_>,
        settled: &mut Vec<Settled>,
    ) -> End {
        let repository = chosen.order.repository.to_string();
        let _turn = match self.turn(&repository) {
            Ok(turn) => turn,
            Err(why) => return End::Fault(why),
        };
        let proofs = match self.proofs(&cleared) {
            Ok(proofs) => proofs,
            Err(why) => return End::Fault(why),
        };
        let shelf = match self.registries.shelf(&chosen.to, Some(&chosen.from), proofs) {
            Ok(shelf) => shelf,
            Err(source) => {
                let error = MoveError::Before { doing: "open the release repository", source };
                return End::Failed(Box::new(
                    self.with_mover(cancel, &|_| {}, |mover| mover.refuse(&cleared, &error).err().unwrap_or(error)),
                ));
            }
        };
        cancel.watch(&shelf.carrier);
        let done = self.with_mover(cancel, &|step| told(&chosen.order.image, step), |mover| {
            // What was interrupted is another image: it was proven before its first tag moved.
            let left = RegistryShelf { proofs: Proofs::default(), ..shelf.clone() };
            *settled = mover.settle(&repository, &|gate| self.rules(gate), &left)?;
            mover.carry(cleared, &shelf)
        });
        match done {
            Ok(moved) => End::Moved(Box::new(moved)),
            Err(error) => End::Failed(Box::new(error)),
        }
    }

    /// What would happen. Nothing is written down.
    pub(crate) fn foresee(&self, mut chosen: Vec<Chosen>, cancel: &Cancel) -> Vec<Outcome> {
        let look = |one: &mut Chosen| {
            let (rules, notes) = self.rules_once_attached(one)?;
            one.notes.extend(notes);
            let order = Order { rules, ..one.order.clone() };
            self.with_mover(cancel, &|_| {}, |mover| mover.look(&order)).map(|_| order)
        };
        let looked: Vec<Result<Order, MoveError>> = chosen.iter_mut().map(look).collect();
        let stopped = looked.iter().any(Result::is_err);
        let foresee = |(chosen, order): (Chosen, Result<Order, MoveError>)| {
            let open = || {
                let shelf = self.registries.shelf(&chosen.to, Some(&chosen.from), Proofs::default())?;
                cancel.watch(&shelf.carrier);
                Ok(Box::new(shelf) as Box<dyn Shelf>)
            };
            let foreseen = match order {
                Ok(_) if stopped => None,
                order => {
                    Some(order.and_then(|order| self.with_mover(cancel, &|_| {}, |mover| mover.foresee(&order, &open))))
                }
            };
            let end = match foreseen {
                Some(Ok(foreseen)) => End::Foreseen(Box::new(foreseen)),
                Some(Err(error)) => End::Failed(Box::new(self.without_own_work(&chosen, error))),
                None => End::NotTried,
            };
            Outcome { chosen, settled: Vec::new(), end }
        };
        chosen.into_iter().zip(looked).map(foresee).collect()
    }

    /// Finishes, or puts back, every move that was interrupted.
    pub(crate) fn resume(&self, cancel: &Cancel) -> Result<Vec<Settled>, Ended> {
        let mut repositories: Vec<String> = Vec::new();
        for (_, begun) in self.index()?.open_moves(None) {
            if !repositories.contains(&begun.repository) {
                repositories.push(begun.repository.clone());
            }
        }
        let mut all = Vec::new();
        for repository in repositories {
            let to = lineclear_oci::Reference::parse(&repository).map_err(|error| Ended::fault(&error))?;
            let _turn = self.turn(&repository).map_err(Ended::work)?;
            let failed = |error: &dyn std::error::Error| Ended::work(lineclear_event::with_causes(error));
            let shelf = self
                .registries
                .shelf(&self.registries.place(&to), None, Proofs::default())
                .map_err(|error| failed(&error))?;
            let settled =
                self.with_mover(cancel, &|_| {}, |mover| mover.settle(&repository, &|gate| self.rules(gate), &shelf));
            all.extend(settled.map_err(|error| failed(&error))?);
        }
        Ok(all)
    }

    /// What is verified once more where the image arrives: what its gate asks for, by the keys that count.
    fn proofs(&self, cleared: &Cleared) -> Result<Proofs, String> {
        let order = cleared.order();
        let index = self.ledger.index().map_err(|error| lineclear_event::with_causes(&error))?;
        let subject = Subject::Digest(order.digest.to_string());
        let attached = index.of(&subject).filter_map(|entry| match &entry.evidence.statement {
            Statement::Sbom(sbom) => Digest::parse(sbom.attached.as_deref()?).ok(),
            _ => None,
        });
        let contents = order.rules.sbom.then(|| attached.collect());
        let (signature, provenance) = (order.rules.signature, order.rules.provenance);
        if !signature && !provenance {
            return Ok(Proofs { contents, ..Proofs::default() });
        }
        let trusted = self.keys.clone()?.keys?;
        let commits = cleared.commits(&index);
        Ok(Proofs { trusted, signature, provenance, commits, contents })
    }

    fn turn(&self, repository: &str) -> Result<Turn, String> {
        Turn::take(&self.store.root().join("moves"), repository, PATIENCE)
            .map_err(|error| lineclear_event::with_causes(&error))
    }

    pub(super) fn with_mover<T>(
        &self,
        cancel: &Cancel,
        told: &dyn Fn(Step<'_>),
        work: impl FnOnce(&Mover<'_>) -> T,
    ) -> T {
        work(&Mover {
            book: &self.ledger,
            commits: &self.commits,
            clock: &now,
            cancelled: &|| cancel.was_asked(),
            told,
        })
    }
}
