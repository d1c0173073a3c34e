use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Names of every sort that a spec may have; AWS's own words are among them, and parts of such.
const NAMES: &[&str] = &[
    "zebra",
    "zebra-shop",
    "ess", // In "Access".
    "arn-of-zebra",
    "role",
    "s3",
    "lambda-function",
    "Deny",
    "xn--zebra",
    "z3br4",
    "h\u{fc}tte",
    "\u{65e5}\u{672c}",
    "a1",
];

/// Where a name may stand in what is said to AWS or heard from it.
const TEXTS: &[&str] = &[
    "{}",
    "/{}-100000000001/index.html?list-type=2&prefix={}%2F",
    "arn:aws:lambda:us-east-1:123456789012:function:{}:7",
    "<Origin><Id>provision-{}</Id><DomainName>{}.s3.eu-west-1.amazonaws.com</DomainName></Origin>",
    "{\"Statement\":[{\"Resource\":\"arn:aws:s3:::{}/*\",\"Sid\":\"{}\"}]}",
    "Action=GetRole&RoleName={}-edge&Version=2010-05-08",
    "{\"Tags\":{\"provision:stack\":\"{}\"},\"Description\":\"provision:stack={} page={}/on.html\"}",
    "Function not found: {} (see \\\"{}\\\")",
];

pub(in crate::aws::record) fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub(in crate::aws::record) fn all_percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

pub(in crate::aws::record) fn json(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
}

pub(in crate::aws::record) fn entities(text: &str) -> String {
    text.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect::<Vec<_>>().concat()
}

/// The ways in which a name may be written.
const FORMS: &[fn(&str) -> String] = &[
    str::to_owned,
    percent,
    |name| percent(&percent(name)),
    all_percent,
    |name| percent(&all_percent(name)),
    json,
    entities,
    |name| STANDARD.encode(name),
    |name| STANDARD.encode(format!("{{\"name\":\"{name}\"}}")),
];

/// Is it in the text as a word, or as several in their order?
fn is_told(text: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name).any(|(at, _)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next())
    })
}

#[test]
fn no_name_stays_in_any_form_and_any_place() {
    for name in NAMES {
        for form in FORMS {
            let written = form(name);
            for text in TEXTS {
                let mut veil = Veil::hiding(&[(*name).to_owned()]);
                let veiled = veil.text(&text.replace("{}", &written), Keeps::Digests);
                for told in [*name, written.as_str()] {
                    assert!(!is_told(&veiled, told), "{name} as {written} in {text}: {veiled}");
                }
            }
        }
    }
}

/// Whatever a name is, the recording is the same: it tells nothing of it.
#[test]
fn what_is_written_does_not_depend_on_the_name() {
    let told = |name: &str| -> Vec<String> {
        let mut veil = Veil::hiding(&[]);
        TEXTS.iter().map(|text| veil.text(&text.replace("{}", name), Keeps::Digests)).collect()
    };
    for name in ["ess", "z3br4", "h\u{fc}tte", "\u{65e5}\u{672c}", "a1", "Zoo", "AKIAZEBRA"] {
        assert_eq!(told(name), told("zebra"), "{name}");
    }
}

#[test]
fn the_same_has_the_same_stand_in_everywhere() {
    let mut veil = Veil::hiding(&[]);
    let veiled = veil.text(
        "zebra/E2ZEBRA00000 z%65bra-123456789012 &#122;ebra \\u007aebra zebras",
        Keeps::Nothing,
    );
    assert_eq!(veiled, "n1/E000000000001 n1-100000000001 n1 n1 n2");
    let kinds = [("account numbers", 1), ("ids", 1), ("names and other words", 2)];
    assert_eq!(veil.replaced(), kinds);
}

