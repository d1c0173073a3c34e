//! AWS's clock: the `Date` of an answer. Windows begin and end by it, whatever the clock of this
//! machine says.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the `Date` of the last answer, also of one that says no.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dated(Arc<Mutex<Option<Timestamp>>>);

impl Dated {
    /// The moment of the last answer; this machine's, where no answer was dated.
    #[must_use]
    pub(crate) fn moment(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Timestamp::now)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Dated {
    fn name(&self) -> &'static str {
        "Dated"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .headers()
            .get("date")
            .and_then(|date| httpdate::parse_http_date(date).ok());
        if let Some(moment) = date.and_then(|date| Timestamp::try_from(date).ok()) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment);
        }
        Ok(())
    }
}
