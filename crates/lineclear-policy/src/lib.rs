//! `lineclear.toml` as a typed model with places.
//!
//! [`Policy::read`] gives what was understood together with everything that is wrong. This crate opens no file and knows no workflow:
//! whether a gate's checks exist is asked where both are known. Keys and their meaning are in `docs/policy.md`.
//!
//! Start reading at [`Policy`]; each part of the file is a module, and all of them read through `table`.

#![warn(missing_docs)]

mod check;
mod environment;
mod expand;
mod gate;
mod image;
mod levels;
mod order;
mod placeholder;
mod policy;
mod preset;
mod promote;
mod registry;
mod runner;
mod scan;
mod signing;
mod table;

pub use check::{CheckPolicy, Dialect, PathRules, RuleLevel};
pub use environment::{Approvals, ComposeFiles, Deploy, DeployKind, Environment, Health, Rollback};
pub use expand::{CheckClass, OfferedCheck, PRESET_GATE};
pub use gate::{Context, Coverage, Gate, RequiredCheck, Scan, Skipped, VulnerabilitySeverity};
pub use image::{Image, SbomFormat, TagRule};
pub use jiff::civil::Date;
pub use levels::Levels;
pub use order::{Obstacle, Unreachable};
pub use policy::Policy;
pub use preset::{Preset, PresetChecks, PresetPolicy};
pub use promote::Promotion;
pub use registry::RegistryPolicy;
pub use runner::{DockerConfig, Enforce, EngineChoice, EngineView, IsolationPolicy, NetworkPolicy, RunnerPolicy};
pub use scan::{ScanIgnore, ScanPolicy, day_of};
pub use signing::SigningPolicy;

/// A JSON Schema (2020-12) of the file, by which editors complete and check it.
pub const SCHEMA: &str = include_str!("schema.json");
