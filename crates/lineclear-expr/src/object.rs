//! Objects: keys and values in order.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Value, fold};

/// Objects with more entries than this find a key by an index rather than by looking at each.
const INDEXED_FROM: usize = 12;

/// Keys and values in order. Keys are found ignoring case unless the object was made case-sensitive (the `env` context).
#[derive(Clone, Debug, Default)]
pub struct Object {
    entries: Vec<(Arc<str>, Value)>,
    /// From key, upper-cased unless the object is case-sensitive, to its place; empty while there are few entries.
    index: HashMap<Box<str>, usize>,
    case_sensitive: bool,
}

impl PartialEq for Object {
    /// Same keys in the same spelling and order with the same values.
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Object {
    /// An empty object whose keys are found ignoring case.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty object whose keys differ when their case does, as in the `env` context on Linux and macOS.
    pub fn case_sensitive() -> Self {
        Self { case_sensitive: true, ..Self::default() }
    }

    /// Sets `key`; an existing entry keeps its place and its spelling.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) {
        let key = key.into();
        match self.position(&key) {
            Some(at) => self.entries[at].1 = value.into(),
            None => self.push(key, value.into()),
        }
    }

    /// Adds `key` unless it is there already, in whatever case; says whether it was added.
    pub fn insert_first(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) -> bool {
        let key = key.into();
        let is_new = self.position(&key).is_none();
        if is_new {
            self.push(key, value.into());
        }
        is_new
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn push(&mut self, key: Arc<str>, value: Value) {
        self.entries.push((key, value));
        let last = self.entries.len() - 1;
        if last == INDEXED_FROM {
            self.index = self.entries.iter().enumerate().map(|(at, (key, _))| (self.index_key(key), at)).collect();
        } else if last > INDEXED_FROM {
            let key = self.index_key(&self.entries[last].0);
            self.index.insert(key, last);
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        if !self.index.is_empty() {
            return self.index.get(&*self.index_key(key)).copied();
        }
        if self.case_sensitive {
            self.entries.iter().position(|(own, _)| &**own == key)
        } else {
            self.entries.iter().position(|(own, _)| fold::eq(own, key))
        }
    }

    fn index_key(&self, key: &str) -> Box<str> {
        if self.case_sensitive { key.into() } else { fold::folded(key).into() }
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// The pairs in order, whose keys are found ignoring case; a later one of the same key wins.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut object = Self::new();
        for (key, value) in pairs {
            object.insert(key, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_ignoring_case_and_keep_their_first_spelling() {
        for filler in [0, 100] {
            let mut object: Object = (0..filler).map(|n| (format!("filler{n}"), f64::from(n))).collect();
            object.insert("Über", 1.0);
            object.insert("üBER", 2.0);
            assert!(!object.insert_first("ÜBER", 3.0));
            assert_eq!(object.get("über"), Some(&Value::Number(2.0)));
            assert_eq!(object.get("uber"), None);
            assert_eq!(object.len(), filler as usize + 1);
            assert_eq!(object.iter().last().map(|(key, _)| key), Some("Über"));
        }
    }

    #[test]
    fn trap_11_a_case_sensitive_object_keeps_both_spellings_apart() {
        for filler in [0, 100] {
            let mut env = Object::case_sensitive();
            for n in 0..filler {
                env.insert(format!("FILLER{n}"), "x");
            }
            env.insert("Foo", "1");
            env.insert("foo", "2");
            assert_eq!(env.get("Foo"), Some(&Value::string("1")));
            assert_eq!(env.get("foo"), Some(&Value::string("2")));
            assert_eq!(env.get("FOO"), None);
        }
    }
}
