//! The way to a real forge: GitHub, GitHub Enterprise Server, Gitea, Forgejo.
//!
//! [`RemoteForge`] passes calls of jobs on with the token that Lineclear was given, and their answers back. The job never sees
//! that token: it is in no text, no error and, should the forge repeat it, in no answer. Whether a job may make a call is
//! decided before, by [`lineclear_forge::Guarded`].
//!
//! - Addresses of the forge's API in `Link`, `url`, `…_url` become ones of the local API, so that clients stay inside.
//! - `GET`, `HEAD`, `PUT` and `DELETE` are tried again after 502, 503, 504 or a lost connection; `POST` and `PATCH` never are.
//! - When the forge's limit is used up, it is not called until the time that it asked for, and callers are told so.
//! - Redirects of a `GET` within the forge are followed; one to another host is handed to the caller, without the token.
//! - Certificates are checked against the machine's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
//!
//! # Gitea and Forgejo
//! Their API is modelled on GitHub's. What is not in this table is passed on as it is.
//!
//! | GitHub's call (below `/repos/{owner}/{repo}`) | done as |
//! |---|---|
//! | `per_page` of any list | `limit` |
//! | `POST issues`, `PATCH issues/{n}` with `labels` | labels by number (`PUT issues/{n}/labels` when editing); unknown ones are created |
//! | `PATCH issues/{n}` with `state_reason` | without it |
//! | `POST`, `PUT issues/{n}/labels`, `DELETE issues/{n}/labels/{name}` | labels by number |
//! | `GET`, `PATCH`, `DELETE labels/{name}` | by number |
//! | `POST`, `DELETE issues/{n}/assignees` | `PATCH issues/{n}` with the whole list |
//! | `draft` of `POST pulls`, `PATCH pulls/{n}` | the title's `WIP: ` |
//! | `PUT pulls/{n}/merge` | `POST` with Gitea's fields |
//! | `POST check-runs`, `PATCH check-runs/{id}` | a commit status: name, state, title, link; output and annotations are lost |
//! | `GET commits/{ref}/check-runs` | none; they are among the statuses |
//! | `statuses` | `status` of an entry also as `state` |
//! | `GET git/ref/{ref}`, `git/matching-refs/{ref}` | `git/refs/{ref}`, the exact one or all |
//! | `POST git/refs`, `DELETE git/refs/{ref}` | `branches`, `tags` |
//! | `PUT contents/{path}` without `sha` | `POST` |
//! | `GET commits/{ref}` | `git/commits/{ref}` |
//! | `GET commits/{sha}/pulls` | `commits/{sha}/pull`, at most one |
//! | `POST releases/{id}/assets` | a form |
//! | `releases/assets/{id}` | below the release that has it |
//! | GraphQL, rate limits, hidden comments, moving refs and writing git objects, generated notes, deployments, code scanning, check suites, attestations, pages, dependency graph, repository dispatches, comments on commits | 404, with the name of what is lacking |

mod address;
mod gitea;
mod remote;
mod rewrite;
mod settings;
mod transport;

pub use remote::RemoteForge;
pub use settings::{ForgeKind, Limits, Settings, SettingsError, Token};
