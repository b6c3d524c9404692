//! Frames of output that come in the body of an answer.

use crate::Source;

/// What of a frame is still to come.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    frame: Option<(Source, usize)>,
}

impl Frames {
    /// Takes what is whole from the front of `bytes`.
    pub(crate) fn each(&mut self, bytes: &mut Vec<u8>, each: &mut dyn FnMut(Source, &[u8])) {
        let mut at = 0;
        loop {
            let ahead = bytes.get(at..).unwrap_or_default();
            match self.frame.take() {
                Some((source, left)) => {
                    let count = left.min(ahead.len());
                    if count > 0 {
                        each(source, &ahead[..count]);
                    }
                    at += count;
                    if count < left {
                        self.frame = Some((source, left - count));
                        break;
                    }
                }
                None => {
                    let Some(head) = ahead.first_chunk::<8>() else { break };
                    let source = if head[0] == 2 { Source::Stderr } else { Source::Stdout };
                    self.frame = Some((source, u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize));
                    at += 8;
                }
            }
        }
        bytes.drain(..at);
    }
}
