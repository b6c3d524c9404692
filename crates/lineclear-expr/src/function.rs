//! The functions there are, by name and number of arguments.

use crate::StatusFunction;

/// The largest number of arguments that any function takes.
pub const MAX_ARGUMENTS: usize = 255;

/// A function of the language. Names ignore case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `contains(search, item)`
    Contains,
    /// `startsWith(text, prefix)`
    StartsWith,
    /// `endsWith(text, suffix)`
    EndsWith,
    /// `format(format, arguments…)`
    Format,
    /// `join(array, separator)`
    Join,
    /// `toJSON(value)`
    ToJson,
    /// `fromJSON(text)`
    FromJson,
    /// `hashFiles(patterns…)`, known where a key makes it available
    HashFiles,
    /// `case(condition, value, …, otherwise)`
    Case,
    /// `success()`, `failure()`, `always()` and `cancelled()`, known in an `if` only
    Status(StatusFunction),
}

impl Function {
    /// All there are, in the order in which messages list them.
    pub const ALL: [Self; 13] = [
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Format,
        Self::Join,
        Self::ToJson,
        Self::FromJson,
        Self::HashFiles,
        Self::Case,
        Self::Status(StatusFunction::Success),
        Self::Status(StatusFunction::Failure),
        Self::Status(StatusFunction::Always),
        Self::Status(StatusFunction::Cancelled),
    ];

    /// The function of that name, in whatever case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// Its name as GitHub's documentation spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Format => "format",
            Self::Join => "join",
            Self::ToJson => "toJSON",
            Self::FromJson => "fromJSON",
            Self::HashFiles => "hashFiles",
            Self::Case => "case",
            Self::Status(StatusFunction::Success) => "success",
            Self::Status(StatusFunction::Failure) => "failure",
            Self::Status(StatusFunction::Always) => "always",
            Self::Status(StatusFunction::Cancelled) => "cancelled",
        }
    }

    /// The fewest and the most arguments it takes. `case` takes odd numbers only.
    ///
    /// `success` and `failure` take job ids in the `if` of a job and nothing elsewhere; `job_ids` says which it is.
    pub fn arity(self, job_ids: bool) -> (usize, usize) {
        match self {
            Self::Contains | Self::StartsWith | Self::EndsWith => (2, 2),
            Self::Format | Self::HashFiles => (1, MAX_ARGUMENTS),
            Self::Join => (1, 2),
            Self::ToJson | Self::FromJson => (1, 1),
            Self::Case => (3, MAX_ARGUMENTS),
            Self::Status(StatusFunction::Success | StatusFunction::Failure) => {
                (0, if job_ids { MAX_ARGUMENTS } else { 0 })
            }
            Self::Status(StatusFunction::Always | StatusFunction::Cancelled) => (0, 0),
        }
    }

    /// How a call looks, for messages.
    pub fn usage(self) -> &'static str {
        match self {
            Self::Contains => "contains(search, item)",
            Self::StartsWith => "startsWith(text, prefix)",
            Self::EndsWith => "endsWith(text, suffix)",
            Self::Format => "format('{0} {1}', first, second)",
            Self::Join => "join(array, separator)",
            Self::ToJson => "toJSON(value)",
            Self::FromJson => "fromJSON(text)",
            Self::HashFiles => "hashFiles('**/package-lock.json')",
            Self::Case => "case(condition, value, otherwise)",
            Self::Status(StatusFunction::Success) => "success()",
            Self::Status(StatusFunction::Failure) => "failure()",
            Self::Status(StatusFunction::Always) => "always()",
            Self::Status(StatusFunction::Cancelled) => "cancelled()",
        }
    }
}
