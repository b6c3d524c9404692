//! A repository whose runs have built images: the ledger says so, and the images are in the embedded registry.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, CommitStatement, Evidence, ImageStatement, RunId,
    RunWitness, Statement, Subject, Timestamp, Witness,
};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{
    AnyManifest, Descriptor, Digest, IndexParts, ManifestParts, MediaType, Reference, RepositoryName, Tag,
};
use lineclear_registry::credentials::CredentialSource;
use lineclear_registry::{Client, ClientSettings, Credentials};
use lineclear_store::{Images, ManifestFacts, NewManifest};
use lineclear_store_folder::FolderStore;
use lineclear_testkit::{Repository, Said};
use serde_json::Value;

const CONFIG: &[u8] = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#;

pub(crate) struct House {
    pub(crate) repository: Repository,
    runs: AtomicUsize,
}

impl House {
    /// With an image `app` that is released to `to`; `latest` and `sha-…` for `main`, the tag itself for version tags.
    pub(crate) fn new(name: &str, to: &str) -> Self {
        let repository = Repository::new(name);
        repository.write(
            "lineclear.toml",
            &format!(
                "[gate.main]\nrequire = [\"CI / test\"]\n[image.app]\nrepository = \"{to}\"\ngate = \"main\"\n\
                 tags.\"refs/heads/main\" = [\"latest\", \"sha-${{short-sha}}\"]\n\
                 tags.\"refs/tags/v*\" = [\"${{tag}}\", \"sha-${{short-sha}}\"]\n\
                 [image.app.promote]\nproduction = [\"prod-${{short-sha}}\"]\n"
            ),
        );
        repository.sh("git remote add origin https://github.com/Octo/App.git");
        Self { repository, runs: AtomicUsize::new(0) }
    }

    /// A new commit on what is checked out.
    pub(crate) fn commit(&self, text: &str) -> String {
        self.repository.write("file", text);
        self.repository.commit(text);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git("git rev-parse HEAD")
    }

    pub(crate) fn git(&self, script: &str) -> String {
        let output = std::process::Command::new("bash")
            .args(["-euc", script])
            .current_dir(self.repository.root())
            .output()
            .expect("bash starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn store(&self) -> Arc<FolderStore> {
        Arc::new(FolderStore::open(self.repository.home()).expect("the store opens"))
    }

    pub(crate) fn ledger(&self) -> LedgerOf {
        LedgerOf::open(self.store(), "Octo/App")
    }

    /// A run of `commit` pushes an image with `layer` to the embedded registry, and its check ends.
    pub(crate) fn ran(&self, commit: &str, layer: &[u8], conclusion: CheckConclusion) -> Digest {
        let image = self.push_image(CONFIG, layer);
        let digest = image.digest().clone();
        self.says_of(&digest, pushed(commit, Vec::new()));
        self.checked(commit, conclusion);
        digest
    }

    /// A run of `commit` pushes an image that nobody sees it build; without a commit, one that was adjusted.
    pub(crate) fn pushes(&self, commit: &str, layer: &[u8]) -> Digest {
        let digest = self.push_image(CONFIG, layer).digest().clone();
        let Statement::Image(built) = pushed(commit, Vec::new()) else { unreachable!("it is of an image") };
        self.says_of(&digest, Statement::Image(ImageStatement { built: false, ..built }));
        digest
    }

    /// The same of an index for two platforms; gives it and its images.
    pub(crate) fn ran_index(&self, commit: &str, layer: &[u8], conclusion: CheckConclusion) -> (Digest, Vec<Digest>) {
        let arm = String::from_utf8_lossy(CONFIG).replace("amd64", "arm64");
        let images = [("linux/amd64", CONFIG), ("linux/arm64", arm.as_bytes())].map(|(platform, config)| {
            let mut descriptor = self.push_image(config, layer).descriptor();
            descriptor.platform = Some(platform.parse().expect("a platform"));
            descriptor
        });
        let children: Vec<Digest> = images.iter().map(|image| image.digest.clone()).collect();
        let index: AnyManifest = IndexParts::new(images.to_vec()).write().into();
        self.put(&index);
        self.says_of(index.digest(), pushed(commit, children.iter().map(Digest::to_string).collect()));
        self.checked(commit, conclusion);
        (index.digest().clone(), children)
    }

    /// A run of `commit` puts an index around images that are there, and pushes it; nobody sees it build them, nor, unless it is `told`, what
    /// is in it.
    pub(crate) fn ran_around(&self, commit: &str, images: &[Digest], told: bool) -> Digest {
        let name = RepositoryName::parse("octo/app").expect("a name");
        let descriptor = |digest: &Digest| {
            let kept = self.store().manifest(&name, digest).expect("the store answers").expect("it is there");
            AnyManifest::read(kept.bytes, None).expect("a manifest").descriptor()
        };
        let index: AnyManifest = IndexParts::new(images.iter().map(descriptor).collect()).write().into();
        self.put(&index);
        let Statement::Image(built) = pushed(commit, images.iter().filter(|_| told).map(Digest::to_string).collect())
        else {
            unreachable!("it is of an image")
        };
        self.says_of(index.digest(), Statement::Image(ImageStatement { built: false, ..built }));
        index.digest().clone()
    }

    fn push_image(&self, config: &[u8], layer: &[u8]) -> AnyManifest {
        let (store, name) = (self.store(), RepositoryName::parse("octo/app").expect("a name"));
        let now = Timestamp(1);
        for blob in [config, layer] {
            let upload = store.begin_push(&name, now).expect("a push begins");
            store.push(&name, &upload, None, &mut &*blob, 1 << 30).expect("it is written");
            store.finish_push(&name, &upload, &Digest::of(blob), now).expect("it is there");
        }
        let layers = vec![Descriptor::of(MediaType::OciLayer, layer)];
        let manifest: AnyManifest =
            ManifestParts::new(Descriptor::of(MediaType::OciConfig, config), layers).write().into();
        self.put(&manifest);
        manifest
    }

    fn put(&self, manifest: &AnyManifest) {
        let now = Timestamp(1);
        let new = NewManifest {
            repository: RepositoryName::parse("octo/app").expect("a name"),
            digest: manifest.digest().clone(),
            bytes: manifest.raw().to_vec(),
            facts: ManifestFacts::of(manifest, now),
            tags: Vec::new(),
            now,
        };
        self.store().put_manifest(&new).expect("it is kept");
    }

    pub(crate) fn checked(&self, commit: &str, conclusion: CheckConclusion) {
        let leg = CheckLeg { name: String::new(), conclusion, reason: String::new(), since: None };
        let check = Statement::Check(CheckStatement {
            check: "CI / test".into(),
            context: CheckContext::Push,
            legs: vec![leg],
            adjusted: Vec::new(),
        });
        let tree = Statement::Commit(CommitStatement {
            tree: self.git(&format!("git rev-parse {commit}^{{tree}}")),
            parents: Vec::new(),
        });
        let subject = Subject::Commit(commit.to_owned());
        self.state(vec![(subject.clone(), tree), (subject, check)]);
    }

    /// Something is stated of a digest.
    pub(crate) fn says_of(&self, digest: &Digest, statement: Statement) {
        self.state(vec![(Subject::Digest(digest.to_string()), statement)]);
    }

    pub(crate) fn has(&self, digest: &Digest, is: impl Fn(&Statement) -> bool) -> usize {
        let index = self.ledger().index().expect("the ledger is whole");
        index.of(&Subject::Digest(digest.to_string())).filter(|entry| is(&entry.evidence.statement)).count()
    }

    fn state(&self, statements: Vec<(Subject, Statement)>) {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) as u64 + 1;
        let by = Witness::Run(RunWitness {
            run: RunId(run),
            attempt: 1,
            file: ".github/workflows/ci.yml".into(),
            event: "push".into(),
            job: None,
        });
        let of = |(subject, statement)| Evidence { subject, at: Timestamp(1), by: by.clone(), statement };
        self.ledger().append(statements.into_iter().map(of).collect()).expect("the ledger takes it");
    }

