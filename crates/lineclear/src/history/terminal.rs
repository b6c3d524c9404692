//! Log lines as a terminal may show them: what a step printed must not move the cursor, set a title or ring a bell.

use std::borrow::Cow;

use lineclear_source::Style;

/// `line` without control characters. Colours stay where there are colours; a tab stays a tab.
pub(crate) fn harmless(line: &str, style: Style) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte >= 0x20 && byte != 0x7f || byte == b'\t';
    // U+0080 to U+009F are control characters too: 0xC2 and a byte below 0xA0.
    if line.bytes().all(is_plain) && !line.contains(is_upper_control) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut is_coloured = false;
    while let Some(at) = rest.find(|character: char| character != '\t' && character.is_control()) {
        out.push_str(&rest[..at]);
        let sequence = sequence(&rest[at..]);
        if style == Style::Coloured && is_colour(sequence) {
            out.push_str(sequence);
            is_coloured = true;
        }
        rest = &rest[at + sequence.len()..];
    }
    out.push_str(rest);
    if is_coloured {
        out.push_str("\u{1b}[0m");
    }
    Cow::Owned(out)
}

fn is_upper_control(character: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&character)
}

/// The control sequence that `text` begins with: at least its first character.
///
/// # Source
/// ECMA-48, section 5.4 (control sequences) and 5.6 (control strings).
fn sequence(text: &str) -> &str {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let Some(after) = text.strip_prefix('\u{1b}') else { return &text[..first] };
    match after.chars().next() {
        Some('[') => {
            let end = after[1..].find(|character: char| !(' '..='?').contains(&character));
            let end = end.map_or(after.len(), |at| 1 + at + after[1 + at..].chars().next().map_or(0, char::len_utf8));
            &text[..1 + end]
        }
        // A title, a link, a device's string: up to a bell or `ESC \`; one that does not end takes the rest of the line.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let bell = after.find('\u{7}').map(|at| at + 1);
            let terminator = after.find("\u{1b}\\").map(|at| at + 2);
            let end = bell.into_iter().chain(terminator).min().unwrap_or(after.len());
            &text[..1 + end]
        }
        Some(character) if character.is_ascii() && !character.is_control() => &text[..2],
        _ => &text[..1],
    }
}

/// "Select graphic rendition": colours, bold and their like.
fn is_colour(sequence: &str) -> bool {
    let parameters = sequence.strip_prefix("\u{1b}[").and_then(|rest| rest.strip_suffix('m'));
    parameters.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_reach_a_terminal() {
        let line =
            "\u{1b}[31mred\u{1b}[0m \u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]8;;http://x\u{1b}\\link\u{8}\u{9b}31m\ttab\r";
        assert_eq!(harmless(line, Style::Plain), "red link31m\ttab");
        assert_eq!(harmless(line, Style::Coloured), "\u{1b}[31mred\u{1b}[0m link31m\ttab\u{1b}[0m");
        assert_eq!(harmless("\u{1b}", Style::Coloured), "");
        assert_eq!(harmless("a\u{1b}[31", Style::Coloured), "a");
        assert_eq!(harmless("a\u{1b}[é b\u{1b}é", Style::Plain), "a b".to_owned() + "é");
        assert_eq!(harmless("\u{1b}]never ends", Style::Plain), "");
    }
}
