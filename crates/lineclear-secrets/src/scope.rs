//! Where a secret or variable counts.

use std::fmt;

/// Most bytes of an owner's or repository's name.
const LONGEST_PART: usize = 255;

/// Most characters of an environment's name, as on GitHub.
const LONGEST_ENVIRONMENT: usize = 255;

/// `owner/name`, as it was written; comparing ignores case, as GitHub does.
#[derive(Clone, Debug)]
pub struct RepositoryName(String);

/// Which jobs see a record.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All repositories of this machine.
    Machine,
    /// One repository.
    Repository(RepositoryName),
    /// Only jobs of one environment of a repository. Names of environments ignore case.
    Environment {
        /// Whose environment it is.
        repository: RepositoryName,
        /// What the environment is called.
        environment: String,
    },
}

/// Where a job runs: what decides which records it sees.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The repository that the run is of.
    pub repository: &'a RepositoryName,
    /// The environment that the job names, evaluated.
    pub environment: Option<&'a str>,
}

/// Why a text names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No `owner/name`.
    #[error("`{text}` names no repository: expected OWNER/NAME")]
    Repository {
        /// What was given.
        text: String,
    },
    /// No name of an environment.
    #[error(
        "`{text}` names no environment: expected 1 to {LONGEST_ENVIRONMENT} characters, none of them a control character"
    )]
    Environment {
        /// What was given.
        text: String,
    },
}

impl RepositoryName {
    /// Reads `owner/name`.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn new(text: &str) -> Result<Self, ScopeError> {
        let is_part = |part: &str| {
            // Without a remote a repository is called after its folder, which may have any name.
            !part.is_empty()
                && part.len() <= LONGEST_PART
                && !part.contains(|other: char| other == '/' || other.is_control())
        };
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => Ok(Self(text.to_owned())),
            _ => Err(ScopeError::Repository { text: text.to_owned() }),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for RepositoryName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for RepositoryName {}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scope {
    /// An environment of a repository.
    ///
    /// # Errors
    /// `environment` is no name.
    pub fn environment(repository: RepositoryName, environment: &str) -> Result<Self, ScopeError> {
        let length = environment.chars().count();
        if !(1..=LONGEST_ENVIRONMENT).contains(&length) || environment.chars().any(char::is_control) {
            return Err(ScopeError::Environment { text: environment.to_owned() });
        }
        Ok(Self::Environment { repository, environment: environment.to_owned() })
    }

    /// The repository that it is of; `None` for the machine.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Machine => None,
            Self::Repository(repository) | Self::Environment { repository, .. } => Some(repository),
        }
    }

    /// The environment that it is of, if it is of one.
    pub fn environment_name(&self) -> Option<&str> {
        match self {
            Self::Machine | Self::Repository(_) => None,
            Self::Environment { environment, .. } => Some(environment),
        }
    }

    /// How near it is to a job at `place`: more wins. `None`: the job does not see it.
    pub fn rank(&self, place: Place<'_>) -> Option<u8> {
        match self {
            Self::Machine => Some(0),
            Self::Repository(repository) => (repository == place.repository).then_some(1),
            Self::Environment { repository, environment } => {
                let is_of_job = place.environment.is_some_and(|of_job| same_environment(of_job, environment));
                (repository == place.repository && is_of_job).then_some(2)
            }
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        let same_name = match (self.environment_name(), other.environment_name()) {
            (Some(one), Some(other)) => same_environment(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_name && self.repository() == other.repository()
    }
}

impl Eq for Scope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("this machine"),
            Self::Repository(repository) => write!(f, "{repository}"),
            Self::Environment { repository, environment } => write!(f, "environment {environment} of {repository}"),
        }
    }
}

fn same_environment(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(text: &str) -> RepositoryName {
        RepositoryName::new(text).expect("a repository")
    }

    #[test]
    fn a_job_sees_its_environment_before_its_repository_before_the_machine() {
        let own = repository("Octo/App");
        let staging = Scope::environment(repository("octo/app"), "Staging").expect("a scope");
        let scopes = [Scope::Machine, Scope::Repository(repository("octo/app")), staging];
        let ranks = |environment| {
            let place = Place { repository: &own, environment };
            scopes.each_ref().map(|scope| scope.rank(place))
        };
        assert_eq!(ranks(Some("staging")), [Some(0), Some(1), Some(2)]);
        // S1-103: a job without that environment sees nothing of it.
        assert_eq!(ranks(None), [Some(0), Some(1), None]);
        assert_eq!(ranks(Some("production")), [Some(0), Some(1), None]);
        let other = repository("octo/other");
        let place = Place { repository: &other, environment: Some("staging") };
        assert_eq!(scopes.each_ref().map(|scope| scope.rank(place)), [Some(0), None, None]);
    }

    #[test]
    fn repositories_and_environments_have_proper_names() {
        for wrong in ["", "app", "/app", "octo/", "a/b/c", "a/b\n"] {
            assert!(RepositoryName::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(Scope::environment(repository("a/b"), "").is_err());
        assert!(Scope::environment(repository("a/b"), "a\nb").is_err());
        assert!(Scope::environment(repository("a/b"), "eu west / 1").is_ok());
    }
}
