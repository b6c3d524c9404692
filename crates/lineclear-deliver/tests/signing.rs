//! Signatures and attestations in a real registry, made and verified by Lineclear and by the real cosign.

use std::io::{Read, Write};
use std::net::TcpStream;

use lineclear_deliver::inventory::{self, Document};
use lineclear_deliver::signing::{Form, attest, attest_provenance, examine, recursively, sign_image};
use lineclear_deliver::{Proofs, RegistryShelf, Shelf, ShelfError};
use lineclear_event::Timestamp;
use lineclear_oci::{
    Annotations, AnyManifest, Descriptor, Digest, Index, MAX_INDEX_DEPTH, ManifestParts, MediaType, Platform, Reference,
};
use lineclear_registry::{Client, ClientSettings, CopyOptions};
use lineclear_sbom::DocumentFormat;
use lineclear_sigstore::{
    Bundle, Claim, PROVENANCE, PrivateKey, Provenance, Statement, TrustedKeys, predicate_type, referrer, signature_tag,
};
use lineclear_testkit::cosign::{PASSPHRASE, cosign};
use lineclear_testkit::images::{self, Registry};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// A registry, a client of it and a key in a folder of the test's own.
struct World {
    registry: Registry,
    client: Client,
    key: PrivateKey,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let registry = images::registry();
        let client = Client::new(ClientSettings::default()).expect("a client");
        let key = PrivateKey::generate().expect("a key");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ours.key"), key.seal(PASSPHRASE.as_bytes()).expect("sealed"))
            .expect("a file");
        std::fs::write(folder.path().join("ours.pub"), key.public().pem()).expect("a file");
        Self { registry, client, key, folder }
    }

    /// An image that nobody can run, by its digest.
    fn image(&self, name: &str, content: &str) -> Reference {
        let place: Reference = format!("{}/{name}", self.registry.address()).parse().expect("a name");
        let manifest = self.small(&place, content);
        let pushed = self.client.push_manifest(&place.tagged("1".parse().expect("a tag")), &manifest).expect("pushed");
        place.only_at(pushed.digest)
    }

    fn small(&self, place: &Reference, content: &str) -> AnyManifest {
        let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let blob = |media_type, bytes: &[u8]| {
            let blob = Descriptor::of(media_type, bytes);
            self.client.push_bytes(place, &blob, bytes).expect("pushed");
            blob
        };
        let parts = ManifestParts {
            media_type: MediaType::OciManifest,
            artifact_type: None,
            config: blob(MediaType::OciConfig, config),
            layers: vec![blob(MediaType::OciLayer, content.as_bytes())],
            subject: None,
            annotations: Annotations::new(),
        };
        AnyManifest::Image(parts.write())
    }

    fn trusted(&self) -> TrustedKeys {
        TrustedKeys::new(vec![self.key.public().clone()])
    }

    fn cosign(&self, args: &[&str]) -> lineclear_testkit::cosign::Said {
        cosign(self.folder.path(), args)
    }
}

#[test]
fn what_lineclear_signed_the_real_cosign_verifies_in_both_forms() {
    let world = World::new();
    let image = world.image("app", "one");
    let statement = sign_image(&world.client, &image, &world.key, NOW).expect("signed");
    assert_eq!((statement.key, statement.form.as_str()), (world.key.public().id(), "sigstore-bundle"));

    let name = image.to_string();
    let verify = ["verify", "--key", "ours.pub", "--insecure-ignore-tlog=true"];
    let said = world.cosign(&[&verify[..], &[&name]].concat()).succeeds();
    assert!(said.out.contains(image.digest().expect("a digest").as_str()), "{}", said.out);
    world.cosign(&[&verify[..], &["--new-bundle-format", &name]].concat()).succeeds();

    // Another key, and another image: nothing.
    world.cosign(&["generate-key-pair", "--output-key-prefix", "other"]).succeeds();
    let other = ["verify", "--key", "other.pub", "--insecure-ignore-tlog=true", &name];
    assert!(!world.cosign(&other).success);
    let unsigned = world.image("app", "two").to_string();
    assert!(!world.cosign(&[&verify[..], &[&unsigned]].concat()).success);
}

