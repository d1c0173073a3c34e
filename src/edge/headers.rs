//! Which headers an edge function sees, may add, may change (CloudFront Developer Guide,
//! "Restrictions on all edge functions").

/// Never shown to a function, and refused when it adds one. `x-amz-cf-*` and `x-edge-*` are
/// prefixes.
const DISALLOWED: [&str; 24] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-forwarded-proto",
];

/// At viewer request a function sees these and must leave them alone.
pub(super) const READ_ONLY: [&str; 5] =
    ["cdn-loop", "content-length", "host", "transfer-encoding", "via"];

/// Whether a function never sees, and never may set, the header of this lower-case name.
pub(super) fn is_disallowed(name: &str) -> bool {
    DISALLOWED.contains(&name)
        || name == "x-real-ip"
        || name.starts_with("x-amz-cf-")
        || name.starts_with("x-edge-")
}

/// Whether a function must not add this header to a request: CloudFront adds it itself, later
/// (CloudFront Developer Guide, "Restrictions on Lambda@Edge").
pub(super) fn is_cloudfronts(name: &str) -> bool {
    name.starts_with("cloudfront-")
}

/// Whether `name` is a header name that HTTP allows.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The first character that a header value must not hold: any control character but the tab.
pub(super) fn bad_character(value: &str) -> Option<char> {
    value.chars().find(|&character| character.is_ascii_control() && character != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefixes_and_the_names_are_disallowed() {
        for name in [
            "connection",
            "x-cache",
            "x-real-ip",
            "x-amz-cf-id",
            "x-amz-cf-pop",
            "x-edge-location",
            "upgrade",
        ] {
            assert!(is_disallowed(name), "{name}");
        }
        for name in ["host", "via", "x-amz-meta-provision-from", "x-forwarded-for", "retry-after"] {
            assert!(!is_disallowed(name), "{name}");
        }
    }

    #[test]
    fn header_values_hold_no_control_characters() {
        assert_eq!(bad_character("a\r\nb"), Some('\r'));
        assert_eq!(bad_character("tab\tand é"), None);
        assert!(is_token("x-a_b") && !is_token("x a") && !is_token(""));
    }
}
