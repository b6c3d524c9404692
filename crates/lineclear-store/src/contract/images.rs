//! What stores promise of images.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;

use lineclear_event::Timestamp;
use lineclear_oci::{AnyManifest, Descriptor, Digest, IndexParts, ManifestParts, MediaType, RepositoryName, Tag};

use super::{NOW, Promise, WholeStore, noise};
use crate::{ImageError, ImageRules, Images, ManifestFacts, NewManifest, Sweep, TagRule, UploadId};

const NO_LIMIT: u64 = u64::MAX;

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("a_pushed_blob_is_given_back", a_pushed_blob_is_given_back),
        ("a_blob_is_seen_only_where_it_was_pushed", a_blob_is_seen_only_where_it_was_pushed),
        ("chunks_come_in_order", chunks_come_in_order),
        ("what_came_before_a_break_stays", what_came_before_a_break_stays),
        ("another_digest_ends_a_push", another_digest_ends_a_push),
        ("a_push_has_its_limit", a_push_has_its_limit),
        ("a_manifest_needs_what_it_names", a_manifest_needs_what_it_names),
        ("tags_move_unless_they_stay", tags_move_unless_they_stay),
        ("removed_is_gone_and_its_tags_with_it", removed_is_gone_and_its_tags_with_it),
        ("referrers_are_found_by_their_subject", referrers_are_found_by_their_subject),
        ("a_sweep_takes_what_nothing_needs", a_sweep_takes_what_nothing_needs),
        ("a_sweep_leaves_what_is_young", a_sweep_leaves_what_is_young),
        ("what_is_protected_stays", what_is_protected_stays),
        ("images_and_archives_share_contents", images_and_archives_share_contents),
        ("sound_images_verify", sound_images_verify),
    ]
}

/// The repository of most tests.
pub fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).expect("a name")
}

pub fn tag(text: &str) -> Tag {
    Tag::parse(text).expect("a tag")
}

/// Pushes a blob in one piece.
pub fn push(store: &dyn Images, name: &RepositoryName, bytes: &[u8], now: Timestamp) -> Digest {
    let upload = store.begin_push(name, now).expect("a push begins");
    let came = store.push(name, &upload, Some(0), &mut &*bytes, NO_LIMIT).expect("the bytes are taken");
    assert_eq!(came, bytes.len() as u64);
    let digest = Digest::of(bytes);
    let size = store.finish_push(name, &upload, &digest, now).expect("the push ends");
    assert_eq!(size, bytes.len() as u64);
    digest
}

/// Keeps a manifest under tags that move.
pub fn keep(
    store: &dyn Images,
    name: &RepositoryName,
    manifest: &AnyManifest,
    tags: &[&str],
    now: Timestamp,
) -> Result<Digest, ImageError> {
    keep_by(store, name, manifest, tags, TagRule::Moves, now)
}

fn keep_by(
    store: &dyn Images,
    name: &RepositoryName,
    manifest: &AnyManifest,
    tags: &[&str],
    rule: TagRule,
    now: Timestamp,
) -> Result<Digest, ImageError> {
    store.put_manifest(&NewManifest {
        repository: name.clone(),
        digest: manifest.digest().clone(),
        bytes: manifest.raw().to_vec(),
        facts: ManifestFacts::of(manifest, now),
        tags: tags.iter().map(|text| (tag(text), rule)).collect(),
        now,
    })?;
    Ok(manifest.digest().clone())
}

/// The manifest of an image with these layers; the configuration is `{}`.
pub fn image(layers: &[&[u8]]) -> AnyManifest {
    let layers = layers.iter().map(|layer| Descriptor::of(MediaType::OciLayer, layer)).collect();
    ManifestParts::new(Descriptor::of(MediaType::OciConfig, b"{}"), layers).write().into()
}

/// Pushes an image of these layers under tags.
pub fn push_image(
    store: &dyn Images,
    name: &RepositoryName,
    layers: &[&[u8]],
    tags: &[&str],
    now: Timestamp,
) -> Digest {
    push(store, name, b"{}", now);
    layers.iter().for_each(|layer| drop(push(store, name, layer, now)));
    keep(store, name, &image(layers), tags, now).expect("the manifest is kept")
}