#[test]
fn what_cosign_signed_lineclear_verifies_and_keys_are_shared_both_ways() {
    let world = World::new();
    let image = world.image("app", "one");
    let name = image.to_string();
    // S1-56: by digest, with a key, offline. Our key in cosign's hands.
    world.cosign(&["sign", "--yes", "--tlog-upload=false", "--key", "ours.key", &name]).succeeds();
    let examined = examine(&world.client, &image, &world.trusted()).expect("looked at");
    let [proof] = examined.proofs.as_slice() else { panic!("{examined:?}") };
    assert_eq!((&proof.verified.claim, proof.form), (&Claim::Signature, Form::Tag));

    // Cosign's key in ours.
    world.cosign(&["generate-key-pair"]).succeeds();
    let sealed = std::fs::read(world.folder.path().join("cosign.key")).expect("cosign's key");
    let theirs = PrivateKey::open(&sealed, PASSPHRASE.as_bytes()).expect("it opens");
    let public = std::fs::read_to_string(world.folder.path().join("cosign.pub")).expect("its public half");
    assert_eq!(theirs.public().pem().trim(), public.trim());
    sign_image(&world.client, &image, &theirs, NOW).expect("signed");
    let verify = ["verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", &name];
    world.cosign(&verify).succeeds();
    // The signature that was there before stays.
    let verify = ["verify", "--key", "ours.pub", "--insecure-ignore-tlog=true", &name];
    world.cosign(&verify).succeeds();
    let trusted = TrustedKeys::new(vec![theirs.public().clone()]);
    let examined = examine(&world.client, &image, &trusted).expect("looked at");
    assert_eq!(examined.proofs.len(), 2, "{examined:?}");
    assert_eq!(examined.refused.len(), 1, "the other key's does not count: {examined:?}");
}

