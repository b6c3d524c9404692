//! Coverage, line by line, on its way to [`Coverage`].

use std::collections::BTreeMap;

use lineclear_event::Coverage;

use crate::Limits;

/// Gathers what is covered; a line that is listed twice counts once, and is covered if it is so once.
#[derive(Debug, Default)]
pub(crate) struct CoverageFound {
    files: BTreeMap<String, File>,
}

#[derive(Debug, Default)]
struct File {
    lines: BTreeMap<u64, bool>,
    branches: BTreeMap<(u64, String), (u64, u64)>,
    /// Sums, from reports that do not list lines.
    sums: Option<Sums>,
}

/// Covered and all, of lines and of branches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) lines_covered: u64,
    pub(crate) lines: u64,
    pub(crate) branches_covered: u64,
    pub(crate) branches: u64,
}

impl CoverageFound {
    pub(crate) fn line(&mut self, file: &str, line: u64, is_covered: bool) {
        *self.file(file).lines.entry(line).or_default() |= is_covered;
    }

    /// Branches that begin at a line; `id` keeps those of one line apart.
    pub(crate) fn branches(&mut self, file: &str, line: u64, id: &str, covered: u64, all: u64) {
        let known = self.file(file).branches.entry((line, id.to_owned())).or_default();
        *known = (known.0.max(covered.min(all)), known.1.max(all));
    }

    /// What a report sums up of a file, where it lists no lines.
    pub(crate) fn sums(&mut self, file: &str, sums: Sums) {
        self.file(file).sums = Some(sums);
    }

    pub(crate) fn mentions(&mut self, file: &str) {
        self.file(file);
    }

    fn file(&mut self, name: &str) -> &mut File {
        // Most calls are about the file of the call before; the look-up spares the copy of its name.
        if !self.files.contains_key(name) {
            self.files.insert(name.to_owned(), File::default());
        }
        self.files.entry(name.to_owned()).or_default()
    }

    /// `whole` is what the report says of itself; it counts where nothing is said of files.
    pub(crate) fn finish(self, name: &str, whole: Option<Sums>, limits: &Limits) -> Coverage {
        let mut total = Sums::default();
        let mut files = BTreeMap::new();
        for (file, found) in self.files {
            let sums = found.finish();
            total.lines += sums.lines;
            total.lines_covered += sums.lines_covered;
            total.branches += sums.branches;
            total.branches_covered += sums.branches_covered;
            files.insert(file, (sums.lines_covered, sums.lines));
        }
        if total.lines == 0 {
            total = whole.unwrap_or(total);
        }
        if files.len() > limits.files {
            files = files.into_iter().take(limits.files).collect();
        }
        Coverage {
            name: name.to_owned(),
            lines_covered: total.lines_covered.min(total.lines),
            lines: total.lines,
            branches_covered: total.branches_covered.min(total.branches),
            branches: total.branches,
            files,
        }
    }
}

impl File {
    fn finish(self) -> Sums {
        let told = self.sums.unwrap_or_default();
        let mut sums = Sums {
            lines: self.lines.len() as u64,
            lines_covered: self.lines.values().filter(|is_covered| **is_covered).count() as u64,
            branches: self.branches.values().map(|(_, all)| *all).fold(0, u64::saturating_add),
            branches_covered: self.branches.values().map(|(covered, _)| *covered).fold(0, u64::saturating_add),
        };
        // Numbers from the file stay small enough to be added up.
        const MOST: u64 = 1 << 40;
        if self.lines.is_empty() {
            sums.lines = told.lines.min(MOST);
            sums.lines_covered = told.lines_covered.min(sums.lines);
        }
        if self.branches.is_empty() {
            sums.branches = told.branches.min(MOST);
            sums.branches_covered = told.branches_covered.min(sums.branches);
        }
        sums.branches = sums.branches.min(MOST);
        sums.branches_covered = sums.branches_covered.min(sums.branches);
        sums
    }
}
