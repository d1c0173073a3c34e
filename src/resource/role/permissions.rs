//! What the calls for the role have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    Permission {
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
        ..Permission::at("Role", Place::Role)
    },
    // Roles of earlier specs are found by their descriptions.
    Permission {
        read: &["iam:ListRoles"],
        sweep: &["iam:ListRoles"],
        ..Permission::at("Lists", Place::Everything)
    },
    // The role's policy says which key is the switch.
    Permission {
        sweep: &["iam:GetRole", "iam:GetRolePolicy"],
        ..Permission::at("Role", Place::EveryRole)
    },
];
