//! The words that every room speaks: addresses, changes, conflicts, what was done, and faults.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The list of kinds: the variant, its name, and what it is.
macro_rules! kinds {
    ($($kind:ident $name:literal $what:literal,)*) => {
        /// What can exist. Closed on purpose: the compiler counts the kinds.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "lowercase")]
        pub enum Kind {
            $(#[doc = $what] $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of `status`.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$kind => $name,)*
                })
            }
        }
    };
}

kinds! {
    Bucket "bucket" "The S3 bucket itself.",
    Site "site" "The folder of files in it.",
    Page "page" "The maintenance page, which is also the switch.",
    Role "role" "The execution role.",
    Function "function" "The edge function and its versions.",
    Logs "logs" "The log groups that it writes, one in each region.",
    Access "access"
        "The origin access control, with which CloudFront signs its requests to the bucket.",
    Distribution "distribution" "A distribution that is ours.",
    Grant "grant" "Our statements in the bucket policy.",
    Invalidation "invalidation" "Cached copies that CloudFront drops: nothing that stays.",
    Association "association" "Slots of a distribution of another owner.",
}

impl Kind {
    /// Does a thing of this kind always carry the stack's tags? The edge makes log groups without
    /// them.
    #[must_use]
    pub fn is_tagged(self) -> bool {
        match self {
            Self::Bucket | Self::Role | Self::Function | Self::Distribution => true,
            Self::Site
            | Self::Page
            | Self::Logs
            | Self::Access
            | Self::Grant
            | Self::Invalidation
            | Self::Association => false,
        }
    }
}

/// Kind and name, as shown to people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    pub kind: Kind,
    /// The name within the kind.
    pub name: String,
}

impl Address {
    /// An address.
    pub fn new(kind: Kind, name: impl fmt::Display) -> Self {
        Self { kind, name: name.to_string() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// How a step is summarised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Something comes to exist.
    Create,
    /// Something that exists is changed.
    Update,
    /// Something ceases to exist.
    Delete,
    /// Nothing is written; a condition is waited for.
    Await,
}

/// One field, before and after; `None` is "not there".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name, dotted where it is nested.
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl FieldChange {
    /// The change of one field, or `None` where both sides are equal.
    pub fn between<T: PartialEq + fmt::Display>(
        field: &str,
        before: &T,
        after: &T,
    ) -> Option<Self> {
        (before != after).then(|| Self {
            field: field.to_owned(),
            before: Some(before.to_string()),
            after: Some(after.to_string()),
        })
    }

    /// A field that comes to be.
    pub fn set(field: &str, after: impl fmt::Display) -> Self {
        Self { field: field.to_owned(), before: None, after: Some(after.to_string()) }
    }

    /// A field that ceases to be.
    pub fn removed(field: &str, before: impl fmt::Display) -> Self {
        Self { field: field.to_owned(), before: Some(before.to_string()), after: None }
    }
}

/// How an op is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub address: Address,
    /// In one word.
    pub action: Action,
    /// In a few words: `publish version 3f9a1c2`.
    pub summary: String,
    pub fields: Vec<FieldChange>,
}

impl Change {
    /// A change without fields.
    pub fn new(address: Address, action: Action, summary: impl Into<String>) -> Self {
        Self { address, action, summary: summary.into(), fields: Vec::new() }
    }

    /// The same change with its fields.
    #[must_use]
    pub fn with(mut self, fields: impl IntoIterator<Item = FieldChange>) -> Self {
        self.fields.extend(fields);
        self
    }
}

/// Why the planner refuses, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub address: Address,
    /// A lower-case fragment.
    pub reason: String,
    pub hint: String,
}

/// Something worth knowing that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub address: Address,
    /// A lower-case fragment.
    pub text: String,
}

impl From<Conflict> for Notice {
    fn from(Conflict { address, reason, hint }: Conflict) -> Self {
        Self { address, text: format!("{reason}; {hint}") }
    }
}

/// How an op ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The world is different now; the text says how where the change does not say it already.
    Changed(String),
    /// A user, perhaps an earlier run of ours whose reply was lost, had done it before.
    AlreadySo,
    /// Not possible yet.
    Deferred(Later),
}

