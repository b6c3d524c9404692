//! Naming a run.

use lineclear_event::RunId;
use lineclear_store::{RunSummary, Store, StoreError};

use super::{History, HistoryError, Status};
use crate::settings::now;

/// Runs that an error lists as those that may have been meant.
const LISTED: usize = 4;
/// Last digits of an id that are enough to name it.
const SHORTEST_ENDING: usize = 3;

/// What a person calls a run.
///
/// | text | run |
/// |---|---|
/// | `1795250130123` | the one of this id |
/// | `17952501`, `0123` | the one whose id alone begins, or ends, so |
/// | `#12`, `ci.yml#12` | number 12 (of that workflow) |
/// | `last`, `@1`, `@2` | the newest, the newest, the one before |
/// | `last-failed` | the newest that failed |
/// | `ci.yml`, `ci`, `ci.yml@2`, `ci@last-failed` | the same among the runs of one workflow, by its file or name |
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// The newest is 1.
    Back {
        workflow: Option<String>,
        count: usize,
    },
    LastFailed {
        workflow: Option<String>,
    },
    Number {
        workflow: Option<String>,
        number: u64,
    },
    /// An id, the beginning or the end of one, or a run number.
    Digits(String),
}

impl Selector {
    /// # Errors
    /// A sentence that says what a run may be called.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` names no run: give its id (or the first or last digits), `last`, `last-failed`, `@2` for the one before the \
                 last, a workflow such as `ci.yml`, or its run number as `ci.yml#12`"
            )
        };
        let workflow = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        if let Some((name, number)) = text.rsplit_once('#') {
            let number = number.parse().map_err(|_| wrong())?;
            return Ok(Self::Number { workflow: workflow(name), number });
        }
        let (name, which) = match text.rsplit_once('@') {
            Some((name, which)) => (workflow(name), which),
            None if ["last", "latest", "last-failed"].contains(&text) => (None, text),
            None if text.is_empty() => return Err(wrong()),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => return Ok(Self::Digits(text.to_owned())),
            None => (workflow(text), "last"),
        };
        match which {
            "last" | "latest" => Ok(Self::Back { workflow: name, count: 1 }),
            "last-failed" => Ok(Self::LastFailed { workflow: name }),
            count => match count.parse() {
                Ok(count) if count > 0 => Ok(Self::Back { workflow: name, count }),
                _ => Err(wrong()),
            },
        }
    }

    pub(super) fn find(&self, history: &History) -> Result<RunSummary, HistoryError> {
        match self {
            Self::Back { workflow: None, count } => {
                let found = history.runs(*count)?.into_iter().nth(count - 1);
                let what = if *count == 1 { "there is no run".to_owned() } else { format!("there is no run @{count}") };
                found.ok_or_else(|| none(history, &what))
            }
            Self::Back { workflow: Some(name), count } => {
                let runs = history.runs(usize::MAX)?;
                let found = runs.iter().filter(|run| is_of(run, name)).nth(count - 1);
                found.cloned().ok_or_else(|| unknown_workflow(history, name, &runs, &format!("no run @{count}")))
            }
            Self::LastFailed { workflow } => {
                let mut runs = history.runs(usize::MAX)?.into_iter();
                let found = runs
                    .find(|run| workflow.as_ref().is_none_or(|name| is_of(run, name)) && Status::of(run).is_failure());
                found.ok_or_else(|| none(history, "there is no failed run"))
            }
            Self::Number { workflow, number } => {
                let runs = history.runs(usize::MAX)?;
                let wanted = |run: &&RunSummary| workflow.as_ref().is_none_or(|name| is_of(run, name));
                let found: Vec<&RunSummary> =
                    runs.iter().filter(wanted).filter(|run| run.header.number == *number).collect();
                match (found.as_slice(), workflow) {
                    ([one], _) => Ok((*one).clone()),
                    ([], Some(name)) => Err(unknown_workflow(history, name, &runs, &format!("no run #{number}"))),
                    ([], None) => Err(none(history, &format!("there is no run #{number}"))),
                    (several, _) => Err(several_of(&format!("#{number}"), several)),
                }
            }
            Self::Digits(digits) => by_digits(history, digits),
        }
    }
}

