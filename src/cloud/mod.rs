//! A cloud: something that can be observed and in which ops can be carried out. AWS is one, the
//! sandbox is another.

use crate::aws::meter::Unanswered;
use crate::change::{Done, Fault};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, ObjectKey};
use crate::resource::{distribution, page, site};
use crate::stack::{Live, Names, Op, Scope, Stack};
use crate::sweep::Found;
use futures_util::try_join;
use std::future::Future;

pub mod aws;
pub mod sandbox;
pub mod world;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    /// The caller's ARN.
    pub arn: String,
}

/// What the pipeline needs of a cloud.
pub trait Cloud: Sync {
    /// Reads everything that the names stand for, and whose account it is. Changes nothing.
    /// `expected` are the site's files: objects under their keys are the first to be asked whether
    /// they are ours.
    fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> impl Future<Output = Result<(AccountId, Live), Fault>> + Send;

    /// Whose account it is, and who asks.
    fn identify(&self) -> impl Future<Output = Result<Caller, Fault>> + Send;

    /// Finds everything of ours in the account, which [`Cloud::identify`] says, whatever stack it
    /// belongs to.
    fn discover(&self, account: &AccountId) -> impl Future<Output = Result<Found, Fault>> + Send;

    /// Looks at what is under one of the two page keys.
    ///
    /// # Errors
    /// The call's; also where there is no bucket.
    fn look(
        &self,
        stack: &Stack,
        key: &ObjectKey,
    ) -> impl Future<Output = Result<page::Look, Fault>> + Send;

    /// Which apply ended last in the stack's bucket, as the index tells.
    fn applied(&self, stack: &Stack) -> impl Future<Output = Result<page::Applied, Fault>> + Send;

    /// Looks at the switch alone, with as few calls and rights as that takes.
    ///
    /// # Errors
    /// See [`look`](Self::look).
    fn observe_switch(
        &self,
        stack: &Stack,
    ) -> impl Future<Output = Result<page::Sides, Fault>> + Send {
        async {
            let keys = &stack.names.keys;
            let (off, on) = try_join!(self.look(stack, &keys.off), self.look(stack, &keys.on))?;
            let mut sides =
                page::Sides { off: off.side, on: on.side, seen: on.seen, applied: None };
            if !sides.are_told(&stack.names.stack) {
                sides.applied = Some(self.applied(stack).await?);
            }
            Ok(sides)
        }
    }

    /// Looks at the distribution alone in which the stack's slots are: its own, or the attached
    /// one.
    fn observe_distribution(
        &self,
        stack: &Stack,
    ) -> impl Future<Output = Result<Option<distribution::Live>, Fault>> + Send;

    /// The distributions that answer visitors and run a version of the function that the spec
    /// names.
    fn runners(
        &self,
        stack: &Stack,
    ) -> impl Future<Output = Result<Vec<DistributionId>, Fault>> + Send;

    /// The oldest call without an answer, first of those that AWS refuses; a cloud that is here
    /// lets nobody wait.
    fn unanswered(&self) -> Option<Unanswered> {
        None
    }

    /// Carries out one op, exactly.
    fn apply(
        &self,
        stack: &Stack,
        op: &Op,
        context: &Context<'_>,
    ) -> impl Future<Output = Result<Done, Fault>> + Send;
}

/// Whichever the user chose.
#[derive(Clone, Debug)]
pub enum AnyCloud {
    /// AWS or an emulator.
    Aws(Box<aws::Aws>),
    Sandbox(sandbox::Sandbox),
}

impl Cloud for AnyCloud {
    fn unanswered(&self) -> Option<Unanswered> {
        match self {
            Self::Aws(cloud) => cloud.unanswered(),
            Self::Sandbox(cloud) => cloud.unanswered(),
        }
    }

    async fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(AccountId, Live), Fault> {
        match self {
            // The SDK's futures are large; on the heap they are nobody's stack.
            Self::Aws(cloud) => {
                cloud.explained(Box::pin(cloud.observe(names, expected, scope))).await
            }
            Self::Sandbox(cloud) => cloud.observe(names, expected, scope).await,
        }
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.identify())).await,
            Self::Sandbox(cloud) => cloud.identify().await,
        }
    }

    async fn discover(&self, account: &AccountId) -> Result<Found, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.discover(account))).await,
            Self::Sandbox(cloud) => cloud.discover(account).await,
        }
    }

    async fn look(&self, stack: &Stack, key: &ObjectKey) -> Result<page::Look, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.look(stack, key))).await,
            Self::Sandbox(cloud) => cloud.look(stack, key).await,
        }
    }

    async fn applied(&self, stack: &Stack) -> Result<page::Applied, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.applied(stack))).await,
            Self::Sandbox(cloud) => cloud.applied(stack).await,
        }
    }

    async fn observe_distribution(
        &self,
        stack: &Stack,
    ) -> Result<Option<distribution::Live>, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.observe_distribution(stack))).await,
            Self::Sandbox(cloud) => cloud.observe_distribution(stack).await,
        }
    }

    async fn runners(&self, stack: &Stack) -> Result<Vec<DistributionId>, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.runners(stack))).await,
            Self::Sandbox(cloud) => cloud.runners(stack).await,
        }
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        match self {
            Self::Aws(cloud) => cloud.explained(Box::pin(cloud.apply(stack, op, context))).await,
            Self::Sandbox(cloud) => cloud.apply(stack, op, context).await,
        }
    }
}
