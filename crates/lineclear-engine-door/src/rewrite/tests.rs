//! What is decided for requests of every kind, against a machine that is made up: `fuzzing::Fixture`.

use serde_json::{Value, json};

use super::{Decision, Endpoint, Machine as _, Pass, Refusal, find};
use crate::fuzzing::Fixture;
use crate::http::Target;

fn ask(fixture: &Fixture, method: &str, target: &str, body: &Value) -> Result<Decision, Refusal> {
    let target = Target::parse(target).expect("it is a target");
    let (endpoint, name): (Endpoint, String) = find(method, &target)?;
    endpoint.decide(target, name, body.to_string().as_bytes(), &fixture.0, fixture)
}

fn passed(method: &str, target: &str, body: &Value) -> Pass {
    passed_by(&Fixture::new(), method, target, body)
}

fn passed_by(fixture: &Fixture, method: &str, target: &str, body: &Value) -> Pass {
    match ask(fixture, method, target, body).expect("it is passed on") {
        Decision::Pass(pass) => *pass,
        other => panic!("{other:?}"),
    }
}

fn refused(method: &str, target: &str, body: &Value) -> String {
    refused_by(&Fixture::new(), method, target, body)
}

fn refused_by(fixture: &Fixture, method: &str, target: &str, body: &Value) -> String {
    match ask(fixture, method, target, body) {
        Err(refusal) => format!("{}: {}", refusal.status, refusal.message),
        Ok(decision) => panic!("{target}: {decision:?}"),
    }
}

/// The body of a container's making.
fn created(body: &Value) -> Value {
    passed("POST", "/v1.41/containers/create?name=db", body).body.expect("it is rewritten")
}

fn marked(name: &str) -> String {
    Fixture::new().0.names.engine(name)
}

const OWN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn a_container_of_the_job_is_found_by_name_and_id_and_others_are_not() {
    for name in ["db", OWN, &OWN[..12], "/db"] {
        let target = format!("/containers/{}/json", name.replace('/', "%2F"));
        if name != "/db" {
            assert_eq!(passed("GET", &target, &Value::Null).target.path[1], OWN);
        }
    }
    for name in ["theirs", "bbbb", "", "x"] {
        if !name.is_empty() {
            assert_eq!(
                refused("POST", &format!("/containers/{name}/kill"), &Value::Null),
                format!("404: No such container: {name}")
            );
        }
    }
    assert!(refused("POST", "/exec/other/start", &Value::Null).starts_with("404"));
    assert_eq!(passed("POST", "/exec/own/start", &Value::Null).target.path[1], "own");
}

