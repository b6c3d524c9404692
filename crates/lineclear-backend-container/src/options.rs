//! `options:` of containers: those of `docker create`, mapped to the engine's API.
//!
//! # Source
//! Docker's reference of `docker container create`, and of the API's `ContainerCreate`.

mod table;
mod value;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::ports::{self, Published};
use crate::words;
use table::{Kind, OPTIONS, Option_};

/// Whose options they are. The job's container is started by us, so it keeps its entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Job,
    Service,
}

/// What `options:` say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// In the form of the API.
    pub(crate) body: Map<String, Value>,
    pub(crate) name: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) entrypoint: Option<String>,
    pub(crate) env: Vec<String>,
    pub(crate) volumes: Vec<String>,
    pub(crate) ports: Vec<Published>,
    pub(crate) aliases: Vec<String>,
    /// `Always`, `Never`, as `--pull` says.
    pub(crate) pull: Option<crate::Pull>,
    /// Of the endpoint on the job's network.
    pub(crate) endpoint: Map<String, Value>,
}

/// Reads the options. Files that they name are looked for below `folder`.
///
/// # Errors
/// What is wrong with which option, in a sentence.
pub(crate) fn parse(text: &str, whose: Whose, folder: &Path) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words::split(text)?.into_iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let option = OPTIONS.iter().find(|option| option.long == name).ok_or_else(|| unknown(name))?;
            take(&mut options, option, value, &mut words, whose, folder)?;
        } else if let Some(mut short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            while let Some(letter) = short.chars().next() {
                let option = OPTIONS.iter().find(|option| option.short == Some(letter));
                let option = option.ok_or_else(|| format!("`-{letter}` is no option of `docker create`"))?;
                short = &short[letter.len_utf8()..];
                if option.is_flag() && !short.starts_with('=') {
                    take(&mut options, option, None, &mut words, whose, folder)?;
                    continue;
                }
                let value = short.strip_prefix('=').unwrap_or(short);
                let value = (!short.is_empty()).then(|| value.to_owned());
                take(&mut options, option, value, &mut words, whose, folder)?;
                break;
            }
        } else {
            return Err(format!(
                "`{word}` is no option: options begin with `-`, and a value with spaces stands in quotes"
            ));
        }
    }
    Ok(options)
}

fn unknown(name: &str) -> String {
    let near = OPTIONS.iter().map(|option| (distance(option.long, name), option.long)).min();
    match near.filter(|(distance, _)| *distance <= 2.max(name.len() / 4)) {
        Some((_, near)) => format!("`--{name}` is no option of `docker create`; did you mean `--{near}`?"),
        None => format!("`--{name}` is no option of `docker create`"),
    }
}

/// How many letters have to be changed, added or taken away.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

fn take(
    options: &mut Options,
    option: &'static Option_,
    value: Option<String>,
    words: &mut impl Iterator<Item = String>,
    whose: Whose,
    folder: &Path,
) -> Result<(), String> {
    let name = option.long;
    if let Kind::Refused(why) = option.kind {
        return Err(format!("`--{name}` cannot be used here: {why}"));
    }
    if option.is_flag() {
        let on = match value.as_deref() {
            None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => true,
            Some("false" | "0" | "f" | "F" | "FALSE" | "False") => false,
            Some(other) => return Err(format!("`--{name}` is `true` or `false`, and not `{other}`")),
        };
        if let Kind::Flag(place) = option.kind {
            put(&mut options.body, place, json!(on));
        }
        if name == "no-healthcheck" && on {
            put(&mut options.body, "Healthcheck/Test", json!(["NONE"]));
        }
        return Ok(());
    }
    let value = value.or_else(|| words.next()).ok_or_else(|| format!("`--{name}` needs a value"))?;
    let wrong = |problem: String| format!("`--{name} {value}`: {problem}");
    let body = &mut options.body;
    match option.kind {
        Kind::Flag(_) | Kind::OwnFlag | Kind::Refused(_) | Kind::Ignored => {}
        Kind::Text(place) => put(body, place, json!(value)),
        Kind::Number(place) => {
            let number: i64 = value.parse().map_err(|_| wrong("expected a whole number".into()))?;
            put(body, place, json!(number));
        }
        Kind::Bytes(place) => put(body, place, json!(value::bytes(&value).map_err(wrong)?)),
        Kind::Duration(place) => put(body, place, json!(value::nanoseconds(&value).map_err(wrong)?)),
        Kind::List(place) => push(body, place, json!(value)),
        Kind::Pairs(place) => {
            let (key, text) = value.split_once('=').unwrap_or((&value, ""));
            put(body, &format!("{place}/\u{0}{key}"), json!(text));
        }
        Kind::PairsOfFile(place) => {
            for line in lines(folder, &value).map_err(wrong)? {
                let (key, text) = line.split_once('=').unwrap_or((&line, ""));
                put(body, &format!("{place}/\u{0}{key}"), json!(text));
            }
        }
        Kind::Rated { place, what } => push(body, place, value::device_rate(&value, what).map_err(wrong)?),
        Kind::Own => own(options, name, &value, whose, folder).map_err(wrong)?,
    }
    Ok(())
}

