//! Names and values from the command line, files, the environment and the stores: secrets, variables, inputs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lineclear_event::JobSpec;
use lineclear_runner::Secrets;
use lineclear_secrets::{Kind, Name, RepositoryName};

use crate::secret_stores::Known;

/// What is wrong with a given value, as a sentence.
pub(crate) type Wrong = String;

/// Values of one kind by the jobs that see them.
#[derive(Clone, Default)]
struct Scoped {
    /// For every job.
    of_run: BTreeMap<String, String>,
    /// For jobs of an environment, by its name in lower case: names of environments ignore case.
    of_environments: BTreeMap<String, BTreeMap<String, String>>,
}

impl Scoped {
    /// What the stores know, with what was given for this one run above it all.
    fn new(kind: Kind, known: &Known, repository: &RepositoryName, given: &BTreeMap<String, String>) -> Self {
        let value = |found: &crate::secret_stores::Found<'_>| found.entry.value().expose().to_owned();
        let stored = known.seen_from(kind, repository, None);
        let mut of_run: BTreeMap<String, String> =
            stored.iter().map(|(name, found)| ((*name).to_owned(), value(found))).collect();
        of_run.extend(given.clone());
        let mut of_environments = BTreeMap::new();
        for environment in known.environments(repository) {
            let mut values = BTreeMap::new();
            for (name, found) in known.seen_from(kind, repository, Some(environment)) {
                if found.entry.scope().environment_name().is_some() {
                    values.insert(name.to_owned(), given.get(name).cloned().unwrap_or_else(|| value(&found)));
                }
            }
            of_environments.insert(environment.to_lowercase(), values);
        }
        Self { of_run, of_environments }
    }

    fn of_environment(&self, environment: Option<&str>) -> Option<&BTreeMap<String, String>> {
        self.of_environments.get(&environment?.to_lowercase()).filter(|values| !values.is_empty())
    }
}

/// The secrets of a run. `Debug` shows no value.
#[derive(Clone, Default)]
pub(crate) struct SecretsOfRun(Scoped);

impl SecretsOfRun {
    /// The stores' secrets, and above them those `given` for this run.
    pub(crate) fn new(known: &Known, repository: &RepositoryName, given: &BTreeMap<String, String>) -> Self {
        Self(Scoped::new(Kind::Secret, known, repository, given))
    }

    /// What a job is given that names this environment: S1-103.
    pub(crate) fn of(&self, environment: Option<&str>) -> Secrets {
        Secrets {
            of_run: self.0.of_run.clone(),
            of_environment: self.0.of_environment(environment).cloned().unwrap_or_default(),
        }
    }

    /// A secret that every job is given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.of_run.get(name).map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.of_run.is_empty() && self.0.of_environments.values().all(BTreeMap::is_empty)
    }
}

impl std::fmt::Debug for SecretsOfRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.of_run.keys()).finish()
    }
}

/// The configuration variables of a run.
#[derive(Clone, Default)]
pub(crate) struct VarsOfRun(Scoped);

impl VarsOfRun {
    /// The stores' variables, and above them those `given` for this run.
    pub(crate) fn new(known: &Known, repository: &RepositoryName, given: &BTreeMap<String, String>) -> Self {
        Self(Scoped::new(Kind::Variable, known, repository, given))
    }

    /// Those that every job sees.
    pub(crate) fn of_run(&self) -> &BTreeMap<String, String> {
        &self.0.of_run
    }

    /// The job with the variables of its environment, which are known only once the job is handed out.
    pub(crate) fn for_job<'s>(&self, spec: &'s JobSpec) -> Cow<'s, JobSpec> {
        let Some(own) = self.0.of_environment(spec.environment.as_deref()) else { return Cow::Borrowed(spec) };
        let mut vars = spec.contexts.vars.as_object().cloned().unwrap_or_default();
        vars.retain(|name, _| !own.keys().any(|of| of.eq_ignore_ascii_case(name)));
        vars.extend(own.iter().map(|(name, value)| (name.clone(), value.clone().into())));
        let mut spec = spec.clone();
        spec.contexts.vars = Arc::new(vars.into());
        Cow::Owned(spec)
    }
}

/// `NAME=VALUE` pairs over those of a file, the pairs winning.
pub(crate) fn pairs(file: Option<&Path>, given: &[(String, String)]) -> Result<BTreeMap<String, String>, Wrong> {
    let mut values = file.map_or_else(|| Ok(BTreeMap::new()), read_dotenv)?;
    values.extend(given.iter().cloned());
    Ok(values)
}

/// Secrets: `NAME=VALUE`, or `NAME` alone, whose value is then taken from the environment.
pub(crate) fn secrets(file: Option<&Path>, given: &[String]) -> Result<BTreeMap<String, String>, Wrong> {
    let in_file = file.map_or_else(|| Ok(BTreeMap::new()), read_dotenv)?;
    let mut values: BTreeMap<String, String> =
        in_file.into_iter().map(|(name, value)| (name.to_ascii_uppercase(), value)).collect();
    for secret in given {
        let (name, value) = match secret.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => {
                let missing = || {
                    format!(
                        "secret `{secret}` has no value: give `{secret}=VALUE`, or set `{secret}` in the environment"
                    )
                };
                (secret.as_str(), std::env::var(secret).map_err(|_| missing())?)
            }
        };
        values.insert(name.to_ascii_uppercase(), value);
    }
    for name in values.keys() {
        // The run's own token may be given; otherwise the rules are those of the stores.
        if name != "GITHUB_TOKEN"
            && let Err(error) = Name::new(name)
        {
            return Err(error.to_string());
        }
    }
    Ok(values)
}

