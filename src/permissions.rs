//! The IAM policy of whoever runs `provision`: as tight as AWS allows, for one stack and one
//! purpose. Each room says what its calls take; here it is put together.
//!
//! A policy is for the spec as it stands. A spec that gives up its own distribution for another one
//! needs the rights of `destroy` for the spec that it was, once.

use crate::change::Kind;
use crate::name::EDGE_REGION;
use crate::resource::permission::{Condition, Permission, Place, Stacks};
use crate::resource::{
    STACK_TAG, access, association, bucket, distribution, function, grant, invalidation, logs,
    page, policy, role, site,
};
use crate::stack::Stack;
use serde_json::{Value, json};

/// What the policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Purpose {
    /// `apply`, `plan` and `status`.
    Apply,
    Destroy,
    /// `plan` and `status` alone: reads.
    Plan,
    /// `maintenance on|off|status` alone.
    Toggle,
    /// `sweep`, for the account: it finds. Taking a stack down takes `destroy` for that stack.
    Sweep,
}

/// What the calls for a kind take.
fn permissions(kind: Kind) -> &'static [Permission] {
    match kind {
        Kind::Bucket => bucket::permissions::PERMISSIONS,
        Kind::Site => site::permissions::PERMISSIONS,
        Kind::Page => page::permissions::PERMISSIONS,
        Kind::Role => role::permissions::PERMISSIONS,
        Kind::Function => function::permissions::PERMISSIONS,
        Kind::Logs => logs::permissions::PERMISSIONS,
        Kind::Access => access::permissions::PERMISSIONS,
        Kind::Distribution => distribution::permissions::PERMISSIONS,
        Kind::Grant => grant::permissions::PERMISSIONS,
        Kind::Invalidation => invalidation::permissions::PERMISSIONS,
        Kind::Association => association::permissions::PERMISSIONS,
    }
}

fn all() -> impl Iterator<Item = &'static Permission> {
    Kind::ALL.iter().flat_map(|kind| permissions(*kind))
}

/// Which statement allows an action, for messages about a missing one.
#[must_use]
pub(crate) fn statement_with(action: &str) -> Option<&'static str> {
    let matches = |known: &&str| {
        known.trim_end_matches('*').eq_ignore_ascii_case(action.trim_end_matches('*'))
    };
    let stack = |it: &&Permission| [it.read, it.apply, it.destroy].concat().iter().any(matches);
    let sweep = |it: &&Permission| it.sweep.iter().any(matches);
    all().find(stack).or_else(|| all().find(sweep)).map(|permission| permission.sid)
}

