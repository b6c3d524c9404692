//! Workflow commands: `::name key=value::data` and the older `##[name key=value;…]data`.

/// One command found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Lower-case.
    pub name: String,
    /// Lower-case key and unescaped value, in order.
    pub properties: Vec<(String, String)>,
    /// Unescaped.
    pub data: String,
}

impl Command {
    /// The command in `line`, if there is one: the newer form at its start (after white space), the older anywhere.
    pub fn parse(_line: &str) -> Option<Self> {
        unimplemented!()
    }

    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Text as a command's data.
pub fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property's value.
pub fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}
