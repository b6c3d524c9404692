//! Parts of a blob: the `Range` header.

/// What a client wants of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything: no range was asked for, or one that may be ignored (several ranges, another unit).
    Whole,
    /// From the first byte to the last, both included.
    Part { first: u64, last: u64 },
    /// Nothing that the blob has.
    Nothing,
}

/// Reads `bytes=0-499`, `bytes=500-` or `bytes=-500` for a blob of `size` bytes.
///
/// # Source
/// RFC 9110, section 14.
pub(crate) fn parse(header: &str, size: u64) -> Wanted {
    let Some(range) = header.trim().strip_prefix("bytes=") else { return Wanted::Whole };
    let Some((first, last)) = range.split_once('-') else { return Wanted::Whole };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    match (first, last) {
        ("", suffix) => match number(suffix) {
            None => Wanted::Whole,
            Some(0) => Wanted::Nothing,
            Some(_) if size == 0 => Wanted::Nothing,
            Some(suffix) => Wanted::Part { first: size.saturating_sub(suffix), last: size - 1 },
        },
        (first, last) => match (number(first), last, number(last)) {
            (None, ..) => Wanted::Whole,
            (Some(first), "", _) if first < size => Wanted::Part { first, last: size - 1 },
            (Some(_), "", _) => Wanted::Nothing,
            (Some(first), _, Some(last)) if first <= last && first < size => {
                Wanted::Part { first, last: last.min(size - 1) }
            }
            (Some(first), _, Some(last)) if first <= last => Wanted::Nothing,
            _ => Wanted::Whole,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_90_ranges_are_read_as_rfc_9110_says() {
        let part = |first, last| Wanted::Part { first, last };
        for (header, size, expected) in [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=2-5", 10, part(2, 5)),
            ("bytes=2-50", 10, part(2, 9)),
            ("bytes=9-", 10, part(9, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-30", 10, part(0, 9)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=10-12", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=-5", 0, Wanted::Nothing),
            ("", 10, Wanted::Whole),
            ("bytes=5-2", 10, Wanted::Whole),
            ("bytes=0-1,4-5", 10, Wanted::Whole),
            ("items=0-1", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=+1-2", 10, Wanted::Whole),
            ("bytes=99999999999999999999-", 10, Wanted::Whole),
        ] {
            assert_eq!(parse(header, size), expected, "{header} of {size}");
        }
    }
}
