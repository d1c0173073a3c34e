//! Creates and changes the function: each write is guarded, and one whose reply was lost counts
//! as done.

use super::observe::observe;
use super::restriction::cleared;
use super::settle::{active, updated, when_idle};
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::wait::{self, Early};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::{Configure, Create, Frozen, Live, Publish, Settings, Upload};
use crate::resource::tags::Difference;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, FunctionCode, Runtime};
use std::future::Future;

/// Creates the function with its first version, and waits for that.
pub(super) async fn create(
    clients: &Clients,
    name: &FunctionName,
    op: &Create,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Early> {
    let version = op.settings.frozen.name();
    let waited = wait::until(
        context,
        (&change.address, "Lambda to be able to assume the role"),
        (clients.rhythm.quick, wait::PROPAGATION),
        // Busy while an earlier function of this name is being deleted.
        &[FaultKind::NotPropagated, FaultKind::Busy],
        || async {
            match send_creation(clients, name, op).await {
                Ok(number) => Ok(Some(number)),
                // A reply of ours that was lost, or another run of the same plan: ours if it is
                // exactly what we wanted.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => {
                    let ours = |live: &Live| live.settings.frozen == op.settings.frozen;
                    let found = observe(clients, name).await?.filter(ours);
                    let number = found.and_then(|live| live.number_of(&version));
                    number.map(Some).ok_or_else(|| {
                        fault.hinted(
                            "another user created a function of this name in the meantime: run \
                                the same command again",
                        )
                    })
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    let still = "Lambda does not take the function and its role yet";
    let number = waited.or_later(still, wait::PROPAGATION)?;
    active(clients, name, number, &version, change, context).await?;
    Ok(published(number))
}

/// Sends the creation; returns the first version's number.
async fn send_creation(
    clients: &Clients,
    name: &FunctionName,
    Create { settings, package }: &Create,
) -> Result<u64, Fault> {
    let Frozen { code_sha256: _, runtime, handler, memory, timeout, role, refused: _, description } =
        &settings.frozen;
    let sent = clients
        .lambda
        .create_function()
        .function_name(name.as_str())
        .runtime(Runtime::from(runtime.as_str()))
        .handler(handler)
        .role(role)
        .memory_size(i32::try_from(*memory).unwrap_or(i32::MAX))
        .timeout(i32::try_from(*timeout).unwrap_or(i32::MAX))
        .description(description)
        .architectures(Architecture::X8664)
        .set_tags(Some(settings.tags.clone().into_iter().collect()))
        .code(FunctionCode::builder().zip_file(Blob::new(package.bytes.to_vec())).build())
        .publish(true)
        .send()
        .await;
    let answer = sent.map_err(|error| fault(format!("create function {name}"), &error))?;
    number(name, answer.version())
}

/// The number of the version that a call has published.
fn number(name: &FunctionName, version: Option<&str>) -> Result<u64, Fault> {
    version.and_then(|number| number.parse().ok()).ok_or_else(|| {
        let tried = format!("publish a version of function {name}");
        Fault::new(FaultKind::Refused, tried, "AWS gave no number")
    })
}

fn published(number: u64) -> Done {
    Done::Changed(format!("version {number} published"))
}

/// Configures the function, unless it is so already.
pub(super) async fn reconfigure(
    clients: &Clients,
    name: &FunctionName,
    Configure { before, after, revision }: &Configure,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Early> {
    let send = |revision: Option<String>| async move {
        when_idle(clients, change, context, || {
            configure(clients, name, before, after, revision.clone())
        })
        .await
    };
    // The code is another op's.
    let same = |live: &Live| {
        let code_sha256 = live.settings.frozen.code_sha256.clone();
        (live.settings.frozen == Frozen { code_sha256, ..after.frozen.clone() }).then_some(())
    };
    let as_seen = |live: &Live| live.settings.frozen == before.frozen;
    let revision = Some(revision.clone());
    let written = guarded(clients, name, revision, send, (as_seen, same)).await?;
    let done = updated(clients, name, change, context).await?;
    Ok(match written {
        Written::Now(()) => done,
        Written::Before(()) => Done::AlreadySo,
    })
}

async fn configure(
    clients: &Clients,
    name: &FunctionName,
    before: &Settings,
    after: &Settings,
    revision: Option<String>,
) -> Result<(), Fault> {
    let Frozen { code_sha256: _, runtime, handler, memory, timeout, role, refused: _, description } =
        &after.frozen;
    let request = clients
        .lambda
        .update_function_configuration()
        .function_name(name.as_str())
        .runtime(Runtime::from(runtime.as_str()))
        .handler(handler)
        .role(role)
        .memory_size(i32::try_from(*memory).unwrap_or(i32::MAX))
        .timeout(i32::try_from(*timeout).unwrap_or(i32::MAX))
        .description(description)
        .set_revision_id(revision);
    let sent = cleared(request, &before.frozen.refused).send().await;
    sent.map(drop).map_err(|error| fault(format!("configure function {name}"), &error))
}

/// Uploads the code, and publishes it where the op says so.
pub(super) async fn upload(
    clients: &Clients,
    name: &FunctionName,
    op @ Upload { after, package, publish, revision, .. }: &Upload,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Early> {
    let revision = revision.clone().or_else(|| context.references(|known| known.revision.clone()));
    let send = |revision: Option<String>| async move {
        let upload = || async {
            let sent = clients
                .lambda
                .update_function_code()
                .function_name(name.as_str())
                .zip_file(Blob::new(package.bytes.to_vec()))
                .architectures(Architecture::X8664)
                .publish(*publish)
                .set_revision_id(revision.clone())
                .send()
                .await;
            sent.map_err(|error| fault(format!("upload code of function {name}"), &error))
        };
        when_idle(clients, change, context, upload).await
    };
    let version = after.name();
    let same = |live: &Live| {
        let number = live.number_of(&version).filter(|_| *publish);
        let is_so = live.settings.frozen == *after && number.is_some() == *publish;
        is_so.then_some(number)
    };
    let as_seen = |live: &Live| op.was_seen_as(live);
    let written = guarded(clients, name, revision, send, (as_seen, same)).await?;
    let (number, done) = match written {
        Written::Now(answer) if *publish => {
            let number = number(name, answer.version())?;
            (Some(number), published(number))
        }
        Written::Now(_) => (None, Done::Changed(String::new())),
        Written::Before(number) => (number, Done::AlreadySo),
    };
    match number {
        Some(number) => active(clients, name, number, &version, change, context).await?,
        None => drop(updated(clients, name, change, context).await?),
    }
    Ok(done)
}

/// Publishes what is deployed, unless a version is the same.
pub(super) async fn publish(
    clients: &Clients,
    name: &FunctionName,
    Publish { frozen }: &Publish,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Early> {
    // The hash guards the code, the revision also the configuration.
    let revision = context.references(|known| known.revision.clone());
    let send = |revision: Option<String>| async move {
        let publish = || async {
            let request = clients
                .lambda
                .publish_version()
                .function_name(name.as_str())
                .code_sha256(&frozen.code_sha256);
            let sent = request.set_revision_id(revision.clone()).send().await;
            sent.map_err(|error| fault(format!("publish a version of function {name}"), &error))
        };
        when_idle(clients, change, context, publish).await
    };
    let version = frozen.name();
    let same = |live: &Live| live.number_of(&version);
    let as_seen = |live: &Live| live.settings.frozen == *frozen;
    let written = guarded(clients, name, revision, send, (as_seen, same)).await?;
    let (number, done) = match written {
        Written::Now(answer) => {
            let number = number(name, answer.version())?;
            (number, published(number))
        }
        Written::Before(number) => (number, Done::AlreadySo),
    };
    active(clients, name, number, &version, change, context).await?;
    Ok(done)
}

pub(super) async fn set_tags(
    clients: &Clients,
    name: &FunctionName,
    arn: &str,
    tags: &Difference,
) -> Result<Done, Fault> {
    let (gone, wanted) = (tags.removed(), tags.set());
    if !gone.is_empty() {
        let sent =
            clients.lambda.untag_resource().resource(arn).set_tag_keys(Some(gone)).send().await;
        sent.map_err(|error| fault(format!("untag function {name}"), &error))?;
    }
    if !wanted.is_empty() {
        let sent = clients
            .lambda
            .tag_resource()
            .resource(arn)
            .set_tags(Some(wanted.into_iter().collect()))
            .send()
            .await;
        sent.map_err(|error| fault(format!("tag function {name}"), &error))?;
    }
    Ok(Done::Changed(String::new()))
}

/// How a guarded write ended.
enum Written<Answer, Found> {
    /// With this answer.
    Now(Answer),
    /// It was refused because the function has moved on, to exactly where we wanted it: a reply of
    /// ours that was lost, or another run of the same plan.
    Before(Found),
}

/// Sends a write that `revision` guards. Where the function has moved on since, it is looked at:
/// `same` finds what was wanted, if it is there. AWS itself gives a function another revision as
/// soon as a change of it is complete (docs/aws.md, "guards of a function"), so one that is still
/// `as_seen` is written with the revision that it has now.
async fn guarded<Answer, Found, Sent>(
    clients: &Clients,
    name: &FunctionName,
    revision: Option<String>,
    send: impl Fn(Option<String>) -> Sent,
    (as_seen, same): (impl Fn(&Live) -> bool, impl Fn(&Live) -> Option<Found>),
) -> Result<Written<Answer, Found>, Early>
where
    Sent: Future<Output = Result<Answer, Early>>,
{
    let fault = match send(revision.clone()).await {
        Err(Early::Fault(fault)) if fault.kind == FaultKind::MovedOn => fault,
        answered => return answered.map(Written::Now),
    };
    let Some(live) = observe(clients, name).await? else { return Err(fault.into()) };
    if let Some(found) = same(&live) {
        return Ok(Written::Before(found));
    }
    if !as_seen(&live) || revision.as_ref() == Some(&live.revision) {
        return Err(fault.into());
    }
    send(Some(live.revision)).await.map(Written::Now)
}
