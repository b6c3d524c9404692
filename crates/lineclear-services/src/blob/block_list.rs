//! The list that ends an upload.

use lineclear_store::MAX_BLOCKS;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Bytes of a list: as many of the longest ids as a list may have.
pub(super) const LIST_BYTES: u64 = 8 << 20;

/// Bytes of a block's id.
const ID_BYTES: usize = 256;

/// The block ids of a list, in order.
///
/// ```xml
/// <?xml version="1.0" encoding="utf-8"?><BlockList><Latest>AAAA</Latest><Latest>AAAB</Latest></BlockList>
/// ```
/// `Uncommitted` and `Committed` mean the same here: a block has one content.
///
/// # Errors
/// What is wrong with it, as a sentence.
///
/// # Source
/// "Put Block List" of Azure's Blob service.
pub(crate) fn parse(list: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_reader(list);
    let mut blocks = Vec::new();
    let mut depth = 0_u32;
    let mut ended = false;
    let mut id = String::new();
    loop {
        let event = reader.read_event().map_err(|error| format!("the block list is no XML: {error}"))?;
        match event {
            Event::Start(element) => {
                depth += 1;
                let is_expected = !ended
                    && match depth {
                        1 => element.name().as_ref() == b"BlockList",
                        2 => matches!(element.name().as_ref(), b"Latest" | b"Uncommitted" | b"Committed"),
                        _ => false,
                    };
                if !is_expected {
                    return Err(format!(
                        "the block list has an unexpected element `{}`",
                        shown(element.name().as_ref())
                    ));
                }
                id.clear();
            }
            Event::Empty(element) if depth == 0 && !ended && element.name().as_ref() == b"BlockList" => ended = true,
            Event::Empty(element) => {
                return Err(format!("the block list has an empty element `{}`", shown(element.name().as_ref())));
            }
            Event::End(_) => {
                depth = depth.checked_sub(1).ok_or("the block list ends an element that did not begin")?;
                if depth == 1 {
                    check_id(&id)?;
                    if blocks.len() == MAX_BLOCKS {
                        return Err(format!("the block list names more than {MAX_BLOCKS} blocks"));
                    }
                    blocks.push(std::mem::take(&mut id));
                }
                ended |= depth == 0;
            }
            Event::Text(text) => {
                let text = std::str::from_utf8(&text).map_err(|_| "the block list is not UTF-8")?.trim();
                if depth == 2 {
                    id.push_str(text);
                } else if !text.is_empty() {
                    return Err("the block list has text between its elements".into());
                }
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof if ended => return Ok(blocks),
            Event::Eof => return Err("the block list breaks off".into()),
            // Neither a document type nor entities: a list needs none.
            _ => return Err("the block list has more than elements and text".into()),
        }
    }
}

/// Whether a text can be the id of a block.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_id(id: &str) -> Result<(), String> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    if id.is_empty() || id.len() > ID_BYTES || !id.bytes().all(is_base64) {
        return Err(format!("a block's id has to be base64, 1 to {ID_BYTES} bytes"));
    }
    Ok(())
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(40).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expected: Result<&[&str], &str>) {
        match (parse(list.as_bytes()), expected) {
            (Ok(blocks), Ok(expected)) => assert_eq!(blocks, expected, "{list}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{list}: {error}"),
            (found, _) => panic!("{list}: {found:?}"),
        }
    }

    #[test]
    fn lists_of_the_clients_are_read() {
        check(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<BlockList><Latest>AA==</Latest>\n<Latest>A+/B</Latest></BlockList>",
            Ok(&["AA==", "A+/B"]),
        );
        check("<BlockList><Uncommitted> a </Uncommitted><Committed>b</Committed></BlockList>", Ok(&["a", "b"]));
        check("<BlockList></BlockList>", Ok(&[]));
        check("<BlockList/>", Ok(&[]));
    }

    #[test]
    fn hostile_lists_are_refused() {
        for (list, why) in [
            ("", "breaks off"),
            ("<BlockList>", "breaks off"),
            ("<BlockList><Latest>a</Latest>", "breaks off"),
            ("<Blocks/>", "empty element `Blocks`"),
            ("<BlockList><Latest/></BlockList>", "empty element"),
            ("<BlockList><Latest></Latest></BlockList>", "base64"),
            ("<BlockList><Latest>../x</Latest></BlockList>", "base64"),
            ("<BlockList><Latest><Latest>a</Latest></Latest></BlockList>", "unexpected element"),
            ("<BlockList>a</BlockList>", "text between"),
            ("<BlockList></BlockList><BlockList></BlockList>", "unexpected element"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><BlockList><Latest>&b;</Latest></BlockList>", "more than elements"),
            ("<BlockList><Latest>&b;</Latest></BlockList>", "more than elements"),
            ("<BlockList><Latest>a</Wrong></BlockList>", "no XML"),
        ] {
            check(list, Err(why));
        }
        let many = "<Latest>a</Latest>".repeat(MAX_BLOCKS + 1);
        check(&format!("<BlockList>{many}</BlockList>"), Err("more than 50000"));
        check(&format!("<BlockList><Latest>{}</Latest></BlockList>", "a".repeat(257)), Err("base64"));
    }
}
