//! Text that is too long for a message.

/// `text` in one line of at most `limit` characters, white space drawn together.
pub fn shortened(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > limit {
            break;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        // One more than fits is enough to see that it does not.
        for c in word.chars().take(limit + 1) {
            out.push(c);
            length += 1;
        }
    }
    clipped(&out, limit)
}

/// The first `limit` characters of `text`, the last of them a `…` if there are more.
pub fn clipped(text: &str, limit: usize) -> String {
    let mut chars = text.char_indices().skip(limit.saturating_sub(1));
    match (chars.next(), chars.next()) {
        (Some((at, _)), Some(_)) => format!("{}…", &text[..at]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_shortened_to_one_line() {
        assert_eq!(shortened("a\n  b\tc", 80), "a b c");
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
        assert_eq!(shortened("äöü äöü", 5), "äöü …");
        assert_eq!(shortened(&"word ".repeat(1_000_000), 10), "word word…");
        assert_eq!(clipped("a\nb", 80), "a\nb");
    }
}
