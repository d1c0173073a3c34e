//! The order: a constant relation between stages, not a graph that has to be solved.

use serde::Serialize;

/// A place in the order. Steps of one stage run one after the other, unless [`Stage::is_parallel`];
/// stages whose needs are met run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The bucket.
    Bucket,
    /// What its creation cannot set.
    BucketSettings,
    /// The role and its policies.
    Role,
    /// The origin access control.
    Access,
    /// Files that documents point at.
    Files,
    /// HTML, which points at them.
    Documents,
    /// The page.
    Page,
    /// Code, configuration, version.
    Function,
    /// The function's log groups.
    Logs,
    /// How long they keep their events.
    Retention,
    /// The bucket policy, for a distribution that exists: it may turn to the bucket next.
    Grant,
    /// Our distribution.
    Distribution,
    /// The bucket policy, for the distribution that this plan creates.
    FirstGrant,
    /// The page, where this plan creates the distribution: no edge serves it without the function.
    FirstPage,
    /// Slots of another distribution.
    Association,
    /// Wait for the deployment.
    Deployed,
    /// The page is shown, or no more; or it tells of another on key.
    Switch,
    /// The index of what has been put.
    Index,
    /// Files that nothing points at any more.
    Leftovers,
    /// Superseded versions.
    Prune,
    /// Leave slots; disable our distribution.
    Vacate,
    /// Wait for that.
    Vacated,
    /// Take our statements out of a policy that stays.
    RemoveGrant,
    /// Delete the origin access control.
    DeleteAccess,
    /// Delete our distribution.
    DeleteDistribution,
    /// Delete the log groups, while the function still proves that they are ours.
    DeleteLogs,
    /// Delete the function.
    DeleteFunction,
    /// Delete the role.
    DeleteRole,
    /// Empty and delete the bucket.
    DeleteBucket,
    /// Take out of the role's policy what the functions do not reach for any more.
    Narrow,
}

impl Stage {
    /// What has to be finished before, where it is part of the plan. Taking down goes against the
    /// arrows of building up, and nothing that a visitor can still ask for goes while a
    /// distribution points at it: what replaces is deployed before what it replaces goes.
    ///
    /// The role comes first and goes last: by its policy everything else is found again.
    #[must_use]
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Role | Self::Access => &[],
            Self::Bucket | Self::Function | Self::Logs => &[Self::Role],
            Self::BucketSettings | Self::Files | Self::Page => &[Self::Bucket],
            Self::Documents => &[Self::Bucket, Self::Files],
            Self::Retention => &[Self::Logs],
            Self::Grant => &[Self::Bucket, Self::BucketSettings],
            Self::Distribution => &[
                Self::Bucket,
                Self::BucketSettings,
                Self::Page,
                Self::Access,
                Self::Function,
                Self::Grant,
            ],
            Self::FirstPage => &[Self::Bucket, Self::Page, Self::Distribution],
            Self::FirstGrant => &[Self::Bucket, Self::BucketSettings, Self::Distribution],
            Self::Association => &[Self::Bucket, Self::Page, Self::Function],
            Self::Deployed => &[Self::Distribution, Self::Association],
            Self::Switch => &[Self::Page, Self::Distribution, Self::Association, Self::Deployed],
            Self::Index => &[
                Self::Bucket,
                Self::Files,
                Self::Documents,
                Self::Page,
                Self::FirstPage,
                Self::Switch,
            ],
            // Visitors may be served by what is being replaced until then.
            Self::Leftovers => &[
                Self::Index,
                Self::Files,
                Self::Documents,
                Self::Distribution,
                Self::Association,
                Self::Deployed,
                Self::Vacate,
                Self::Vacated,
            ],
            Self::Vacate => &[
                Self::Bucket,
                Self::Grant,
                Self::Distribution,
                Self::FirstGrant,
                Self::Association,
                Self::Deployed,
            ],
            Self::Prune => &[
                Self::Function,
                Self::Distribution,
                Self::Association,
                Self::Deployed,
                Self::Vacate,
                Self::Vacated,
            ],
            Self::Vacated => &[Self::Vacate],
            // The statement goes while the distribution that it names can still be looked up.
            // Without its control it is still found; a control that outlived it would be taken for
            // a new one's.
            Self::RemoveGrant | Self::DeleteAccess => &[Self::Vacate, Self::Vacated],
            Self::DeleteDistribution => {
                &[Self::Vacate, Self::Vacated, Self::RemoveGrant, Self::DeleteAccess]
            }
            Self::DeleteLogs => &[
                Self::Bucket,
                Self::Deployed,
                Self::Vacate,
                Self::Vacated,
                Self::DeleteDistribution,
            ],
            Self::DeleteFunction => &[
                Self::Bucket,
                Self::Deployed,
                Self::Vacate,
                Self::Vacated,
                Self::DeleteDistribution,
                Self::DeleteLogs,
            ],
            Self::DeleteRole => &[
                Self::Bucket,
                Self::Deployed,
                Self::Prune,
                Self::DeleteFunction,
                Self::DeleteBucket,
            ],
            Self::DeleteBucket => &[
                Self::Bucket,
                Self::Deployed,
                Self::Vacate,
                Self::Vacated,
                Self::DeleteDistribution,
                Self::RemoveGrant,
            ],
            Self::Narrow => &[
                Self::Deployed,
                Self::Leftovers,
                Self::Prune,
                Self::Vacate,
                Self::Vacated,
                Self::DeleteDistribution,
                Self::DeleteFunction,
                Self::DeleteBucket,
                Self::DeleteRole,
            ],
        }
    }

    /// May its steps run at the same time? Objects do not need each other, nor do regions.
    #[must_use]
    pub fn is_parallel(self) -> bool {
        matches!(
            self,
            Self::Files
                | Self::Documents
                | Self::Leftovers
                | Self::Prune
                | Self::Logs
                | Self::Retention
                | Self::DeleteLogs
                | Self::DeleteFunction
        )
    }
}
