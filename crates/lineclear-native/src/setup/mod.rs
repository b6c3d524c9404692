//! The setup actions: they find the version that is asked for among those that this machine has, and put it on the PATH.
//!
//! Nothing is downloaded. When the version is missing, the error says which there are and how to get the one asked for.
//! What steps install goes into folders of the job, never into the interpreter of the machine.

mod dependency_cache;
mod go;
mod java;
mod maven_settings;
mod node;
mod python;
mod python_environment;
mod rust;
mod rust_cache;
mod rust_release;
mod rustup;
mod tool;
mod version;
mod version_file;

use lineclear_runner::native::NativeAction;

pub(crate) use tool::{on_path, used};

/// Every setup action.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    let mut actions: Vec<Box<dyn NativeAction>> = vec![
        Box::new(python::SetupPython),
        Box::new(node::SetupNode),
        Box::new(go::SetupGo),
        Box::new(java::SetupJava),
    ];
    actions.extend(rust::all());
    actions
}
