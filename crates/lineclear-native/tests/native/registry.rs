//! A registry of a test's own: the program of the package `docker-registry`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Registry {
    address: String,
    authorization: Option<String>,
    process: Child,
    _folder: TempDir,
}

impl Registry {
    /// One that anybody may use.
    pub(crate) fn open() -> Self {
        Self::start(None)
    }

    /// One that asks for a user and a password.
    pub(crate) fn with_login(user: &str, password: &str) -> Self {
        Self::start(Some((user, password)))
    }

    fn start(login: Option<(&str, &str)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let address = format!("127.0.0.1:{port}");
        let mut text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {:?} }}\n  delete: {{ enabled: true }}\nhttp: {{ addr: {address} }}\n",
            folder.path().join("data")
        );
        if let Some((user, password)) = login {
            let file = folder.path().join("htpasswd");
            // The form that registries take (bcrypt), by the machine's own `crypt`.
            let script = "print \"$ARGV[0]:\", crypt($ARGV[1], '$2y$05$' . 'abcdefghijklmnopqrstuu'), \"\\n\"";
            let hashed =
                Command::new("perl").args(["-e", script, user, password]).output().expect("perl is here").stdout;
            assert!(hashed.starts_with(format!("{user}:$2y$").as_bytes()), "{}", String::from_utf8_lossy(&hashed));
            std::fs::write(&file, hashed).expect("a file");
            text.push_str(&format!("auth: {{ htpasswd: {{ realm: test, path: {file:?} }} }}\n"));
        }
        let configuration = folder.path().join("config.yml");
        std::fs::write(&configuration, text).expect("a file");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is here: the package of that name");
        let began = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the registry does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        use base64::Engine as _;
        let authorization = login.map(|(user, password)| {
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
        });
        Self { address, authorization, process, _folder: folder }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The digest that a tag stands for.
    pub(crate) fn digest(&self, repository: &str, tag: &str) -> String {
        lineclear_oci::Digest::of(&self.manifest(repository, tag).1).to_string()
    }

    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> (Value, Vec<u8>) {
        let raw = self.get(&format!("/v2/{repository}/manifests/{reference}")).unwrap_or_else(|said| panic!("{said}"));
        (serde_json::from_slice(&raw).expect("JSON"), raw)
    }

    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Value {
        let raw = self.get(&format!("/v2/{repository}/blobs/{digest}")).unwrap_or_else(|said| panic!("{said}"));
        serde_json::from_slice(&raw).expect("JSON")
    }

    /// The body of an answer, or its first line.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        let types = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
        let mut request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\nAccept: {types}\r\n", self.address);
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("it takes it");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        if head.contains(" 200 ") { Ok(answer.split_off(end)) } else { Err(head) }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
