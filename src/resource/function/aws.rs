//! The function on the wire.

use super::{ARCHITECTURE, Frozen, Live, Op, REPLICAS_LINGER, Settings, Version};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault, in_answer};
use crate::aws::wait::{self, Waited};
use crate::change::{Done, Fault, FaultKind, Kind};
use crate::context::Context;
use crate::name::FunctionName;
use crate::resource::tags::Difference;
use crate::resource::{Owner, Tags, Trace, marked, stack_in};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FunctionCode,
    FunctionConfiguration, LastUpdateStatus, PackageType, Runtime, SnapStart, SnapStartApplyOn,
    State, TracingConfig, TracingMode, VpcConfig,
};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads the function: one call, and one more for the versions where it exists.
///
/// # Errors
/// Any call's.
pub async fn observe(clients: &Clients, name: &FunctionName) -> Result<Option<Live>, Fault> {
    let sent = clients.lambda.get_function().function_name(name.as_str()).send().await;
    let Some(answer) =
        absent(sent.map_err(|error| fault(format!("read function {name}"), &error)))?
    else {
        return Ok(None);
    };
    let tags = tags(name, &answer)?;
    let Some(configuration) = answer.configuration else { return Ok(None) };
    let mut versions = Vec::new();
    let mut pages = clients
        .lambda
        .list_versions_by_function()
        .function_name(name.as_str())
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| fault(format!("list the versions of function {name}"), &error))?;
        versions.extend(page.versions.unwrap_or_default().iter().filter_map(|version| {
            let number = version.version()?.parse().ok()?;
            Some(Version { number, frozen: frozen(version) })
        }));
    }
    versions.sort_by_key(|version| version.number);
    Ok(Some(Live {
        settings: Settings { frozen: frozen(&configuration), tags },
        image: configuration.package_type == Some(PackageType::Image),
        revision: configuration.revision_id.unwrap_or_default(),
        versions,
    }))
}

/// The tags in an answer. Without the right to read them it comes without, and looks like a
/// function that has none (AWS Lambda API Reference, `GetFunction`).
fn tags(name: &FunctionName, answer: &GetFunctionOutput) -> Result<Tags, Fault> {
    if let Some(error) = answer.tags_error() {
        let tried = format!("read the tags of function {name}");
        return Err(in_answer(
            tried,
            Some(error.error_code()),
            Some(error.message()),
            &["lambda:ListTags"],
        ));
    }
    Ok(answer.tags().cloned().unwrap_or_default().into_iter().collect())
}

fn frozen(configuration: &FunctionConfiguration) -> Frozen {
    let number =
        |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
    Frozen {
        code_sha256: configuration.code_sha256().unwrap_or_default().to_owned(),
        runtime: configuration.runtime().map(Runtime::as_str).unwrap_or_default().to_owned(),
        handler: configuration.handler().unwrap_or_default().to_owned(),
        memory: number(configuration.memory_size()),
        timeout: number(configuration.timeout()),
        role: configuration.role().unwrap_or_default().to_owned(),
        refused: refused(configuration),
        description: configuration.description().unwrap_or_default().to_owned(),
    }
}

const FILE_SYSTEMS: &str = "file systems";
const SNAP_START: &str = "SnapStart";
const KMS_KEY: &str = "KMS key";

