//! Where the value of a use comes from.

use std::collections::BTreeSet;

use lineclear_secrets::{Entry, Kind, RepositoryName};

use super::known_values::Named;
use super::uses::{Use, Way};
use crate::secret_stores::Known;

/// Names that were given for this one run, in upper case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) vars: BTreeSet<String>,
}

/// What becomes of a use.
#[derive(Clone, Debug)]
pub(crate) enum Standing<'k> {
    /// Given with the command.
    Given,
    Stored(&'k Entry),
    /// A caller gives the value; what it reads for that stands by itself.
    Passed,
    /// No caller passes it on, so it is empty.
    NotPassed,
    Missing,
    /// Set in these environments; which one it is only the run tells.
    InEnvironments(Vec<&'k str>),
    /// All that there are, or one whose name only the run tells.
    All,
}

impl<'k> Standing<'k> {
    pub(crate) fn of(used: &Use, known: &'k Known, repository: &RepositoryName, given: &Given) -> Self {
        let Some(name) = &used.name else { return Self::All };
        let names = match used.kind {
            Kind::Secret => &given.secrets,
            Kind::Variable => &given.vars,
        };
        let environment = match &used.environment {
            Named::Known(name) => Some(name.as_str()),
            Named::None | Named::AtRunTime(_) => None,
        };
        // What is evaluated before a job has its machine sees no environment's variables; that is rare enough to be let pass.
        let stored = known.seen_from(used.kind, repository, environment).get(name.as_str()).map(|found| found.entry);
        let of_environment = stored.filter(|entry| entry.scope().environment_name().is_some());
        if let Some(entry) = of_environment {
            return if names.contains(name) { Self::Given } else { Self::Stored(entry) };
        }
        if let Named::AtRunTime(_) = used.environment
            && (used.way == Way::NotPassed || stored.is_none() && !names.contains(name))
        {
            let has_it = |environment: &&str| {
                let seen = known.seen_from(used.kind, repository, Some(environment));
                seen.get(name.as_str()).is_some_and(|found| found.entry.scope().environment_name().is_some())
            };
            let environments: Vec<&str> = known.environments(repository).into_iter().filter(has_it).collect();
            if !environments.is_empty() {
                return Self::InEnvironments(environments);
            }
        }
        match used.way {
            Way::Passed => Self::Passed,
            // A called job with an environment counts on that environment's own.
            Way::NotPassed if used.environment == Named::None => Self::NotPassed,
            Way::NotPassed => Self::Missing,
            Way::Direct if names.contains(name) => Self::Given,
            Way::Direct => stored.map_or(Self::Missing, Self::Stored),
        }
    }
}
