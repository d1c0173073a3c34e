//! Creates and changes the function: each write is guarded, and one whose reply was lost counts
//! as done.

use super::observe::{FILE_SYSTEMS, KMS_KEY, SNAP_START, observe};
use super::settle::{active, updated, when_idle};
use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::wait::{self, Waited};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::function::{Configure, Create, Frozen, Live, Publish, Settings, Upload};
use crate::resource::tags::Difference;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FunctionCode, Runtime,
    SnapStart, SnapStartApplyOn, TracingConfig, TracingMode, VpcConfig,
};

pub(super) async fn create(
    clients: &Clients,
    name: &FunctionName,
    Create { settings, package }: &Create,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let Frozen { code_sha256: _, runtime, handler, memory, timeout, role, refused: _, description } =
        &settings.frozen;
    let waited = wait::until(
        context,
        &change.address,
        "Lambda to be able to assume the \
            role",
        (clients.rhythm.quick, wait::PROPAGATION),
        || async {
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
            match sent.map_err(|error| fault(format!("create function {name}"), &error)) {
                Ok(answer) => {
                    let number = answer.version().and_then(|number| number.parse().ok());
                    Ok(Some(
                        number.map_or(Done::AlreadySo, |number: u64| {
                            Done::Changed(number.to_string())
                        }),
                    ))
                }
                Err(fault) if fault.kind == FaultKind::NotPropagated => Ok(None),
                // A reply of ours that was lost, or another run of the same plan: ours if it is
                // exactly what we wanted.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => Ok(Some(
                    observe(clients, name)
                        .await?
                        .filter(|live| live.settings.frozen == settings.frozen)
                        .and_then(|live| live.number_of(&settings.frozen.name()))
                        .map(|number| Done::Changed(number.to_string()))
                        .ok_or_else(|| {
                            fault.hinted(
                                "another user created a function of this name in the \
                                meantime: run the same command again",
                            )
                        })?,
                )),
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    match waited {
        Waited::Met(done) => Ok(done),
        Waited::OutOfTime | Waited::Stopped => Ok(Done::Deferred {
            reason: "IAM has not told Lambda about the role yet".into(),
            try_again_after: wait::PROPAGATION,
        }),
    }
}

/// Waits for the version that `create` made and remembers its number.
pub(super) async fn learn(
    clients: &Clients,
    name: &FunctionName,
    Create { settings, .. }: &Create,
    change: &Change,
    context: &Context<'_>,
    done: Done,
) -> Result<Done, Fault> {
    let Done::Changed(number) = &done else { return Ok(done) };
    let Ok(number) = number.parse() else { return Ok(done) };
    active(clients, name, number, &settings.frozen.name(), change, context).await?;
    Ok(Done::Changed(format!("version {number} published")))
}

/// Configures the function, unless it is so already.
pub(super) async fn reconfigure(
    clients: &Clients,
    name: &FunctionName,
    Configure { before, after, revision }: &Configure,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let sent =
        when_idle(clients, change, context, || configure(clients, name, before, after, revision))
            .await;
    // The code is another op's.
    let same = |live: &Live| {
        let code_sha256 = live.settings.frozen.code_sha256.clone();
        live.settings.frozen == Frozen { code_sha256, ..after.frozen.clone() }
    };
    let was_so = unless_so(clients, name, sent, same).await?.is_err();
    let done = updated(clients, name, change, context).await?;
    Ok(if was_so { Done::AlreadySo } else { done })
}

async fn configure(
    clients: &Clients,
    name: &FunctionName,
    before: &Settings,
    after: &Settings,
    revision: &str,
) -> Result<(), Fault> {
    let had = |setting: &str| before.frozen.refused.contains(setting);
    let Frozen { code_sha256: _, runtime, handler, memory, timeout, role, refused: _, description } =
        &after.frozen;
    let sent = clients
        .lambda
        .update_function_configuration()
        .function_name(name.as_str())
        .runtime(Runtime::from(runtime.as_str()))
        .handler(handler)
        .role(role)
        .memory_size(i32::try_from(*memory).unwrap_or(i32::MAX))
        .timeout(i32::try_from(*timeout).unwrap_or(i32::MAX))
        .description(description)
        .environment(
            Environment::builder().set_variables(Some(std::collections::HashMap::new())).build(),
        )
        .set_layers(Some(Vec::new()))
        .vpc_config(
            VpcConfig::builder()
                .set_subnet_ids(Some(Vec::new()))
                .set_security_group_ids(Some(Vec::new()))
                .build(),
        )
        .dead_letter_config(DeadLetterConfig::builder().target_arn("").build())
        .tracing_config(TracingConfig::builder().mode(TracingMode::PassThrough).build())
        .ephemeral_storage(
            EphemeralStorage::builder().size(512).build().map_err(|error| {
                Fault::new(FaultKind::Local, "build a request", error.to_string())
            })?,
        )
        // Not every runtime knows these.
        .set_file_system_configs(had(FILE_SYSTEMS).then(Vec::new))
        .set_snap_start(
            had(SNAP_START).then(|| SnapStart::builder().apply_on(SnapStartApplyOn::None).build()),
        )
        .set_kms_key_arn(had(KMS_KEY).then(String::new))
        .revision_id(revision)
        .send()
        .await;
    sent.map(drop).map_err(|error| fault(format!("configure function {name}"), &error))
}

/// Uploads the code, and publishes it where the op says so.
pub(super) async fn upload(
    clients: &Clients,
    name: &FunctionName,
    Upload { after, package, publish, revision, .. }: &Upload,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let revision = revision.clone().or_else(|| context.references(|known| known.revision.clone()));
    let sent = when_idle(clients, change, context, || async {
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
    })
    .await;
    let same = |live: &Live| {
        live.settings.frozen == *after && (!publish || live.number_of(&after.name()).is_some())
    };
    let (number, done) = match unless_so(clients, name, sent, same).await? {
        Ok(answer) => {
            let number: Option<u64> = answer.version().and_then(|number| number.parse().ok());
            (
                number,
                Done::Changed(
                    number.map(|number| format!("version {number} published")).unwrap_or_default(),
                ),
            )
        }
        Err(live) => (live.number_of(&after.name()), Done::AlreadySo),
    };
    match number.filter(|_| *publish) {
        Some(number) => active(clients, name, number, &after.name(), change, context).await?,
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
) -> Result<Done, Fault> {
    // The hash guards the code, the revision also the configuration.
    let revision = context.references(|known| known.revision.clone());
    let sent = when_idle(clients, change, context, || async {
        let request = clients
            .lambda
            .publish_version()
            .function_name(name.as_str())
            .code_sha256(&frozen.code_sha256);
        let sent = request.set_revision_id(revision.clone()).send().await;
        sent.map_err(|error| fault(format!("publish a version of function {name}"), &error))
    })
    .await;
    let (number, done) =
        match unless_so(clients, name, sent, |live| live.number_of(&frozen.name()).is_some())
            .await?
        {
            Ok(answer) => {
                let number = answer.version().and_then(|number| number.parse().ok());
                (
                    number,
                    Done::Changed(
                        number
                            .map(|number: u64| format!("version {number} published"))
                            .unwrap_or_default(),
                    ),
                )
            }
            Err(live) => (live.number_of(&frozen.name()), Done::AlreadySo),
        };
    let number = number.ok_or_else(|| {
        Fault::new(
            FaultKind::Refused,
            format!("publish a version of function {name}"),
            "AWS gave no number",
        )
    })?;
    active(clients, name, number, &frozen.name(), change, context).await?;
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

/// A guarded write that was refused because the function has moved on, to exactly where we wanted
/// it: a reply of ours that was lost, or another run of the same plan. Then what is there is
/// returned as the inner error.
async fn unless_so<T>(
    clients: &Clients,
    name: &FunctionName,
    sent: Result<T, Fault>,
    same: impl Fn(&Live) -> bool,
) -> Result<Result<T, Live>, Fault> {
    match sent {
        Err(fault) if fault.kind == FaultKind::MovedOn => {
            let live = observe(clients, name).await?.filter(same);
            live.map(Err).ok_or(fault)
        }
        sent => sent.map(Ok),
    }
}
