//! Names that must not repeat, and one that must not be guessed.

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

/// A request id as CloudFront makes it: 56 characters that end in `==`. Unique, not secret.
pub(super) fn request_id() -> String {
    let bytes: [u8; 40] = std::array::from_fn(|_| fastrand::u8(..));
    URL_SAFE.encode(bytes)
}

/// A secret of 64 hexadecimal digits. The standard library keys its hashers from the operating
/// system's generator, and `SipHash` does not give its key away, so this needs no other source.
pub(super) fn secret() -> String {
    hex::encode(
        [0, 1, 2, 3].map(|round: u64| RandomState::new().hash_one(round).to_be_bytes()).concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_look_like_cloudfronts() {
        let id = request_id();
        assert_eq!(id.len(), 56);
        assert!(id.ends_with("==") && id != request_id());
    }

    #[test]
    fn secrets_differ() {
        assert_eq!(secret().len(), 64);
        assert_ne!(secret(), secret());
    }
}
