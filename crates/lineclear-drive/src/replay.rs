//! Deciding again on what was recorded.

use lineclear_engine::{Effect, Engine, Input};

use crate::Recorded;

/// What a replay gives: the engine as it stood after the last input, and all that it ordered on the way.
#[derive(Debug)]
pub struct Replay {
    pub engine: Engine,
    pub effects: Vec<Effect>,
    /// Inputs that did not apply, as they did not the first time.
    pub refused: usize,
}

/// A recorded input cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("recorded input {number} cannot be read; the record is damaged or of another version")]
pub struct ReplayError {
    /// Counted from one, over all texts given.
    pub number: usize,
    source: serde_json::Error,
}

/// Applies `inputs` in order to a new engine. The same inputs give the same effects.
pub fn replay<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> Replay {
    let mut replay = Replay { engine: Engine::new(), effects: Vec::new(), refused: 0 };
    for input in inputs {
        match replay.engine.apply(input) {
            Ok(effects) => replay.effects.extend(effects),
            Err(_) => replay.refused += 1,
        }
    }
    replay
}

/// Applies recorded inputs, given as the stored texts of one run or of several runs of the same drive one after the other.
///
/// # Errors
/// The first text that is no recorded input.
pub fn replay_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Replay, ReplayError> {
    let read =
        |(at, text)| serde_json::from_str::<Recorded>(text).map_err(|source| ReplayError { number: at + 1, source });
    let mut inputs: Vec<Recorded> = texts.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    inputs.sort_by_key(|recorded| recorded.sequence);
    inputs.dedup_by_key(|recorded| recorded.sequence);
    Ok(replay(inputs.iter().map(|recorded| &recorded.input)))
}
