//! Actions around container images: names, logins, builders, builds.

mod lists;
mod metadata;

use lineclear_runner::native::NativeAction;

/// Every action around images.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![Box::new(metadata::Metadata)]
}