#[test]
fn attestations_verify_both_ways_in_the_older_form_and_as_bundles() {
    let world = World::new();
    let image = world.image("app", "one");
    let name = image.to_string();
    let commit = "0123456789012345678901234567890123456789";
    let provenance = Provenance {
        builder: "https://ci.example.org".to_owned(),
        repository: "https://forge.example/octo/app".to_owned(),
        commit: commit.to_owned(),
        invocation: "run-1".to_owned(),
        ..Provenance::default()
    };
    let statement =
        attest_provenance(&world.client, &image, &image.name(), &world.key, &provenance, NOW).expect("attested");
    assert_eq!((statement.commit.as_str(), statement.builder.as_str()), (commit, "https://ci.example.org"));
    // Cosign asks for the roots of certificates, over the network, also where there is a key. Here there are none.
    let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
    std::fs::write(world.folder.path().join("root.json"), root).expect("a file");
    let verify = ["verify-attestation", "--key", "ours.pub", "--insecure-ignore-tlog=true", "--new-bundle-format"];
    let verify = [&verify[..], &["--trusted-root", "root.json"]].concat();
    let said = world.cosign(&[&verify[..], &["--type", "slsaprovenance1", &name]].concat()).succeeds();
    assert!(said.out.contains("dsseEnvelope") || said.out.contains("payload"), "{}", said.out);
    assert!(!world.cosign(&[&verify[..], &["--type", "spdxjson", &name]].concat()).success, "another type");

    std::fs::write(world.folder.path().join("said.json"), r#"{"reviewed": true}"#).expect("a file");
    for bundle in ["--new-bundle-format=true", "--new-bundle-format=false"] {
        let image = world.image("app", bundle);
        let attest = ["attest", "--yes", "--tlog-upload=false", "--key", "ours.key", "--predicate", "said.json"];
        let of = ["--type", "https://example.org/review", bundle, &image.to_string()];
        world.cosign(&[&attest[..], &of].concat()).succeeds();
        let examined = examine(&world.client, &image, &world.trusted()).expect("looked at");
        let [proof] = examined.proofs.as_slice() else { panic!("{bundle}: {examined:?}") };
        let Claim::Statement(statement) = &proof.verified.claim else { panic!("it is an attestation") };
        assert_eq!(statement.predicate_type, predicate_type("https://example.org/review"));
        assert_eq!(statement.predicate["reviewed"], json!(true));
    }
}

#[test]
fn what_was_made_for_a_sibling_counts_for_nothing_however_it_is_attached() {
    let world = World::new();
    let (image, sibling) = (world.image("app", "one"), world.image("app", "two"));
    sign_image(&world.client, &image, &world.key, NOW).expect("signed");
    let digest = sibling.digest().expect("a digest");

    // The older signature under the sibling's tag, and the bundle as a referrer of the sibling.
    let older = image.bare().tagged(signature_tag(image.digest().expect("a digest")));
    world.client.retag(&older, &signature_tag(digest)).expect("tagged");
    let bundle = Bundle::sign(&Statement::signature_of(image.digest().expect("a digest")), &world.key).expect("signed");
    let subject = world.client.resolve(&sibling).expect("it is there");
    let artifact = referrer(&subject, bundle.write(), "x", "2026-01-01T00:00:00Z");
    for (blob, bytes) in &artifact.blobs {
        world.client.push_bytes(&sibling, blob, bytes).expect("pushed");
    }
    let place = sibling.only_at(artifact.manifest.digest().clone());
    world.client.push_manifest(&place, &artifact.manifest).expect("pushed");

    let examined = examine(&world.client, &sibling, &world.trusted()).expect("looked at");
    assert!(examined.proofs.is_empty(), "{examined:?}");
    assert_eq!(examined.refused.len(), 2);
    for refused in &examined.refused {
        assert!(refused.why.contains(&format!("and not of {digest}")), "{}", refused.why);
    }
    // S1-65: an unsigned digest is refused where it is asked for.
    let proofs = Proofs { trusted: world.trusted(), signature: true, ..Proofs::default() };
    assert!(proofs.check(&world.client, &image).is_ok());
    let error = proofs.check(&world.client, &sibling).expect_err("it is refused");
    assert!(matches!(&error, ShelfError::Unproven { .. }) && error.to_string().contains("no signature"), "{error}");
}

#[test]
fn rubbish_that_is_attached_is_refused_by_name_and_hides_nothing() {
    let world = World::new();
    let image = world.image("app", "one");
    let subject = world.client.resolve(&image).expect("it is there");
    for rubbish in [&b"{}"[..], b"not even JSON", br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json"}"#] {
        let artifact = referrer(&subject, rubbish.to_vec(), "x", "2026-01-01T00:00:00Z");
        for (blob, bytes) in &artifact.blobs {
            world.client.push_bytes(&image, blob, bytes).expect("pushed");
        }
        world
            .client
            .push_manifest(&image.only_at(artifact.manifest.digest().clone()), &artifact.manifest)
            .expect("pushed");
    }
    let junk = world.small(&image, "junk");
    let tagged = image.bare().tagged(signature_tag(image.digest().expect("a digest")));
    world.client.push_manifest(&tagged, &junk).expect("pushed");
    let examined = examine(&world.client, &image, &world.trusted()).expect("looked at");
    assert!(examined.proofs.is_empty());
    let why: Vec<&str> = examined.refused.iter().map(|refused| refused.why.as_str()).collect();
    assert_eq!(why.len(), 4, "{why:?}");
    assert!(why.iter().any(|why| why.contains("v9")), "{why:?}");
    sign_image(&world.client, &image, &world.key, NOW).expect("signed all the same");
}

#[test]
fn one_thing_attached_that_cannot_be_read_takes_nothing_from_the_others() {
    let world = World::new();
    let image = world.image("app", "one");
    sign_image(&world.client, &image, &world.key, NOW).expect("signed");
    let digest = image.digest().expect("a digest");
    let config = world.client.manifest(&image).expect("it is there").blobs().next().cloned().expect("a configuration");
    // Registries take it, and no size is below zero.
    let mut damaged = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OciManifest.as_str(),
        "config": { "mediaType": config.media_type.as_str(), "digest": config.digest.as_str(), "size": config.size },
        "layers": [{ "mediaType": "text/plain", "digest": config.digest.as_str(), "size": -1 }],
    });
    put(&world, &signature_tag(digest).to_string(), &damaged);
    damaged["annotations"] = json!({ "another": "one" });
    let text = damaged.to_string();
    put(&world, Digest::of(text.as_bytes()).as_str(), &damaged);
    // Where referrers are listed by a tag, this one is listed before the others.
    let list = image.bare().tagged(digest.to_string().replace(':', "-").parse().expect("a tag"));
    let mut listed: serde_json::Value =
        serde_json::from_slice(world.client.manifest(&list).expect("a list").raw()).expect("an index");
    let entry = json!({
        "mediaType": MediaType::OciManifest.as_str(),
        "digest": Digest::of(text.as_bytes()).as_str(),
        "size": text.len(),
    });
    listed["manifests"].as_array_mut().expect("entries").insert(0, entry);
    let list_tag = list.tag().expect("a tag").to_string();
    put(&world, &list_tag, &listed);

    let examined = examine(&world.client, &image, &world.trusted()).expect("looked at");
    let [proof] = examined.proofs.as_slice() else { panic!("{examined:?}") };
    assert_eq!(proof.form, Form::Bundle);
    let forms: Vec<Form> = examined.refused.iter().map(|refused| refused.form).collect();
    assert_eq!(forms, [Form::Bundle, Form::Tag], "{examined:?}");
    let proofs = Proofs { trusted: world.trusted(), signature: true, ..Proofs::default() };
    proofs.check(&world.client, &image).expect("it is signed");
}

