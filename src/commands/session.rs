//! The pipeline that all verbs share: load the spec, open the cloud, look, plan, ask, carry out.

use super::failure::{Failure, Reason};
use super::{Exit, signals};
use crate::apply::{self, Outcome};
use crate::aws::fault::NO_SUCH_BUCKET;
use crate::aws::{Clients, Connection, Patience};
use crate::change::{Address, Conflict, Fault, FaultKind, Kind};
use crate::cloud::aws::Aws;
use crate::cloud::sandbox::Sandbox;
use crate::cloud::{AnyCloud, Caller, Cloud};
use crate::commands::deadline::{Deadline, LOOKED};
use crate::commands::global::{Global, variable};
use crate::context::Context;
use crate::desired::{self, Desired};
use crate::name::AccountId;
use crate::plan::{self, Choices, Plan};
use crate::resource::{page, site};
use crate::spec::Spec;
use crate::spec::load::{Files, load};
use crate::stack::{Clues, Live, Names, Scope, Stack};
use crate::sweep::Found;
use crate::view::View;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// A spec, a cloud, a view.
pub struct Session {
    /// What the user wants.
    pub spec: Spec,
    /// Where.
    pub cloud: AnyCloud,
    /// How it is shown.
    pub view: View,
    /// Turns true when the user has had enough.
    pub stop: watch::Receiver<bool>,
    /// The global flags that a next command needs too, each with a space before it.
    pub flags: String,
    /// What a look at the whole account has found of the stack.
    pub also: Clues,
}

/// Everything that was looked at and decided.
pub struct Picture {
    /// Which objects.
    pub stack: Stack,
    /// How they are.
    pub live: Live,
    /// What has to happen.
    pub plan: Plan,
}

/// The folder of the sandbox's world: as given, or beside the spec.
#[must_use]
pub fn sandbox_folder(given: Option<&Path>, spec: &Path) -> PathBuf {
    let beside = || spec.parent().unwrap_or(Path::new("")).join(".provision").join("sandbox");
    given.map_or_else(beside, Path::to_owned)
}

impl Session {
    /// Loads the spec and opens the cloud; asks nobody yet.
    ///
    /// # Errors
    /// [`Failure::Spec`].
    pub async fn open(global: &Global, files: Files) -> Result<Self, Failure> {
        let spec = spec(global, View::new(global.json), files)?;
        Ok(Self::open_with(global, spec, signals::listen()).await)
    }

