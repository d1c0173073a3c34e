//! The order: a constant relation between stages, not a graph that has to be solved.

use serde::Serialize;

/// The list of stages, in the order in which people read them.
macro_rules! stages {
    ($($(#[$what:meta])* $stage:ident,)*) => {
        /// A place in the order. Steps of one stage run one after the other, unless
        /// [`Stage::is_parallel`]; stages whose needs are met run at the same time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Stage {
            $($(#[$what])* $stage,)*
        }

        impl Stage {
            /// Every stage, in the order in which people read them.
            pub const ALL: &[Self] = &[$(Self::$stage,)*];
        }
    };
}

stages! {
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
    Page,
    /// Code, configuration, version.
    Function,
    /// The function's log groups.
    Logs,
    /// How long they keep their events.
    Retention,
    /// The bucket policy, for a distribution that exists: it may turn to the bucket next.
    Grant,
    /// The pages tell that the switch moves: as late as that can be, so that another run that moves
    /// it is noticed.
    Moves,
    /// The index says that edges may hold what nobody should get any more, before the distribution
    /// turns to other answers.
    Warning,
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
    /// Cached copies of what was put are dropped, before the index knows that it was put.
    Invalidate,
    /// The same, of all that was answered before the distribution changed: no edge answers so any
    /// more.
    InvalidateMoved,
    /// The index of what has been put.
    Index,
    /// Files that nothing points at any more.
    Leftovers,
    /// Cached copies of what went are dropped.
    InvalidateGone,
    /// The index says so; it has said before anything went that this is to be done.
    Settled,
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
        use Stage::{
            Access, Association, Bucket, BucketSettings, DeleteAccess, DeleteBucket,
            DeleteDistribution, DeleteFunction, DeleteLogs, DeleteRole, Deployed, Distribution,
            Documents, Files, FirstGrant, FirstPage, Function, Grant, Index, Invalidate,
            InvalidateGone, InvalidateMoved, Leftovers, Logs, Moves, Narrow, Page, Prune,
            RemoveGrant, Retention, Role, Settled, Switch, Vacate, Vacated, Warning,
        };
        match self {
            Role | Access => &[],
            Bucket | Function | Logs => &[Role],
            BucketSettings | Files | Page => &[Bucket],
            Documents => &[Bucket, Files],
            Retention => &[Logs],
            Grant | Warning => &[Bucket, BucketSettings],
            Moves => &[Bucket, BucketSettings, Page, Access, Function, Grant],
            Distribution => {
                &[Bucket, BucketSettings, Page, Access, Function, Grant, Moves, Warning]
            }
            FirstPage => &[Bucket, Page, Distribution],
            // No edge can hold a file that is replaced before the first one may read it.
            FirstGrant => &[Bucket, BucketSettings, Distribution, Files, Documents],
            Association => &[Bucket, Page, Function, Moves],
            Deployed => &[Distribution, Association],
            Switch => &[Page, Moves, Distribution, Association, Deployed],
            Invalidate => &[Files, Documents],
            InvalidateMoved => &[Files, Documents, Distribution, Deployed],
            Index => &[
                Bucket,
                Files,
                Documents,
                Page,
                FirstPage,
                Moves,
                Warning,
                Switch,
                Invalidate,
                InvalidateMoved,
            ],
            // Visitors may be served by what is being replaced until then.
            Leftovers => {
                &[Index, Files, Documents, Distribution, Association, Deployed, Vacate, Vacated]
            }
            InvalidateGone => &[Files, Documents, Index, Leftovers, Deployed],
            Settled => &[Index, Leftovers, InvalidateGone],
            Vacate => &[Bucket, Grant, Distribution, FirstGrant, Association, Deployed, Switch],
            Prune => &[Function, Distribution, Association, Deployed, Switch, Vacate, Vacated],
            Vacated => &[Vacate],
            // The statement goes while the distribution that it names can still be looked up.
            // Without its control it is still found; a control that outlived it would be taken for
            // a new one's.
            RemoveGrant | DeleteAccess => &[Vacate, Vacated],
            DeleteDistribution => &[Vacate, Vacated, RemoveGrant, DeleteAccess],
            DeleteLogs => &[Bucket, Deployed, Vacate, Vacated, DeleteDistribution],
            DeleteFunction => {
                &[Bucket, Deployed, Switch, Vacate, Vacated, DeleteDistribution, DeleteLogs]
            }
            DeleteRole => &[Bucket, Deployed, Switch, Prune, DeleteFunction, DeleteBucket],
            DeleteBucket => {
                &[Bucket, Deployed, Switch, Vacate, Vacated, DeleteDistribution, RemoveGrant]
            }
            Narrow => &[
                Page,
                Moves,
                Switch,
                Index,
                Deployed,
                Leftovers,
                Prune,
                Vacate,
                Vacated,
                DeleteDistribution,
                DeleteFunction,
                DeleteBucket,
                DeleteRole,
            ],
        }
    }

    /// May its steps run at the same time? Objects do not need each other, nor do regions,
    /// versions, or functions.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A cycle would leave its stages, and what needs them, waiting for ever.
    #[test]
    fn a_plan_of_all_stages_comes_to_its_end() {
        let mut waiting: BTreeSet<Stage> = Stage::ALL.iter().copied().collect();
        loop {
            let (blocked, ready): (BTreeSet<Stage>, BTreeSet<Stage>) = waiting
                .iter()
                .partition(|stage| stage.needs().iter().any(|need| waiting.contains(need)));
            if ready.is_empty() {
                assert_eq!(waiting, BTreeSet::new(), "these wait for each other");
                return;
            }
            waiting = blocked;
        }
    }

    #[test]
    fn no_stage_needs_another_twice() {
        for stage in Stage::ALL {
            let needs: BTreeSet<&Stage> = stage.needs().iter().collect();
            assert_eq!(needs.len(), stage.needs().len(), "{stage:?}");
        }
    }
}