fn read(store: &dyn Images, name: &RepositoryName, digest: &Digest) -> Option<Vec<u8>> {
    let mut open = store.open_blob(name, digest).expect("the store answers")?;
    let mut bytes = vec![0; usize::try_from(open.size).expect("it is small")];
    let mut done = 0;
    while done < bytes.len() {
        let read = open.content.read_at(done as u64, &mut bytes[done..]).expect("it is sound");
        assert!(read > 0, "it is as long as was said");
        done += read;
    }
    assert_eq!(open.content.read_at(open.size, &mut [0; 8]).expect("the end can be read"), 0);
    Some(bytes)
}

fn later(milliseconds: i64) -> Timestamp {
    NOW.plus_millis(milliseconds)
}

/// A day and a bit.
const DAY: i64 = crate::DAY_MS + 1;

fn sweep<S: Images>(store: &S, now: Timestamp) -> crate::ImageSweep {
    let rules = ImageRules { untagged_ms: Some(0), ..ImageRules::default() };
    let foreseen = store.sweep_images(now, &rules, Sweep::Foresee).expect("a sweep is foreseen");
    let swept = store.sweep_images(now, &rules, Sweep::Now).expect("a sweep");
    assert_eq!(foreseen.manifests, swept.manifests, "what is foreseen is what goes");
    swept
}

fn a_pushed_blob_is_given_back<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("a/b");
    for length in [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000] {
        let bytes = noise(length as u64, length);
        let digest = push(store, &name, &bytes, NOW);
        assert_eq!(store.blob(&name, &digest, NOW).expect("the store answers"), Some(length as u64));
        assert!(read(store, &name, &digest).as_deref() == Some(&*bytes), "{length} bytes come back");
        let mut open = store.open_blob(&name, &digest).expect("the store answers").expect("it is there");
        let at = length / 2;
        let mut part = [0; 100];
        let read = open.content.read_at(at as u64, &mut part).expect("a part can be read");
        assert_eq!(part[..read], bytes[at..(at + read).min(length)], "a part from the middle");
    }
    let again = push(store, &name, b"", NOW);
    assert_eq!(store.blob(&name, &again, NOW).expect("the store answers"), Some(0), "twice is as good as once");
}

fn a_blob_is_seen_only_where_it_was_pushed<S: WholeStore>(store: &S, _: &Path) {
    let (here, there) = (repository("o/here"), repository("o/there"));
    let digest = push(store, &here, b"secret", NOW);
    assert_eq!(store.blob(&there, &digest, NOW).expect("the store answers"), None);
    assert!(read(store, &there, &digest).is_none());
    let nobody = store.mount_blob(&there, &digest, &|_| false, NOW).expect("the store answers");
    assert_eq!(nobody, None, "from where one may not pull nothing is mounted");
    let mounted = store.mount_blob(&there, &digest, &|name| *name == here, NOW).expect("the store answers");
    assert_eq!(mounted, Some(6));
    assert_eq!(read(store, &there, &digest).as_deref(), Some(b"secret".as_slice()));
    assert!(store.remove_blob(&here, &digest).expect("it is removed"));
    assert!(!store.remove_blob(&here, &digest).expect("the store answers"), "it is gone");
    assert_eq!(read(store, &there, &digest).as_deref(), Some(b"secret".as_slice()), "each repository has its own");
    let unknown = Digest::of(b"never pushed");
    assert_eq!(store.mount_blob(&there, &unknown, &|_| true, NOW).expect("the store answers"), None);
}

