//! What the holders of the printed policies can do: reasoned over every sequence of calls that ends
//! with rights which nobody gave to them.

use super::printed::{BOUNDARY, PURPOSES, Variant};
use crate::support::proxy::rules::{Need, allows, need};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const ACCOUNT: &str = "123456789012";
const OURS: &str = "arn:aws:iam::123456789012:role/shop-edge";
const THEIRS: &str = "arn:aws:iam::123456789012:role/administrator";
const WIDER: &str = "arn:aws:iam::123456789012:policy/wider";

/// A role, as far as it matters to somebody who wants its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Role {
    boundary: Option<&'static str>,
    /// The holder wrote what it may do, or who may be it.
    is_rewritten: bool,
}

const fn found(boundary: Option<&'static str>) -> Role {
    Role { boundary, is_rewritten: false }
}

/// The stack's role and another one.
type Roles = BTreeMap<&'static str, Role>;

/// A sequence of calls.
type Sequence = Vec<String>;

fn bounded(action: &'static str, role: &str, boundary: Option<&str>) -> Need {
    let key = "iam:PermissionsBoundary".to_owned();
    need(action, role).with(boundary.map(|arn| (key, arn.to_owned())).into_iter().collect())
}

/// What the holder can make of the roles with one call.
fn calls(policy: &Value, roles: &Roles) -> Vec<(String, Roles)> {
    let mut next = Vec::new();
    let mut may = |need: &Need, role: &'static str, after: Option<Role>| {
        if allows(policy, need) {
            let mut roles = roles.clone();
            match after {
                Some(after) => drop(roles.insert(role, after)),
                None => drop(roles.remove(role)),
            }
            next.push((format!("{} {role} {:?}", need.action, need.context), roles));
        }
    };
    for role in [OURS, THEIRS] {
        let Some(now) = roles.get(role) else {
            for boundary in [None, Some(BOUNDARY), Some(WIDER)] {
                // Whoever creates a role says who may be it.
                let made = Role { boundary, is_rewritten: true };
                may(&bounded("iam:CreateRole", role, boundary), role, Some(made));
            }
            continue;
        };
        for boundary in [BOUNDARY, WIDER] {
            let call = bounded("iam:PutRolePermissionsBoundary", role, Some(boundary));
            may(&call, role, Some(Role { boundary: Some(boundary), ..*now }));
        }
        let removal = bounded("iam:DeleteRolePermissionsBoundary", role, now.boundary);
        may(&removal, role, Some(Role { boundary: None, ..*now }));
        for action in ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"] {
            let rewritten = Role { is_rewritten: true, ..*now };
            may(&bounded(action, role, now.boundary), role, Some(rewritten));
        }
        may(&bounded("iam:DeleteRole", role, now.boundary), role, None);
    }
    next
}

/// Calls that end in rights at once, on what is not the stack's.
fn shortcuts() -> Vec<Need> {
    let of = |actions: &[&'static str], resource: &str| -> Vec<Need> {
        actions.iter().map(|action| need(action, resource)).collect()
    };
    let passed = |service: &str| {
        let context = [("iam:PassedToService".to_owned(), service.to_owned())].into();
        need("iam:PassRole", THEIRS).with(context)
    };
    let user = format!("arn:aws:iam::{ACCOUNT}:user/anybody");
    let group = format!("arn:aws:iam::{ACCOUNT}:group/administrators");
    let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:theirs");
    let mut all = Vec::new();
    for policy in [BOUNDARY, WIDER] {
        let rewrites = [
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:SetDefaultPolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
        ];
        all.extend(of(&rewrites, policy));
    }
    let persons = [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:AttachUserPolicy",
        "iam:PutUserPolicy",
        "iam:PutUserPermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DeleteUserPolicy",
        "iam:DetachUserPolicy",
    ];
    all.extend(of(&persons, &user));
    let groups = ["iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"];
    all.extend(of(&groups, &group));
    let others = [
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:TagRole",
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
    ];
    all.extend(of(&others, THEIRS));
    let code = [
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:AddPermission",
        "lambda:InvokeFunction",
        "lambda:GetFunction",
        "lambda:PublishVersion",
    ];
    all.extend(of(&code, &function));
    let services = ["lambda", "edgelambda", "ec2", "ecs-tasks", "cloudformation", "glue", "states"];
    all.extend(services.map(|service| passed(&format!("{service}.amazonaws.com"))));
    all
}

/// A sequence that ends with rights beyond the boundary, if there is one. What a role could do
/// before anybody touched it is no such right: whoever made it gave it those.
fn escape(policy: &Value, start: Option<Role>) -> Option<Sequence> {
    if let Some(call) = shortcuts().into_iter().find(|call| allows(policy, call)) {
        return Some(vec![format!("{} {}", call.action, call.resource)]);
    }
    let mut first = Roles::from([(THEIRS, found(None))]);
    first.extend(start.map(|role| (OURS, role)));
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = VecDeque::from([(Sequence::new(), first.clone())]);
    while let Some((sequence, roles)) = open.pop_front() {
        let is_free = |role: &Role| role.is_rewritten && role.boundary != Some(BOUNDARY);
        if roles.get(THEIRS) != first.get(THEIRS) || roles.values().any(is_free) {
            return Some(sequence);
        }
        for (call, next) in calls(policy, &roles) {
            if seen.insert(next.clone()) {
                open.push_back(([sequence.clone(), vec![call]].concat(), next));
            }
        }
    }
    None
}

