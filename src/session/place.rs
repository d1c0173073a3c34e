//! Where a run works, whatever its spec is: a cloud, a view, and the user's wish to stop. It looks,
//! plans an end, and carries out.

use super::deadline::{Deadline, LOOKED};
use super::exit::Exit;
use super::failure::{Failure, Reason};
use super::global::{Global, variable};
use super::watch::{LOOK, Watch};
use crate::apply::{self, Event, Outcome, Report, RunResult};
use crate::aws::fault::NO_SUCH_BUCKET;
use crate::aws::http::{self, Web};
use crate::aws::meter::Calls;
use crate::aws::{Clients, Connection, Patience, address};
use crate::change::{Address, Fault, FaultKind};
use crate::cloud::aws::Aws;
use crate::cloud::sandbox::Sandbox;
use crate::cloud::{AnyCloud, Caller, Cloud};
use crate::context::Context;
use crate::name::{AccountId, Region};
use crate::plan::{self, Choices, Plan};
use crate::resource::{page, site};
use crate::stack::{Clues, Live, Names, Scope, Stack};
use crate::sweep::Found;
use crate::view::View;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// A cloud, a view, and the user's wish to stop.
#[derive(Clone)]
pub struct Place {
    pub cloud: AnyCloud,
    pub view: View,
    /// Turns true when the user has had enough.
    pub stop: watch::Receiver<bool>,
    /// The global flags that a next command needs too, each with a space before it.
    pub flags: String,
}

/// What a run is about.
#[derive(Clone, Debug)]
pub struct Target {
    /// What can be named before anybody was asked who we are.
    pub names: Names,
    /// The account that it has to be, where a user said so.
    pub account: Option<AccountId>,
}

/// Everything that was looked at and decided.
pub struct Picture {
    /// Which objects.
    pub stack: Stack,
    pub live: Live,
    /// What has to happen.
    pub plan: Plan,
}

/// The folder of the sandbox's world: as given, or beside the spec.
#[must_use]
pub(crate) fn sandbox_folder(given: Option<&Path>, spec: &Path) -> PathBuf {
    let beside = || spec.parent().unwrap_or(Path::new("")).join(".provision").join("sandbox");
    given.map_or_else(beside, Path::to_owned)
}

impl Place {
    /// Opens the cloud; asks nobody yet. S3 is asked in `region`; the sandbox is beside `spec`.
    ///
    /// # Errors
    /// Those of [`Clients::connect`].
    pub async fn open(
        global: &Global,
        spec: &Path,
        region: Region,
        stop: watch::Receiver<bool>,
        patience: Patience,
    ) -> Result<Self, Fault> {
        let cloud = match &global.sandbox {
            Some(folder) => AnyCloud::Sandbox(Sandbox::new(
                sandbox_folder(folder.as_deref(), spec),
                global.sandbox_delays.unwrap_or_default(),
            )),
            None => {
                let connection = Connection {
                    endpoint_url: global.endpoint_url.clone(),
                    s3_endpoint: variable("AWS_ENDPOINT_URL_S3").is_some(),
                    profile: global.profile.clone(),
                    region,
                    verbose: global.verbose,
                    patience,
                    ca_bundle: variable("AWS_CA_BUNDLE").map(PathBuf::from),
                    recording: global.record.as_ref().map(|_| global.recording.clone()),
                    variable,
                    stop: stop.clone(),
                };
                let clients = Clients::connect(&connection).await?;
                if let Some((what, hint)) = clients.surroundings.unheeded() {
                    global.view().warning(&what, &hint);
                }
                AnyCloud::Aws(Box::new(Aws { clients }))
            }
        };
        Ok(Self { cloud, view: global.view(), stop, flags: global.again() })
    }