fn by_digits(history: &History, digits: &str) -> Result<RunSummary, HistoryError> {
    if let Ok(id) = digits.parse() {
        match history.store.run(RunId(id)) {
            // An id means the same run wherever one stands.
            Ok(run) => return Ok(run),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let runs = history.runs(usize::MAX)?;
    let fits = |id: &str| id.starts_with(digits) || digits.len() >= SHORTEST_ENDING && id.ends_with(digits);
    let found: Vec<&RunSummary> = runs.iter().filter(|run| fits(&run.header.id.to_string())).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let number = digits.parse().unwrap_or(0);
            let numbered: Vec<&RunSummary> = runs.iter().filter(|run| run.header.number == number).collect();
            match numbered.as_slice() {
                [one] => Ok((*one).clone()),
                [] => Err(none(history, &format!("there is no run {digits}"))),
                several => Err(several_of(&format!("#{digits}"), several)),
            }
        }
        several => Err(several_of(digits, several)),
    }
}

/// Whether a run is of the workflow of this name, file, or file name with or without its ending.
pub(crate) fn is_of(run: &RunSummary, name: &str) -> bool {
    let file = run.header.run.file.as_str();
    let bare = file.rsplit('/').next().unwrap_or(file);
    let stem = bare.rsplit_once('.').map_or(bare, |(stem, _)| stem);
    [file, bare, stem].contains(&name) || run.header.run.workflow.eq_ignore_ascii_case(name)
}

fn none(history: &History, what: &str) -> HistoryError {
    let place = match &history.repository {
        Some(repository) => format!(" of {repository}"),
        None => String::new(),
    };
    let newest = history.runs(LISTED).unwrap_or_default();
    let advice = match newest.as_slice() {
        [] if history.repository.is_some() => {
            ": nothing has run here yet (`--all-repositories` looks at the others)".to_owned()
        }
        [] => ": nothing has run yet".to_owned(),
        runs => format!("; the newest are\n{}`lineclear runs` lists them", listed(&runs.iter().collect::<Vec<_>>())),
    };
    HistoryError::Asked(format!("{what}{place}{advice}"))
}

fn unknown_workflow(history: &History, name: &str, runs: &[RunSummary], what: &str) -> HistoryError {
    if runs.iter().any(|run| is_of(run, name)) {
        let own: Vec<&RunSummary> = runs.iter().filter(|run| is_of(run, name)).take(LISTED).collect();
        return HistoryError::Asked(format!("`{name}` has {what}; its newest are\n{}", listed(&own).trim_end()));
    }
    let mut files: Vec<&str> = runs.iter().map(|run| run.header.run.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let names = files.iter().map(|file| file.rsplit('/').next().unwrap_or(file));
    match lineclear_source::suggest(name, names.clone().chain(["last", "last-failed"])) {
        Some(near) => HistoryError::Asked(format!("no run is called `{name}`; did you mean `{near}`?")),
        None if files.is_empty() => none(history, &format!("no run is called `{name}`")),
        None => {
            let names: Vec<&str> = names.collect();
            HistoryError::Asked(format!("no run is called `{name}`; there are runs of {}", names.join(", ")))
        }
    }
}

fn several_of(text: &str, runs: &[&RunSummary]) -> HistoryError {
    let shown = &runs[..runs.len().min(LISTED)];
    HistoryError::Asked(format!("`{text}` may be any of {} runs:\n{}", runs.len(), listed(shown).trim_end()))
}

fn listed(runs: &[&RunSummary]) -> String {
    let line = |run: &&RunSummary| {
        let RunSummary { header, .. } = run;
        let file = header.run.file.rsplit('/').next().unwrap_or_default();
        let age = super::words::age(header.run.started, now());
        format!("  {}  {file}#{}  {}  {age}\n", header.id, header.number, Status::of(run))
    };
    runs.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_many_names() {
        let shown = |text: &str| match Selector::parse(text) {
            Ok(selector) => format!("{selector:?}"),
            Err(_) => "wrong".to_owned(),
        };
        let back = |workflow: &str, count| format!("Back {{ workflow: {workflow}, count: {count} }}");
        assert_eq!(shown("last"), back("None", 1));
        assert_eq!(shown("@2"), back("None", 2));
        assert_eq!(shown("ci.yml"), back("Some(\"ci.yml\")", 1));
        assert_eq!(shown("ci@3"), back("Some(\"ci\")", 3));
        assert_eq!(shown("ci@last-failed"), "LastFailed { workflow: Some(\"ci\") }");
        assert_eq!(shown("last-failed"), "LastFailed { workflow: None }");
        assert_eq!(shown("ci.yml#12"), "Number { workflow: Some(\"ci.yml\"), number: 12 }");
        assert_eq!(shown("#12"), "Number { workflow: None, number: 12 }");
        assert_eq!(shown("0123"), "Digits(\"0123\")");
        for text in ["", "@0", "@x", "#", "ci#x"] {
            assert_eq!(shown(text), "wrong", "{text:?}");
        }
    }
}
