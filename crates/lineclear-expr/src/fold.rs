//! Comparing text without regard to case.
//!
//! GitHub's runner compares by upper-casing each UTF-16 unit on its own and then by the units' values ("ordinal, ignoring
//! case"). This differs from Unicode case folding: `ß` is not `SS`, and the letters whose upper case would turn a
//! non-ASCII letter into an ASCII one (`ı`, `ſ`) stay as they are.

use std::cmp::Ordering;

/// The upper case of one character under the rule above.
fn upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    match c {
        'ı' | 'ſ' => c,
        // Two UTF-16 units, neither of which has a case of its own.
        '\u{10000}'.. => c,
        // Small letters with iota below: their full upper case is two letters, their simple one is the title case.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
        _ => {
            let mut mapped = c.to_uppercase();
            match (mapped.next(), mapped.next()) {
                (Some(single), None) => single,
                _ => c,
            }
        }
    }
}

/// Whether both texts are the same but for case.
pub(crate) fn eq(left: &str, right: &str) -> bool {
    if left.is_ascii() || right.is_ascii() {
        // No character outside ASCII has an upper case inside it, so that one side being ASCII decides.
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().map(upper).eq(right.chars().map(upper))
}

/// The order of both texts without regard to case, by UTF-16 units.
pub(crate) fn cmp(left: &str, right: &str) -> Ordering {
    let mut left = left.chars().map(upper);
    let mut right = right.chars().map(upper);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => return utf16(a).cmp(&utf16(b)),
        }
    }
}

fn utf16(c: char) -> [u16; 2] {
    let mut units = [0; 2];
    c.encode_utf16(&mut units);
    units
}

/// Whether `needle` is somewhere in `text`, but for case. The empty needle is in every text.
pub(crate) fn contains(text: &str, needle: &str) -> bool {
    if needle.is_empty() {
        return true;
    }
    if needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        let (low, high) = (needle[0].to_ascii_lowercase(), needle[0].to_ascii_uppercase());
        return text.len() >= needle.len()
            && (0..=text.len() - needle.len()).any(|at| {
                (text[at] == low || text[at] == high) && text[at..at + needle.len()].eq_ignore_ascii_case(needle)
            });
    }
    folded(text).contains(&folded(needle))
}

/// Whether `text` begins with `prefix`, but for case.
pub(crate) fn starts_with(text: &str, prefix: &str) -> bool {
    let mut text = text.chars().map(upper);
    prefix.chars().map(upper).all(|c| text.next() == Some(c))
}

/// Whether `text` ends with `suffix`, but for case.
pub(crate) fn ends_with(text: &str, suffix: &str) -> bool {
    let mut text = text.chars().rev().map(upper);
    suffix.chars().rev().map(upper).all(|c| text.next() == Some(c))
}

/// A form of `text` that is the same for all texts that differ in case only.
pub(crate) fn folded(text: &str) -> String {
    text.chars().map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_34_case_does_not_count() {
        assert!(eq("A", "a") && eq("É", "é") && eq("ΑΒΓ", "αβγ") && eq("", ""));
        assert!(!eq("a", "b") && !eq("a", "aa") && !eq("é", "e"));
        assert!(contains("Hello", "ELL") && contains("x", "") && contains("", "") && contains("ÀÉ", "é"));
        assert!(!contains("Hello", "ELP") && !contains("", "x") && !contains("é", "e"));
        assert!(starts_with("Refs/Heads", "refs/") && !starts_with("a", "ab") && ends_with("main.YML", ".yml"));
    }

    #[test]
    fn dotless_i_and_long_s_are_not_folded_into_ascii() {
        assert!(!eq("ı", "I") && !eq("ı", "i") && !eq("İ", "i") && !eq("ſ", "s") && eq("ı", "ı"));
        assert!(!eq("éı", "ÉI") && !eq("éſ", "ÉS") && cmp("ı", "I") == Ordering::Greater);
        assert!(!contains("ı", "i") && !starts_with("ſ", "S"));
    }

    #[test]
    fn letters_without_a_single_upper_case_stay_as_they_are() {
        assert!(!eq("ß", "SS") && !eq("ß", "ẞ") && eq("ᾳ", "ᾼ"));
    }

    #[test]
    fn order_is_that_of_the_upper_cased_units() {
        assert_eq!(cmp("a", "B"), Ordering::Less);
        // `_` stands between the two cases: behind every letter once letters are upper case.
        assert_eq!(cmp("a", "_"), Ordering::Less);
        assert_eq!(cmp("A", "a"), Ordering::Equal);
        assert_eq!(cmp("a", "ab"), Ordering::Less);
        // A surrogate's unit is smaller than U+FF01, although its character is greater.
        assert_eq!(cmp("😀", "\u{ff01}"), Ordering::Less);
    }
}