/// The policy for a stack whose role has this permissions boundary.
#[must_use]
pub(crate) fn policy(stack: &Stack, boundary: Option<&str>, purpose: Purpose) -> Value {
    let mut statements: Vec<(&Permission, Vec<&str>)> = Vec::new();
    for permission in all() {
        let actions = actions(permission, stack, boundary, purpose);
        let same = |(other, _): &&mut (&Permission, Vec<&str>)| {
            (other.sid, other.place, other.condition)
                == (permission.sid, permission.place, permission.condition)
        };
        match statements.iter_mut().find(same) {
            Some((_, known)) => {
                for action in actions {
                    if !known.contains(&action) {
                        known.push(action);
                    }
                }
            }
            None if actions.is_empty() => {}
            None => statements.push((permission, actions)),
        }
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|(permission, actions)| {
            let mut statement = json!({"Sid": permission.sid, "Effect": "Allow",
                "Action": actions, "Resource": resource(permission.place, stack)});
            let condition = permission.condition.and_then(|it| condition(it, stack, boundary));
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn actions(
    permission: &Permission,
    stack: &Stack,
    boundary: Option<&str>,
    purpose: Purpose,
) -> Vec<&'static str> {
    let is_needed = match permission.of {
        Stacks::All => true,
        Stacks::Owned => stack.names.attached.is_none(),
        Stacks::Unbounded => boundary.is_none(),
        Stacks::Retaining => stack.names.logs || purpose == Purpose::Destroy,
    };
    let Permission { read, apply, destroy, toggle, sweep, .. } = permission;
    match purpose {
        Purpose::Sweep => sweep.to_vec(),
        _ if !is_needed => Vec::new(),
        Purpose::Plan => read.to_vec(),
        Purpose::Apply => [*read, apply].concat(),
        Purpose::Destroy => [*read, destroy].concat(),
        Purpose::Toggle => toggle.to_vec(),
    }
}

fn condition(condition: Condition, stack: &Stack, boundary: Option<&str>) -> Option<Value> {
    let (found, written) =
        (format!("aws:ResourceTag/{STACK_TAG}"), format!("aws:RequestTag/{STACK_TAG}"));
    let ours = &stack.names.stack;
    match condition {
        Condition::PassedToLambda => Some(json!({"StringEquals": {
            "iam:PassedToService": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}})),
        Condition::OurTag if stack.names.attached.is_some() => None,
        Condition::OurTag => Some(json!({"StringEquals": {found: ours}})),
        Condition::WritesOurTag => Some(json!({"StringEquals": {written: ours},
            "StringEqualsIfExists": {found: ours}})),
        Condition::AnyStacksTag => Some(json!({"Null": {found: "false"}})),
        Condition::Bounded => {
            let bounded =
                |arn| json!({"StringEquals": {"iam:PermissionsBoundary": policy::literal(arn)}});
            boundary.map(bounded)
        }
    }
}

/// The ARNs of a place.
fn resource(place: Place, stack: &Stack) -> Value {
    let account = &stack.account;
    let function = stack.names.function.arn(account);
    let linked = |service: &str, role: &str| {
        format!("arn:aws:iam::{account}:role/aws-service-role/{service}/{role}")
    };
    match place {
        Place::Bucket => json!(stack.bucket.arn()),
        Place::Objects => json!(format!("{}/*", stack.bucket.arn())),
        Place::PageKeys => {
            json!(stack.page_keys().map(|key| format!("{}/{key}", stack.bucket.arn())))
        }
        Place::Index => json!(format!("{}/{}", stack.bucket.arn(), site::index::KEY)),
        Place::Role => {
            json!(policy::literal(&stack.names.role.arn(account, &stack.names.role_path)))
        }
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
        // there or goes on with the streams (docs/aws.md, "ARNs of log groups in policies").
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::page::Keys;
    use crate::stack::Names;

    const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

    fn stack(attached: Option<&str>) -> Stack {
        let long = "a".repeat(32);
        let names = Names {
            stack: long.parse().unwrap(),
            region: "ap-southeast-2".parse().unwrap(),
            bucket: Some("b".repeat(63).parse().unwrap()),
            namespace: crate::name::Namespace::Global,
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
            // The name of a policy has up to 128 characters (IAM User Guide, quotas).
            let long = format!("arn:aws:iam::123456789012:policy/{}", "p".repeat(128));
            for (attached, boundary) in
                [(None, None), (Some("E2ABCDEF0123"), None), (None, Some(&*long))]
            {
                // IAM does not count white space (IAM User Guide, quotas).
                let size = policy(&stack(attached), boundary, purpose).to_string().len();
                assert!(size <= 6_144, "{purpose:?} {boundary:?}: {size}");
            }
        }
    }

    #[test]
    fn a_path_names_itself_and_nothing_else() {
        assert_eq!(policy::literal("role/a/*/${x}?"), "role/a/${*}/${$}{x}${?}");
    }

    #[test]
    fn a_purpose_gets_no_more_than_it_needs() {
        let text = |purpose| policy(&stack(None), None, purpose).to_string();
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
        let attached = policy(&stack(Some("E2ABCDEF0123")), None, Purpose::Apply).to_string();
        assert!(
            attached.contains("distribution/E2ABCDEF0123")
                && !attached.contains("CreateDistribution")
        );
        let attached = policy(&stack(Some("E2ABCDEF0123")), None, Purpose::Destroy).to_string();
        assert!(
            attached.contains("UpdateDistribution") && !attached.contains("DeleteDistribution"),
            "it is another owner's"
        );
    }

    #[test]
    fn a_distribution_without_our_tag_is_neither_changed_nor_deleted() {
        for purpose in [Purpose::Apply, Purpose::Destroy] {
            let policy = policy(&stack(None), None, purpose);
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
    fn a_boundary_binds_what_decides_the_roles_rights() {
        let changes = |boundary| {
            let policy = policy(&stack(None), boundary, Purpose::Apply);
            let found = policy["Statement"].as_array().unwrap().clone().into_iter();
            let statement = found.filter(|found| found["Sid"] == "ChangeRole");
            statement.map(|it| (it["Action"].to_string(), it["Condition"].clone())).collect()
        };
        let bounded: Vec<(String, Value)> = changes(Some(BOUNDARY));
        let condition = json!({"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}});
        assert_eq!(bounded.len(), 1);
        assert_eq!(bounded[0].1, condition);
        assert!(!bounded[0].0.contains("Delete"), "an administrator releases it");
        let free: Vec<(String, Value)> = changes(None);
        assert_eq!(free.len(), 1);
        assert_eq!(free[0].1, Value::Null);
        assert!(free[0].0.contains("iam:DeleteRolePermissionsBoundary"));
        let starry = "arn:aws:iam::123456789012:policy/a/*/$";
        let literal: Vec<(String, Value)> = changes(Some(starry));
        let value = &literal[0].1["StringEquals"]["iam:PermissionsBoundary"];
        assert_eq!(value, "arn:aws:iam::123456789012:policy/a/${*}/${$}");
    }

    #[test]
    fn log_groups_are_looked_at_where_their_retention_is_set_and_taken_down_always() {
        let text = |purpose, logs| {
            let mut stack = stack(None);
            stack.names.logs = logs;
            policy(&stack, None, purpose).to_string()
        };
        for (purpose, logs, actions) in [
            (Purpose::Plan, false, 0),
            (Purpose::Apply, false, 0),
            (Purpose::Plan, true, 2),
            (Purpose::Apply, true, 5),
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
        assert_eq!(statement_with("iam:CreateRole"), Some("ChangeRole"));
        assert_eq!(statement_with("iam:DeleteRole"), Some("Role"));
        assert_eq!(statement_with("lambda:EnableReplication"), Some("Replication"));
        assert_eq!(statement_with("s3:ListAllMyBuckets"), Some("Lists"));
        assert_eq!(statement_with("ec2:RunInstances"), None);
    }
}
