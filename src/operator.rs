//! The IAM policy of whoever runs `provision`: as tight as AWS allows, for one stack and one purpose.
//!
//! Actions and resources come from the *Service Authorization Reference* and, for Lambda@Edge, from the *CloudFront Developer
//! Guide* ("Set up IAM permissions and roles for Lambda@Edge"). What AWS offers no resource for stands alone with `*`.

use crate::stack::Stack;
use serde_json::{Value, json};

/// What the policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    /// `apply`, `plan` and `status`.
    Apply,
    /// `destroy`.
    Destroy,
    /// `plan` and `status` alone: reads.
    Plan,
    /// `maintenance on|off|status` alone.
    Toggle,
}

/// One statement: name, actions, where they apply.
struct Statement {
    sid: &'static str,
    place: Place,
    read: &'static [&'static str],
    apply: &'static [&'static str],
    destroy: &'static [&'static str],
}

/// What a statement's actions apply to.
#[derive(Clone, Copy)]
enum Place {
    Bucket,
    Objects,
    Role,
    Function,
    Versions,
    Distribution,
    AccessControl,
    ServiceLinkedRoles,
    Everything,
}

const STATEMENTS: [Statement; 10] = [
    Statement {
        sid: "Bucket",
        place: Place::Bucket,
        read: &[
            "s3:ListBucket",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketVersioning",
            "s3:GetBucketTagging",
            "s3:GetBucketPolicy",
        ],
        apply: &[
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketOwnershipControls",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketVersioning",
            "s3:PutBucketTagging",
            "s3:TagResource",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
        ],
        destroy: &[
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:DeleteBucket",
        ],
    },
    Statement {
        sid: "Objects",
        place: Place::Objects,
        read: &["s3:GetObject"],
        apply: &["s3:PutObject", "s3:DeleteObject"],
        destroy: &["s3:GetObjectVersion", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"],
    },
    Statement {
        sid: "Role",
        place: Place::Role,
        read: &["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"],
        apply: &[
            "iam:CreateRole",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
        destroy: &["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"],
    },
    Statement { sid: "PassRole", place: Place::Role, read: &[], apply: &["iam:PassRole"], destroy: &[] },
    Statement {
        sid: "ServiceLinkedRoles",
        place: Place::ServiceLinkedRoles,
        read: &[],
        apply: &["iam:CreateServiceLinkedRole"],
        destroy: &[],
    },
    Statement {
        sid: "Function",
        place: Place::Function,
        read: &["lambda:GetFunction", "lambda:ListVersionsByFunction", "lambda:ListTags"],
        apply: &[
            "lambda:CreateFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:PublishVersion",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:DeleteFunction",
        ],
        destroy: &["lambda:DeleteFunction"],
    },
    Statement {
        sid: "Replication",
        place: Place::Versions,
        read: &[],
        // The asterisk belongs to the names of the actions.
        apply: &["lambda:EnableReplication*", "lambda:DisableReplication*"],
        destroy: &["lambda:DisableReplication*"],
    },
    Statement {
        sid: "Lists",
        place: Place::Everything,
        read: &["cloudfront:ListDistributions", "cloudfront:ListOriginAccessControls"],
        apply: &["cloudfront:CreateDistribution", "cloudfront:CreateOriginAccessControl"],
        destroy: &[],
    },
    Statement {
        sid: "Distribution",
        place: Place::Distribution,
        read: &["cloudfront:GetDistribution", "cloudfront:ListTagsForResource"],
        apply: &["cloudfront:UpdateDistribution", "cloudfront:TagResource", "cloudfront:UntagResource"],
        destroy: &["cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution"],
    },
    Statement {
        sid: "AccessControl",
        place: Place::AccessControl,
        read: &[],
        apply: &[],
        destroy: &["cloudfront:GetOriginAccessControl", "cloudfront:DeleteOriginAccessControl"],
    },
];

/// Which statement allows an action, for messages about a missing one.
#[must_use]
pub fn statement_with(action: &str) -> Option<&'static str> {
    let matches = |known: &&str| known.trim_end_matches('*').eq_ignore_ascii_case(action.trim_end_matches('*'));
    STATEMENTS.iter().find(|statement| [statement.read, statement.apply, statement.destroy].concat().iter().any(matches)).map(|s| s.sid)
}

/// The policy.
#[must_use]
pub fn policy(stack: &Stack, purpose: Purpose) -> Value {
    let statements: Vec<Value> = if purpose == Purpose::Toggle {
        toggle(stack)
    } else {
        STATEMENTS.iter().filter_map(|statement| statement.render(stack, purpose)).collect()
    };
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn toggle(stack: &Stack) -> Vec<Value> {
    let keys = stack.page_keys().map(|key| format!("{}/{key}", stack.bucket.arn()));
    vec![
        json!({"Sid": "TellAbsentFromDenied", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": stack.bucket.arn()}),
        json!({"Sid": "MovePage", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": keys}),
    ]
}

impl Statement {
    fn render(&self, stack: &Stack, purpose: Purpose) -> Option<Value> {
        let attached = stack.names.attached.is_some();
        // With a distribution of somebody else's there is nothing to list, to create or to tag.
        let skipped = attached && (matches!(self.place, Place::AccessControl) || self.sid == "Lists") && purpose != Purpose::Destroy;
        if skipped {
            return None;
        }
        let more = match purpose {
            Purpose::Apply => self.apply,
            Purpose::Destroy => self.destroy,
            Purpose::Plan | Purpose::Toggle => &[],
        };
        let actions: Vec<&str> = self.read.iter().chain(more).copied().collect();
        if actions.is_empty() {
            return None;
        }
        let mut statement = json!({"Sid": self.sid, "Effect": "Allow", "Action": actions, "Resource": self.resource(stack)});
        if self.sid == "PassRole" {
            statement["Condition"] = json!({"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}});
        }
        Some(statement)
    }

    fn resource(&self, stack: &Stack) -> Value {
        let account = &stack.account;
        let function = stack.names.function.arn(account);
        let linked = |service: &str, role: &str| format!("arn:aws:iam::{account}:role/aws-service-role/{service}/{role}");
        match self.place {
            Place::Bucket => json!(stack.bucket.arn()),
            Place::Objects => json!(format!("{}/*", stack.bucket.arn())),
            Place::Role => json!(stack.names.role.arn(account, &stack.names.role_path)),
            Place::Function => json!([function, format!("{function}:*")]),
            Place::Versions => json!(format!("{function}:*")),
            // Ids are not known before creation.
            Place::Distribution => match &stack.names.attached {
                Some(id) => json!(id.arn(account)),
                None => json!(format!("arn:aws:cloudfront::{account}:distribution/*")),
            },
            Place::AccessControl => json!(format!("arn:aws:cloudfront::{account}:origin-access-control/*")),
            Place::ServiceLinkedRoles => json!([
                linked("replicator.lambda.amazonaws.com", "AWSServiceRoleForLambdaReplicator"),
                linked("logger.cloudfront.amazonaws.com", "AWSServiceRoleForCloudFrontLogger"),
            ]),
            Place::Everything => json!("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::page::Keys;
    use crate::stack::Names;

    fn stack(attached: Option<&str>) -> Stack {
        let long = "a".repeat(32);
        let names = Names {
            stack: long.parse().unwrap(),
            region: "ap-southeast-2".parse().unwrap(),
            bucket: Some("b".repeat(63).parse().unwrap()),
            keys: Keys { off: "m.html".parse().unwrap(), on: "m-on.html".parse().unwrap() },
            role: "r".repeat(64).parse().unwrap(),
            role_path: "/".parse().unwrap(),
            function: "f".repeat(64).parse().unwrap(),
            attached: attached.map(|id| id.parse().unwrap()),
        };
        names.in_account("123456789012".parse().unwrap()).unwrap()
    }

    #[test]
    fn every_policy_fits_into_a_managed_policy() {
        for purpose in [Purpose::Apply, Purpose::Destroy, Purpose::Plan, Purpose::Toggle] {
            for attached in [None, Some("E2ABCDEF0123")] {
                // IAM does not count white space (IAM User Guide, quotas).
                let size = policy(&stack(attached), purpose).to_string().len();
                assert!(size <= 6_144, "{purpose:?}: {size}");
            }
        }
    }

    #[test]
    fn a_purpose_gets_no_more_than_it_needs() {
        let text = |purpose| policy(&stack(None), purpose).to_string();
        for write in ["Create", "Put", "Delete", "Update", "PassRole"] {
            assert!(!text(Purpose::Plan).contains(&format!(":{write}")), "{write}");
        }
        assert!(!text(Purpose::Destroy).contains("Create") && !text(Purpose::Apply).contains("DeleteBucket\""));
        assert!(!text(Purpose::Toggle).contains("iam:") && !text(Purpose::Toggle).contains("/*"));
        let attached = policy(&stack(Some("E2ABCDEF0123")), Purpose::Apply).to_string();
        assert!(attached.contains("distribution/E2ABCDEF0123") && !attached.contains("CreateDistribution"));
    }

    #[test]
    fn a_missing_action_leads_to_its_statement() {
        assert_eq!(statement_with("iam:CreateRole"), Some("Role"));
        assert_eq!(statement_with("lambda:EnableReplication"), Some("Replication"));
        assert_eq!(statement_with("ec2:RunInstances"), None);
    }
}
