//! JaCoCo's XML.
//!
//! # Source
//! `report.dtd` of JaCoCo 1.1: counters of a `sourcefile` by kind, with what is missed and what is covered.

use lineclear_event::Coverage;

use crate::coverage::{CoverageFound, Sums};
use crate::xml::{Element, Piece, Reader};
use crate::{Limits, Wrong};

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Coverage, Wrong> {
    let mut reader = Reader::new(text, limits.depth);
    let mut found = CoverageFound::default();
    let (mut whole, mut of_file) = (Sums::default(), Sums::default());
    let mut open: Vec<(String, String)> = Vec::new();
    let mut has_root = false;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Open(element) => {
                if !has_root && element.name != "report" {
                    let found = format!("<{}>", element.name);
                    return Err(Wrong::Unexpected { line: element.line, found, expected: "<report>" });
                }
                has_root = true;
                match (element.name.as_str(), open.last().map(|(name, _)| name.as_str())) {
                    ("sourcefile", _) => of_file = Sums::default(),
                    ("counter", Some("sourcefile")) => count(&mut of_file, &element),
                    ("counter", Some("report")) => count(&mut whole, &element),
                    _ => {}
                }
                let called = element.owned("name");
                open.push((element.name, called));
            }
            Piece::Text(_) => {}
            Piece::Close => {
                let Some((kind, file)) = open.pop() else { continue };
                if kind == "sourcefile" {
                    let package = open.iter().rev().find(|(kind, _)| kind == "package").map(|(_, name)| name.as_str());
                    let path = package.filter(|name| !name.is_empty()).map(|package| format!("{package}/{file}"));
                    found.sums(path.as_deref().unwrap_or(&file), of_file);
                }
            }
        }
    }
    if !has_root {
        let line = reader.last_line();
        return Err(Wrong::Unexpected { line, found: "the end of the file".into(), expected: "<report>" });
    }
    Ok(found.finish(name, Some(whole), limits))
}

fn count(sums: &mut Sums, element: &Element) {
    let covered = element.number("covered").unwrap_or(0);
    let all = covered.saturating_add(element.number("missed").unwrap_or(0));
    match element.get("type") {
        Some("LINE") => (sums.lines_covered, sums.lines) = (covered, all),
        Some("BRANCH") => (sums.branches_covered, sums.branches) = (covered, all),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_source_files_are_summed() {
        let text = r#"<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="a"><package name="com/acme"><class name="com/acme/A"><counter type="LINE" missed="9" covered="9"/></class>
<sourcefile name="A.java"><line nr="1" mi="0" ci="1" mb="0" cb="0"/><counter type="LINE" missed="1" covered="3"/><counter type="BRANCH" missed="1" covered="1"/></sourcefile>
<counter type="LINE" missed="1" covered="3"/></package><counter type="LINE" missed="1" covered="3"/></report>"#;
        let found = read("jacoco.xml", text, &Limits::default()).expect("a report");
        assert_eq!((found.lines_covered, found.lines, found.branches_covered, found.branches), (3, 4, 1, 2));
        assert_eq!(found.files["com/acme/A.java"], (3, 4));
    }
}
