//! Certificates: an authority of one's own is trusted when SSL_CERT_FILE names it, and no other.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use lineclear_forge::ApiRequest;
use lineclear_forge_remote::ForgeKind;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{call, message, remote};

const FORGE: &str = "LINECLEAR_TEST_FORGE";
const EXPECTED: &str = "LINECLEAR_TEST_STATUS";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("an authority needs no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    CertifiedIssuer::self_signed(params, key).expect("the authority signs for itself")
}

/// A forge whose certificate is from `authority`; its address.
fn forge(authority: &CertifiedIssuer<'static, KeyPair>) -> String {
    let key = KeyPair::generate().expect("a key can be made");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address is a name");
    let certificate = params.signed_by(&key, authority).expect("the authority signs");
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the usual versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .expect("key and certificate fit");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("https://{}", listener.local_addr().expect("a bound socket has an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("the settings are sound");
            let mut tls = StreamOwned::new(connection, stream);
            let mut seen = Vec::new();
            let mut byte = [0];
            // Ends where the client refuses the certificate, too.
            while !seen.ends_with(b"\r\n\r\n") && matches!(tls.read(&mut byte), Ok(1)) {
                seen.push(byte[0]);
            }
            if tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").is_ok() {
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    url
}

/// The variable counts for a whole process, so that the question is asked from one of its own.
fn check_asked(url: &str, trusted: &CertifiedIssuer<'static, KeyPair>, expected: &str) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), trusted.pem()).expect("a temporary file can be written");
    let program = std::env::current_exe().expect("a test knows its program");
    let output = Command::new(program)
        .args(["--exact", "--ignored", "tls::asked_from_a_process_of_its_own"])
        .env("SSL_CERT_FILE", file.path())
        .env_remove("SSL_CERT_DIR")
        .envs([(FORGE, url), (EXPECTED, expected)])
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy")
        .output()
        .expect("a test can be run again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "run by the tests below, with variables of theirs"]
fn asked_from_a_process_of_its_own() {
    let url = std::env::var(FORGE).expect("set by the test that runs this");
    let answer = call(&remote(ForgeKind::Gitea, &url), &ApiRequest::new("GET", "/version"));
    assert_eq!(
        answer.status.to_string(),
        std::env::var(EXPECTED).expect("set by the test that runs this"),
        "{answer:?}"
    );
    if answer.status != 200 {
        assert!(message(&answer).contains("SSL_CERT_FILE"), "{}", message(&answer));
        assert!(!message(&answer).contains("broke"), "such a call would be made again: {}", message(&answer));
    }
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let authority = authority();
    check_asked(&forge(&authority), &authority, "200");
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    check_asked(&forge(&authority()), &authority(), "502");
}