/// How the stack's role may be found.
fn starts() -> [Option<Role>; 4] {
    [None, Some(found(None)), Some(found(Some(BOUNDARY))), Some(found(Some(WIDER)))]
}

/// All statements of these policies.
fn together(policies: impl Iterator<Item = Value>) -> Value {
    let statements: Vec<Value> =
        policies.flat_map(|policy| policy["Statement"].as_array().unwrap().clone()).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn with_a_boundary_nobody_escapes_it() {
    for variant in Variant::all().filter(|variant| variant.bounded) {
        let all = PURPOSES.map(|purpose| (purpose, variant.policy(purpose)));
        let both = together(all.iter().map(|(_, policy)| policy.clone()));
        for (purpose, policy) in all.into_iter().chain([("everything", both)]) {
            for start in starts() {
                let sequence = escape(&policy, start);
                assert_eq!(sequence, None, "{purpose}, {variant:?}, from {start:?}");
            }
        }
    }
}

#[test]
fn each_bounded_action_would_be_an_escape_without_its_condition() {
    let variant = Variant { attached: false, bounded: true, logs: false };
    let policy = variant.policy("apply");
    let statements = policy["Statement"].as_array().unwrap();
    let bounds = |statement: &&Value| {
        statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"] == BOUNDARY
    };
    let bound: Vec<&Value> = statements.iter().filter(bounds).collect();
    let actions: Vec<&str> = bound
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        actions,
        [
            "iam:CreateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:PutRolePermissionsBoundary"
        ]
    );
    for action in actions {
        let free = json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": OURS}]});
        let less = together([policy.clone(), free].into_iter());
        assert!(starts().into_iter().any(|start| escape(&less, start).is_some()), "{action}");
    }
}

/// As docs/permissions.md says of it.
#[test]
fn without_a_boundary_apply_can_become_administrator_and_no_other_purpose() {
    for variant in Variant::all().filter(|variant| !variant.bounded) {
        for purpose in PURPOSES {
            let policy = variant.policy(purpose);
            let escapes = starts().into_iter().any(|start| escape(&policy, start).is_some());
            assert_eq!(escapes, purpose == "apply", "{purpose}, {variant:?}");
        }
    }
}

/// The value of `provision:stack` on a distribution.
type Mark = Option<&'static str>;

/// What the holder can do to a distribution that carries this mark, and the mark that it then has.
fn changes(policy: &Value, mark: Mark) -> Vec<(&'static str, Mark)> {
    let arn = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E0THEIRS0000");
    let context = |kind: &str, mark: Mark| {
        mark.map(|stack| (format!("aws:{kind}/provision:stack"), stack.to_owned()))
    };
    let with = |action, written: Mark| {
        let found = context("ResourceTag", mark).into_iter();
        need(action, arn.clone()).with(found.chain(context("RequestTag", written)).collect())
    };
    let tagged = [None, Some("shop"), Some("other")]
        .map(|written| (with("cloudfront:TagResource", written), written.or(mark)));
    let rest = [
        ("cloudfront:UntagResource", None),
        ("cloudfront:UpdateDistribution", mark),
        ("cloudfront:DeleteDistribution", mark),
        ("cloudfront:CreateInvalidation", mark),
    ];
    let rest = rest.map(|(action, after)| (with(action, None), after));
    let allowed = tagged.into_iter().chain(rest).filter(|(need, _)| allows(policy, need));
    allowed.map(|(need, after)| (need.action, after)).collect()
}

#[test]
fn what_carries_another_stacks_tag_is_never_written() {
    for variant in Variant::all().filter(|variant| !variant.attached) {
        for purpose in PURPOSES {
            let policy = variant.policy(purpose);
            assert_eq!(changes(&policy, Some("other")), [], "{purpose}, {variant:?}");
            // What remains, and stands in docs/permissions.md: nobody can tell a distribution that
            // is being made from one without a tag.
            let claims = [("cloudfront:TagResource", Some("shop"))];
            let expected = if purpose == "apply" { &claims[..] } else { &[] };
            assert_eq!(changes(&policy, None), expected, "{purpose}, {variant:?}");
            // And ours is not made another stack's.
            for (action, after) in changes(&policy, Some("shop")) {
                assert!(after != Some("other"), "{purpose}: {action}");
            }
        }
    }
}

#[test]
fn a_look_at_the_account_reads_no_code_no_object_and_no_foreign_policy() {
    for variant in Variant::all() {
        let policy = variant.policy("sweep");
        let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:theirs");
        for action in ["lambda:GetFunction", "lambda:GetFunctionConfiguration"] {
            assert!(!allows(&policy, &need(action, function.clone())), "{action}");
        }
        assert!(!allows(&policy, &need("s3:GetObject", "arn:aws:s3:::theirs/a")));
        assert!(!allows(&policy, &need("iam:GetRolePolicy", THEIRS)));
        let ours = [("aws:ResourceTag/provision:stack".to_owned(), "demo".to_owned())].into();
        assert!(allows(&policy, &need("iam:GetRolePolicy", THEIRS).with(ours)));
    }
}
