//! A live tree on the terminal: finished jobs stay above, what runs now is drawn below them and drawn again as it changes.

use std::io::Write;
use std::time::{Duration, Instant};

use lineclear_event::{Conclusion, Envelope, JobKey, JobSpec, Outcome, RunEvent, RunId, Timestamp};
use lineclear_source::Style;
use unicode_width::UnicodeWidthChar;

use super::closing::{bold, called, closing, duration, notice, paint, sign};
use super::digest::{Digest, JobDigest};
use super::{Invocation, Reporter};
use crate::history::durations::UsualDurations;
use crate::output;

/// Lines of the current step's output that are shown under a running job.
const LIVE_LINES: usize = 3;
/// Not drawn more often than this: a fast step must not wait for its terminal.
const FRAME: Duration = Duration::from_millis(80);

/// Draws the tree.
pub(crate) struct TreeReporter {
    out: Box<dyn Write + Send>,
    style: Style,
    invocation: Invocation,
    digest: Digest,
    live: Vec<LiveJob>,
    waiting: Vec<(RunId, JobKey, String)>,
    /// Lines of the live part that are on the screen now.
    drawn: usize,
    last_frame: Option<Instant>,
}

/// A job that runs now.
struct LiveJob {
    run: RunId,
    key: JobKey,
    name: String,
    since: Instant,
    /// Id, name and start.
    step: Option<(String, String, Instant)>,
    steps_done: usize,
    tail: Vec<String>,
}

impl TreeReporter {
    pub(crate) fn new(out: Box<dyn Write + Send>, style: Style, invocation: Invocation) -> Self {
        Self {
            out,
            style,
            invocation,
            digest: Digest::default(),
            live: Vec::new(),
            waiting: Vec::new(),
            drawn: 0,
            last_frame: None,
        }
    }

    fn live(&mut self, run: RunId, key: &JobKey) -> Option<&mut LiveJob> {
        self.live.iter_mut().find(|job| job.run == run && job.key == *key)
    }

    /// Prints text that stays, above the live part.
    fn keep(&mut self, text: &str) {
        let frame = format!("{}{text}", self.erased());
        self.put(&frame);
        self.draw();
    }

