//! What the caller of `provision` has to be allowed: each room says which actions its calls take.
//!
//! Actions and resources come from the *Service Authorization Reference* and, for Lambda@Edge, from
//! the *CloudFront Developer Guide* ("Set up IAM permissions and roles for Lambda@Edge"). What AWS
//! offers no resource for stands alone with `*`. Where a call takes more than the action of its
//! name, the entry says so. That nothing is missing, and that nothing can go, is tried action by
//! action in `tests/policy.rs`.

/// A room's share of one statement. Shares with the same `sid`, place and condition make one
/// statement.
#[derive(Clone, Copy)]
pub struct Permission {
    /// The statement's name.
    pub sid: &'static str,
    /// What the actions apply to.
    pub place: Place,
    /// Under which condition.
    pub condition: Option<Condition>,
    pub of: Stacks,
    /// For every look at the stack.
    pub read: &'static [&'static str],
    /// For an apply, beside the look.
    pub apply: &'static [&'static str],
    /// For a destroy, beside the look.
    pub destroy: &'static [&'static str],
    /// For a turn of the switch.
    pub toggle: &'static [&'static str],
    /// For a look at the whole account.
    pub sweep: &'static [&'static str],
}

impl Permission {
    /// Nothing at a place, for the fields that a room does not need.
    #[must_use]
    pub const fn at(sid: &'static str, place: Place) -> Self {
        Self {
            sid,
            place,
            condition: None,
            of: Stacks::All,
            read: &[],
            apply: &[],
            destroy: &[],
            toggle: &[],
            sweep: &[],
        }
    }
}

/// What a statement's actions apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The stack's bucket.
    Bucket,
    Objects,
    /// The two keys of the page.
    PageKeys,
    Index,
    /// The stack's role.
    Role,
    /// The stack's function and its versions.
    Function,
    Versions,
    /// The distribution that the spec attaches to. An own one's id is not known before its
    /// creation, so these are all distributions then.
    Distribution,
    /// Every origin access control: their ids are not known before their creation either.
    AccessControl,
    /// The function's log groups in every region.
    LogGroups,
    /// The two roles that the first association of an account makes.
    ServiceLinkedRoles,
    /// What takes no resource.
    Everything,
    EveryBucket,
    EveryRole,
    EveryFunction,
    EveryDistribution,
    /// Every log group of an edge function.
    EveryLogGroup,
}

/// A statement's condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The role is passed to the two services that run the function.
    PassedToLambda,
    /// What is changed carries the stack's tag. It does not hold for a distribution of another
    /// owner (CloudFront Developer Guide, "Tag a distribution").
    OurTag,
    /// The request writes the stack's tag, to what carries no other stack's. A distribution that is
    /// being made has no tag yet.
    WritesOurTag,
    /// What is read carries a tag of some stack.
    AnyStacksTag,
    /// The role is bounded by what the spec names: it is, or this call does so. It does not hold
    /// where the spec names no boundary (IAM User Guide, "Permissions boundaries for IAM
    /// entities").
    Bounded,
}

/// For which stacks a permission is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stacks {
    All,
    /// Those with a distribution of their own.
    Owned,
    /// Those whose role has no permissions boundary.
    Unbounded,
    /// Those that set how long events are kept; a destroy needs it for all.
    Retaining,
}
