//! The IAM policy of whoever runs `provision`: as tight as AWS allows, for one stack and one
//! purpose.
//!
//! Actions and resources come from the *Service Authorization Reference* and, for Lambda@Edge, from
//! the *CloudFront Developer Guide* ("Set up IAM permissions and roles for Lambda@Edge"). What AWS
//! offers no resource for stands alone with `*`. Where a call takes more than the action of its
//! name, the entry says so. That nothing is missing, and that nothing can go, is tried action by
//! action in `tests/policy.rs`.
//!
//! A policy is for the spec as it stands. A spec that gives up its own distribution for another one
//! needs the rights of `destroy` for the spec that it was, once.

use crate::name::EDGE_REGION;
use crate::resource::{STACK_TAG, logs, site};
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
    /// `sweep`, for the account: it finds. Taking a stack down takes `destroy` for that stack.
    Sweep,
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
    LogGroups,
    ServiceLinkedRoles,
    Everything,
    EveryBucket,
    EveryRole,
    EveryFunction,
    EveryDistribution,
    EveryLogGroup,
}

/// What is done to a distribution of ours alone: somebody else's is neither tagged nor deleted.
const OWNED_ONLY: [&str; 6] = [
    "cloudfront:ListTagsForResource",
    "cloudfront:TagResource",
    "cloudfront:UntagResource",
    "cloudfront:DeleteDistribution",
    "cloudfront:CreateDistribution",
    "cloudfront:CreateOriginAccessControl",
];

const STATEMENTS: [Statement; 13] = [
    Statement {
        sid: "Bucket",
        place: Place::Bucket,
        read: &[
            // HeadBucket and ListObjectsV2; and without it a key that is not there is denied
            // instead of absent ("HeadObject").
            "s3:ListBucket",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketVersioning",
            "s3:GetBucketTagging",
            // Of a bucket that belongs to no stack.
            "s3:GetBucketABAC",
            "s3:GetBucketPolicy",
        ],
        apply: &[
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            // Also for `x-amz-object-ownership` in CreateBucket.
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketVersioning",
            "s3:PutBucketTagging",
            // For the tags in CreateBucket.
            "s3:TagResource",
            "s3:PutBucketPolicy",
        ],
        destroy: &[
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            // Our statements leave the policy of a bucket that is protected.
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:DeleteBucket",
        ],
    },
    Statement {
        sid: "Objects",
        place: Place::Objects,
        // HeadObject; and PutObject and DeleteObject with If-Match.
        read: &["s3:GetObject"],
        apply: &["s3:PutObject", "s3:DeleteObject"],
        // DeleteObjects always takes the right to delete, and the other one for what names a
        // version.
        destroy: &[
            "s3:GetObjectVersion",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:AbortMultipartUpload",
        ],
    },
    Statement {
        sid: "Role",
        place: Place::Role,
        read: &[
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ],
        apply: &[
            "iam:CreateRole",
            // Also for the tags in CreateRole.
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRoleDescription",
            "iam:PutRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
        destroy: &["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"],
    },
    // CreateFunction, and UpdateFunctionConfiguration, which names the role.
    Statement {
        sid: "PassRole",
        place: Place::Role,
        read: &[],
        apply: &["iam:PassRole"],
        destroy: &[],
    },
    // The first association of an account makes them. Their ARNs name the services, so a condition
    // on those adds nothing.
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
        // GetFunction tells the tags only to those who may list them. CloudFront, too, asks for
        // GetFunction on behalf of whoever associates a version.
        read: &["lambda:GetFunction", "lambda:ListVersionsByFunction", "lambda:ListTags"],
        apply: &[
            "lambda:CreateFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:PublishVersion",
            // Also for the tags in CreateFunction.
            "lambda:TagResource",
            "lambda:UntagResource",
            // Superseded versions. Its resource is the function, so the right cannot be held to
            // versions.
            "lambda:DeleteFunction",
        ],
        destroy: &["lambda:DeleteFunction"],
    },
    Statement {
        sid: "Replication",
        place: Place::Versions,
        read: &[],
        // The asterisk belongs to the names of the actions. An association takes both; whether
        // giving one up takes the second is written nowhere.
        apply: &["lambda:EnableReplication*", "lambda:DisableReplication*"],
        destroy: &["lambda:DisableReplication*"],
    },
    Statement {
        sid: "Lists",
        place: Place::Everything,
        // They find what an earlier spec named.
        read: &[
            "iam:ListRoles",
            "cloudfront:ListDistributions",
            "cloudfront:ListOriginAccessControls",
        ],
        // CreateDistributionWithTags has no action of its own: it is this and TagResource.
        apply: &["cloudfront:CreateDistribution", "cloudfront:CreateOriginAccessControl"],
        destroy: &[],
    },
    Statement {
        sid: "Distribution",
        place: Place::Distribution,
        read: &["cloudfront:GetDistribution", "cloudfront:ListTagsForResource"],
        // A new distribution has no tag yet that a condition could ask for.
        apply: &["cloudfront:TagResource", "cloudfront:UntagResource"],
        destroy: &[],
    },
    Statement {
        sid: CHANGE_DISTRIBUTION,
        place: Place::Distribution,
        read: &[],
        apply: &["cloudfront:UpdateDistribution"],
        destroy: &["cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution"],
    },
    Statement {
        sid: "AccessControl",
        place: Place::AccessControl,
        read: &[],
        apply: &["cloudfront:GetOriginAccessControl", "cloudfront:UpdateOriginAccessControl"],
        destroy: &["cloudfront:GetOriginAccessControl", "cloudfront:DeleteOriginAccessControl"],
    },
    Statement {
        sid: "LogLists",
        place: Place::Everything,
        read: &["logs:DescribeLogGroups"],
        apply: &[],
        destroy: &[],
    },
    Statement {
        sid: "LogGroups",
        place: Place::LogGroups,
        read: &[],
        apply: &["logs:CreateLogGroup", "logs:TagResource", "logs:PutRetentionPolicy"],
        // TagResource, so that groups that are protected are known without their function.
        destroy: &["logs:ListTagsForResource", "logs:TagResource", "logs:DeleteLogGroup"],
    },
];

