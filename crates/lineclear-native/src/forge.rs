//! Calls of the forge's API by native actions.

use lineclear_forge::{ApiRequest, ApiResponse};
use lineclear_runner::native::{Call, NativeError};
use serde_json::Value;

use crate::caching::text;

/// Most pages of one list, 100 entries each.
const MOST_PAGES: usize = 100;

/// The API said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ForgeError {
    pub(crate) status: u16,
    /// What was said, with the address of its documentation, as Octokit words it.
    pub(crate) message: String,
}

impl ForgeError {
    /// Whether the job's token may not do this.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == 403
    }
}

impl From<ForgeError> for NativeError {
    fn from(error: ForgeError) -> Self {
        Self(error.message)
    }
}

/// The beginning of paths below the run's own repository: `/repos/owner/name`.
pub(crate) fn repository(call: &Call<'_>) -> String {
    format!("/repos/{}", text(&call.contexts.github, "repository"))
}

/// The number of the pull request that the event is about.
pub(crate) fn pull_number(call: &Call<'_>) -> Option<u64> {
    call.contexts.github["event"]["pull_request"]["number"].as_u64()
}

/// One call.
///
/// # Errors
/// Every answer that is no success.
pub(crate) fn send(call: &Call<'_>, request: &ApiRequest) -> Result<Value, ForgeError> {
    answer(call, request).map(|response| response.value())
}

fn answer(call: &Call<'_>, request: &ApiRequest) -> Result<ApiResponse, ForgeError> {
    let response = call.forge.call(call.caller, request);
    if response.is_success() {
        return Ok(response);
    }
    let value = response.value();
    let message = match value["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("`{} {}` was answered with status {}", request.method, request.path, response.status),
    };
    let message = match value["documentation_url"].as_str() {
        Some(url) => format!("{message} - {url}"),
        None => message,
    };
    Err(ForgeError { status: response.status, message })
}

/// All entries of a list, page after page. `key` names the list where it comes inside of an object.
///
/// # Errors
/// Those of [`send`].
pub(crate) fn list(call: &Call<'_>, path: &str, key: Option<&str>) -> Result<Vec<Value>, ForgeError> {
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let request = ApiRequest::new("GET", path).query("per_page", "100").query("page", &page.to_string());
        let response = answer(call, &request)?;
        let mut value = response.value();
        let entries = match key {
            Some(key) => value[key].take(),
            None => value,
        };
        let Value::Array(entries) = entries else { break };
        let link = response.headers.iter().find(|(name, _)| name == "link").map(|(_, value)| value.as_str());
        let is_last = entries.len() < 100 || link.is_some_and(|link| !link.contains("rel=\"next\""));
        all.extend(entries);
        if is_last {
            break;
        }
    }
    Ok(all)
}
