//! Findings that an old repository has and that are to be left alone for now.
//!
//! A baseline names findings by file, rule and message, not by line: what only moves stays known. Its text is JSON, sorted, so that
//! differences are small.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Finding;

/// Known findings, each with how many of them there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<Key, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    file: String,
    rule: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    count: usize,
}

const VERSION: u32 = 1;

/// Why a text is no baseline.
#[derive(Debug)]
pub enum BaselineError {
    /// It is not JSON of the form that [`Baseline::text`] writes.
    Form(serde_json::Error),
    /// It was written by another version.
    Version(u32),
}

impl std::fmt::Display for BaselineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Form(error) => write!(f, "it is no baseline: {error}"),
            Self::Version(version) => {
                write!(
                    f,
                    "its version is {version}, and only {VERSION} is known here: use a newer Lineclear, or write it anew"
                )
            }
        }
    }
}

impl std::error::Error for BaselineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Form(error) = self { Some(error) } else { None }
    }
}

impl Baseline {
    /// The baseline of all these findings, each with its file.
    pub fn of<'f>(findings: impl Iterator<Item = (&'f str, &'f Finding)>) -> Self {
        let mut baseline = Self::default();
        for (file, finding) in findings {
            *baseline.known.entry(key(file, finding)).or_default() += 1;
        }
        baseline
    }

    /// Reads what [`Self::text`] wrote.
    ///
    /// # Errors
    /// Why the text is no baseline.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let written: Written = serde_json::from_str(text).map_err(BaselineError::Form)?;
        if written.version != VERSION {
            return Err(BaselineError::Version(written.version));
        }
        let mut baseline = Self::default();
        for entry in written.findings {
            *baseline.known.entry(entry.key).or_default() += entry.count;
        }
        Ok(baseline)
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let findings = self.known.iter().map(|(key, &count)| Entry { key: key.clone(), count }).collect();
        // Texts and numbers can always be written.
        let mut text = serde_json::to_string_pretty(&Written { version: VERSION, findings }).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether `finding` is known: each entry covers as many findings as it counts.
    pub fn take(&mut self, file: &str, finding: &Finding) -> bool {
        match self.known.get_mut(&key(file, finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// How many entries covered nothing.
    pub fn left(&self) -> usize {
        self.known.values().filter(|&&count| count > 0).count()
    }

    /// How many findings it knows.
    pub fn count(&self) -> usize {
        self.known.values().sum()
    }
}

fn key(file: &str, finding: &Finding) -> Key {
    let rule = finding.diagnostic.code.clone().into_owned();
    Key { file: file.to_owned(), rule, message: finding.diagnostic.message.clone() }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Diagnostic;

    use super::*;

    fn finding(message: &str) -> Finding {
        Finding { diagnostic: Diagnostic::warning("a-rule", message), fix: None }
    }

    #[test]
    fn as_many_findings_are_known_as_were_counted() {
        let (one, other) = (finding("one"), finding("other"));
        let baseline = Baseline::of([("a.yml", &one), ("a.yml", &one), ("b.yml", &other)].into_iter());
        let mut read = Baseline::read(&baseline.text()).expect("its own text");
        assert_eq!(read, baseline);
        assert_eq!(read.count(), 3);
        assert!(read.take("a.yml", &one) && read.take("a.yml", &one));
        assert!(!read.take("a.yml", &one), "a third one is new");
        assert!(!read.take("a.yml", &other), "of another file");
        assert_eq!(read.left(), 1);
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(Baseline::read("{}").is_err());
        let error = Baseline::read(r#"{"version": 9, "findings": []}"#).expect_err("a later version");
        assert!(error.to_string().contains("version is 9"));
    }
}
