//! Access to a service's own document, byte for byte, on both sides of the SDK.
//!
//! The SDK's types drop fields that they do not know; a read-modify-write through them would erase
//! what AWS added since the SDK was made. So the raw answer is captured, edited as text, and put
//! back in place of the SDK's own body, before signing.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the raw body of the last answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawAnswer(Arc<Mutex<String>>);

impl RawAnswer {
    /// The body as text; empty where there was none.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[dyn_dispatch_hint]
impl Intercept for RawAnswer {
    fn name(&self) -> &'static str {
        "RawAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                String::from_utf8_lossy(bytes).into_owned();
        }
        Ok(())
    }
}

/// Replaces the body of a request with `document`.
pub(crate) fn send_instead(document: String) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    move |request| {
        request.headers_mut().insert("content-length", document.len().to_string());
        *request.body_mut() = SdkBody::from(document.clone());
    }
}