/// Options that are more than a place in the API.
fn own(options: &mut Options, name: &str, value: &str, whose: Whose, folder: &Path) -> Result<(), String> {
    let body = &mut options.body;
    match name {
        "name" => options.name = Some(value.into()),
        "platform" => options.platform = Some(value.into()),
        "entrypoint" if whose == Whose::Job => {
            return Err("the container of a job keeps running by an entry point of its own".into());
        }
        "entrypoint" => options.entrypoint = Some(value.into()),
        "env" => options.env.push(value.into()),
        "env-file" => options.env.extend(lines(folder, value)?),
        "volume" => options.volumes.push(value.into()),
        "publish" => options.ports.extend(ports::parse(value)?),
        "expose" => {
            for port in ports::parse(value)? {
                put(body, &format!("ExposedPorts/\u{0}{}", port.container), json!({}));
            }
        }
        "network-alias" | "net-alias" => options.aliases.push(value.into()),
        "ip" => put(&mut options.endpoint, "IPAMConfig/IPv4Address", json!(value)),
        "ip6" => put(&mut options.endpoint, "IPAMConfig/IPv6Address", json!(value)),
        "link-local-ip" => push(&mut options.endpoint, "IPAMConfig/LinkLocalIPs", json!(value)),
        "pull" => {
            options.pull = Some(match value {
                "always" => crate::Pull::Always,
                "missing" => crate::Pull::Missing,
                "never" => crate::Pull::Never,
                _ => return Err("expected `always`, `missing` or `never`".into()),
            });
        }
        "cpus" => {
            let cpus: f64 = value.parse().map_err(|_| "expected a number such as 1.5")?;
            if !(cpus > 0.0 && cpus < 1e6) {
                return Err("expected a number above 0".into());
            }
            // At most 1e15, which both types hold exactly enough.
            put(body, "HostConfig/NanoCpus", json!((cpus * 1e9).round() as i64));
        }
        "memory-swap" => {
            let bytes = if value == "-1" { -1 } else { value::bytes(value)? };
            put(body, "HostConfig/MemorySwap", json!(bytes));
        }
        "add-host" => {
            let (host, address) = value.split_once(['=', ':']).ok_or("expected `host:address`")?;
            push(body, "HostConfig/ExtraHosts", json!(format!("{host}:{address}")));
        }
        "health-cmd" => put(body, "Healthcheck/Test", json!(["CMD-SHELL", value])),
        "tmpfs" => {
            let (path, settings) = value.split_once(':').unwrap_or((value, ""));
            put(body, &format!("HostConfig/Tmpfs/\u{0}{path}"), json!(settings));
        }
        "mount" => push(body, "HostConfig/Mounts", value::mount(value, folder)?),
        "ulimit" => push(body, "HostConfig/Ulimits", value::ulimit(value)?),
        "device" => push(body, "HostConfig/Devices", value::device(value)?),
        "gpus" => push(body, "HostConfig/DeviceRequests", value::gpus(value)?),
        "security-opt" => {
            let text = match value.strip_prefix("seccomp=").filter(|file| !matches!(*file, "unconfined" | "builtin")) {
                Some(file) => {
                    let text =
                        fs::read_to_string(folder.join(file)).map_err(|e| format!("cannot read `{file}`: {e}"))?;
                    let profile: Value =
                        serde_json::from_str(&text).map_err(|e| format!("`{file}` is not JSON: {e}"))?;
                    format!("seccomp={profile}")
                }
                None => value.replacen("no-new-privileges:", "no-new-privileges=", 1),
            };
            push(body, "HostConfig/SecurityOpt", json!(text));
        }
        "restart" => {
            let (policy, count) = value.split_once(':').unwrap_or((value, "0"));
            if !matches!(policy, "no" | "always" | "on-failure" | "unless-stopped") {
                return Err("expected `no`, `always`, `on-failure[:times]` or `unless-stopped`".into());
            }
            let count: u32 = count.parse().map_err(|_| "expected a number after the colon")?;
            put(body, "HostConfig/RestartPolicy", json!({ "Name": policy, "MaximumRetryCount": count }));
        }
        "blkio-weight-device" => {
            let (path, weight) = value.split_once(':').ok_or("expected `path:weight`")?;
            let weight: u16 = weight.parse().map_err(|_| "expected a number after the colon")?;
            push(body, "HostConfig/BlkioWeightDevice", json!({ "Path": path, "Weight": weight }));
        }
        _ => return Err("it is not known here".into()),
    }
    Ok(())
}