/// Ids are not known before creation, so this statement holds for every distribution of the account
/// that carries our tag (CloudFront Developer Guide, "Tag a distribution").
const CHANGE_DISTRIBUTION: &str = "ChangeDistribution";

/// What finds the remains of stacks in an account, whatever they are called.
const SWEEP: [Statement; 7] = [
    looking(
        "Lists",
        Place::Everything,
        &[
            "s3:ListAllMyBuckets",
            "iam:ListRoles",
            "lambda:ListFunctions",
            "cloudfront:ListDistributions",
            "cloudfront:ListOriginAccessControls",
        ],
    ),
    looking("LogLists", Place::Everything, &["logs:DescribeLogGroups"]),
    looking("LogGroups", Place::EveryLogGroup, &["logs:ListTagsForResource"]),
    // ListObjectsV2, of one key: is the switch on?
    looking("Bucket", Place::EveryBucket, &["s3:GetBucketTagging", "s3:ListBucket"]),
    // The role's policy says which key that is.
    looking("Role", Place::EveryRole, &["iam:GetRole", "iam:GetRolePolicy"]),
    looking("Function", Place::EveryFunction, &["lambda:GetFunction", "lambda:ListTags"]),
    // Where its tag got lost, a distribution's document tells whose it is.
    looking(
        "Distribution",
        Place::EveryDistribution,
        &["cloudfront:ListTagsForResource", "cloudfront:GetDistribution"],
    ),
];

const fn looking(sid: &'static str, place: Place, read: &'static [&'static str]) -> Statement {
    Statement { sid, place, read, apply: &[], destroy: &[] }
}

/// Which statement allows an action, for messages about a missing one.
#[must_use]
pub fn statement_with(action: &str) -> Option<&'static str> {
    let matches = |known: &&str| {
        known.trim_end_matches('*').eq_ignore_ascii_case(action.trim_end_matches('*'))
    };
    STATEMENTS
        .iter()
        .chain(&SWEEP)
        .find(|statement| {
            [statement.read, statement.apply, statement.destroy].concat().iter().any(matches)
        })
        .map(|s| s.sid)
}