fn chunks_come_in_order<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("a");
    let upload = store.begin_push(&name, NOW).expect("a push begins");
    assert_eq!(store.pushed_bytes(&name, &upload).expect("it is known"), 0);
    assert_eq!(store.push(&name, &upload, Some(0), &mut b"one ".as_slice(), NO_LIMIT).expect("taken"), 4);
    for wrong in [0, 3, 5] {
        let refused = store.push(&name, &upload, Some(wrong), &mut b"x".as_slice(), NO_LIMIT);
        assert!(matches!(refused, Err(ImageError::OutOfOrder { expected: 4, .. })), "{refused:?}");
    }
    assert_eq!(store.push(&name, &upload, None, &mut b"two".as_slice(), NO_LIMIT).expect("taken"), 7);
    assert_eq!(store.pushed_bytes(&name, &upload).expect("it is known"), 7);
    let elsewhere = store.pushed_bytes(&repository("b"), &upload);
    assert!(matches!(elsewhere, Err(ImageError::UnknownUpload)), "{elsewhere:?}");
    let digest = Digest::of(b"one two");
    store.finish_push(&name, &upload, &digest, NOW).expect("the push ends");
    assert_eq!(read(store, &name, &digest).as_deref(), Some(b"one two".as_slice()));
    let ended = store.push(&name, &upload, None, &mut b"x".as_slice(), NO_LIMIT);
    assert!(matches!(ended, Err(ImageError::UnknownUpload)), "{ended:?}");
    for strange in ["", "..", "../../lock", &"0".repeat(43), "x"] {
        let unknown = store.pushed_bytes(&name, &UploadId(strange.into()));
        assert!(matches!(unknown, Err(ImageError::UnknownUpload)), "{strange}: {unknown:?}");
    }
    let cancelled = store.begin_push(&name, NOW).expect("a push begins");
    store.cancel_push(&name, &cancelled).expect("it is forgotten");
    assert!(matches!(store.pushed_bytes(&name, &cancelled), Err(ImageError::UnknownUpload)));
}

/// A client whose connection ends after these bytes.
struct Breaks(&'static [u8]);

impl Read for Breaks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "gone")),
            read => Ok(read),
        }
    }
}

fn what_came_before_a_break_stays<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("a");
    let upload = store.begin_push(&name, NOW).expect("a push begins");
    let broken = store.push(&name, &upload, Some(0), &mut Breaks(b"half"), NO_LIMIT);
    assert!(matches!(broken, Err(ImageError::Sender(_))), "{broken:?}");
    assert_eq!(store.pushed_bytes(&name, &upload).expect("it is known"), 4);
    store.push(&name, &upload, Some(4), &mut b" and half".as_slice(), NO_LIMIT).expect("it goes on");
    let digest = Digest::of(b"half and half");
    store.finish_push(&name, &upload, &digest, NOW).expect("the push ends");
    assert_eq!(read(store, &name, &digest).as_deref(), Some(b"half and half".as_slice()));
}

fn another_digest_ends_a_push<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("a");
    let upload = store.begin_push(&name, NOW).expect("a push begins");
    store.push(&name, &upload, None, &mut b"this".as_slice(), NO_LIMIT).expect("taken");
    let said = Digest::of(b"that");
    match store.finish_push(&name, &upload, &said, NOW) {
        Err(ImageError::WrongDigest { came, .. }) => assert_eq!(came, Digest::of(b"this")),
        other => panic!("another digest was not refused: {other:?}"),
    }
    assert_eq!(store.blob(&name, &said, NOW).expect("the store answers"), None);
    assert_eq!(store.blob(&name, &Digest::of(b"this"), NOW).expect("the store answers"), None);
    assert!(matches!(store.pushed_bytes(&name, &upload), Err(ImageError::UnknownUpload)), "the push is over");
    let long = lineclear_oci::Algorithm::Sha512.digest(b"x");
    let refused = store.blob(&name, &long, NOW);
    assert!(matches!(refused, Err(ImageError::Algorithm { .. })), "{refused:?}");
}

fn a_push_has_its_limit<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("a");
    let upload = store.begin_push(&name, NOW).expect("a push begins");
    let refused = store.push(&name, &upload, None, &mut noise(1, 9000).as_slice(), 8999);
    assert!(matches!(refused, Err(ImageError::TooLarge { limit: 8999 })), "{refused:?}");
    assert!(store.pushed_bytes(&name, &upload).expect("it is known") <= 8999);
}

