//! Which contexts and functions an expression may name.

use lineclear_source::suggest;

use crate::{Allowed, Function};

/// Every context there is, by its lower-case name.
pub const CONTEXTS: [&str; 12] =
    ["github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"];

/// What may be named.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known<'k> {
    /// All contexts and all functions.
    Everything,
    /// What a workflow's key makes available.
    Place(&'k Allowed),
    /// These contexts, and all functions.
    Contexts(&'k [String]),
}

impl<'k> Known<'k> {
    pub(crate) fn new(allowed: Option<&'k Allowed>) -> Self {
        allowed.map_or(Self::Everything, Self::Place)
    }

    pub(crate) fn has_context(&self, name: &str) -> bool {
        let is_it = |context: &str| context.eq_ignore_ascii_case(name);
        match self {
            Self::Everything => CONTEXTS.into_iter().any(is_it),
            Self::Place(allowed) => allowed.contexts.iter().copied().any(is_it),
            Self::Contexts(names) => names.iter().map(String::as_str).any(is_it),
        }
    }

    pub(crate) fn has_function(&self, function: Function) -> bool {
        match (self, function) {
            (Self::Place(allowed), Function::Status(_)) => allowed.status_functions,
            (Self::Place(allowed), Function::HashFiles) => allowed.hash_files,
            _ => true,
        }
    }

    /// Whether `success` and `failure` may be asked about single jobs.
    pub(crate) fn takes_job_ids(&self) -> bool {
        match self {
            Self::Place(allowed) => allowed.takes_job_ids(),
            Self::Everything | Self::Contexts(_) => true,
        }
    }

    fn contexts(&self) -> Box<dyn Iterator<Item = &'k str> + 'k> {
        match *self {
            Self::Everything => Box::new(CONTEXTS.into_iter()),
            Self::Place(allowed) => Box::new(allowed.contexts.iter().copied()),
            Self::Contexts(names) => Box::new(names.iter().map(String::as_str)),
        }
    }

    /// What to say of a name that is no context here.
    pub(crate) fn advice_on_context(&self, name: &str) -> String {
        let keywords = ["true", "false", "null", "NaN", "Infinity"];
        if let Some(keyword) = keywords.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(name)) {
            return format!("did you mean `{keyword}`?");
        }
        let is_real = CONTEXTS.iter().any(|context| context.eq_ignore_ascii_case(name));
        if !is_real && let Some(near) = suggest(name, self.contexts()) {
            return format!("did you mean `{near}`?");
        }
        if let Some(function) = Function::from_name(name).filter(|&function| self.has_function(function)) {
            return format!("did you mean `{}`?", function.usage());
        }
        let available: Vec<&str> = self.contexts().collect();
        match available.split_last() {
            None => "no context is available here".to_owned(),
            Some((only, [])) => format!("available here is {only}"),
            Some((last, others)) => format!("available here are {} and {last}", others.join(", ")),
        }
    }

    /// What to say of a name that is no function here.
    pub(crate) fn advice_on_function(&self, name: &str) -> String {
        match Function::from_name(name) {
            Some(Function::HashFiles) => return "it is available in the keys of steps only".to_owned(),
            Some(Function::Status(_)) => return "it is available in `if` only".to_owned(),
            _ => {}
        }
        let known = || Function::ALL.into_iter().filter(|&function| self.has_function(function)).map(Function::name);
        match suggest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("available here are {}", known().collect::<Vec<_>>().join(", ")),
        }
    }
}