/// The policy.
#[must_use]
pub fn policy(stack: &Stack, purpose: Purpose) -> Value {
    let statements: Vec<Value> = match purpose {
        Purpose::Toggle => toggle(stack),
        Purpose::Sweep => {
            SWEEP.iter().filter_map(|statement| statement.render(stack, purpose)).collect()
        }
        Purpose::Apply | Purpose::Destroy | Purpose::Plan => {
            STATEMENTS.iter().filter_map(|statement| statement.render(stack, purpose)).collect()
        }
    };
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn toggle(stack: &Stack) -> Vec<Value> {
    let keys = stack.page_keys().map(|key| format!("{}/{key}", stack.bucket.arn()));
    vec![
        json!({"Sid": "Bucket", "Effect": "Allow", "Action": ["s3:ListBucket"],
            "Resource": stack.bucket.arn()}),
        json!({"Sid": "Objects", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject",
            "s3:DeleteObject"], "Resource": keys}),
        // Where the page is lost, the index tells which switch was applied.
        json!({"Sid": "Index", "Effect": "Allow", "Action": ["s3:GetObject"],
            "Resource": format!("{}/{}", stack.bucket.arn(), site::index::KEY)}),
    ]
}

/// IAM reads some characters that a role's path may hold as more than themselves (IAM User Guide,
/// "IAM policy elements: Variables and tags").
fn literal(resource: &str) -> String {
    let escaped = |c: char| match c {
        '*' | '?' | '$' => format!("${{{c}}}"),
        c => c.to_string(),
    };
    resource.chars().map(escaped).collect()
}

