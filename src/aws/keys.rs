//! Keys on their way to the SDK, wherever they came from: it takes for granted that a header can
//! carry them.

use super::signer::is_visible;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

#[derive(Debug)]
struct Checked(SharedCredentialsProvider);

/// The same provider, which hands out only keys that can be sent.
pub(super) fn checked(provider: SharedCredentialsProvider) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Checked(provider))
}

fn check(keys: Credentials) -> Result<Credentials, CredentialsError> {
    for (what, value) in
        [("access key id", Some(keys.access_key_id())), ("session token", keys.session_token())]
    {
        if value.is_some_and(|value| !is_visible(value)) {
            let why = format!(
                "the {what} of the credentials has a blank, a line break or a letter in it that no \
                    key has"
            );
            return Err(CredentialsError::invalid_configuration(why));
        }
    }
    Ok(keys)
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { check(self.0.provide_credentials().await?) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.fallback_on_interrupt().filter(|keys| check(keys.clone()).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_a_header_can_carry_are_handed_out() {
        let keys = |id: &str, token: Option<&str>| {
            check(Credentials::new(id, "s", token.map(str::to_owned), None, "tests")).is_ok()
        };
        assert!(keys("AKIA", None) && keys("AKIA", Some("to/ke+n==")));
        for odd in ["AKIA\n", "AK IA", "\u{fc}", "a\u{1}b", "a\u{7f}"] {
            assert!(!keys(odd, None) && !keys("AKIA", Some(odd)), "{odd:?}");
        }
    }
}