    pub(crate) fn say(&self, args: &[&str]) -> Said {
        self.repository.say(args)
    }

    /// The exit code and the document.
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let said = self.say(&all);
        let document = serde_json::from_str(&said.stdout);
        (said.exit, document.unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr)))
    }

    /// What a tag of the embedded registry stands for.
    pub(crate) fn embedded(&self, tag: &str) -> Option<Digest> {
        let name = RepositoryName::parse("ghcr.io/octo/app").expect("a name");
        self.store().tag(&name, &Tag::parse(tag).expect("a tag")).expect("the store answers")
    }
}

/// A run says that it built and pushed an image, or an index of `children`.
fn pushed(commit: &str, children: Vec<String>) -> Statement {
    Statement::Image(ImageStatement {
        image: String::new(),
        names: vec!["octo/app:ci".into()],
        commit: commit.to_owned(),
        built: true,
        platforms: vec!["linux/amd64".into()],
        children,
        user: String::new(),
    })
}

/// The first seven digits.
pub(crate) fn short(commit: &str) -> &str {
    &commit[..7]
}

/// What a tag of a registry stands for, by the bytes it gives.
pub(crate) fn remote(address: &str, tag: &str, login: Option<(&str, &str)>) -> Option<Digest> {
    let name: Reference = format!("{address}/octo/app:{tag}").parse().expect("a name");
    let credentials: Vec<Box<dyn CredentialSource>> = login
        .map(|(user, password)| {
            let known = [(name.registry().clone(), Credentials::basic(user, password))];
            Box::new(std::collections::BTreeMap::from(known)) as Box<dyn CredentialSource>
        })
        .into_iter()
        .collect();
    let settings = ClientSettings { credentials: Arc::new(credentials), ..ClientSettings::default() };
    match Client::new(settings).expect("a client").manifest(&name) {
        Ok(manifest) => Some(Digest::of(manifest.raw())),
        Err(error) if error.is_not_found() => None,
        Err(error) => panic!("{}", lineclear_event::with_causes(&error)),
    }
}

/// Somebody sets a tag of a registry by themselves.
pub(crate) fn set_without_lineclear(address: &str, tag: &str) -> Digest {
    let name: Reference = format!("{address}/octo/app:{tag}").parse().expect("a name");
    let client = Client::new(ClientSettings::default()).expect("a client");
    let config = Descriptor::of(MediaType::OciConfig, CONFIG);
    let layer = Descriptor::of(MediaType::OciLayer, b"by hand");
    client.push_bytes(&name, &config, CONFIG).expect("it is taken");
    client.push_bytes(&name, &layer, b"by hand").expect("it is taken");
    let manifest: AnyManifest = ManifestParts::new(config, vec![layer]).write().into();
    client.push_manifest(&name, &manifest).expect("it is taken");
    manifest.digest().clone()
}

/// An address where connections are counted, and answered by nothing.
pub(crate) struct Counting {
    pub(crate) address: String,
    count: Arc<AtomicUsize>,
}

impl Counting {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        std::thread::spawn(move || {
            for _connection in listener.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, count }
    }

    pub(crate) fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
