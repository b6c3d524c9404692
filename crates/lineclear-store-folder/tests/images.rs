//! Images in the folder beside the form in memory, and sweeps that race with pushes.

use std::sync::atomic::{AtomicBool, Ordering};

use lineclear_event::Timestamp;
use lineclear_oci::{AnyManifest, Descriptor, Digest, IndexParts, ManifestParts, MediaType, RepositoryName, Tag};
use lineclear_store::contract::NOW;
use lineclear_store::contract::images::{image, keep, push, push_image, repository, tag};
use lineclear_store::{ImageError, ImageRules, Images, MemoryStore, Sweep, TagRule};
use lineclear_store_folder::FolderStore;
use proptest::collection::vec;
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "o/app", "o/app/web"];
const TAGS: [&str; 3] = ["latest", "v1", "x"];
/// Configuration and layers; the first is always there in an image.
const BLOBS: [&[u8]; 4] = [b"{}", b"one", b"two", b""];

#[derive(Clone, Debug)]
enum Deed {
    Push { name: usize, blob: usize },
    Mount { name: usize, from: usize, blob: usize },
    Image { name: usize, layer: usize, tags: Vec<usize>, rule: bool },
    Index { name: usize, of: usize, tag: usize },
    Refer { name: usize, to: usize },
    Tag { name: usize, tag: usize, layer: usize, rule: bool },
    RemoveTag { name: usize, tag: usize },
    RemoveImage { name: usize, layer: usize },
    RemoveBlob { name: usize, blob: usize },
    Protect { layer: usize, ends: bool },
    Sweep { days: i64, untagged_days: i64 },
    Wait { days: i64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    let (name, blob, a_tag) = (0..NAMES.len(), 0..BLOBS.len(), 0..TAGS.len());
    let layer = 1..BLOBS.len();
    prop_oneof![
        6 => (name.clone(), blob.clone()).prop_map(|(name, blob)| Deed::Push { name, blob }),
        2 => (name.clone(), name.clone(), blob.clone()).prop_map(|(name, from, blob)| Deed::Mount { name, from, blob }),
        6 => (name.clone(), layer.clone(), vec(a_tag.clone(), 0..3), any::<bool>())
            .prop_map(|(name, layer, tags, rule)| Deed::Image { name, layer, tags, rule }),
        2 => (name.clone(), layer.clone(), a_tag.clone()).prop_map(|(name, of, tag)| Deed::Index { name, of, tag }),
        2 => (name.clone(), layer.clone()).prop_map(|(name, to)| Deed::Refer { name, to }),
        2 => (name.clone(), a_tag.clone(), layer.clone(), any::<bool>())
            .prop_map(|(name, tag, layer, rule)| Deed::Tag { name, tag, layer, rule }),
        2 => (name.clone(), a_tag).prop_map(|(name, tag)| Deed::RemoveTag { name, tag }),
        1 => (name.clone(), layer.clone()).prop_map(|(name, layer)| Deed::RemoveImage { name, layer }),
        1 => (name, blob).prop_map(|(name, blob)| Deed::RemoveBlob { name, blob }),
        1 => (layer, any::<bool>()).prop_map(|(layer, ends)| Deed::Protect { layer, ends }),
        3 => (0..3_i64, 0..3_i64).prop_map(|(days, untagged_days)| Deed::Sweep { days, untagged_days }),
        2 => (0..3_i64).prop_map(|days| Deed::Wait { days }),
    ]
}

fn index(of: usize) -> AnyManifest {
    let child = image(&[BLOBS[of]]);
    IndexParts::new(vec![Descriptor::new(MediaType::OciManifest, child.digest().clone(), 1)]).write().into()
}

fn referrer(to: usize) -> AnyManifest {
    let subject = image(&[BLOBS[to]]).descriptor();
    let parts = ManifestParts::new(Descriptor::of(MediaType::OciConfig, b"{}"), Vec::new());
    ManifestParts { subject: Some(subject), ..parts }.write().into()
}

/// Does it; what came of it as text, errors included.
fn carry_out(store: &dyn Images, deed: &Deed, now: &mut Timestamp) -> String {
    const DAY: i64 = lineclear_store::DAY_MS;
    let name = |at: usize| repository(NAMES[at]);
    let of = |at: usize| Digest::of(BLOBS[at]);
    match deed {
        Deed::Push { name: at, blob } => push(store, &name(*at), BLOBS[*blob], *now).to_string(),
        Deed::Mount { name: at, from, blob } => {
            let from = name(*from);
            format!("{:?}", store.mount_blob(&name(*at), &of(*blob), &|other| *other == from, *now))
        }
        Deed::Image { name: at, layer, tags, rule } => {
            let manifest = image(&[BLOBS[*layer]]);
            let rule = if *rule { TagRule::Moves } else { TagRule::Stays };
            let new = lineclear_store::NewManifest {
                repository: name(*at),
                digest: manifest.digest().clone(),
                bytes: manifest.raw().to_vec(),
                facts: lineclear_store::ManifestFacts::of(&manifest, *now),
                tags: tags.iter().map(|at| (tag(TAGS[*at]), rule)).collect(),
                now: *now,
            };
            format!("{:?}", store.put_manifest(&new))
        }
        Deed::Index { name: at, of, tag } => format!("{:?}", keep(store, &name(*at), &index(*of), &[TAGS[*tag]], *now)),
        Deed::Refer { name: at, to } => format!("{:?}", keep(store, &name(*at), &referrer(*to), &[], *now)),
        Deed::Tag { name: at, tag: to, layer, rule } => {
            let rule = if *rule { TagRule::Moves } else { TagRule::Stays };
            format!("{:?}", store.set_tag(&name(*at), &tag(TAGS[*to]), image(&[BLOBS[*layer]]).digest(), rule, *now))
        }
        Deed::RemoveTag { name: at, tag: to } => format!("{:?}", store.remove_tag(&name(*at), &tag(TAGS[*to]))),
        Deed::RemoveImage { name: at, layer } => {
            let removed = store.remove_manifest(&name(*at), image(&[BLOBS[*layer]]).digest());
            removed.map_or_else(|_| "in use".into(), |removed| removed.to_string())
        }
        Deed::RemoveBlob { name: at, blob } => {
            let removed = store.remove_blob(&name(*at), &of(*blob));
            removed.map_or_else(|_| "in use".into(), |removed| removed.to_string())
        }
        Deed::Protect { layer, ends: false } => {
            format!("{:?}", store.protect(image(&[BLOBS[*layer]]).digest(), "kept"))
        }
        Deed::Protect { layer, ends: true } => format!("{:?}", store.unprotect(image(&[BLOBS[*layer]]).digest())),
        Deed::Sweep { days, untagged_days } => {
            let rules = ImageRules { untagged_ms: Some(untagged_days * DAY), grace_ms: days * DAY };
            let swept = store.sweep_images(*now, &rules, Sweep::Now).expect("a sweep");
            format!("{:?} {}", swept.manifests, swept.blobs)
        }
        Deed::Wait { days } => {
            *now = now.plus_millis(days * DAY + 1);
            String::new()
        }
    }
}

/// Everything that a client could see.
fn seen(store: &dyn Images) -> String {
    let mut text = format!("{:?} {:?}\n", store.repositories(), store.protected());
    for name in NAMES.map(repository) {
        text.push_str(&format!("{name} {:?} {:?}\n", store.tags(&name), store.manifests(&name)));
        for a_tag in TAGS.map(tag) {
            text.push_str(&format!("{:?} ", store.tag(&name, &a_tag)));
        }
        for layer in &BLOBS[1..] {
            let digest = image(&[*layer]).digest().clone();
            text.push_str(&format!("{:?} {:?}\n", store.manifest(&name, &digest), store.referrers(&name, &digest)));
        }
        for blob in BLOBS {
            let size = store.open_blob(&name, &Digest::of(blob)).expect("the store answers").map(|open| open.size);
            text.push_str(&format!("{size:?} "));
        }
    }
    text
}

/// What must never be otherwise: a tag leads to a manifest, and that to blobs and manifests which are there.
fn check_whole(store: &dyn Images, name: &RepositoryName, digest: &Digest) {
    let kept = store.manifest(name, digest).expect("the store answers");
    let kept = kept.unwrap_or_else(|| panic!("{name}@{digest} is not there"));
    assert_eq!(Digest::of(&kept.bytes), *digest);
    for blob in &kept.facts.blobs {
        let open = store.open_blob(name, blob).expect("the store answers");
        let mut open = open.unwrap_or_else(|| panic!("{blob} of {name}@{digest} is not there"));
        let mut bytes = vec![0; usize::try_from(open.size).expect("it is small")];
        let read = open.content.read_at(0, &mut bytes).expect("it is sound");
        assert_eq!(Digest::of(&bytes[..read]), *blob);
    }
    kept.facts.manifests.iter().for_each(|child| check_whole(store, name, child));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_folder_does_what_memory_does(deeds in vec(deed(), 1..40)) {
        let place = tempfile::tempdir().expect("a folder");
        let (memory, mut folder) = (MemoryStore::new(), FolderStore::open(place.path()).expect("a store"));
        let (mut now, mut other) = (NOW, NOW);
        for (number, deed) in deeds.iter().enumerate() {
            let expected = carry_out(&memory, deed, &mut now);
            prop_assert_eq!(carry_out(&folder, deed, &mut other), expected, "{:?}", deed);
            if number % 7 == 6 {
                // Another process knows no less.
                folder = FolderStore::open(place.path()).expect("a store");
            }
        }
        prop_assert_eq!(seen(&folder), seen(&memory));
        for name in NAMES.map(repository) {
            for a_tag in folder.tags(&name).expect("the store answers").unwrap_or_default() {
                let digest = folder.tag(&name, &a_tag).expect("the store answers").expect("it is listed");
                // Removing a part of an index by hand is allowed; all else leaves images whole.
                if !deeds.iter().any(|deed| matches!(deed, Deed::RemoveImage { .. })) {
                    check_whole(&folder, &name, &digest);
                }
            }
        }
        let damaged = folder.verify_images(&mut |_| ()).expect("everything is read");
        prop_assert!(damaged.is_empty(), "{:?}", damaged);
    }
}

/// Pushes as a client does: what is missing when the manifest comes is pushed again.
fn push_until_it_is_there(store: &FolderStore, name: &RepositoryName, layers: &[&[u8]], to: &str) -> Digest {
    for _ in 0..1000 {
        for blob in [&[b"{}".as_slice()], layers].concat() {
            let digest = Digest::of(blob);
            if store.blob(name, &digest, NOW).expect("the store answers").is_none() {
                push(store, name, blob, NOW);
            }
        }
        match keep(store, name, &image(layers), &[to], NOW) {
            Ok(digest) => return digest,
            // A sweep without any time of grace came between.
            Err(ImageError::Missing { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the sweeps left no room");
}

#[test]
fn sweeps_that_race_with_pushes_take_nothing_that_a_tag_leads_to() {
    let place = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(place.path()).expect("a store");
    let done = AtomicBool::new(false);
    let rules = ImageRules { untagged_ms: Some(0), grace_ms: 0 };
    let pushed: Vec<Vec<(RepositoryName, Tag, Digest)>> = std::thread::scope(|scope| {
        let sweeper = scope.spawn(|| {
            let other = FolderStore::open(place.path()).expect("a store of another process");
            let mut sweeps = 0;
            while !done.load(Ordering::SeqCst) {
                other.sweep_images(NOW.plus_millis(1), &rules, Sweep::Now).expect("a sweep");
                sweeps += 1;
            }
            sweeps
        });
        let pushers: Vec<_> = (0..3_u8)
            .map(|pusher| {
                let store = &store;
                scope.spawn(move || {
                    let name = repository(NAMES[usize::from(pusher) % 2]);
                    let mut pushed = Vec::new();
                    for round in 0..25_u8 {
                        let own = [pusher, round];
                        let to = format!("t{pusher}-{round}");
                        let digest = push_until_it_is_there(store, &name, &[b"shared", &own], &to);
                        pushed.push((name.clone(), tag(&to), digest));
                    }
                    pushed
                })
            })
            .collect();
        let pushed = pushers.into_iter().map(|pusher| pusher.join().expect("it pushes")).collect();
        done.store(true, Ordering::SeqCst);
        assert!(sweeper.join().expect("it sweeps") > 0);
        pushed
    });
    for (name, a_tag, digest) in pushed.into_iter().flatten() {
        assert_eq!(store.tag(&name, &a_tag).expect("the store answers"), Some(digest.clone()));
        check_whole(&store, &name, &digest);
    }
}

/// An upload that is going on loses nothing to a sweep, however long it takes.
#[test]
fn a_push_that_is_going_on_is_not_swept() {
    struct SweepsWhileRead<'s>(&'s FolderStore, usize);
    impl std::io::Read for SweepsWhileRead<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let rules = ImageRules { untagged_ms: Some(0), grace_ms: 0 };
            self.0.sweep_images(NOW.plus_millis(400 * lineclear_store::DAY_MS), &rules, Sweep::Now).expect("a sweep");
            let length = into.len().min(self.1);
            into[..length].fill(7);
            self.1 -= length;
            Ok(length)
        }
    }
    let place = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(place.path()).expect("a store");
    let name = repository("o/app");
    let upload = store.begin_push(&name, NOW).expect("a push begins");
    store.push(&name, &upload, None, &mut SweepsWhileRead(&store, 1_000_000), u64::MAX).expect("all of it comes");
    let digest = Digest::of(&vec![7; 1_000_000]);
    assert_eq!(store.finish_push(&name, &upload, &digest, NOW).expect("the push ends"), 1_000_000);
}

/// Row: blobs are shared with artifacts and caches.
#[test]
fn a_layer_and_an_artifact_of_the_same_bytes_are_one_file() {
    use std::os::unix::fs::MetadataExt;

    use lineclear_event::RunId;
    use lineclear_store::{Archives, NewArchive};

    let place = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(place.path()).expect("a store");
    let layer = lineclear_store::contract::noise(1, 3_000_000);
    let artifact = |name: &str| {
        let upload = store.begin_upload(NOW).expect("an upload begins");
        store.put_block(&upload, "only", &mut layer.as_slice()).expect("a block is kept");
        store.assemble(&upload, &["only".into()]).expect("it is assembled");
        let content_type = "application/octet-stream".into();
        let (name, digest) = (name.into(), None);
        let new = NewArchive {
            run: RunId(7),
            name,
            upload,
            content_type,
            digest,
            overwrite: false,
            retention_days: None,
            now: NOW,
        };
        store.keep_artifact(&new).expect("it is kept");
    };
    artifact("before");
    push_image(&store, &repository("o/app"), &[&layer], &["1"], NOW);
    artifact("after");
    let digest = Digest::of(&layer);
    let content = place.path().join("images/sha256").join(&digest.hex()[..2]).join(digest.hex());
    assert_eq!(std::fs::metadata(&content).expect("it is there").nlink(), 3, "one file with three names");
}

/// A process that is being started has the files of this one open until its program runs, and with them their locks.
#[test]
fn the_next_piece_of_a_push_may_follow_at_once_though_programs_are_started_beside() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(folder.path()).expect("a store");
    let (name, done) = (repository("a"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().expect("it runs");
                }
            });
        }
        let pushed: Result<(), ImageError> = (0..300).try_for_each(|_| {
            let upload = store.begin_push(&name, NOW)?;
            for piece in [b"one".as_slice(), b"two"] {
                store.push(&name, &upload, None, &mut &*piece, 1 << 20)?;
            }
            store.finish_push(&name, &upload, &Digest::of(b"onetwo"), NOW).map(drop)
        });
        done.store(true, Ordering::Relaxed);
        pushed.expect("nobody else pushes");
    });
}
