//! Readers of hostile text, as the fuzzer calls them.

/// Reads any bytes as each thing that a request may carry.
pub fn read(bytes: &[u8]) {
    let _ = crate::blob::parse_block_list(bytes);
    let _ = crate::twirp::Fields::parse(bytes).map(|fields| {
        let _ = (fields.text("key"), fields.number("size_bytes"), fields.texts("restore_keys"));
    });
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let query = crate::http::Query::parse(text);
    let _ = query.get("sig");
    let _ = query.into_pairs();
    let _ = crate::time::parse_rfc_3339(text);
    let _ = crate::base_url::is_loopback(text);
    if let Ok(base) = crate::base_url::BaseUrl::parse(text) {
        let _ = (base.host(), base.path(), base.origin());
    }
    for size in [0, 1, u64::MAX] {
        if let crate::blob::Wanted::Part { first, last } = crate::blob::parse_range(text, size) {
            assert!(first <= last && last < size);
        }
    }
}
