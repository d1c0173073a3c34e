//! What the calls for the function and its versions have to be allowed.

use crate::resource::permission::{Condition, Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // GetFunction tells the tags only to those who may list them. CloudFront, too, asks for
    // GetFunction on behalf of whoever associates a version.
    Permission {
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
        ..Permission::at("Function", Place::Function)
    },
    // CreateFunction, and UpdateFunctionConfiguration, which names the role.
    Permission {
        condition: Some(Condition::PassedToLambda),
        apply: &["iam:PassRole"],
        ..Permission::at("PassRole", Place::Role)
    },
    Permission { sweep: &["lambda:ListFunctions"], ..Permission::at("Lists", Place::Everything) },
    // Not GetFunction: its answer leads to the code.
    Permission { sweep: &["lambda:ListTags"], ..Permission::at("Function", Place::EveryFunction) },
];
