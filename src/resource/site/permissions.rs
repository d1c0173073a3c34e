//! What the calls for the files and the index have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    // HeadObject; and PutObject and DeleteObject with If-Match.
    Permission {
        read: &["s3:GetObject"],
        // What goes in parts may have to be aborted.
        apply: &["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
        ..Permission::at("Objects", Place::Objects)
    },
    // What a run that was killed left of an upload in parts.
    Permission {
        apply: &["s3:ListBucketMultipartUploads"],
        ..Permission::at("Bucket", Place::Bucket)
    },
    // Where the page is lost, the index tells which switch was applied.
    Permission { toggle: &["s3:GetObject"], ..Permission::at("Index", Place::Index) },
];
