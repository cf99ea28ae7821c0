//! The text of a key: base64 (RFC 4648, section 4), which has 44 characters for 32 bytes. Each key has exactly one text.

use data_encoding::BASE64;

use crate::error::{Error, Result};

pub(super) fn encode(key: &[u8; 32]) -> String {
    BASE64.encode(key)
}

/// Reads a key. The error does not quote the text, which may contain most of a key.
pub(super) fn decode(text: &str) -> Result<[u8; 32]> {
    bytes(text).ok_or_else(|| {
        Error::InvalidArgument("not a WireGuard key: a key has 44 characters of base64, which are 32 bytes".into())
    })
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    // The decoder also accepts padding in the middle, as two joined texts.
    if text.len() != 44 || !text.ends_with('=') {
        return None;
    }
    let mut bytes = [0; 33];
    let length = BASE64.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    bytes.first_chunk().filter(|_| length == 32).copied()
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
    fn the_text_is_that_of_other_programs() {
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
            format!("bnN={}", &key[4..].replace('=', "A")),
            "x".repeat(44),
        ];
        for text in wrong {
            let error = decode(&text).unwrap_err().to_string();
            assert_eq!(error, "not a WireGuard key: a key has 44 characters of base64, which are 32 bytes", "{text}");
        }
    }
}
