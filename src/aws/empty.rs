//! An empty success is no answer. Lambda and CloudWatch Logs answer whoever reads with members in
//! JSON, and the SDK takes a body without a byte for an object without members: for "there is
//! nothing".

use super::lost::writes;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Refuses the empty answer to a read.
#[derive(Clone, Debug)]
pub(super) struct Empty;

#[derive(Debug, thiserror::Error)]
#[error("it is empty")]
struct IsEmpty;

#[dyn_dispatch_hint]
impl Intercept for Empty {
    fn name(&self) -> &'static str {
        "Empty"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reads = bag.load::<Metadata>().is_some_and(|call| !writes(call.name()));
        let response = context.response();
        let is_empty = response.body().bytes().is_some_and(<[u8]>::is_empty);
        if reads && response.status().is_success() && is_empty {
            Err(IsEmpty.into())
        } else {
            Ok(())
        }
    }
}
