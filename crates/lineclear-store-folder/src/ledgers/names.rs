//! The name of a repository as that of a file, and back.

use lineclear_store::StoreError;

/// What a file system takes, less the ending.
const MAX_NAME: usize = 240;

/// The file's name, without its ending.
///
/// # Errors
/// For an empty name, and for one that is too long for a file system.
pub(super) fn file(repository: &str) -> Result<String, StoreError> {
    let mut name = String::with_capacity(repository.len() + 4);
    for (at, byte) in repository.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.is_empty() || name.len() > MAX_NAME {
        let shown: String = repository.chars().take(80).collect();
        return Err(StoreError::Refused(format!(
            "`{shown}` cannot have a ledger: a name has 1 to {MAX_NAME} characters"
        )));
    }
    Ok(name)
}

/// The repository whose file has this name; `None` for a name that [`file`] does not give.
pub(super) fn repository(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    let repository = String::from_utf8(bytes).ok()?;
    (file(&repository).ok()? == name).then_some(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_none_leaves_the_folder() {
        for name in ["o/r", "..", "../../etc/passwd", ".hidden", "a b%2F", "ü/ö", "Owner/with.dots-and_more"] {
            let file = file(name).expect("it has a name");
            assert!(!file.contains('/') && !file.starts_with('.'), "{file}");
            assert_eq!(repository(&file).as_deref(), Some(name));
        }
        assert_eq!(file("o/r").expect("it has a name"), "o%2Fr");
        for other in ["%2f", "%", "%4", "a%FFb", "%61"] {
            assert_eq!(repository(other), None, "{other}");
        }
        file("").expect_err("nothing is no name");
        file(&"ü".repeat(100)).expect_err("it is too long");
    }
}
