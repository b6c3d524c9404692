//! What is claimed of the checker as a whole, shown on the workflows in `tests/corpus`: good files of every kind, which get no error.

mod agreement;
mod corpus;
mod files;
mod fixes;
mod schema;
