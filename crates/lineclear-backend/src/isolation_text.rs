//! An isolation as people write it, on command lines and in settings.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{Destination, NetworkAccess};

/// Why a text is no part of an isolation: a sentence that says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IsolationTextError(String);

fn expected<T>(text: impl Into<String>) -> Result<T, IsolationTextError> {
    Err(IsolationTextError(text.into()))
}

impl FromStr for NetworkAccess {
    type Err = IsolationTextError;

    /// `none`, `loopback`, `private`, `host`, or `allow=` and destinations with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "loopback" => Ok(Self::Loopback),
            "private" => Ok(Self::Private),
            "host" => Ok(Self::Host),
            _ => match text.strip_prefix("allow=") {
                Some(list) => {
                    let texts = list.split(',').map(str::trim).filter(|text| !text.is_empty());
                    let list: Vec<Destination> = texts.map(str::parse).collect::<Result<_, _>>()?;
                    match list.is_empty() {
                        true => {
                            expected("`allow=` names no destination; such as allow=packages.example.org:443,10.0.0.0/8")
                        }
                        false => Ok(Self::AllowList(list)),
                    }
                }
                None => expected("expected none, loopback, private, host or allow=HOST[:PORT],…"),
            },
        }
    }
}

impl FromStr for Destination {
    type Err = IsolationTextError;

    /// `host`, `host:port`, `*.example.org:443`, `10.1.2.3:80`, `10.0.0.0/8`, `[2001:db8::1]:443`, `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |problem: &str| {
            expected(format!(
                "`{text}` is no destination: {problem}; expected HOST[:PORT], ADDRESS[:PORT] or NETWORK/BITS[:PORT]"
            ))
        };
        if text.contains("://") {
            return wrong("it is a URL");
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((host, "")) => (host, None),
                Some((host, port)) => match port.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None => return wrong("after `]` a `:` and the port may follow"),
                },
                None => return wrong("`[` is not closed"),
            },
            // More than one colon: an IPv6 address without a port.
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return wrong("a port is a number from 1 to 65535"),
        };
        match host.split_once('/') {
            Some((address, bits)) => {
                let Ok(address) = address.parse::<IpAddr>() else { return wrong("a network begins with an address") };
                let most = if address.is_ipv4() { 32 } else { 128 };
                if !bits.parse::<u8>().is_ok_and(|bits| bits <= most) {
                    return wrong(if most == 32 { "its bits are 0 to 32" } else { "its bits are 0 to 128" });
                }
            }
            None if host.parse::<IpAddr>().is_ok() => {}
            None => {
                let name = host.strip_prefix("*.").unwrap_or(host).trim_end_matches('.');
                let label = |label: &str| {
                    (1..=63).contains(&label.len())
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                };
                if name.len() > 253 || !name.split('.').all(label) {
                    return wrong("that is no host name");
                }
            }
        }
        Ok(Self { host: host.trim_end_matches('.').to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.host.contains(':')) {
            (Some(port), true) => write!(f, "[{}]:{port}", self.host),
            (Some(port), false) => write!(f, "{}:{port}", self.host),
            (None, _) => f.write_str(&self.host),
        }
    }
}

impl fmt::Display for NetworkAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Private => f.write_str("private"),
            Self::Loopback => f.write_str("loopback"),
            Self::None => f.write_str("none"),
            Self::AllowList(list) => {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                write!(f, "allow={}", list.join(","))
            }
        }
    }
}

/// A number of bytes: `512M`, `2G`, `1.5G`, `1048576`; steps of 1024, and `MB` or `MiB` mean `M`.
///
/// # Errors
/// For anything else, and for nothing at all.
pub fn parse_bytes(text: &str) -> Result<u64, IsolationTextError> {
    let wrong = || expected(format!("`{text}` is no size: expected a number and K, M, G or T, such as 512M or 2G"));
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return wrong(),
    };
    let factor = 1_u64 << shift;
    let bytes = match digits.parse::<u64>() {
        Ok(number) => number.checked_mul(factor),
        Err(_) => match digits.parse::<f64>() {
            // Sizes beyond 2^53 bytes are written without a point.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a positive number below 2^53"
            )]
            Ok(number) if number.is_finite() && number > 0.0 && number * (factor as f64) < 9e15 => {
                Some((number * factor as f64) as u64)
            }
            _ => None,
        },
    };
    bytes.filter(|&bytes| bytes > 0).map_or_else(wrong, Ok)
}

/// A number of bytes as people read it: `512 MiB`, `1.5 GiB`.
pub fn show_bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let Some(step) = (1..=units.len()).rev().find(|&step| bytes >= 1 << (10 * step)) else {
        return format!("{bytes} bytes");
    };
    let tenths = u128::from(bytes) * 10 / (1 << (10 * step));
    let unit = units[step - 1];
    if tenths % 10 == 0 { format!("{} {unit}", tenths / 10) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// A number of processors: `2`, `0.5`.
///
/// # Errors
/// For anything that is no number above 0.
pub fn parse_processors(text: &str) -> Result<f64, IsolationTextError> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && (0.01..=65536.0).contains(&number) => Ok(number),
        _ => expected(format!("`{text}` is no number of processors: expected one such as 2 or 0.5")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_they_are_written() {
        let list =
            "allow=packages.example.org:443,*.example.org,10.0.0.0/8,10.1.2.3:80,[2001:db8::1]:443,2001:db8::/32";
        for text in ["none", "loopback", "private", "host", list] {
            assert_eq!(text.parse::<NetworkAccess>().map(|network| network.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(
            "allow= Packages.Example.org. ".parse::<NetworkAccess>().map(|n| n.to_string()),
            Ok("allow=packages.example.org".to_owned())
        );
    }

    #[test]
    fn what_is_no_network_is_told_with_what_is_expected() {
        for text in [
            "",
            "lo",
            "allow",
            "allow=",
            "allow=,",
            "allow=https://packages.example.org",
            "allow=a:0",
            "allow=a:70000",
            "allow=a:b",
            "allow=10.0.0.0/33",
            "allow=::/129",
            "allow=name/8",
            "allow=[::1",
            "allow=[::1]x",
            "allow=a b",
            "allow=-:",
        ] {
            let error = text.parse::<NetworkAccess>().expect_err(text);
            assert!(error.to_string().contains("expected") || error.to_string().contains("such as"), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_have_units_in_steps_of_1024() {
        let cases = [("1", 1), ("512K", 512 << 10), ("512MiB", 512 << 20), ("1.5g", 3 << 29), ("2T", 2 << 40)];
        for (text, bytes) in cases {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "G", "1X", "1 G", "99999999999T", "NaN", "inf", "1e400M"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
        let shown =
            [(0, "0 bytes"), (1023, "1023 bytes"), (512 << 20, "512 MiB"), (3 << 29, "1.5 GiB"), (2 << 40, "2 TiB")];
        for (bytes, text) in shown {
            assert_eq!(show_bytes(bytes), text);
        }
    }

    #[test]
    fn processors_are_a_number_above_none() {
        assert_eq!(parse_processors("0.5"), Ok(0.5));
        for text in ["0", "-1", "two", "", "inf"] {
            assert!(parse_processors(text).is_err(), "{text}");
        }
    }
}
