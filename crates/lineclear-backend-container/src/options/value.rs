//! Values of options: sizes, durations, mounts, devices.

use std::path::Path;

use serde_json::{Map, Value, json};

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    Bytes,
    Operations,
}

/// `512m`, `1.5g`, `1024`, in binary units.
pub(super) fn bytes(text: &str) -> Result<i64, String> {
    let fail = || "expected a size such as `512m`, with the unit `b`, `k`, `m`, `g` or `t`".to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let number: f64 = number.parse().map_err(|_| fail())?;
    let shift = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(fail()),
    };
    let bytes = number * f64::from(1_u32 << (shift % 20)) * if shift >= 20 { f64::from(1_u32 << 20) } else { 1.0 };
    let bytes = if shift == 40 { bytes * f64::from(1_u32 << 20) } else { bytes };
    // Below 2^63 by this check.
    if bytes < 9e18 { Ok(bytes as i64) } else { Err(fail()) }
}

/// `1h2m3.5s`, `500ms`.
pub(super) fn nanoseconds(text: &str) -> Result<i64, String> {
    let fail = || "expected a duration such as `10s`, `1m30s` or `500ms`".to_owned();
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(fail)?;
        let number: f64 = rest[..end].parse().map_err(|_| fail())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return Err(fail()),
            };
        rest = &rest[end..];
    }
    // A text without any number did not come here.
    if text.trim().is_empty() || total > 9e18 { Err(fail()) } else { Ok(total as i64) }
}

/// `/dev/sda:1mb`
pub(super) fn device_rate(text: &str, what: Rate) -> Result<Value, String> {
    let (path, rate) = text.rsplit_once(':').ok_or("expected `path:rate`")?;
    let rate = match what {
        Rate::Bytes => bytes(rate)?,
        Rate::Operations => rate.parse().map_err(|_| "the rate is a whole number")?,
    };
    Ok(json!({ "Path": path, "Rate": rate }))
}

/// `nofile=1024:2048`
pub(super) fn ulimit(text: &str) -> Result<Value, String> {
    let (name, limits) = text.split_once('=').ok_or("expected `name=soft[:hard]`")?;
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        text => text.parse::<i64>().map_err(|_| "a limit is a whole number or -1".to_owned()),
    };
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    Ok(json!({ "Name": name, "Soft": number(soft)?, "Hard": number(hard)? }))
}

/// `/dev/a[:/dev/b[:rwm]]`, or the name of a device by CDI.
pub(super) fn device(text: &str) -> Result<Value, String> {
    let mut parts = text.split(':');
    let host = parts.next().filter(|host| host.starts_with('/')).ok_or("a device is an absolute path")?;
    let (mut inside, mut permissions) = (host, "rwm");
    for part in parts {
        match part.starts_with('/') {
            true => inside = part,
            false if !part.is_empty() && part.chars().all(|c| "rwm".contains(c)) => permissions = part,
            false => return Err("permissions are of the letters `r`, `w`, `m`".into()),
        }
    }
    Ok(json!({ "PathOnHost": host, "PathInContainer": inside, "CgroupPermissions": permissions }))
}

/// `all`, `2`, `"device=0,1",capabilities=utility`
pub(super) fn gpus(text: &str) -> Result<Value, String> {
    let count = |text: &str| match text {
        "all" => Ok(-1),
        text => text.parse::<i64>().map_err(|_| "expected `all`, a number, or `device=…`".to_owned()),
    };
    let mut request = json!({ "Capabilities": [["gpu"]] });
    for field in fields(text) {
        match field.split_once('=') {
            None => request["Count"] = json!(count(&field)?),
            Some(("count", value)) => request["Count"] = json!(count(value)?),
            Some(("device", value)) => request["DeviceIDs"] = json!(value.split(',').collect::<Vec<_>>()),
            Some(("driver", value)) => request["Driver"] = json!(value),
            Some(("capabilities", value)) => {
                let all: Vec<&str> = std::iter::once("gpu").chain(value.split(',')).collect();
                request["Capabilities"] = json!([all]);
            }
            Some((key, _)) => return Err(format!("`{key}` is not known")),
        }
    }
    Ok(request)
}

