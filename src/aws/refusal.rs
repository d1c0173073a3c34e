//! What AWS's codes and texts mean, one row for each refusal that our calls can meet.
//!
//! A code that AWS uses for several refusals counts only with a text that is known for it; the text
//! is the shortest part that has stayed the same over the years. What is on no row is passed on in
//! AWS's own words, without a guess. Codes come from the services' API models, texts from answers
//! that were seen (`docs/aws.md`).

use crate::change::FaultKind;

/// What an answer is about, and what to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) kind: FaultKind,
    /// Where the kind's own cure is not the right one.
    pub(super) cure: Option<&'static str>,
}

struct Row {
    /// Any of these; one that ends with `*` stands for all that begin so.
    codes: &'static [&'static str],
    /// In lower case; empty: any text.
    text: &'static str,
    meaning: Meaning,
}

const fn row(codes: &'static [&'static str], text: &'static str, kind: FaultKind) -> Row {
    Row { codes, text, meaning: Meaning { kind, cure: None } }
}

const fn cured(
    codes: &'static [&'static str],
    text: &'static str,
    kind: FaultKind,
    cure: &'static str,
) -> Row {
    Row { codes, text, meaning: Meaning { kind, cure: Some(cure) } }
}

const CLOCK: &str = "this machine's clock is wrong: set it (AWS takes a difference of 5 minutes, \
    S3 of 15), then run the same command again";
const KEY: &str = "AWS does not know this access key in this region: check the profile and its \
    keys (`aws sts get-caller-identity`), and whether the account has enabled the region";
const QUOTA: &str = "a quota of the account is reached: remove what is not needed, or raise it \
    (Service Quotas console), then run the same command again";
const SMALLER: &str = "make the function's package smaller: take files out of the folder in \
    `function.source`";
const RUNTIME: &str = "set `function.runtime` to one that AWS still takes; AWS names them above, \
    or in the Lambda Developer Guide, \"Lambda runtimes\"";
const KMS: &str = "the bucket's KMS key does not work: enable it, or cancel its deletion, or \
    choose another one in the bucket's default encryption";
const KEY_POLICY: &str = "the caller may not use the bucket's KMS key, which is not the stack's: \
    the key's owner lets it (`kms:GenerateDataKey` and `kms:Decrypt`, in the key's policy and in the \
    caller's); `provision policy` has no rights on keys";
const FRESH: &str = "not every name server knows the bucket yet, as it is new: run the same command \
    again in some minutes";
const DAMAGED: &str = "the file is as it was planned, so its bytes were damaged on their way, by a \
    proxy or by this machine: run the same command again";
const INLINE: &str = "a role's inline policies may have 10,240 characters together, which nobody can \
    raise: delete inline policies that others put on the role, or move them to managed policies";
const ITSELF: &str = "AWS itself failed, not this request: run the same command again in a few \
    minutes; what is done stays done";

use FaultKind::{
    AlreadyExists, Busy, Credentials, Denied, Elsewhere, Failing, InUse, MovedOn, NotFound,
    NotPropagated, Refused, Replicated, Throttled,
};

