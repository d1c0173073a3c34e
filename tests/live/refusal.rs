//! What AWS says where it refuses.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;

#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// `None`: the call was carried out.
pub(crate) fn refusal<T, E: ProvideErrorMetadata>(sent: &Result<T, E>) -> Option<Refusal> {
    let error = sent.as_ref().err()?;
    let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
    Some(Refusal { code: text(error.code()), text: text(error.message()) })
}

impl Refusal {
    /// Was it for want of a right? What an association lacks, CloudFront tells under a code of its
    /// own (docs/aws.md, "rights for an association").
    pub(crate) fn is_denial(&self) -> bool {
        self.code.starts_with("AccessDenied")
            || self.code == "InvalidLambdaFunctionAssociation"
                && self.text.contains("Update the IAM policy")
    }
}
