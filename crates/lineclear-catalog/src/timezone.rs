//! The names of time zones.

const NAMES: &str = include_str!("../data/timezones.txt");

/// The names of the IANA database, sorted.
pub fn timezones() -> impl Iterator<Item = &'static str> {
    NAMES.lines().filter(|line| !line.starts_with('#'))
}

/// Whether the database has a zone or link of this name, in whatever case.
pub fn is_timezone(name: &str) -> bool {
    timezones().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_links_are_known() {
        for name in ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Ushuaia", "Asia/Calcutta", "asia/tokyo"] {
            assert!(is_timezone(name), "{name}");
        }
        for name in ["Asia/Somewhere", "Berlin", "CEST", "# Names", ""] {
            assert!(!is_timezone(name), "{name}");
        }
    }
}
