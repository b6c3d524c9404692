//! What the caches were worth: look-ups of past runs, and how long jobs took with a hit and without.

use std::collections::BTreeMap;

use lineclear_event::{Conclusion, Fact, RunId, Timestamp};
use serde::Serialize;

use super::words::median;
use super::{JobView, RunView};

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Found {
    /// The key itself.
    Exact,
    /// Another key, through a restore key.
    Partial,
    Nothing,
}

/// One look-up of a step.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LookUp {
    pub(crate) run: RunId,
    /// When the run began.
    pub(crate) started: Timestamp,
    pub(crate) job: String,
    pub(crate) step: String,
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) matched: Option<String>,
    pub(crate) found: Found,
    pub(crate) reason: String,
    /// Bytes restored.
    pub(crate) size: u64,
}

/// The look-ups of a run, in the order of its jobs.
pub(crate) fn look_ups(view: &RunView) -> Vec<LookUp> {
    let of_job = |job: &JobView| of_job(view, job);
    view.jobs.iter().flat_map(of_job).collect()
}

/// The look-ups of one job.
pub(crate) fn of_job(view: &RunView, job: &JobView) -> Vec<LookUp> {
    let look_up = |(step, fact): &(String, Fact)| match fact {
        Fact::Cache { key, matched, reason, size } => Some(LookUp {
            run: view.id(),
            started: view.summary.header.run.started,
            job: job.key.to_string(),
            step: step.clone(),
            key: key.clone(),
            found: match matched {
                Some(matched) if matched == key => Found::Exact,
                Some(_) => Found::Partial,
                None => Found::Nothing,
            },
            matched: matched.clone(),
            reason: reason.clone(),
            size: *size,
        }),
        _ => None,
    };
    job.facts.iter().filter_map(look_up).collect()
}

/// Look-ups counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rate {
    pub(crate) look_ups: u64,
    pub(crate) exact: u64,
    pub(crate) partial: u64,
    pub(crate) missed: u64,
    /// Bytes restored.
    pub(crate) restored: u64,
}

impl Rate {
    pub(crate) fn add(&mut self, look_up: &LookUp) {
        self.look_ups += 1;
        self.restored += look_up.size;
        match look_up.found {
            Found::Exact => self.exact += 1,
            Found::Partial => self.partial += 1,
            Found::Nothing => self.missed += 1,
        }
    }

    pub(crate) fn hits(&self) -> u64 {
        self.exact + self.partial
    }
}

/// The part of a key that stays when what it hashes changes: `pip-linux-` of `pip-linux-0a1b2c3d`.
pub(crate) fn family(key: &str) -> String {
    let is_changing = |part: &str| {
        part.len() >= 6
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    match key.rsplit_once('-') {
        Some((stem, last)) if is_changing(last) => format!("{stem}-…"),
        None if is_changing(key) => "…".to_owned(),
        _ => key.to_owned(),
    }
}

/// How long a job took when all its look-ups hit, and when one missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Comparison {
    pub(crate) file: String,
    pub(crate) job: String,
    /// How often, and the middle of the durations.
    pub(crate) with: u64,
    pub(crate) with_ms: u64,
    pub(crate) without: u64,
    pub(crate) without_ms: u64,
}

impl Comparison {
    /// Time saved, in percent of the time without; negative where caching costs time.
    pub(crate) fn saved_percent(&self) -> i64 {
        let (with, without) = (i64::try_from(self.with_ms), i64::try_from(self.without_ms));
        match (with, without) {
            (Ok(with), Ok(without)) if without > 0 => (without.saturating_sub(with)).saturating_mul(100) / without,
            _ => 0,
        }
    }
}

/// Durations of one job: with all its caches, and without.
type Durations = (Vec<u64>, Vec<u64>);

/// Compares successful jobs of `views` with and without their caches; jobs that were seen only one way are left out. A job of
/// which a look-up found something by a restore key counts as neither.
pub(crate) fn compare(views: &[RunView]) -> Vec<Comparison> {
    let mut durations: BTreeMap<(&str, &str), Durations> = BTreeMap::new();
    for view in views {
        for job in &view.jobs {
            let found: Vec<Found> = of_job(view, job).iter().map(|look_up| look_up.found).collect();
            let Some(end) = job.end.as_ref().filter(|end| end.conclusion == Conclusion::Success) else { continue };
            let place = durations.entry((view.summary.header.run.file.as_str(), job.key.as_str())).or_default();
            if found.contains(&Found::Nothing) {
                place.1.push(end.duration_ms);
            } else if !found.is_empty() && found.iter().all(|found| *found == Found::Exact) {
                place.0.push(end.duration_ms);
            }
        }
    }
    let comparison = |((file, job), (with, without)): ((&str, &str), Durations)| {
        let counts = (with.len() as u64, without.len() as u64);
        Some(Comparison {
            file: file.to_owned(),
            job: job.to_owned(),
            with: counts.0,
            with_ms: median(with)?,
            without: counts.1,
            without_ms: median(without)?,
        })
    };
    durations.into_iter().filter_map(comparison).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_of_a_key_is_what_stays() {
        assert_eq!(family("pip-linux-3.12-0a1b2c3d4e5f"), "pip-linux-3.12-…");
        assert_eq!(family("node-modules"), "node-modules");
        assert_eq!(family("k-decade"), "k-decade", "a word of hexadecimal letters is a word");
        assert_eq!(family("0a1b2c3d4e5f"), "…");
    }

    #[test]
    fn what_caching_saves_is_a_share_of_the_time_without() {
        let comparison = |with_ms, without_ms| Comparison {
            file: String::new(),
            job: String::new(),
            with: 1,
            with_ms,
            without: 1,
            without_ms,
        };
        assert_eq!(comparison(60, 100).saved_percent(), 40);
        assert_eq!(comparison(150, 100).saved_percent(), -50);
        assert_eq!(comparison(1, 0).saved_percent(), 0);
    }
}
