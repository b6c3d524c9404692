//! Actions.

/// What one major version of an action takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFacts {
    /// `owner/repo` or `owner/repo/path`, in lower case.
    pub name: &'static str,
    /// The inputs by name, in lower case.
    pub inputs: Vec<InputFacts>,
    /// The outputs by name, in lower case.
    pub outputs: Vec<&'static str>,
    /// Whether it gives outputs whose names cannot be known before (`paths-filter`).
    pub has_dynamic_outputs: bool,
    /// Whether it takes inputs of any name.
    pub takes_any_input: bool,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFacts {
    /// Lower case.
    pub name: &'static str,
    /// Required, and without a default.
    pub is_required: bool,
    /// Deprecated, and what to use instead.
    pub deprecation: Option<&'static str>,
}

/// Whether a version of an action still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Current,
    /// It runs, on a retired Node or with a newer major version out.
    Outdated {
        /// The newest major version: `v6`.
        newest: &'static str,
        /// Why it matters, in a few words, as far as there is more to say than its age.
        why: Option<&'static str>,
    },
    /// It does not work any more.
    Removed {
        /// The newest major version: `v6`.
        newest: &'static str,
        /// What stopped it.
        why: &'static str,
    },
}

/// The facts of `owner/repo[/path]` at `reference` (a tag, branch or commit; of a commit the newest version's facts are given only if
/// every version agrees on them).
pub fn action(_name: &str, _reference: &str) -> Option<ActionFacts> {
    None
}

/// How `owner/repo[/path]` at `reference` stands.
pub fn standing(_name: &str, _reference: &str) -> Standing {
    Standing::Current
}
