//! The static checker: finds mistakes and holes in workflows before they run, and repairs what can be repaired.
//!
//! [`Checker`] takes files one by one (or many at once, on all cores), reads each with the same reader that `run` uses, and asks every
//! [`Rule`]. A rule is one file in `rules/`, one page in `docs/rules/`, and one line in its group's list. A rule reads a
//! [`File`] and reports [`Finding`]s, some with a [`Fix`]; it does no I/O, keeps no state and knows no other rule. What lies around
//! the file (called workflows, local actions, the lock) it asks of [`Project`], which reads through the [`Files`] port.
//!
//! The way of a file: [`FileKind::of`] its path → read → the reader's findings → the rules → [`Settings`] (levels, paths) →
//! `# lineclear: ignore[rule]` → [`Baseline`] → [`show`]. [`repair()`] makes the edits of findings, and checks what came of them.

#![warn(missing_docs)]

mod baseline;
mod checker;
mod edit;
mod file;
mod finding;
mod fix;
mod ignore;
mod kind;
pub mod linter;
mod offered;
mod pairs;
mod project;
mod repair;
mod report;
mod rule;
pub mod rules;
mod settings;
pub mod show;
mod site;
pub mod types;
mod uses;

pub use baseline::{Baseline, BaselineError};
pub use checker::{Checked, Checker};
pub use edit::{Edit, EditError, apply};
pub use file::{Content, File};
pub use finding::Finding;
pub use fix::{Fix, Safety};
pub use kind::FileKind;
pub use offered::offered_checks;
pub use project::{Files, Locked, Lookup, Memory, Project, Repository, SharedWorkflow};
pub use repair::{Made, Repaired, repair};
pub use report::Report;
pub use rule::{Activity, Dialect, Group, Repair, RepositoryRule, Rule, RuleMeta};
pub use settings::{Level, Settings};
pub use site::{ExpressionSite, Form, RunSite, ScriptSite, Scripted, StepSite};
pub use uses::{Interface, Parameter, UseSite};
