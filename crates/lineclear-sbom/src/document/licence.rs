//! Licences as documents want them: an expression of known names, or a text of the package's own.

/// What a package says of its licence.
pub(super) enum Licence {
    /// An SPDX expression whose every name is on SPDX's list.
    Expression(String),
    /// Anything else.
    Text(String),
}

pub(super) fn of(text: &str) -> Licence {
    match spdx::Expression::parse_mode(text, spdx::ParseMode::STRICT) {
        Ok(_) => Licence::Expression(text.to_owned()),
        Err(_) => Licence::Text(text.to_owned()),
    }
}
