//! What the calls for the bucket have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[
    Permission {
        read: &[
            // HeadBucket and ListObjectsV2; and without it a key that is not there is denied
            // instead of absent ("HeadObject").
            "s3:ListBucket",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketVersioning",
            "s3:GetBucketTagging",
            // Of a bucket that belongs to no stack.
            "s3:GetBucketABAC",
        ],
        apply: &[
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            // Also for `x-amz-object-ownership` in CreateBucket.
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketVersioning",
            "s3:PutBucketTagging",
            // For the tags in CreateBucket.
            "s3:TagResource",
        ],
        destroy: &["s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:DeleteBucket"],
        toggle: &["s3:ListBucket"],
        ..Permission::at("Bucket", Place::Bucket)
    },
    // DeleteObjects always takes the right to delete, and the other one for what names a version.
    Permission {
        destroy: &[
            "s3:GetObjectVersion",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:AbortMultipartUpload",
        ],
        ..Permission::at("Objects", Place::Objects)
    },
    Permission { sweep: &["s3:ListAllMyBuckets"], ..Permission::at("Lists", Place::Everything) },
    // ListObjectsV2, of one key: is the switch on?
    Permission {
        sweep: &["s3:GetBucketTagging", "s3:ListBucket"],
        ..Permission::at("Bucket", Place::EveryBucket)
    },
];
