//! How every service, and the probe, is reached: through the proxy that the environment names
//! (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), with TLS by the machine's certificates
//! or by the bundle that the user names (`AWS_CA_BUNDLE`, or `ca_bundle` in the profile).

use super::cause::causes;
use crate::change::{Fault, FaultKind};
use crate::file;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpClient,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::collections::BTreeMap;
use std::path::Path;

/// A bundle of certificates is never larger. In bytes.
const LARGEST_BUNDLE: u64 = 16 * 1024 * 1024;

/// Whose certificates are trusted.
///
/// # Errors
/// The bundle cannot be read.
pub(crate) fn trust(bundle: Option<&Path>) -> Result<TlsContext, Fault> {
    let store = match bundle {
        None => TrustStore::default(),
        Some(path) => {
            let refuse = |why: String| {
                let tried = format!("read the certificates in {}", path.display());
                Fault::new(FaultKind::Local, tried, why).hinted(
                    "correct AWS_CA_BUNDLE, or `ca_bundle` in the profile: it names a file in PEM \
                        form",
                )
            };
            let pem =
                file::read(path, LARGEST_BUNDLE).map_err(|error| refuse(error.to_string()))?;
            if !pem.windows(BEGIN.len()).any(|part| part == BEGIN) {
                return Err(refuse("it holds no certificate".into()));
            }
            TrustStore::empty().with_pem_certificate(pem)
        }
    };
    let context = TlsContext::builder().with_trust_store(store).build();
    context.map_err(|error| Fault::new(FaultKind::Local, "set TLS up", error.to_string()))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A client for the SDK.
pub(crate) fn client(trust: TlsContext) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, _| connector(&trust, settings.cloned()))
}

/// One connection after the other, as `settings` say how long it may take.
fn connector(trust: &TlsContext, settings: Option<HttpConnectorSettings>) -> Connector {
    let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
    builder.set_connector_settings(settings);
    builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).tls_context(trust.clone()).build()
}

/// Asks a web site, as a visitor's browser on this machine would.
#[derive(Debug)]
pub(crate) struct Web(Connector);

impl Web {
    pub(crate) fn new(trust: &TlsContext) -> Self {
        Self(connector(trust, None))
    }

    /// Returns status and headers; the body is not read.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn ask(
        &self,
        url: &str,
        agent: &'static str,
    ) -> Result<(u16, BTreeMap<String, String>), String> {
        let mut request = HttpRequest::empty();
        request.set_uri(url).map_err(|error| error.to_string())?;
        request.headers_mut().insert("user-agent", agent);
        let answered = self.0.call(request).await;
        let response = answered.map_err(|error| format!("no answer: {}", causes(&error)))?;
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok((response.status().as_u16(), headers))
    }
}
