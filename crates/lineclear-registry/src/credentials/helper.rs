//! Programs that keep credentials: `docker-credential-…`.
//!
//! # Source
//! Docker's documentation of credential helpers: `get` reads the server's name and answers JSON; a user `<token>` is an identity token.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CredentialError, Credentials, Secret};

/// How long a program may take: some ask a person.
const LONGEST: Duration = Duration::from_secs(60);
/// Most that is read of an answer.
const MAX_BYTES: u64 = 1 << 20;
/// What helpers answer, with a failure, for a server that they do not know.
const NOT_FOUND: &str = "credentials not found";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Secret,
}

/// The credentials that `docker-credential-{name}` keeps for `server`.
pub(super) fn ask(name: &str, server: &str) -> Result<Credentials, CredentialError> {
    let program = format!("docker-credential-{name}");
    let failed =
        |reason: String| CredentialError::Helper { helper: program.clone(), registry: server.to_owned(), reason };
    // The name is part of a file that a job may have written: it is looked for in PATH, and never a path.
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return Err(failed("its name has characters that no helper's name has".to_owned()));
    }
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => failed("it is not in PATH".to_owned()),
            _ => failed(error.to_string()),
        })?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not want to know the server may close its input; its answer tells.
        let _unread = input.write_all(server.as_bytes());
    }
    let (said, hear) = mpsc::channel();
    let (output, complaints) = (child.stdout.take(), child.stderr.take());
    std::thread::spawn(move || {
        let complaints = std::thread::spawn(move || read(complaints));
        let output = read(output);
        // Nobody listens any more when it took too long.
        let _late = said.send((output, complaints.join().unwrap_or_default()));
    });
    let Ok((output, complaints)) = hear.recv_timeout(LONGEST) else {
        let _gone = child.kill();
        let _reaped = child.wait();
        return Err(failed(format!("it did not answer within {} s", LONGEST.as_secs())));
    };
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        let text = String::from_utf8_lossy(if output.is_empty() { &complaints } else { &output }).trim().to_owned();
        if text.to_ascii_lowercase().contains(NOT_FOUND) {
            return Ok(Credentials::Anonymous);
        }
        let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
        return Err(failed(if text.is_empty() { status.to_string() } else { text }));
    }
    let answer: Answer =
        serde_json::from_slice(&output).map_err(|_| failed("its answer is not the JSON of a helper".to_owned()))?;
    Ok(match (answer.username.as_str(), answer.secret.expose()) {
        (_, "") => Credentials::Anonymous,
        ("<token>", secret) => Credentials::IdentityToken(Secret::new(secret)),
        (user, secret) => Credentials::basic(user, secret),
    })
}

/// All that comes, up to a bound.
fn read(stream: Option<impl Read>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(stream) = stream {
        // A stream that breaks ends what was said; the exit code says whether that was all.
        let _broken = stream.take(MAX_BYTES).read_to_end(&mut bytes);
    }
    bytes
}
