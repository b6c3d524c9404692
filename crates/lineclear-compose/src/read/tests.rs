use lineclear_source::Source;
use proptest::prelude::*;

use crate::{Compose, Condition, MountKind, Stack};

fn read(text: &str) -> Compose {
    let (compose, findings) = Compose::read(&Source::new("compose.yml", text));
    assert_eq!(findings, [], "{text}");
    compose.expect("it is a compose file")
}

#[track_caller]
fn check_faults(text: &str, expected: &[&str]) {
    let source = Source::new("compose.yml", text);
    let (_, findings) = Compose::read(&source);
    let found: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", source.position(finding.span.unwrap_or_default().start), finding.message))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn short_and_long_forms_say_the_same() {
    let text = "
x-base: &base { restart: always, image: a }
services:
  short:
    <<: *base
    build: ./a
    ports: [\"127.0.0.1:8080:80/udp\"]
    volumes: [\"./a:/b:ro\", data:/d]
    depends_on: [long]
    environment: [A=1, B]
    env_file: .env
    mem_limit: 1g
    cpus: 0.5
  long:
    image: a
    build: { context: ./a }
    ports: [{ target: 80, published: \"8080\", host_ip: 127.0.0.1, protocol: udp }]
    volumes: [{ type: bind, source: ./a, target: /b, read_only: true }]
    depends_on: { short: { condition: service_healthy, required: false } }
    environment: { A: 1, B: }
    env_file: [{ path: .env, required: false }]
    deploy: { resources: { limits: { memory: 1g, cpus: '0.5' } } }
";
    let compose = read(text);
    let (short, long) = (&compose.services[0], &compose.services[1]);
    assert_eq!(short.restart.as_ref().map(|text| text.text.as_str()), Some("always"));
    for service in [short, long] {
        let port = &service.ports[0];
        assert!(port.is_local() && port.published_range() == Some((8080, 8080)) && port.protocol == "udp");
        let mount = &service.mounts[0];
        assert!(mount.kind == MountKind::Bind && mount.is_read_only && mount.target == "/b");
        let variables: Vec<_> =
            service.environment.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
        assert_eq!(variables, [("A", Some("1")), ("B", None)]);
        assert_eq!(service.env_files[0].path.text, ".env");
        assert_eq!(service.limits.memory.as_ref().map(|text| text.text.as_str()), Some("1g"));
        assert_eq!(
            service.build.as_ref().and_then(|build| build.context.as_ref()).map(|text| text.text.as_str()),
            Some("./a")
        );
    }
    assert_eq!(long.depends_on[0].condition, Condition::Healthy);
    assert!(!long.depends_on[0].is_required && short.depends_on[0].is_required);
}

#[test]
fn faults_have_their_places() {
    check_faults(
        "servces: {}\nservices:\n  a:\n    imge: x\n    x-own: 1\n    ports: 80\n    restart: allways\n    healthcheck: { test: [CND, x] }\n    depends_on: { b: { condition: service_health } }\n    volumes: [{ type: bnd, target: /a }]\n  b: []\n",
        &[
            "1:1 `servces` is not a key of a compose file; did you mean `services`?",
            "4:5 `imge` is not a key of a service; did you mean `image`?",
            "6:12 `ports` is a list, and this is a number",
            "7:14 `allways` is no policy of `restart`; did you mean `always`?",
            "8:27 a check's list begins with `CMD`, `CMD-SHELL` or `NONE`, not `CND`; did you mean `CMD`?",
            "9:35 `service_health` is no condition; did you mean `service_healthy`?",
            "10:23 there is no mount of type `bnd`; did you mean `bind`?",
            "11:6 a service is a mapping, and this is a sequence",
        ],
    );
    check_faults("- a\n", &["1:1 a compose file is a mapping with `services`, and this is a sequence"]);
    check_faults(
        "services: { a: { image: !rest x } }\n",
        &["1:25 `!rest` is no tag of compose files; did you mean `!reset`?"],
    );
}

#[test]
fn overlays_are_merged() {
    let base = read(
        "services:\n  a:\n    image: a:1\n    command: [x]\n    ports: ['80:80', '81:81']\n    environment: { A: 1, B: 2 }\n    depends_on: [b]\n    volumes: ['./src:/app']\n  b: { image: b, ports: ['5432:5432'] }\n",
    );
    let over = read(
        "services:\n  a:\n    image: a:2\n    ports: ['80:80', '82:82']\n    environment: [B=3]\n    volumes: ['data:/app']\n  b: { ports: !reset [] }\n  c: { extends: a, ports: !override ['9:9'] }\n",
    );
    let stack = Stack::of(&[&base, &over]);
    let a = stack.service("a").expect("it is there");
    assert_eq!(a.image.as_ref().map(|text| text.text.as_str()), Some("a:2"));
    let ports: Vec<_> = a.ports.iter().map(|port| (port.published.as_deref(), port.origin)).collect();
    assert_eq!(ports, [(Some("81"), 0), (Some("80"), 1), (Some("82"), 1)]);
    let variables: Vec<_> = a.environment.iter().filter_map(|one| one.value.as_deref()).collect();
    assert_eq!(variables, ["1", "3"]);
    assert_eq!(a.mounts.len(), 1);
    assert!(stack.service("b").expect("it is there").ports.is_empty());
    let c = stack.service("c").expect("it is there");
    assert_eq!((c.ports.len(), c.depends_on.len()), (1, 1));
}

#[test]
fn services_that_extend_each_other_end() {
    let file = read("services:\n  a: { extends: b }\n  b: { extends: { service: a } }\n");
    assert_eq!(Stack::of(&[&file]).services.len(), 2);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "((services|a|image|build|ports|depends_on|volumes|environment|healthcheck|<<|\\*a|&a|!reset|\\$\\{X:-1\\}|[0-9]{1,3}|[-:{}\\[\\],/ \\n\"]){0,6}(:|\\n| )){0,10}") {
        let (compose, _) = Compose::read(&Source::new("compose.yml", text));
        if let Some(compose) = compose {
            Stack::of(&[&compose, &compose]);
        }
    }
}
