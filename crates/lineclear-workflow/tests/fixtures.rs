//! Every fixture without recorded findings must read without any.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lineclear_source::{Diagnostic, Source, Style, render};
use lineclear_workflow::{Action, Workflow};

fn read(path: &Path) -> (Source, Vec<Diagnostic>) {
    let text = std::fs::read_to_string(path).expect("the fixture can be read");
    let source = Source::new(path.display().to_string(), text);
    let diagnostics = match path.file_name().and_then(|name| name.to_str()) {
        Some("action.yml") => Action::read(&source).diagnostics,
        _ => Workflow::read(&source).diagnostics,
    };
    (source, diagnostics)
}

#[test]
fn fixtures_read_without_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut read_files = 0;
    let mut report = String::new();
    let folders = std::fs::read_dir(&root).expect("the fixtures are there").flatten().map(|entry| entry.path());
    for folder in folders.filter(|folder| !folder.join("findings.snap").exists()) {
        let files: [PathBuf; 2] = [folder.join("workflow.yml"), folder.join("action.yml")];
        for file in files.iter().filter(|file| file.exists()) {
            let (source, diagnostics) = read(file);
            read_files += 1;
            for found in &diagnostics {
                let _ = write!(report, "{}", render(found, &source, Style::Plain));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(read_files >= 25, "only {read_files} fixtures were found below {}", root.display());
}
