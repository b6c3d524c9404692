//! Whole images in and out of a real registry.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use lineclear_oci::{
    AnyManifest, Descriptor, Digest, Index, IndexParts, ManifestParts, MediaType, Platform, annotation,
};
use lineclear_registry::{
    BlobOutcome, Client, ClientSettings, CopyOptions, OciLayout, RegistryClientError, open_image,
};

use crate::proxy::{Cut, Proxy};
use crate::real::Registry;
use crate::{client, hasty, noise, push_small, reference};

fn sbom_of(client: &Client, subject: &AnyManifest, place: &lineclear_oci::Reference) -> AnyManifest {
    let text = b"{\"spdxVersion\":\"SPDX-2.3\"}";
    let layer = Descriptor::of(MediaType::from("application/spdx+json"), text);
    client.push_bytes(place, &layer, text).expect("pushed");
    client.push_bytes(place, &Descriptor::empty(), Descriptor::EMPTY_BYTES).expect("pushed");
    let kind = MediaType::from("application/spdx+json");
    let sbom: AnyManifest = ManifestParts::artifact(kind, vec![layer], Some(subject.descriptor())).write().into();
    client.push_manifest(&place.only_at(sbom.digest().clone()), &sbom).expect("pushed");
    sbom
}

#[test]
fn what_is_pushed_is_resolved_pulled_named_anew_listed_and_deleted() {
    let registry = Registry::start();
    let client = client();
    client.ping(&registry.host()).expect("it is a registry");
    let place = registry.reference("team/app:1");
    let manifest = push_small(&client, &place, "one");

    assert_eq!(client.resolve(&place).expect("it is there"), manifest.descriptor());
    assert_eq!(client.manifest(&place).expect("it is there"), manifest);
    let image = client.image(&place, &Platform::of_this_machine()).expect("it is there");
    assert_eq!(image.config.config.user, "app");
    let layer = client.blob_bytes(&place, &image.manifest.layers()[0], 100).expect("it is there");
    assert_eq!(layer, b"one");

    let pinned = place.at(manifest.digest().clone());
    let tagged = client.retag(&pinned, &"prod".parse().expect("a tag")).expect("named anew");
    assert_eq!(tagged.digest, *manifest.digest());
    let tags: Vec<String> = client.tags(&place).expect("listed").iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["1", "prod"]);
    assert_eq!(client.catalog(&registry.host()).expect("listed"), [place.repository().clone()]);

    client.delete(&pinned).expect("deleted");
    assert!(client.resolve(&place).expect_err("it is gone").is_not_found());
}

#[test]
fn a_large_blob_is_pushed_in_chunks() {
    let registry = Registry::start();
    let client = Client::new(ClientSettings { chunk_bytes: 100_000, ..hasty() }).expect("a client");
    let place = registry.reference("chunks");
    let bytes = noise(1_234_567);
    let blob = Descriptor::of(MediaType::OciLayer, &bytes);
    assert_eq!(client.push_bytes(&place, &blob, &bytes).expect("pushed"), BlobOutcome::Transferred);
    assert_eq!(client.push_bytes(&place, &blob, &bytes).expect("it is there"), BlobOutcome::Existed);
    assert_eq!(client.blob_bytes(&place, &blob, u64::MAX).expect("pulled"), bytes);
    let empty = Descriptor::of(MediaType::OciLayer, b"");
    client.push_bytes(&place, &empty, b"").expect("a blob may be empty");
    assert_eq!(client.blob_bytes(&place, &empty, 0).expect("pulled"), b"");
}

