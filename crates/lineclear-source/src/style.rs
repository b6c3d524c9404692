//! Colours for the text that a person reads in a terminal.

/// Whether the text carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No colours: for files and pipes.
    Plain,
    /// Colours and bold as terminal escape sequences.
    Coloured,
}

impl Style {
    /// `text` as it is shown with the parameters `code` of the escape sequence "select graphic rendition", such as `31` for
    /// red; unchanged where there are no colours, and where there is nothing to be seen of them.
    ///
    /// # Source
    /// ECMA-48, section 8.3.117.
    pub fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Coloured if !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Coloured | Self::Plain => text.to_owned(),
        }
    }

    /// `text` in bold.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// `text` less bright than what is around it.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// `text` in red: something failed.
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// `text` in green: all is well.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// `text` in yellow: something to look at.
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// `text` in cyan: something goes on.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_painted_where_there_are_colours_and_something_to_see() {
        assert_eq!(Style::Coloured.red("x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Style::Coloured.bold(""), "");
        assert_eq!(Style::Plain.dim("x"), "x");
    }
}
