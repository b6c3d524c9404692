//! What of `--isolate` this machine can enforce: it is tried, not guessed.

use std::path::Path;

use lineclear_backend::{Backend, Isolation, NetworkAccess, ResourceLimits, RoomRequest, Workspace};
use lineclear_backend_host::{HostBackend, HostSettings, Launcher, SandboxSettings};
use lineclear_event::{JobKey, RunId};

use super::Finding;

const AREA: &str = "isolation";

pub(super) fn look(home: &Path) -> Vec<Finding> {
    let sandbox = SandboxSettings { launcher: Some(Launcher::this_program()), ..SandboxSettings::default() };
    let settings = HostSettings { sandbox, ..HostSettings::new(home.join("work"), home.join("tools")) };
    let backend = match HostBackend::new(settings) {
        Ok(backend) => backend,
        Err(error) => return vec![Finding::broken(AREA, "jobs", format!("cannot be started: {error}"))],
    };
    let limits =
        ResourceLimits { cpus: Some(1.0), memory: Some(1 << 30), processes: Some(1 << 10), disk: Some(1 << 30) };
    let isolation = Isolation { limits, ..Isolation::default() };
    let mut findings = Vec::new();
    for (network, name) in [(NetworkAccess::Loopback, "loopback only"), (NetworkAccess::Private, "private network")] {
        let is_first = findings.is_empty();
        let request = RoomRequest {
            run: RunId(0),
            job: JobKey::new("doctor"),
            repository: "doctor".into(),
            workspace: Workspace::Empty,
            isolation: Some(Isolation { network, ..isolation.clone() }),
        };
        let room = match backend.open(&request) {
            Ok(room) => room,
            Err(error) => {
                findings.push(Finding::broken(AREA, name, lineclear_event::with_causes(&error)));
                continue;
            }
        };
        for part in room.enforcement() {
            let is_network = part.what == lineclear_backend::IsolationPart::Network;
            // The other parts do not depend on the network: once is enough.
            if is_network || is_first {
                let name = if is_network { name.to_owned() } else { part.what.to_string() };
                findings.push(match &part.how {
                    Ok(means) => Finding::ready(AREA, name, means.as_str()),
                    Err(why) => {
                        Finding::absent(AREA, name, why.as_str()).with_help("`--isolate=strict` refuses jobs here")
                    }
                });
            }
        }
        if let Err(error) = room.close() {
            findings.push(Finding::broken(AREA, name, error.to_string()));
        }
    }
    findings
}
