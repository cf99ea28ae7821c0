//! The text of a key: base64 of RFC 4648, section 4, which has 44 characters for 32 bytes, and one text for each key.

use std::fmt;

use serde::{Deserializer, de};

use crate::error::{Error, Result};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Three bytes make four characters; of the two that are left over, there are three and a sign of equality.
pub(super) fn encode(key: &[u8; 32]) -> String {
    let mut text = String::with_capacity(44);
    for bytes in key.chunks(3) {
        let mut group = [0; 4];
        group.iter_mut().skip(1).zip(bytes).for_each(|(place, byte)| *place = *byte);
        let bits = u32::from_be_bytes(group);
        let digits = (0..=bytes.len()).map(|place| bits >> (18 - 6 * place) & 63);
        text.extend(digits.filter_map(|digit| ALPHABET.get(digit as usize)).copied().map(char::from));
    }
    text.push('=');
    text
}

/// Reads a key. What is none is not repeated: it may be most of one.
pub(super) fn decode(text: &str) -> Result<[u8; 32]> {
    bytes(text).ok_or_else(|| Error::InvalidArgument(format!("this is no key: {EXPECTED}")))
}

const EXPECTED: &str = "one has 44 characters of base64, which are 32 bytes";

fn bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_suffix('=')?.as_bytes();
    if digits.len() != 43 {
        return None;
    }
    let mut key = [0; 32];
    for (bytes, digits) in key.chunks_mut(3).zip(digits.chunks(4)) {
        let mut bits = 0;
        for (place, digit) in digits.iter().enumerate() {
            bits |= number(*digit)? << (18 - 6 * place);
        }
        let group = bits.to_be_bytes();
        let (group, beyond) = group[1..].split_at(bytes.len());
        if beyond.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.copy_from_slice(group);
    }
    Some(key)
}

fn number(digit: u8) -> Option<u32> {
    let number = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(number.into())
}

/// Reads a key where text is expected. No error repeats the text.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<[u8; 32], D::Error> {
    deserializer.deserialize_str(Key)
}

struct Key;

impl de::Visitor<'_> for Key {
    type Value = [u8; 32];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a key: {EXPECTED}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
        decode(text).map_err(E::custom)
    }
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let mut key = [0; 32];
        for round in 0..256 {
            for (place, byte) in key.iter_mut().enumerate() {
                *byte = (round * 7 + place * 31) as u8;
            }
            let text = encode(&key);
            assert_eq!((text.len(), decode(&text).unwrap()), (44, key));
        }
    }

    #[test]
    fn the_text_is_what_others_write() {
        // printf '%32s' 'nsset writes what base64 writes.' | base64
        assert_eq!(encode(b"nsset writes what base64 writes."), "bnNzZXQgd3JpdGVzIHdoYXQgYmFzZTY0IHdyaXRlcy4=");
        assert_eq!(encode(&[0xFF; 32]), "//////////////////////////////////////////8=");
        assert_eq!(encode(&[0; 32]), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    }

    #[test]
    fn nothing_else_is_one_and_it_is_not_repeated() {
        let key = "bnNzZXQgd3JpdGVzIHdoYXQgYmFzZTY0IHdyaXRlcy4=";
        let wrong = [
            String::new(),
            "=".into(),
            key[..43].into(),
            format!("{key}="),
            format!(" {key}"),
            format!("{key}\n"),
            // Bits beyond the 32nd byte.
            key.replace("4=", "5="),
            key.replace("4=", "=="),
            key.replace('H', "-"),
            key.replace("XQ", "é"),
            "x".repeat(44),
        ];
        for text in wrong {
            let error = decode(&text).unwrap_err().to_string();
            assert_eq!(error, "this is no key: one has 44 characters of base64, which are 32 bytes", "{text}");
        }
    }
}
