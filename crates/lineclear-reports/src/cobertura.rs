//! Cobertura XML, also as coverage.py, coverlet, gcovr, Istanbul and tarpaulin write it.
//!
//! # Source
//! `coverage-04.dtd` of Cobertura. Lines are counted from `<class>`, since those of `<method>` are listed there again.

use lineclear_event::Coverage;

use crate::coverage::{CoverageFound, Sums};
use crate::xml::{Element, Piece, Reader};
use crate::{Limits, Wrong};

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Coverage, Wrong> {
    let mut reader = Reader::new(text, limits.depth);
    let mut found = CoverageFound::default();
    let mut whole = None;
    let mut file: Option<String> = None;
    let mut open: Vec<String> = Vec::new();
    let mut has_root = false;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Open(element) => {
                match element.name.as_str() {
                    "coverage" if !has_root => whole = Some(sums(&element)),
                    _ if !has_root => {
                        let found = format!("<{}>", element.name);
                        return Err(Wrong::Unexpected { line: element.line, found, expected: "<coverage>" });
                    }
                    "class" => {
                        file = Some(element.get("filename").or_else(|| element.get("name")).unwrap_or("?").to_owned());
                        file.iter().for_each(|file| found.mentions(file));
                    }
                    "line" if !open.iter().any(|open| open == "method") => {
                        if let Some(file) = &file {
                            line(&mut found, file, &element);
                        }
                    }
                    _ => {}
                }
                has_root = true;
                open.push(element.name);
            }
            Piece::Text(_) => {}
            Piece::Close => {
                if open.pop().is_some_and(|name| name == "class") {
                    file = None;
                }
            }
        }
    }
    if !has_root {
        let line = reader.last_line();
        return Err(Wrong::Unexpected { line, found: "the end of the file".into(), expected: "<coverage>" });
    }
    Ok(found.finish(name, whole, limits))
}

fn line(found: &mut CoverageFound, file: &str, element: &Element) {
    let Some(number) = element.number("number") else { return };
    found.line(file, number, element.number("hits").unwrap_or(0) > 0);
    // `condition-coverage="50% (1/2)"`.
    let counted = element
        .get("condition-coverage")
        .and_then(|text| text.split_once('(')?.1.split_once(')')?.0.split_once('/'))
        .and_then(|(covered, all)| Some((covered.trim().parse().ok()?, all.trim().parse().ok()?)));
    if let Some((covered, all)) = counted {
        found.branches(file, number, "", covered, all);
    }
}

fn sums(element: &Element) -> Sums {
    let number = |name| element.number(name).unwrap_or(0);
    Sums {
        lines_covered: number("lines-covered"),
        lines: number("lines-valid"),
        branches_covered: number("branches-covered"),
        branches: number("branches-valid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-18: what coverage.py writes, and its numbers.
    #[test]
    fn coverage_py() {
        let text = r#"<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.6" line-rate="0.75" branch-rate="0.5" lines-valid="4" lines-covered="3" branches-valid="2" branches-covered="1">
<sources><source>/w/src</source></sources>
<packages><package name="numerals"><classes>
<class name="roman.py" filename="numerals/roman.py"><methods><method name="f"><lines><line number="1" hits="0"/></lines></method></methods>
<lines><line number="1" hits="1"/><line number="2" hits="1" branch="true" condition-coverage="50% (1/2)" missing-branches="4"/><line number="4" hits="0"/></lines></class>
<class name="empty.py" filename="numerals/empty.py"><methods/><lines/></class>
<class name="a" filename="numerals/a.py"><lines><line number="1" hits="2"/></lines></class>
<class name="a.Inner" filename="numerals/a.py"><lines><line number="1" hits="0"/></lines></class>
</classes></package></packages></coverage>"#;
        let found = read("coverage.xml", text, &Limits::default()).expect("a report");
        assert_eq!((found.lines_covered, found.lines), (3, 4));
        assert_eq!((found.branches_covered, found.branches), (1, 2));
        assert_eq!(found.files["numerals/roman.py"], (2, 3));
        assert_eq!(found.files["numerals/a.py"], (1, 1));
        assert_eq!(found.files["numerals/empty.py"], (0, 0));
    }

    #[test]
    fn a_report_without_lines_counts_by_its_own_sums() {
        let text = "<coverage line-rate='0.5' lines-covered='5' lines-valid='10'/>";
        let found = read("a", text, &Limits::default()).expect("a report");
        assert_eq!((found.lines_covered, found.lines), (5, 10));
        assert!(matches!(read("a", "<x/>", &Limits::default()), Err(Wrong::Unexpected { line: 1, .. })));
        assert!(matches!(read("a", "<coverage>\n", &Limits::default()), Err(Wrong::Truncated { .. })));
    }
}
