//! What an expression is evaluated against.

use std::collections::BTreeMap;

use crate::Value;

/// The four functions that ask how the job or its needs are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusFunction {
    Success,
    Failure,
    Always,
    Cancelled,
}

/// The world as one expression sees it.
pub trait Scope {
    /// The value of a context by its lower-case name. `None` for a name that is not known here: an error for the expression.
    fn context(&self, name: &str) -> Option<Value>;

    /// What a status function says here; `args` are job ids, allowed in a job's `if` only. `None`: not available here.
    fn status(&self, _function: StatusFunction, _args: &[String]) -> Option<bool> {
        None
    }

    /// `hashFiles(patterns…)`. `None`: not available here. The error is a sentence for the user.
    fn hash_files(&self, _patterns: &[String]) -> Option<Result<String, String>> {
        None
    }
}

/// A scope made of a map from lower-case context name to value, without status functions or files.
#[derive(Clone, Debug, Default)]
pub struct MapScope {
    pub contexts: BTreeMap<String, Value>,
}

impl Scope for MapScope {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.get(name).cloned()
    }
}
