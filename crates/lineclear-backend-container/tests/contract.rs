//! What every backend promises, kept by rooms in containers of a real engine.

mod support;

use lineclear_backend::backend_contract;
use lineclear_backend_container::{ContainerSettings, ProcessAccess};
use support::ContainerRooms;

mod by_the_process_table {
    use super::{ContainerRooms, ContainerSettings};

    super::backend_contract!(ContainerRooms::new("usual", ContainerSettings::default()));
}

/// As for a user who may not signal processes of containers, or an engine on another machine.
mod by_a_script {
    use super::{ContainerRooms, ContainerSettings, ProcessAccess};

    super::backend_contract! {
        ContainerRooms::new("script", ContainerSettings { processes: ProcessAccess::Script, ..ContainerSettings::default() });
        interrupt_reaches_the_entry_process_only
        terminate_reaches_the_entry_process_only
        kill_ends_the_whole_tree
        kill_ends_processes_that_detached_themselves
        kill_ends_what_goes_on_multiplying
        kill_spares_what_an_earlier_step_left
        kill_spares_a_step_beside
        a_signal_to_an_ended_process_is_no_error
        a_process_that_is_let_go_is_killed
        a_daemon_without_a_sign_of_its_job_is_found
        processes_of_another_job_do_not_remain_here
        nothing_remains_of_steps_that_ended
    }
}