impl Statement {
    fn render(&self, stack: &Stack, purpose: Purpose) -> Option<Value> {
        let attached = stack.names.attached.is_some() && purpose != Purpose::Sweep;
        let skipped = match self.sid {
            "AccessControl" => attached,
            // Nobody looks at log groups whose retention the spec leaves alone, until they are
            // taken down.
            "LogLists" | "LogGroups" => {
                !stack.names.logs && matches!(purpose, Purpose::Apply | Purpose::Plan)
            }
            _ => false,
        };
        if skipped {
            return None;
        }
        let more = match purpose {
            Purpose::Apply => self.apply,
            Purpose::Destroy => self.destroy,
            Purpose::Plan | Purpose::Toggle | Purpose::Sweep => &[],
        };
        let actions = self.read.iter().chain(more).copied();
        let actions: Vec<&str> =
            actions.filter(|action| !(attached && OWNED_ONLY.contains(action))).collect();
        if actions.is_empty() {
            return None;
        }
        let mut statement = json!({"Sid": self.sid, "Effect": "Allow", "Action": actions,
            "Resource": self.resource(stack)});
        if self.sid == "PassRole" {
            statement["Condition"] = json!({"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}});
        }
        if self.sid == CHANGE_DISTRIBUTION && !attached {
            statement["Condition"] = json!({"StringEquals": {format!("aws:ResourceTag/{STACK_TAG}"): stack.names.stack}});
        }
        Some(statement)
    }

    fn resource(&self, stack: &Stack) -> Value {
        let account = &stack.account;
        let function = stack.names.function.arn(account);
        let linked = |service: &str, role: &str| {
            format!("arn:aws:iam::{account}:role/aws-service-role/{service}/{role}")
        };
        match self.place {
            Place::Bucket => json!(stack.bucket.arn()),
            Place::Objects => json!(format!("{}/*", stack.bucket.arn())),
            Place::Role => json!(literal(&stack.names.role.arn(account, &stack.names.role_path))),
            Place::Function => json!([function, format!("{function}:*")]),
            Place::Versions => json!(format!("{function}:*")),
            // Ids are not known before creation.
            Place::Distribution => match &stack.names.attached {
                Some(id) => json!(id.arn(account)),
                None => json!(format!("arn:aws:cloudfront::{account}:distribution/*")),
            },
            Place::AccessControl => {
                json!(format!("arn:aws:cloudfront::{account}:origin-access-control/*"))
            }
            // The edge writes in many regions; AWS's documents differ in whether the name ends
            // there or goes on with the streams.
            Place::LogGroups => {
                let groups = logs::arn("*", account, &logs::group(&stack.names.function));
                json!([groups, format!("{groups}:*")])
            }
            Place::ServiceLinkedRoles => json!([
                linked("replicator.lambda.amazonaws.com", "AWSServiceRoleForLambdaReplicator"),
                linked("logger.cloudfront.amazonaws.com", "AWSServiceRoleForCloudFrontLogger"),
            ]),
            Place::Everything => json!("*"),
            Place::EveryBucket => json!("arn:aws:s3:::*"),
            Place::EveryRole => json!(format!("arn:aws:iam::{account}:role/*")),
            Place::EveryFunction => {
                json!(format!("arn:aws:lambda:{EDGE_REGION}:{account}:function:*"))
            }
            Place::EveryLogGroup => json!(logs::arn("*", account, &format!("{}*", logs::prefix()))),
            Place::EveryDistribution => {
                json!(format!("arn:aws:cloudfront::{account}:distribution/*"))
            }
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
            logs: true,
            attached: attached.map(|id| id.parse().unwrap()),
            also: crate::stack::Clues::default(),
        };
        names.in_account("123456789012".parse().unwrap()).unwrap()
    }

    #[test]
    fn every_policy_fits_into_a_managed_policy() {
        for purpose in
            [Purpose::Apply, Purpose::Destroy, Purpose::Plan, Purpose::Toggle, Purpose::Sweep]
        {
            for attached in [None, Some("E2ABCDEF0123")] {
                // IAM does not count white space (IAM User Guide, quotas).
                let size = policy(&stack(attached), purpose).to_string().len();
                assert!(size <= 6_144, "{purpose:?}: {size}");
            }
        }
    }

    #[test]
    fn a_path_names_itself_and_nothing_else() {
        assert_eq!(literal("role/a/*/${x}?"), "role/a/${*}/${$}{x}${?}");
    }

    #[test]
    fn a_purpose_gets_no_more_than_it_needs() {
        let text = |purpose| policy(&stack(None), purpose).to_string();
        for write in ["Create", "Put", "Delete", "Update", "PassRole", "Tag", "Untag"] {
            for purpose in [Purpose::Plan, Purpose::Sweep] {
                assert!(!text(purpose).contains(&format!(":{write}")), "{purpose:?}: {write}");
            }
        }
        assert!(
            !text(Purpose::Destroy).contains("Create")
                && !text(Purpose::Apply).contains("DeleteBucket\"")
        );
        assert!(!text(Purpose::Toggle).contains("iam:") && !text(Purpose::Toggle).contains("/*"));
        let attached = policy(&stack(Some("E2ABCDEF0123")), Purpose::Apply).to_string();
        assert!(
            attached.contains("distribution/E2ABCDEF0123")
                && !attached.contains("CreateDistribution")
        );
        let attached = policy(&stack(Some("E2ABCDEF0123")), Purpose::Destroy).to_string();
        assert!(
            attached.contains("UpdateDistribution") && !attached.contains("DeleteDistribution"),
            "it is somebody else's"
        );
    }

    #[test]
    fn a_distribution_without_our_tag_is_neither_changed_nor_deleted() {
        for purpose in [Purpose::Apply, Purpose::Destroy] {
            let policy = policy(&stack(None), purpose);
            let writing =
                |statement: &&Value| statement["Action"].to_string().contains("UpdateDistribution");
            let statements: Vec<&Value> =
                policy["Statement"].as_array().unwrap().iter().filter(writing).collect();
            let ours = json!({"StringEquals": {"aws:ResourceTag/provision:stack": "a".repeat(32)}});
            assert_eq!(
                statements.iter().map(|statement| &statement["Condition"]).collect::<Vec<_>>(),
                [&ours],
                "{purpose:?}"
            );
        }
    }

    #[test]
    fn log_groups_are_looked_at_where_their_retention_is_set_and_taken_down_always() {
        let text = |purpose, logs| {
            let mut stack = stack(None);
            stack.names.logs = logs;
            policy(&stack, purpose).to_string()
        };
        for (purpose, logs, actions) in [
            (Purpose::Plan, false, 0),
            (Purpose::Apply, false, 0),
            (Purpose::Plan, true, 1),
            (Purpose::Apply, true, 4),
            (Purpose::Destroy, false, 4),
            (Purpose::Destroy, true, 4),
            (Purpose::Toggle, true, 0),
        ] {
            assert_eq!(
                text(purpose, logs).matches("\"logs:").count(),
                actions,
                "{purpose:?} {logs}"
            );
        }
        assert!(
            text(Purpose::Apply, true)
                .contains(&format!(":log-group:/aws/lambda/us-east-1.{}\"", "f".repeat(64)))
        );
    }

    #[test]
    fn a_missing_action_leads_to_its_statement() {
        assert_eq!(statement_with("iam:CreateRole"), Some("Role"));
        assert_eq!(statement_with("lambda:EnableReplication"), Some("Replication"));
        assert_eq!(statement_with("s3:ListAllMyBuckets"), Some("Lists"));
        assert_eq!(statement_with("ec2:RunInstances"), None);
    }
}