/// What Lambda@Edge would refuse (CloudFront Developer Guide, "Restrictions on Lambda@Edge").
fn refused(configuration: &FunctionConfiguration) -> BTreeSet<String> {
    let environment = configuration.environment().and_then(|environment| environment.variables());
    let found = [
        ("environment variables", environment.is_some_and(|variables| !variables.is_empty())),
        ("layers", !configuration.layers().is_empty()),
        ("VPC", configuration.vpc_config().is_some_and(|vpc| !vpc.subnet_ids().is_empty())),
        (
            "dead letter queue",
            configuration
                .dead_letter_config()
                .and_then(DeadLetterConfig::target_arn)
                .is_some_and(|arn| !arn.is_empty()),
        ),
        (
            "active tracing",
            configuration.tracing_config().and_then(|tracing| tracing.mode())
                == Some(&TracingMode::Active),
        ),
        (
            "ephemeral storage above 512 MB",
            configuration.ephemeral_storage().is_some_and(|storage| storage.size > 512),
        ),
        (FILE_SYSTEMS, !configuration.file_system_configs().is_empty()),
        (
            SNAP_START,
            configuration.snap_start().and_then(|snap| snap.apply_on())
                == Some(&SnapStartApplyOn::PublishedVersions),
        ),
        (KMS_KEY, configuration.kms_key_arn().is_some_and(|arn| !arn.is_empty())),
        (
            ARCHITECTURE,
            configuration
                .architectures()
                .iter()
                .any(|architecture| *architecture != Architecture::X8664),
        ),
    ];
    found.into_iter().filter(|(_, found)| *found).map(|(name, _)| name.to_owned()).collect()
}

