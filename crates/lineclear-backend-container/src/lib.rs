//! Jobs, services and Docker actions in containers.
