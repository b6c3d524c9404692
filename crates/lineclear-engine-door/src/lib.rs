//! A job's own door to the container engine.
