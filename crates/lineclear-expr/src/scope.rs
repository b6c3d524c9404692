//! What an expression is evaluated against.

use std::collections::BTreeMap;

use crate::Value;

/// The four functions that ask how the job or its needs are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusFunction {
    /// `success()`: nothing has failed so far and nothing is cancelled.
    Success,
    /// `failure()`: something has failed.
    Failure,
    /// `always()`: true whatever happened.
    Always,
    /// `cancelled()`: the job or the run was told to stop.
    Cancelled,
}

/// The world as one expression sees it.
///
/// A scope answers the same question in the same way as long as one expression is evaluated. Arrays and objects that it
/// gives out are equal to themselves only if they are the same shared pointers each time.
pub trait Scope {
    /// The value of a context by its lower-case name. `None` for a name that is not known here: an error for the expression.
    fn context(&self, name: &str) -> Option<Value>;

    /// What a status function says here; `args` are job ids, allowed in a job's `if` only. `None`: not available here.
    fn status(&self, _function: StatusFunction, _args: &[String]) -> Option<bool> {
        None
    }

    /// `hashFiles(patterns…)`. `None`: not available here. The error is a sentence for the user.
    ///
    /// The first pattern may be the option `--follow-symbolic-links` (in lower case); no other option gets here.
    fn hash_files(&self, _patterns: &[String]) -> Option<Result<String, String>> {
        None
    }
}

/// A scope made of a map from lower-case context name to value, without status functions or files.
#[derive(Clone, Debug, Default)]
pub struct MapScope {
    /// Lower-case name and value of each context.
    pub contexts: BTreeMap<String, Value>,
}

impl Scope for MapScope {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.get(name).cloned()
    }
}
