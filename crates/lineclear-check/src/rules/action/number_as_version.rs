//! `number-as-version`: a version that YAML reads as a number loses its last zero.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, Text, TextTree};
use lineclear_yaml::ScalarStyle;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/number-as-version.md`.
#[derive(Debug)]
pub(super) struct NumberAsVersion;

static META: RuleMeta = RuleMeta {
    id: "number-as-version",
    summary: "a version that is read as a number, and loses its last zero",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("number-as-version"),
};

/// Words of keys whose values are versions of what they name.
const PRODUCTS: &[&str] = &[
    "version",
    "versions",
    "python",
    "py",
    "node",
    "nodejs",
    "go",
    "golang",
    "ruby",
    "php",
    "java",
    "jdk",
    "dotnet",
    "perl",
    "elixir",
    "otp",
    "erlang",
    "rust",
    "toolchain",
    "django",
    "rails",
    "postgres",
    "postgresql",
    "terraform",
];

impl Rule for NumberAsVersion {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            let ActionRef::Remote { repo, .. } = &site.uses.value else { continue };
            for (key, value) in site.with {
                let name = key.value.as_str();
                let is_version =
                    is_named_version(name) || name.eq_ignore_ascii_case("version") && repo.starts_with("setup-");
                if is_version {
                    check_one(file, name, value, report);
                }
            }
        }
        for job in file.jobs() {
            if let Some(matrix) = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()) {
                check_tree(file, "", matrix, report);
            }
        }
    }
}

/// Whether an input is called like `python-version`.
fn is_named_version(name: &str) -> bool {
    let end = name.len().checked_sub("-version".len()).and_then(|from| name.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("-version") || end.eq_ignore_ascii_case("_version"))
}

/// Whether a word of a key of a matrix says that its values are versions.
fn is_product(name: &str) -> bool {
    let mut words = name.split(|char: char| !char.is_ascii_alphabetic());
    words.any(|word| PRODUCTS.iter().any(|product| word.eq_ignore_ascii_case(product)))
        || name.len() > 7 && name.to_ascii_lowercase().contains("version")
}

/// The values of a matrix under the key `name`, rows of `include` and objects with their own keys.
fn check_tree(file: &File<'_>, name: &str, tree: &TextTree, report: &mut Report<'_>) {
    match tree {
        TextTree::Scalar(value) => {
            if is_product(name) {
                check_one(file, name, value, report);
            }
        }
        TextTree::Sequence(items) => items.value.iter().for_each(|item| check_tree(file, name, item, report)),
        TextTree::Mapping(entries) => {
            entries.value.iter().for_each(|(key, value)| check_tree(file, key.raw(), value, report));
        }
    }
}

fn check_one(file: &File<'_>, name: &str, value: &Text, report: &mut Report<'_>) {
    let scalar = &value.scalar;
    if scalar.style != ScalarStyle::Plain || scalar.tag.is_some() {
        return;
    }
    let text = scalar.text.as_str();
    let Some(read) = read_as(text) else { return };
    // `8` is 8.0 for them.
    let is_whole = !read.contains('.');
    let is_same = |word: &str| word.eq_ignore_ascii_case("php") || word.eq_ignore_ascii_case("dotnet");
    if is_whole && name.split(|char: char| !char.is_ascii_alphabetic()).any(is_same) {
        return;
    }
    let fix = (report.wants_fixes() && file.source().slice(scalar.span) == text)
        .then(|| Fix::safe("quote it", vec![Edit::replace(scalar.span, format!("'{text}'"))]));
    report
        .at(scalar.span, format!("`{text}` is a number, and comes out as the version `{read}`"))
        .severity(if is_whole { Severity::Warning } else { Severity::Error })
        .help(format!("write `'{text}'`"))
        .fix(fix);
}

/// What is left of a number that ends in a zero behind the point.
fn read_as(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.')?;
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // The digits of longer ones are rounded.
    if !is_number(whole)
        || !is_number(fraction)
        || !fraction.ends_with('0')
        || text.len() > 12
        || whole.len() > 1 && whole.starts_with('0')
    {
        return None;
    }
    Some(text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_their_last_zeros() {
        let check = |text, expected| assert_eq!(read_as(text), expected, "{text}");
        check("3.10", Some("3.1"));
        check("3.100", Some("3.1"));
        check("10.0", Some("10"));
        check("0.10", Some("0.1"));
        check("0.0", Some("0"));
        check("3.9", None);
        check("3", None);
        check("30", None);
        check("1.20.0", None);
        check(".10", None);
        check("1.x0", None);
        check("01.10", None);
    }

    #[test]
    fn keys_of_versions_are_known_by_whole_words() {
        for name in ["python", "python-version", "go", "node_js_version", "pythonVersion", "python3"] {
            assert!(is_product(name), "{name}");
        }
        for name in ["category", "cargo", "threshold", "os", ""] {
            assert!(!is_product(name), "{name}");
        }
    }
}
