//! What the calls for an association have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // The asterisk belongs to the names of the actions. An association takes both; whether giving
    // one up takes the second is written nowhere (docs/aws.md, "rights to give up an association").
    // Our own distribution takes them as well.
    Permission {
        apply: &["lambda:EnableReplication*", "lambda:DisableReplication*"],
        destroy: &["lambda:DisableReplication*"],
        ..Permission::at("Replication", Place::Versions)
    },
    // The first association of an account makes them. Their ARNs name the services, so a condition
    // on those adds nothing.
    Permission {
        apply: &["iam:CreateServiceLinkedRole"],
        ..Permission::at("ServiceLinkedRoles", Place::ServiceLinkedRoles)
    },
];
