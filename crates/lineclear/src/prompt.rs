//! Asking at the terminal for what must not be seen.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Most bytes of an answer.
const LONGEST: usize = 64 * 1024;

/// Whether there is somebody to be asked: standard input is a terminal.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, without showing what is typed.
///
/// # Errors
/// A sentence: there is no terminal, it went away, or the answer was broken off with Ctrl-C.
pub(crate) fn hidden(question: &str) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("cannot ask at the terminal: {error}");
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(wrong)?;
    terminal.write_all(question.as_bytes()).map_err(wrong)?;
    let mut answer = Zeroizing::new(Vec::with_capacity(LONGEST));
    let result = {
        let quiet = Quiet::new(&terminal).map_err(wrong)?;
        read_line(&mut &quiet.terminal, &mut answer)
    };
    // What was typed stays on no line of the screen, so the next text begins on a new one.
    terminal.write_all(b"\n").map_err(wrong)?;
    result?;
    String::from_utf8(std::mem::take(&mut *answer)).map_err(|_| "the answer is not valid UTF-8".to_owned())
}

/// A terminal that shows nothing of what is typed and hands on each key; as it was again when this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: &File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Ctrl-C comes as a key, too: a process that it ended here would leave the terminal mute.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Drain, &quiet)?;
        Ok(Self { terminal: terminal.try_clone()?, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Further lines of a pasted text are thrown away: the shell would take them for commands.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// One line, edited as far as one can without seeing it.
fn read_line(keys: &mut impl Read, answer: &mut Vec<u8>) -> Result<(), String> {
    let mut key = [0];
    loop {
        match keys.read(&mut key) {
            Ok(0) => return Err("the terminal went away".to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read from the terminal: {error}")),
        }
        match key[0] {
            b'\r' | b'\n' => return Ok(()),
            // Ctrl-C, Ctrl-D, Ctrl-\
            3 | 4 | 28 => return Err("broken off: nothing was changed".to_owned()),
            // Backspace takes a whole character away.
            8 | 127 => while answer.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U
            21 => answer.clear(),
            byte if answer.len() < LONGEST => answer.push(byte),
            _ => return Err(format!("the answer has more than {LONGEST} bytes; use --body-file")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_can_be_edited_and_broken_off() {
        let read = |keys: &[u8]| {
            let mut answer = Vec::new();
            read_line(&mut &keys[..], &mut answer).map(|()| String::from_utf8(answer).expect("text"))
        };
        assert_eq!(read(b"abc\x7fd\rrest"), Ok("abd".into()));
        assert_eq!(read("ä\u{7f}x\n".as_bytes()), Ok("x".into()));
        assert_eq!(read(b"wrong\x15right\n"), Ok("right".into()));
        assert_eq!(read(b"\x7f\n"), Ok(String::new()));
        assert_eq!(read(b"abc\x03"), Err("broken off: nothing was changed".into()));
        assert_eq!(read(b"abc"), Err("the terminal went away".into()));
    }
}
