//! What the calls for the bucket policy have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[Permission {
    read: &["s3:GetBucketPolicy"],
    apply: &["s3:PutBucketPolicy"],
    // Our statements leave the policy of a bucket that is protected.
    destroy: &["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"],
    ..Permission::at("Bucket", Place::Bucket)
}];
