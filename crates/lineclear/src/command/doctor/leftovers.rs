//! What runs left that were killed together with their guard.

use std::path::Path;

use lineclear_backend::ContainerError;
use lineclear_backend_container::ContainerSettings;

use super::Finding;

const AREA: &str = "leftovers";

pub(super) fn look(home: &Path, sweep: bool) -> Vec<Finding> {
    std::iter::once(folders(&home.join("work"), sweep)).chain(containers(sweep)).collect()
}

/// Folders of jobs.
fn folders(work: &Path, sweep: bool) -> Finding {
    let name = "job folders";
    if sweep {
        let removed = lineclear_backend_host::sweep(work);
        let says = match removed.len() {
            0 => "none".to_owned(),
            count => format!("{count} removed"),
        };
        return Finding::ready(AREA, name, says);
    }
    match lineclear_backend_host::abandoned(work).len() {
        0 => Finding::ready(AREA, name, "none"),
        count => Finding::absent(AREA, name, format!("{count} of runs that were killed"))
            .with_help("`lineclear doctor --sweep` removes them"),
    }
}

/// Containers, networks, volumes and images; nothing where there is no engine.
fn containers(sweep: bool) -> Option<Finding> {
    let name = "in the engine";
    let settings = ContainerSettings::default();
    if !sweep {
        return match lineclear_backend_container::abandoned(&settings) {
            Ok(found) if found.is_empty() => Some(Finding::ready(AREA, name, "none")),
            Ok(found) => {
                Some(Finding::absent(AREA, name, found.join(", ")).with_help("`lineclear doctor --sweep` removes them"))
            }
            Err(ContainerError::NoEngine { .. }) => None,
            Err(error) => Some(Finding::broken(AREA, name, error.to_string())),
        };
    }
    match lineclear_backend_container::sweep(&settings) {
        Ok(swept) if !swept.left.is_empty() => {
            Some(Finding::broken(AREA, name, format!("could not be removed: {}", swept.left.join(", "))))
        }
        Ok(swept) if swept.removed.is_empty() => Some(Finding::ready(AREA, name, "none")),
        Ok(swept) => Some(Finding::ready(AREA, name, format!("removed {}", swept.removed.join(", ")))),
        Err(ContainerError::NoEngine { .. }) => None,
        Err(error) => Some(Finding::broken(AREA, name, error.to_string())),
    }
}
