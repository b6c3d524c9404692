//! Lists of what is inside images and folders.

use crate::images::{Names, bench, busybox, docker};

const LOCK: &str = "[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n";

/// S1-51: through the action, as a file and as an artifact.
#[test]
fn an_sbom_of_an_image_and_of_a_folder_is_an_artifact() {
    let mut names = Names::new();
    let image = names.make("sbom");
    let bench = bench("");
    bench.write(&[
        ("Cargo.lock", LOCK),
        ("image/Dockerfile", "FROM scratch\nCOPY . /\n"),
        ("image/srv/node_modules/left/package.json", r#"{"name":"left","version":"1.3.0","license":"MIT"}"#),
    ]);
    std::fs::copy(busybox(), bench.root.join("image/busybox")).expect("it is copied");
    docker(&["build", "--quiet", "--tag", &image, &bench.root.join("image").to_string_lossy()]);
    let extension = "spdx.json";
    let of_image = format!("{}.{extension}", image.replace(':', "_"));
    let steps = format!(
        "- uses: anchore/sbom-action@v0\n  with: {{ image: '{image}', output-file: out/image.json }}\n\
         - uses: anchore/sbom-action@v0\n  with: {{ path: ., format: cyclonedx-json, artifact-name: folder.json, upload-artifact-retention: 3 }}\n\
         - uses: actions/download-artifact@v4\n  with: {{ path: kept, merge-multiple: true }}\n\
         - run: |\n    cmp out/image.json 'kept/{of_image}'\n    grep 'pkg:npm/left@1.3.0' out/image.json\n    grep 'pkg:cargo/serde@1.0.200' kept/folder.json\n    \
         grep '\"specVersion\": \"1.6\"' kept/folder.json\n    ! grep -r \"$PWD\" kept\n"
    );
    bench.job(&steps).succeeded();
    let unknown = bench.job("- uses: anchore/sbom-action@v0\n  with: { format: spdx }\n").failed();
    assert!(unknown.log.contains("`spdx-json` and `cyclonedx-json` are"), "{}", unknown.log);
}
