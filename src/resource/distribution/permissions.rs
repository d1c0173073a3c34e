//! What the calls for a distribution have to be allowed.

use crate::resource::permission::{Condition, Permission, Place, Stacks};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // It finds what an earlier spec named.
    Permission {
        read: &["cloudfront:ListDistributions"],
        sweep: &["cloudfront:ListDistributions"],
        ..Permission::at("Lists", Place::Everything)
    },
    // CreateDistributionWithTags has no action of its own: it is this and TagResource.
    Permission {
        of: Stacks::Owned,
        apply: &["cloudfront:CreateDistribution"],
        ..Permission::at("Lists", Place::Everything)
    },
    Permission {
        read: &["cloudfront:GetDistribution"],
        ..Permission::at("Distribution", Place::Distribution)
    },
    Permission {
        of: Stacks::Owned,
        read: &["cloudfront:ListTagsForResource"],
        ..Permission::at("Distribution", Place::Distribution)
    },
    // A new distribution has no tag yet that a condition could ask for, and CloudFront has no key
    // that tells a creation from a TagResource. Another owner's is neither tagged nor deleted.
    Permission {
        of: Stacks::Owned,
        condition: Some(Condition::WritesOurTag),
        apply: &["cloudfront:TagResource"],
        ..Permission::at("TagDistribution", Place::Distribution)
    },
    Permission {
        condition: Some(Condition::OurTag),
        apply: &["cloudfront:UpdateDistribution"],
        destroy: &["cloudfront:UpdateDistribution"],
        ..Permission::at("ChangeDistribution", Place::Distribution)
    },
    Permission {
        of: Stacks::Owned,
        condition: Some(Condition::OurTag),
        apply: &["cloudfront:UntagResource"],
        destroy: &["cloudfront:DeleteDistribution"],
        ..Permission::at("ChangeDistribution", Place::Distribution)
    },
    // Where its tag got lost, a distribution's document tells whose it is.
    Permission {
        sweep: &["cloudfront:ListTagsForResource", "cloudfront:GetDistribution"],
        ..Permission::at("Distribution", Place::EveryDistribution)
    },
];
