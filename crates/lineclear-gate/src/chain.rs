//! What holds the lines of a ledger together.
//!
//! Every line begins with the hash of the line before it and its own number, so that whoever changes, removes or moves a line has to write
//! all lines after it anew, and the last hash, noted somewhere else, tells. [`Chain::link`] writes a line, [`Chain::follow`] reads one,
//! [`Chain::pass`] only checks one, and [`verify`] checks a whole ledger about as fast as its bytes can be hashed.

use lineclear_event::Evidence;
use sha2::{Digest as _, Sha256};

use crate::Entry;

/// The end of a ledger as it is written or read: how many lines, and the hash of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    pub entries: u64,
    pub hash: [u8; 32],
}

/// The first place where a ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The line after it names another hash than it has, or the end that was noted does.
    #[error("entry {number} was changed after it was written")]
    Changed { number: u64 },
    /// A later line stands in its place: it was removed, or moved to somewhere behind.
    #[error("entry {number} is missing: {found} stands in its place")]
    Missing { number: u64, found: u64 },
    /// A line that was there before stands in its place.
    #[error("entry {found} stands a second time, in the place of entry {number}")]
    Repeated { number: u64, found: u64 },
    #[error("entry {number} is no entry: {why}")]
    Unreadable { number: u64, why: String },
    /// All lines are linked, but the end is not the one that was noted.
    #[error("the ledger ends after {found} entries, and {expected} were noted: the last ones were removed")]
    Shortened { expected: u64, found: u64 },
    /// All lines are linked, and there are more of them than the last line of an export says.
    #[error("the ledger has {found} entries, and its last line says {expected}: that line is not of this ledger")]
    OtherEnd { expected: u64, found: u64 },
}

/// How every line begins, up to the hash.
const PREVIOUS: &[u8] = b"{\"previous\":\"";
/// What stands between the hash and the number.
const NUMBER: &[u8] = b"\",\"number\":";

impl Chain {
    /// The line for the next piece of evidence, without newline; the chain then ends with it.
    pub fn link(&mut self, evidence: &Evidence) -> String {
        let rest = serde_json::to_string(evidence).expect("evidence is plain data with texts as keys");
        let rest = rest.strip_prefix('{').unwrap_or(&rest);
        let previous = hexadecimal(&self.hash);
        let previous = String::from_utf8_lossy(&previous);
        let line = format!("{{\"previous\":\"{previous}\",\"number\":{},{rest}", self.entries);
        self.end_with(line.as_bytes());
        line
    }

    /// Reads the line that stands after those before, without its newline, if it is the one that belongs there; the chain then ends with it.
    ///
    /// # Errors
    /// What was changed, removed or put elsewhere: that the last line was changed is seen only by the one after it.
    pub fn follow(&mut self, line: &str) -> Result<Entry, Broken> {
        let mut after = *self;
        after.pass(line.as_bytes())?;
        let number = self.entries;
        let unreadable = |why: String| Broken::Unreadable { number, why };
        let entry = Entry::read(number, line).map_err(|error| unreadable(error.source.to_string()))?;
        *self = after;
        Ok(entry)
    }

    /// Goes on past the next line, without its newline, if it is the one that belongs there. What it states is not read.
    ///
    /// # Errors
    /// As [`Chain::follow`]; the chain then stays where it is.
    pub fn pass(&mut self, line: &[u8]) -> Result<(), Broken> {
        let number = self.entries;
        let (previous, found) = beginning(line)
            .ok_or_else(|| Broken::Unreadable { number, why: "it does not begin as entries do".to_owned() })?;
        if found > number {
            return Err(Broken::Missing { number, found });
        }
        if found < number {
            return Err(Broken::Repeated { number, found });
        }
        if *previous != hexadecimal(&self.hash) {
            return Err(match number.checked_sub(1) {
                Some(before) => Broken::Changed { number: before },
                None => Broken::Unreadable { number, why: "it names an entry before it, and is the first".to_owned() },
            });
        }
        self.end_with(line);
        Ok(())
    }

    fn end_with(&mut self, line: &[u8]) {
        self.hash = Sha256::digest(line).into();
        self.entries += 1;
    }
}

/// Checks a whole ledger: lines, each with its newline. `noted` is an end that was written down before, of this or of an earlier time.
///
/// The time goes into hashing every line once; JSON is not read. The last line may lack its newline, as in a copy.
///
/// # Errors
/// The first entry that was changed, removed, moved, written twice or cannot be read. Without `noted` nobody can know that the last
/// entries were removed or that the very last was changed.
pub fn verify(ledger: &[u8], noted: Option<&Chain>) -> Result<Chain, Broken> {
    let mut chain = Chain::default();
    let mut rest = ledger;
    let is_as_noted = |chain: &Chain| match noted {
        Some(noted) if noted.entries == chain.entries && noted.hash != chain.hash => {
            Err(Broken::Changed { number: chain.entries.saturating_sub(1) })
        }
        _ => Ok(()),
    };
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        chain.pass(line)?;
        is_as_noted(&chain)?;
        rest = after.get(1..).unwrap_or_default();
    }
    match noted {
        Some(noted) if noted.entries > chain.entries => {
            Err(Broken::Shortened { expected: noted.entries, found: chain.entries })
        }
        _ => Ok(chain),
    }
}

