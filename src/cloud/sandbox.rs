//! The sandbox: a world kept in a folder, for people without an AWS account and for tests. Asks nobody, needs no credentials.
//!
//! `world.json` is the record; `objects/` and `packages/` hold bytes by their digest. Every change is made under a lock and
//! replaces the record in one rename, so that an interrupted run leaves the world before or after an op, never between.

use super::world::{Delays, FORMAT, World};
use super::{Caller, Cloud};
use crate::aws::wait::{self, Rhythm, Waited};
use crate::change::{Action, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::AccountId;
use crate::resource::{function, page, site};
use crate::stack::{Live, Names, Op, Scope, Stack};
use crate::sweep::Remains;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The account that the sandbox plays.
const ACCOUNT: &str = "123456789012";

/// A world in a folder.
#[derive(Clone, Debug)]
pub struct Sandbox {
    folder: PathBuf,
    delays: Delays,
}

/// The sandbox's clock: seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the sandbox's clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

impl Sandbox {
    /// The world in `folder`, which is made where it is needed. New deployments and replicas take `delays`.
    #[must_use]
    pub fn new(folder: PathBuf, delays: Delays) -> Self {
        Self { folder, delays }
    }

    /// Where the bytes of an object with this MD5 are.
    #[must_use]
    pub fn object(&self, md5: &str) -> PathBuf {
        self.folder.join("objects").join(md5)
    }

    fn record(&self) -> PathBuf {
        self.folder.join("world.json")
    }

    fn broken(&self, why: impl std::fmt::Display) -> Fault {
        Fault::new(FaultKind::Local, format!("use the sandbox in {}", self.folder.display()), why.to_string())
            .hinted("choose another folder with `--sandbox=DIR`, or delete this one to begin with an empty world")
    }

    /// Reads the world; an absent one is empty.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where the record cannot be read or is another program's or version's.
    pub fn load(&self) -> Result<World, Fault> {
        let text = match fs::read_to_string(self.record()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(World::empty(ACCOUNT.parse().map_err(|why: &str| self.broken(why))?, self.delays));
            }
            Err(error) => return Err(self.broken(error)),
        };
        let world: World =
            serde_json::from_str(&text).map_err(|error| self.broken(format!("world.json is damaged or from another version: {error}")))?;
        if world.format != FORMAT {
            return Err(self.broken(format!("world.json has format {}, this program reads format {FORMAT}", world.format)));
        }
        Ok(World { delays: self.delays, ..world })
    }

    fn save(&self, world: &World) -> Result<(), Fault> {
        let text = serde_json::to_vec_pretty(world).map_err(|error| self.broken(error))?;
        replace(&self.record(), &text).map_err(|error| self.broken(error))
    }

    fn lock(&self) -> Result<File, Fault> {
        fs::create_dir_all(&self.folder).map_err(|error| self.broken(error))?;
        let lock = File::options().create(true).append(true).open(self.folder.join("lock")).map_err(|error| self.broken(error))?;
        lock.lock().map_err(|error| self.broken(error))?;
        Ok(lock)
    }

    /// Keeps the bytes that an op carries; whoever runs the edge on this machine needs them.
    fn keep_bytes(&self, op: &Op) -> Result<(), Fault> {
        match op {
            Op::Site(site::Op::Put { content, .. }) | Op::Page(page::Op::Put { content, .. }) => {
                self.keep(&self.object(&content.md5), &content.read()?)
            }
            Op::Function(function::Op::Create { package, .. } | function::Op::Upload { package, .. }) => {
                let name = hex::encode(package.sha256.as_bytes());
                self.keep(&self.folder.join("packages").join(name).with_extension("zip"), &package.bytes)
            }
            _ => Ok(()),
        }
    }

    fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        if path.exists() {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(path)).and_then(|()| replace(path, bytes)).map_err(|error| self.broken(error))
    }

    /// Changes the world under the lock.
    ///
    /// # Errors
    /// What `change` refuses; the world is then as before.
    pub fn change<T>(&self, change: impl FnOnce(&mut World, u64) -> Result<T, Fault>) -> Result<T, Fault> {
        let _lock = self.lock()?;
        let mut world = self.load()?;
        let value = change(&mut world, now())?;
        self.save(&world)?;
        Ok(value)
    }
}

/// Writes beside, then renames over.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

impl Cloud for Sandbox {
    async fn observe(&self, names: &Names, expected: &site::Settings, scope: Scope) -> Result<(AccountId, Live), Fault> {
        Ok(self.load()?.observe(names, expected, scope, now()))
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        let account = self.load()?.account;
        Ok(Caller { arn: format!("arn:aws:iam::{account}:user/sandbox"), account })
    }

    async fn discover(&self) -> Result<Vec<Remains>, Fault> {
        Ok(self.load()?.discover())
    }

    async fn observe_switch(&self, names: &Names) -> Result<(Caller, page::Sides), Fault> {
        Ok((self.identify().await?, self.load()?.sides(names)))
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        let address = op.change().address;
        if op.change().action == Action::Await {
            let known = context.references(|known| known.clone());
            let budget = (Rhythm::SANDBOX.deployment, wait::DEPLOYMENT);
            let waited = wait::until(context, &address, "the deployment to reach every edge", budget, || async {
                Ok(self.load()?.is_deployed(op, &known, now()).then_some(()))
            })
            .await?;
            return Ok(match waited {
                Waited::Met(()) => Done::Changed("deployed".into()),
                Waited::OutOfTime | Waited::Stopped => Done::Deferred {
                    reason: "the distribution is still deploying".into(),
                    try_again_after: Duration::from_secs(self.delays.deploy),
                },
            });
        }
        self.keep_bytes(op)?;
        let patience = if matches!(op, Op::Function(function::Op::Delete { .. })) { context.patience } else { Duration::ZERO };
        let deferred = std::sync::Mutex::new(None);
        let waited = wait::until(context, &address, "CloudFront to remove its replicas", (Rhythm::SANDBOX.replicas, patience), || async {
            let done = self.change(|world, now| world.apply(stack, op, context, now))?;
            if matches!(done, Done::Deferred { .. }) {
                *deferred.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(done);
                return Ok(None);
            }
            Ok(Some(done))
        })
        .await?;
        match waited {
            Waited::Met(done) => Ok(done),
            Waited::OutOfTime | Waited::Stopped => {
                Ok(deferred.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).unwrap_or(Done::AlreadySo))
            }
        }
    }
}