/// The first row that fits decides.
const ROWS: &[Row] = &[
    // Lambda
    row(&["InvalidParameterValueException"], "replicated function", Replicated),
    row(&["InvalidParameterValueException"], "cannot be assumed by lambda", NotPropagated),
    row(&["InvalidParameterValueException"], "is different from current codesha256", MovedOn),
    cured(&["InvalidParameterValueException"], "unzipped size must be smaller", Refused, SMALLER),
    cured(&["RequestEntityTooLargeException"], "", Refused, SMALLER),
    cured(
        &["InvalidParameterValueException"],
        "is no longer supported for creating or updating",
        Refused,
        RUNTIME,
    ),
    cured(
        &["InvalidParameterValueException"],
        "at 'runtime' failed to satisfy constraint",
        Refused,
        RUNTIME,
    ),
    row(&["ResourceConflictException"], "already exist", AlreadyExists),
    row(&["ResourceConflictException"], "in progress", Busy),
    row(&["ResourceConflictException"], "pending", Busy),
    row(&["ResourceConflictException"], "deleting", Busy),
    row(&["ResourceConflictException"], "at this time", Busy),
    row(&["ResourceNotFoundException"], "not reachable in this region", Refused),
    cured(&["CodeStorageExceededException"], "", Refused, QUOTA),
    // CloudFront
    row(&["InvalidLambdaFunctionAssociation"], "must be assumable with edgelambda", NotPropagated),
    row(&["InvalidLambdaFunctionAssociation"], "must be in an active state", Busy),
    // The caller needs rights on the function for this.
    row(&["InvalidLambdaFunctionAssociation"], "cannot retrieve the specified", Denied),
    cured(
        &["PreconditionFailed", "ResourceInUse"],
        "pricing plan",
        InUse,
        "cancel the distribution's pricing plan first (CloudFront console, the distribution, \
            \"Manage plan\"); it ends with the month that is paid",
    ),
    cured(
        &["CNAMEAlreadyExists"],
        "",
        Refused,
        "another distribution, perhaps another account's, has one of these aliases: take it off \
            there first",
    ),
    cured(
        &["InvalidViewerCertificate"],
        "",
        Refused,
        "check that the certificate is in N. Virginia, issued, and covers every alias; for some \
            minutes after it was issued CloudFront does not know it yet",
    ),
    cured(
        &["AccessDenied"],
        "your account must be verified",
        Refused,
        "AWS verifies a new account before it may have distributions: open a support case with \
            these words; no policy can help",
    ),
    cured(
        &["InvalidWebACLId"],
        "",
        Refused,
        "the distribution names a web ACL that is gone, or not a global one: correct it there \
            first",
    ),
    cured(
        &["InvalidArgument"],
        "for cloudfront logs does not enable acl",
        Refused,
        "the distribution's log bucket has its ACLs off: turn them on there (object ownership \
            `BucketOwnerPreferred`), or end these logs in the distribution",
    ),
    cured(
        &["AccessDenied"],
        "s3 bucket for cloudfront logs",
        Refused,
        "the caller needs `s3:GetBucketAcl` and `s3:PutBucketAcl` on the distribution's log \
            bucket, which is not the stack's: its owner gives them",
    ),
    cured(&["TooManyInvalidationsInProgress"], "", Busy, "wait until the others are completed"),
    row(&["DistributionNotDisabled"], "", Busy),
    row(&["DistributionAlreadyExists", "OriginAccessControlAlreadyExists"], "", AlreadyExists),
    row(&["InvalidIfMatchVersion"], "", MovedOn),
    // An origin names a control that is gone.
    row(&["InvalidOriginAccessControl"], "", NotFound),
    row(&["ResourceInUse", "OriginAccessControlInUse"], "", InUse),
    // S3
    cured(
        &["AccessDenied"],
        "protected by object lock",
        Refused,
        "a lock protects the object: it goes when the lock's time is over, or when a person with \
            the right to bypass it deletes it",
    ),
    cured(
        &["AccessDenied"],
        "by the blockpublicpolicy setting",
        Refused,
        "the bucket policy has a statement that lets everybody in: take it out, then run the same \
            command again",
    ),
    cured(
        &["InvalidObjectState"],
        "",
        Refused,
        "the object is archived: restore it first (`aws s3api restore-object`)",
    ),
    cured(
        &["BucketAlreadyExists"],
        "",
        Refused,
        "another account has a bucket of this name: choose another `bucket.name`",
    ),
    row(&["BucketAlreadyOwnedByYou"], "", AlreadyExists),
    cured(
        &["BucketHasAccessPointsAttached"],
        "",
        InUse,
        "delete the bucket's access points first, then run the same command again",
    ),
    row(&["BucketNotEmpty"], "", InUse),
    cured(
        &["ConditionalRequestConflict"],
        "",
        Busy,
        "other writes of it were under way all the time: run the same command again",
    ),
    cured(&["BadDigest"], "", Refused, DAMAGED),
    cured(&["TemporaryRedirect"], "", Busy, FRESH),
    row(&["PermanentRedirect"], "", Elsewhere),
    row(&["IllegalLocationConstraintException"], "", Elsewhere),
    row(&["AuthorizationHeaderMalformed"], "region", Elsewhere),
    cured(&["KMS.*", "KMSDisabledException", "KMSInvalidStateException"], "", Refused, KMS),
    cured(&["AccessDenied"], "not authorized to perform: kms:", Denied, KEY_POLICY),
    // IAM
    cured(&["LimitExceeded"], "maximum policy size", Refused, INLINE),
    row(&["EntityAlreadyExists"], "", AlreadyExists),
    row(&["DeleteConflict"], "", InUse),
    row(&["ConcurrentModification", "EntityTemporarilyUnmodifiable"], "", Busy),
    // CloudWatch Logs
    row(&["ResourceAlreadyExistsException"], "", AlreadyExists),
    // Several
    row(&["PreconditionFailedException"], "", MovedOn),
    row(&["PreconditionFailed"], "precondition", MovedOn),
    row(&["PreconditionFailed"], "pre-condition", MovedOn),
    row(&["OperationAborted", "OperationAbortedException"], "", Busy),
    row(
        &["Throttl*", "TooManyRequestsException", "SlowDown", "RequestLimitExceeded"],
        "",
        Throttled,
    ),
    cured(
        &["TooMany*", "LimitExceeded", "LimitExceededException", "LimitExceededFault"],
        "",
        Refused,
        QUOTA,
    ),
    row(&["NoSuch*"], "", NotFound),
    row(&["OwnershipControlsNotFoundError"], "", NotFound),
    row(&["ResourceNotFoundException", "NotFound"], "", NotFound),
    row(&["ExpiredToken*", "RequestExpired"], "", Credentials),
    cured(&["RequestTimeTooSkewed"], "", Credentials, CLOCK),
    cured(
        &["SignatureDoesNotMatch", "InvalidSignatureException"],
        "signature expired",
        Credentials,
        CLOCK,
    ),
    cured(
        &["SignatureDoesNotMatch", "InvalidSignatureException"],
        "signature not yet current",
        Credentials,
        CLOCK,
    ),
    cured(
        &["SignatureDoesNotMatch", "InvalidSignatureException"],
        "",
        Credentials,
        "the secret key does not belong to the access key id: check the profile and its keys",
    ),
    cured(
        &[
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "InvalidToken",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "IncompleteSignature",
            "AuthFailure",
        ],
        "",
        Credentials,
        KEY,
    ),
    cured(
        &["OptInRequired", "SubscriptionRequiredException"],
        "",
        Credentials,
        "the account is not signed up for this service, or has not enabled the region",
    ),
    row(&["AccessDenied*", "UnauthorizedOperation"], "", Denied),
    cured(
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "ServiceException",
            "ServiceFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
        "",
        Failing,
        ITSELF,
    ),
];

/// What an answer means. `code` is missing where AWS sends no body: then the status decides.
pub(super) fn meaning(code: Option<&str>, text: &str, status: Option<u16>) -> Meaning {
    let text = text.to_ascii_lowercase();
    let names = |pattern: &&str, code: &str| match pattern.strip_suffix('*') {
        Some(beginning) => code.starts_with(beginning),
        None => *pattern == code,
    };
    let fits = |row: &&Row| {
        code.is_some_and(|code| row.codes.iter().any(|pattern| names(pattern, code)))
            && text.contains(row.text)
    };
    if let Some(row) = ROWS.iter().find(fits) {
        return row.meaning;
    }
    let kind = match (code, status) {
        (_, Some(429)) => Throttled,
        (_, Some(500 | 502..)) => return Meaning { kind: Failing, cure: Some(ITSELF) },
        (None, Some(404)) => NotFound,
        (None, Some(403)) => Denied,
        (None, Some(412)) => MovedOn,
        (None, Some(301)) => Elsewhere,
        (None, Some(307)) => return Meaning { kind: Busy, cure: Some(FRESH) },
        _ => Refused,
    };
    Meaning { kind, cure: None }
}

#[cfg(test)]
mod tests;
