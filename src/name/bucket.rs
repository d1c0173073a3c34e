//! A bucket's name, and the namespace in which it has to be unique.

use super::{AccountId, BucketName, Region, StackName, alphabet, length};

/// Who else may have a bucket of that name (*Amazon S3 User Guide*, "Namespaces for general purpose
/// buckets").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namespace {
    /// Whoever comes first in the partition, also after a deletion.
    #[default]
    Global,
    /// Nobody: S3 keeps the name to one account and region.
    AccountRegional,
}

impl Namespace {
    /// Every namespace, behind its name in a spec, which is S3's own.
    pub const WORDS: [(&str, Self); 2] =
        [("global", Self::Global), ("account-regional", Self::AccountRegional)];

    /// Has the region such a namespace? Bahrain and UAE have none for accounts (docs/aws.md, "a
    /// bucket's namespace").
    #[must_use]
    pub fn is_in(self, region: &Region) -> bool {
        self == Self::Global || !["me-south-1", "me-central-1"].contains(&region.as_str())
    }

    /// The words alone.
    #[must_use]
    pub fn words() -> Vec<&'static str> {
        Self::WORDS.map(|(word, _)| word).to_vec()
    }
}

/// How every name in an account's regional namespace ends, and no other.
const REGIONAL: &str = "-an";

impl BucketName {
    /// The name of a stack's bucket that has none in the spec. Stack and account together are unique
    /// in practice; in the account's own namespace, for good.
    ///
    /// # Errors
    /// The rule that the joined name breaks.
    pub fn derived(
        stack: &StackName,
        account: &AccountId,
        region: &Region,
        namespace: Namespace,
    ) -> Result<Self, &'static str> {
        match namespace {
            Namespace::Global => format!("{stack}-{account}").parse(),
            Namespace::AccountRegional => format!("{stack}-{account}-{region}{REGIONAL}").parse(),
        }
    }

    /// The account and the region to which S3 keeps the name; `None`: it is free to everybody.
    #[must_use]
    pub fn regional(&self) -> Option<(AccountId, Region)> {
        regional(&self.0)
    }

    /// The host that serves this bucket's objects, region included: the global form answers with
    /// redirects (*Amazon S3 User Guide*, "Virtual hosting").
    #[must_use]
    pub fn host(&self, region: &Region) -> String {
        format!("{self}.s3.{region}.amazonaws.com")
    }

    /// The bucket's ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{self}")
    }
}

/// Account and region in `<prefix>-<account>-<region>-an`.
fn regional(name: &str) -> Option<(AccountId, Region)> {
    let name = name.strip_suffix(REGIONAL)?;
    name.match_indices('-').find_map(|(at, dash)| {
        let (account, region) = name.get(at + dash.len()..)?.split_once('-')?;
        Some((account.parse().ok()?, region.parse().ok()?))
    })
}

fn alphanumeric_at(byte: Option<u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    length(text, 3..=63, "must be 3 to 63 characters long")?;
    alphabet(
        text,
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.',
        "may hold only a-z, 0-9, `-` and `.`",
    )?;
    if !alphanumeric_at(text.bytes().next()) || !alphanumeric_at(text.bytes().last()) {
        return Err("must begin and end with a letter or a digit");
    }
    if text.contains("..") {
        return Err("must not hold two dots in a row");
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("must not look like an IP address");
    }
    if ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| text.starts_with(prefix)) {
        return Err(
            "must not begin with `xn--`, `sthree-` or `amzn-s3-demo-`, which AWS keeps for itself",
        );
    }
    if ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
        .iter()
        .any(|suffix| text.ends_with(suffix))
    {
        return Err(
            "must not end with `-s3alias`, `--ol-s3`, `.mrap`, `--x-s3` or `--table-s3`, which AWS \
                keeps for itself",
        );
    }
    if text.ends_with(REGIONAL) && regional(text).is_none() {
        return Err("must be `<prefix>-<account>-<region>-an` where it ends with `-an`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        for good in
            ["abc", "a-b.c1", "maintenance-demo-123456789012", "a-111122223333-us-west-2-an"]
        {
            assert!(good.parse::<BucketName>().is_ok(), "{good}");
        }
        for bad in [
            "ab",
            "Abc",
            "-abc",
            "abc-",
            "a..b",
            "10.0.0.1",
            "xn--abc",
            "abc-s3alias",
            "a_b",
            "shop-an",
            "shop-123456789012-an",
            "shop-eu-west-1-an",
            "123456789012-eu-west-1-an",
            "shop-12345678901-eu-west-1-an",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_regions_have_no_namespaces_of_accounts() {
        for (region, has) in [("eu-west-1", true), ("me-south-1", false), ("me-central-1", false)] {
            let region = region.parse().unwrap();
            assert!(Namespace::Global.is_in(&region));
            assert_eq!(Namespace::AccountRegional.is_in(&region), has, "{region}");
        }
    }

    #[test]
    fn a_regional_name_says_whose_and_where() {
        let found = |name: &str| {
            let regional = name.parse::<BucketName>().unwrap().regional();
            regional.map(|(account, region)| format!("{account} {region}"))
        };
        assert_eq!(
            found("shop-999988887777-111122223333-us-west-2-an").as_deref(),
            Some("111122223333 us-west-2")
        );
        assert_eq!(found("shop-111122223333-us-west-2"), None);
        let stack = "shop".parse().unwrap();
        let account = "111122223333".parse().unwrap();
        for (namespace, name) in [
            (Namespace::Global, "shop-111122223333"),
            (Namespace::AccountRegional, "shop-111122223333-eu-west-1-an"),
        ] {
            let region = "eu-west-1".parse().unwrap();
            let derived = BucketName::derived(&stack, &account, &region, namespace).unwrap();
            assert_eq!(derived.as_str(), name);
        }
    }
}
