//! Debian's `docker-registry` on a port of its own, with a folder of its own. Both go when it is dropped.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lineclear_oci::{Reference, RegistryHost};

pub(crate) struct Registry {
    process: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One that knows the user `alice` with the password `wonderland`.
    pub(crate) fn with_users() -> Self {
        Self::with("alice:$2y$05$abcdefghijklmnopqrstuuA0vov2GDneHB3.8.cv9UF9g.RdvScIW\n")
    }

    fn with(users: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let mut settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             http: {{addr: '127.0.0.1:0'}}\n",
            path.join("data").display()
        );
        if !users.is_empty() {
            std::fs::write(path.join("htpasswd"), users).expect("written");
            writeln!(settings, "auth:\n  htpasswd: {{realm: test, path: {}}}", path.join("htpasswd").display())
                .expect("a text takes everything");
        }
        std::fs::write(path.join("config.yml"), settings).expect("written");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(path.join("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tests need `docker-registry`: install the package docker-registry");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let mut said = String::new();
        let host = loop {
            let Some(Ok(line)) = lines.next() else {
                let _gone = process.kill();
                panic!("docker-registry did not start: {said}");
            };
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ' ', ',']).next().expect("there is something").to_owned();
            }
            said.push_str(&line);
        };
        // Its log goes nowhere, but has to be read.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process, host, _folder: folder }
    }

    pub(crate) fn address(&self) -> &str {
        &self.host
    }

    pub(crate) fn host(&self) -> RegistryHost {
        self.host.parse().expect("it is a host with a port")
    }

    pub(crate) fn reference(&self, rest: &str) -> Reference {
        super::reference(&format!("{}/{rest}", self.host))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
