//! Native actions, one per file: replacements, built in, for the actions that nearly everybody uses.
//!
//! Each takes the inputs and gives the outputs of the action it stands for, without a download and without Node.
//! [`all`] lists them. What they need of the job they get through [`lineclear_runner::native::Call`].

use lineclear_runner::native::NativeAction;

/// Every native action.
pub fn all() -> Vec<Box<dyn NativeAction>> {
    Vec::new()
}