#[test]
fn wrong_bytes_are_never_named_by_a_digest() {
    let registry = Registry::start();
    for chunk_bytes in [1000, 1 << 20] {
        let client = Client::new(ClientSettings { chunk_bytes, ..hasty() }).expect("a client");
        let place = registry.reference("wrong");
        let blob = Descriptor::of(MediaType::OciLayer, &noise(5000));
        let wrong = [b"x".as_slice(), &noise(5000)[1..]].concat();
        let error = client.push_bytes(&place, &blob, &wrong).expect_err("they are others");
        assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
        let short = client.push_bytes(&place, &blob, &noise(4000)).expect_err("they are too few");
        assert!(matches!(short, RegistryClientError::Mismatch { .. }), "{short:?}");
        assert!(!client.has_blob(&place, &blob.digest).expect("it says"));
    }
}

#[test]
fn a_download_goes_on_where_the_line_broke() {
    let registry = Registry::start();
    let bytes = noise(3_000_000);
    let blob = Descriptor::of(MediaType::OciLayer, &bytes);
    client().push_bytes(&registry.reference("a"), &blob, &bytes).expect("pushed");

    let proxy = Proxy::before(registry.address(), Cut::Down(1_000_000), 2);
    let (client, told) = crate::telling(hasty());
    let mut pulled = Vec::new();
    client.pull_blob(&reference(&format!("{}/a", proxy.address)), &blob, &mut pulled).expect("it is resumed");
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 2);
    assert!(pulled == bytes, "each byte comes once");
    assert_eq!(told.lock().expect("nobody panics").len(), 2);
}

#[test]
fn an_upload_goes_on_where_the_registry_says() {
    let registry = Registry::start();
    let proxy = Proxy::before(registry.address(), Cut::Up(700_000), 3);
    let client = Client::new(ClientSettings { chunk_bytes: 1_000_000, ..hasty() }).expect("a client");
    let bytes = noise(4_000_000);
    let blob = Descriptor::of(MediaType::OciLayer, &bytes);
    let place = reference(&format!("{}/a", proxy.address));
    assert_eq!(client.push_bytes(&place, &blob, &bytes).expect("it is resumed"), BlobOutcome::Transferred);
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 3);
    assert_eq!(client.blob_bytes(&registry.reference("a"), &blob, u64::MAX).expect("it is whole"), bytes);
    let sent = proxy.up.load(Ordering::SeqCst);
    assert!(sent < 8_000_000, "not all is sent again for each cut: {sent}");
}

#[test]
fn within_a_registry_blobs_are_mounted_and_within_a_repository_only_named() {
    let registry = Registry::start();
    let client = client();
    let from = registry.reference("team/dev:1");
    let manifest = push_small(&client, &from, "mount me");
    let copied = client.copy(&from, &registry.reference("team/prod:1"), &CopyOptions::default()).expect("copied");
    assert_eq!((copied.mounted, copied.transferred, copied.existed), (2, 0, 0));
    let named = client.copy(&from, &registry.reference("team/dev:2"), &CopyOptions::default()).expect("copied");
    assert_eq!((named.mounted, named.transferred, named.existed), (0, 0, 0));
    assert_eq!(named.root.digest, *manifest.digest());
}