fn a_manifest_needs_what_it_names<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let manifest = image(&[b"layer"]);
    let config = push(store, &name, b"{}", NOW);
    match keep(store, &name, &manifest, &["1"], NOW) {
        Err(ImageError::Missing { digests }) => assert_eq!(digests, [Digest::of(b"layer")]),
        other => panic!("a manifest without its layer was taken: {other:?}"),
    }
    assert_eq!(store.tags(&name).expect("the store answers"), None, "nothing of it is there");
    push(store, &repository("o/other"), b"layer", NOW);
    assert!(keep(store, &name, &manifest, &["1"], NOW).is_err(), "another repository's layer is none of this one");
    push(store, &name, b"layer", NOW);
    let digest = keep(store, &name, &manifest, &["1", "latest"], NOW).expect("it is kept");
    assert_eq!(store.tags(&name).expect("the store answers"), Some(vec![tag("1"), tag("latest")]));
    assert_eq!(store.tag(&name, &tag("1")).expect("the store answers"), Some(digest.clone()));
    let kept = store.manifest(&name, &digest).expect("the store answers").expect("it is there");
    assert_eq!(kept.bytes, manifest.raw());
    assert_eq!(kept.facts, ManifestFacts::of(&manifest, NOW));
    assert_eq!(store.repositories().expect("the store answers"), std::slice::from_ref(&name));
    let in_use = store.remove_blob(&name, &config);
    assert!(matches!(in_use, Err(ImageError::InUse { .. })), "{in_use:?}");

    let child = Descriptor::new(MediaType::OciManifest, digest.clone(), manifest.raw().len() as u64);
    let absent = Descriptor::of(MediaType::OciManifest, b"absent");
    let broken = IndexParts::new(vec![child.clone(), absent.clone()]).write().into();
    match keep(store, &name, &broken, &[], NOW) {
        Err(ImageError::Missing { digests }) => assert_eq!(digests, [absent.digest]),
        other => panic!("an index without its manifest was taken: {other:?}"),
    }
    keep(store, &name, &IndexParts::new(vec![child]).write().into(), &["all"], NOW).expect("it is kept");
    let no_manifest = store.set_tag(&name, &tag("x"), &Digest::of(b"absent"), TagRule::Moves, NOW);
    assert!(matches!(no_manifest, Err(ImageError::Missing { .. })), "{no_manifest:?}");
}

fn tags_move_unless_they_stay<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let one = push_image(store, &name, &[b"one"], &["latest"], NOW);
    let two = push_image(store, &name, &[b"two"], &["latest"], NOW);
    assert_eq!(store.tag(&name, &tag("latest")).expect("the store answers"), Some(two.clone()));
    store.set_tag(&name, &tag("v1"), &one, TagRule::Stays, NOW).expect("it is new");
    store.set_tag(&name, &tag("v1"), &one, TagRule::Stays, NOW).expect("the same is fine");
    match store.set_tag(&name, &tag("v1"), &two, TagRule::Stays, NOW) {
        Err(ImageError::TagTaken { holds, .. }) => assert_eq!(holds, one),
        other => panic!("a tag that stays was moved: {other:?}"),
    }
    let refused = keep_by(store, &name, &image(&[b"two"]), &["v1"], TagRule::Stays, NOW);
    assert!(matches!(refused, Err(ImageError::TagTaken { .. })), "{refused:?}");
    assert_eq!(store.tag(&name, &tag("v1")).expect("the store answers"), Some(one));
    assert_eq!(store.tag(&name, &tag("none")).expect("the store answers"), None);
}

fn removed_is_gone_and_its_tags_with_it<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let one = push_image(store, &name, &[b"one"], &["a", "b"], NOW);
    let two = push_image(store, &name, &[b"two"], &["c"], NOW);
    assert!(store.remove_tag(&name, &tag("a")).expect("it is removed"));
    assert!(!store.remove_tag(&name, &tag("a")).expect("the store answers"));
    assert!(store.manifest(&name, &one).expect("the store answers").is_some(), "a tag takes nothing with it");
    assert!(store.remove_manifest(&name, &one).expect("it is removed"));
    assert!(!store.remove_manifest(&name, &one).expect("the store answers"));
    assert_eq!(store.tags(&name).expect("the store answers"), Some(vec![tag("c")]));
    assert_eq!(store.manifests(&name).expect("the store answers"), [two]);
    assert!(store.remove_blob(&name, &Digest::of(b"one")).expect("nothing names it any more"));
}