/// `type=bind,source=/a,target=/b,readonly`
pub(super) fn mount(text: &str, folder: &Path) -> Result<Value, String> {
    let mut mount = Map::new();
    mount.insert("Type".into(), json!("volume"));
    let (mut bind, mut volume, mut tmpfs) = (Map::new(), Map::new(), Map::new());
    for field in fields(text) {
        let (key, value) = field.split_once('=').unwrap_or((&field, "true"));
        let on = || match value {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("`{key}` is `true` or `false`")),
        };
        match key {
            "type" => drop(mount.insert("Type".into(), json!(value))),
            "source" | "src" => {
                let source =
                    if value.starts_with('.') { folder.join(value).display().to_string() } else { value.into() };
                mount.insert("Source".into(), json!(source));
            }
            "target" | "dst" | "destination" => drop(mount.insert("Target".into(), json!(value))),
            "readonly" | "ro" => drop(mount.insert("ReadOnly".into(), json!(on()?))),
            "consistency" => drop(mount.insert("Consistency".into(), json!(value))),
            "bind-propagation" => drop(bind.insert("Propagation".into(), json!(value))),
            "bind-nonrecursive" => drop(bind.insert("NonRecursive".into(), json!(on()?))),
            "bind-recursive" => match value {
                "enabled" => {}
                "disabled" => drop(bind.insert("NonRecursive".into(), json!(true))),
                "writable" => drop(bind.insert("ReadOnlyNonRecursive".into(), json!(true))),
                "readonly" => drop(bind.insert("ReadOnlyForceRecursive".into(), json!(true))),
                _ => return Err("`bind-recursive` is `enabled`, `disabled`, `writable` or `readonly`".into()),
            },
            "bind-create-src" => drop(bind.insert("CreateMountpoint".into(), json!(on()?))),
            "volume-nocopy" => drop(volume.insert("NoCopy".into(), json!(on()?))),
            "volume-subpath" => drop(volume.insert("Subpath".into(), json!(value))),
            "volume-label" => insert_pair(&mut volume, "Labels", value),
            "volume-driver" => {
                let driver = volume.entry("DriverConfig").or_insert_with(|| json!({}));
                driver["Name"] = json!(value);
            }
            "volume-opt" => {
                let (name, option) = value.split_once('=').unwrap_or((value, ""));
                let driver = volume.entry("DriverConfig").or_insert_with(|| json!({}));
                driver["Options"][name] = json!(option);
            }
            "tmpfs-size" => drop(tmpfs.insert("SizeBytes".into(), json!(bytes(value)?))),
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8).map_err(|_| "`tmpfs-mode` is octal, such as 1770")?;
                tmpfs.insert("Mode".into(), json!(mode));
            }
            _ => return Err(format!("`{key}` is not known")),
        }
    }
    if !mount.contains_key("Target") {
        return Err("`target` is missing".into());
    }
    for (name, options) in [("BindOptions", bind), ("VolumeOptions", volume), ("TmpfsOptions", tmpfs)] {
        if !options.is_empty() {
            mount.insert(name.into(), Value::Object(options));
        }
    }
    Ok(Value::Object(mount))
}

fn insert_pair(object: &mut Map<String, Value>, name: &str, pair: &str) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    object.entry(name).or_insert_with(|| json!({}))[key] = json!(value);
}

/// The fields of a line of comma-separated values; one in double quotes may have commas.
fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_have_units() {
        assert_eq!(bytes("1024"), Ok(1024));
        assert_eq!(bytes("1.5K"), Ok(1536));
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("2gb"), Ok(2 << 30));
        assert_eq!(bytes("1t"), Ok(1 << 40));
        assert_eq!(nanoseconds("1h2m3.5s"), Ok(3_723_500_000_000));
        assert_eq!(nanoseconds("250ms"), Ok(250_000_000));
        for bad in ["", "m", "1x", "-1", "1e9g", "9999999999t"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        for bad in ["", "10", "s", "1d", "1m30"] {
            assert!(nanoseconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_in_quotes_keep_their_commas() {
        let request = gpus(r#""device=0,1",capabilities=utility"#).expect("a request");
        assert_eq!(request, json!({ "Capabilities": [["gpu", "utility"]], "DeviceIDs": ["0", "1"] }));
        let mounted = mount("type=tmpfs,target=/x,tmpfs-size=1m,tmpfs-mode=1770", Path::new("/")).expect("a mount");
        let expected =
            json!({ "Type": "tmpfs", "Target": "/x", "TmpfsOptions": { "SizeBytes": 1 << 20, "Mode": 0o1770 } });
        assert_eq!(mounted, expected);
        assert!(mount("type=bind,source=/x", Path::new("/")).is_err());
    }
}