    /// The same for somebody who waits for a turn of the switch, or a look at it.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub async fn open_switch(global: &Global) -> Result<Self, Failure> {
        let spec = spec(global, View::new(global.json), Files::Spared)?;
        Ok(Self::connect(global, spec, signals::listen(), Patience::TURN).await)
    }

    /// Opens the cloud for a spec that is at hand.
    pub async fn open_with(global: &Global, spec: Spec, stop: watch::Receiver<bool>) -> Self {
        Self::connect(global, spec, stop, Patience::RUN).await
    }

    async fn connect(
        global: &Global,
        spec: Spec,
        stop: watch::Receiver<bool>,
        patience: Patience,
    ) -> Self {
        let cloud = match &global.sandbox {
            Some(folder) => AnyCloud::Sandbox(Sandbox::new(
                sandbox_folder(folder.as_deref(), &spec.file),
                global.sandbox_delays.unwrap_or_default(),
            )),
            None => {
                let connection = Connection {
                    endpoint_url: global.endpoint_url.clone(),
                    s3_endpoint: variable("AWS_ENDPOINT_URL_S3").is_some(),
                    profile: global.profile.clone(),
                    region: spec.region.clone(),
                    verbose: global.verbose,
                    patience,
                };
                AnyCloud::Aws(Box::new(Aws { clients: Clients::connect(&connection).await }))
            }
        };
        Self {
            spec,
            cloud,
            view: View::new(global.json),
            stop,
            flags: global.again(),
            also: Clues::default(),
        }
    }

    /// Looks, and plans what makes everything as the spec says.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn provision(&self, choices: &Choices) -> Result<Picture, Failure> {
        let planned = async {
            let site = desired::site(&self.spec)?;
            let (stack, live) = self.look(&site, Scope::Stack).await?;
            let plan =
                plan::provision(&stack, &Desired::of(&self.spec, &stack, site)?, &live, choices);
            Ok(Picture { stack, live, plan })
        };
        planned.await
    }

    /// Looks, and plans what takes everything down.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn destroy(&self, choices: &Choices) -> Result<Picture, Failure> {
        let planned = async {
            let (stack, live) = self.look(&site::Settings::default(), Scope::Teardown).await?;
            let plan = plan::destroy(&stack, &live, choices);
            Ok(Picture { stack, live, plan })
        };
        planned.await
    }

    /// The stack's names alone. Asks for the account only where the spec does not say it.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn stack(&self) -> Result<Stack, Failure> {
        let named = async {
            let account = match &self.spec.account {
                Some(account) => account.clone(),
                None => self.unless_stopped(self.cloud.identify()).await?.account,
            };
            Ok(in_account(&Names::of(&self.spec), account)?)
        };
        named.await
    }

    /// Looks at the switch alone: who asks, then both page keys. A bucket that is not there is no
    /// switch that is off.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn switch(
        &self,
        deadline: &Deadline,
    ) -> Result<(Stack, Caller, page::Sides), Failure> {
        let looked = async {
            let asked =
                deadline.answer(LOOKED, "AWS STS, who the caller is", self.cloud.identify());
            let caller = self.unless_stopped(asked).await?;
            self.is_expected(&caller)?;
            let stack = in_account(&Names::of(&self.spec), caller.account.clone())?;
            let whom = format!("S3, bucket {}", stack.bucket);
            let asked = deadline.answer(LOOKED, &whom, self.cloud.observe_switch(&stack));
            match self.unless_stopped(asked).await {
                Err(Failure::Fault(fault)) if fault.code.as_deref() == Some(NO_SUCH_BUCKET) => {
                    Err(plan::no_bucket(&stack, &caller.arn).into())
                }
                // Also what somebody gets whose credentials are for another account than the
                // bucket's.
                Err(Failure::Fault(fault)) if fault.kind == FaultKind::Denied => {
                    let message = format!(
                        "{} (for {} in account {})",
                        fault.message, caller.arn, caller.account
                    );
                    Err(Failure::Fault(Fault { message, ..fault }))
                }
                looked => looked.map(|sides| (stack, caller, sides)),
            }
        };
        looked.await
    }

    async fn unless_stopped<T>(
        &self,
        look: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Failure> {
        let mut stop = self.stop.clone();
        tokio::select! {
            looked = look => Ok(looked?),
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Failure::Interrupted),
        }
    }

    /// Finds what is left of every stack in the account, once it is known to be the right one.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn discover(&self) -> Result<Found, Failure> {
        let found = async {
            let caller = self.unless_stopped(self.cloud.identify()).await?;
            self.is_expected(&caller)?;
            self.unless_stopped(self.cloud.discover(&caller.account)).await
        };
        found.await
    }

    async fn look(&self, site: &site::Settings, scope: Scope) -> Result<(Stack, Live), Failure> {
        let mut names = Names { also: self.also.clone(), ..Names::of(&self.spec) };
        let look = self.cloud.observe(&names, site, scope);
        let (account, mut live) = self.unless_stopped(look).await?;
        if self.spec.account.as_ref().is_some_and(|expected| *expected != account) {
            // Only who is refused has to know as whom.
            self.is_expected(&self.unless_stopped(self.cloud.identify()).await?)?;
        }
        let stack = in_account(&names, account)?;
        if names.also.is_empty() && live.has_lost_its_memory(&stack) {
            names.also = self.search(&stack).await?;
            let look = self.cloud.observe(&names, site, scope);
            live = self.unless_stopped(look).await?.1;
        }
        Ok((in_account(&names, stack.account)?, live))
    }

    /// Looks for all of the stack in the whole account, where its own trail is lost. Nothing is
    /// found by a caller who may not look there; the plan says so.
    async fn search(&self, stack: &Stack) -> Result<Clues, Failure> {
        match self.unless_stopped(self.cloud.discover(&stack.account)).await {
            Err(Failure::Fault(fault)) if fault.kind == FaultKind::Denied => Ok(Clues::default()),
            found => Ok(found?.clues(&stack.names.stack)),
        }
    }

    /// Is the spec for the account of whoever asks?
    fn is_expected(&self, caller: &Caller) -> Result<(), Failure> {
        let Some(expected) =
            self.spec.account.as_ref().filter(|expected| **expected != caller.account)
        else {
            return Ok(());
        };
        let Caller { account, arn } = caller;
        Err(Failure::from(Conflict {
            address: Address::new(Kind::Bucket, &self.spec.stack),
            reason: format!(
                "the credentials are for account {account} ({arn}), the spec is for \
                account {expected}"
            ),
            hint: "choose the right profile (`--profile`, AWS_PROFILE), or correct `account` in \
                the spec"
                .into(),
        }))
    }

    /// When the credentials end, if that is known and so soon.
    pub async fn credentials_end_within(&self, wait: Duration) -> Option<Timestamp> {
        let AnyCloud::Aws(aws) = &self.cloud else { return None };
        if wait.is_zero() {
            return None;
        }
        let end = Timestamp::try_from(aws.clients.credentials_end().await?).ok()?;
        (end < Timestamp::now().checked_add(SignedDuration::try_from(wait).ok()?).ok()?)
            .then_some(end)
    }

    /// Carries out the plan and shows how it ended.
    pub async fn carry_out(
        &self,
        plan: &Plan,
        stack: &Stack,
        live: &Live,
        patience: Duration,
    ) -> (Outcome, Exit) {
        let progress = self.view.progress();
        let tick = |address: &Address, what: &str| {
            crate::apply::Report::event(&progress, &apply::Event::Waiting(address, what));
        };
        let context = Context::new(apply::references(live), &tick, self.stop.clone(), patience);
        let outcome = apply::execute(plan, stack, &self.cloud, &context, &progress).await;
        let exit = exit_of(&outcome);
        (outcome, exit)
    }
}

