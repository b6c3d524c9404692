//! Lists that come in pages.

use lineclear_oci::{Descriptor, Digest, IndexParts, MediaType};

use crate::client;
use crate::server::{Reply, Server};

#[test]
fn tags_of_all_pages_are_listed() {
    let server = Server::start(|asked| match asked.path.split_once("last=") {
        None => Reply::ok("{\"name\":\"a\",\"tags\":[\"1\",\"2\"]}")
            .with("Link", "</v2/a/tags/list?n=2&last=2>; rel=\"next\""),
        Some((_, "2")) => Reply::ok("{\"name\":\"a\",\"tags\":[\"3\"]}"),
        Some(_) => Reply::new(400, ""),
    });
    let tags: Vec<String> =
        client().tags(&server.reference("a")).expect("listed").iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["1", "2", "3"]);
    let none = Server::start(|_| Reply::ok("{\"name\":\"a\",\"tags\":null}"));
    assert_eq!(client().tags(&none.reference("a")).expect("listed"), []);
}

#[test]
fn pages_without_end_are_noticed() {
    let same =
        Server::start(|_| Reply::ok("{\"tags\":[\"1\"]}").with("Link", "</v2/a/tags/list?last=1>; rel=\"next\""));
    let error = client().tags(&same.reference("a")).expect_err("it never ends");
    assert!(error.to_string().contains("pages without end"), "{error}");
    assert!(same.asked().len() < 5);
    let elsewhere =
        Server::start(|_| Reply::ok("{\"tags\":[\"1\"]}").with("Link", "<http://127.0.0.2:1/x>; rel=\"next\""));
    let error = client().tags(&elsewhere.reference("a")).expect_err("it leads away");
    assert!(error.to_string().contains("another server"), "{error}");
}

#[test]
fn referrers_of_all_pages_are_listed_and_filtered() {
    let subject = Digest::of(b"subject");
    let referrer = |name: &str, kind: &str| {
        let mut entry = Descriptor::of(MediaType::OciManifest, name.as_bytes());
        entry.artifact_type = Some(MediaType::from(kind));
        entry
    };
    let pages = [vec![referrer("1", "a/sbom"), referrer("2", "a/sig")], vec![referrer("3", "a/sbom")]];
    let expected = vec![pages[0][0].clone(), pages[1][0].clone()];
    let server = Server::start(move |asked| {
        let second = asked.path.contains("page=2");
        let index = IndexParts::new(pages[usize::from(second)].clone()).write();
        let reply = Reply::ok(index.raw()).with("Content-Type", MediaType::OciIndex.as_str());
        if second { reply } else { reply.with("Link", format!("<{}&page=2>; rel=\"next\"", asked.path)) }
    });
    let found = client().referrers(&server.reference("a"), &subject, Some(&MediaType::from("a/sbom"))).expect("listed");
    assert_eq!(found, expected, "also where the registry does not filter");
    assert!(server.asked()[0].path.ends_with("?artifactType=a%2Fsbom"), "{}", server.asked()[0].path);
}
