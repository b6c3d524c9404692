//! Keys, signatures and attestations: `lineclear key`, `lineclear image sign|verify|attest`, and the real cosign in a run.

use lineclear_testkit::cosign::{PASSPHRASE, cosign};
use lineclear_testkit::{Repository, Said, images, say};
use serde_json::Value;

/// An image as `docker save` writes it, beside the repository.
const ARCHIVE: &str = r#"
    mkdir -p ../img/a && cd ../img && printf 'a file of the image' > file && tar --mtime=@0 -cf a/layer.tar file
    id=$(sha256sum < a/layer.tar | cut -c1-64)
    printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' $id > c.json
    printf '[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar"]}]' > manifest.json
    tar -cf ../app.tar manifest.json c.json a/layer.tar
"#;

fn lineclear(repository: &Repository, args: &[&str]) -> Said {
    let mut command = repository.lineclear(args);
    for name in ["LINECLEAR_SIGNING_KEY", "LINECLEAR_SIGNING_PASSPHRASE", "COSIGN_PASSWORD", "DOCKER_CONFIG"] {
        command.env_remove(name);
    }
    say(command)
}

#[track_caller]
fn succeeds(repository: &Repository, args: &[&str]) -> String {
    let said = lineclear(repository, args);
    assert_eq!(said.exit, 0, "{args:?}: {}{}", said.stdout, said.stderr);
    said.stdout
}

/// A repository with an image in a registry; gives the image by its tag and by its digest.
fn with_image(name: &str) -> (Repository, images::Registry, String, String) {
    let repository =
        Repository::with(name, "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }\n");
    let registry = images::registry();
    repository.sh(ARCHIVE);
    let tagged = format!("{}/team/app:1", registry.address());
    let archive = repository.beside("app.tar").display().to_string();
    succeeds(&repository, &["image", "push", &archive, &tagged]);
    let digest = succeeds(&repository, &["image", "digest", &tagged]).trim().to_owned();
    let pinned = format!("{}/team/app@{digest}", registry.address());
    (repository, registry, tagged, pinned)
}

#[test]
fn an_image_is_signed_with_a_kept_key_and_cosign_and_lineclear_verify_it() {
    // S0-59, S1-65: enabled by a key and a line of policy; no workflow changes.
    let (repository, _registry, tagged, pinned) = with_image("signing");
    let refused = lineclear(&repository, &["image", "sign", &tagged]);
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("lineclear key generate"), "{}", refused.stderr);

    succeeds(&repository, &["key", "generate", "release"]);
    let again = lineclear(&repository, &["key", "generate", "release"]);
    assert_eq!(again.exit, 2, "a key is never lost: {}", again.stdout);
    let public = succeeds(&repository, &["key", "public", "release"]);
    repository.write("release.pub", &public);
    let listed: Value =
        serde_json::from_str(&succeeds(&repository, &["key", "list", "--format", "json"])).expect("JSON");
    assert_eq!(listed["keys"][0]["name"], "release");
    assert!(repository.home_files_with("PRIVATE KEY").is_empty(), "the store is encrypted");

    let unsigned = lineclear(&repository, &["image", "verify", "--key", "release.pub", &pinned]);
    assert_eq!(unsigned.exit, 1, "{}", unsigned.stdout);
    let said = succeeds(&repository, &["image", "sign", &tagged]);
    assert!(said.contains(&format!("signed {pinned}")), "it says which digest it signed: {said}");
    assert!(said.contains("stated in the ledger of local/"), "{said}");

    let verify = ["verify", "--key", "release.pub", "--insecure-ignore-tlog=true", &pinned];
    cosign(&repository.root(), &verify).succeeds();

    let no_keys = lineclear(&repository, &["image", "verify", &pinned]);
    assert_eq!(no_keys.exit, 2, "{}", no_keys.stdout);
    repository.write("lineclear.toml", "[signing]\nkeys = ['release.pub']\nkey = 'release'\n");
    let said = succeeds(&repository, &["image", "verify", &tagged]);
    assert!(said.contains("signature by sha256:"), "{said}");
    let json: Value =
        serde_json::from_str(&succeeds(&repository, &["image", "verify", "--format", "json", &pinned])).expect("JSON");
    assert_eq!(json["verified"][0]["key"], listed["keys"][0]["id"]);

    // A key that does not count.
    succeeds(&repository, &["key", "generate", "other"]);
    let other = lineclear(&repository, &["image", "verify", "--key", "other", &pinned]);
    assert_eq!(other.exit, 1);
    assert!(other.stderr.contains("none of the keys that count"), "{}", other.stderr);
    succeeds(&repository, &["key", "remove", "other"]);
    assert_eq!(lineclear(&repository, &["key", "remove", "other"]).exit, 2);
}