fn referrers_are_found_by_their_subject<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let subject = Descriptor::of(MediaType::OciManifest, image(&[b"layer"]).raw());
    assert!(store.referrers(&name, &subject.digest).expect("the store answers").is_empty());
    // It may come before its subject.
    push(store, &name, Descriptor::EMPTY_BYTES, NOW);
    let kind = MediaType::parse("application/spdx+json");
    let sbom: AnyManifest = ManifestParts::artifact(kind, Vec::new(), Some(subject.clone())).write().into();
    let digest = keep(store, &name, &sbom, &[], NOW).expect("it is kept");
    push_image(store, &name, &[b"layer"], &["1"], NOW);
    let found = store.referrers(&name, &subject.digest).expect("the store answers");
    assert_eq!(found.iter().map(|(digest, _)| digest).collect::<Vec<_>>(), [&digest]);
    assert_eq!(found[0].1.artifact_type.as_deref(), Some("application/spdx+json"));
    assert!(store.referrers(&repository("o/other"), &subject.digest).expect("the store answers").is_empty());
    // It has no tag, and stays for its subject.
    assert_eq!(sweep(store, later(40 * DAY)).manifests, []);
    assert!(store.remove_manifest(&name, &digest).expect("it is removed"));
    assert!(store.referrers(&name, &subject.digest).expect("the store answers").is_empty());
}

fn a_sweep_takes_what_nothing_needs<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let old = push_image(store, &name, &[b"shared", b"old"], &["latest"], NOW);
    let child = push_image(store, &name, &[b"shared", b"child"], &[], NOW);
    let entry = Descriptor::new(MediaType::OciManifest, child.clone(), 1);
    let index = keep(store, &name, &IndexParts::new(vec![entry]).write().into(), &["all"], NOW).expect("kept");
    let new = push_image(store, &name, &[b"shared", b"new"], &["latest"], NOW);
    let loose = push(store, &name, b"loose", NOW);
    let swept = sweep(store, later(DAY));
    assert_eq!(swept.manifests, [(name.clone(), old.clone())]);
    // The manifest, its own layer and the loose blob.
    assert_eq!(swept.blobs, 3);
    let manifests: BTreeSet<Digest> = store.manifests(&name).expect("the store answers").into_iter().collect();
    assert_eq!(manifests, BTreeSet::from([child, index, new]));
    for (bytes, stays) in [("shared", true), ("child", true), ("new", true), ("old", false), ("loose", false)] {
        let there = store.blob(&name, &Digest::of(bytes.as_bytes()), NOW).expect("the store answers");
        assert_eq!(there.is_some(), stays, "{bytes}");
    }
    assert!(read(store, &name, &loose).is_none());
    assert_eq!(sweep(store, later(DAY)).blobs, 0, "once is enough");
    let kept =
        store.sweep_images(later(1000 * DAY), &ImageRules { untagged_ms: None, ..ImageRules::default() }, Sweep::Now);
    assert_eq!(kept.expect("a sweep").manifests, []);
}

