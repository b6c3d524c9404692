//! Writing a ledger out, to be verified elsewhere.

use std::io::Write;

use lineclear_gate::Chain;
use lineclear_store::{LedgerHead, LineHash};
use serde::{Deserialize, Serialize};

use crate::{LedgerError, LedgerOf};

/// What was written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The head that stands in the last line. Kept elsewhere, it proves later that nothing before it was changed.
    pub head: LedgerHead,
}

/// The last line of an export: `{"ledger":"owner/name","head":"12:5f3a…"}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trailer {
    pub(crate) ledger: String,
    #[serde(with = "as_text")]
    pub(crate) head: LedgerHead,
}

impl Trailer {
    /// `None` for a line that is something else.
    pub(crate) fn read(line: &str) -> Option<Self> {
        line.starts_with("{\"ledger\":").then(|| serde_json::from_str(line).ok()).flatten()
    }
}

impl LedgerOf {
    /// Writes every line as it stands, and one more with the head: the hash of a line, without its newline, is what the line after it begins
    /// with, and the last one's is in the head. The chain is verified on the way.
    ///
    /// # Errors
    /// [`LedgerError::Write`] when `out` does not take it; [`LedgerError::Broken`] when the ledger is not what was written.
    pub fn export(&self, out: &mut dyn Write) -> Result<Exported, LedgerError> {
        let mut chain = Chain::default();
        let mut stopped = None;
        let read = self.store.ledger_lines(&self.repository, 0, &mut |_, line| {
            let written = match chain.follow(line) {
                Ok(_) => writeln!(out, "{line}").map_err(LedgerError::Write),
                Err(broken) => Err(self.broken(broken)),
            };
            stopped = written.err();
            stopped.is_none()
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        read.map_err(|source| self.fault(source))?;
        let head = LedgerHead { entries: chain.entries, hash: LineHash(chain.hash) };
        let trailer = Trailer { ledger: self.repository.clone(), head };
        let line = serde_json::to_string(&trailer).expect("the last line is plain data");
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(LedgerError::Write)?;
        Ok(Exported { head })
    }
}

mod as_text {
    use lineclear_store::LedgerHead;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(head: &LedgerHead, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(head)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<LedgerHead, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