/// Puts a manifest as it stands.
fn put(world: &World, reference: &str, manifest: &serde_json::Value) {
    let kind = manifest["mediaType"].as_str().unwrap_or(MediaType::OciIndex.as_str()).to_owned();
    let (address, body) = (world.registry.address(), manifest.to_string());
    let mut stream = TcpStream::connect(address.to_string()).expect("the registry answers");
    let request = format!(
        "PUT /v2/app/manifests/{reference} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[test]
fn an_index_that_names_the_same_many_times_is_looked_into_once() {
    let world = World::new();
    let place: Reference = format!("{}/nested", world.registry.address()).parse().expect("a name");
    let push = |manifest: AnyManifest| {
        world.client.push_manifest(&place.only_at(manifest.digest().clone()), &manifest).expect("pushed")
    };
    let mut root = push(world.small(&place, "one"));
    // Each of them names the one below it twenty times: one by one, they would be looked at for days.
    for _ in 0..MAX_INDEX_DEPTH {
        let platform = |number: u32| Platform::new("linux", &format!("machine{number}"));
        let children: Vec<_> = (0..20).map(|number| (root.clone(), platform(number))).collect();
        root = push(Index::of(&children).into());
    }
    let (carrier, tagger) = (world.client.clone(), world.client.clone());
    let shelf = RegistryShelf { carrier, tagger, to: place, from: None, proofs: Proofs::default() };
    shelf.check(&root.digest).expect("it is whole");
    assert_eq!(shelf.parts(&root.digest).expect("it is whole").len(), MAX_INDEX_DEPTH);
}

#[test]
fn signing_again_adds_nothing_and_a_tag_is_never_signed() {
    let world = World::new();
    let image = world.image("app", "one");
    let first = sign_image(&world.client, &image, &world.key, NOW).expect("signed");
    assert_eq!(sign_image(&world.client, &image, &world.key, Timestamp(NOW.0 + 1)).expect("signed"), first);
    let examined = examine(&world.client, &image, &world.trusted()).expect("looked at");
    assert_eq!(examined.proofs.len(), 2, "{examined:?}");
    let tagged = image.bare().tagged("1".parse().expect("a tag"));
    assert!(sign_image(&world.client, &tagged, &world.key, NOW).is_err());
}

#[test]
fn an_index_is_signed_with_all_that_it_lists_and_a_copy_keeps_its_signatures() {
    let world = World::new();
    let place: Reference = format!("{}/many", world.registry.address()).parse().expect("a name");
    let push = |content: &str| {
        let manifest = world.small(&place, content);
        world.client.push_manifest(&place.only_at(manifest.digest().clone()), &manifest).expect("pushed")
    };
    let index: AnyManifest =
        Index::of(&[(push("amd"), Platform::new("linux", "amd64")), (push("arm"), Platform::new("linux", "arm64"))])
            .into();
    world.client.push_manifest(&place.tagged("1".parse().expect("a tag")), &index).expect("pushed");
    let places = recursively(&world.client, &place.only_at(index.digest().clone())).expect("all of them");
    assert_eq!(places.len(), 3);
    for place in &places {
        sign_image(&world.client, place, &world.key, NOW).expect("signed");
    }
    let to: Reference = format!("{}/elsewhere/app:1", world.registry.address()).parse().expect("a name");
    world.client.copy(&places[0], &to, &CopyOptions::default()).expect("copied");
    for place in &places {
        let there = to.only_at(place.digest().expect("a digest").clone());
        let examined = examine(&world.client, &there, &world.trusted()).expect("looked at");
        assert!(examined.proofs.iter().any(|proof| proof.form == Form::Bundle), "{there}: {examined:?}");
    }
}

#[test]
fn a_provenance_is_asked_for_its_commit() {
    let world = World::new();
    let image = world.image("app", "one");
    let commit = "a".repeat(40);
    let proofs = |commits: &[&str]| Proofs {
        trusted: world.trusted(),
        provenance: true,
        commits: commits.iter().map(|commit| (*commit).to_owned()).collect(),
        ..Proofs::default()
    };
    assert!(proofs(&[]).check(&world.client, &image).is_err());
    // Of the right type, and without what it has to say.
    attest(&world.client, &image, &image.name(), &world.key, PROVENANCE, json!({}), NOW).expect("attested");
    assert!(proofs(&[]).check(&world.client, &image).is_err());
    let provenance = Provenance { builder: "b".into(), commit: commit.clone(), ..Provenance::default() };
    attest_provenance(&world.client, &image, &image.name(), &world.key, &provenance, NOW).expect("attested");
    assert!(proofs(&[]).check(&world.client, &image).is_ok());
    assert!(proofs(&[&commit]).check(&world.client, &image).is_ok());
    assert!(proofs(&[&"b".repeat(40)]).check(&world.client, &image).is_err());
    assert_ne!(Digest::of(b"x"), *image.digest().expect("a digest"));
}

// S1-66
#[test]
fn a_list_of_contents_has_to_lie_beside_the_very_image_where_that_arrived() {
    let world = World::new();
    let (image, sibling) = (world.image("team/listed", "one"), world.image("team/listed", "two"));
    let attach = |to: &Reference| {
        let subject = world.client.manifest(to).expect("it is there").descriptor();
        let document = Document { file: None, bytes: b"{}" };
        inventory::attach(&world.client, to, &subject, DocumentFormat::Spdx, &[document]).expect("attached")
    };
    let check = |contents: &[&Digest], image: &Reference| {
        let contents = Some(contents.iter().map(|digest| (*digest).clone()).collect());
        Proofs { contents, ..Proofs::default() }.check(&world.client, image)
    };
    assert!(matches!(check(&[], &image), Err(ShelfError::Unlisted { .. })));
    let of_sibling = attach(&sibling);
    assert!(matches!(check(&[&of_sibling], &image), Err(ShelfError::Unlisted { .. })), "a sibling's is the sibling's");
    let own = attach(&image);
    assert!(matches!(check(&[&of_sibling], &image), Err(ShelfError::Unlisted { .. })), "what the ledger does not know");
    assert!(check(&[&of_sibling, &own], &image).is_ok());
    // Elsewhere it has to be there, too.
    let place: Reference = format!("{}/other/listed", world.registry.address()).parse().expect("a name");
    let there = place.only_at(image.digest().expect("a digest").clone());
    world.client.copy(&image, &there, &CopyOptions::default()).expect("copied");
    assert!(check(&[&own], &there).is_ok());
}
