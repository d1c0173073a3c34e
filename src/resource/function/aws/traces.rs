//! Finds the functions of every stack in an account.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::Fault;
use crate::name::FunctionName;
use crate::resource::{Mark, Owner, ResourceId, Tags, Trace, Traces, marked, stack_in};
use std::collections::BTreeSet;

/// Finds what is ours of this kind in the whole account, and the names of all functions.
pub(crate) async fn traces(clients: &Clients) -> Result<(Traces, BTreeSet<FunctionName>), Fault> {
    let mut pages = clients.lambda.list_functions().into_paginator().send();
    let (mut traces, mut names) = (Traces::default(), BTreeSet::new());
    while let Some(page) = pages.next().await {
        for found in
            page.map_err(|error| fault("list the functions", &error))?.functions.unwrap_or_default()
        {
            let name = found.function_name().and_then(|name| name.parse::<FunctionName>().ok());
            let (Some(name), Some(arn)) = (name, found.function_arn()) else { continue };
            names.insert(name.clone());
            let Some(stack) = found.description().and_then(marked) else { continue };
            // Not GetFunction: whoever may call that for every function may read all their code.
            let sent = clients.lambda.list_tags().resource(arn).send().await;
            let tried = format!("read the tags of function {name}");
            let answer = absent(sent.map_err(|error| fault(tried, &error)))?;
            let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
            let tags: Tags = tags.into_iter().collect();
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
