//! Ranges: of a blob that is asked for, and of a chunk that comes.

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    Part {
        first: u64,
        length: u64,
    },
    /// Nothing of the content is in it.
    Nothing,
}

/// Reads `bytes=…`. What is no range of bytes, or several, asks for the whole, as the header may be ignored.
///
/// # Source
/// RFC 9110, 14.1.2.
pub(crate) fn wanted(header: &str, size: u64) -> Wanted {
    let Some(range) = header.trim().strip_prefix("bytes=") else { return Wanted::Whole };
    let Some((first, last)) = range.split_once('-') else { return Wanted::Whole };
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let Some(length) = number(last) else { return Wanted::Whole };
        let length = length.min(size);
        return if length == 0 { Wanted::Nothing } else { Wanted::Part { first: size - length, length } };
    }
    let (Some(first), Some(last)) = (number(first), if last.is_empty() { Some(u64::MAX) } else { number(last) }) else {
        return Wanted::Whole;
    };
    if last < first {
        return Wanted::Whole;
    }
    if first >= size {
        return Wanted::Nothing;
    }
    Wanted::Part { first, length: (last - first).saturating_add(1).min(size - first) }
}

/// Reads the `Content-Range` of a chunk: `<first>-<last>`, as the specification has it, or in the form of HTTP.
pub(crate) fn chunk(header: &str) -> Option<(u64, u64)> {
    let range = header.trim();
    let range = range.strip_prefix("bytes").map_or(range, |rest| rest.trim_start_matches([' ', '=']));
    let range = range.split('/').next()?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    (first <= last).then_some((first, last))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        let part = |first, length| Wanted::Part { first, length };
        for (header, found) in [
            ("", Wanted::Whole),
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-30", part(0, 10)),
            ("bytes=5-99", part(5, 5)),
            ("bytes=0-18446744073709551615", part(0, 10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 10), found, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
    }

    #[test]
    fn chunks_come_in_both_forms() {
        for header in ["0-9", "bytes 0-9/10", "bytes=0-9", " 0-9 ", "bytes 0-9/*"] {
            assert_eq!(chunk(header), Some((0, 9)), "{header}");
        }
        for header in ["", "9-0", "a-b", "0", "-1-2", "0-+9"] {
            assert_eq!(chunk(header), None, "{header}");
        }
    }
}