#[test]
fn everything_that_prunes_goes_as_far_as_the_job() {
    for kind in ["containers", "networks", "volumes"] {
        let target = format!("/v1.41/{kind}/prune?filters=%7B%22label%21%22%3A%7B%22keep%22%3Atrue%7D%7D");
        let filters = passed("POST", &target, &Value::Null).target.get("filters").unwrap_or_default().to_owned();
        assert_eq!(filters, r#"{"label":{"org.lineclear.job=github_own":true},"label!":{"keep":true}}"#);
    }
    assert!(matches!(
        ask(&Fixture::new(), "POST", "/images/prune", &Value::Null),
        Ok(Decision::PruneImages { all: false })
    ));
    assert!(matches!(ask(&Fixture::new(), "POST", "/build/prune?all=1", &Value::Null), Ok(Decision::Reply(200, _))));
}

#[test]
fn mounts_are_translated_and_those_of_others_refused() {
    let body = json!({"Image": "app", "HostConfig": {"Binds": [
        "/home/me/lc/jobs/own/work/src:/src:ro",
        "/var/run/docker.sock:/var/run/docker.sock",
        "/run/engine.sock:/e",
        "/__w/app:/app",
        "/tmp/x:/x",
        "/etc/ssl:/ssl",
        "data:/data",
        "new:/new:ro",
        "/anonymous",
    ]}});
    let body = created(&body);
    let binds = [
        "/home/me/lc/jobs/own/work/src:/src:ro".to_owned(),
        "/home/me/lc/jobs/own/door/docker.sock:/var/run/docker.sock".to_owned(),
        "/home/me/lc/jobs/own/door/docker.sock:/e".to_owned(),
        "/home/me/lc/jobs/own/work/app:/app".to_owned(),
        "/home/me/lc/jobs/own/work/tmp/x:/x".to_owned(),
        "/etc/ssl:/ssl".to_owned(),
        format!("{}:/data", marked("data")),
        format!("{}:/new:ro", marked("new")),
    ];
    assert_eq!(body["HostConfig"]["Binds"], json!(binds));
    // The image's own volume at /data is covered; the nameless one gets labels.
    let mounts = body["HostConfig"]["Mounts"].as_array().expect("a list");
    assert_eq!(mounts.len(), 1);
    assert_eq!(
        (&mounts[0]["Target"], &mounts[0]["VolumeOptions"]["Labels"]["org.lineclear.job"]),
        (&json!("/anonymous"), &json!("github_own"))
    );

    for path in
        ["/home/me/lc/jobs/other/work", "/home/me/lc/jobs/own/work/../../other", "/link/secrets", "/__w/../home/me/lc"]
    {
        let bind = json!({"Image": "app", "HostConfig": {"Binds": [format!("{path}:/x")]}});
        assert!(
            refused("POST", "/containers/create", &bind).contains("belongs to Lineclear or to another job"),
            "{path}"
        );
        let mount =
            json!({"Image": "app", "HostConfig": {"Mounts": [{"type": "bind", "source": path, "target": "/x"}]}});
        assert!(refused("POST", "/containers/create", &mount).starts_with("403"), "{path}");
        let volume = json!({"Name": "v", "DriverOpts": {"type": "none", "o": "bind", "device": path}});
        assert!(refused("POST", "/volumes/create", &volume).starts_with("403"), "{path}");
    }
}

#[test]
fn keys_are_read_as_the_engine_reads_them() {
    // The engine would take `binds` for `Binds`, and `ſ` for `s`.
    for body in [
        json!({"Image": "app", "hostconfig": {"binds": ["/link/a:/x"]}}),
        json!({"Image": "app", "HoſtConfig": {"Bindſ": ["/link/a:/x"]}}),
    ] {
        assert!(refused("POST", "/containers/create", &body).starts_with("403"));
    }
    let twice = json!({"Image": "app", "HostConfig": {}, "hostConfig": {"Binds": ["/link/a:/x"]}});
    assert!(refused("POST", "/containers/create", &twice).contains("twice"));
    // Settings on the level above count where there are none where they belong: so there always are.
    let above = created(&json!({"Image": "app", "Binds": ["/link/a:/x"]}));
    assert!(above["HostConfig"].is_object());
    assert!(refused("POST", "/containers/create", &json!([])).starts_with("400"));
    assert!(refused("POST", "/containers/db/start", &json!({"Binds": ["/:/x"]})).starts_with("400"));
}

#[test]
fn networks_and_other_containers_are_named_as_the_engine_names_them() {
    let body = created(&json!({
        "Image": "app",
        "HostConfig": {"NetworkMode": "backend", "Links": ["db:database"], "VolumesFrom": ["db:ro"], "PidMode": "container:db"},
        "NetworkingConfig": {"EndpointsConfig": {"backend": {"Aliases": ["api"], "Links": ["db"]}}},
    }));
    assert_eq!(body["HostConfig"]["NetworkMode"], json!(marked("backend")));
    assert_eq!(body["HostConfig"]["Links"], json!([format!("{OWN}:database")]));
    assert_eq!(body["HostConfig"]["VolumesFrom"], json!([format!("{OWN}:ro")]));
    assert_eq!(body["HostConfig"]["PidMode"], json!(format!("container:{OWN}")));
    let endpoint = &body["NetworkingConfig"]["EndpointsConfig"][marked("backend")];
    assert_eq!(endpoint, &json!({"Aliases": ["api", "db"], "Links": [format!("{OWN}:db")]}));

    let theirs = json!({"Image": "app", "HostConfig": {"NetworkMode": "theirs"}});
    assert_eq!(refused("POST", "/containers/create", &theirs), "400: network theirs not found");
    let theirs = json!({"Image": "app", "HostConfig": {"NetworkMode": "container:theirs"}});
    assert_eq!(refused("POST", "/containers/create", &theirs), "400: No such container: theirs");
    // The engine's own networks know no aliases.
    let bridge = created(&json!({"Image": "app", "HostConfig": {"NetworkMode": "bridge"}}));
    assert_eq!(bridge["NetworkingConfig"]["EndpointsConfig"], json!({}));
}

#[test]
fn asked_ports_are_remembered_and_others_published() {
    let asked = json!({"5432/tcp": [{"HostIp": "", "HostPort": "5433"}]});
    let body = created(&json!({"Image": "app", "HostConfig": {"PortBindings": asked}}));
    assert_eq!(body["HostConfig"]["PortBindings"], json!({"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}));
    assert_eq!(body["Labels"]["org.lineclear.ports"], json!(asked.to_string()));
    let mut fixture = Fixture::new();
    fixture.0.has_network = false;
    let body = passed_by(
        &fixture,
        "POST",
        "/containers/create",
        &json!({"Image": "app", "HostConfig": {"PortBindings": asked}}),
    )
    .body;
    assert_eq!(body.expect("it is rewritten")["HostConfig"]["PortBindings"], asked);
}

#[test]
fn a_job_that_is_kept_from_the_machine_gets_nothing_of_it() {
    let mut fixture = Fixture::new();
    fixture.0.is_confined = true;
    for host in [
        json!({"Privileged": true}),
        json!({"privileged": true}),
        json!({"CapAdd": ["SYS_ADMIN"]}),
        json!({"Devices": [{"PathOnHost": "/dev/sda"}]}),
        json!({"SecurityOpt": ["seccomp=unconfined"]}),
        json!({"PidMode": "host"}),
        json!({"NetworkMode": "host"}),
        json!({"Binds": ["/etc:/etc"]}),
        json!({"Binds": ["/__w:/w"]}),
        json!({"Mounts": [{"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Options": {"device": "/dev/sda", "type": "ext4"}}}}]}),
    ] {
        let refusal = refused_by(&fixture, "POST", "/containers/create", &json!({"Image": "app", "HostConfig": host}));
        assert!(refusal.starts_with("403") && refusal.contains("kept from the machine"), "{refusal}");
    }
    for host in [json!({"SecurityOpt": ["no-new-privileges:true"]}), json!({"CapAdd": []})] {
        passed_by(&fixture, "POST", "/containers/create", &json!({"Image": "app", "HostConfig": host}));
    }
    assert!(refused_by(&fixture, "POST", "/containers/db/exec", &json!({"Privileged": true})).starts_with("403"));
    assert!(
        refused_by(&fixture, "POST", "/networks/create", &json!({"Name": "n", "Driver": "macvlan"})).starts_with("403")
    );
}

#[test]
fn a_network_changes_nothing_of_the_machines_own() {
    let create =
        |body: &Value| ask(&Fixture::new(), "POST", "/networks/create", body).map(drop).map_err(|no| no.status);
    let options = |key: &str| json!({"Name": "n", "Options": {key: "docker0"}});
    assert_eq!(create(&options("com.docker.network.bridge.name")), Err(403));
    assert_eq!(create(&options("com.docker.network.driver.mtu")), Ok(()));
    let subnet = |subnet: &str| json!({"Name": "n", "IPAM": {"Config": [{"Subnet": subnet}]}});
    for public in ["203.0.113.0/24", "8.8.8.0/24", "2001:db8::/32"] {
        assert_eq!(create(&subnet(public)), Err(403), "{public}");
    }
    for private in ["10.7.0.0/16", "172.28.0.0/24", "192.168.7.0/24", "fd00:7::/64", ""] {
        assert_eq!(create(&subnet(private)), Ok(()), "{private}");
    }
}

#[test]
fn folders_around_what_is_protected_and_layers_of_folders_are_refused() {
    for around in ["/", "/home/me", "/home/me/lc"] {
        let body = json!({"Image": "app", "HostConfig": {"Binds": [format!("{around}:/h")]}});
        let refusal = refused("POST", "/containers/create", &body);
        assert!(refusal.starts_with("403") && refusal.contains("cannot be mounted"), "{around}: {refusal}");
    }
    let layers =
        json!({"Name": "v", "DriverOpts": {"type": "overlay", "device": "overlay", "o": "lowerdir=/home/me/lc:/tmp"}});
    assert!(refused("POST", "/volumes/create", &layers).starts_with("403"));
}

#[test]
fn names_of_the_machines_images_keep_their_meaning_for_isolated_jobs() {
    let tag = |fixture: &Fixture| {
        ask(fixture, "POST", "/images/app/tag?repo=postgres&tag=15", &Value::Null).map(drop).map_err(|no| no.status)
    };
    let mut fixture = Fixture::new();
    assert_eq!(tag(&fixture), Ok(()));
    fixture.0.is_confined = true;
    assert_eq!(tag(&fixture), Err(403));
    let build = ask(&fixture, "POST", "/build?t=postgres%3A15", &Value::Null).map(drop).map_err(|no| no.status);
    assert_eq!(build, Err(403));
}

#[test]
fn images_are_removed_by_whom_they_belong_to() {
    passed("DELETE", "/images/app:latest", &Value::Null);
    assert_eq!(
        passed("DELETE", &format!("/images/sha256:{OWN}?force=1"), &Value::Null).target.path[1],
        format!("sha256:{OWN}")
    );
    let refusal = refused("DELETE", "/images/postgres:15?force=1", &Value::Null);
    assert!(refusal.starts_with("409") && refusal.contains("neither made nor tagged it"), "{refusal}");
}

#[test]
fn mapped_names_go_where_they_are_kept() {
    let Ok(Decision::Push(image)) = ask(&Fixture::new(), "POST", "/images/ghcr.io/o/app/push?tag=1", &Value::Null)
    else {
        panic!("it is mapped");
    };
    assert_eq!(
        (image.kept.to_string(), image.asked.to_string()),
        ("127.0.0.1:5000/ghcr.io/o/app:1".into(), "ghcr.io/o/app:1".into())
    );
    assert!(matches!(
        ask(&Fixture::new(), "POST", "/images/create?fromImage=ghcr.io%2Fo%2Fapp&tag=1", &Value::Null),
        Ok(Decision::Pull(..))
    ));
    assert!(matches!(
        ask(&Fixture::new(), "GET", "/distribution/ghcr.io/o/app:1/json", &Value::Null),
        Ok(Decision::Either(..))
    ));
    let login = passed("POST", "/auth", &json!({"username": "u", "password": "p", "serveraddress": "ghcr.io"}));
    assert_eq!(login.body.expect("it is rewritten")["serveraddress"], json!("127.0.0.1:5000"));
    let login = passed(
        "POST",
        "/auth",
        &json!({"username": "u", "password": "p", "serveraddress": "https://index.docker.io/v1/"}),
    );
    assert_eq!(login.body.expect("it is rewritten")["serveraddress"], json!("https://index.docker.io/v1/"));
    // Without a login of the job nothing is mapped.
    let mut fixture = Fixture::new();
    fixture.0.registry = None;
    passed_by(&fixture, "POST", "/images/ghcr.io/o/app/push?tag=1", &Value::Null);
}

#[test]
fn an_image_of_a_container_does_not_take_its_labels() {
    let pass = passed("POST", "/commit?container=db&repo=r", &json!({"Labels": {"a": "b"}}));
    assert_eq!(pass.target.get("container"), Some(OWN));
    let labels = &pass.body.expect("it is rewritten")["Labels"];
    assert_eq!(
        (&labels["a"], &labels["org.lineclear.job"], &labels["org.lineclear.owner"]),
        (&json!("b"), &json!(""), &json!(""))
    );
}

#[test]
fn what_is_not_known_is_refused_in_words() {
    assert!(refused("GET", "/v4.0.0/libpod/containers/json", &Value::Null).contains("Podman"));
    assert!(refused("POST", "/swarm/init", &Value::Null).starts_with("503: This node is not a swarm manager"));
    assert!(refused("POST", "/plugins/pull", &Value::Null).starts_with("403"));
    assert!(refused("POST", "/containers/db/checkpoints", &Value::Null).starts_with("404: page not found"));
    assert!(
        refused("POST", "/containers/create", &json!({"HostConfig": {"Mounts": [{"Type": "image", "Source": "x"}]}}))
            .starts_with("400")
    );
}

#[test]
fn where_the_machine_is_shared_all_is_seen_and_nothing_changed() {
    let mut fixture = Fixture::new();
    fixture.0.view = crate::settings::View::Shared;
    assert_eq!(passed_by(&fixture, "GET", "/containers/json", &Value::Null).target.get("filters"), None);
    assert_eq!(passed_by(&fixture, "GET", "/containers/theirs/json", &Value::Null).target.path[1], "theirs");
    for (method, target) in [
        ("DELETE", "/containers/theirs"),
        ("POST", "/containers/theirs/exec"),
        ("DELETE", "/networks/theirs"),
        ("DELETE", "/volumes/theirs"),
    ] {
        assert!(refused_by(&fixture, method, target, &Value::Null).starts_with("404"), "{target}");
    }
    let filters = passed_by(&fixture, "POST", "/containers/prune", &Value::Null);
    assert!(filters.target.get("filters").unwrap_or_default().contains("org.lineclear.job"));
    assert!(fixture.containers().is_ok());
}

#[test]
fn the_seeds_of_the_fuzzer_stay_within_the_job() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/door");
    let seeds = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path());
    let seeds: Vec<_> = seeds.map(|path| std::fs::read(path).expect("a file")).collect();
    assert!(seeds.len() > 10);
    for seed in &seeds {
        crate::fuzzing::request(seed);
        // Cut anywhere, and with any byte changed, it is read without a panic.
        for at in 0..seed.len() {
            crate::fuzzing::request(&seed[..at]);
            let mut changed = seed.clone();
            changed[at] ^= 0x21;
            crate::fuzzing::request(&changed);
        }
    }
}
