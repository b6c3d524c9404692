//! What every backend promises, kept by this one.

mod isolation;

use std::path::Path;

use lineclear_backend::backend_contract;
use lineclear_backend_host::{HostBackend, HostSettings, Sessions};

/// Without a guard: this program is not made to be one. `guard.rs` tests that.
fn settings(name: &str) -> HostSettings {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract").join(name);
    HostSettings::new(folder.join("work"), folder.join("tools"))
}

fn backend(settings: HostSettings) -> HostBackend {
    HostBackend::new(settings).expect("a backend")
}

mod as_usual {
    super::backend_contract!(super::backend(super::settings("usual")));
}

/// As at a terminal.
mod in_sessions {
    use super::{HostSettings, Sessions};

    super::backend_contract!(super::backend(HostSettings {
        sessions: Sessions::Always,
        ..super::settings("sessions")
    }));
}

/// Kept from the machine in every way that this one has.
mod isolated {
    super::backend_contract!(super::isolation::Isolated::new("isolated"));
}

mod without_memory_for_scratch {
    use super::HostSettings;

    super::backend_contract! {
        super::backend(HostSettings { scratch_in_memory: false, ..super::settings("disk") });
        a_room_has_the_folders_of_the_hosted_runner
        a_room_in_place_leaves_its_workspace_alone
        any_job_key_gives_a_room_of_its_own
        many_rooms_are_open_at_once
    }
}
