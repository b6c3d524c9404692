//! Going through recorded inputs again.

use lineclear_engine::{Effect, Engine, Input};

/// The engine after `inputs`, and the effects that they had, in order. Carries out none of them.
pub fn replay<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> (Engine, Vec<Effect>) {
    let mut engine = Engine::new();
    let mut effects = Vec::new();
    for input in inputs {
        // What was refused then is refused again, and had no effect.
        effects.extend(engine.apply(input).unwrap_or_default());
    }
    (engine, effects)
}
