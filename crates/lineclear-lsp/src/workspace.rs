//! The repositories that open files belong to.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_catalog::Advisories;
use lineclear_check::{Checker, FileKind, Files, Locked, Project, Settings};
use lineclear_policy::{Date, Policy};
use lineclear_source::Source;
use lsp_types::Uri;

use crate::document::Document;

/// Gives the files of the repository at a root.
pub type OpenFiles<'o> = dyn Fn(&Path) -> Box<dyn Files> + 'o;

/// All open files, and the repositories around them.
pub(crate) struct Workspace<'o> {
    open_files: &'o OpenFiles<'o>,
    repositories: HashMap<PathBuf, Box<dyn Files>>,
    pub(crate) documents: HashMap<String, Document>,
    /// The folders that the editor works in.
    pub(crate) folders: Vec<PathBuf>,
}

impl<'o> Workspace<'o> {
    pub(crate) fn new(open_files: &'o OpenFiles<'o>, folders: Vec<PathBuf>) -> Self {
        Self { open_files, repositories: HashMap::new(), documents: HashMap::new(), folders }
    }

    /// The root of the repository that a file belongs to, the file's path in it, and what it is. `None` for a file of which nothing is known.
    pub(crate) fn locate(&self, uri: &Uri) -> Option<(PathBuf, String, FileKind)> {
        let path = path_of(uri)?;
        let marks = [".github", ".gitea", ".forgejo", "lineclear.toml", ".git"];
        let by_mark = path.ancestors().skip(1).find(|folder| marks.iter().any(|mark| folder.join(mark).exists()));
        let by_folder = self.folders.iter().find(|folder| path.starts_with(folder)).map(PathBuf::as_path);
        let root = by_mark.or(by_folder).or(path.parent())?;
        let name = path.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
        let kind = FileKind::of(&name)?;
        Some((root.to_path_buf(), name, kind))
    }

    /// The repository at `root`, opened once.
    pub(crate) fn prepare(&mut self, root: &Path) {
        if !self.repositories.contains_key(root) {
            let files = (self.open_files)(root);
            self.repositories.insert(root.to_path_buf(), files);
        }
    }

    /// Forgets what was kept of files that are not open: something outside changed.
    pub(crate) fn forget(&mut self) {
        self.repositories.clear();
        self.documents.values_mut().for_each(|document| document.findings = None);
        let roots: Vec<PathBuf> = self.documents.values().map(|document| document.root.clone()).collect();
        roots.iter().for_each(|root| self.prepare(root));
    }

    /// The files around a document: unsaved texts first.
    pub(crate) fn around(&self, root: &Path) -> Around<'_> {
        let open = self
            .documents
            .values()
            .filter(|document| document.root == root)
            .map(|document| (document.path.clone(), Arc::clone(&document.text)))
            .collect();
        Around { files: self.repositories.get(root).map(|files| &**files), open }
    }

    /// Checks the document, unless that was done since its last change.
    pub(crate) fn check(&mut self, key: &str) {
        let Some(document) = self.documents.get(key).filter(|document| document.findings.is_none()) else { return };
        let around = self.around(&document.root);
        let mut settings = Settings { fixes: true, ..Settings::default() };
        if let Some(policy) = policy(&around) {
            settings.take(&policy.check);
        }
        let project = Project::new(&around);
        let findings = Checker::new(&settings).check(document.source(), document.kind, &project).findings;
        if let Some(document) = self.documents.get_mut(key) {
            document.findings = Some(findings);
        }
    }
}

fn policy(files: &dyn Files) -> Option<Policy> {
    let text = String::from_utf8(files.read("lineclear.toml").ok()??).ok()?;
    Some(Policy::read(&Source::new("lineclear.toml", text)).0)
}

impl fmt::Debug for Workspace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("documents", &self.documents.len()).finish_non_exhaustive()
    }
}

/// A repository's files, with what is typed and not yet saved.
pub(crate) struct Around<'w> {
    files: Option<&'w dyn Files>,
    open: HashMap<String, Arc<str>>,
}

impl Files for Around<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        match (self.open.get(path), self.files) {
            (Some(text), _) => Ok(Some(text.as_bytes().to_vec())),
            (None, Some(files)) => files.read(path),
            (None, None) => Ok(None),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.open.contains_key(path) || self.files.is_some_and(|files| files.exists(path))
    }

    fn list(&self) -> Vec<String> {
        self.files.map(Files::list).unwrap_or_default()
    }

    fn remote(&self, uses: &str) -> Option<String> {
        self.files?.remote(uses)
    }

    fn advisories(&self) -> &Advisories {
        static BUILT_IN: std::sync::OnceLock<Advisories> = std::sync::OnceLock::new();
        self.files.map_or_else(|| BUILT_IN.get_or_init(Advisories::built_in), Files::advisories)
    }

    fn locked(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.files?.locked(repository, reference)
    }

    fn own_name(&self) -> Option<String> {
        self.files?.own_name()
    }

    fn today(&self) -> Option<Date> {
        self.files?.today()
    }
}

/// The path of a `file:` address.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // An authority stands before the path: none, or this machine.
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.bytes();
    while let Some(byte) = left.next() {
        if byte == b'%' {
            let digits = [left.next()?, left.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(PathBuf::from(String::from_utf8(bytes).ok()?))
}

/// The `file:` address of a path.
pub(crate) fn uri_of(path: &Path) -> Option<Uri> {
    let mut text = String::from("file://");
    for byte in path.to_str()?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_lead_to_each_other() {
        let path = Path::new("/a b/ü/100%.yml");
        let uri = uri_of(path).expect("an address");
        assert_eq!(uri.as_str(), "file:///a%20b/%C3%BC/100%25.yml");
        assert_eq!(path_of(&uri).as_deref(), Some(path));
        assert_eq!(path_of(&"untitled:Untitled-1".parse().expect("an address")), None);
    }
}
