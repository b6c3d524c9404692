//! By a script that is started in the container.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lineclear_container_engine::{Engine, EngineError, NewExec};

use super::{Entry, MARK, Signal};

/// The variable that tells the script's own processes from others.
const LOOKING: &str = "LINECLEAR_LOOKING";

/// Tells of every process what the system knows, each part after a line that nobody else writes.
const LOOK: &str = r#"for d in /proc/[0-9]*; do
  read -r s < "$d/stat" || continue
  case "$s" in *") Z "*) continue;; esac
  printf '\n%s\n%s\n%s\n' "$LINECLEAR_LOOKING" "$s" "$LINECLEAR_LOOKING"; cat "$d/environ"
  printf '\n%s\n' "$LINECLEAR_LOOKING"; cat "$d/cmdline"
done 2>/dev/null; printf '\n%s\n' "$LINECLEAR_LOOKING""#;

/// Kills all processes that bear a mark. All are stopped meanwhile, in one call that no new process escapes, and those of others go on
/// then.
const KILL: &str = r#"kill -STOP -1
for f in $(grep -l "$1" /proc/[0-9]*/environ 2>/dev/null); do
  p=${f#/proc/}; kill -KILL "${p%/environ}" 2>/dev/null
done
kill -CONT -1; exit 0"#;

/// Signals the process that bears a mark and whose parent is not in the container.
const SIGNAL: &str = r#"for f in $(grep -l "$2" /proc/[0-9]*/environ 2>/dev/null); do
  p=${f#/proc/}; p=${p%/environ}; s=$(cat "/proc/$p/stat") || continue
  s=${s##*) }; set -- "$1" "$2" $s
  [ "$4" = 0 ] && kill "$1" "$p"
done 2>/dev/null; exit 0"#;

#[derive(Debug)]
pub(super) struct Script {
    engine: Engine,
    container: String,
    looks: AtomicU64,
    /// An engine that may not give all privileges itself cannot pass them on.
    unprivileged: AtomicBool,
}

impl Script {
    pub(super) fn new(engine: Engine, container: &str) -> Self {
        Self { engine, container: container.into(), looks: AtomicU64::new(0), unprivileged: AtomicBool::new(false) }
    }

    pub(super) fn table(&self) -> Result<Vec<Entry>, EngineError> {
        let line = format!("look-{}-{}", self.container, self.looks.fetch_add(1, Ordering::Relaxed));
        let output = self.run(LOOK, &[], &line)?;
        let mut parts = split(&output, format!("\n{line}\n").as_bytes()).into_iter().skip(1);
        let mut entries = Vec::new();
        let own = format!("{LOOKING}={line}");
        while let (Some(stat), Some(environment), Some(command)) = (parts.next(), parts.next(), parts.next()) {
            let is_own = environment.split(|&byte| byte == 0).any(|entry| entry == own.as_bytes());
            if let Some(entry) = Entry::parse(stat, environment, command)
                && entry.pid != 1
                && !is_own
            {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    pub(super) fn signal(&self, pids: &[u32], signal: Signal) {
        let mut args = vec![name(signal).to_owned()];
        args.extend(pids.iter().map(ToString::to_string));
        // What is gone cannot be signalled, and what could not is found at the next look.
        let _ = self.run("s=$1; shift; for p; do kill $s $p; done 2>/dev/null; exit 0", &args, "signal");
    }

    pub(super) fn signal_marked(&self, mark: &str, signal: Signal) {
        let _ = self.run(SIGNAL, &[name(signal).into(), format!("{MARK}={mark}")], "signal");
    }

    pub(super) fn kill_marked(&self, mark: &str) {
        let _ = self.run(KILL, &[format!("{MARK}={mark}")], "kill");
    }

    fn run(&self, script: &str, args: &[String], looking: &str) -> Result<Vec<u8>, EngineError> {
        let mut command: Vec<String> = ["sh", "-c", script, "sh"].map(str::to_owned).into();
        command.extend_from_slice(args);
        let mut exec = NewExec {
            command,
            env: vec![format!("{LOOKING}={looking}")],
            working_directory: "/".into(),
            user: "0".into(),
            // Other users' environments are read, and their processes signalled.
            privileged: !self.unprivileged.load(Ordering::Relaxed),
        };
        let (code, output) = self.engine.exec_output(&self.container, &exec)?;
        if code == 0 || !exec.privileged {
            return Ok(output);
        }
        exec.privileged = false;
        self.unprivileged.store(true, Ordering::Relaxed);
        self.engine.exec_output(&self.container, &exec).map(|(_, output)| output)
    }
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::Stop => "-STOP",
        Signal::Interrupt => "-INT",
        Signal::Terminate => "-TERM",
        Signal::Kill => "-KILL",
    }
}

fn split<'t>(text: &'t [u8], by: &[u8]) -> Vec<&'t [u8]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at + by.len() <= text.len() {
        if text[at..].starts_with(by) {
            parts.push(&text[from..at]);
            at += by.len();
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&text[from..]);
    parts
}
