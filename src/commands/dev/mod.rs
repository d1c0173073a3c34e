//! `provision dev`: the local edge for this spec.

use crate::cloud::AnyCloud;
use crate::desired;
use crate::edge::{
    CustomError, Distribution, EdgeSettings, Fact, Function, Objects, Package, PackageSource,
    Runtime, Supplies, Switch, serve,
};
use crate::name::ObjectKey;
use crate::resource::distribution::{Behavior, Missing};
use crate::resource::function::package::Files as PackageFiles;
use crate::session::Exit;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::failure::{Failure, Reason};
use crate::session::global::{Global, variable};
use crate::spec::load::{Files, load};
use crate::spec::{DistributionSpec, Spec};
use crate::stack::{Names, Stack};
use clap::Args;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

mod bucket;
mod folder;
mod sandbox;

/// Answer on this machine what visitors would get from CloudFront, with the real function package
#[derive(Debug, Args)]
#[command(after_help = "\
Objects come from the sandbox (--sandbox), from a folder (--objects DIR), or else from the real \
bucket, read only.
Needs python3 or node, whichever the function's runtime asks for.

Examples:
  provision dev --sandbox
  provision dev --objects site --port 8080")]
pub(crate) struct Dev {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(short, long, default_value_t = 0)]
    pub port: u16,
    /// Serve the objects in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "sandbox")]
    pub objects: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn run(global: &Global, verb: &Dev) -> Result<Exit, Failure> {
    let session = Arc::new(Session::open(global, Files::Needed).await?);
    let (stack, objects, switch, from) = source(&session, verb).await?;
    let keys = desired::keys(&session.spec, verb.objects.as_deref())?;
    let settings = settings(&session.spec, &stack, &keys, (verb.port, from));
    let package = package_source(session.spec.file.clone(), verb.objects.clone(), stack);
    package().map_err(|why| Failure::Local(Reason::new(why)))?;
    let supplies = Supplies { objects, switch, package, now };
    let (events, mut heard) = mpsc::unbounded_channel();
    let view = session.place.view;
    let shown = tokio::spawn(async move {
        while let Some(event) = heard.recv().await {
            view.edge(&event);
        }
    });
    let mut stop = session.place.stop.clone();
    let stopped = async move {
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let served = serve(settings, supplies, events, stopped).await;
    // The channel is closed by now: whatever is still in it is shown.
    let _ = shown.await;
    served.map_err(|error| {
        let cause =
            std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Failure::Local(Reason::new(format!("{error}{cause}")))
    })?;
    Ok(Exit::Done)
}

/// A moment in seconds since the Unix epoch; what is beyond this machine's calendar is the epoch
/// itself.
fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

#[expect(clippy::disallowed_methods, reason = "the local edge lives in the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

type Supplied = (Stack, Arc<dyn Objects>, Arc<dyn Switch>, String);

/// Where objects and switch are.
async fn source(session: &Arc<Session>, verb: &Dev) -> Result<Supplied, Failure> {
    let names = Names::of(&session.spec);
    if let Some(folder) = &verb.objects {
        let keys = names.keys.clone();
        // No account is asked for what is in a folder.
        let account = session.spec.account.clone().map_or_else(|| "000000000000".parse(), Ok);
        let account = account.map_err(|why: &str| Failure::Local(Reason::new(why)))?;
        let stack = names.in_account(account)?;
        let page = session.spec.maintenance.page.clone();
        let site = folder::Site::open(folder, keys, page, session.spec.bucket.headers.clone())
            .map_err(|error| Reason::new(format!("folder {}: {error}", folder.display())))
            .map_err(Failure::Local)?;
        let site = Arc::new(site);
        return Ok((stack, site.clone(), site, format!("folder {}", folder.display())));
    }
    // A bucket that is not there would answer everything with "access denied".
    let deadline = Deadline::new(session.place.watch());
    let (stack, _, _) = session.place.switch(&session.target(), &deadline).await?;
    match &session.place.cloud {
        AnyCloud::Sandbox(cloud) => {
            let world = Arc::new(sandbox::Bucket {
                cloud: cloud.clone(),
                stack: stack.clone(),
                session: Arc::clone(session),
            });
            Ok((stack, world.clone(), world, "sandbox".into()))
        }
        AnyCloud::Aws(cloud) => {
            let bucket = Arc::new(bucket::Bucket {
                cloud: (**cloud).clone(),
                stack: stack.clone(),
                session: Arc::clone(session),
            });
            let from = format!("bucket {} (read only)", stack.bucket);
            Ok((stack, bucket.clone(), bucket, from))
        }
    }
}

/// The paths of a behavior, as the local edge knows them.
fn pattern(behavior: &Behavior) -> String {
    match behavior {
        Behavior::Default => "*".into(),
        Behavior::Pattern(pattern) => pattern.clone(),
    }
}

fn settings(
    spec: &Spec,
    stack: &Stack,
    keys: &BTreeMap<ObjectKey, PathBuf>,
    (port, from): (u16, String),
) -> EdgeSettings {
    let distribution = match &spec.distribution {
        DistributionSpec::Owned(owned) => Distribution {
            id: "EDEVELOPMENT".into(),
            domain_name: owned
                .aliases
                .first()
                .cloned()
                .unwrap_or_else(|| "dev.cloudfront.net".into()),
            default_root_object: Some(owned.default_root_object.clone()),
            custom_errors: match desired::missing(spec, owned, keys) {
                Missing::Said => Vec::new(),
                Missing::Root => CustomError::missing(&owned.default_root_object, 200),
                Missing::Page(page) => CustomError::missing(&page, 404),
            },
            hidden: desired::hidden(spec).map(str::to_owned).collect(),
            function_on: vec!["*".into()],
            root_before_function: false,
        },
        // What another owner's distribution does beside our slots is not known here.
        DistributionSpec::Attached(attached) => Distribution {
            id: attached.id.to_string(),
            domain_name: "dev.cloudfront.net".into(),
            default_root_object: Some("index.html".into()),
            custom_errors: Vec::new(),
            hidden: desired::hidden(spec).map(str::to_owned).collect(),
            function_on: attached.behaviors.iter().map(pattern).collect(),
            root_before_function: false,
        },
    };
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    EdgeSettings {
        port,
        distribution,
        function: Function {
            name: stack.names.function.to_string(),
            version: "1".into(),
            account: stack.account.to_string(),
            region: stack.names.region.to_string(),
            memory: spec.function.memory,
            timeout: spec.function.timeout,
            search_path: variable("PATH").unwrap_or_default(),
            instances: 4,
        },
        bucket: stack.bucket.to_string(),
        about: vec![
            fact("stack", stack.names.stack.to_string()),
            fact("bucket", stack.bucket.to_string()),
            fact(
                "function",
                format!(
                    "{} ({}, {} MB)",
                    stack.names.function, spec.function.runtime, spec.function.memory
                ),
            ),
            fact("objects", from),
        ],
        viewer_address: None,
        masked: spec.maintenance.bypass_cookie.clone(),
    }
}

/// The package as the spec has it now: loaded anew each time, so that an edit of source or spec
/// shows at once. What runs is what would be uploaded, unpacked beside the spec.
fn package_source(file: PathBuf, objects: Option<PathBuf>, stack: Stack) -> PackageSource {
    Arc::new(move || {
        let loaded =
            load(&file, &variable, Files::Needed).map_err(|problems| problems.render(false))?;
        let spec = loaded.spec;
        let keys = desired::keys(&spec, objects.as_deref()).map_err(|fault| fault.to_string())?;
        let pages = desired::pages(&spec, &keys).0;
        let files = desired::package_files(&spec, &stack, &pages).map_err(|fault| fault.message)?;
        let runtime = Runtime::parse(&spec.function.runtime)
            .ok_or_else(|| format!("runtime `{}` cannot run here", spec.function.runtime))?;
        let handler = desired::handler(&spec.function.source).to_owned();
        let hash = digest(&files);
        let beside =
            spec.file.parent().unwrap_or(Path::new("")).join(".provision").join("edge").join(&hash);
        unpack(&files, &beside)
            .map_err(|error| format!("could not unpack the function: {error}"))?;
        Ok(Package { directory: beside, handler, runtime, hash })
    })
}

fn digest(files: &PackageFiles) -> String {
    let mut digest = Sha256::new();
    for (name, bytes) in files {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
    hex::encode(digest.finalize())[..16].to_owned()
}

fn unpack(files: &PackageFiles, folder: &Path) -> std::io::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        if path.exists() {
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&beside, bytes)?;
        std::fs::rename(beside, path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moment_is_beyond_the_calendar() {
        assert_eq!(moment(60), UNIX_EPOCH + Duration::from_mins(1));
        assert_eq!(moment(u64::MAX), UNIX_EPOCH);
    }
}
