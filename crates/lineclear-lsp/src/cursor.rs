//! Where the cursor is in a file that is being written, and so may not be readable.
//!
//! The path is taken from the indentation of the lines above, which holds when the YAML does not.

use lineclear_expr::Allowed;

/// What is being written at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The keys that lead to the mapping or list that the cursor is in, from the outermost; an item of a list is `0`.
    /// Behind `key:` the key is the last of them.
    pub(crate) path: Vec<String>,
    pub(crate) part: Part,
    /// Where what is being written begins.
    pub(crate) start: usize,
}

/// What part of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A key, or an item of a list: nothing tells them apart before the colon.
    Key(String),
    /// A value.
    Value(String),
    /// A piece of an expression: `needs.bu`, or the beginning of a name.
    Expression(String),
}

impl Cursor {
    pub(crate) fn find(text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[line_start..offset];
        let marks = Mark::of(line);
        let mut path = Vec::new();
        let key =
            marks.iter().rev().find_map(|mark| if let Mark::Key(_, name) = mark { Some(name.clone()) } else { None });
        let limit = marks.last().map_or_else(|| line.len(), Mark::column);
        // The list items that begin on this line belong to the path.
        let mut climb = Climb { path: &mut path, limit, item: None };
        if key.is_none() {
            climb.limit = line.len() - line.trim_start_matches([' ', '-']).len();
        }
        for mark in marks.iter().rev().skip(usize::from(key.is_some())) {
            climb.take(mark);
        }
        for above in text[..line_start].lines().rev() {
            if above.trim_start().starts_with('#') || above.trim().is_empty() {
                continue;
            }
            for mark in Mark::of(above).iter().rev() {
                climb.take(mark);
            }
            if climb.limit == 0 && climb.item.is_none() {
                break;
            }
        }
        path.reverse();
        let in_braces =
            text[..offset].rfind("${{").is_some_and(|open| !text[open..offset].contains("}}") && offset - open < 4096);
        if in_braces || key.as_deref() == Some("if") {
            path.extend(key);
            let name = trailing(line, |char| char.is_ascii_alphanumeric() || "_-.*[]'".contains(char));
            return Self { path, start: offset - name.len(), part: Part::Expression(name.to_owned()) };
        }
        match key {
            Some(key) => {
                path.push(key);
                let value = trailing(line, |char| !char.is_whitespace() && !"[,{\"':".contains(char));
                Self { path, start: offset - value.len(), part: Part::Value(value.to_owned()) }
            }
            None => {
                let word = line.trim_start_matches([' ', '-']);
                Self { path, start: offset - word.len(), part: Part::Key(word.to_owned()) }
            }
        }
    }

    /// The path as borrowed words.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// What an expression may name here.
    pub(crate) fn allowed(&self) -> Allowed {
        match &self.words()[..] {
            ["jobs", _, "steps", .., "if"] => Allowed::STEP_IF,
            ["jobs", _, "steps", ..] => Allowed::STEP_RUN,
            ["jobs", _, "if"] => Allowed::JOB_IF,
            ["jobs", _, "strategy", ..] => Allowed::JOB_STRATEGY,
            ["jobs", _, "outputs", ..] => Allowed::JOB_OUTPUTS,
            ["jobs", _, "env", ..] | ["jobs", _, "secrets", ..] => Allowed::JOB_ENV,
            ["jobs", _, "environment", "url"] => Allowed::JOB_ENVIRONMENT_URL,
            ["jobs", _, "defaults", ..] => Allowed::JOB_DEFAULTS_RUN,
            ["jobs", _, "container" | "services", .., "credentials", _] => Allowed::JOB_CONTAINER_CREDENTIALS,
            ["jobs", _, "container" | "services", .., "env", _] => Allowed::JOB_CONTAINER_ENV,
            ["jobs", ..] => Allowed::JOB_NAME,
            ["env", ..] => Allowed::WORKFLOW_ENV,
            ["on", "workflow_call", "outputs", ..] => Allowed::WORKFLOW_CALL_OUTPUT,
            ["runs", "steps", .., "if"] => Allowed::COMPOSITE_STEP_IF,
            ["runs", "steps", ..] => Allowed::COMPOSITE_STEP,
            _ => Allowed::RUN_NAME,
        }
    }
}

fn trailing(line: &str, belongs: impl Fn(char) -> bool) -> &str {
    let kept = line.char_indices().rev().take_while(|(_, char)| belongs(*char)).last();
    kept.map_or("", |(at, _)| &line[at..])
}

