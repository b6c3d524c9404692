//! Keeps the processes of a job from the machine they run on.
//!
//! [`Sandbox::open`] makes what an [`Isolation`](lineclear_backend::Isolation) asks for and says of each part by which means it
//! is enforced, or why it is not. Nothing is assumed: a part counts as enforced when the system did what it was asked to.
//!
//! ```text
//! Lineclear ── socket ── holder (`holder`): a small process that made the job's namespaces and keeps them
//!     │                     │ user, mount (`view`), network (`wire`), IPC, host name
//!     ├── step: launcher (`launch`) joins them, gives up its privileges, and becomes the step's program
//!     ├── gateway (`gateway`): carries the job's connections out, to where it may
//!     ├── `limits`: a control group for the whole job, or what comes closest
//!     └── `watch`: measures what the job writes
//! ```
//!
//! Holder and launcher are the same program started again with a hidden first argument, see [`Launcher`]. Whatever ends
//! Lineclear ends the holder, and namespaces with all their mounts and networks end with their last process. Nothing is
//! ever made in the machine's own network. No privilege is needed where the system lets ordinary users make namespaces.
//!
//! This crate knows no workflow and no run.

mod cgroup;
mod dns;
mod forward;
mod gateway;
mod holder;
mod launch;
mod launcher;
mod limits;
mod link;
mod mount_table;
mod netlink;
mod nft;
mod reach;
mod sandbox;
mod sensitive;
mod view;
mod watch;
mod wire;

pub use cgroup::sweep;
pub use launcher::{ARGUMENT, Launcher, main};
pub use sandbox::{Request, Sandbox, Step};