/// What a later run goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// What is being waited for.
    pub reason: String,
    /// When trying again makes sense.
    pub try_again_after: Duration,
    /// What AWS refused last while it was waited for.
    pub said: Option<Box<Fault>>,
}

/// What kind of no it was. Decides retries, exit code and hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The object is not there.
    NotFound,
    AlreadyExists,
    /// It is not as it was when the plan was made.
    MovedOn,
    /// AWS is still busy with it; a later try can succeed.
    Busy,
    /// AWS itself failed, whatever was asked; a later try can succeed.
    Failing,
    /// A version still has replicas at the edge.
    Replicated,
    /// IAM's change has not reached the other service yet.
    NotPropagated,
    /// Something else still uses it.
    InUse,
    /// Too many calls.
    Throttled,
    /// The caller may not do this.
    Denied,
    /// The bucket is in another region.
    Elsewhere,
    /// Credentials are missing, expired or wrong.
    Credentials,
    /// No answer: connection, name resolution, timeout.
    Unreachable,
    /// Everything else that AWS refuses.
    Refused,
    /// On this machine: a file that is gone or has changed.
    Local,
}

impl FaultKind {
    /// Is it enough to run the same command again, perhaps later?
    #[must_use]
    pub fn ends_by_itself(self) -> bool {
        match self {
            Self::NotFound
            | Self::AlreadyExists
            | Self::MovedOn
            | Self::Busy
            | Self::Failing
            | Self::Replicated
            | Self::NotPropagated
            | Self::Throttled
            | Self::Unreachable => true,
            Self::InUse
            | Self::Denied
            | Self::Elsewhere
            | Self::Credentials
            | Self::Refused
            | Self::Local => false,
        }
    }
}

/// AWS, the sandbox or this machine did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not {tried}: {}", self.told())]
pub struct Fault {
    /// Classified.
    pub kind: FaultKind,
    /// What was tried on what: `create role checkout-edge`.
    pub tried: String,
    /// AWS's error code, where there is one.
    pub code: Option<String>,
    /// AWS's own words, or ours for local faults.
    pub message: String,
    /// AWS's request id, for a support case.
    pub request_id: Option<String>,
    /// What to do now.
    pub hint: Option<String>,
    /// IAM actions of which the caller lacks one; empty unless its own policies lack it.
    pub lacks: Vec<String>,
}

impl Fault {
    /// A fault that did not come from AWS.
    pub fn new(kind: FaultKind, tried: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            tried: tried.into(),
            code: None,
            message: message.into(),
            request_id: None,
            hint: None,
            lacks: Vec::new(),
        }
    }

    /// What happened, for people: AWS's words about its conditions do not say that somebody else
    /// was here.
    #[must_use]
    pub fn told(&self) -> String {
        let was = match (self.kind, self.code.as_deref()) {
            (FaultKind::MovedOn, Some(code)) if code.starts_with("NoSuch") => "was taken away",
            (FaultKind::MovedOn, Some(_)) => "was changed",
            _ => return self.message.clone(),
        };
        format!("it {was} by another user since it was looked at; AWS said: {}", self.message)
    }

    /// The same fault with a hint.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_fails_is_told_as_what_it_means() {
        let fault = |kind, code: Option<&str>| Fault {
            code: code.map(str::to_owned),
            ..Fault::new(kind, "upload a", "No.")
        };
        let since = "by another user since it was looked at; AWS said: No.";
        for (kind, code, told) in [
            (FaultKind::MovedOn, Some("PreconditionFailed"), format!("it was changed {since}")),
            (FaultKind::MovedOn, Some("NoSuchKey"), format!("it was taken away {since}")),
            (FaultKind::MovedOn, None, "No.".into()),
            (FaultKind::NotFound, Some("NoSuchKey"), "No.".into()),
            (FaultKind::Refused, Some("PreconditionFailed"), "No.".into()),
        ] {
            assert_eq!(fault(kind, code).told(), told);
            assert_eq!(fault(kind, code).to_string(), format!("could not upload a: {told}"));
        }
    }
}
