//! The sandbox: a world kept in a folder, for people without an AWS account and for tests. Asks
//! nobody, needs no credentials.
//!
//! `world.json` is the record; `objects/` and `packages/` hold bytes by their digest. Every change
//! is made under a lock and replaces the record in one rename, so that an interrupted run leaves
//! the world before or after an op, never between.

use super::world::{Delays, Unfit, World};
use super::{Caller, Cloud};
use crate::aws::wait::{self, Early, Rhythm, Waited};
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::file::{self, Readers};
use crate::name::{AccountId, DistributionId, ObjectKey};
use crate::resource::{distribution, function, page, site};
use crate::stack::{Live, Names, Op, Scope, Stack};
use crate::sweep::Found;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The account that the sandbox plays.
const ACCOUNT: &str = "123456789012";

const ANOTHER_PROGRAM: &str =
    "use the version of `provision` that wrote it, or choose another folder with `--sandbox=DIR`";

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
    /// The world in `folder`, which is made where it is needed. New deployments and replicas take
    /// `delays`.
    #[must_use]
    pub fn new(folder: PathBuf, delays: Delays) -> Self {
        Self { folder, delays }
    }

    /// Reads the bytes of an object with this MD5.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where they are not there, or lie elsewhere.
    pub fn read_object(&self, md5: &str) -> Result<Vec<u8>, Fault> {
        self.is_whole()?;
        // The record is only a file: what stands in it must not lead out of the folder.
        if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(
                self.broken(format!("world.json is damaged: `{}` is no MD5", md5.escape_debug()))
            );
        }
        let path = self.object(md5);
        if path.is_symlink() {
            return Err(self.broken(format!(
                "objects/{md5} is a symbolic link, and a world is in one folder"
            )));
        }
        file::read(&path, u64::MAX)
            .map_err(|error| self.broken(format!("objects/{md5} cannot be read: {error}")))
    }

    /// Where the bytes of an object with this MD5 are.
    fn object(&self, md5: &str) -> PathBuf {
        self.folder.join("objects").join(md5)
    }

    /// Is the folder made as the sandbox makes it? Whoever prepared it must not make us read, write
    /// or wait elsewhere.
    fn is_whole(&self) -> Result<(), Fault> {
        for (name, folder) in
            [("world.json", false), ("lock", false), ("objects", true), ("packages", true)]
        {
            let found = match fs::symlink_metadata(self.folder.join(name)) {
                Ok(found) => found.file_type(),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(self.broken(error)),
            };
            if found.is_dir() != folder || !(folder || found.is_file()) {
                let kept = if folder { "a folder" } else { "a file" };
                return Err(self.broken(format!(
                    "{name} is {}, where the sandbox keeps {kept}",
                    file::described(found)
                )));
            }
        }
        Ok(())
    }

    fn record(&self) -> PathBuf {
        self.folder.join("world.json")
    }

    fn broken(&self, why: impl std::fmt::Display) -> Fault {
        Fault::new(
            FaultKind::Local,
            format!(
                "use the sandbox in \
            {}",
                self.folder.display()
            ),
            why.to_string(),
        )
        .hinted(
            "choose another folder with `--sandbox=DIR`, or delete this one to begin with \
                an empty world",
        )
    }

    /// Reads the world; an absent one is empty.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where the record cannot be read or is another program's or version's.
    pub fn load(&self) -> Result<World, Fault> {
        self.is_whole()?;
        let record = match file::read_record(&self.record()) {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(World::empty(
                    ACCOUNT.parse().map_err(|why: &str| self.broken(why))?,
                    self.delays,
                ));
            }
            Err(error) => return Err(self.broken(format!("world.json cannot be read: {error}"))),
        };
        let world = World::from_json(&record).map_err(|why| match why {
            Unfit::Version(_) => self.broken(format!("world.json {why}")).hinted(ANOTHER_PROGRAM),
            Unfit::Damaged(_) => self.broken(format!("world.json {why}")),
        })?;
        Ok(World { delays: self.delays, ..world })
    }

    fn save(&self, world: &World) -> Result<(), Fault> {
        let text = serde_json::to_vec_pretty(world).map_err(|error| self.broken(error))?;
        file::replace(&self.record(), &text, Readers::Usual).map_err(|error| self.broken(error))
    }

    fn lock(&self) -> Result<File, Fault> {
        fs::create_dir_all(&self.folder).map_err(|error| self.broken(error))?;
        self.is_whole()?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("lock"))
            .map_err(|error| self.broken(error))?;
        lock.lock().map_err(|error| self.broken(error))?;
        Ok(lock)
    }

    /// Keeps the bytes that an op carries; whoever runs the edge on this machine needs them.
    fn keep_bytes(&self, op: &Op) -> Result<(), Fault> {
        match op {
            Op::Site(site::Op::Put(object)) | Op::Page(page::Op::Put(page::Put { object, .. })) => {
                let content = &object.content;
                self.keep(&self.object(&content.md5), |file| content.copy_to(file))
            }
            Op::Function(
                _,
                function::Op::Create(function::Create { package, .. })
                | function::Op::Upload(function::Upload { package, .. }),
            ) => {
                let name = hex::encode(package.sha256.as_bytes());
                let path = self.folder.join("packages").join(name).with_extension("zip");
                self.keep(&path, |file| {
                    file.write_all(&package.bytes).map_err(|error| self.broken(error))
                })
            }
            _ => Ok(()),
        }
    }

    /// Keeps what `write` writes, unless it is there.
    fn keep(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if path.exists() {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(|error| self.broken(error))?;
        let mut ended = Ok(());
        let kept = file::replace_with(path, Readers::Usual, |file| {
            ended = write(file);
            ended.as_ref().copied().map_err(|fault| std::io::Error::other(fault.to_string()))
        });
        ended.and(kept.map_err(|error| self.broken(error)))
    }

    /// Changes the world under the lock.
    ///
    /// # Errors
    /// What `change` refuses; the world is then as before.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut World, u64) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let _lock = self.lock()?;
        let mut world = self.load()?;
        let value = change(&mut world, now())?;
        self.save(&world)?;
        Ok(value)
    }
}

