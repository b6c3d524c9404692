//! The least that checking YAML files can cost: each file of a folder read and parsed into events, on one thread, and nothing done with them.
//!
//! `cargo run --release -p lineclear-yaml --example event_floor -- FOLDER`

#![expect(clippy::print_stdout, reason = "a tool for developers")]

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_default();
    let (mut files, mut events) = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        files += 1;
        events += granit_parser::Parser::new_from_str(&text).take_while(Result::is_ok).count();
    }
    println!("{files} files, {events} events");
}
