//! `lineclear/publish`, `lineclear/promote`, `lineclear/gate`: images move, and gates answer, from steps.
//!
//! A job's token opens no release repository, and these steps need none: they ask the engine, through [`Delivery`], and the engine
//! asks the gate. What a job may ask for is what its `permissions: packages` says.

use std::fmt;
use std::sync::Arc;

use lineclear_event::{Fact, ImageDeed, ImageFact};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use lineclear_source::suggest;
use serde_json::Value;

/// Moves images and asks gates, with rights that no job has.
pub trait Delivery: Send + Sync + fmt::Debug {
    /// Does what the step wishes.
    ///
    /// # Errors
    /// A sentence, for what is not possible. That a gate is blocked is no error but an answer.
    fn deliver(&self, wish: &Wish) -> Result<Delivered, String>;
}

/// What a step asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub deed: Deed,
    /// As the policy calls them; none means all.
    pub images: Vec<String>,
    /// For which commit; the tip of the reference, if there is none.
    pub commit: Option<String>,
    pub reference: Option<String>,
    pub digest: Option<String>,
    pub from: Option<String>,
    /// Tags of a promotion, in place of the policy's.
    pub tags: Vec<String>,
    pub dry_run: bool,
    /// The run that asks, for the ledger.
    pub run: lineclear_event::RunWitness,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Publish,
    /// To this target.
    Promote(String),
    /// Nothing moves: only this gate is asked; all of them, if none is named.
    Gate(Option<String>),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Whether the gates are clear.
    pub clear: bool,
    /// Whether all of it was done.
    pub done: bool,
    /// For the log.
    pub text: String,
    /// The entries of the decisions.
    pub decisions: Vec<u64>,
    pub images: Vec<DeliveredImage>,
}

/// An image that has its tags now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveredImage {
    pub image: String,
    pub digest: String,
    /// Registry, name and tag of each.
    pub tags: Vec<String>,
}

/// The actions that need the engine.
pub fn delivery(engine: &Arc<dyn Delivery>) -> Vec<Box<dyn NativeAction>> {
    let step = |kind| Box::new(Step { kind, engine: Arc::clone(engine) }) as Box<dyn NativeAction>;
    vec![step(Kind::Publish), step(Kind::Promote), step(Kind::Gate)]
}

/// Their names.
pub(crate) const NAMES: [&str; 3] = ["lineclear/publish", "lineclear/promote", "lineclear/gate"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Publish,
    Promote,
    Gate,
}

#[derive(Debug)]
struct Step {
    kind: Kind,
    engine: Arc<dyn Delivery>,
}

