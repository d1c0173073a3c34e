//! AWS's own rules, put back where the emulator lacks them.
//!
//! A rule knows only what it saw go through the proxy, so a test sets up its world through the
//! proxy too. Everything is counted in polls and tries, never in time. A refused try counts as a
//! poll: whoever only retries gets through as well.

mod access_control;
mod association;
mod bucket;
mod defaults;
mod deletion;
mod distribution;
mod evaluation;
mod eventual;
mod function;
mod invalidation;
mod listed;
mod logs;
mod opaque;
mod paging;
mod permission;
mod role;
mod shape;
pub mod sign_in;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::classify::Request;
use super::reply::Reply;

pub use evaluation::{Need, allows, need};
pub use permission::{Caller, for_the_emulator};

/// Which rules are in force, and how patient they are.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent switches
pub struct Rules {
    /// Switch for everything about distributions, associations and origin access controls.
    pub distributions: bool,
    /// Switch for everything about functions and their versions, replicas included.
    pub functions: bool,
    /// Switch for trust policies and their propagation.
    pub roles: bool,
    /// Switch for buckets and objects.
    pub buckets: bool,
    /// Switch for log groups.
    pub logs: bool,
    /// How often `GetDistribution` and `GetInvalidation` say `InProgress` after a create or update.
    pub deploy_polls: usize,
    /// How often `GetDistribution` shows the state from before an update.
    pub stale_polls: usize,
    /// How often a new function or version is `Pending` when looked at.
    pub function_polls: usize,
    /// How often a changed function has `LastUpdateStatus` `InProgress` when looked at.
    pub update_polls: usize,
    /// How often a new role "cannot be assumed by Lambda".
    pub role_tries: usize,
    /// How often a new trust policy is not known at the edge yet.
    pub edge_trust_tries: usize,
    /// How often a function version may not be deleted after its last association is gone.
    pub replica_tries: usize,
    /// How often what was just made is not known to the next call, or still busy.
    pub new_tries: usize,
    /// How often a bucket's name is busy after its deletion.
    pub bucket_tries: usize,
    /// How far S3's clock is ahead of this machine's.
    pub clock_ahead: Option<Duration>,
    /// Regions whose services do not know the caller.
    pub closed_regions: &'static [&'static str],
    /// A `CallerReference` stays used when its distribution is deleted.
    pub references_stay_used: bool,
    /// No list has more entries on a page than this. Where requests are signed and checked, only
    /// CloudFront's lists can obey.
    pub page_size: Option<usize>,
    /// The `ETag`s of objects are no MD5, as with a KMS key.
    pub opaque_etags: bool,
}

impl Rules {
    /// AWS on a good day: every wait is met once.
    pub fn aws() -> Self {
        Self {
            distributions: true,
            functions: true,
            roles: true,
            buckets: true,
            logs: true,
            deploy_polls: 1,
            stale_polls: 0,
            function_polls: 1,
            update_polls: 1,
            role_tries: 1,
            edge_trust_tries: 0,
            replica_tries: 1,
            new_tries: 1,
            bucket_tries: 0,
            clock_ahead: None,
            closed_regions: &[],
            references_stay_used: false,
            page_size: None,
            opaque_etags: false,
        }
    }

    /// All the checks, no waits at all.
    pub fn prompt() -> Self {
        Self {
            deploy_polls: 0,
            function_polls: 0,
            update_polls: 0,
            role_tries: 0,
            replica_tries: 0,
            new_tries: 0,
            ..Self::aws()
        }
    }

    /// The bare emulator.
    pub fn off() -> Self {
        Self {
            distributions: false,
            functions: false,
            roles: false,
            buckets: false,
            logs: false,
            ..Self::prompt()
        }
    }
}

/// Puts more into an answer than the emulator and the rules do.
pub type Amend = Arc<dyn Fn(&Request, &mut Reply) + Send + Sync>;

