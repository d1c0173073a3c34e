//! Waits until Lambda is done: with an earlier change, with an update, with a version.

use crate::aws::Clients;
use crate::aws::fault::fault;
use crate::aws::wait::{self, Early};
use crate::change::{Change, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::FunctionName;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use std::future::Future;

/// CloudFront takes only a version that is active (docs/aws.md, "an association needs an active
/// version").
pub(super) async fn active(
    clients: &Clients,
    name: &FunctionName,
    number: u64,
    version: &str,
    change: &Change,
    context: &Context<'_>,
) -> Result<(), Early> {
    let tried = format!("wait for version {number} of function {name}");
    let waited = wait::until_seen(
        context,
        (&change.address, &format!("version {number} to become active")),
        (clients.rhythm.quick, wait::ACTIVATION),
        // Lambda may not know what it has just published.
        &[FaultKind::NotFound],
        || async {
            let answer = configuration(clients, name, Some(number), &tried).await?;
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
    waited.or_later(format!("version {number} is still pending"), wait::ACTIVATION)?;
    context.references(|known| known.versions.insert(version.to_owned(), number));
    Ok(())
}

/// Lambda takes one change after the other: what it refuses because it is still busy with an
/// earlier one is sent again.
pub(super) async fn when_idle<T, Sent>(
    clients: &Clients,
    change: &Change,
    context: &Context<'_>,
    send: impl Fn() -> Sent,
) -> Result<T, Early>
where
    Sent: Future<Output = Result<T, Fault>>,
{
    let waited = wait::until(
        context,
        (&change.address, "Lambda to finish an earlier change"),
        (clients.rhythm.quick, wait::ACTIVATION),
        &[FaultKind::Busy],
        || async { send().await.map(Some) },
    )
    .await?;
    waited.or_later("an earlier change of the function is still in progress", wait::ACTIVATION)
}

pub(super) async fn updated(
    clients: &Clients,
    name: &FunctionName,
    change: &Change,
    context: &Context<'_>,
) -> Result<Done, Early> {
    let tried = format!("wait for function {name}");
    let waited = wait::until_seen(
        context,
        (&change.address, "Lambda to finish the update"),
        (clients.rhythm.quick, wait::ACTIVATION),
        &[],
        || async {
            let answer = configuration(clients, name, None, &tried).await?;
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
    let revision = waited.or_later("the update is still in progress", wait::ACTIVATION)?;
    context.references(|known| known.revision = revision);
    Ok(Done::Changed(String::new()))
}

/// How the function, or one of its versions, is at present.
async fn configuration(
    clients: &Clients,
    name: &FunctionName,
    version: Option<u64>,
    tried: &str,
) -> Result<GetFunctionConfigurationOutput, Fault> {
    let request = clients.lambda.get_function_configuration().function_name(name.as_str());
    let sent = request.set_qualifier(version.map(|number| number.to_string())).send().await;
    sent.map_err(|error| fault(tried, &error))
}
