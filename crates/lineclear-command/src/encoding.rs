//! The forms in which a secret may show up.

use std::fmt::Write;

/// Shortest piece of base64 that is hidden on its own: below this, ordinary text would be hit by chance.
const SHORTEST_BASE64: usize = 6;

/// `value` and its encodings; some may be equal to it.
pub(crate) fn all(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.to_owned(),
        value.replace('"', "\\\""),
        value.replace('\'', "''"),
        json(value),
        percent(value, "-_.~"),
        percent(value, "-_.~!'()*"),
        percent(value, "-_.~/"),
        percent(value, "-_.~").replace("%20", "+"),
        xml(value),
        base64(value.as_bytes()),
    ];
    forms.extend(base64_cores(value.as_bytes()));
    if value.len() > 8 && value.starts_with('"') && value.ends_with('"') {
        forms.push(value[1..value.len() - 1].to_owned());
    }
    // PowerShell prints a failing command in two pieces around its last `&`.
    if let Some((before, after)) = value.rsplit_once('&') {
        for piece in [before, after] {
            if piece.len() >= 6 {
                forms.push(piece.to_owned());
            }
        }
    }
    let url_safe: Vec<String> = forms[9..]
        .iter()
        .filter(|form| form.contains(['+', '/']) && form.bytes().all(is_base64))
        .map(|form| form.replace('+', "-").replace('/', "_"))
        .collect();
    forms.extend(url_safe);
    forms
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn xml(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

/// Percent-encoding that leaves ASCII letters, digits and `kept` as they are.
fn percent(value: &str, kept: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for &byte in value.as_bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, &byte)| bits | u32::from(byte) << (16 - 8 * at));
        for at in 0..4 {
            if at <= group.len() {
                out.push(char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// The characters that encoding a longer text with `bytes` inside must produce, for each of the three alignments.
fn base64_cores(bytes: &[u8]) -> Vec<String> {
    (0..3)
        .filter_map(|skipped| {
            let aligned = bytes.get(skipped..)?;
            let whole_characters = aligned.len() * 8 / 6;
            let core: String = base64(aligned).chars().take(whole_characters).collect();
            (core.len() >= SHORTEST_BASE64).then_some(core)
        })
        .collect()
}
