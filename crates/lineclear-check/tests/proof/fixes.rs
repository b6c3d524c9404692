//! What repairs leave alone: the reader's judgement, the jobs, every comment, and every line that no edit touched.

use std::collections::BTreeMap;

use lineclear_check::{Checker, FileKind, Finding, Memory, Project, Safety, Settings, apply, repair};
use lineclear_source::Source;
use lineclear_workflow::{Read, Workflow};
use lineclear_yaml::Limits;

use crate::files::{Good, good, source};

/// What is wrong with the repairs of a file, one a line; nothing if all is well.
type Complaints = Vec<String>;

#[test]
fn repairs_keep_what_they_do_not_mend() {
    let files = good();
    let halves = files.split_at(files.len() / 2);
    let complaints: Complaints = std::thread::scope(|scope| {
        let other = scope.spawn(|| halves.1.iter().flat_map(of_file).collect::<Complaints>());
        let mut all: Complaints = halves.0.iter().flat_map(of_file).collect();
        all.extend(other.join().expect("the other half ends"));
        all
    });
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// A file before its repairs, and what must outlast them.
struct Before {
    source: Source,
    jobs: Vec<String>,
    comments: BTreeMap<String, usize>,
}

fn of_file(file: &Good) -> Complaints {
    let settings = Settings { fixes: true, pedantic: true, ..Settings::default() };
    let memory = Memory::default();
    let project = Project::new(&memory);
    let checker = Checker::new(&settings);
    let mut complaints = Vec::new();
    let mut complain = |what: String| complaints.push(format!("{}: {what}", file.name));
    let text = source(&file.name, &file.text);
    let before = Before { jobs: jobs(&Workflow::read(&text)), comments: comments(&text), source: text.clone() };
    for finding in checker.check(text.clone(), FileKind::Workflow, &project).findings {
        alone(&before, &finding, &mut complain);
    }
    for up_to in [Safety::Safe, Safety::Review] {
        let repaired = repair(&checker, &text, FileKind::Workflow, &project, up_to);
        for refused in &repaired.refused {
            complain(format!("{up_to:?}: was refused: {}: {}", refused.rule, refused.title));
        }
        let after = source(&file.name, &repaired.text);
        whole(&before, &after, &mut |what| complain(format!("{up_to:?}: {what}")));
        let again = repair(&checker, &after, FileKind::Workflow, &project, up_to);
        if again.text != repaired.text {
            complain(format!("{up_to:?}: a second repair makes {:?}", again.made));
        }
    }
    complaints
}

/// One fix by itself.
fn alone(before: &Before, finding: &Finding, complain: &mut dyn FnMut(String)) {
    let Some(fix) = &finding.fix else { return };
    let name = format!("{} ({})", finding.diagnostic.code, fix.title);
    let after = match apply(before.source.text(), &fix.edits) {
        Ok(after) => after,
        Err(error) => return complain(format!("{name}: {error}")),
    };
    // Lines that no edit touches come in the same order, byte for byte.
    let mut rest = after.split_inclusive('\n');
    let mut at = 0;
    for line in before.source.text().split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let touched = |edit: &lineclear_check::Edit| {
            let (from, to) = (edit.span.start as usize, edit.span.end as usize);
            to >= start && (from < end || from == end && !line.ends_with('\n'))
        };
        if !fix.edits.iter().any(touched) && !rest.any(|one| one == line) {
            return complain(format!("{name}: changes the line {line:?}"));
        }
    }
    whole(before, &Source::new(before.source.name(), after), &mut |what| complain(format!("{name}: {what}")));
}

fn whole(before: &Before, after: &Source, complain: &mut dyn FnMut(String)) {
    let read = Workflow::read(after);
    for diagnostic in read.diagnostics.iter().filter(|one| one.is_error()) {
        complain(format!("the reader finds {}: {}", diagnostic.code, diagnostic.message));
    }
    if jobs(&read) != before.jobs {
        complain("it has other jobs".into());
    }
    let kept = comments(after);
    for (comment, count) in &before.comments {
        if kept.get(comment).copied().unwrap_or_default() < *count && !is_version(comment) {
            complain(format!("the comment {comment:?} is gone"));
        }
    }
    let crlf = |source: &Source| source.text().matches("\r\n").count();
    let lines = |source: &Source| source.text().matches('\n').count();
    if crlf(&before.source) == lines(&before.source) && crlf(after) != lines(after) {
        complain("some lines end in another way than the others".into());
    }
}

/// A comment that says which version a commit is: it goes where the commit goes.
fn is_version(comment: &str) -> bool {
    comment.strip_prefix("# v").is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

fn jobs(read: &Read<Workflow>) -> Vec<String> {
    read.model.iter().flat_map(|model| &model.jobs).map(|job| job.id.value.clone()).collect()
}

/// How often each comment occurs.
fn comments(source: &Source) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let tree = lineclear_yaml::parse(source, &Limits::workflow()).tree;
    for span in tree.map(|tree| tree.comments(source.text())).unwrap_or_default() {
        *all.entry(source.slice(span).trim_end().to_owned()).or_default() += 1;
    }
    all
}