    /// The control sequence that removes the live part.
    fn erased(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\u{1b}[{lines}A\u{1b}[J"),
        }
    }

    fn draw_if_due(&mut self) {
        if self.last_frame.is_none_or(|last| last.elapsed() >= FRAME) {
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.last_frame = Some(Instant::now());
        let (columns, rows) = terminal_size();
        let lines = self.frame();
        // What does not fit would scroll away and could not be drawn over.
        let lines: Vec<String> = lines.iter().take(rows.saturating_sub(1)).map(|line| cut(line, columns)).collect();
        let mut frame = self.erased();
        for line in &lines {
            frame.push_str(line);
            frame.push('\n');
        }
        self.drawn = lines.len();
        self.put(&frame);
    }

    fn frame(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for job in &self.live {
            let elapsed = duration(millis(job.since.elapsed()));
            let usual = self.usual(job);
            let usually = self.usually(usual.and_then(|usual| usual.job(&job.key)));
            lines.push(format!("{} {}  {elapsed}{usually}", paint("●", "36", self.style), bold(&job.name, self.style)));
            if let Some((id, step, since)) = &job.step {
                let elapsed = duration(millis(since.elapsed()));
                let usually = self.usually(usual.and_then(|usual| usual.step(&job.key, id)));
                lines.push(format!("  └ {}. {step}  {elapsed}{usually}", job.steps_done + 1));
            }
            lines.extend(job.tail.iter().map(|line| paint(&format!("      {line}"), "2", self.style)));
        }
        match self.waiting.as_slice() {
            [] => {}
            [(_, _, reason)] => lines.push(paint(&format!("  1 job waits: {reason}"), "2", self.style)),
            several => lines.push(paint(&format!("  {} jobs wait", several.len()), "2", self.style)),
        }
        lines
    }

    fn usual(&self, job: &LiveJob) -> Option<&UsualDurations> {
        self.invocation.usual.get()?.get(&self.digest.runs.get(&job.run)?.file)
    }

    /// "  usually 40s"; what is over in a moment has no need of it.
    fn usually(&self, usual: Option<u64>) -> String {
        match usual.filter(|usual| *usual >= 1000) {
            Some(usual) => paint(&format!("  usually {}", duration(usual)), "2", self.style),
            None => String::new(),
        }
    }

    fn put(&mut self, text: &str) {
        // A terminal that went away does not stop the run: its record is kept.
        output::write(&mut *self.out, text.as_bytes());
    }

    /// A finished job with its steps, as it stays on the screen.
    fn finished(&self, job: &JobDigest) -> String {
        let reason = match (&job.reason, job.conclusion) {
            (Some(reason), Some(conclusion)) if conclusion != Conclusion::Success => format!("  {reason}"),
            _ => String::new(),
        };
        let mut text = format!(
            "{} {}  {}{reason}\n",
            sign(job.conclusion, self.style),
            bold(&job.name, self.style),
            duration(job.duration_ms)
        );
        for step in &job.steps {
            let outcome = step.outcome.map(Conclusion::from);
            let note = match (step.outcome, step.conclusion) {
                (Some(Outcome::Failure), Some(Conclusion::Success)) => "  (failed, but continue-on-error)".to_owned(),
                (Some(Outcome::Skipped), _) => step.reason.as_ref().map(|why| format!("  {why}")).unwrap_or_default(),
                _ => String::new(),
            };
            let line = format!("{} {}  {}{note}", sign(outcome, self.style), step.name, duration(step.duration_ms));
            text.push_str(&format!("    {line}\n"));
        }
        text
    }
}

impl Reporter for TreeReporter {
    fn dispatched(&mut self, spec: &JobSpec) {
        self.digest.dispatched(spec);
    }

    fn event(&mut self, envelope: &Envelope) {
        self.digest.event(envelope);
        let run = envelope.run;
        match &envelope.event {
            RunEvent::RunStarted { workflow, file, event_name, run_name, .. } => {
                let title = bold(workflow, self.style);
                let called = called(workflow, run_name);
                let start = paint("▶", "36", self.style);
                self.keep(&format!("{start} {title}  {file} on {event_name}, run {run}{called}\n"));
            }
            RunEvent::JobWaiting { job, reason, .. } => {
                self.waiting.retain(|(of, key, _)| *of != run || key != job);
                self.waiting.push((run, job.clone(), reason.clone()));
            }
            RunEvent::JobStarted { job, name } => {
                self.waiting.retain(|(of, key, _)| *of != run || key != job);
                self.live.push(LiveJob {
                    run,
                    key: job.clone(),
                    name: name.clone(),
                    since: Instant::now(),
                    step: None,
                    steps_done: 0,
                    tail: Vec::new(),
                });
            }
            RunEvent::StepStarted { job, step, name } => {
                if let Some(live) = self.live(run, job) {
                    live.step = Some((step.clone(), name.clone(), Instant::now()));
                    live.tail.clear();
                }
            }
            RunEvent::StepFinished { job, .. } => {
                if let Some(live) = self.live(run, job) {
                    live.step = None;
                    live.steps_done += 1;
                    live.tail.clear();
                }
            }
            RunEvent::JobFinished { job, name, .. } => {
                self.live.retain(|live| live.run != run || live.key != *job);
                self.waiting.retain(|(of, key, _)| *of != run || key != job);
                let _ = self.digest.job(run, job, name);
                let digest = self.digest.runs.get(&run);
                if let Some(done) = digest.and_then(|digest| digest.jobs.iter().find(|known| known.key == *job)) {
                    let text = self.finished(done);
                    self.keep(&text);
                }
            }
            RunEvent::Notice { level, message } => self.keep(&notice(*level, message)),
            RunEvent::Log { .. }
            | RunEvent::Annotation(_)
            | RunEvent::Summary { .. }
            | RunEvent::Fact { .. }
            | RunEvent::RunFinished { .. } => {}
        }
        self.draw_if_due();
    }

    fn log(&mut self, run: RunId, job: &JobKey, step: &str, _at: Timestamp, lines: &[u8]) {
        let tail = last_lines(self.digest.log(run, job, step, lines));
        if let Some(live) = self.live(run, job) {
            live.tail.extend(tail);
            let surplus = live.tail.len().saturating_sub(LIVE_LINES);
            live.tail.drain(..surplus);
        }
        self.draw_if_due();
    }

    fn tick(&mut self) {
        self.draw_if_due();
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn leave_screen(&mut self) {
        let erased = self.erased();
        self.put(&erased);
    }

    fn close(&mut self) {
        let text = format!("{}{}", self.erased(), closing(&self.digest, &self.invocation, self.style));
        self.put(&text);
    }
}

/// The last lines of a batch that are worth showing live: no markers, no control characters.
fn last_lines(lines: &[u8]) -> Vec<String> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    let mut last: Vec<String> = lines
        .rsplit(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty() && !line.starts_with(b"##["))
        .take(LIVE_LINES)
        .map(|line| String::from_utf8_lossy(&line[..line.len().min(400)]).chars().filter(|c| !c.is_control()).collect())
        .collect();
    last.reverse();
    last
}

/// `line` cut to `columns`, counting wide characters twice and control sequences not at all.
fn cut(line: &str, columns: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let mut width = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            out.push(character);
            for control in characters.by_ref() {
                out.push(control);
                if control.is_ascii_alphabetic() {
                    break;
                }
            }
            continue;
        }
        width += character.width().unwrap_or(0);
        if width > columns {
            out.push_str("\u{1b}[0m");
            break;
        }
        out.push(character);
    }
    out
}

fn terminal_size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (usize::from(size.ws_col), usize::from(size.ws_row)),
        _ => (80, 24),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_the_terminal_by_what_is_seen() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc\u{1b}[0m");
        assert_eq!(cut("\u{1b}[31mab\u{1b}[0mc", 3), "\u{1b}[31mab\u{1b}[0mc");
        assert_eq!(cut("日本語", 5), "日本\u{1b}[0m");
    }

    #[test]
    fn only_the_last_telling_lines_are_live() {
        assert_eq!(last_lines(b"1\n2\n3\n4\n\n##[endgroup]\n\x1b[31m5\n"), ["3", "4", "[31m5"]);
    }
}
