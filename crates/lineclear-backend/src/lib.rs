//! The port through which a job reaches a machine.
//!
//! A [`Backend`] opens a [`Room`] for one job: folders laid out as the hosted runner lays them out, and the means to start
//! processes there. A [`Process`] tells what happens to it one [`Happening`] at a time, so that one thread can serve a step's
//! output, time-out and cancellation together. [`contract`] is what every backend promises, as tests.
//! [`Containers`] is the port for a job's own container, its services and Docker actions.
//! This crate starts nothing itself and knows no container engine.

mod containers;
pub mod contract;
mod door;
mod isolation;
mod isolation_text;
pub mod labels;
mod owner;
mod process;
mod room;
mod uncleaned;
mod wake;

pub use containers::{
    ActionContainer, ActionImage, ContainerError, ContainerSpec, Containers, ContainersFacts, ContainersRequest,
    Credentials, HostReach, ImageRoute, JobContainers, NoContainers, PreparedImage, RoutedImage, ServiceFacts,
    ServiceSpec, Stop, Told,
};
pub use door::{DoorRequest, EngineDoor, EngineDoors, ImagesTold, NoDoors};
pub use isolation::{
    Destination, Enforce, Enforcement, Intervention, Isolation, IsolationPart, JobNetwork, NetworkAccess,
    ResourceLimits,
};
pub use isolation_text::{IsolationTextError, parse_bytes, parse_processors, show_bytes};
pub use owner::Owner;
pub use process::{Command, Exit, Happening, Process, Signal, StartError, Stream};
pub use room::{Backend, Fill, Layout, OpenError, Remain, Room, RoomRequest, Workspace};
pub use uncleaned::Uncleaned;
pub use wake::Wake;
