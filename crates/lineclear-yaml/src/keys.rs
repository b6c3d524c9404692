//! Finds the key that was written before: for GitHub ignoring case, in ordinary YAML exactly.

use std::collections::HashMap;

use crate::{Dialect, Entry};

/// Up to this many keys are compared one by one, which is quicker than hashing.
const FEW: usize = 16;

/// The keys of one mapping while it is read.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Folded key to its index in the entries; filled once there are more than [`FEW`].
    index: HashMap<String, usize>,
    /// How many entries are in the index.
    indexed: usize,
}

impl Keys {
    /// The index of the entry whose key equals `key`.
    ///
    /// A key that holds an expression is equal to none: what it will be is not known yet.
    pub(crate) fn find(&mut self, entries: &[Entry], key: &str, dialect: Dialect) -> Option<usize> {
        if dialect == Dialect::GitHub && holds_expression(key) {
            return None;
        }
        if entries.len() <= FEW {
            return entries.iter().position(|entry| equal(&entry.key.text, key, dialect));
        }
        for (at, entry) in entries.iter().enumerate().skip(self.indexed) {
            self.index.entry(fold(&entry.key.text, dialect)).or_insert(at);
        }
        self.indexed = entries.len();
        self.index.get(&fold(key, dialect)).copied()
    }
}

fn holds_expression(key: &str) -> bool {
    key.contains("${{")
}

fn equal(one: &str, other: &str, dialect: Dialect) -> bool {
    if dialect == Dialect::Ordinary {
        one == other
    } else if one.is_ascii() && other.is_ascii() {
        one.eq_ignore_ascii_case(other)
    } else {
        one.chars().map(fold_char).eq(other.chars().map(fold_char))
    }
}

fn fold(key: &str, dialect: Dialect) -> String {
    if dialect == Dialect::Ordinary {
        return key.to_owned();
    }
    key.chars().map(fold_char).collect()
}

/// One character stays one character, as in .NET's ordinal comparison: `ß` is not `SS`.
fn fold_char(char: char) -> char {
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => char,
    }
}
