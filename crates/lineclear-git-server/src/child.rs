//! One git process that answers one request: fed by a thread, read by the response, ended when nobody reads or nothing moves.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::command::complaint;
use crate::server::{Limits, Place};

/// Bytes of git's stderr that are kept.
const STDERR: u64 = 16 * 1024;

/// What the threads around one git process share.
#[derive(Debug)]
struct Shared {
    child: Mutex<Child>,
    /// Bytes in and out so far.
    moved: AtomicU64,
    /// Why the request could not be passed on, or git had to be ended.
    ended_for: Mutex<Option<String>>,
    reaped: AtomicBool,
}

impl Shared {
    /// Ends git and what it started; does nothing once it was waited for.
    fn kill(&self, reason: &str) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if self.reaped.load(Ordering::SeqCst) {
            return;
        }
        self.ended_for.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.to_owned());
        // The process was not waited for, so its id is still its own.
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// The process's end, once it has come; `None` while it runs.
    fn ended(&self) -> io::Result<Option<ExitStatus>> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let status = child.try_wait()?;
        if status.is_some() {
            self.reaped.store(true, Ordering::SeqCst);
        }
        Ok(status)
    }
}

/// What git answers, to be read to its end. Dropping it ends git.
#[derive(Debug)]
pub(crate) struct Answer {
    shared: Arc<Shared>,
    stdout: ChildStdout,
    stderr: Option<thread::JoinHandle<Vec<u8>>>,
    /// Read already, to see whether git started to answer at all.
    first: Vec<u8>,
    at: usize,
    wrote: bool,
    finished: bool,
    _watch: Sender<()>,
    _place: Place,
}

/// Starts git with `body` as its input and waits for the first bytes of its answer.
///
/// # Errors
/// Git could not be started, or ended in failure before it answered anything; the error's text is for the log.
pub(crate) fn start(
    mut command: Command,
    body: Box<dyn Read + Send>,
    limits: Limits,
    place: Place,
) -> io::Result<Answer> {
    use std::os::unix::process::CommandExt;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let shared = Arc::new(Shared {
        child: Mutex::new(child),
        moved: AtomicU64::new(0),
        ended_for: Mutex::new(None),
        reaped: AtomicBool::new(false),
    });
    let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        shared.kill("its pipes are missing");
        return Err(io::Error::other("the pipes to git are missing"));
    };
    let feeding = Arc::clone(&shared);
    thread::spawn(move || feed(&feeding, stdin, body));
    let (watch, stop) = mpsc::channel();
    let watched = Arc::clone(&shared);
    thread::spawn(move || guard(&watched, &stop, limits));
    let stderr = thread::spawn(move || {
        let mut kept = Vec::new();
        let mut stderr = stderr;
        // What is beyond the limit is read too, so that git never waits for it.
        let _ = stderr.by_ref().take(STDERR).read_to_end(&mut kept);
        let _ = io::copy(&mut stderr, &mut io::sink());
        kept
    });
    let mut answer = Answer {
        shared,
        stdout,
        stderr: Some(stderr),
        first: Vec::new(),
        at: 0,
        wrote: false,
        finished: false,
        _watch: watch,
        _place: place,
    };
    let mut first = vec![0; 8 * 1024];
    let count = answer.pull(&mut first)?;
    first.truncate(count);
    answer.first = first;
    Ok(answer)
}

/// Passes the request on. A request that breaks off ends git, so that half a request never counts as a whole one.
fn feed(shared: &Shared, mut stdin: ChildStdin, mut body: Box<dyn Read + Send>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                if stdin.write_all(&buffer[..count]).is_err() {
                    return; // Git has what it wants, or has ended: its own words say which.
                }
                shared.moved.fetch_add(count as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                shared.kill(&format!("the request broke off: {error}"));
                return;
            }
        }
    }
}

/// Ends git when nothing moved for the idle time, or all of its time is over.
fn guard(shared: &Shared, stop: &mpsc::Receiver<()>, limits: Limits) {
    let (started, mut before) = (Instant::now(), 0);
    while let Err(RecvTimeoutError::Timeout) =
        stop.recv_timeout(limits.idle.min(limits.total.saturating_sub(started.elapsed())))
    {
        let moved = shared.moved.load(Ordering::Relaxed);
        if started.elapsed() >= limits.total {
            return shared.kill("it took longer than allowed");
        }
        if moved == before {
            return shared.kill("nothing moved for too long");
        }
        before = moved;
    }
}

impl Answer {
    /// The next bytes of git's output; at its end, whether git succeeded.
    fn pull(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.finished || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.stdout.read(buffer)?;
        self.shared.moved.fetch_add(count as u64, Ordering::Relaxed);
        if count > 0 {
            self.wrote = true;
            return Ok(count);
        }
        self.finished = true;
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let status = loop {
            if let Some(status) = self.shared.ended()? {
                break status;
            }
            thread::sleep(Duration::from_millis(1)); // Its output is closed: the end is a moment away.
        };
        // Git tells the client of most failures within the protocol and then fails: such an answer is whole.
        let told = self.wrote && status.code().is_some();
        if status.success() || told {
            return Ok(0);
        }
        let reason = self.shared.ended_for.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(io::Error::other(reason.unwrap_or_else(|| format!("git failed: {}", complaint(&stderr)))))
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.first.len() {
            let count = (&self.first[self.at..]).read(buffer)?;
            self.at += count;
            return Ok(count);
        }
        self.pull(buffer)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.shared.kill("nobody reads the answer");
        let mut child = self.shared.child.lock().unwrap_or_else(PoisonError::into_inner);
        if child.wait().is_ok() {
            self.shared.reaped.store(true, Ordering::SeqCst);
        }
    }
}