    /// How a visitor's requests are sent from here.
    ///
    /// # Errors
    /// The user's bundle of certificates cannot be read, or the proxy not be used.
    pub(crate) fn web(&self) -> Result<Web, Fault> {
        let trust = match &self.cloud {
            AnyCloud::Aws(aws) => aws.clients.trust.clone(),
            AnyCloud::Sandbox(_) => http::trust(None)?,
        };
        address::proxies(variable)?;
        Ok(Web::new(&trust, variable))
    }

    /// The same, with S3 in another region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        let cloud = match &self.cloud {
            AnyCloud::Aws(aws) => {
                AnyCloud::Aws(Box::new(Aws { clients: aws.clients.in_region(region) }))
            }
            AnyCloud::Sandbox(sandbox) => AnyCloud::Sandbox(sandbox.clone()),
        };
        Self { cloud, ..self.clone() }
    }

    /// Looks at everything of the stack. `site` are the files that the spec has.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn look(
        &self,
        target: &Target,
        site: &site::Settings,
        scope: Scope,
    ) -> Result<(Stack, Live), Failure> {
        let mut names = target.names.clone();
        let look = self.cloud.observe(&names, site, scope);
        let (account, mut live) = self.looked(look).await?;
        if target.account.as_ref().is_some_and(|expected| *expected != account) {
            // Only who is refused has to know as whom.
            target.is_for(&self.looked(self.cloud.identify()).await?)?;
        }
        let stack = names.in_account(account)?;
        if names.also.is_empty() && live.has_lost_its_memory(&stack) {
            names.also = self.search(&stack).await?;
            let look = self.cloud.observe(&names, site, scope);
            live = self.looked(look).await?.1;
        }
        Ok((Stack { names, ..stack }, live))
    }

    /// Looks for all of the stack in the whole account, where its own trail is lost. Nothing is
    /// found by a caller who may not look there; the plan says so.
    async fn search(&self, stack: &Stack) -> Result<Clues, Failure> {
        match self.looked(self.cloud.discover(&stack.account)).await {
            Err(Failure::Fault(fault)) if fault.kind == FaultKind::Denied => Ok(Clues::default()),
            found => Ok(found?.clues(&stack.names.stack)),
        }
    }

    /// Looks, and plans what takes everything down.
    ///
    /// # Errors
    /// See [`look`](Self::look).
    pub async fn destroy(&self, target: &Target, choices: &Choices) -> Result<Picture, Failure> {
        let (stack, live) = self.look(target, &site::Settings::default(), Scope::Teardown).await?;
        let plan = plan::destroy(&stack, &live, choices);
        Ok(Picture { stack, live, plan })
    }

    /// The stack's names alone. Asks for the account only where nobody said it.
    ///
    /// # Errors
    /// See [`look`](Self::look).
    pub async fn stack(&self, target: &Target) -> Result<Stack, Failure> {
        let account = match &target.account {
            Some(account) => account.clone(),
            None => self.looked(self.cloud.identify()).await?.account,
        };
        Ok(target.names.in_account(account)?)
    }

    /// Looks at the switch alone: who asks, then both page keys. A bucket that is not there is no
    /// switch that is off.
    ///
    /// # Errors
    /// See [`look`](Self::look).
    pub async fn switch(
        &self,
        target: &Target,
        deadline: &Deadline,
    ) -> Result<(Stack, Caller, page::Sides), Failure> {
        let asked = deadline.answer(LOOKED, self.cloud.identify());
        let caller = self.unless_stopped(asked).await?;
        target.is_for(&caller)?;
        let stack = target.names.in_account(caller.account.clone())?;
        let asked = deadline.answer(LOOKED, self.cloud.observe_switch(&stack));
        match self.unless_stopped(asked).await {
            Err(Failure::Fault(fault)) if fault.code.as_deref() == Some(NO_SUCH_BUCKET) => {
                Err(Failure::Refused(self.no_bucket(&stack, &caller.arn)))
            }
            // Also what a user gets whose credentials are for another account than the bucket's.
            Err(Failure::Fault(fault)) if fault.kind == FaultKind::Denied => {
                let message =
                    format!("{} (for {} in account {})", fault.message, caller.arn, caller.account);
                Err(Failure::Fault(Fault { message, ..fault }))
            }
            looked => looked.map(|sides| (stack, caller, sides)),
        }
    }

    /// Finds what is left of every stack in the account, and which that is, once it is known to be
    /// the right one.
    ///
    /// # Errors
    /// See [`look`](Self::look).
    pub async fn discover(&self, at_hand: Option<&Target>) -> Result<(AccountId, Found), Failure> {
        let caller = self.looked(self.cloud.identify()).await?;
        at_hand.map_or(Ok(()), |target| target.is_for(&caller))?;
        let found = self.looked(self.cloud.discover(&caller.account)).await?;
        Ok((caller.account, found))
    }

    /// Who waits here, and for which calls.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let calls = match &self.cloud {
            AnyCloud::Aws(aws) => aws.clients.calls.clone(),
            AnyCloud::Sandbox(_) => Calls::default(),
        };
        Watch { calls, view: Some(self.view) }
    }

    async fn looked<T>(&self, look: impl Future<Output = Result<T, Fault>>) -> Result<T, Failure> {
        let watch = self.watch();
        self.unless_stopped(watch.answer(LOOK, look)).await
    }

    /// What was looked at, unless the user wants to stop before.
    ///
    /// # Errors
    /// The look's; [`Failure::Interrupted`].
    pub(crate) async fn unless_stopped<T>(
        &self,
        look: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Failure> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Failure::Interrupted(None)),
            looked = look => Ok(looked?),
        }
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

    /// Why the switch of a stack without a bucket is not turned, nor said to be off: most often it
    /// is another account's.
    fn no_bucket(&self, stack: &Stack, caller: &str) -> Reason {
        let (bucket, name, account) = (&stack.bucket, &stack.names.stack, &stack.account);
        let reason = Reason::new(format!(
            "bucket {bucket} of stack `{name}` does not exist for {caller} in account {account}"
        ));
        reason.hinted(match &self.cloud {
            AnyCloud::Aws(_) => {
                "choose the right profile (`--profile`, AWS_PROFILE), region or spec (`-f`); \
                    `provision apply` makes the bucket"
            }
            AnyCloud::Sandbox(_) => {
                "`provision apply` makes the bucket; or choose another spec (`-f`), or another \
                    folder (`--sandbox=DIR`)"
            }
        })
    }

    /// Carries out the plan.
    pub async fn carry_out(
        &self,
        plan: &Plan,
        stack: &Stack,
        live: &Live,
        patience: Duration,
    ) -> (Outcome, Exit) {
        let progress = self.view.progress();
        let tick = |address: &Address, what: &str| {
            Report::event(&progress, &Event::Waiting(address, what));
        };
        let context = Context::new(apply::references(live), &tick, self.stop.clone(), patience);
        let outcome = apply::execute(plan, stack, &self.cloud, &context, &progress).await;
        let exit = exit_of(&outcome);
        (outcome, exit)
    }
}

impl Target {
    /// Is it for the account of the caller?
    fn is_for(&self, caller: &Caller) -> Result<(), Failure> {
        let Some(expected) = self.account.as_ref().filter(|it| **it != caller.account) else {
            return Ok(());
        };
        let Caller { account, arn } = caller;
        let reason = Reason::new(format!(
            "the credentials are for account {account} ({arn}), the spec is for account {expected}"
        ));
        Err(Failure::Refused(reason.hinted(
            "choose the right profile (`--profile`, AWS_PROFILE), or correct `account` in the spec",
        )))
    }
}

fn exit_of(outcome: &Outcome) -> Exit {
    match outcome.result() {
        RunResult::Done => Exit::Done,
        RunResult::Pending => Exit::Pending,
        RunResult::Failed => Exit::Failed,
        RunResult::Interrupted => Exit::Interrupted,
    }
}
