//! The machine itself: system, processors, memory, disk.

use std::path::Path;

use super::Finding;
use crate::history::words::size;

const AREA: &str = "machine";

/// Less free space than this is told as a fault: one image or one checkout fills it.
const LEAST_FREE: u64 = 1 << 30;

pub(super) fn look(home: &Path) -> Vec<Finding> {
    let mut findings = vec![Finding::ready(AREA, "system", system())];
    if let Some(memory) = memory() {
        findings.push(Finding::ready(AREA, "memory", size(memory)));
    }
    findings.push(disk(home));
    findings
}

fn system() -> String {
    let name = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = name.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or(std::env::consts::OS);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = if cores == 1 { "1 processor".to_owned() } else { format!("{cores} processors") };
    format!("{}, {}, {cores}", name.trim_matches('"'), std::env::consts::ARCH)
}

fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The space where Lineclear keeps its things; of the nearest folder above that exists.
fn disk(home: &Path) -> Finding {
    let Some(existing) = home.ancestors().find(|folder| folder.exists()) else {
        return Finding::broken(AREA, "disk", format!("`{}` has no folder above it", home.display()));
    };
    match rustix::fs::statvfs(existing) {
        Ok(facts) => {
            let free = facts.f_bavail.saturating_mul(facts.f_frsize);
            let says = format!("{} free in `{}`", size(free), home.display());
            if free < LEAST_FREE {
                return Finding::broken(AREA, "disk", says).with_help("`lineclear prune` removes what is old");
            }
            Finding::ready(AREA, "disk", says)
        }
        Err(error) => Finding::broken(AREA, "disk", format!("`{}` cannot be looked at: {error}", existing.display())),
    }
}
