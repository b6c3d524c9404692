//! Moves images and asks gates for steps: `uses: lineclear/publish`, `lineclear/promote`, `lineclear/gate`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lineclear_event::{CheckContext, Evidence, Statement, Subject, Witness};
use lineclear_gate::decide;
use lineclear_native::{Deed, Delivered, DeliveredImage, Delivery as Port, Wish};
use lineclear_policy::Policy;
use lineclear_store_folder::FolderStore;

use super::permits::claims::Claims;
use super::permits::reviewed::Reviewed;
use super::registry::RegistryArgs;
use crate::command::publish::choose;
use crate::delivery::moving::{Cancel, End};
use crate::delivery::registries::Place;
use crate::delivery::{Asked, Delivery, Ended, Word, told};
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::policy_file;
use crate::settings::now;

/// The engine's side of these steps.
pub(super) struct StepDelivery {
    pub(super) root: PathBuf,
    pub(super) store: Arc<FolderStore>,
    pub(super) registry: RegistryArgs,
    pub(super) claims: Claims,
}

impl fmt::Debug for StepDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepDelivery").field("root", &self.root).finish_non_exhaustive()
    }
}

impl StepDelivery {
    /// By the policy that was reviewed: a branch cannot give itself an easier gate, the tags of another, keys or a place of its own. Only
    /// where the default branch has neither gates nor images the checkout's counts.
    fn delivery(&self, checkout: Checkout) -> Result<Delivery, Ended> {
        let says_something = |reviewed: &Reviewed| {
            let Policy { gates, images, .. } = &reviewed.policy;
            !(gates.is_empty() && images.is_empty())
        };
        let reviewed = Reviewed::of(&checkout.root, &checkout.default_branch()).map_err(Ended::input)?;
        let Some(reviewed) = reviewed.filter(says_something) else {
            return Delivery::by_checkout(checkout, self.store.clone(), &self.registry, None);
        };
        let read = |path: &str| reviewed.file(path);
        let name = format!("`{}` of `{}`", policy_file::NAME, checkout.default_branch());
        let word = Word { policy: reviewed.policy.clone(), read: &read, name };
        Delivery::of(checkout, self.store.clone(), word, &self.registry, None)
    }
}

impl Port for StepDelivery {
    fn deliver(&self, wish: &Wish) -> Result<Delivered, String> {
        let said = |ended: Ended| ended.message.unwrap_or_else(|| "`lineclear.toml` cannot be read".to_owned());
        // Read anew for each step: what other jobs have proven meanwhile counts.
        let checkout = Checkout::find(&self.root);
        let delivery = self.delivery(checkout).map_err(said)?;
        let by = Witness::Run(wish.run.clone());
        let mut asked = Asked {
            commit: wish.commit.clone(),
            reference: wish.reference.clone(),
            digest: wish.digest.clone(),
            from: wish.from.clone(),
            tags: wish.tags.clone(),
            by: Some(by.clone()),
            // A person's word: no job says that it may take what others have set.
            take: None,
        };
        let (chosen, notes) = match &wish.deed {
            Deed::Gate(gate) => return ask(&delivery, gate.as_deref(), wish).map_err(said),
            Deed::Publish => choose(&delivery, &wish.images, &asked).map_err(said)?,
            Deed::Promote(target) => {
                if asked.from.is_some() {
                    asked.commit = None;
                }
                let mut chosen = Vec::new();
                for image in &wish.images {
                    let image = delivery.image(image).map_err(said)?;
                    chosen.push(delivery.promotion(image, target, &asked).map_err(said)?);
                }
                (chosen, Vec::new())
            }
        };
        for one in &chosen {
            // A person may have good reasons to release where another repository did; a job has none.
            if let (Place::Embedded(place), false) = (&one.to, wish.dry_run) {
                self.claims.take(place, &delivery.repository)?;
            }
        }
        let cancel = Cancel::default();
        let outcomes = match wish.dry_run {
            true => delivery.foresee(chosen, &cancel),
            false => delivery.carry(chosen, &cancel, &|_, _| {}),
        };
        let mut delivered = Delivered {
            done: told::exit(&outcomes) == Exit::Success,
            clear: !outcomes.iter().any(told::is_refused),
            text: notes.iter().map(|note| format!("note: {note}\n")).collect::<String>() + &told::text(&outcomes),
            ..Delivered::default()
        };
        for outcome in &outcomes {
            delivered.decisions.extend(told::decision_of(outcome));
            if let End::Moved(moved) = &outcome.end {
                delivered.images.push(DeliveredImage {
                    image: outcome.chosen.order.image.clone(),
                    digest: moved.digest.to_string(),
                    tags: told::tags_of(outcome),
                });
            }
        }
        Ok(delivered)
    }
}

/// Asks a gate, or all of them where none is named, and writes down what they say.
fn ask(delivery: &Delivery, gate: Option<&str>, wish: &Wish) -> Result<Delivered, Ended> {
    let all = || delivery.policy.gates.iter().map(|gate| gate.name.value.as_str()).collect();
    let gates: Vec<&str> = gate.map_or_else(all, |gate| vec![gate]);
    if gates.is_empty() {
        return Err(Ended::input(format!("{} has no gate, so there is nothing to be clear or blocked", delivery.file)));
    }
    let subject = match (&wish.digest, &wish.commit) {
        (Some(digest), _) => digest.parse::<Subject>().map_err(|error| Ended::input(error.to_string()))?,
        (None, Some(name)) => {
            let commit = delivery.commits.resolve(name);
            Subject::Commit(commit.ok_or_else(|| Ended::input(format!("`{name}` is no commit that is known here")))?)
        }
        (None, None) => return Err(Ended::input("say which commit or digest the gate is asked for")),
    };
    let context = match wish.run.event.as_str() {
        "pull_request" | "pull_request_target" => CheckContext::PullRequest,
        _ => CheckContext::Push,
    };
    let asked = lineclear_gate::Asked { subject: subject.clone(), context, now: now() };
    let index = delivery.index()?;
    let mut delivered = Delivered { clear: true, done: true, ..Delivered::default() };
    let mut evidence = Vec::new();
    for gate in gates {
        let Some(rules) = delivery.rules(gate) else {
            return Err(Ended::input(format!("{} has no `[gate.{gate}]`", delivery.file)));
        };
        let decision = decide(&rules, &asked, &index, &delivery.commits);
        delivered.clear &= decision.clear;
        let text = &mut delivered.text;
        text.push_str(&format!("gate `{gate}` is {}\n", if decision.clear { "clear" } else { "blocked" }));
        for requirement in &decision.requirements {
            let mark = if requirement.standing.lets_through() { "✓" } else { "✗" };
            text.push_str(&format!("  {mark} {}\n", requirement.sentence()));
            text.extend(requirement.supply.iter().map(|supply| format!("    {supply}\n")));
        }
        let statement = Statement::Decision(decision.statement());
        let by = Witness::Run(wish.run.clone());
        evidence.push(Evidence { subject: subject.clone(), at: asked.now, by, statement });
    }
    // Whoever appends can do so without copying it.
    drop(index);
    delivered.decisions = delivery.ledger.append(evidence).map_err(|error| Ended::fault(&error))?;
    Ok(delivered)
}
