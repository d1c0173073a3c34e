//! Keys as S3 lists them: asked for URL-encoded, because XML cannot write every key.

use crate::change::{Fault, FaultKind};
use crate::name::ObjectKey;
use aws_sdk_s3::types::EncodingType;
use percent_encoding::percent_decode_str;

/// Reads the keys of one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a>(pub(crate) Option<&'a EncodingType>);

impl Listed<'_> {
    /// The key that an answer shows.
    ///
    /// # Errors
    /// It is no text, so nobody could name the object again.
    pub(crate) fn key(self, shown: &str) -> Result<ObjectKey, Fault> {
        self.text(shown).map(ObjectKey::listed)
    }

    /// The key at which the next page begins; it is sent as it is, and not as it was shown.
    ///
    /// # Errors
    /// As [`Listed::key`].
    pub(crate) fn marker(self, shown: Option<String>) -> Result<Option<String>, Fault> {
        shown.map(|shown| self.text(&shown)).transpose()
    }

    /// S3 writes a space as `+`, and a plus as `%2B` (docs/aws.md, "keys in lists").
    fn text(self, shown: &str) -> Result<String, Fault> {
        if self.0 != Some(&EncodingType::Url) {
            return Ok(shown.to_owned());
        }
        let bytes = shown.replace('+', " ");
        percent_decode_str(&bytes).decode_utf8().map(Into::into).map_err(|_| {
            let tried = format!("read the key `{shown}` in a list of S3");
            Fault::new(FaultKind::Refused, tried, "it is not UTF-8")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As S3 showed them, and as it shows what XML cannot write.
    const KEYS: [(&str, &str); 9] = [
        ("a+b.txt", "a b.txt"),
        ("a%2Bb.txt", "a+b.txt"),
        ("100%25.csv", "100%.csv"),
        ("%ED%95%9C%EA%B8%80/x.txt", "한글/x.txt"),
        ("a%01b", "a\u{1}b"),
        ("%0D%0A", "\r\n"),
        ("%EF%BF%BE%EF%BF%BF", "\u{fffe}\u{ffff}"),
        ("+a+", " a "),
        ("%252B", "%2B"),
    ];

    #[test]
    fn a_key_is_read_as_s3_has_encoded_it() {
        for (shown, key) in KEYS {
            let url = Listed(Some(&EncodingType::Url));
            assert_eq!(url.key(shown).unwrap().as_str(), key);
            assert_eq!(url.marker(Some(shown.into())).unwrap().as_deref(), Some(key));
            assert_eq!(Listed(None).key(shown).unwrap().as_str(), shown);
        }
        let fault = Listed(Some(&EncodingType::Url)).key("%FF").unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Refused, "it is not UTF-8"));
    }
}
