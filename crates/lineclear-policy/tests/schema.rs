//! The schema for editors knows the keys that the reader knows, table by table, and no others.

use std::collections::BTreeSet;

use lineclear_policy::{Policy, SCHEMA};
use lineclear_source::Source;
use serde_json::Value;

/// One table of the file: how a document begins that has it, and the keys that the schema gives it.
struct Known {
    document: String,
    keys: BTreeSet<String>,
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    let mut tables = Vec::new();
    collect(&schema, &schema, "", false, &mut tables);
    assert!(tables.len() >= 20, "only {} tables were found", tables.len());
    for table in &tables {
        let read = keys_of_the_reader(&table.document);
        assert_eq!(table.keys, read, "after\n{}", table.document);
    }
}

/// What the reader says of a key that there is not: it lists those that there are.
fn keys_of_the_reader(document: &str) -> BTreeSet<String> {
    let text = format!("{document}no-such-key = 1\n");
    let (_, findings) = Policy::read(&Source::new("lineclear.toml", text.as_str()));
    let unknown = findings.iter().find(|finding| finding.message.contains("`no-such-key`"));
    let unknown = unknown.unwrap_or_else(|| panic!("an unknown key passes after\n{document}{findings:?}"));
    let list = unknown.help.iter().find_map(|help| help.strip_prefix("its keys are: ")).expect("they are listed");
    list.split(", ").map(str::to_owned).collect()
}

/// Walks a part of the schema that stands at `path` of the file.
fn collect(part: &Value, schema: &Value, path: &str, is_item: bool, found: &mut Vec<Known>) {
    if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
        let target = schema.pointer(reference.trim_start_matches('#')).expect("it leads somewhere");
        return collect(target, schema, path, is_item, found);
    }
    for one in ["anyOf", "oneOf"].iter().filter_map(|key| part.get(key)).filter_map(Value::as_array).flatten() {
        collect(one, schema, path, is_item, found);
    }
    if let Some(items) = part.get("items") {
        collect(items, schema, path, true, found);
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    if let Some(names) = part.get("additionalProperties").filter(|names| names.is_object()) {
        collect(names, schema, &below("some-name"), false, found);
    }
    let Some(properties) = part.get("properties").and_then(Value::as_object) else { return };
    assert_eq!(part.get("additionalProperties"), Some(&Value::Bool(false)), "`{path}` takes any key");
    let header = match (path, is_item) {
        ("", _) => String::new(),
        (path, true) => format!("[[{path}]]\n"),
        (path, false) => format!("[{path}]\n"),
    };
    let kind = properties.get("kind").and_then(|kind| kind.get("const")).and_then(Value::as_str);
    let kind = kind.map(|kind| format!("kind = \"{kind}\"\n")).unwrap_or_default();
    found.push(Known { document: header + &kind, keys: properties.keys().cloned().collect() });
    for (key, value) in properties {
        collect(value, schema, &below(key), false, found);
    }
}
