//! Node for JavaScript actions in containers: the image's own, or this machine's.

use std::path::{Path, PathBuf};

use lineclear_container_engine::{Engine, NewExec};

/// What actions need at least.
const OLDEST: u32 = 20;
/// Where this machine's is mounted, in the folder that the hosted runner has its own in.
pub(crate) const MOUNTED: &str = "/__e/node/bin/node";

/// Node on this machine: the one that is set, or the first on the `PATH`.
pub(crate) fn on_host(set: Option<&Path>) -> Option<PathBuf> {
    let found = match set {
        Some(node) => node.to_owned(),
        None => std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("node"))
            .find(|node| node.is_file())?,
    };
    found.canonicalize().ok()
}

/// Finds out, by starting them, which Node a container can use. The error says why there is none.
pub(crate) fn find(engine: &Engine, container: &str, mounted: Option<&Path>) -> Result<PathBuf, String> {
    let own = match version(engine, container, "node") {
        Ok(major) if major >= OLDEST => return Ok("node".into()),
        Ok(major) => format!("the image has Node {major}, and actions need {OLDEST} or newer"),
        Err(_) => "the image has no Node".to_owned(),
    };
    let Some(host) = mounted else {
        return Err(format!(
            "{own}; this machine has none to lend: install Node {OLDEST} or newer, here or in the image"
        ));
    };
    match version(engine, container, MOUNTED) {
        Ok(major) if major >= OLDEST => Ok(MOUNTED.into()),
        Ok(major) => {
            Err(format!("{own}, and this machine's (`{}`) is {major}; actions need {OLDEST} or newer", host.display()))
        }
        Err(problem) => Err(format!(
            "{own}, and this machine's (`{}`) does not run there: {problem}; use an image with Node, or a build of Node without \
             libraries of its own, set as the runner's node",
            host.display()
        )),
    }
}

/// The first part of a Node's version.
fn version(engine: &Engine, container: &str, program: &str) -> Result<u32, String> {
    let command = vec![program.to_owned(), "--version".into()];
    let exec = NewExec { command, working_directory: "/".into(), ..NewExec::default() };
    let (code, output) = engine.exec_output(container, &exec).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if code != 0 {
        return Err(line.to_owned());
    }
    let major = line.strip_prefix('v').and_then(|version| version.split('.').next()?.parse().ok());
    major.ok_or_else(|| format!("it calls its version `{line}`"))
}