/// The hash and the number with which a line begins.
fn beginning(line: &[u8]) -> Option<(&[u8; 64], u64)> {
    let (previous, rest) = line.strip_prefix(PREVIOUS)?.split_first_chunk::<64>()?;
    let rest = rest.strip_prefix(NUMBER)?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = rest.split_at(digits);
    // One number has one form: no zeros before it.
    let is_number = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && rest.first() == Some(&b',');
    let number = is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()?;
    Some((previous, number))
}

fn hexadecimal(hash: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        if let [high, low] = pair {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 15)];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use lineclear_event::{CommitStatement, Statement, Subject, Timestamp, Witness};

    use super::*;

    fn ledger(entries: u64) -> (Vec<String>, Chain) {
        let mut chain = Chain::default();
        let evidence = |number: u64| Evidence {
            subject: Subject::Commit(format!("{number:040x}")),
            at: Timestamp(0),
            by: Witness::Engine,
            statement: Statement::Commit(CommitStatement { tree: format!("{number:040x}"), parents: Vec::new() }),
        };
        ((0..entries).map(|number| chain.link(&evidence(number))).collect(), chain)
    }

    fn check(lines: &[String], noted: Option<&Chain>) -> Result<u64, Broken> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let whole = verify(text.as_bytes(), noted).map(|chain| chain.entries);
        // Line by line, with the entries read, nothing else is found but what only the noted end tells.
        let mut chain = Chain::default();
        let each = lines.iter().try_for_each(|line| chain.follow(line).map(drop));
        if noted.is_none() {
            assert_eq!(each, whole.clone().map(drop));
        }
        whole
    }

    #[test]
    fn a_ledger_as_it_was_written_is_verified() {
        let (lines, end) = ledger(12);
        assert_eq!(check(&lines, None), Ok(12));
        assert_eq!(check(&lines, Some(&end)), Ok(12));
        assert_eq!(check(&[], None), Ok(0));
        // An end that was noted earlier is on the way.
        let (_, earlier) = ledger(5);
        assert_eq!(check(&lines, Some(&earlier)), Ok(12));
        assert!(lines[0].starts_with(&format!("{{\"previous\":\"{}\",\"number\":0,\"subject\":", "0".repeat(64))));
    }

    #[test]
    fn every_change_removal_repetition_and_exchange_is_named() {
        let (lines, end) = ledger(12);
        for at in 0..12_usize {
            let number = at as u64;
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("\"at\":0", "\"at\":1");
            let noted = (at == 11).then_some(&end);
            assert_eq!(check(&changed, noted), Err(Broken::Changed { number }), "changed {at}");
            let mut removed = lines.clone();
            removed.remove(at);
            let expected = match at {
                11 => Broken::Shortened { expected: 12, found: 11 },
                _ => Broken::Missing { number, found: number + 1 },
            };
            assert_eq!(check(&removed, Some(&end)), Err(expected), "removed {at}");
            let mut repeated = lines.clone();
            repeated.insert(at, lines[at].clone());
            assert_eq!(check(&repeated, None), Err(Broken::Repeated { number: number + 1, found: number }));
            let mut unreadable = lines.clone();
            unreadable[at].insert(3, ' ');
            assert!(
                matches!(check(&unreadable, None), Err(Broken::Unreadable { number: found, .. }) if found == number)
            );
            if at + 1 < 12 {
                let mut exchanged = lines.clone();
                exchanged.swap(at, at + 1);
                assert_eq!(check(&exchanged, None), Err(Broken::Missing { number, found: number + 1 }));
            }
        }
    }

    #[test]
    fn a_ledger_that_was_written_anew_from_some_entry_on_is_told_by_the_noted_end() {
        let (lines, end) = ledger(12);
        let mut chain = Chain::default();
        lines[..4].iter().for_each(|line| drop(chain.follow(line).expect("it is as it was written")));
        let mut forged = lines[..4].to_vec();
        let evidence = |line: &String| serde_json::from_str::<Entry>(line).expect("an entry").evidence;
        for line in &lines[4..] {
            forged.push(chain.link(&Evidence { at: Timestamp(7), ..evidence(line) }));
        }
        assert_eq!(check(&forged, None), Ok(12));
        assert_eq!(check(&forged, Some(&end)), Err(Broken::Changed { number: 11 }));
    }

    #[test]
    fn a_first_entry_that_names_another_before_it_and_odd_numbers_are_no_entries() {
        let (lines, _) = ledger(2);
        let odd = |from: &str, to: &str| vec![lines[0].replacen(from, to, 1)];
        for lines in [
            odd(&"0".repeat(64), &"1".repeat(64)),
            odd("\"number\":0", "\"number\":00"),
            odd("\"number\":0", "\"number\":-0"),
            odd("\"number\":0,", "\"number\":99999999999999999999,"),
            vec![String::new()],
            vec!["{}".into()],
        ] {
            assert!(matches!(check(&lines, None), Err(Broken::Unreadable { number: 0, .. })), "{lines:?}");
        }
    }
}
