//! The container engine.

use lineclear_backend::{ContainerError, Containers};
use lineclear_backend_container::{ContainerBackend, ContainerSettings};

use super::Finding;

const AREA: &str = "containers";

pub(super) fn look() -> Vec<Finding> {
    let finding = match ContainerBackend::new(ContainerSettings::default()).engine() {
        Ok(engine) => Finding::ready(AREA, "engine", engine),
        Err(ContainerError::NoEngine { tried }) => Finding::absent(AREA, "engine", "none was found")
            .with_help(format!("for `container:`, `services:` and Docker actions; tried: {}", tried.join("; "))),
        // One that is there and does not answer is not simply absent.
        Err(error) => Finding::broken(AREA, "engine", error.to_string()),
    };
    vec![finding]
}
