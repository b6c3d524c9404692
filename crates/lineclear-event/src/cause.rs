//! Errors with what caused them.

use std::error::Error;
use std::fmt::Write;

/// An error and everything that caused it, in one sentence: "cannot read the record: permission denied".
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Because(&'static str, #[source] Option<Box<Because>>);

    #[test]
    fn causes_follow_what_they_caused() {
        let cause = Because("cannot read the record", Some(Box::new(Because("permission denied", None))));
        let error = Because("the run is not known", Some(Box::new(cause)));
        assert_eq!(with_causes(&error), "the run is not known: cannot read the record: permission denied");
    }
}