/// The lines of a file of variables or labels.
fn lines(folder: &Path, file: &str) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(folder.join(file)).map_err(|error| format!("cannot read `{file}`: {error}"))?;
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// The object that a path leads to, and the last name of the path. A name may be marked by a NUL, and then has the slashes that follow.
fn leaf<'b>(body: &'b mut Map<String, Value>, place: &str) -> (&'b mut Map<String, Value>, String) {
    let (path, marked) = place.split_once("/\u{0}").map_or((place, None), |(path, name)| (path, Some(name)));
    let mut names: Vec<&str> = path.split('/').collect();
    let last = marked.unwrap_or_else(|| names.pop().unwrap_or_default()).to_owned();
    let mut object = body;
    for name in names {
        let entry = object.entry(name).or_insert_with(|| json!({}));
        if !entry.is_object() {
            *entry = json!({});
        }
        let Value::Object(inner) = entry else { unreachable!("it was made an object") };
        object = inner;
    }
    (object, last)
}

fn put(body: &mut Map<String, Value>, place: &str, value: Value) {
    let (object, name) = leaf(body, place);
    object.insert(name, value);
}

fn push(body: &mut Map<String, Value>, place: &str, value: Value) {
    let (object, name) = leaf(body, place);
    match object.entry(name).or_insert_with(|| json!([])) {
        Value::Array(list) => list.push(value),
        other => *other = json!([value]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Value {
        Value::Object(parse(text, Whose::Service, Path::new("/")).expect(text).body)
    }

    fn error(text: &str) -> String {
        parse(text, Whose::Job, Path::new("/")).expect_err(text)
    }

    #[test]
    fn options_are_mapped_to_the_api() {
        let health = body(
            r#"--health-cmd "pg_isready -U me" --health-interval=10s --health-retries 5 --health-timeout 1m30s --health-start-period 500ms"#,
        );
        let expected = json!({ "Healthcheck": {
            "Test": ["CMD-SHELL", "pg_isready -U me"], "Interval": 10_000_000_000_i64, "Retries": 5,
            "Timeout": 90_000_000_000_i64, "StartPeriod": 500_000_000,
        }});
        assert_eq!(health, expected);
        let host = |text: &str| body(text)["HostConfig"].clone();
        assert_eq!(
            host("--cpus 1.5 -m 512m --memory-swap=-1 --shm-size 2g"),
            json!({
                "NanoCpus": 1_500_000_000_i64, "Memory": 536_870_912, "MemorySwap": -1, "ShmSize": 2_147_483_648_i64,
            })
        );
        assert_eq!(
            host("--cap-add NET_ADMIN --cap-add=SYS_PTRACE --security-opt no-new-privileges:true"),
            json!({
                "CapAdd": ["NET_ADMIN", "SYS_PTRACE"], "SecurityOpt": ["no-new-privileges=true"],
            })
        );
        assert_eq!(host("--tmpfs /run --tmpfs /tmp:size=1m"), json!({ "Tmpfs": { "/run": "", "/tmp": "size=1m" } }));
        assert_eq!(
            host("--ulimit nofile=1024:2048 --ulimit core=0"),
            json!({ "Ulimits": [
                { "Name": "nofile", "Soft": 1024, "Hard": 2048 }, { "Name": "core", "Soft": 0, "Hard": 0 },
            ]})
        );
        assert_eq!(host("--gpus all"), json!({ "DeviceRequests": [{ "Count": -1, "Capabilities": [["gpu"]] }] }));
        assert_eq!(
            host("--add-host db:10.0.0.1 --add-host v6=::1"),
            json!({ "ExtraHosts": ["db:10.0.0.1", "v6:::1"] })
        );
        assert_eq!(
            host("--mount type=bind,src=/a,dst=/b,readonly"),
            json!({ "Mounts": [{ "Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true }] })
        );
        assert_eq!(
            host("--device /dev/fuse"),
            json!({ "Devices": [
                { "PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm" },
            ]})
        );
        assert_eq!(host("--sysctl net.core.somaxconn=1024"), json!({ "Sysctls": { "net.core.somaxconn": "1024" } }));
        assert_eq!(
            host("--privileged --init --read-only=false"),
            json!({ "Privileged": true, "Init": true, "ReadonlyRootfs": false })
        );
        assert_eq!(
            body("-u 1001:121 -w /x -h name -it"),
            json!({
                "User": "1001:121", "WorkingDir": "/x", "Hostname": "name", "OpenStdin": true, "Tty": true,
            })
        );
        let both = parse(
            "-eA=1 -e B=2 -p 80:81/udp --network-alias other --platform linux/arm64 -v /a:/b",
            Whose::Job,
            Path::new("/"),
        )
        .expect("options");
        assert_eq!(
            (both.env, both.aliases, both.volumes),
            (vec!["A=1".into(), "B=2".into()], vec!["other".into()], vec!["/a:/b".into()])
        );
        assert_eq!((both.ports.len(), both.platform.as_deref()), (1, Some("linux/arm64")));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name_with_what_was_meant() {
        assert!(error("--healt-cmd x").contains("did you mean `--health-cmd`?"));
        assert!(error("--volum=/a").contains("did you mean `--volume`?"));
        assert_eq!(error("--frobnicate"), "`--frobnicate` is no option of `docker create`");
        assert!(error("-y").contains("`-y`"));
        assert!(error("redis").contains("`redis` is no option"));
        assert!(error("--health-cmd pg_isready -U postgres --x").contains("-U"), "an unquoted command");
        assert!(error("--health-retries many").contains("whole number"));
        assert!(error("--memory").contains("needs a value"));
        assert!(error("--init=perhaps").contains("perhaps"));
    }

    #[test]
    fn what_would_take_the_container_from_its_job_is_refused() {
        for text in ["--network host", "--net=none", "--entrypoint sh", "--cidfile x"] {
            assert!(
                error(text).contains("cannot be used here") || error(text).contains("entry point"),
                "{}",
                error(text)
            );
        }
        assert_eq!(
            parse("--entrypoint sh", Whose::Service, Path::new("/")).expect("a service's").entrypoint.as_deref(),
            Some("sh")
        );
    }

    /// Every option of Docker's own command line is known here.
    #[test]
    fn no_option_stands_in_the_table_twice() {
        for (index, option) in OPTIONS.iter().enumerate() {
            assert!(OPTIONS[index + 1..].iter().all(|other| other.long != option.long), "--{}", option.long);
            assert!(option.short.is_none() || OPTIONS[index + 1..].iter().all(|other| other.short != option.short));
        }
    }
}
