//! What the calls for an invalidation have to be allowed.

use crate::resource::permission::{Permission, Place, Stacks};

/// By statement. The second action is for `apply --wait`.
pub(crate) const PERMISSIONS: &[Permission] = &[Permission {
    of: Stacks::Owned,
    apply: &["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"],
    ..Permission::at("Distribution", Place::Distribution)
}];