impl NativeAction for Step {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Publish => "lineclear/publish",
            Kind::Promote => "lineclear/promote",
            Kind::Gate => "lineclear/gate",
        }
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        match self.kind {
            Kind::Publish => {
                "
name: Publish images through a clear gate
inputs:
  images: { description: 'the images of lineclear.toml, one a line or by commas; all if it is empty', default: '' }
  commit: { description: 'the commit; that of the run, or of the run it follows', default: '' }
  ref: { description: 'the branch or tag; that of the run, or of the run it follows', default: '' }
  digest: { description: 'the image itself', default: '' }
  from: { description: 'where the image is', default: '' }
  dry-run: { description: 'say what would move', default: 'false' }
outputs:
  digest: { description: 'the digest, of the first image' }
  tags: { description: 'every tag that stands for it, one a line' }
  clear: { description: 'true when the gate is clear' }
  decision: { description: 'the entry of the decision in the ledger' }
"
            }
            Kind::Promote => {
                "
name: Promote an image that was published
inputs:
  image: { description: 'the image of lineclear.toml', required: true }
  target: { description: 'a key of its promote table', required: true }
  from: { description: 'a tag, a digest or a commit; the commit of the run if it is empty', default: '' }
  tags: { description: 'tags in place of those of lineclear.toml', default: '' }
  dry-run: { description: 'say what would move', default: 'false' }
outputs:
  digest: { description: 'the digest' }
  tags: { description: 'every tag that stands for it, one a line' }
  clear: { description: 'true when the gate is clear' }
  decision: { description: 'the entry of the decision in the ledger' }
"
            }
            Kind::Gate => {
                "
name: Ask a gate
inputs:
  gate: { description: 'the gate of lineclear.toml; all of them if it is empty', default: '' }
  commit: { description: 'the commit; that of the run, or of the run it follows', default: '' }
  digest: { description: 'an image, in place of a commit', default: '' }
  fail: { description: 'whether a blocked gate fails the step', default: 'true' }
outputs:
  clear: { description: 'true when the gate is clear' }
  decision: { description: 'the entry of the decision in the ledger' }
"
            }
        }
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        // An input that is not read would be a wish that is not heard, and what moved stays moved.
        if let Some(problem) = unknown_input(self.name(), self.metadata(), call.inputs.keys()) {
            return Err(NativeError(problem));
        }
        let wish = self.wish(call)?;
        if self.kind != Kind::Gate && !wish.dry_run {
            let level = call.caller.permissions.get("packages").map_or("none", String::as_str);
            if level != "write" {
                return Err(NativeError(format!(
                    "to move images the job `{}` needs `permissions: packages: write`, and it has `packages: {level}`",
                    call.caller.job
                )));
            }
        }
        let delivered = self.engine.deliver(&wish).map_err(NativeError)?;
        delivered.text.lines().for_each(|line| call.effects.log(line));
        self.tell(call, &delivered);
        let is_failure = match self.kind {
            Kind::Gate => !delivered.clear && call.flag("fail")?,
            Kind::Publish | Kind::Promote => !delivered.done,
        };
        match is_failure {
            true => Err(NativeError(match delivered.clear {
                true => "not every image was moved: the log says why".to_owned(),
                false => "the gate is blocked: the log says what is missing".to_owned(),
            })),
            false => Ok(()),
        }
    }
}

/// The names under `inputs` of the metadata above, a line each.
fn inputs_of(metadata: &str) -> impl Iterator<Item = &str> {
    let inputs = metadata.lines().skip_while(|line| *line != "inputs:").skip(1);
    inputs.map_while(|line| line.strip_prefix("  ")?.split_once(':')).map(|(name, _)| name)
}

/// What is wrong with the first input that the action does not have.
fn unknown_input<'g>(action: &str, metadata: &str, mut given: impl Iterator<Item = &'g String>) -> Option<String> {
    let name = given.find(|name| inputs_of(metadata).all(|known| known != name.as_str()))?;
    let meant = suggest(name, inputs_of(metadata)).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    let known: Vec<String> = inputs_of(metadata).map(|known| format!("`{known}`")).collect();
    Some(format!("`{action}` has no input `{name}`{meant}: it takes {}; nothing was done", known.join(", ")))
}

