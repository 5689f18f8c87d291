//! JSON bytes in, a document out in which every key that is read is spelled as its specification spells it. Go's `encoding/json`
//! (<https://pkg.go.dev/encoding/json#Unmarshal>), by which most tools read these documents, takes `Layers` or `layerſ` for `layers` and lets
//! the last one win, while the reader here would pass over it as unknown: one document would be two images.

use std::fmt;

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
        value::StringDeserializer,
    },
    forward_to_deserialize_any,
};

/// Reads a document. Unknown keys are passed over, unless another reader takes them for one of the struct's; the keys of maps are free. An
/// array is no struct.
///
/// # Errors
/// When the bytes are no such document, or a key is spelled in another way.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(Spelled(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// A character as simple case folding sees it (<https://www.unicode.org/Public/UNIDATA/CaseFolding.txt>), as far as the result is ASCII.
fn fold(ch: char) -> char {
    match ch {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        ch => ch.to_ascii_lowercase(),
    }
}

fn same_but_for_case(one: &str, other: &str) -> bool {
    one.chars().map(fold).eq(other.chars().map(fold))
}

/// A reader, or the seed of one, below which the keys of all structs are checked.
struct Spelled<T>(T);

/// The visitor of a value; of a struct also the struct's keys.
struct Visit<V> {
    inner: V,
    keys: Option<&'static [&'static str]>,
}

struct Fields<A> {
    inner: A,
    keys: Option<&'static [&'static str]>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Spelled<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Visit { inner, keys: None })
    }

    fn deserialize_option<V: Visitor<'de>>(self, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Visit { inner, keys: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        keys: &'static [&'static str],
        inner: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Visit { inner, keys: Some(keys) })
    }

    // What is not read is not checked, and is not built either.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, inner: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(inner)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.inner.visit_borrowed_str(value)
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<V::Value, E> {
        self.inner.visit_string(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Spelled(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Spelled(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Fields { inner, keys: self.keys })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Spelled<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Spelled(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(keys) = self.keys else { return self.inner.next_key_seed(seed) };
        let Some(key) = self.inner.next_key::<String>()? else { return Ok(None) };
        if !keys.contains(&key.as_str())
            && let Some(known) = keys.iter().find(|known| same_but_for_case(known, &key))
        {
            return Err(A::Error::custom(format!(
                "its key `{}` is not spelled `{known}`, and it depends on the tool whether the one is taken for the other",
                key.escape_default()
            )));
        }
        let key: StringDeserializer<A::Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(Spelled(seed))
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Spelled<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(Spelled(reader))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(rename = "os.version")]
        version: Option<String>,
        masks: Option<Vec<Inner>>,
        inner: Option<Inner>,
        free: Option<BTreeMap<String, String>>,
        #[serde(rename = "Free")]
        other: Option<u64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        #[serde(rename = "Key")]
        key: Option<i64>,
    }

    #[test]
    fn keys_that_other_readers_take_for_known_ones_are_refused_at_every_level() {
        for (text, reason) in [
            (r#"{"OS.Version":"1"}"#, "`OS.Version` is not spelled `os.version`"),
            (r#"{"os.version":"1","os.\u0056ersion":null}"#, "`os.Version`"),
            (r#"{"o\u017f.version":"1"}"#, r"`o\u{17f}.version`"),
            (r#"{"masks":[{"Key":1},{"Key":1,"key":2}]}"#, "`key` is not spelled `Key`"),
            (r#"{"inner":{"Key":1,"KEY":{}}}"#, "`KEY`"),
            ("{\"inner\":{\"\u{212a}ey\":1}}", r"`\u{212a}ey`"),
            (r#"{"FREE":1}"#, "`FREE`"),
            (r#"{"inner":{"Key":1,"Key":1}}"#, "duplicate field"),
            (r#"{"inner":[1]}"#, "invalid type: sequence"),
            (r#"["1"]"#, "invalid type: sequence"),
            (r#"{"inner":{"Key":1.5}}"#, "invalid type: floating point"),
            (r#"{"inner":{"Key":"1"}}"#, "invalid type: string"),
            ("{} {}", "trailing characters"),
            ("{", "EOF"),
        ] {
            let error = from_slice::<Outer>(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let deep = format!(r#"{{"inner":{{"Key":{}"#, "[".repeat(100_000));
        assert!(from_slice::<Outer>(deep.as_bytes()).is_err());
    }

    #[test]
    fn the_rest_is_read_as_without_the_check() {
        for text in [
            "{}",
            r#"{"os.version":"1","masks":[{"Key":-1},{}],"inner":null,"free":{"a":"1","A":"2","os.Version":"3"},"Free":2}"#,
            r#"{"other":{"OS.VERSION":[{"key":1}]},"osversion":1,"os_version":2,"keys":3,"inner":{"Kеy":4}}"#,
        ] {
            let plain: Outer = serde_json::from_str(text).expect(text);
            assert_eq!(from_slice::<Outer>(text.as_bytes()).expect(text), plain);
        }
    }
}
