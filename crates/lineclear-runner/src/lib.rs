//! Carries one planned job through a backend.
//!
//! The runner prepares the job's surroundings, runs its steps in order and reports each change as an event.
//! It decides nothing about other jobs and never retries a job: that is the engine's part.
//! Start reading at [`run_job`]. A step's life is drawn in `step.rs`, the end of its process in `process.rs`.

pub mod native;

mod action;
mod action_images;
mod annotated_file;
mod background;
mod command_files;
mod complete;
mod composite;
mod condition;
mod container_spec;
mod containers;
mod context;
mod display_name;
mod docker_action;
mod door;
mod environment;
mod evaluate;
mod frame;
mod hash_files;
mod header;
mod hooks;
mod inputs;
mod invocation;
mod javascript;
mod job;
mod listener;
mod log;
mod native_call;
mod outputs;
mod pause;
mod plain_file;
mod planned_step;
mod ports;
mod post;
mod pre;
mod process;
mod program;
mod reach;
mod reading;
mod refusal;
mod script;
mod secrets;
mod seen;
mod set_up;
mod shell;
mod stage;
mod step;
mod told;
mod used;
mod uses;
mod worker;

pub use hash_files::hash_files;
pub use job::run_job;
pub use log::masked_fact;
pub use pause::{AfterPause, FailedStep, FailurePause};
pub use planned_step::step_ids;
pub use ports::{
    ActionSource, DockerConfig, FetchedAction, JobControl, JobHands, JobSink, LeftReport, LeftReports, Reached,
    RunnerSettings, Secrets, ServiceEnv, ServiceReach, inside,
};
pub use reach::{OutOfReach, Reach};
pub use reading::Readings;
pub use refusal::{refusal, refusal_of, speaks_of_containers};