/// Reads `NAME=VALUE` lines: blank lines and `#` comments are skipped, `export` before a name is allowed, a value may stand in
/// quotes (in double quotes `\n`, `\"` and `\\` are understood, and it may go over several lines).
fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>, Wrong> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    parse_dotenv(&text).map_err(|(line, why)| format!("{}:{line}: {why}", path.display()))
}

fn parse_dotenv(text: &str) -> Result<BTreeMap<String, String>, (usize, String)> {
    let mut values = BTreeMap::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or((at + 1, "expected NAME=VALUE".to_owned()))?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err((at + 1, "there is no name before `=`".to_owned()));
        }
        let value = match value.chars().next() {
            Some('\'') => value
                .strip_prefix('\'')
                .and_then(|rest| rest.split_once('\''))
                .map(|(inside, _)| inside.to_owned())
                .ok_or((at + 1, "the quote `'` is not closed".to_owned()))?,
            Some('"') => {
                let mut quoted = value[1..].to_owned();
                loop {
                    if let Some(inside) = unquote(&quoted) {
                        break inside;
                    }
                    let (_, more) = lines.next().ok_or((at + 1, "the quote `\"` is not closed".to_owned()))?;
                    quoted.push('\n');
                    quoted.push_str(more);
                }
            }
            _ => value.split(" #").next().unwrap_or(value).trim_end().to_owned(),
        };
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

/// The text up to the closing double quote, escapes undone; `None` while there is none.
fn unquote(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some(out),
            '\\' => match characters.next()? {
                'n' => out.push('\n'),
                other => {
                    if !matches!(other, '"' | '\\' | '$') {
                        out.push('\\');
                    }
                    out.push(other);
                }
            },
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotenv_file_is_read_as_people_write_it() {
        let text =
            "# comment\nA=1\nexport B = two words # note\nC='a # b'\nD=\"x\\ny \\\"z\\\"\"\nE=\"one\ntwo\"\n\nF=\n";
        let values = parse_dotenv(text).expect("well formed");
        let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        assert_eq!(
            shown,
            [r#"A="1""#, r#"B="two words""#, r##"C="a # b""##, r#"D="x\ny \"z\"""#, r#"E="one\ntwo""#, r#"F="""#]
        );
        assert_eq!(parse_dotenv("A=1\nnothing\n"), Err((2, "expected NAME=VALUE".into())));
        assert_eq!(parse_dotenv("A=\"1\n"), Err((1, "the quote `\"` is not closed".into())));
    }

    /// S1-103, and the same for variables.
    #[test]
    fn what_an_environment_has_reaches_its_jobs_alone_and_secrets_are_never_shown() {
        let scoped = || Scoped {
            of_run: [("A", "run"), ("B", "run")].map(|(name, value)| (name.into(), value.into())).into(),
            of_environments: [("staging".into(), [("A".into(), "staging".into())].into())].into(),
        };
        let secrets = SecretsOfRun(scoped());
        assert_eq!(secrets.of(Some("Staging")).of_environment.get("A").map(String::as_str), Some("staging"));
        for other in [None, Some("production"), Some("")] {
            assert!(secrets.of(other).of_environment.is_empty(), "{other:?}");
            assert_eq!(secrets.of(other).of_run.len(), 2);
        }
        assert_eq!(format!("{secrets:?} {:?}", secrets.of(Some("staging"))), r#"{"A", "B"} {"A", "B", "A"}"#);
        let vars = VarsOfRun(scoped());
        let spec = |environment: Option<&str>| {
            let mut spec = spec_of_a_job();
            spec.environment = environment.map(str::to_owned);
            spec.contexts.vars = Arc::new(serde_json::json!({ "a": "run", "B": "run" }));
            spec
        };
        let seen = |spec: &JobSpec| vars.for_job(spec).contexts.vars.to_string();
        assert_eq!(seen(&spec(Some("STAGING"))), r#"{"B":"run","A":"staging"}"#);
        assert_eq!(seen(&spec(None)), r#"{"a":"run","B":"run"}"#);
        assert!(matches!(vars.for_job(&spec(Some("production"))), Cow::Borrowed(_)), "nothing is copied for nothing");
    }

    fn spec_of_a_job() -> JobSpec {
        JobSpec {
            run: lineclear_event::RunId(1),
            run_number: 1,
            attempt: 1,
            job: lineclear_event::JobKey::new("a"),
            id: "a".into(),
            name: "a".into(),
            file: lineclear_event::WorkflowOrigin::Local { path: "w.yml".into() },
            text: "".into(),
            contexts: lineclear_event::JobContexts::default(),
            runs_on: Vec::new(),
            runner_group: None,
            environment: None,
            timeout_minutes: 1.0,
            permissions: BTreeMap::new(),
            secret_passages: Vec::new(),
        }
    }

    #[test]
    fn a_secret_needs_a_value_and_a_proper_name() {
        assert_eq!(secrets(None, &["a=b=c".into()]), Ok(BTreeMap::from([("A".into(), "b=c".into())])));
        assert!(secrets(None, &["LINECLEAR_TEST_UNSET_SECRET".into()]).is_err_and(|why| why.contains("has no value")));
        assert!(secrets(None, &["1a=b".into()]).is_err_and(|why| why.contains("is no name")));
    }
}
