//! Names that AWS gives rules for: parsed once at the border, trusted inside.
//!
//! Each type is a checked string that all its copies share. [`FromStr`] refuses with the rule that was broken, as a
//! lower-case fragment that fits behind "bucket name `x`: ". Rules come from the *Amazon S3 User
//! Guide* ("General purpose bucket naming rules"), the *IAM User Guide* (quotas) and the *AWS
//! Lambda API Reference*.

use std::fmt;
use std::str::FromStr;

mod bucket;

pub use bucket::Namespace;

/// [`EDGE_REGION`], as `concat!` needs it.
macro_rules! edge_region {
    () => {
        "us-east-1"
    };
}
pub(crate) use edge_region;

/// The one region of Lambda@Edge functions, CloudFront's certificates and CloudFront's own API.
pub const EDGE_REGION: &str = edge_region!();

/// Where a function at the edge runs, and so writes its logs (CloudFront Developer Guide, "Set up
/// IAM permissions and roles for Lambda@Edge": the regions in which the service-linked roles act).
const EDGE_LOG_REGIONS: [&str; 13] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
    EDGE_REGION,
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// The stack's own name: `[a-z0-9-]`, 1 to 32 characters, begins with a letter, does not end
    /// with `-`.
    StackName,
    check_stack
);
checked_name!(
    /// A general purpose S3 bucket.
    BucketName,
    bucket::check
);
checked_name!(
    /// An IAM role, without its path.
    RoleName,
    check_role
);
checked_name!(
    /// An IAM path: `/` or `/…/`.
    RolePath,
    check_path
);
checked_name!(
    /// A Lambda function, unqualified.
    FunctionName,
    check_function
);
checked_name!(
    /// A 12-digit AWS account.
    AccountId,
    check_account
);
checked_name!(
    /// An AWS region, by shape only: new ones appear every year.
    Region,
    check_region
);
checked_name!(
    /// A CloudFront distribution's id, such as `E2ABCDEF0123`.
    DistributionId,
    check_distribution
);
checked_name!(
    /// An S3 object key.
    ObjectKey,
    check_key
);

impl ObjectKey {
    /// A key that S3 gave us. S3 knows keys that no spec may name, such as `/x`; passed over, they
    /// would be lost from sight.
    #[must_use]
    pub fn listed(key: String) -> Self {
        Self(key.into())
    }

    /// Is the key the same once it went through a document of S3's? XML 1.0 has no way to write some
    /// characters, and readers may drop white space at the ends.
    #[must_use]
    pub fn survives_xml(&self) -> bool {
        self.0.trim() == &*self.0 && self.0.chars().all(is_xml)
    }
}

impl RoleName {
    /// The role's ARN in `account` under `path`.
    #[must_use]
    pub fn arn(&self, account: &AccountId, path: &RolePath) -> String {
        format!("arn:aws:iam::{account}:role{path}{self}")
    }

    /// The name at the end of the ARN of a role in `account`, whatever its path.
    #[must_use]
    pub fn from_arn(arn: &str, account: &AccountId) -> Option<Self> {
        let path = arn.strip_prefix(&format!("arn:aws:iam::{account}:role/"))?;
        path.rsplit('/').next()?.parse().ok()
    }
}

impl FunctionName {
    /// The function's unqualified ARN; the edge's functions live in one region only.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:lambda:{EDGE_REGION}:{account}:function:{self}")
    }

    /// The name in the ARN, with or without a version, of an edge function in `account`.
    #[must_use]
    pub fn from_arn(arn: &str, account: &AccountId) -> Option<Self> {
        let name =
            arn.strip_prefix(&format!("arn:aws:lambda:{EDGE_REGION}:{account}:function:"))?;
        name.split(':').next()?.parse().ok()
    }
}

impl DistributionId {
    /// The distribution's ARN in `account`.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:cloudfront::{account}:distribution/{self}")
    }

    /// The id at the end of a distribution's ARN.
    #[must_use]
    pub fn from_arn(arn: &str) -> Option<Self> {
        let (_, id) = arn.strip_prefix("arn:aws:cloudfront::")?.split_once(":distribution/")?;
        id.parse().ok()
    }
}

impl Region {
    /// [`EDGE_REGION`] as a region.
    #[must_use]
    pub fn edge() -> Self {
        Self(EDGE_REGION.into())
    }

    /// The regions in which functions at the edge write their logs.
    #[must_use]
    pub fn of_edge_logs() -> [Self; EDGE_LOG_REGIONS.len()] {
        EDGE_LOG_REGIONS.map(|region| Self(region.into()))
    }
}

fn length(
    text: &str,
    range: std::ops::RangeInclusive<usize>,
    rule: &'static str,
) -> Result<(), &'static str> {
    if range.contains(&text.len()) { Ok(()) } else { Err(rule) }
}