fn in_account(names: &Names, account: AccountId) -> Result<Stack, Fault> {
    names
        .in_account(account)
        .map_err(|why| Fault::new(FaultKind::Local, "name the bucket after stack and account", why))
}

fn exit_of(outcome: &Outcome) -> Exit {
    if outcome.interrupted {
        Exit::Interrupted
    } else if !outcome.failed.is_empty() {
        Exit::Failed
    } else if !outcome.deferred.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

/// Loads the spec; shows its warnings.
///
/// # Errors
/// [`Failure::Spec`].
pub fn spec(global: &Global, view: View, files: Files) -> Result<Spec, Failure> {
    match load(&global.file, &variable, files) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                view.problems(&loaded.warnings);
            }
            let given = global.sandbox.as_ref();
            let folder = given.map(|given| sandbox_folder(given.as_deref(), &global.file));
            let lies = |folder: PathBuf| loaded.spec.publishes(&folder).map(|what| (folder, what));
            if let Some((folder, what)) = folder.and_then(lies) {
                let what = format!("the sandbox's folder {} lies in {what}", folder.display());
                let reason = Reason::new(what).hinted("choose another folder with `--sandbox=DIR`");
                return Err(Failure::Usage(reason));
            }
            Ok(loaded.spec)
        }
        Err(problems) => Err(Failure::Spec(problems)),
    }
}
