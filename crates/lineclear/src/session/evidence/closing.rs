//! The last line of a run: where its evidence went, and how the gates stand.

use std::path::Path;

use lineclear_event::Subject;
use lineclear_gate::{Asked, Rules, decide};
use lineclear_ledger::LedgerError;
use lineclear_policy::Policy;

use super::{Recorded, Recorder};
use crate::command::run::{Format, RunArgs};
use crate::exit::Exit;
use crate::gates::GitCommits;
use crate::history::commits::short;
use crate::output;
use crate::settings::now;

/// So many gates are named.
const NAMED_GATES: usize = 4;

/// Tells what was recorded. An exit code: it could not be. That was told when it happened, and is the last word, too: what stands above it
/// says that the jobs succeeded.
pub(crate) fn close(recorder: Option<&Recorder>, policy: &Policy, root: &Path, args: &RunArgs) -> Option<Exit> {
    let recorder = recorder?;
    match recorder.close() {
        Err(why) => {
            output::complain(&format!("error: the run ended, and what it proved is not recorded: {why}"));
            Some(Exit::EngineFault)
        }
        Ok(None) => None,
        Ok(Some(recorded)) => match line(recorder, &recorded, policy, root) {
            Ok(line) => {
                // Programs read the ledger itself.
                if args.format != Some(Format::Json) {
                    output::print(&format!("{}\n", output::stdout_style().dim(&line)));
                }
                None
            }
            Err(error) => {
                let why = lineclear_event::with_causes(&error);
                output::complain(&format!("error: the run ended, and what it proved counts for nothing: {why}"));
                Some(Exit::EngineFault)
            }
        },
    }
}

/// An error: the ledger is not what was written. To append, only its end was looked at.
fn line(recorder: &Recorder, recorded: &Recorded, policy: &Policy, root: &Path) -> Result<String, LedgerError> {
    let entries = match recorded.entries {
        1 => format!("entry {}", recorded.first),
        _ => format!("entries {} to {}", recorded.first, recorded.last),
    };
    let place = format!("evidence about {}: {entries} of the ledger", short(recorder.commit()));
    if let Some(first) = recorded.adjusted.first() {
        let more = match recorded.adjusted.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return Ok(format!("{place}; it clears no gate: {first}{more}"));
    }
    if policy.gates.is_empty() {
        return Ok(place);
    }
    let index = recorder.ledger().index()?;
    let commits = GitCommits::new(root);
    let asked =
        Asked { subject: Subject::Commit(recorder.commit().to_owned()), context: recorder.context(), now: now() };
    let stand = policy.gates.iter().take(NAMED_GATES).map(|gate| {
        let decision = decide(&Rules::from(gate), &asked, &index, &commits);
        let verdict = if decision.clear { "is clear" } else { "is blocked, see `lineclear gate`" };
        format!("gate `{}` {verdict}", gate.name.value)
    });
    Ok(format!("{place}; {}", stand.collect::<Vec<_>>().join(", ")))
}
