//! What the calls for the page and its switch have to be allowed.

use crate::resource::permission::{Permission, Place};

pub(crate) const PERMISSIONS: &[Permission] = &[Permission {
    toggle: &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    ..Permission::at("Objects", Place::PageKeys)
}];
