//! What the verbs share: a spec in its place, the global flags, what an early end says, the questions
//! at the terminal, and saved plans.

use crate::aws::{Patience, wait};
use crate::change::{Fault, FaultKind};
use crate::desired::{self, Desired};
use crate::plan::{self, Choices};
use crate::resource::site;
use crate::spec::Spec;
use crate::spec::load::{Files, load};
use crate::stack::{Names, Scope};
use crate::view::View;
use crate::view::human::duration;
use failure::{Failure, Reason};
use global::{Global, variable};
use place::{Picture, Place, Target, sandbox_folder};
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(crate) mod begin;
pub(crate) mod confirm;
pub(crate) mod deadline;
pub(crate) mod exit;
pub(crate) mod failure;
pub(crate) mod global;
pub(crate) mod place;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod saved;
pub(crate) mod signals;
pub(crate) mod times;
pub(crate) mod watch;
pub(crate) mod words;

pub(crate) use exit::Exit;

/// A spec in its place.
pub struct Session {
    /// What the user wants.
    pub spec: Spec,
    pub place: Place,
}

impl Session {
    /// Loads the spec and opens the cloud; asks nobody yet.
    ///
    /// # Errors
    /// [`Failure::Spec`].
    pub async fn open(global: &Global, files: Files) -> Result<Self, Failure> {
        Self::open_for(global, files, Patience::RUN).await
    }

    /// The same for a user who waits for a turn of the switch, or a look at it.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub async fn open_switch(global: &Global) -> Result<Self, Failure> {
        Self::open_for(global, Files::Spared, Patience::TURN).await
    }

    async fn open_for(global: &Global, files: Files, patience: Patience) -> Result<Self, Failure> {
        let spec = spec(global, global.view(), files)?;
        if global.record.is_some() {
            record::is_about(&global.recording, &spec);
        }
        let region = spec.region.clone();
        let place = Place::open(global, &spec.file, region, signals::listen(), patience).await?;
        Ok(Self { spec, place })
    }

    /// What the spec is about.
    #[must_use]
    pub fn target(&self) -> Target {
        target(&self.spec)
    }

    /// Looks, and plans what makes everything as the spec says.
    ///
    /// # Errors
    /// [`Failure::Fault`], [`Failure::Refused`], [`Failure::Interrupted`].
    pub async fn provision(&self, choices: &Choices) -> Result<Picture, Failure> {
        let site = self.site().await?;
        let (stack, live) = self.place.look(&self.target(), &site, Scope::Stack).await?;
        let desired = Desired::of(&self.spec, &stack, site)?;
        let plan = plan::provision(&stack, &desired, &live, choices);
        Ok(Picture { stack, live, plan })
    }

    /// Reads the site's files, which may take as long as the disk does: on a thread that nobody has
    /// to wait for, so that the user is told and may stop.
    async fn site(&self) -> Result<site::Settings, Failure> {
        let (spec, begin) = (self.spec.clone(), Instant::now());
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || tell.send(desired::site(&spec)).is_ok());
        // After three seconds, and then less and less often.
        let tell = |times: u32| {
            if times.is_multiple_of(3) && (times / 3).is_power_of_two() {
                let time = duration(begin.elapsed());
                self.place.view.waiting(&format!("still reading the site's files [{time}]"));
            }
        };
        let read = async {
            // Whoever does not answer has panicked.
            let lost = |_| Err(Fault::new(FaultKind::Local, "read the site's files", "it failed"));
            wait::telling(told, tell).await.unwrap_or_else(lost)
        };
        self.place.unless_stopped(read).await
    }

    /// Looks, and plans what takes everything down.
    ///
    /// # Errors
    /// See [`provision`](Self::provision).
    pub async fn destroy(&self, choices: &Choices) -> Result<Picture, Failure> {
        self.place.destroy(&self.target(), choices).await
    }
}

/// What a spec is about.
#[must_use]
pub(crate) fn target(spec: &Spec) -> Target {
    Target { names: Names::of(spec), account: spec.account.clone() }
}

/// Loads the spec; shows its warnings.
///
/// # Errors
/// [`Failure::Spec`].
pub(crate) fn spec(global: &Global, view: View, files: Files) -> Result<Spec, Failure> {
    match load(&global.file, &variable, files) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                view.problems(&loaded.warnings);
            }
            may_be_written(global, &loaded.spec)?;
            Ok(loaded.spec)
        }
        Err(problems) => Err(Failure::Spec(problems)),
    }
}

/// Nothing that a run writes beside its plan lies where an apply would publish it.
fn may_be_written(global: &Global, spec: &Spec) -> Result<(), Failure> {
    let sandbox = global.sandbox.as_ref();
    let sandbox = sandbox.map(|given| sandbox_folder(given.as_deref(), &global.file));
    for (what, flag, folder) in [
        ("the sandbox's folder", "--sandbox=DIR", sandbox),
        ("the recording's folder", "--record DIR", global.record.clone()),
    ] {
        let Some(folder) = folder else { continue };
        if let Some(place) = spec.publishes(&folder) {
            let what = format!("{what} {} is in {place}", folder.display());
            let hint = format!("choose another folder with `{flag}`");
            return Err(Failure::Usage(Reason::new(what).hinted(hint)));
        }
    }
    Ok(())
}
