//! Names, types and conditions in expressions, and matrices.

use crate::Rule;

mod absent_event_property;
mod missing_name;
mod missing_need;
mod undeclared_secret;
mod unknown_input;
mod unknown_job;
mod unknown_job_output;
mod unknown_matrix_key;
mod unknown_property;
mod unknown_step;
mod unknown_step_output;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &absent_event_property::AbsentEventProperty,
    &missing_need::MissingNeed,
    &undeclared_secret::UndeclaredSecret,
    &unknown_input::UnknownInput,
    &unknown_job::UnknownJob,
    &unknown_job_output::UnknownJobOutput,
    &unknown_matrix_key::UnknownMatrixKey,
    &unknown_property::UnknownProperty,
    &unknown_step::UnknownStep,
    &unknown_step_output::UnknownStepOutput,
];