/// What tells what AWS did, and what a plan is made from.
#[test]
fn what_is_awss_stays() {
    for (text, keeps) in [
        (
            "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>\
             </Error>",
            Keeps::Nothing,
        ),
        (
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender\
             </Type><Code>DeleteConflict</Code><Message>Cannot delete entity, must detach all \
             policies first.</Message></Error></ErrorResponse>",
            Keeps::Nothing,
        ),
        ("{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"sts:AssumeRole\"]}", Keeps::Nothing),
        ("Mon, 30 Nov 2026 13:27:51 GMT", Keeps::Nothing),
        ("2026-11-30T13:27:51.854Z", Keeps::Nothing),
        ("{\"creationTime\":1796028130123,\"storedBytes\":0}", Keeps::Nothing),
        ("{\"CodeSha256\":\"gue5yMyuoK5f2IZKJUtVPbheUNI0hKd722ZTiTVgP+s=\"}", Keeps::Nothing),
        ("<ETag>&quot;f97c5d29941bfb1b2fdab0874906ab82&quot;</ETag><Size>3</Size>", Keeps::Digests),
        ("/?list-type=2&max-keys=1000&encoding-type=url", Keeps::Nothing),
    ] {
        assert_eq!(Veil::hiding(&[]).text(text, keeps), text);
    }
    for header in super::super::ASKED.iter().chain(super::super::SAID) {
        assert_eq!(Veil::hiding(&[]).text(header, Keeps::Nothing), *header);
    }
}

/// A replay refuses what AWS refused, for the same reason.
#[test]
fn every_code_and_text_by_which_a_refusal_is_known_stays() {
    let seen = [
        "ExpiredToken",
        "ExpiredTokenException",
        "SignatureDoesNotMatch",
        "PermanentRedirect",
        "RegionDisabledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "RequestTimeTooSkewed",
        "InvalidAccessKeyId",
        "ServiceUnavailable",
        "OperationAborted",
        "ConditionalRequestConflict",
        "OptInRequired",
        "InvalidToken",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "MissingNamespaceHeader",
        "KMS.DisabledException",
        "TooManyBuckets",
    ];
    for code in refusal::codes().chain(seen) {
        let text = format!("<Error><Code>{code}</Code></Error> {{\"__type\":\"{code}\"}}");
        assert_eq!(Veil::hiding(&[]).text(&text, Keeps::Nothing), text);
    }
    // The table reads them without regard to case.
    let spoken: BTreeSet<String> =
        Veil::hiding(&[]).spoken.iter().map(|word| word.to_lowercase()).collect();
    for text in refusal::texts() {
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            assert!(stays(word) || spoken.contains(word), "{word} of `{text}`");
        }
    }
}

#[test]
fn addresses_of_machines_and_networks_do_not_stay() {
    let mut veil = Veil::hiding(&[]);
    let veiled = veil.text(
        "bypass: [203.0.113.7/32, \"2001:DB8:a::1/64\", 10.0.0.0/8] 203.0.113.7. at 13:27:51, 1.0, \
         arn:aws:iam::123456789012:role",
        Keeps::Nothing,
    );
    for told in ["203", "113.7", "DB8:a", "10.0.0"] {
        assert!(!veiled.contains(told), "{veiled}");
    }
    assert!(veiled.contains("[198.18.1.0/32, \"2001:db8:1::/64\", 198.18.2.0/8] 198.18.1.0. "));
    assert!(veiled.contains(" at 13:27:51, 1.0, arn:aws:iam::100000000001:role"), "{veiled}");
    let replaced = veil.replaced();
    assert!(replaced.contains(&("addresses (IPv4)", 2)), "{replaced:?}");
    assert!(replaced.contains(&("addresses (IPv6)", 1)), "{replaced:?}");
}

/// By their places: there also numbers and AWS's words may be secrets.
#[test]
fn secrets_do_not_stay_whatever_they_look_like() {
    let veiled = Veil::hiding(&[]).text(
        "<HeaderName>x-key</HeaderName><HeaderValue>1234&amp;true</HeaderValue>\
         {\"Environment\":{\"Variables\":{\"Key\":\"4711\"}}}\
         {\"Location\":\"https://aws/?X-Amz-Signature=0815\"}",
        Keeps::Digests,
    );
    for secret in ["1234", "true", "4711", "Signature", "0815"] {
        assert!(!veiled.contains(secret), "{veiled}");
    }
    assert!(veiled.contains("&amp;"), "{veiled}");
}
