//! What the calls for the files and the index have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // HeadObject; and PutObject and DeleteObject with If-Match.
    Permission {
        read: &["s3:GetObject"],
        apply: &["s3:PutObject", "s3:DeleteObject"],
        ..Permission::at("Objects", Place::Objects)
    },
    // Where the page is lost, the index tells which switch was applied.
    Permission { toggle: &["s3:GetObject"], ..Permission::at("Index", Place::Index) },
];