#[test]
fn a_copy_has_all_platforms_and_all_that_refers_to_them() {
    let (one, two) = (Registry::start(), Registry::start());
    let client = client();
    let place = one.reference("app:1");
    let (amd, arm) =
        (push_small(&client, &one.reference("app:amd"), "amd"), push_small(&client, &one.reference("app:arm"), "arm"));
    let index: AnyManifest = Index::of(&[
        (amd.descriptor(), Platform::new("linux", "amd64")),
        (arm.descriptor(), Platform::new("linux", "arm64")),
    ])
    .into();
    client.push_manifest(&place, &index).expect("pushed");
    let sbom = sbom_of(&client, &amd, &place);
    let about_sbom = sbom_of(&client, &sbom, &place);
    let signature = push_small(
        &client,
        &place.tagged(format!("{}.sig", index.digest().referrers_tag()).parse().expect("a tag")),
        "sig",
    );

    let to = two.reference("mirror/app:stable");
    let copied = client.copy(&place, &to, &CopyOptions::default()).expect("copied");
    assert_eq!((copied.root.digest.clone(), copied.manifests, copied.referrers), (index.digest().clone(), 5, 3));
    assert_eq!(client.manifest(&to).expect("it is there"), index);
    for (digest, referrer) in [(amd.digest(), &sbom), (sbom.digest(), &about_sbom)] {
        let found = client.referrers(&to, digest, None).expect("listed");
        assert_eq!(found, [referrer.referrer_descriptor()]);
    }
    let kind = MediaType::from("application/vnd.other");
    assert_eq!(client.referrers(&to, amd.digest(), Some(&kind)).expect("listed"), []);
    let signed = to.tagged(format!("{}.sig", index.digest().referrers_tag()).parse().expect("a tag"));
    assert_eq!(client.manifest(&signed).expect("cosign finds it"), signature);

    let again = client.copy(&place, &to, &CopyOptions::default()).expect("copied");
    assert_eq!(again.transferred, 0, "what is there is not sent again");

    let alone = two.reference("mirror/app:arm");
    let options = CopyOptions { platform: Some("linux/arm64".parse().expect("a platform")), referrers: false };
    assert_eq!(client.copy(&place, &alone, &options).expect("copied").root.digest, *arm.digest());

    client.delete(&to.only_at(sbom.digest().clone())).expect("deleted");
    assert_eq!(client.referrers(&to, amd.digest(), None).expect("listed"), [], "the list forgets it");
}

#[test]
fn two_hundred_layers_are_copied() {
    let (one, two) = (Registry::start(), Registry::start());
    let client = client();
    let place = one.reference("layers:1");
    let config = b"{\"architecture\":\"amd64\",\"os\":\"linux\"}";
    client.push_bytes(&place, &Descriptor::of(MediaType::OciConfig, config), config).expect("pushed");
    let layers: Vec<Descriptor> = (0..200)
        .map(|number| {
            let bytes = format!("layer {number}");
            let layer = Descriptor::of(MediaType::OciLayer, bytes.as_bytes());
            client.push_bytes(&place, &layer, bytes.as_bytes()).expect("pushed");
            layer
        })
        .collect();
    let manifest = ManifestParts::new(Descriptor::of(MediaType::OciConfig, config), layers).write().into();
    client.push_manifest(&place, &manifest).expect("pushed");
    let copied = client.copy(&place, &two.reference("layers:1"), &CopyOptions::default()).expect("copied");
    assert_eq!(copied.transferred, 201);
}

#[test]
fn a_push_that_fails_leaves_no_name_and_the_next_one_goes_on() {
    let registry = Registry::start();
    let client = client();
    let folder = layout(&[("good", true), ("missing", false)]);
    let image = OciLayout::open(folder.path(), None).expect("a layout");
    let to = registry.reference("half:1");
    let error = client.push_image(&image, &to).expect_err("a layer is missing");
    assert!(matches!(error, RegistryClientError::Source { .. }), "{error:?}");
    assert!(client.manifest(&to).expect_err("nothing has that name").is_not_found());

    let missing = Digest::of(b"missing");
    std::fs::write(folder.path().join("blobs/sha256").join(missing.hex()), "missing").expect("written");
    let pushed = client.push_image(&image, &to).expect("pushed");
    assert_eq!(client.resolve(&to).expect("it is there").digest, pushed.root.digest);
    assert!(pushed.existed > 0, "what arrived is not sent again: {pushed:?}");
}