fn a_sweep_leaves_what_is_young<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    // A push that is half done, as a client does it: blobs, then the manifest.
    push(store, &name, b"{}", NOW);
    let going_on = store.begin_push(&name, NOW).expect("a push begins");
    store.push(&name, &going_on, None, &mut b"lay".as_slice(), NO_LIMIT).expect("taken");
    assert_eq!((sweep(store, later(DAY - 2)).blobs, store.pushed_bytes(&name, &going_on).expect("known")), (0, 3));
    // An old blob that a client was told of counts as young again.
    assert!(store.blob(&name, &Digest::of(b"{}"), later(DAY - 2)).expect("the store answers").is_some());
    store.push(&name, &going_on, None, &mut b"er".as_slice(), NO_LIMIT).expect("taken");
    store.finish_push(&name, &going_on, &Digest::of(b"layer"), later(DAY - 2)).expect("the push ends");
    assert_eq!(sweep(store, later(DAY)).blobs, 0);
    keep(store, &name, &image(&[b"layer"]), &[], later(DAY)).expect("all of it is there");
    assert_eq!(sweep(store, later(DAY)).manifests, [], "its tag may still come");
    let forgotten = store.begin_push(&repository("o/forgotten"), NOW).expect("a push begins");
    let swept = sweep(store, later(400 * DAY));
    assert_eq!((swept.uploads, swept.manifests.len(), swept.blobs), (1, 1, 3));
    let gone = store.pushed_bytes(&repository("o/forgotten"), &forgotten);
    assert!(matches!(gone, Err(ImageError::UnknownUpload)), "{gone:?}");
}

fn what_is_protected_stays<S: WholeStore>(store: &S, _: &Path) {
    let name = repository("o/app");
    let digest = push_image(store, &name, &[b"layer"], &["1"], NOW);
    store.protect(&digest, "deployed to production").expect("it is protected");
    assert!(store.remove_tag(&name, &tag("1")).expect("it is removed"));
    assert_eq!(sweep(store, later(400 * DAY)).manifests, []);
    match store.remove_manifest(&name, &digest) {
        Err(ImageError::InUse { why, .. }) => assert!(why.contains("deployed to production"), "{why}"),
        other => panic!("what is protected was removed: {other:?}"),
    }
    assert!(read(store, &name, &Digest::of(b"layer")).is_some());
    assert_eq!(
        store.protected().expect("the store answers").get(&digest).map(String::as_str),
        Some("deployed to production")
    );
    store.unprotect(&digest).expect("it is as any other");
    assert_eq!(sweep(store, later(400 * DAY)).manifests, [(name, digest)]);
}

fn images_and_archives_share_contents<S: WholeStore>(store: &S, _: &Path) {
    use crate::{Limits, NewArchive};
    let name = repository("o/app");
    let layer = noise(7, 2_000_000);
    // A content comes first as an artifact, then as a layer, then once more as an artifact.
    let artifact = |name: &str| {
        let upload = store.begin_upload(NOW).expect("an upload begins");
        store.put_block(&upload, "only", &mut layer.as_slice()).expect("a block is kept");
        store.assemble(&upload, &["only".into()]).expect("it is assembled");
        let new = NewArchive {
            run: super::RUN,
            name: name.into(),
            upload,
            content_type: "application/octet-stream".into(),
            digest: None,
            overwrite: false,
            retention_days: Some(1),
            now: NOW,
        };
        store.keep_artifact(&new).expect("it is kept");
    };
    artifact("first");
    let digest = push_image(store, &name, &[&layer], &["1"], NOW);
    artifact("second");
    // Each lives as long as its own rules say, whoever else has the same bytes.
    store.prune(later(2 * DAY), &Limits::default()).expect("the store is pruned");
    assert!(store.open_artifact(super::RUN, "first").is_err(), "the artifacts have expired");
    assert!(read(store, &name, &Digest::of(&layer)).as_deref() == Some(&*layer), "the layer is there");
    artifact("third");
    assert!(store.remove_manifest(&name, &digest).expect("it is removed"));
    sweep(store, later(DAY));
    assert!(read(store, &name, &Digest::of(&layer)).is_none(), "the layer is gone");
    let mut open = store.open_artifact(super::RUN, "third").expect("the artifact is there");
    let mut first = [0; 100];
    let read = open.content.read_at(0, &mut first).expect("it is sound");
    assert_eq!(first[..read], layer[..read]);
}

fn sound_images_verify<S: WholeStore>(store: &S, _: &Path) {
    push_image(store, &repository("o/app"), &[&noise(1, 1_500_000)], &["1"], NOW);
    let mut seen = 0;
    let damaged = store.verify_images(&mut |bytes| seen += bytes).expect("everything is read");
    assert_eq!(damaged, []);
    assert!(seen > 1_500_000, "{seen}");
}
