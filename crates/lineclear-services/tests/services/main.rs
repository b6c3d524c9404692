//! What steps meet when they talk to the services.