/// A layout with one image of these layers; those with `false` are not in it.
fn layout(layers: &[(&str, bool)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = folder.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("made");
    let keep = |bytes: &[u8]| std::fs::write(blobs.join(Digest::of(bytes).hex()), bytes).expect("written");
    let config = b"{\"architecture\":\"amd64\",\"os\":\"linux\"}";
    keep(config);
    let mut descriptors = Vec::new();
    for (layer, there) in layers {
        descriptors.push(Descriptor::of(MediaType::OciLayer, layer.as_bytes()));
        if *there {
            keep(layer.as_bytes());
        }
    }
    let manifest: AnyManifest =
        ManifestParts::new(Descriptor::of(MediaType::OciConfig, config), descriptors).write().into();
    keep(manifest.raw());
    let mut entry = manifest.descriptor();
    entry.annotations.insert(annotation::REF_NAME.to_owned(), "latest".to_owned());
    let index = IndexParts::new(vec![entry]).write();
    std::fs::write(folder.path().join("index.json"), index.raw()).expect("written");
    std::fs::write(folder.path().join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").expect("written");
    folder
}

#[test]
fn layouts_and_archives_are_pushed_with_their_digest() {
    let registry = Registry::start();
    let client = client();
    let folder = layout(&[("one", true), ("two", true)]);
    let image = open_image(folder.path(), Some("latest")).expect("a layout");
    let root = image.root().expect("there is one");
    let pushed = client.push_image(&*image, &registry.reference("from-layout:1")).expect("pushed");
    assert_eq!((pushed.root.digest.clone(), pushed.transferred), (root.digest.clone(), 3));
    let Err(error) = open_image(folder.path(), Some("other")) else { panic!("there is none of that name") };
    assert!(error.to_string().contains("none that is named `other`"), "{error}");

    let archive = tempfile::NamedTempFile::new().expect("a file");
    let mut tar = tar::Builder::new(archive.as_file());
    tar.append_dir_all(".", folder.path()).expect("packed");
    tar.finish().expect("packed");
    let image = open_image(archive.path(), None).expect("an archive");
    let pushed = client.push_image(&*image, &registry.reference("from-archive:1")).expect("pushed");
    assert_eq!(pushed.root.digest, root.digest);
}

#[test]
fn what_docker_save_wrote_is_pushed_compressed_and_always_the_same() {
    let registry = Registry::start();
    let client = client();
    let layer = [b"layer ".as_slice(), &noise(100), &[0; 100_000]].concat();
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"{0}\",\"{0}\"]}}}}",
        Digest::of(&layer)
    );
    let archive = tempfile::NamedTempFile::new().expect("a file");
    let mut tar = tar::Builder::new(archive.as_file());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("packed");
    };
    let manifest = r#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    add("manifest.json", manifest.as_bytes());
    add("c.json", config.as_bytes());
    add("a/layer.tar", &layer);
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "b/layer.tar", "../a/layer.tar").expect("packed");
    tar.finish().expect("packed");

    let to = registry.reference("saved:1");
    let image = open_image(archive.path(), Some("app:1")).expect("an archive");
    let pushed = client.push_image(&*image, &to).expect("pushed");
    assert!(pushed.bytes < 10_000, "{pushed:?}");
    let found = client.image(&to, &Platform::new("linux", "amd64")).expect("it is there");
    let packed = client.blob_bytes(&to, &found.manifest.layers()[1], u64::MAX).expect("pulled");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("it is gzip");
    assert!(unpacked == layer);
    let again = open_image(archive.path(), None).expect("an archive").root().expect("there is one");
    assert_eq!(again.digest, pushed.root.digest);
}

#[test]
fn what_is_no_image_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    for (bytes, reason) in [
        (b"\x1f\x8b\x08\x00compressed".as_slice(), "compressed as a whole"),
        (b"no tar at all, but long enough to be looked at".as_slice(), "no tar archive"),
        (&noise(2048), "no tar archive"),
    ] {
        std::fs::File::create(&file).expect("made").write_all(bytes).expect("written");
        let Err(error) = open_image(&file, None) else { panic!("{reason}") };
        assert!(error.to_string().contains(reason), "{error}");
    }
    let Err(error) = open_image(folder.path(), None) else { panic!("it is empty") };
    assert!(error.to_string().contains("no OCI layout"), "{error}");
}
