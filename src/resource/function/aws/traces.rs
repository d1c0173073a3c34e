//! Finds the functions of every stack in an account.

use super::observe::tags;
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::Fault;
use crate::name::FunctionName;
use crate::resource::{Mark, Owner, ResourceId, Trace, Traces, marked, stack_in};
use std::collections::BTreeSet;

/// Finds what is ours of this kind in the whole account, and the names of all functions.
pub(crate) async fn traces(clients: &Clients) -> Result<(Traces, BTreeSet<FunctionName>), Fault> {
    let mut pages = clients.lambda.list_functions().into_paginator().send();
    let (mut traces, mut names) = (Traces::default(), BTreeSet::new());
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
            let owner = Owner::by_either(stack_in(&tags), Some(stack), Mark::Description);
            let id = ResourceId::Function(name);
            traces.add(&owner, id, &tags, |trace| Trace { since, ..trace });
        }
    }
    Ok((traces, names))
}
