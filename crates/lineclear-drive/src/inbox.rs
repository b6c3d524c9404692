//! How facts reach the drive.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use lineclear_engine::{Input, RunRequest};
use lineclear_event::{JobKey, JobReport, RunId, Timestamp};
use lineclear_store::RunRecord;

/// The time, for the thread that sends a message.
type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The sending end of the drive's inbox. Cheap to clone; any thread may hold one.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<Message>,
    now: Now,
}

/// A fact for the engine.
#[derive(Debug)]
pub enum Message {
    Input(Input),
    /// A run is asked for; its inputs and events go into `record`.
    Begin {
        input: Input,
        run: RunId,
        record: Arc<dyn RunRecord>,
    },
}

/// A new inbox and the end that a [`Drive`](crate::Drive) takes. Messages get their time from `now` when they are sent.
pub fn inbox(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> (Inbox, Receiver<Message>) {
    let (sender, receiver) = channel();
    (Inbox { sender, now: Arc::new(now) }, receiver)
}

impl Inbox {
    /// Asks for a run whose inputs and events are kept in `record`. The record's id must be the request's.
    pub fn request(&self, request: RunRequest, record: impl Into<Arc<dyn RunRecord>>) {
        let run = request.run;
        let input = Input::RunRequested { at: (self.now)(), request: Box::new(request) };
        self.send(Message::Begin { input, run, record: record.into() });
    }

    /// A runner began with a job.
    pub fn job_started(&self, run: RunId, job: JobKey) {
        self.send(Message::Input(Input::JobStarted { at: (self.now)(), run, job }));
    }

    /// A job ended.
    pub fn job_ended(&self, run: RunId, job: JobKey, report: JobReport) {
        self.send(Message::Input(Input::JobEnded { at: (self.now)(), run, job, report }));
    }

    /// Someone wants a run to stop, or all runs. The second time it is ended at once.
    pub fn cancel(&self, run: Option<RunId>, reason: impl Into<String>) {
        self.send(Message::Input(Input::CancelRequested { at: (self.now)(), run, reason: reason.into() }));
    }

    fn send(&self, message: Message) {
        // Fails only once the drive is gone, and then nobody decides on anything any more.
        let _ = self.sender.send(message);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}
