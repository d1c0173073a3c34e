//! What the calls for the origin access control have to be allowed.

use crate::resource::permission::{Permission, Place, Stacks};

pub(crate) const PERMISSIONS: &[Permission] = &[
    Permission {
        read: &["cloudfront:ListOriginAccessControls"],
        sweep: &["cloudfront:ListOriginAccessControls"],
        ..Permission::at("Lists", Place::Everything)
    },
    Permission {
        of: Stacks::Owned,
        apply: &["cloudfront:CreateOriginAccessControl"],
        ..Permission::at("Lists", Place::Everything)
    },
    Permission {
        of: Stacks::Owned,
        apply: &["cloudfront:GetOriginAccessControl", "cloudfront:UpdateOriginAccessControl"],
        destroy: &["cloudfront:GetOriginAccessControl", "cloudfront:DeleteOriginAccessControl"],
        ..Permission::at("AccessControl", Place::AccessControl)
    },
];
