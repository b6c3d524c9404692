//! The guard: lets through what a job's `permissions:` allow, and nothing else.
//!
//! The rules are one table ([`table`]) and one pure function, [`decide`]. What is not in the table is refused.

mod table;

use crate::path::{fits, segments};
use crate::{ApiRequest, ApiResponse, Caller, ForgeApi};

/// What a call needs, as the header `x-accepted-github-permissions` says it: `issues=write; pull_requests=write`.
pub type Need = &'static str;

/// What the guard says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// The token lacks this.
    Lacks(Need),
    /// It is about the person behind a token, and there is none behind a job's.
    NoPerson,
    /// It is about another repository, whose existence is not told.
    Hidden,
    /// A change that no row of the table knows.
    UnknownChange,
    /// A question that no row of the table knows.
    UnknownQuestion,
}

/// Who may read the repository without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Nobody: each question needs its scope.
    #[default]
    Private,
    /// Everybody: questions that need no token on GitHub need no scope.
    Public,
}

/// What GitHub shows of a public repository to those without a token.
const PUBLIC: [Need; 10] = [
    "issues=read",
    "pull_requests=read",
    "issues=read; pull_requests=read",
    "contents=read; pull_requests=read",
    "contents=read",
    "checks=read",
    "statuses=read",
    "deployments=read",
    "actions=read",
    "attestations=read",
];

/// A forge behind the guard.
#[derive(Debug)]
pub struct Guarded<F> {
    forge: F,
    visibility: Visibility,
}

impl<F: ForgeApi> Guarded<F> {
    /// Guards a private repository: see [`Visibility`].
    pub fn new(forge: F) -> Self {
        Self { forge, visibility: Visibility::Private }
    }

    #[must_use]
    pub fn with_visibility(self, visibility: Visibility) -> Self {
        Self { visibility, ..self }
    }

    pub fn inner(&self) -> &F {
        &self.forge
    }
}

impl<F: ForgeApi> ForgeApi for Guarded<F> {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        match decide(caller, self.visibility, &request.method, &request.path) {
            Decision::Allowed => self.forge.call(caller, request),
            refused => refusal(refused, request),
        }
    }
}

/// Whether `caller` may make this call.
///
/// GraphQL is refused: it is answered in front of the guard, by the REST calls it stands for.
///
/// # Source
/// GitHub's "Permissions required for GitHub Apps"; a job's token is that of an app installed in one repository.
pub fn decide(caller: &Caller, visibility: Visibility, method: &str, path: &str) -> Decision {
    let question = matches!(method, "GET" | "HEAD");
    let Some(segments) = segments(path) else { return Decision::Hidden };
    let (rows, below): (_, &[String]) = match segments.as_slice() {
        [repos, owner, name, below @ ..] if repos == "repos" => {
            if !format!("{owner}/{name}").eq_ignore_ascii_case(&caller.repository) {
                return Decision::Hidden;
            }
            (table::REPOSITORY, below)
        }
        [user, ..] if user == "user" => return Decision::NoPerson,
        all => (table::ELSEWHERE, all),
    };
    let method = if question { "GET" } else { method };
    // An encoded slash may divide a path or stand in a name: what is known of either reading has to be allowed.
    let divided: Vec<String> = below.iter().flat_map(|segment| segment.split('/')).map(str::to_owned).collect();
    let needs = [row(rows, method, below), row(rows, method, &divided)];
    let lacking = needs.into_iter().flatten().find(|need| {
        let open = question && visibility == Visibility::Public && PUBLIC.contains(need);
        !open && !is_met(need, caller)
    });
    match lacking {
        Some(need) => Decision::Lacks(need),
        None if needs.iter().any(Option::is_some) => Decision::Allowed,
        None if question => Decision::UnknownQuestion,
        None => Decision::UnknownChange,
    }
}

/// What a call below `/repos/{owner}/{repo}` needs, if the guard knows it: for messages and documents.
pub fn need(method: &str, path_in_repository: &str) -> Option<Need> {
    row(table::REPOSITORY, method, &segments(path_in_repository)?)
}

fn row(rows: &[table::Row], method: &str, segments: &[String]) -> Option<Need> {
    let fitting = |(methods, pattern, _): &&table::Row| {
        methods.split(' ').any(|known| known == method) && fits(pattern, segments)
    };
    rows.iter().find(fitting).map(|(_, _, need)| *need)
}

fn is_met(need: Need, caller: &Caller) -> bool {
    need.split("; ").any(|way| way.split(',').all(|permission| holds(caller, permission)))
}

fn holds(caller: &Caller, permission: &str) -> bool {
    if permission == table::METADATA {
        return true;
    }
    let Some((scope, level)) = permission.split_once('=') else { return false };
    let held = caller.permissions.get(&scope.replace('_', "-")).map_or("none", String::as_str);
    held == "write" || (held == "read" && level == "read")
}

fn refusal(decision: Decision, request: &ApiRequest) -> ApiResponse {
    const NOT_ACCESSIBLE: &str = "Resource not accessible by integration";
    match decision {
        Decision::Lacks(need) => {
            let mut response = ApiResponse::error(403, NOT_ACCESSIBLE);
            response.headers.push(("x-accepted-github-permissions".into(), need.into()));
            response
        }
        Decision::Allowed | Decision::NoPerson => ApiResponse::error(403, NOT_ACCESSIBLE),
        Decision::Hidden => ApiResponse::error(404, "Not Found"),
        Decision::UnknownChange => ApiResponse::error(
            403,
            &format!("{NOT_ACCESSIBLE}: no permission of a job lets `{}` through", shown(request)),
        ),
        Decision::UnknownQuestion => {
            ApiResponse::error(404, &format!("Not Found: no permission of a job lets `{}` through", shown(request)))
        }
    }
}

fn shown(request: &ApiRequest) -> String {
    let call = format!("{} {}", request.method, request.path);
    call.chars().filter(|character| !character.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests;
