//! JSON of others, read with distrust: bounded, and with every key once.
//!
//! Of two equal keys some readers take the first and some the last, so a text with both can mean two things. Such a text is no JSON here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not taken.
#[derive(Debug, thiserror::Error)]
pub enum JsonFault {
    /// More bytes than anybody needs.
    #[error("it has {length} bytes; at most {limit} are read")]
    TooLarge {
        /// Its length.
        length: usize,
        /// What is read at most.
        limit: usize,
    },
    /// Not JSON, cut off, too deep, or with a key twice.
    #[error("it is no JSON that can be used")]
    Malformed(#[from] serde_json::Error),
}

/// Reads a text of at most `limit` bytes.
pub(crate) fn read(bytes: &[u8], limit: usize) -> Result<Value, JsonFault> {
    if bytes.len() > limit {
        return Err(JsonFault::TooLarge { length: bytes.len(), limit });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = EveryKeyOnce.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A value in which no object has a key twice.
struct EveryKeyOnce;

impl<'de> DeserializeSeed<'de> for EveryKeyOnce {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EveryKeyOnce {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self)?;
            if object.insert(key.clone(), value).is_some() {
                let shown: String = key.chars().take(100).collect();
                return Err(A::Error::custom(format!("the key `{}` is there twice", shown.escape_debug())));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused_wherever_it_stands() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"a":{"b":1,"c":2,"b":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            let error = read(text.as_bytes(), 100).expect_err(text);
            assert!(matches!(&error, JsonFault::Malformed(why) if why.to_string().contains("twice")), "{error:?}");
        }
    }

    #[test]
    fn what_is_cut_off_followed_by_more_too_deep_or_too_large_is_refused() {
        for text in ["", "{", r#"{"a""#, "{} {}", "nul"] {
            assert!(read(text.as_bytes(), 100).is_err(), "{text}");
        }
        assert!(read(&[b"[".repeat(100_000), b"]".repeat(100_000)].concat(), 1 << 20).is_err());
        assert!(matches!(read(b"[0,0]", 4), Err(JsonFault::TooLarge { length: 5, limit: 4 })));
        assert_eq!(
            read(br#"{"a":[1,-2,0.5,"x",true,null]}"#, 100).expect("it is JSON").to_string(),
            r#"{"a":[1,-2,0.5,"x",true,null]}"#
        );
    }
}
