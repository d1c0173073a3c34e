//! The only reader of AWS's error codes and texts.
//!
//! Codes come from the services' API models; the few texts that have to be read are matched on the shortest part that
//! has stayed the same over the years, never on equality.

use crate::change::{Fault, FaultKind};
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Returns the fault behind an SDK error. `tried` says what was tried on what: `create role checkout-edge`.
pub fn fault<E>(tried: impl Into<String>, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let tried = tried.into();
    let code = error.code().map(str::to_owned);
    let status = error.raw_response().map(|response| response.status().as_u16());
    let text = error.message().map_or_else(|| words(error, status), str::to_owned);
    let kind = match error {
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ConstructionFailure(_) => without_answer(error),
        _ => classify(code.as_deref(), &text, status),
    };
    let message = if kind == FaultKind::Credentials && code.is_none() { "no AWS credentials were found".to_owned() } else { text };
    Fault { hint: hint(kind, &tried), kind, tried, code, message, request_id: error.request_id().map(str::to_owned) }
}

fn words<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>, status: Option<u16>) -> String {
    match (error, status) {
        (SdkError::ServiceError(_), Some(status)) => format!("AWS answered with HTTP status {status} and no text"),
        _ => DisplayErrorContext(error).to_string().split(" (").next().unwrap_or_default().to_owned(),
    }
}

/// The SDK reports missing credentials and a dead network alike, as a failure to send.
fn without_answer<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> FaultKind {
    let chain = format!("{}", DisplayErrorContext(error)).to_ascii_lowercase();
    if chain.contains("credential") { FaultKind::Credentials } else { FaultKind::Unreachable }
}

fn classify(code: Option<&str>, text: &str, status: Option<u16>) -> FaultKind {
    let code = code.unwrap_or_default();
    match code {
        "InvalidParameterValueException" if text.contains("replicated function") => FaultKind::Replicated,
        "InvalidParameterValueException" if text.contains("cannot be assumed by Lambda") => FaultKind::NotPropagated,
        "InvalidLambdaFunctionAssociation" if text.contains("must be assumable with edgelambda") => FaultKind::NotPropagated,
        "InvalidLambdaFunctionAssociation" if text.contains("must be in an Active state") => FaultKind::Busy,
        // The caller needs rights on the function for this.
        "InvalidLambdaFunctionAssociation" if text.contains("cannot retrieve the specified") => FaultKind::Denied,
        "ResourceConflictException" if text.to_ascii_lowercase().contains("already exist") => FaultKind::AlreadyExists,
        "BucketAlreadyOwnedByYou" | "EntityAlreadyExists" | "OriginAccessControlAlreadyExists" | "DistributionAlreadyExists" => {
            FaultKind::AlreadyExists
        }
        "ResourceConflictException" | "OperationAborted" | "DistributionNotDisabled" => FaultKind::Busy,
        "PreconditionFailed" | "PreconditionFailedException" | "InvalidIfMatchVersion" | "ConditionalRequestConflict" => FaultKind::MovedOn,
        // An origin names a control that is gone.
        "InvalidOriginAccessControl" => FaultKind::NotFound,
        "ResourceInUse" | "OriginAccessControlInUse" | "DeleteConflict" | "BucketNotEmpty" => FaultKind::InUse,
        _ if code.starts_with("NoSuch") || code.ends_with("NotFoundError") || matches!(code, "ResourceNotFoundException" | "NotFound") => {
            FaultKind::NotFound
        }
        _ if code.starts_with("Throttl") || matches!(code, "TooManyRequestsException" | "SlowDown" | "RequestLimitExceeded") => {
            FaultKind::Throttled
        }
        _ if code.starts_with("ExpiredToken")
            || matches!(
                code,
                "InvalidClientTokenId"
                    | "UnrecognizedClientException"
                    | "InvalidAccessKeyId"
                    | "SignatureDoesNotMatch"
                    | "RequestTimeTooSkewed"
            ) =>
        {
            FaultKind::Credentials
        }
        _ if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => FaultKind::Denied,
        _ => match status {
            Some(404) => FaultKind::NotFound,
            Some(403) => FaultKind::Denied,
            Some(412) => FaultKind::MovedOn,
            Some(429) => FaultKind::Throttled,
            _ => FaultKind::Refused,
        },
    }
}

fn hint(kind: FaultKind, tried: &str) -> Option<String> {
    let hint = match kind {
        FaultKind::NotFound => "somebody took it down in the meantime: run the same command again, it plans anew",
        FaultKind::AlreadyExists => "somebody made it in the meantime: run the same command again, it plans anew",
        FaultKind::InUse => "something else uses it, perhaps since a moment ago: run the same command again, it plans anew",
        FaultKind::MovedOn => "somebody else changed it in the meantime: run the same command again, it plans anew",
        FaultKind::Busy | FaultKind::Throttled => "run the same command again; what is done stays done",
        FaultKind::NotPropagated => "IAM has not told every region yet; run the same command again in a minute",
        FaultKind::Credentials => "sign in again (for instance `aws sso login`), or set AWS_PROFILE; try `aws sts get-caller-identity`",
        FaultKind::Unreachable => "check the network, the proxy variables and `--endpoint-url`; then run the same command again",
        FaultKind::Denied => {
            return Some(format!(
                "the caller may not {tried}; `provision policy --for apply` (or destroy, plan, toggle) prints what it takes"
            ));
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// "It is not there" is an answer, not a fault.
///
/// # Errors
/// Every other fault.
pub fn absent<T>(result: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_texts_are_classified() {
        let rows = [
            ("InvalidParameterValueException", "Lambda was unable to delete x because it is a replicated function.", FaultKind::Replicated),
            ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", FaultKind::NotPropagated),
            ("InvalidLambdaFunctionAssociation", "Lambda@Edge cannot retrieve the specified Lambda function.", FaultKind::Denied),
            ("InvalidOriginAccessControl", "", FaultKind::NotFound),
            ("InvalidParameterValueException", "Unzipped size must be smaller", FaultKind::Refused),
            ("ResourceConflictException", "Function already exist: x", FaultKind::AlreadyExists),
            ("ResourceConflictException", "An update is in progress for resource", FaultKind::Busy),
            ("PreconditionFailed", "", FaultKind::MovedOn),
            ("NoSuchBucketPolicy", "", FaultKind::NotFound),
            ("OwnershipControlsNotFoundError", "", FaultKind::NotFound),
            ("Throttling", "Rate exceeded", FaultKind::Throttled),
            ("ExpiredTokenException", "", FaultKind::Credentials),
            ("AccessDeniedException", "", FaultKind::Denied),
        ];
        for (code, text, kind) in rows {
            assert_eq!(classify(Some(code), text, Some(400)), kind, "{code}: {text}");
        }
        assert_eq!(classify(None, "", Some(404)), FaultKind::NotFound);
    }
}
