//! Names, types and conditions in expressions, and matrices.

use crate::Rule;

mod absent_event_property;
mod argument_type;
mod conditions;
mod constant_condition;
mod expression_type;
mod fixed_comparison;
mod format_arguments;
mod hash_files_pattern;
mod impossible_value;
mod invalid_json;
mod known_values;
mod matrix_duplicate;
mod matrix_exclude;
mod matrix_key_slip;
mod matrix_rows;
mod matrix_size;
mod missing_name;
mod missing_need;
mod object_as_text;
mod property_of_scalar;
mod text_as_condition;
mod undeclared_secret;
mod unknown_input;
mod unknown_job;
mod unknown_job_output;
mod unknown_matrix_key;
mod unknown_property;
mod unknown_step;
mod unknown_step_output;
mod unsound_contains;
mod unsound_ternary;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &absent_event_property::AbsentEventProperty,
    &argument_type::ArgumentType,
    &constant_condition::ConstantCondition,
    &expression_type::ExpressionType,
    &fixed_comparison::FixedComparison,
    &format_arguments::FormatArguments,
    &hash_files_pattern::HashFilesPattern,
    &impossible_value::ImpossibleValue,
    &invalid_json::InvalidJson,
    &matrix_duplicate::MatrixDuplicate,
    &matrix_exclude::MatrixExclude,
    &matrix_key_slip::MatrixKeySlip,
    &matrix_size::MatrixSize,
    &missing_need::MissingNeed,
    &object_as_text::ObjectAsText,
    &property_of_scalar::PropertyOfScalar,
    &text_as_condition::TextAsCondition,
    &undeclared_secret::UndeclaredSecret,
    &unknown_input::UnknownInput,
    &unknown_job::UnknownJob,
    &unknown_job_output::UnknownJobOutput,
    &unknown_matrix_key::UnknownMatrixKey,
    &unknown_property::UnknownProperty,
    &unknown_step::UnknownStep,
    &unknown_step_output::UnknownStepOutput,
    &unsound_contains::UnsoundContains,
    &unsound_ternary::UnsoundTernary,
];
