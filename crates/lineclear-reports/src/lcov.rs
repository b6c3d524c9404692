//! LCOV tracefiles.
//!
//! # Source
//! `geninfo(1)`, section "Files".

use lineclear_event::Coverage;

use crate::coverage::{CoverageFound, Sums};
use crate::{Limits, Wrong};

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Coverage, Wrong> {
    let mut found = CoverageFound::default();
    let mut file: Option<(String, Sums)> = None;
    let mut last = 1;
    for (index, line) in text.lines().enumerate() {
        let number = index as u64 + 1;
        last = number;
        let line = line.trim();
        if line == "end_of_record" {
            let Some((file, sums)) = file.take() else { continue };
            found.sums(&file, sums);
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let found = format!("`{}`", line.chars().take(40).collect::<String>());
            return Err(Wrong::Unexpected { line: number, found, expected: "`KEY:value` or `end_of_record`" });
        };
        if key == "SF" {
            file = Some((value.to_owned(), Sums::default()));
            found.mentions(value);
            continue;
        }
        let Some((file, sums)) = &mut file else { continue };
        let mut fields = value.split(',');
        let mut next = || fields.next().unwrap_or_default().trim();
        match key {
            "DA" => {
                let (at, hits) = (next().parse::<u64>(), next());
                let Ok(at) = at else {
                    let found = format!("`{}`", line.chars().take(40).collect::<String>());
                    return Err(Wrong::Unexpected { line: number, found, expected: "`DA:line,hits`" });
                };
                // Negative counts, from overflow in the instrumented program, are hits too.
                found.line(file, at, !hits.is_empty() && hits != "0");
            }
            "BRDA" => {
                let Ok(at) = next().parse::<u64>() else { continue };
                let id = format!("{},{}", next(), next());
                let taken = next();
                found.branches(file, at, &id, u64::from(!["-", "0", ""].contains(&taken)), 1);
            }
            "LF" => sums.lines = next().parse().unwrap_or(0),
            "LH" => sums.lines_covered = next().parse().unwrap_or(0),
            "BRF" => sums.branches = next().parse().unwrap_or(0),
            "BRH" => sums.branches_covered = next().parse().unwrap_or(0),
            _ => {}
        }
    }
    match file {
        Some((file, _)) => Err(Wrong::Truncated { line: last, inside: format!("the record of `{file}`") }),
        None => Ok(found.finish(name, None, limits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_file_are_brought_together() {
        let text = "TN:\nSF:src/a.js\nFN:1,f\nDA:1,2\nDA:2,0\nBRDA:1,0,0,1\nBRDA:1,0,1,-\nLF:2\nLH:1\nend_of_record\n\
            TN:b\nSF:src/a.js\nDA:2,1,checksum\nend_of_record\nSF:src/b.js\nLF:4\nLH:2\nend_of_record\n";
        let found = read("lcov.info", text, &Limits::default()).expect("a report");
        assert_eq!((found.lines_covered, found.lines, found.branches_covered, found.branches), (4, 6, 1, 2));
        assert_eq!(found.files["src/b.js"], (2, 4));
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let error = |text: &str| read("a", text, &Limits::default()).expect_err("damaged");
        assert!(matches!(error("TN:\nSF:a\nDA:1,1"), Wrong::Truncated { line: 3, .. }));
        assert!(matches!(error("TN:\nwhat"), Wrong::Unexpected { line: 2, .. }));
        assert!(matches!(error("SF:a\nDA:x,1\nend_of_record"), Wrong::Unexpected { line: 2, .. }));
    }
}
