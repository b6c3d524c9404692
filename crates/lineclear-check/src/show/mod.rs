//! Findings in the forms that others read. For people, `lineclear_source::render` draws each against its text.

mod annotations;
mod json;
mod sarif;

pub use annotations::annotation;
pub use json::{FixRecord, Record, document};
pub use sarif::sarif;