impl Step {
    fn wish(&self, call: &Call<'_>) -> Result<Wish, NativeError> {
        let given = |name: &str| Some(call.input(name).to_owned()).filter(|text| !text.is_empty());
        let list = |name: &str| -> Vec<String> {
            let parts = call.lines(name).into_iter().flat_map(|line| line.split(','));
            parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let required = |name: &str| given(name).ok_or_else(|| NativeError(format!("input `{name}` is required")));
        let github = &call.contexts.github;
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        // Of a run that follows another one: what that one ran for. What the gate knows of it decides, not the payload.
        let followed = &github["event"]["workflow_run"];
        let (commit, reference) = match text(&followed["head_sha"]) {
            Some(commit) => (Some(commit), text(&followed["head_branch"])),
            None => (text(&github["sha"]), text(&github["ref"])),
        };
        let mut wish = Wish {
            deed: match self.kind {
                Kind::Publish => Deed::Publish,
                Kind::Promote => Deed::Promote(required("target")?),
                Kind::Gate => Deed::Gate(given("gate")),
            },
            images: list(if self.kind == Kind::Promote { "image" } else { "images" }),
            commit: given("commit").or(commit),
            reference: given("ref").or(reference),
            digest: given("digest"),
            from: given("from"),
            tags: list("tags"),
            dry_run: call.flag("dry-run")?,
            run: lineclear_event::RunWitness {
                run: call.run,
                attempt: text(&github["run_attempt"]).and_then(|text| text.parse().ok()).unwrap_or(1),
                file: text(&github["workflow_ref"])
                    .and_then(|text| Some(text.split('@').next()?.splitn(3, '/').nth(2)?.to_owned()))
                    .unwrap_or_default(),
                event: text(&github["event_name"]).unwrap_or_default(),
                job: Some(call.caller.job.clone()),
            },
        };
        if self.kind == Kind::Promote {
            if wish.images.is_empty() {
                return Err(NativeError("input `image` is required".to_owned()));
            }
            // A promotion is of no branch.
            wish.reference = None;
        }
        Ok(wish)
    }

    fn tell(&self, call: &mut Call<'_>, delivered: &Delivered) {
        call.effects.output("clear", if delivered.clear { "true" } else { "false" });
        if let Some(decision) = delivered.decisions.first() {
            call.effects.output("decision", &decision.to_string());
        }
        if self.kind == Kind::Gate {
            return;
        }
        let tags: Vec<&str> = delivered.images.iter().flat_map(|image| &image.tags).map(String::as_str).collect();
        call.effects.output("digest", delivered.images.first().map_or("", |image| &image.digest));
        call.effects.output("tags", &tags.join("\n"));
        if delivered.images.is_empty() {
            return;
        }
        let mut summary = String::from("| image | tag | digest |\n|---|---|---|\n");
        for image in &delivered.images {
            for tag in &image.tags {
                summary.push_str(&format!("| {} | `{tag}` | `{}` |\n", image.image, image.digest));
            }
            call.effects.fact(Fact::Image(Box::new(ImageFact {
                deed: ImageDeed::Pushed,
                names: image.tags.clone(),
                digest: image.digest.clone(),
                platforms: Vec::new(),
                children: Vec::new(),
                config: None,
            })));
        }
        call.effects.summary(&summary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl Delivery for Nobody {
        fn deliver(&self, _: &Wish) -> Result<Delivered, String> {
            Err("nobody delivers".to_owned())
        }
    }

    fn steps() -> Vec<Box<dyn NativeAction>> {
        delivery(&(Arc::new(Nobody) as Arc<dyn Delivery>))
    }

    #[test]
    fn an_input_that_a_step_does_not_have_is_refused_with_those_that_it_has() {
        let problem = |name: &str, input: &str| {
            let step = steps().into_iter().find(|step| step.name() == name).expect("a step");
            unknown_input(name, step.metadata(), [input.to_owned()].iter())
        };
        assert_eq!(
            problem("lineclear/publish", "dry_run").as_deref(),
            Some(
                "`lineclear/publish` has no input `dry_run` (did you mean `dry-run`?): \
                 it takes `images`, `commit`, `ref`, `digest`, `from`, `dry-run`; nothing was done"
            )
        );
        let other = problem("lineclear/promote", "images").unwrap_or_default();
        assert!(other.contains("did you mean `image`?"), "{other}");
        assert_eq!(problem("lineclear/publish", "dry-run"), None);
        assert_eq!(problem("lineclear/gate", "gate"), None);
    }

    // What `check` knows of these steps is what they take.
    #[test]
    fn the_catalog_knows_the_inputs_of_these_steps() {
        for step in steps() {
            let facts = lineclear_catalog::action(step.name(), "v1").expect("it is in the catalog");
            let mut known: Vec<&str> = facts.inputs.iter().map(|input| input.name).collect();
            let mut own: Vec<&str> = inputs_of(step.metadata()).collect();
            known.sort_unstable();
            own.sort_unstable();
            assert_eq!(known, own, "{}", step.name());
            let outputs = step.metadata().lines().skip_while(|line| *line != "outputs:").skip(1);
            let mut outputs: Vec<&str> = outputs.filter_map(|line| Some(line.trim().split_once(':')?.0)).collect();
            outputs.sort_unstable();
            assert_eq!(facts.outputs, outputs, "{}", step.name());
        }
    }
}
