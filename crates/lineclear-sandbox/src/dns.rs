//! Name resolution of a job: questions are answered from what the machine knows, for names that the job may know.
//!
//! # Source
//! RFC 1035, section 4; RFC 6891 for what is left out.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::thread;

use crate::forward::Bell;
use crate::reach::Reach;

const A: u16 = 1;
const AAAA: u16 = 28;
const INTERNET: u16 = 1;
const NO_ERROR: u8 = 0;
const FORMAT_ERROR: u8 = 1;
const FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
/// Short, as an address opens the way only while it is remembered.
const SECONDS: u32 = 30;
/// Answers stay below 512 bytes, which every client takes.
const MOST: usize = 16;

/// Answers until the bell is rung.
pub(crate) fn serve(socket: UdpSocket, reach: Arc<Reach>, bell: Bell) -> std::io::Result<()> {
    let socket = Arc::new(socket);
    thread::Builder::new().name("names".into()).spawn(move || {
        let mut buffer = [0; 1500];
        while bell.wait(&*socket) {
            let Ok((length, client)) = socket.recv_from(&mut buffer) else { continue };
            let Some(query) = buffer.get(..length).map(<[u8]>::to_vec) else { continue };
            let (socket, reach) = (Arc::clone(&socket), Arc::clone(&reach));
            // The machine's resolver may take seconds. A question that finds no thread is asked again by the client.
            let _ = thread::Builder::new().name("name".into()).spawn(move || {
                if let Some(answer) = answer(&query, &reach) {
                    let _ = socket.send_to(&answer, client);
                }
            });
        }
    })?;
    Ok(())
}

struct Question {
    name: String,
    kind: u16,
    class: u16,
    /// The question as it was sent.
    bytes: Vec<u8>,
}

/// `None` for what is no question at all.
fn answer(query: &[u8], reach: &Reach) -> Option<Vec<u8>> {
    let is_question = query.len() >= 12 && query[2] & 0x80 == 0;
    if !is_question {
        return None;
    }
    let Some(question) = question(query) else { return Some(reply(query, &[], FORMAT_ERROR, &[], 0)) };
    if !reach.may_resolve(&question.name) {
        reach.refuse(&format!("the name `{}`", question.name));
        return Some(reply(query, &question.bytes, NO_SUCH_NAME, &[], question.kind));
    }
    if question.class != INTERNET || !matches!(question.kind, A | AAAA) {
        return Some(reply(query, &question.bytes, NO_ERROR, &[], question.kind));
    }
    let (code, found) = match reach.resolve(&question.name) {
        Ok(found) if found.is_empty() => (NO_SUCH_NAME, found),
        Ok(found) => (NO_ERROR, found),
        // What the library says of a name that is not there; of a resolver that is not, it says `Try again`.
        Err(error) if error.to_string().contains("Try again") || error.to_string().contains("Temporary") => {
            (FAILURE, Vec::new())
        }
        Err(_) => (NO_SUCH_NAME, Vec::new()),
    };
    Some(reply(query, &question.bytes, code, &found, question.kind))
}

fn question(query: &[u8]) -> Option<Question> {
    let count = u16::from_be_bytes([*query.get(4)?, *query.get(5)?]);
    if count != 1 {
        return None;
    }
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        match length {
            0 => break,
            // Compressed names do not stand in questions.
            64.. => return None,
            _ => {
                let label = query.get(at..at + length)?;
                labels
                    .push(std::str::from_utf8(label).ok().filter(|label| label.bytes().all(|b| b.is_ascii_graphic()))?);
                at += length;
            }
        }
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let class = u16::from_be_bytes([*query.get(at + 2)?, *query.get(at + 3)?]);
    Some(Question { name: labels.join("."), kind, class, bytes: query.get(12..at + 4)?.to_vec() })
}

fn reply(query: &[u8], question: &[u8], code: u8, found: &[IpAddr], kind: u16) -> Vec<u8> {
    let records: Vec<Vec<u8>> = found
        .iter()
        .filter_map(|address| match (address, kind) {
            (IpAddr::V4(address), A) => Some(address.octets().to_vec()),
            (IpAddr::V6(address), AAAA) => Some(address.octets().to_vec()),
            _ => None,
        })
        .take(MOST)
        .collect();
    let mut out = query.get(..2).unwrap_or_default().to_vec();
    // An answer that may recurse, with the wish to recurse repeated.
    out.push(0x80 | (query.get(2).copied().unwrap_or_default() & 0x79));
    out.push(0x80 | code);
    out.extend_from_slice(&u16::from(!question.is_empty()).to_be_bytes());
    out.extend_from_slice(&u16::try_from(records.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(question);
    for record in records {
        out.extend_from_slice(&[0xc0, 12]); // The name, by its place in the question.
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&INTERNET.to_be_bytes());
        out.extend_from_slice(&SECONDS.to_be_bytes());
        out.extend_from_slice(&u16::try_from(record.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&record);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str, kind: u16) -> Vec<u8> {
        let mut query = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).expect("a short label"));
            query.extend_from_slice(label.as_bytes());
        }
        query.push(0);
        query.extend_from_slice(&kind.to_be_bytes());
        query.extend_from_slice(&INTERNET.to_be_bytes());
        query
    }

    #[test]
    fn an_allowed_name_has_its_addresses_and_another_does_not_exist() {
        let reach = Reach::only(&["localhost".parse().expect("a destination")]);
        let told = answer(&ask("localhost", A), &reach).expect("an answer");
        assert_eq!(&told[..4], &[7, 9, 0x81, 0x80]);
        assert_eq!(u16::from_be_bytes([told[6], told[7]]), 1);
        assert_eq!(&told[told.len() - 4..], &[127, 0, 0, 1]);
        let told = answer(&ask("example.org", A), &reach).expect("an answer");
        assert_eq!(told[3] & 0xf, NO_SUCH_NAME);
        assert_eq!(reach.take_refused(), [("the name `example.org`".to_owned(), 1)]);
        // Other kinds of records there are none of.
        let told = answer(&ask("localhost", 15), &reach).expect("an answer");
        assert_eq!((told[3] & 0xf, told[7]), (NO_ERROR, 0));
    }

    #[test]
    fn what_is_no_question_does_no_harm() {
        let reach = Reach::everything();
        let whole = ask("a.b", A);
        for length in 0..whole.len() {
            let told = answer(&whole[..length], &reach);
            assert!(told.is_none_or(|told| told[3] & 0xf == FORMAT_ERROR), "{length}");
        }
        let mut pointer = whole.clone();
        pointer[12] = 0xc0;
        assert!(answer(&pointer, &reach).is_some_and(|told| told[3] & 0xf == FORMAT_ERROR));
        let mut is_answer = whole;
        is_answer[2] |= 0x80;
        assert!(answer(&is_answer, &reach).is_none());
    }
}
