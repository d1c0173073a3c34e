//! Reads the function: what is frozen in it and in its versions, and what Lambda@Edge would
//! refuse.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault, in_answer};
use crate::change::Fault;
use crate::name::FunctionName;
use crate::resource::Tags;
use crate::resource::function::{ARCHITECTURE, Frozen, Live, Settings, Version};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, FunctionConfiguration, PackageType, Runtime, SnapStartApplyOn,
    TracingMode,
};
use std::collections::BTreeSet;

/// Reads the function: one call, and one more for the versions where it exists.
pub(crate) async fn observe(clients: &Clients, name: &FunctionName) -> Result<Option<Live>, Fault> {
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
pub(super) fn tags(name: &FunctionName, answer: &GetFunctionOutput) -> Result<Tags, Fault> {
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

pub(super) fn frozen(configuration: &FunctionConfiguration) -> Frozen {
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

pub(super) const FILE_SYSTEMS: &str = "file systems";
pub(super) const SNAP_START: &str = "SnapStart";
pub(super) const KMS_KEY: &str = "KMS key";

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

#[cfg(test)]
mod tests;
