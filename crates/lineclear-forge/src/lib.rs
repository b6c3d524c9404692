//! The port to a forge: one call of its API as plain data, who makes it, and what that job's `permissions:` let through.
//!
//! [`ForgeApi`] is GitHub's REST API seen from inside: the embedded forge and the way to a real one both implement it, and the
//! HTTP service, the native actions and the reports of a run call it. Nothing here opens a connection.

mod api;
mod caller;
pub mod contract;
mod guard;
mod node;
mod observed;
mod path;
mod shown;

pub use api::{ApiRequest, ApiResponse, ForgeApi, NoForge};
pub use caller::Caller;
pub use guard::{Decision, Guarded, Need, Visibility, decide, need};
pub use node::{NoNodeId, NodeId, NodeKind};
pub use observed::Observed;
pub use path::segments;
pub use shown::shown;
