//! Between the HTTP services and the server of git: the same request in the words of each.

use std::io::Cursor;

use lineclear_git_server::GitServer;
use lineclear_services::{GitRequest, GitResponse};

/// Hands a request to git; where there is no repository the answer is that of a forge without one.
pub(super) fn handle(git: Option<&GitServer>, request: GitRequest) -> GitResponse {
    let Some(git) = git else {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        return GitResponse { status: 404, headers, body: Box::new(Cursor::new(b"Repository not found.\n".to_vec())) };
    };
    let GitRequest { method, path, query, headers, body, may_write } = request;
    let request = lineclear_git_server::GitRequest { method, path, query, headers, body, may_write };
    let response = git.handle(request);
    let headers = response.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    GitResponse { status: response.status, headers, body: response.body }
}