fn alphabet(text: &str, allowed: fn(u8) -> bool, rule: &'static str) -> Result<(), &'static str> {
    if text.bytes().all(allowed) { Ok(()) } else { Err(rule) }
}

fn check_stack(text: &str) -> Result<(), &'static str> {
    length(text, 1..=32, "must be 1 to 32 characters long")?;
    alphabet(
        text,
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-',
        "may hold only a-z, 0-9 and `-`",
    )?;
    if !text.as_bytes()[0].is_ascii_lowercase() {
        return Err("must begin with a letter");
    }
    if text.ends_with('-') { Err("must not end with `-`") } else { Ok(()) }
}

fn is_iam(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b)
}

fn check_role(text: &str) -> Result<(), &'static str> {
    length(text, 1..=64, "must be 1 to 64 characters long")?;
    alphabet(text, is_iam, "may hold only letters, digits and `+=,.@_-`")
}

fn check_path(text: &str) -> Result<(), &'static str> {
    length(text, 1..=512, "must be 1 to 512 characters long")?;
    if !text.starts_with('/') || !text.ends_with('/') {
        return Err("must begin and end with `/`");
    }
    alphabet(text, |b| b.is_ascii_graphic(), "may hold only visible ASCII characters")
}

fn check_function(text: &str) -> Result<(), &'static str> {
    length(text, 1..=64, "must be 1 to 64 characters long")?;
    alphabet(
        text,
        |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_',
        "may hold only letters, digits, `-` and `_`",
    )
}

fn check_account(text: &str) -> Result<(), &'static str> {
    length(text, 12..=12, "must be 12 digits")?;
    alphabet(text, |b| b.is_ascii_digit(), "must be 12 digits")
}

fn check_region(text: &str) -> Result<(), &'static str> {
    const RULE: &str = "must look like `eu-west-1`";
    let parts: Vec<&str> = text.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else { return Err(RULE) };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let shaped = area.len() == 2 && word(area) && !middle.is_empty() && middle.iter().all(word);
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if shaped && numbered && text.len() <= 32 { Ok(()) } else { Err(RULE) }
}

fn check_distribution(text: &str) -> Result<(), &'static str> {
    length(text, 8..=32, "must look like `E2ABCDEF0123`")?;
    alphabet(
        text,
        |b| b.is_ascii_uppercase() || b.is_ascii_digit(),
        "must look like `E2ABCDEF0123`",
    )
}

fn check_key(text: &str) -> Result<(), &'static str> {
    length(text, 1..=1024, "must be 1 to 1,024 bytes long")?;
    if text.starts_with('/') {
        return Err("must not begin with `/`");
    }
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters");
    }
    if text.chars().all(is_xml) {
        Ok(())
    } else {
        Err("must not hold U+FFFE or U+FFFF, which no list of S3 can show")
    }
}

/// Can XML 1.0 write this character (Extensible Markup Language 1.0, "Characters")?
fn is_xml(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        letter => letter >= ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_follow_their_rules() {
        assert!("shop-1".parse::<StackName>().is_ok());
        for bad in ["", "1shop", "shop-", "Shop", &"a".repeat(33)] {
            assert!(bad.parse::<StackName>().is_err(), "{bad}");
        }
        for good in ["eu-west-1", "us-gov-west-1", "ap-southeast-2"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in ["eu", "eu-west", "europe-west-1", "eu--1", "EU-west-1"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
        assert!("/team/".parse::<RolePath>().is_ok());
        assert!("/team".parse::<RolePath>().is_err());
        assert!("12345678901a".parse::<AccountId>().is_err());
        assert!("fn.name".parse::<FunctionName>().is_err());
        for bad in ["/x", "a\u{1}b", "a\rb", "a\u{fffe}", "\u{ffff}"] {
            assert!(bad.parse::<ObjectKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_survives_xml_unless_that_cannot_write_it() {
        for (key, survives) in [
            ("a/b%+ü\u{1f600}\r\n\t\u{7f}\u{85}.html", true),
            ("a\u{1}b", false),
            ("a\u{1f}", false),
            ("\u{fffe}", false),
            ("a\u{ffff}b", false),
            (" a", false),
            ("a\n", false),
        ] {
            assert_eq!(ObjectKey::listed(key.into()).survives_xml(), survives, "{key:?}");
        }
    }

    #[test]
    fn a_distribution_is_read_back_from_its_arn() {
        let id: DistributionId = "E2ABCDEF0123".parse().unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        assert_eq!(DistributionId::from_arn(&id.arn(&account)), Some(id));
        assert_eq!(DistributionId::from_arn("arn:aws:s3:::x"), None);
    }
}
