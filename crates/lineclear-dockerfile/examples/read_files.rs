//! Reads the Dockerfiles of a list, one path a line, and prints what is wrong with them: for trying the reader on many files.

#![expect(clippy::print_stdout, reason = "a tool for developers")]

use lineclear_dockerfile::Dockerfile;
use lineclear_source::{Source, Style, render};

fn main() {
    let list = std::env::args().nth(1).expect("name a file with a list of paths");
    for path in std::fs::read_to_string(list).expect("the list can be read").lines() {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let source = Source::new(path, text);
        for finding in Dockerfile::read(&source).1 {
            println!("{}", render(&finding, &source, Style::Plain));
        }
    }
}
