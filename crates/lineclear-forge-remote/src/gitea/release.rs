//! Files of releases: Gitea takes them as forms, and knows them below their release.

use lineclear_forge::{ApiRequest, ApiResponse};
use serde_json::Value;

use super::{Call, unprocessable};

const MIN_BOUNDARY: &str = "lineclear-form-boundary";

pub(super) fn upload(call: &Call, id: &str) -> ApiResponse {
    let name = call.request.query.iter().find(|(name, _)| name == "name").map(|(_, value)| value.as_str());
    let Some(name) = name.filter(|name| !name.is_empty() && !name.contains(['"', '\r', '\n', '/', '\\'])) else {
        return unprocessable("Validation Failed: `name` of the asset is missing or cannot be a file's name.");
    };
    let content = &call.request.body;
    // The boundary must not stand in the content.
    let mut boundary = MIN_BOUNDARY.to_owned();
    while memchr::memmem::find(content, boundary.as_bytes()).is_some() {
        boundary.push('x');
    }
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"attachment\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
    );
    let mut body = head.into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let mut request = ApiRequest::new("POST", &format!("{}/releases/{id}/assets", call.repository)).query("name", name);
    request.headers.push(("content-type".into(), format!("multipart/form-data; boundary={boundary}")));
    request.body = body;
    (call.pass)(&request)
}

/// An asset by its id alone: the release that has it is looked for.
pub(super) fn asset(call: &Call, id: &str) -> ApiResponse {
    let releases = match call.list("/releases") {
        Ok(releases) => releases,
        Err(answer) => return answer,
    };
    let has = |release: &&Value| {
        release["assets"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|asset| asset["id"].as_u64().is_some_and(|known| known.to_string() == id))
    };
    match releases.iter().find(has) {
        Some(release) => {
            call.send(&call.request.method, &format!("/releases/{}/assets/{id}", release["id"]), &call.body())
        }
        None => ApiResponse::error(404, "Not Found"),
    }
}
