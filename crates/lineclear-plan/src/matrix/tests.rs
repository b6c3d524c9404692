use proptest::prelude::{Just, prop_assert, prop_assert_eq, proptest};
use proptest::strategy::Strategy as Generator;
use serde_json::{Value as Json, json};

use super::*;

fn expand(matrix: &Json) -> Result<Vec<Combination>, MatrixError> {
    combinations(&Value::from_json(matrix))
}

/// The legs as JSON, one a line, followed by what names them.
fn legs(matrix: &Json) -> Vec<String> {
    let legs = expand(matrix).expect("the test's matrix is valid");
    legs.iter().map(|leg| format!("{} | {}", leg.values.to_json(), leg.suffix)).collect()
}

fn fault(matrix: &Json) -> String {
    expand(matrix).expect_err("the test's matrix is invalid").to_string()
}

#[test]
fn trap_50_the_first_axis_turns_slowest() {
    let names: Vec<_> = expand(&json!({ "os": ["linux", "mac"], "py": ["3.10", "3.11"] }))
        .expect("valid")
        .into_iter()
        .map(|leg| leg.suffix)
        .collect();
    assert_eq!(names, ["linux, 3.10", "linux, 3.11", "mac, 3.10", "mac, 3.11"]);
}

#[test]
fn s1_79_two_by_two_gives_four_legs_and_s1_81_quoted_versions_keep_their_text() {
    assert_eq!(
        legs(&json!({ "python": ["3.10", "3.11"], "django": ["5.1", "5.2"] })),
        [
            r#"{"python":"3.10","django":"5.1"} | 3.10, 5.1"#,
            r#"{"python":"3.10","django":"5.2"} | 3.10, 5.2"#,
            r#"{"python":"3.11","django":"5.1"} | 3.11, 5.1"#,
            r#"{"python":"3.11","django":"5.2"} | 3.11, 5.2"#,
        ]
    );
    assert_eq!(legs(&json!({ "python": [3.10, 20] })), [r#"{"python":3.1} | 3.1"#, r#"{"python":20} | 20"#]);
}

#[test]
fn trap_49_include_extends_originals_overwrites_extras_but_no_original_value_and_appends_the_rest() {
    // The example of GitHub's documentation.
    let matrix = json!({
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            { "color": "green" },
            { "color": "pink", "animal": "cat" },
            { "fruit": "apple", "shape": "circle" },
            { "fruit": "banana" },
            { "fruit": "banana", "animal": "cat" },
        ]
    });
    assert_eq!(
        legs(&matrix),
        [
            r#"{"fruit":"apple","animal":"cat","color":"pink","shape":"circle"} | apple, cat"#,
            r#"{"fruit":"apple","animal":"dog","color":"green","shape":"circle"} | apple, dog"#,
            r#"{"fruit":"pear","animal":"cat","color":"pink"} | pear, cat"#,
            r#"{"fruit":"pear","animal":"dog","color":"green"} | pear, dog"#,
            r#"{"fruit":"banana"} | banana"#,
            r#"{"fruit":"banana","animal":"cat"} | banana, cat"#,
        ]
    );
}

#[test]
fn trap_49_a_later_entry_does_not_extend_an_appended_one() {
    assert_eq!(
        legs(&json!({ "a": [1], "include": [{ "a": 2 }, { "a": 2, "extra": true }] })),
        [r#"{"a":1} | 1"#, r#"{"a":2} | 2"#, r#"{"a":2,"extra":true} | 2, true"#]
    );
}

#[test]
fn only_include_gives_a_leg_each() {
    assert_eq!(
        legs(&json!({ "include": [{ "site": "a", "zone": 1 }, { "site": "b" }] })),
        [r#"{"site":"a","zone":1} | a, 1"#, r#"{"site":"b"} | b"#]
    );
}

#[test]
fn trap_50_exclude_matches_by_parts_ignores_case_and_comes_before_include() {
    let matrix = json!({
        "os": ["Linux", "mac"],
        "node": [{ "version": 20, "env": "x" }, { "version": 22 }],
        "exclude": [{ "os": "linux", "node": { "version": "20" } }, { "os": "mac" }],
        "include": [{ "os": "mac", "node": { "version": 22 } }]
    });
    assert_eq!(
        legs(&matrix),
        [r#"{"os":"Linux","node":{"version":22}} | Linux, 22"#, r#"{"os":"mac","node":{"version":22}} | mac, 22"#]
    );
}

#[test]
fn exclude_compares_lists_by_the_elements_it_names() {
    let matrix = json!({ "a": [[1, 2], [1, 3]], "exclude": [{ "a": [1, 3] }] });
    assert_eq!(legs(&matrix), [r#"{"a":[1,2]} | 1, 2"#]);
}

#[test]
fn everything_excluded_is_no_error() {
    assert_eq!(legs(&json!({ "a": [1], "exclude": [{ "a": 1 }] })), [] as [&str; 0]);
}

#[test]
fn trap_51_and_52_objects_stay_objects_and_name_the_leg_by_their_leaves() {
    let matrix = json!({ "t": [{ "os": "linux", "deep": { "n": [1, null, ""], "ok": false } }] });
    assert_eq!(legs(&matrix), [r#"{"t":{"os":"linux","deep":{"n":[1,null,""],"ok":false}}} | linux, 1, false"#]);
}

#[test]
fn trap_52_extras_do_not_name_a_leg() {
    assert_eq!(legs(&json!({ "a": [1], "include": [{ "a": 1, "b": 2 }] })), [r#"{"a":1,"b":2} | 1"#]);
}

#[test]
fn what_is_no_matrix_is_refused_with_what_is_wrong() {
    assert_eq!(fault(&json!({ "a": [] })), "matrix axis `a` is empty; give it at least one value");
    assert_eq!(fault(&json!({ "a": "x" })), "matrix axis `a` is a list of values, not a string");
    assert_eq!(fault(&json!("x")), "a matrix is a mapping of axes, not a string");
    assert_eq!(fault(&json!({})), "a matrix needs at least one axis or one entry of `include`");
    assert_eq!(fault(&json!({ "include": [] })), "a matrix needs at least one axis or one entry of `include`");
    assert_eq!(fault(&json!({ "include": {} })), "the matrix's `include` is a list of mappings, not a mapping");
    assert_eq!(fault(&json!({ "include": [1] })), "an entry of the matrix's `include` is a mapping, not a number");
    assert_eq!(fault(&json!({ "include": [{}] })), "an entry of the matrix's `include` has no values");
    assert_eq!(fault(&json!({ "a": [1], "exclude": [{}] })), "an entry of the matrix's `exclude` is empty");
    assert_eq!(
        fault(&json!({ "a": [1], "exclude": [{ "b": 1 }] })),
        "`exclude` names `b`, which is no axis of the matrix (`a`)"
    );
}

#[test]
fn more_than_256_legs_are_refused_with_their_number() {
    let values: Vec<u32> = (0..16).collect();
    assert_eq!(legs(&json!({ "a": values, "b": values })).len(), 256);
    let many = json!({ "a": values, "b": values, "include": [{ "a": 99 }] });
    assert_eq!(fault(&many), "the matrix has 257 combinations; at most 256 are allowed");
    let cube = json!({ "a": values, "b": values, "c": values });
    assert_eq!(fault(&cube), "the matrix has 4096 combinations; at most 256 are allowed");
    let excluded: Vec<_> = (1..16).map(|c| json!({ "c": c })).collect();
    assert_eq!(legs(&json!({ "a": values, "b": values, "c": values, "exclude": excluded })).len(), 256);
}

#[test]
fn a_product_beyond_all_measure_is_refused_at_once() {
    let values: Vec<u32> = (0..1000).collect();
    let axes: serde_json::Map<String, Json> = (0..40).map(|axis| (format!("a{axis}"), json!(values))).collect();
    assert_eq!(expand(&Json::Object(axes)), Err(MatrixError::TooLarge { count: usize::MAX }));
}

/// A matrix of small numbers: axes `a`, `b`, `c` and extras `x`, `y`.
#[derive(Clone, Debug)]
struct Small {
    axes: Vec<Vec<u8>>,
    exclude: Vec<Vec<(u8, u8)>>,
    include: Vec<Vec<(u8, u8)>>,
}

const NAMES: [&str; 5] = ["a", "b", "c", "x", "y"];

fn small() -> impl Generator<Value = Small> {
    let values = proptest::sample::subsequence(vec![1_u8, 2, 3], 1..=3);
    let pairs = |keys: std::ops::Range<u8>| {
        proptest::collection::btree_map(keys, 1_u8..=4, 1..=3).prop_map(|map| map.into_iter().collect::<Vec<_>>())
    };
    (proptest::collection::vec(values, 0..=3)).prop_flat_map(move |axes| {
        let count = u8::try_from(axes.len()).expect("at most three");
        let exclude = if count == 0 {
            Just(Vec::new()).boxed()
        } else {
            proptest::collection::vec(pairs(0..count), 0..=3).boxed()
        };
        (Just(axes), exclude, proptest::collection::vec(pairs(0..5), 0..=4))
            .prop_map(|(axes, exclude, include)| Small { axes, exclude, include })
    })
}

impl Small {
    fn json(&self) -> Json {
        let mut matrix = serde_json::Map::new();
        for (name, values) in NAMES.iter().zip(&self.axes) {
            matrix.insert((*name).into(), json!(values));
        }
        let entry = |pairs: &Vec<(u8, u8)>| -> Json {
            pairs.iter().map(|(key, value)| (NAMES[usize::from(*key)].to_owned(), json!(value))).collect()
        };
        if !self.exclude.is_empty() {
            matrix.insert("exclude".into(), self.exclude.iter().map(entry).collect());
        }
        if !self.include.is_empty() {
            matrix.insert("include".into(), self.include.iter().map(entry).collect());
        }
        Json::Object(matrix)
    }

    /// The documentation's rules, said once more in the simplest way: originals first, then each entry in turn.
    fn legs(&self) -> Vec<std::collections::BTreeMap<u8, u8>> {
        let mut originals: Vec<Vec<(u8, u8)>> = if self.axes.is_empty() { vec![] } else { vec![vec![]] };
        for (axis, values) in (0..).zip(&self.axes) {
            originals = originals
                .into_iter()
                .flat_map(|cell| values.iter().map(move |value| [cell.clone(), vec![(axis, *value)]].concat()))
                .collect();
        }
        originals.retain(|cell| !self.exclude.iter().any(|entry| entry.iter().all(|pair| cell.contains(pair))));
        let axis_count = u8::try_from(self.axes.len()).expect("at most three");
        let mut legs: Vec<_> = originals.iter().map(|cell| cell.iter().copied().collect()).collect();
        let mut appended = Vec::new();
        for entry in &self.include {
            let mut fits_one = false;
            for (cell, leg) in originals.iter().zip(legs.iter_mut()) {
                let leg: &mut std::collections::BTreeMap<u8, u8> = leg;
                if entry.iter().all(|pair| pair.0 >= axis_count || cell.contains(pair)) {
                    fits_one = true;
                    leg.extend(entry.iter().filter(|pair| pair.0 >= axis_count).copied());
                }
            }
            if !fits_one {
                appended.push(entry.iter().copied().collect());
            }
        }
        legs.append(&mut appended);
        legs
    }
}

proptest! {
    #[test]
    fn a_matrix_expands_as_the_simple_oracle_says(small in small()) {
        let expected = small.legs();
        match expand(&small.json()) {
            Ok(legs) => {
                let legs: Vec<_> = legs
                    .iter()
                    .map(|leg| {
                        NAMES.iter().zip(0_u8..).filter_map(|(name, key)| match leg.values.get(name) {
                            Value::Number(number) => Some((key, number as u8)),
                            _ => None,
                        }).collect::<std::collections::BTreeMap<_, _>>()
                    })
                    .collect();
                prop_assert_eq!(legs, expected);
            }
            Err(error) => prop_assert!(small.axes.is_empty() && small.include.is_empty(), "{}", error),
        }
    }
}
