//! JSON text in, one value out, with what `serde_json` alone lets pass refused: duplicate keys and deep nesting
//! (I-JSON, <https://www.rfc-editor.org/rfc/rfc7493>). Two readers of one signed text must never see two meanings.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and arrays inside each other.
const MAX_DEPTH: usize = 32;
/// Values in one text; a parsed value takes many times the two bytes that a hostile text spends on it.
const MAX_VALUES: usize = 1 << 20;

/// Parses a whole text strictly; the error says what is wrong with it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let values = Cell::new(0);
    let value = Node { depth: 0, values: &values }.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Node<'a> {
    depth: usize,
    values: &'a Cell<usize>,
}

impl Node<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1, values: self.values })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("key `{}` stands twice", name.chars().take(64).collect::<String>())));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unambiguous_json_is_read() {
        let check = |text: &str, good: bool| assert_eq!(parse(text.as_bytes()).is_ok(), good, "{text:.80}");
        check(r#"{"a":[1,-2,3.5,"x",null,true],"b":{}}"#, true);
        check(r#" {"a":1} "#, true);
        check(r#"{"a":1,"a":1}"#, false);
        check(r#"{"a":{"b":1,"b":2}}"#, false);
        check("{\"a\":1,\"\\u0061\":2}", false);
        check(r#"{"a":1} x"#, false);
        check(r#"{"a":1}{"a":1}"#, false);
        check(r#"{"a":1,}"#, false);
        check("", false);
        check("NaN", false);
        check(&format!("{}{}", "[".repeat(32), "]".repeat(32)), true);
        check(&format!("{}{}", "[".repeat(33), "]".repeat(33)), false);
        check(&"[".repeat(1_000_000), false);
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES - 2)), true);
        check(&format!("[{}0]", "0,".repeat(MAX_VALUES - 1)), false);
        assert!(parse(b"\"\xff\"").is_err());
    }
}
