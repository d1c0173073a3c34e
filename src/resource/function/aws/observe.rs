//! Reads the function: what is frozen in it and in its versions, and what Lambda@Edge would
//! refuse.

use super::restriction::refused;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault, in_answer};
use crate::change::{Fault, FaultKind};
use crate::name::FunctionName;
use crate::resource::Tags;
use crate::resource::function::{Frozen, Live, Settings, Version};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{FunctionConfiguration, PackageType, Runtime};

/// Reads the function: one call, and one more for the versions where it exists.
pub(crate) async fn observe(clients: &Clients, name: &FunctionName) -> Result<Option<Live>, Fault> {
    let sent = clients.lambda.get_function().function_name(name.as_str()).send().await;
    let Some(answer) =
        absent(sent.map_err(|error| fault(format!("read function {name}"), &error)))?
    else {
        return Ok(None);
    };
    let tags = tags(name, &answer)?;
    let configuration = answer.configuration.ok_or_else(|| {
        let tried = format!("read function {name}");
        Fault::new(FaultKind::Unreachable, tried, "AWS's answer tells nothing of the function")
    })?;
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

#[cfg(test)]
mod tests;
