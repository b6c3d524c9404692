//! Reads advisories in the OSV format, as the public databases give them out.

use serde_json::Value;

use crate::Version;
use crate::advisory::{Advisory, Affected, End, Grade};

/// Why a text could not be read as advisories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OsvError {
    /// It is no JSON.
    NotJson {
        /// Line and column, and what was expected there.
        reason: String,
    },
    /// It is neither a record nor a list of records.
    NoRecord,
    /// A record has no `id`.
    NoId,
}

impl std::fmt::Display for OsvError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotJson { reason } => write!(f, "the advisories are no JSON: {reason}"),
            Self::NoRecord => f.write_str("the JSON is neither an advisory nor a list of advisories"),
            Self::NoId => f.write_str("an advisory has no `id`"),
        }
    }
}

impl std::error::Error for OsvError {}

/// The advisories about actions in `text`, each with the lower-case name of its action.
pub(crate) fn read(text: &str) -> Result<Vec<(String, Advisory)>, OsvError> {
    let value: Value = serde_json::from_str(text).map_err(|error| OsvError::NotJson { reason: error.to_string() })?;
    let mut found = Vec::new();
    match &value {
        Value::Array(records) => records.iter().try_for_each(|record| read_record(record, &mut found))?,
        Value::Object(object) => match object.get("vulns").and_then(Value::as_array) {
            Some(records) => records.iter().try_for_each(|record| read_record(record, &mut found))?,
            None => read_record(&value, &mut found)?,
        },
        _ => return Err(OsvError::NoRecord),
    }
    Ok(found)
}

fn read_record(record: &Value, found: &mut Vec<(String, Advisory)>) -> Result<(), OsvError> {
    let id = text(record, "id").ok_or(OsvError::NoId)?;
    // A record that was withdrawn says that it should not have been there.
    if record.get("withdrawn").is_some_and(|withdrawn| !withdrawn.is_null()) {
        return Ok(());
    }
    let aliases = record.get("aliases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let alias = aliases.iter().filter_map(Value::as_str).find(|alias| alias.starts_with("CVE-"));
    let grade = record.pointer("/database_specific/severity").and_then(Value::as_str).and_then(Grade::of);
    let first = found.len();
    for package in record.get("affected").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        let is_action = package.pointer("/package/ecosystem").and_then(Value::as_str) == Some("GitHub Actions");
        let Some(name) = package.pointer("/package/name").and_then(Value::as_str).filter(|_| is_action) else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        let (affected, fixed) = read_affected(package);
        // A package may stand there once for each range.
        if let Some((_, known)) = found[first..].iter_mut().find(|(other, _)| *other == name) {
            known.affected.extend(affected);
            known.fixed = fixed.map(Into::into).or_else(|| known.fixed.take());
            continue;
        }
        let advisory = Advisory {
            id: id.to_owned().into(),
            alias: alias.map(|alias| alias.to_owned().into()),
            grade: grade.unwrap_or(Grade::Medium),
            fixed: fixed.map(Into::into),
            summary: text(record, "summary").unwrap_or("no summary").to_owned().into(),
            affected,
        };
        found.push((name, advisory));
    }
    Ok(())
}

/// The affected versions of a package, and the last version that ends a range.
fn read_affected(package: &Value) -> (Vec<Affected>, Option<String>) {
    let mut affected = Vec::new();
    let mut fixed = None;
    for range in package.get("ranges").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
        let is_git = text(range, "type") == Some("GIT");
        let mut open: Option<Version> = None;
        for event in
            range.get("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter().filter(|_| !is_git)
        {
            if let Some(introduced) = text(event, "introduced") {
                open = Version::of(introduced).map(zeroed);
            } else if let Some(end) = text(event, "fixed").or_else(|| text(event, "last_affected")) {
                let kind = if event.get("fixed").is_some() { End::Fixed } else { End::LastAffected };
                if kind == End::Fixed {
                    fixed = Some(end.to_owned());
                }
                if let (Some(introduced), Some(end)) = (open.take(), Version::of(end)) {
                    affected.push(Affected::Versions { introduced, end: Some((end, kind)) });
                }
            }
        }
        // The public database writes "up to and with" beside the range.
        let hint = package.pointer("/database_specific/last_known_affected_version_range").and_then(Value::as_str);
        if let Some(introduced) = open {
            let last = hint.and_then(|hint| hint.strip_prefix("<=")).and_then(|version| Version::of(version.trim()));
            affected.push(Affected::Versions { introduced, end: last.map(|last| (last, End::LastAffected)) });
        }
    }
    let exact = package.get("versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    affected.extend(exact.iter().filter_map(Value::as_str).filter_map(Version::of).map(Affected::Exactly));
    (affected, fixed)
}

/// A version that begins a range begins it with its first release.
fn zeroed(version: Version) -> Version {
    Version { major: version.major, minor: version.minor.or(Some(0)), patch: version.patch.or(Some(0)) }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_other_ecosystems_and_withdrawn_ones_are_left_out() {
        let npm = r#"{"id": "A", "affected": [{"package": {"ecosystem": "npm", "name": "a/b"}}]}"#;
        assert_eq!(read(npm).map(|found| found.len()), Ok(0));
        let withdrawn = r#"{"id": "A", "withdrawn": "2025-01-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": "GitHub Actions", "name": "a/b"}}]}"#;
        assert_eq!(read(withdrawn).map(|found| found.len()), Ok(0));
    }

    #[test]
    fn what_is_no_record_is_said() {
        assert!(matches!(read("{"), Err(OsvError::NotJson { .. })));
        assert_eq!(read("1"), Err(OsvError::NoRecord));
        assert_eq!(read("{}"), Err(OsvError::NoId));
        assert_eq!(read("[]"), Ok(Vec::new()));
        assert_eq!(read(r#"{"vulns": []}"#), Ok(Vec::new()));
    }

    #[test]
    fn several_ranges_make_one_advisory() {
        let text = r#"{"id": "A", "aliases": ["CVE-1"], "database_specific": {"severity": "CRITICAL"}, "affected": [
            {"package": {"ecosystem": "GitHub Actions", "name": "A/B"}, "ranges": [{"events": [{"introduced": "1"}, {"fixed": "1.2.0"}]}]},
            {"package": {"ecosystem": "GitHub Actions", "name": "A/B"}, "ranges": [{"events": [{"introduced": "2.0.0"}]}],
             "database_specific": {"last_known_affected_version_range": "<= 2.1.0"}}]}"#;
        let found = read(text).unwrap();
        assert_eq!(found.len(), 1);
        let (name, advisory) = &found[0];
        assert_eq!((name.as_str(), advisory.affected.len(), advisory.grade), ("a/b", 2, Grade::Critical));
        assert_eq!(advisory.fixed.as_deref(), Some("1.2.0"));
    }
}
