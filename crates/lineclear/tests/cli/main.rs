//! The command line through the binary: what programs and people rely on, and what it withstands.

mod bench_side;
mod check;
mod choices;
mod containers;
mod contexts;
mod docs;
mod documents;
mod ending;
mod eval;
mod history;
mod history_diff;
mod history_why;
mod hostile;
mod images;
mod isolation;
mod lsp;
mod plan;
mod preflight;
mod remote;
mod report;
mod rows;
mod secret_store;
mod secrets;
mod services;
mod stream;
mod workspace;
