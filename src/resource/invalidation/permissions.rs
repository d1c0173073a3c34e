//! What the calls for an invalidation have to be allowed.

use crate::resource::permission::{Condition, Permission, Place, Stacks};

/// By statement. The second action is for `apply --wait`.
pub(crate) const PERMISSIONS: &[Permission] = &[Permission {
    of: Stacks::Owned,
    condition: Some(Condition::OurTag),
    apply: &["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"],
    ..Permission::at("ChangeDistribution", Place::Distribution)
}];