#[test]
fn statements_are_attested_verified_and_refused_where_nothing_is_known() {
    let (repository, _registry, tagged, pinned) = with_image("attesting");
    succeeds(&repository, &["key", "generate", "release", "--machine"]);
    repository.write("release.pub", &succeeds(&repository, &["key", "public", "release"]));
    repository.write("lineclear.toml", "[signing]\nkeys = ['release.pub']\n");
    repository.write("review.json", r#"{"reviewed": true}"#);
    let kind = "https://example.org/review/v1";
    succeeds(&repository, &["image", "attest", &tagged, "--predicate", "review.json", "--type", kind]);
    let said = succeeds(&repository, &["image", "verify", "--attestation", kind, "--format", "json", &pinned]);
    let json: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(json["verified"][0]["predicate"]["reviewed"], true);
    for command in [&["attest", "--predicate", "review.json", "--type"][..], &["verify", "--attestation"]] {
        let said = lineclear(&repository, &[&["image"], command, &["weird", &tagged]].concat());
        let list = "expected one of provenance, spdx, cyclonedx, vuln, openvex, custom, or an address";
        assert!(said.exit == 2 && said.stderr.contains(list), "{}", said.stderr);
    }
    let none = lineclear(&repository, &["image", "verify", &pinned]);
    assert_eq!(none.exit, 1, "an attestation is no signature: {}", none.stdout);
    // Nobody's word is made up.
    let unknown = lineclear(&repository, &["image", "attest", &tagged, "--provenance"]);
    assert_eq!(unknown.exit, 1);
    assert!(unknown.stderr.contains("knows no run that built sha256:"), "{}", unknown.stderr);
    repository.write("forged.json", "{}");
    let forged = ["image", "attest", &tagged, "--predicate", "forged.json", "--type", "provenance"];
    assert_eq!(lineclear(&repository, &forged).exit, 2);
}

#[test]
fn a_key_goes_from_lineclear_to_cosign_and_back() {
    let (repository, _registry, _, pinned) = with_image("keys");
    let mut generate = repository.lineclear(&["key", "generate", "ci", "--output", "."]);
    generate.env("LINECLEAR_SIGNING_PASSPHRASE", PASSPHRASE);
    assert_eq!(say(generate).exit, 0);
    let sign = ["sign", "--yes", "--tlog-upload=false", "--key", "ci.key", &pinned];
    cosign(&repository.root(), &sign).succeeds();
    succeeds(&repository, &["image", "verify", "--key", "./ci.pub", &pinned]);

    cosign(&repository.root(), &["generate-key-pair"]).succeeds();
    let mut import = repository.lineclear(&["key", "import", "theirs", "--file", "cosign.key"]);
    import.env("COSIGN_PASSWORD", PASSPHRASE);
    assert_eq!(say(import).exit, 0);
    assert_eq!(succeeds(&repository, &["key", "public", "theirs"]).trim(), repository.read("cosign.pub").trim());
    succeeds(&repository, &["image", "sign", "--key", "theirs", &pinned]);
    let verify = ["verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", &pinned];
    cosign(&repository.root(), &verify).succeeds();
    let service = lineclear(&repository, &["image", "sign", "--key", "awskms://key", &pinned]);
    assert!(service.exit == 2 && service.stderr.contains("held by a service"), "{}", service.stderr);
}

/// A job that pushes an image into the registry of the run, signs it with the real cosign, and attests how it was built.
const SIGNING_JOB: &str = r#"
on: push
permissions: { contents: read, packages: write, attestations: write, id-token: write }
jobs:
  sign:
    runs-on: ubuntu-latest
    env:
      IMAGE: ${{ github.repository }}
      COSIGN_PRIVATE_KEY: ${{ secrets.COSIGN_PRIVATE_KEY }}
      COSIGN_PASSWORD: ${{ secrets.COSIGN_PASSWORD }}
    steps:
      - uses: actions/checkout@v4
      - uses: sigstore/cosign-installer@v3
      - run: |
          skopeo copy --quiet --dest-tls-verify=false --dest-creds "job:${{ github.token }}" --digestfile digest \
            docker-archive:app.tar "docker://$LINECLEAR_REGISTRY/$IMAGE:1"
          { echo "REGISTRY=$LINECLEAR_REGISTRY"; echo "NAME=$LINECLEAR_REGISTRY/$IMAGE"; echo "DIGEST=$(cat digest)"; } >> "$GITHUB_ENV"
      - uses: docker/login-action@v3
        with: { registry: '${{ env.REGISTRY }}', username: job, password: '${{ github.token }}' }
      - name: sign
        run: cosign sign --yes --tlog-upload=false --key env://COSIGN_PRIVATE_KEY "$NAME@$DIGEST"
      - id: attest
        uses: actions/attest-build-provenance@v2
        with:
          subject-name: ${{ env.NAME }}
          subject-digest: ${{ env.DIGEST }}
          push-to-registry: true
      - name: verify
        run: |
          cosign verify --key ci.pub --insecure-ignore-tlog=true "$NAME@$DIGEST"
          echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' > root.json
          cosign verify-attestation --key ci.pub --insecure-ignore-tlog=true --new-bundle-format --trusted-root root.json \
            --type slsaprovenance1 "$NAME@$DIGEST" > said.json
          grep -q '"payload"' said.json
          test -s "${{ steps.attest.outputs.bundle-path }}"
"#;

#[test]
fn s1_56_a_step_signs_by_digest_with_the_real_cosign_in_the_registry_of_the_run() {
    let repository = Repository::with("s1-56", SIGNING_JOB);
    repository.sh(ARCHIVE);
    repository.sh("cp ../app.tar . && git add app.tar");
    let mut generate = repository.lineclear(&["key", "generate", "ci", "--output", "."]);
    generate.env("LINECLEAR_SIGNING_PASSPHRASE", PASSPHRASE);
    assert_eq!(say(generate).exit, 0);
    let key = repository.read("ci.key");
    succeeds(&repository, &["secret", "set", "COSIGN_PRIVATE_KEY", "--body-file", "ci.key"]);
    repository.write("passphrase", PASSPHRASE);
    succeeds(&repository, &["secret", "set", "COSIGN_PASSWORD", "--body-file", "passphrase"]);
    repository.sh("rm ci.key passphrase && git add ci.pub && git commit -qm image");
    let run = repository.run(&["--event", "push"]);
    assert_eq!(run.conclusion("sign"), "success", "{}", run.transcript());
    let line = key.lines().nth(1).expect("a line of the key");
    assert!(!run.transcript().contains(line) && !run.transcript().contains(PASSPHRASE), "keys stay out of the log");
}
