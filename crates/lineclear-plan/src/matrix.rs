//! Matrices.

use lineclear_expr::Value;

/// Most combinations one matrix may have.
pub const MAX_COMBINATIONS: usize = 256;

/// One leg: its values, and which of them name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// An object: what the `matrix` context holds.
    pub values: Value,
    /// What goes into the job's name: `3.12, linux`; empty when there is nothing to say.
    pub suffix: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("the matrix has {count} combinations; at most {MAX_COMBINATIONS} are allowed")]
    TooLarge { count: usize },
    #[error("matrix axis `{axis}` is empty")]
    EmptyAxis { axis: String },
    #[error("{0}")]
    Shape(String),
}

/// Expands an evaluated `strategy.matrix`.
pub fn combinations(_matrix: &Value) -> Result<Vec<Combination>, MatrixError> {
    unimplemented!()
}