/// What a line begins with.
#[derive(Debug, PartialEq)]
enum Mark {
    /// `-` in this column.
    Item(usize),
    /// `key:` in this column.
    Key(usize, String),
}

impl Mark {
    /// The dashes of a line and its first key.
    fn of(line: &str) -> Vec<Self> {
        let mut marks = Vec::new();
        let mut column = line.len() - line.trim_start_matches(' ').len();
        while line[column..].starts_with("- ") || &line[column..] == "-" {
            marks.push(Self::Item(column));
            column += 1;
            column += line[column..].len() - line[column..].trim_start_matches(' ').len();
        }
        let rest = &line[column..];
        let colon = rest
            .match_indices(':')
            .map(|(at, _)| at)
            .find(|at| matches!(rest.as_bytes().get(at + 1), None | Some(b' ' | b'\r' | b'\t')));
        if let Some(colon) = colon {
            let name = rest[..colon].trim().trim_matches(['"', '\'']);
            if !name.is_empty() && !name.contains(['{', '[', ' ']) {
                marks.push(Self::Key(column, name.to_owned()));
            }
        }
        marks
    }

    fn column(&self) -> usize {
        match self {
            Self::Item(column) | Self::Key(column, _) => *column,
        }
    }
}

/// The way from a line to the outermost key.
struct Climb<'p> {
    path: &'p mut Vec<String>,
    /// What is above stands left of this.
    limit: usize,
    /// The column of the item whose key is looked for: that may stand in the same column.
    item: Option<usize>,
}

impl Climb<'_> {
    fn take(&mut self, mark: &Mark) {
        match mark {
            Mark::Item(column) if *column < self.limit && self.item.is_none_or(|item| *column < item) => {
                self.path.push("0".to_owned());
                self.limit = *column;
                self.item = Some(*column);
            }
            Mark::Key(column, name) if *column < self.limit || self.item == Some(*column) => {
                self.path.push(name.clone());
                self.limit = *column;
                self.item = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path and part at the `|` of a text.
    fn find(text: &str) -> String {
        let offset = text.find('|').expect("a cursor");
        let cursor = Cursor::find(&text.replacen('|', "", 1), offset);
        format!("{} {:?}", cursor.path.join("/"), cursor.part)
    }

    #[test]
    fn the_path_is_that_of_the_indentation() {
        assert_eq!(find("na|"), " Key(\"na\")");
        assert_eq!(find("on: push\njobs:\n  a:\n    ru|"), "jobs/a Key(\"ru\")");
        assert_eq!(find("jobs:\n  a:\n    needs: [b, c|"), "jobs/a/needs Value(\"c\")");
        assert_eq!(find("jobs:\n  a:\n    needs:\n      - b|"), "jobs/a/needs/0 Key(\"b\")");
        assert_eq!(find("jobs:\n  a:\n    steps:\n    - us|"), "jobs/a/steps/0 Key(\"us\")");
        assert_eq!(
            find("jobs:\n  a:\n    steps:\n    - run: x\n    - uses: y\n      with:\n        fe|"),
            "jobs/a/steps/0/with Key(\"fe\")"
        );
        assert_eq!(
            find("jobs:\n  a:\n    steps:\n      - uses: actions/ch|"),
            "jobs/a/steps/0/uses Value(\"actions/ch\")"
        );
        assert_eq!(find("permissions:\n  contents: r|"), "permissions/contents Value(\"r\")");
        assert_eq!(find("jobs:\n  a:\n    runs-on: x\n  b:\n    |"), "jobs/b Key(\"\")");
    }

    #[test]
    fn expressions_are_known_by_their_braces_or_by_if() {
        assert_eq!(find("jobs:\n  a:\n    if: needs.b|"), "jobs/a/if Expression(\"needs.b\")");
        assert_eq!(find("jobs:\n  a:\n    steps:\n      - run: |echo"), "jobs/a/steps/0/run Value(\"\")");
        assert_eq!(
            find("jobs:\n  a:\n    steps:\n      - run: echo ${{ github.ev|"),
            "jobs/a/steps/0/run Expression(\"github.ev\")"
        );
        assert_eq!(find("name: ${{ a }} b|"), "name Value(\"b\")");
    }

    #[test]
    fn nothing_panics_wherever_the_cursor_is() {
        let text = "on: [\n- é: |\n  -  - x: {\n\"a\": 'b'\n${{ é";
        for offset in 0..=text.len() + 2 {
            drop(Cursor::find(text, offset));
        }
    }
}
