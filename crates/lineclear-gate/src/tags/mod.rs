//! What an image is called, and which of its tags move.
//!
//! [`Naming`] fills the policy's tags in, [`plan_tags`] says which of them move, by the order of commits or of versions, and [`Index::held`](crate::Index::held)
//! what the ledger knows of the digest that a tag has now. A registry sets one tag at a time: whoever carries the plan out sets a tag only
//! while it still is what [`MovedTag::from`](lineclear_event::MovedTag) says.

mod naming;
mod plan;

pub use naming::{Keeps, Named, Naming, NamingError, WantedTag};
pub use plan::{Held, Target, plan_tags};
