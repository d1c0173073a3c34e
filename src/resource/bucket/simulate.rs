//! What the ops do to a bucket; emptying concerns its objects and is simulated where they are.

use super::{Empty, Live, Op, Settings};

/// Returns the bucket after `op`; `None`: it does not exist.
#[must_use]
pub(crate) fn simulate(live: Option<Live>, op: &Op) -> Option<Live> {
    let change = |change: &dyn Fn(&mut Settings)| {
        live.clone().map(|mut live| {
            change(&mut live.settings);
            live
        })
    };
    match op {
        // New buckets are private and owner-enforced (Amazon S3 User Guide), and not versioned.
        Op::Create { settings, .. } => Some(Live {
            settings: Settings {
                private: true,
                owner_enforced: true,
                versioning: super::Versioning::Off,
                ..settings.clone()
            },
            abac: false,
            kms_key: None,
        }),
        Op::BlockPublicAccess { .. } => change(&|settings| settings.private = true),
        Op::EnforceOwnership => change(&|settings| settings.owner_enforced = true),
        Op::SetVersioning { after, .. } => change(&|settings| settings.versioning = *after),
        Op::SetTags { tags, .. } => {
            change(&|settings| settings.tags = tags.applied(&settings.tags))
        }
        Op::Empty(Empty { .. }) => live,
        Op::Delete => None,
    }
}
