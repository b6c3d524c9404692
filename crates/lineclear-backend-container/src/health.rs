//! Waiting until a service can be used.
//!
//! # Source
//! Section 4.13 of the protocol notes: no check means ready at once, starting means waiting without an end of its own.

use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::{ContainerError, Told};
use lineclear_container_engine::{Engine, LogRequest, Patience, Product, Source};

use crate::error::translate;

/// Between two looks, from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// How long a log may take.
const LOG: Patience<'static> = Patience::of(Duration::from_secs(30));
/// How much of a service's log is told, in lines.
const TOLD_LINES: u32 = 2000;

/// Waits until the service is healthy. Podman's own checks need a timer that is not everywhere, so there each look is a check.
pub(crate) fn wait(
    engine: &Engine,
    service: &str,
    container: &str,
    gives_up: &(dyn Fn() -> bool + Sync),
) -> Result<(), ContainerError> {
    let mut pause = PAUSES.0;
    let begun = Instant::now();
    loop {
        let state = engine.container_inspect(container).map_err(translate)?.state;
        let unhealthy = |problem: String| Err(ContainerError::Unhealthy { service: service.into(), problem });
        let Some(health) = state.health.filter(|health| !matches!(health.status.as_str(), "" | "none")) else {
            return Ok(());
        };
        if !state.running {
            return unhealthy(format!("it ended with exit code {} before it was healthy", state.exit_code));
        }
        match health.status.as_str() {
            "healthy" => return Ok(()),
            "unhealthy" => {
                let last = health.log.as_ref().and_then(|log| log.last());
                let said = last.map(|last| last.output.trim()).filter(|said| !said.is_empty());
                let said = said.map(|said| format!("; its last check said `{}`", shorten(said))).unwrap_or_default();
                return unhealthy(format!("its check failed {} times in a row{said}", health.failing_streak.max(1)));
            }
            _ => {}
        }
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if gives_up() {
                return Err(ContainerError::Cancelled);
            }
            thread::sleep(Duration::from_millis(20).min(pause));
        }
        if engine.product() == Product::Podman {
            // What it found is told by the next look.
            let _ = engine.podman_health_check(container);
        }
        // A database that needs two seconds is found after two, one that needs minutes is not asked a thousand times.
        pause = (begun.elapsed() / 10).clamp(PAUSES.0, PAUSES.1);
    }
}

fn shorten(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    match line.char_indices().nth(200) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.into(),
    }
}

/// Tells the log of a container, line by line.
pub(crate) fn tell_log(engine: &Engine, container: &str, told: &dyn Told) {
    let mut lines = [Vec::new(), Vec::new()];
    let wanted = LogRequest { tail: Some(TOLD_LINES), follow: false };
    let result = engine.container_logs(container, wanted, LOG, &mut |source, bytes| {
        let line = &mut lines[usize::from(source == Source::Stderr)];
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            line.extend_from_slice(piece);
            // A line without end is told in parts.
            if line.ends_with(b"\n") || line.len() > 64 << 10 {
                told.line(String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']));
                line.clear();
            }
        }
    });
    for line in lines.iter().filter(|line| !line.is_empty()) {
        told.line(&String::from_utf8_lossy(line));
    }
    if let Err(error) = result {
        told.line(&format!("The log cannot be had: {error}"));
    }
}
