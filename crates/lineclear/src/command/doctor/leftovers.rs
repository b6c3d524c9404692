//! What runs left that were killed together with their guard.

use std::path::Path;

use super::Finding;

const AREA: &str = "leftovers";

pub(super) fn look(home: &Path, sweep: bool) -> Vec<Finding> {
    vec![folders(&home.join("work"), sweep)]
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