impl Cloud for Sandbox {
    async fn observe(
        &self,
        names: &Names,
        expected: &site::Settings,
        scope: Scope,
    ) -> Result<(AccountId, Live), Fault> {
        Ok(self.load()?.observe(names, expected, scope, now()))
    }

    async fn identify(&self) -> Result<Caller, Fault> {
        let account = self.load()?.account;
        Ok(Caller { arn: format!("arn:aws:iam::{account}:user/sandbox"), account })
    }

    async fn discover(&self, _account: &AccountId) -> Result<Found, Fault> {
        Ok(self.load()?.discover())
    }

    async fn look(&self, stack: &Stack, key: &ObjectKey) -> Result<page::Look, Fault> {
        self.load()?.look_at_page(stack, key, |md5| self.read_object(md5), now())
    }

    async fn applied(&self, stack: &Stack) -> Result<page::Applied, Fault> {
        Ok(self.load()?.applied(stack))
    }

    async fn observe_distribution(
        &self,
        stack: &Stack,
    ) -> Result<Option<distribution::Live>, Fault> {
        Ok(self.load()?.distribution(stack, now()))
    }

    async fn runners(&self, stack: &Stack) -> Result<Vec<DistributionId>, Fault> {
        Ok(self.load()?.runners(stack))
    }

    async fn apply(&self, stack: &Stack, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
        let address = op.change().address;
        if op.is_wait() {
            let known = context.references(|known| known.clone());
            let budget = (Rhythm::SANDBOX.deployment, wait::DEPLOYMENT);
            let waited = wait::until(
                context,
                (&address, "the deployment to reach every edge"),
                budget,
                &[],
                || async { self.load()?.deployed(op, &known, now()) },
            )
            .await?;
            let after = Duration::from_secs(self.delays.deploy);
            let ended = waited.or_later("the distribution is still deploying", after);
            return ended.or_else(Early::done);
        }
        self.keep_bytes(op)?;
        let patience = match op {
            Op::Function(_, op) => op.patience(context.patience),
            _ => Duration::ZERO,
        };
        let deferred = std::sync::Mutex::new(None);
        let waited = wait::until(
            context,
            (&address, function::REPLICAS_END),
            (Rhythm::SANDBOX.replicas, patience),
            &[],
            || async {
                let done = self.change(|world, now| world.apply(stack, op, context, now))?;
                if matches!(done, Done::Deferred(_)) {
                    *deferred.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(done);
                    return Ok(None);
                }
                Ok(Some(done))
            },
        )
        .await?;
        match waited {
            Waited::Met(done) => Ok(done),
            _ => Ok(deferred
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .unwrap_or(Done::AlreadySo)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record says under which digest an object's bytes lie; it is a file that anybody may have
    /// written.
    #[cfg(unix)]
    #[test]
    fn no_object_is_read_from_outside_of_the_world() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(folder.path().join("world"), Delays::default());
        let [good, link, pipe] = ["0", "1", "2"].map(|digit| digit.repeat(32));
        fs::create_dir_all(folder.path().join("world/objects")).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        fs::write(sandbox.object(&good), "bytes").unwrap();
        std::os::unix::fs::symlink("../../secret", sandbox.object(&link)).unwrap();
        fs::create_dir(sandbox.object(&pipe)).unwrap();
        assert_eq!(sandbox.read_object(&good).unwrap(), b"bytes");
        let outside = folder.path().join("secret").display().to_string();
        for md5 in [
            "../../secret",
            &outside,
            "",
            "..",
            "objects/../../../secret",
            &link,
            &pipe,
            &"3".repeat(32),
        ] {
            assert_eq!(sandbox.read_object(md5).unwrap_err().kind, FaultKind::Local, "{md5}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_file_outside_of_the_world_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(folder.path().join("world"), Delays::default());
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "theirs").unwrap();
        fs::create_dir(folder.path().join("world")).unwrap();
        let beside = sandbox.record().with_extension(format!("json.{}.new", std::process::id()));
        std::os::unix::fs::symlink(&theirs, beside).unwrap();
        sandbox.change(|_, _| Ok(())).unwrap();
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
        assert!(sandbox.load().is_ok() && !sandbox.record().is_symlink());
    }
}
