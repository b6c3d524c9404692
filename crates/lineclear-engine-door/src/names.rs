//! The names that steps choose, and what they are called in the engine.
//!
//! Two runs of one compose file choose the same names for containers, networks and volumes. In the engine each name carries a mark
//! of the job, `db-1` becomes `db-1.LC-KXZQTRWBVN`, and the mark is taken off again in every answer.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Letters that no lower-case filter such as `name=db` matches by chance.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^12 marks are enough for jobs that are on one machine at the same time.
const LENGTH: usize = 12;
/// What all labels of Lineclear begin with. Steps do not see them.
const OWN_LABELS: &str = "org.lineclear.";

/// A job's mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    mark: String,
}

impl Names {
    /// The same job has the same mark each time.
    pub(crate) fn of(owner: &str, tracking_id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (owner, tracking_id).hash(&mut hasher);
        let mut number = hasher.finish();
        let mut mark = String::from(".LC-");
        for _ in 0..LENGTH {
            mark.push(char::from(LETTERS[(number % 20) as usize]));
            number /= 20;
        }
        Self { mark }
    }

    /// What a name is called in the engine.
    pub(crate) fn engine(&self, name: &str) -> String {
        format!("{}{}", self.shown(name), self.mark)
    }

    /// What steps call it.
    pub(crate) fn shown(&self, text: &str) -> String {
        text.replace(&self.mark, "")
    }

    pub(crate) fn is_marked(&self, text: &str) -> bool {
        text.contains(&self.mark)
    }

    /// The pattern of a `name` filter: one that ends with `$` means the end of the name as steps know it.
    pub(crate) fn pattern(&self, pattern: &str) -> String {
        match pattern.strip_suffix('$') {
            Some(rest) if !rest.ends_with('\\') => format!("{rest}({})?$", self.mark.replace('.', "\\.")),
            _ => pattern.to_owned(),
        }
    }

    /// Takes the mark off all texts and keys of an answer, and Lineclear's own labels out of it.
    pub(crate) fn show(&self, value: &mut Value) {
        self.show_at("", value);
    }

    fn show_at(&self, key: &str, value: &mut Value) {
        match value {
            // Where a volume really lies has the mark in it, and whoever opens it needs it.
            Value::String(text) => {
                let is_place = key == "Mountpoint" || (key == "Source" && text.starts_with('/'));
                if !is_place && self.is_marked(text) {
                    *text = self.shown(text);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.show_at(key, value)),
            Value::Object(map) => {
                if matches!(key, "Labels" | "Attributes") {
                    map.retain(|label, _| !label.starts_with(OWN_LABELS));
                }
                if map.keys().any(|key| self.is_marked(key)) {
                    let renamed = std::mem::take(map).into_iter().map(|(key, value)| (self.shown(&key), value));
                    *map = renamed.collect();
                }
                for (key, value) in map.iter_mut() {
                    self.show_at(key, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names::of("owner", "github_1")
    }

    #[test]
    fn two_jobs_have_two_marks() {
        assert_ne!(names(), Names::of("owner", "github_2"));
        assert_eq!(names(), Names::of("owner", "github_1"));
    }

    #[test]
    fn an_answer_shows_names_as_they_were_chosen_but_places_as_they_are() {
        let names = names();
        let (db, data) = (names.engine("db"), names.engine("data"));
        let mut answer = json!({
            "Name": format!("/{db}"),
            "HostConfig": {"Binds": [format!("{data}:/var/lib")]},
            "Mounts": [{"Type": "volume", "Name": data, "Source": format!("/var/lib/docker/volumes/{data}/_data")}],
            "NetworkSettings": {"Networks": {names.engine("p_default"): {"Aliases": ["db"]}}},
            "Config": {"Labels": {"org.lineclear.job": "github_1", "com.docker.compose.project": "p"}},
        });
        names.show(&mut answer);
        let shown = json!({
            "Name": "/db",
            "HostConfig": {"Binds": ["data:/var/lib"]},
            "Mounts": [{"Type": "volume", "Name": "data", "Source": format!("/var/lib/docker/volumes/{data}/_data")}],
            "NetworkSettings": {"Networks": {"p_default": {"Aliases": ["db"]}}},
            "Config": {"Labels": {"com.docker.compose.project": "p"}},
        });
        assert_eq!(answer, shown);
    }

    #[test]
    fn a_filter_for_a_whole_name_finds_the_marked_one() {
        assert_eq!(names().pattern("^/db$"), format!("^/db(\\{})?$", names().mark));
        assert_eq!(names().pattern("db"), "db");
        assert_eq!(names().pattern("db\\$"), "db\\$");
    }

    proptest! {
        #[test]
        fn a_name_comes_back_as_it_was_chosen(name in "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}") {
            let names = names();
            prop_assert_eq!(names.shown(&names.engine(&name)), name.clone());
            prop_assert_eq!(names.engine(&names.engine(&name)), names.engine(&name));
        }
    }
}
