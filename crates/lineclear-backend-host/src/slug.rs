//! File names for things whose names were chosen by people.

/// The longest slug, in bytes. Sockets in a job's folder must stay below 108 bytes as a whole path.
const LONGEST: usize = 40;

/// A file name for `name`: short, of letters, digits, `-`, `_` and `.`, never hidden, never empty.
///
/// A name that is already one stays as it is. Any other is cut and cleaned, and gets a hash of the whole name, so that
/// two different names do not meet.
pub(crate) fn slug(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let hidden = |name: &str| name.starts_with(['.', '-', '_']);
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(kept) && !hidden(name) {
        return name.to_owned();
    }
    let mut clean = String::with_capacity(LONGEST);
    for c in name.chars() {
        if clean.len() >= LONGEST - 9 {
            break;
        }
        if kept(c) {
            clean.push(c);
        } else if !clean.ends_with('-') {
            clean.push('-');
        }
    }
    let clean = clean.trim_matches(['-', '.', '_']);
    let hash = hash(name);
    if clean.is_empty() { format!("job-{hash:08x}") } else { format!("{clean}-{hash:08x}") }
}

/// FNV-1a, folded to 32 bits. Only different names of one run have to be told apart.
fn hash(text: &str) -> u32 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let [a, b, c, d, e, f, g, h] = state.to_le_bytes();
    u32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_job_keeps_its_name() {
        assert_eq!(slug("build"), "build");
        assert_eq!(slug("unit-tests_3.12"), "unit-tests_3.12");
    }

    #[test]
    fn a_leg_of_a_matrix_gets_a_readable_name_of_its_own() {
        let linux = slug("test (3.12, linux)");
        assert!(linux.starts_with("test-3.12-linux-"), "{linux}");
        assert_ne!(linux, slug("test (3.12; linux)"));
    }

    #[test]
    fn any_text_becomes_a_safe_file_name() {
        let long = "ä".repeat(1000);
        for name in ["", ".", "..", "/", "../../etc", "\0", "_temp", ".owner", "-rf", "日本語", "a\nb", long.as_str()]
        {
            let slug = slug(name);
            assert!(!slug.is_empty() && slug.len() <= LONGEST, "{name:?} became {slug:?}");
            assert!(slug.starts_with(|c: char| c.is_ascii_alphanumeric()), "{name:?} became {slug:?}");
            assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name:?} became {slug:?}");
        }
    }

    #[test]
    fn names_that_differ_only_at_their_end_stay_apart() {
        let stem = "x".repeat(999);
        assert_ne!(slug(&format!("{stem}a")), slug(&format!("{stem}b")));
    }
}