/// What the rules remember.
pub struct World {
    pub rules: Rules,
    /// Comes last, to see and to change what goes out; nobody's, unless a test says so.
    pub amend: Option<Amend>,
    /// Who is held to AWS's rules on permissions; nobody, unless a test says so.
    pub caller: Option<Caller>,
    tags: permission::Tags,
    distributions: distribution::Distributions,
    access_controls: BTreeSet<String>,
    invalidations: invalidation::Invalidations,
    functions: function::Functions,
    revisions: usize,
    replicas: association::Replicas,
    roles: role::Roles,
    buckets: bucket::Buckets,
    new: eventual::New,
    /// Those whose deletion protection is on.
    protected_logs: logs::Groups,
    /// Those that were deleted.
    gone_logs: logs::Groups,
    aged_logs: logs::Groups,
}

impl Default for World {
    fn default() -> Self {
        Self::new(Rules::aws())
    }
}

impl World {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            amend: None,
            caller: None,
            tags: permission::Tags::new(),
            distributions: distribution::Distributions::default(),
            access_controls: BTreeSet::new(),
            invalidations: invalidation::Invalidations::default(),
            functions: function::Functions::default(),
            revisions: 0,
            replicas: association::Replicas::default(),
            roles: role::Roles::default(),
            buckets: bucket::Buckets::default(),
            new: eventual::New::new(),
            protected_logs: logs::Groups::new(),
            gone_logs: logs::Groups::new(),
            aged_logs: logs::Groups::new(),
        }
    }

    /// Forgets every resource; the rules stay as they are.
    pub fn forget(&mut self) {
        *self = Self::new(self.rules.clone());
    }

    /// AWS's refusal, if it refuses.
    pub fn refusal(&mut self, request: &Request) -> Option<Reply> {
        if let Some(answer) = sign_in::answer(request) {
            return Some(answer);
        }
        if let Some(denied) = permission::refusal(self, request) {
            return Some(denied);
        }
        if let Some(unknown) = eventual::refusal(self, request) {
            return Some(unknown);
        }
        match request.service() {
            "s3" if self.rules.buckets => bucket::refusal(self, request),
            "iam" if self.rules.roles => role::refusal(request),
            "lambda" if self.rules.functions => function::refusal(self, request),
            "logs" if self.rules.logs => logs::refusal(self, request),
            "cloudfront" if self.rules.distributions => access_control::refusal(self, request)
                .or_else(|| invalidation::refusal(self, request))
                .or_else(|| distribution::refusal(self, request)),
            _ => None,
        }
    }

    /// What an emulator is to see of a request that AWS does not refuse.
    pub fn adapt(&self, request: &mut Request) {
        paging::shrink_page(self, request);
        opaque::adapt(self, request);
        if self.rules.buckets {
            bucket::keep_system_tags(request);
        }
    }

    /// Takes note of what the emulator answered, and puts the answer right.
    pub fn settle(&mut self, request: &Request, reply: &mut Reply) {
        match request.service() {
            "s3" if self.rules.buckets => bucket::settle(self, request, reply),
            // Trust policies matter to functions and associations even if these rules are off.
            "iam" if reply.is_success() => role::settle(self, request),
            "lambda" if self.rules.functions && reply.is_success() => {
                function::settle(self, request, reply);
            }
            "logs" if self.rules.logs && reply.is_success() => logs::settle(self, request, reply),
            "cloudfront" if self.rules.distributions && reply.is_success() => {
                access_control::settle(self, request, reply);
                invalidation::settle(self, request, reply);
                distribution::settle(self, request, reply);
                paging::settle(self, request, reply);
            }
            _ => {}
        }
        if reply.is_success() {
            eventual::settle(self, request, reply);
        }
        opaque::settle(self, request, reply);
        shape::settle(self, request, reply);
        permission::settle(self, request, reply);
        if let Some(amend) = &self.amend {
            amend(request, reply);
        }
    }
}

/// Counts one try down; true if there was one left.
fn spend(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}
