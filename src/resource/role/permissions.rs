//! What the calls for the role have to be allowed.

use crate::resource::permission::{Condition, Permission, Place, Stacks};

pub(crate) const PERMISSIONS: &[Permission] = &[
    Permission {
        read: &[
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ],
        apply: &[
            // Also for the tags in CreateRole.
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateRoleDescription",
        ],
        // Without a condition, although IAM has one: a role whose boundary was removed goes, too,
        // and whoever may only take rights away gets none.
        destroy: &["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"],
        ..Permission::at("Role", Place::Role)
    },
    // What decides what the role may do, and who may be it. PassRole knows no such condition.
    Permission {
        condition: Some(Condition::Bounded),
        apply: &[
            "iam:CreateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:PutRolePermissionsBoundary",
        ],
        ..Permission::at("ChangeRole", Place::Role)
    },
    // A role that a spec bounds is released by an administrator.
    Permission {
        of: Stacks::Unbounded,
        condition: Some(Condition::Bounded),
        apply: &["iam:DeleteRolePermissionsBoundary"],
        ..Permission::at("ChangeRole", Place::Role)
    },
    // Roles of earlier specs are found by their descriptions.
    Permission {
        read: &["iam:ListRoles"],
        sweep: &["iam:ListRoles"],
        ..Permission::at("Lists", Place::Everything)
    },
    // Lists of roles show no tags.
    Permission { sweep: &["iam:ListRoleTags"], ..Permission::at("RoleTags", Place::EveryRole) },
    // The role's policy says which key is the switch.
    Permission {
        condition: Some(Condition::AnyStacksTag),
        sweep: &["iam:GetRolePolicy"],
        ..Permission::at("Role", Place::EveryRole)
    },
];
