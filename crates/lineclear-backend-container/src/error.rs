//! What an engine's errors are to a job.

use std::io;

use lineclear_backend::ContainerError;
use lineclear_container_engine::EngineError;

/// An error of the engine in the words of the port.
pub(crate) fn translate(error: EngineError) -> ContainerError {
    match error {
        EngineError::NoEngine { tried } => ContainerError::NoEngine { tried },
        EngineError::Cancelled => ContainerError::Cancelled,
        EngineError::Refused { what, message, .. } | EngineError::Failed { what, message } => {
            ContainerError::Engine { what, problem: message }
        }
        EngineError::Broken { what, source } => ContainerError::Engine {
            what,
            problem: format!("the connection to it broke ({source}); does it still run?"),
        },
        EngineError::TimedOut { what, after } => {
            ContainerError::Engine { what, problem: format!("it did not answer for {} seconds", after.as_secs()) }
        }
        EngineError::Answer { what, problem } => ContainerError::Engine { what, problem },
        error @ (EngineError::Unreachable { .. } | EngineError::Address { .. }) => {
            ContainerError::NoEngine { tried: vec![error.chain()] }
        }
        error @ EngineError::File { .. } => {
            ContainerError::Engine { what: "use a file".into(), problem: error.chain() }
        }
    }
}

/// An error of the engine in the midst of a process.
pub(crate) fn as_io(error: EngineError) -> io::Error {
    io::Error::other(error.chain())
}
