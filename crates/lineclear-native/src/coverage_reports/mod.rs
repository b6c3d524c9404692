//! Actions that show coverage.

mod codecov;
mod summary;

use lineclear_runner::native::NativeAction;

pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![Box::new(codecov::Codecov), Box::new(summary::CodeCoverageSummary)]
}