/// Carries out one op.
///
/// # Errors
/// The call's.
#[expect(clippy::too_many_lines, reason = "one arm for each op")]
pub async fn apply(clients: &Clients, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
    match op {
        Op::Create { name, .. } => {
            let done = create(clients, op, context).await?;
            learn(clients, name, op, context, done).await
        }
        Op::Configure { name, before, after, revision } => {
            let sent = when_idle(clients, op, context, || {
                configure(clients, name, before, after, revision)
            })
            .await;
            // The code is another op's.
            let same = |live: &Live| {
                let code_sha256 = live.settings.frozen.code_sha256.clone();
                live.settings.frozen == Frozen { code_sha256, ..after.frozen.clone() }
            };
            let was_so = unless_so(clients, name, sent, same).await?.is_err();
            let done = updated(clients, name, op, context).await?;
            Ok(if was_so { Done::AlreadySo } else { done })
        }
        Op::Upload { name, after, package, publish, revision, .. } => {
            let revision =
                revision.clone().or_else(|| context.references(|known| known.revision.clone()));
            let sent = when_idle(clients, op, context, || async {
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
                live.settings.frozen == *after
                    && (!publish || live.number_of(&after.name()).is_some())
            };
            let (number, done) = match unless_so(clients, name, sent, same).await? {
                Ok(answer) => {
                    let number: Option<u64> =
                        answer.version().and_then(|number| number.parse().ok());
                    (
                        number,
                        Done::Changed(
                            number
                                .map(|number| format!("version {number} published"))
                                .unwrap_or_default(),
                        ),
                    )
                }
                Err(live) => (live.number_of(&after.name()), Done::AlreadySo),
            };
            match number.filter(|_| *publish) {
                Some(number) => active(clients, name, number, &after.name(), op, context).await?,
                None => drop(updated(clients, name, op, context).await?),
            }
            Ok(done)
        }
        Op::Publish { name, frozen } => {
            // The hash guards the code, the revision also the configuration.
            let revision = context.references(|known| known.revision.clone());
            let sent = when_idle(clients, op, context, || async {
                let request = clients
                    .lambda
                    .publish_version()
                    .function_name(name.as_str())
                    .code_sha256(&frozen.code_sha256);
                let sent = request.set_revision_id(revision.clone()).send().await;
                sent.map_err(|error| fault(format!("publish a version of function {name}"), &error))
            })
            .await;
            let (number, done) = match unless_so(clients, name, sent, |live| {
                live.number_of(&frozen.name()).is_some()
            })
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
            active(clients, name, number, &frozen.name(), op, context).await?;
            Ok(done)
        }
        Op::SetTags { name, arn, tags, .. } => {
            when_idle(clients, op, context, || set_tags(clients, name, arn, tags)).await
        }
        Op::Prune { name, number } => delete(clients, name, Some(*number), op, context).await,
        Op::Delete { name } => delete(clients, name, None, op, context).await,
    }
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

async fn create(clients: &Clients, op: &Op, context: &Context<'_>) -> Result<Done, Fault> {
    let Op::Create { name, settings, package } = op else { return Ok(Done::AlreadySo) };
    let Frozen { code_sha256: _, runtime, handler, memory, timeout, role, refused: _, description } =
        &settings.frozen;
    let address = op.change().address;
    let waited = wait::until(
        context,
        &address,
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
                                "somebody else created a function of this name in the \
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
async fn learn(
    clients: &Clients,
    name: &FunctionName,
    op: &Op,
    context: &Context<'_>,
    done: Done,
) -> Result<Done, Fault> {
    let (Op::Create { settings, .. }, Done::Changed(number)) = (op, &done) else { return Ok(done) };
    let Ok(number) = number.parse() else { return Ok(done) };
    active(clients, name, number, &settings.frozen.name(), op, context).await?;
    Ok(Done::Changed(format!("version {number} published")))
}

/// CloudFront takes only a version that is active (docs/aws.md, "an association needs an active
/// version").
async fn active(
    clients: &Clients,
    name: &FunctionName,
    number: u64,
    version: &str,
    op: &Op,
    context: &Context<'_>,
) -> Result<(), Fault> {
    let tried = format!("wait for version {number} of function {name}");
    let address = op.change().address;
    let waited = wait::until(
        context,
        &address,
        &format!("version {number} to become active"),
        (clients.rhythm.quick, wait::ACTIVATION),
        || async {
            let sent = clients
                .lambda
                .get_function_configuration()
                .function_name(name.as_str())
                .qualifier(number.to_string())
                .send()
                .await;
            let answer = sent.map_err(|error| fault(&tried, &error))?;
            match answer.state() {
                Some(State::Pending) => Ok(None),
                Some(State::Failed) => Err(Fault::new(
                    FaultKind::Refused,
                    &tried,
                    answer.state_reason().unwrap_or("the version failed"),
                )),
                _ => Ok(Some(())),
            }
        },
    )
    .await?;
    match waited {
        Waited::Met(()) => {
            context.references(|known| known.versions.insert(version.to_owned(), number));
            Ok(())
        }
        Waited::OutOfTime | Waited::Stopped => {
            Err(Fault::new(FaultKind::Busy, tried, "it is still pending")
                .hinted("run the same command again"))
        }
    }
}

/// Lambda takes one change after the other: what it refuses because it is still busy with an
/// earlier one is sent again.
async fn when_idle<T, Sent>(
    clients: &Clients,
    op: &Op,
    context: &Context<'_>,
    send: impl Fn() -> Sent,
) -> Result<T, Fault>
where
    Sent: Future<Output = Result<T, Fault>>,
{
    let change = op.change();
    let budget = (clients.rhythm.quick, wait::ACTIVATION);
    let waited = wait::until(
        context,
        &change.address,
        "Lambda to finish an earlier change",
        budget,
        || async {
            match send().await {
                Err(fault) if fault.kind == FaultKind::Busy => Ok(None),
                answered => answered.map(Some),
            }
        },
    )
    .await?;
    match waited {
        Waited::Met(answer) => Ok(answer),
        Waited::OutOfTime | Waited::Stopped => {
            let tried = format!("{} ({})", change.summary, change.address);
            Err(Fault::new(FaultKind::Busy, tried, "an earlier change is still in progress")
                .hinted("run the same command again"))
        }
    }
}

async fn updated(
    clients: &Clients,
    name: &FunctionName,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let tried = format!("wait for function {name}");
    let address = op.change().address;
    let waited = wait::until(
        context,
        &address,
        "Lambda to finish the update",
        (clients.rhythm.quick, wait::ACTIVATION),
        || async {
            let sent = clients
                .lambda
                .get_function_configuration()
                .function_name(name.as_str())
                .send()
                .await;
            let answer = sent.map_err(|error| fault(&tried, &error))?;
            match answer.last_update_status() {
                Some(LastUpdateStatus::InProgress) => Ok(None),
                Some(LastUpdateStatus::Failed) => Err(Fault::new(
                    FaultKind::Refused,
                    &tried,
                    answer.last_update_status_reason().unwrap_or("the update failed"),
                )),
                _ => Ok(Some(answer.revision_id)),
            }
        },
    )
    .await?;
    match waited {
        Waited::Met(revision) => {
            context.references(|known| known.revision = revision);
            Ok(Done::Changed(String::new()))
        }
        Waited::OutOfTime | Waited::Stopped => {
            Err(Fault::new(FaultKind::Busy, tried, "the update is still in progress")
                .hinted("run the same command again"))
        }
    }
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

async fn set_tags(
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

/// Deletes one version, or the function with all of them. Replicas at the edge can hold it for
/// hours: then it is deferred, after as much patience as the user asked for.
async fn delete(
    clients: &Clients,
    name: &FunctionName,
    number: Option<u64>,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let what = number.map_or_else(
        || format!("function {name}"),
        |number| format!("version {number} of function {name}"),
    );
    let patience = if number.is_some() { std::time::Duration::ZERO } else { context.patience };
    let address = op.change().address;
    let reason = "CloudFront still keeps replicas of it at the edge; AWS removes them by itself, \
        and nobody can hurry it";
    let held = AtomicBool::new(false);
    let waited = wait::until(
        context,
        &address,
        "CloudFront to remove its replicas",
        (clients.rhythm.replicas, patience),
        || async {
            let sent = clients
                .lambda
                .delete_function()
                .function_name(name.as_str())
                .set_qualifier(number.map(|number| number.to_string()))
                .send()
                .await;
            match absent(sent.map_err(|error| fault(format!("delete {what}"), &error))) {
                Ok(Some(_)) => Ok(Some(Done::Changed(String::new()))),
                Ok(None) => Ok(Some(Done::AlreadySo)),
                Err(fault) if fault.kind == FaultKind::Replicated => {
                    held.store(true, Ordering::Relaxed);
                    Ok(None)
                }
                // The wait takes hours: a network that sleeps in between is no failure, nor is the
                // end of the credentials.
                Err(fault) if !held.load(Ordering::Relaxed) => Err(fault),
                Err(fault)
                    if matches!(fault.kind, FaultKind::Unreachable | FaultKind::Throttled) =>
                {
                    Ok(None)
                }
                Err(fault) if fault.kind == FaultKind::Credentials => {
                    let reason = format!(
                        "{reason}; meanwhile the credentials have ended ({})",
                        fault.message
                    );
                    Ok(Some(Done::Deferred { reason, try_again_after: REPLICAS_LINGER }))
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    Ok(match waited {
        Waited::Met(done) => done,
        Waited::OutOfTime | Waited::Stopped => {
            Done::Deferred { reason: reason.into(), try_again_after: REPLICAS_LINGER }
        }
    })
}

/// Finds what is ours of this kind in the whole account, and the names of all functions.
///
/// # Errors
/// Any call's.
pub async fn traces(clients: &Clients) -> Result<(Vec<Trace>, BTreeSet<FunctionName>), Fault> {
    let mut pages = clients.lambda.list_functions().into_paginator().send();
    let (mut traces, mut names) = (Vec::new(), BTreeSet::new());
    while let Some(page) = pages.next().await {
        for found in
            page.map_err(|error| fault("list the functions", &error))?.functions.unwrap_or_default()
        {
            let Some(name) =
                found.function_name().and_then(|name| name.parse::<FunctionName>().ok())
            else {
                continue;
            };
            names.insert(name.clone());
            let Some(stack) = found.description().and_then(marked) else { continue };
            let sent = clients.lambda.get_function().function_name(name.as_str()).send().await;
            let answer =
                absent(sent.map_err(|error| fault(format!("read function {name}"), &error)))?;
            let tags = answer.map(|answer| tags(&name, &answer)).transpose()?.unwrap_or_default();
            let since = found
                .last_modified()
                .and_then(|text| text.replace("+0000", "Z").parse::<jiff::Timestamp>().ok());
            let since = since.and_then(|moment| u64::try_from(moment.as_second()).ok());
            if Owner::of(stack_in(&tags), Some(stack.clone())).is(&stack) {
                traces.push(Trace { since, ..Trace::of(stack, Kind::Function, name, &tags) });
            }
        }
    }
    Ok((traces, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::builders::FunctionConfigurationBuilder;
    use aws_sdk_lambda::types::{
        EnvironmentResponse, FileSystemConfig, Layer, LogFormat, LoggingConfig,
        RuntimeVersionConfig, SnapStartOptimizationStatus, SnapStartResponse,
        TracingConfigResponse, VpcConfigResponse,
    };

    /// What AWS fills in by itself, as recorded live.
    fn filled_in() -> FunctionConfigurationBuilder {
        let logging = LoggingConfig::builder()
            .log_format(LogFormat::Text)
            .log_group("/aws/lambda/shop-edge")
            .build();
        let off = SnapStartResponse::builder()
            .apply_on(SnapStartApplyOn::None)
            .optimization_status(SnapStartOptimizationStatus::Off);
        FunctionConfiguration::builder()
            .code_sha256("sha")
            .runtime(Runtime::Python313)
            .handler("m.h")
            .memory_size(128)
            .timeout(3)
            .role("arn:role")
            .package_type(PackageType::Zip)
            .architectures(Architecture::X8664)
            .ephemeral_storage(EphemeralStorage::builder().size(512).build().unwrap())
            .tracing_config(TracingConfigResponse::builder().mode(TracingMode::PassThrough).build())
            .environment(EnvironmentResponse::builder().set_variables(Some([].into())).build())
            .vpc_config(
                VpcConfigResponse::builder().set_subnet_ids(Some(Vec::new())).vpc_id("").build(),
            )
            .dead_letter_config(DeadLetterConfig::builder().build())
            .runtime_version_config(
                RuntimeVersionConfig::builder()
                    .runtime_version_arn("arn:aws:lambda:us-east-1::runtime:x")
                    .build(),
            )
            .logging_config(logging)
            .snap_start(off.build())
    }

    #[test]
    fn what_aws_fills_in_is_no_drift() {
        let bare = FunctionConfiguration::builder()
            .code_sha256("sha")
            .runtime(Runtime::Python313)
            .handler("m.h")
            .memory_size(128);
        assert_eq!(frozen(&filled_in().build()), frozen(&bare.timeout(3).role("arn:role").build()));
    }

    #[test]
    fn each_setting_is_read_back() {
        let whole = frozen(&filled_in().build());
        let rows = [
            filled_in().code_sha256("x"),
            filled_in().runtime(Runtime::Python312),
            filled_in().handler("x.h"),
            filled_in().memory_size(129),
            filled_in().timeout(4),
            filled_in().role("arn:x"),
        ];
        for changed in rows {
            let read = frozen(&changed.build());
            assert!(read != whole && read.name() != whole.name(), "{read:?}");
        }
        let refused = [
            (
                "environment variables",
                filled_in().environment(EnvironmentResponse::builder().variables("A", "b").build()),
            ),
            ("layers", filled_in().layers(Layer::builder().arn("arn").build())),
            (
                "VPC",
                filled_in().vpc_config(VpcConfigResponse::builder().subnet_ids("subnet").build()),
            ),
            (
                "dead letter queue",
                filled_in()
                    .dead_letter_config(DeadLetterConfig::builder().target_arn("arn").build()),
            ),
            (
                "active tracing",
                filled_in().tracing_config(
                    TracingConfigResponse::builder().mode(TracingMode::Active).build(),
                ),
            ),
            (
                "ephemeral storage above 512 MB",
                filled_in()
                    .ephemeral_storage(EphemeralStorage::builder().size(513).build().unwrap()),
            ),
            (
                FILE_SYSTEMS,
                filled_in().file_system_configs(
                    FileSystemConfig::builder()
                        .arn("arn")
                        .local_mount_path("/mnt/x")
                        .build()
                        .unwrap(),
                ),
            ),
            (
                SNAP_START,
                filled_in().snap_start(
                    SnapStartResponse::builder()
                        .apply_on(SnapStartApplyOn::PublishedVersions)
                        .build(),
                ),
            ),
            (KMS_KEY, filled_in().kms_key_arn("arn")),
            (ARCHITECTURE, filled_in().set_architectures(Some(vec![Architecture::Arm64]))),
        ];
        for (name, changed) in refused {
            assert_eq!(frozen(&changed.build()).refused, BTreeSet::from([name.to_owned()]));
        }
    }
}
