//! Keeps the processes of a job from the machine they run on.
