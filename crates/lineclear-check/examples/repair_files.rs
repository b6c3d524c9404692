//! Repairs copies of the files of a list in memory, and says where repairs are refused, fight with each other, or lead to new findings.
//!
//! `cargo run --release -p lineclear-check --example repair_files -- LIST [--review] [--pedantic] [--show]`

#![expect(clippy::print_stdout, reason = "a tool for developers")]

use std::collections::BTreeMap;

use lineclear_check::{Checker, FileKind, Memory, Project, Safety, Settings, repair};
use lineclear_source::Source;

fn main() {
    let (flags, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let Some(list) = words.first() else { panic!("name a file with a list of paths") };
    let has = |name: &str| flags.iter().any(|flag| flag == name);
    let settings = Settings { pedantic: has("--pedantic"), fixes: true, ..Settings::default() };
    let up_to = if has("--review") { Safety::Review } else { Safety::Safe };
    let checker = Checker::new(&settings);
    let memory = Memory::default();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in std::fs::read_to_string(list).expect("the list can be read").lines() {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let name = path.find("/.github/").map_or(path, |at| &path[at + 1..]);
        let Some(kind) = FileKind::of(name) else { continue };
        let project = Project::new(&memory);
        let before = checker.check(Source::new(name, text.as_str()), kind, &project).findings;
        let repaired = repair(&checker, &Source::new(name, text), kind, &project, up_to);
        for made in &repaired.made {
            *counts.entry(format!("made     {}", made.rule)).or_default() += 1;
        }
        for refused in &repaired.refused {
            *counts.entry(format!("refused  {}", refused.rule)).or_default() += 1;
            println!("{path}: refused [{}] {}", refused.rule, refused.title);
        }
        let source = Source::new(name, repaired.text.as_str());
        let after = checker.check(source.clone(), kind, &project).findings;
        let number = |findings: &[lineclear_check::Finding], rule: &str| {
            findings.iter().filter(|finding| finding.diagnostic.code == rule).count()
        };
        let mut rules: Vec<&str> = after.iter().map(|finding| &*finding.diagnostic.code).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules.into_iter().filter(|rule| number(&after, rule) > number(&before, rule)) {
            *counts.entry(format!("new      {rule}")).or_default() += 1;
            println!("{path}: new findings [{rule}]");
        }
        for made in repair(&checker, &source, kind, &project, up_to).made {
            *counts.entry(format!("endless  {}", made.rule)).or_default() += 1;
            println!("{path}: again [{}] {}", made.rule, made.title);
        }
        if has("--show") && !repaired.made.is_empty() {
            println!("=== {path}\n{}", repaired.text);
        }
    }
    for (what, count) in counts {
        println!("-- {count:6} {what}");
    }
}
