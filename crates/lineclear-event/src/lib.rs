//! The words that all parts of Lineclear speak: ids, conclusions, and the events of a run.
//!
//! Everything here is a value that can be written as JSON and read back. Start at [`RunEvent`]: the one stream that the
//! terminal, `--format json`, the stored record and, later, the agent protocol and the live page all read.
//! This crate decides nothing, starts nothing and reads no clock.

mod cause;
mod conclusion;
mod evidence;
mod fact;
mod forge_event;
mod hexadecimal;
mod id;
mod job_spec;
mod run_event;
mod timestamp;

pub use cause::with_causes;
pub use conclusion::{Conclusion, Outcome};
pub use evidence::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, CommitStatement, CoverageStatement, DecisionStatement,
    Evidence, Finding, IgnoredUntil, ImageStatement, MoveKind, MovePhase, MoveStatement, MovedTag, NoSubject,
    PersonStatement, ProvenanceStatement, RunStatement, RunWitness, SbomStatement, ScanStatement, Severity,
    SignatureStatement, Statement, Subject, TestsStatement, Witness,
};
pub use fact::{
    Coverage, Fact, Findings, ImageConfigFact, ImageDeed, ImageFact, TestCase, TestOutcome, TestResults, TestTotals,
    UsedKind,
};
pub use forge_event::{Changed, ForgeEvent, Repository};
pub use hexadecimal::hexadecimal;
pub use id::{JobKey, RunId};
pub use job_spec::{JobContexts, JobReport, JobSpec, SecretPassage, WorkflowOrigin};
pub use run_event::{Annotation, AnnotationLevel, Envelope, RunEvent, SCHEMA_VERSION};
pub use timestamp::Timestamp;
