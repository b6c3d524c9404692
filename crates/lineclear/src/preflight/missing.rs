//! What is missing, put into words: once for each name, with every place that reads it.

use std::collections::BTreeMap;

use lineclear_secrets::Kind;

use super::known_values::Named;
use super::standing::Standing;
use super::uses::Use;
use crate::report::shell_word;

/// Most places that are named of one secret.
const MOST_PLACES: usize = 5;

/// A secret or variable that is not set, for one environment.
#[derive(Clone, Debug)]
pub(crate) struct Lack {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Of the jobs that read it.
    pub(crate) environment: Named,
    /// Whether every place can do without it.
    pub(crate) is_optional: bool,
    /// `file:line:column (job)`, each once.
    pub(crate) places: Vec<String>,
}

impl Lack {
    /// The command that would set it.
    pub(crate) fn command(&self) -> String {
        let name = shell_word(&self.name);
        match &self.environment {
            Named::Known(environment) => {
                format!("lineclear {} set {name} --env {}", self.kind.as_str(), shell_word(environment))
            }
            Named::None | Named::AtRunTime(_) => format!("lineclear {} set {name}", self.kind.as_str()),
        }
    }
}

/// Everything that is missing, what is needed first, in the order of the files.
pub(crate) fn lacking<'u>(uses: impl Iterator<Item = (&'u Use, Standing<'u>)>) -> Vec<Lack> {
    let mut lacks: Vec<Lack> = Vec::new();
    let mut at: BTreeMap<(Kind, String, Named), usize> = BTreeMap::new();
    for (used, standing) in uses {
        let (Standing::Missing, Some(name)) = (standing, &used.name) else { continue };
        let place = place(used);
        let key = (used.kind, name.clone(), used.environment.clone());
        match at.get(&key).and_then(|&at| lacks.get_mut(at)) {
            Some(lack) => {
                // The places that cannot do without are what has to be looked at.
                if lack.is_optional && !used.is_optional {
                    lack.places.clear();
                }
                if (lack.is_optional || !used.is_optional) && !lack.places.contains(&place) {
                    lack.places.push(place);
                }
                lack.is_optional &= used.is_optional;
            }
            None => {
                at.insert(key, lacks.len());
                lacks.push(Lack {
                    kind: used.kind,
                    name: name.clone(),
                    environment: used.environment.clone(),
                    is_optional: used.is_optional,
                    places: vec![place],
                });
            }
        }
    }
    let mut lacks = merged(lacks);
    lacks.sort_by_key(|lack| lack.is_optional);
    lacks
}

/// What a job without an environment lacks too is set once, for the repository.
fn merged(lacks: Vec<Lack>) -> Vec<Lack> {
    let same = |one: &Lack, other: &Lack| one.kind == other.kind && one.name == other.name;
    let (mut general, of_environments): (Vec<Lack>, Vec<Lack>) =
        lacks.into_iter().partition(|lack| lack.environment == Named::None);
    let mut rest = Vec::new();
    for lack in of_environments {
        match general.iter_mut().find(|general| same(general, &lack)) {
            Some(general) if general.is_optional == lack.is_optional => general.places.extend(lack.places),
            Some(general) if general.is_optional => {
                general.places = lack.places;
                general.is_optional = false;
            }
            Some(_) => {}
            None => rest.push(lack),
        }
    }
    general.extend(rest);
    general
}

/// `file:line:column (job build)`.
fn place(used: &Use) -> String {
    let position = used.position();
    let job = if used.job.is_empty() { "for the run itself".to_owned() } else { format!("job {}", used.job) };
    format!("{}:{position} ({job})", used.file.name())
}

/// What a person reads; nothing if nothing is missing. `consequence` says what comes of it.
pub(crate) fn lines(lacks: &[Lack], consequence: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let (optional, needed): (Vec<&Lack>, Vec<&Lack>) = lacks.iter().partition(|lack| lack.is_optional);
    if !needed.is_empty() {
        lines.push(format!("{} not set{consequence}:", counted(&needed)));
    }
    for lack in needed {
        lines.push(format!("  {}", title(lack)));
        lines.extend(lack.places.iter().take(MOST_PLACES).map(|place| format!("    {place}")));
        if lack.places.len() > MOST_PLACES {
            lines.push(format!("    and {} more", lack.places.len() - MOST_PLACES));
        }
        lines.push(format!("    {}", lack.command()));
    }
    if !optional.is_empty() {
        let names: Vec<String> = optional.iter().map(|lack| title(lack)).collect();
        lines.push(format!("not set, but only tested or with a fallback: {}", names.join(", ")));
    }
    lines
}

fn title(lack: &Lack) -> String {
    let (kind, name) = (lack.kind.as_str(), &lack.name);
    match &lack.environment {
        Named::None => format!("{kind} {name}"),
        Named::Known(environment) => format!("{kind} {name} (environment {environment})"),
        Named::AtRunTime(text) => format!("{kind} {name} (environment {text})"),
    }
}

fn counted(lacks: &[&Lack]) -> String {
    let count = |kind| lacks.iter().filter(|lack| lack.kind == kind).count();
    let words = |count: usize, kind: Kind| match count {
        0 => None,
        1 => Some(format!("1 {}", kind.as_str())),
        _ => Some(format!("{count} {}s", kind.as_str())),
    };
    let parts: Vec<String> =
        [Kind::Secret, Kind::Variable].into_iter().filter_map(|kind| words(count(kind), kind)).collect();
    let verb = if lacks.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", parts.join(" and "))
}
