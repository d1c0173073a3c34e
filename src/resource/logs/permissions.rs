//! What the calls for the log groups have to be allowed.

use crate::resource::permission::{Permission, Place, Stacks};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // Nobody looks at log groups whose retention the spec leaves alone, until they are taken down.
    Permission {
        of: Stacks::Retaining,
        read: &["logs:DescribeLogGroups"],
        sweep: &["logs:DescribeLogGroups"],
        ..Permission::at("LogLists", Place::Everything)
    },
    Permission {
        of: Stacks::Retaining,
        // Of a group that is older than our role.
        read: &["logs:ListTagsForResource"],
        apply: &["logs:CreateLogGroup", "logs:TagResource", "logs:PutRetentionPolicy"],
        // TagResource, so that groups that are protected are known without their function.
        destroy: &["logs:TagResource", "logs:DeleteLogGroup"],
        ..Permission::at("LogGroups", Place::LogGroups)
    },
    Permission {
        sweep: &["logs:ListTagsForResource"],
        ..Permission::at("LogGroups", Place::EveryLogGroup)
    },
];
