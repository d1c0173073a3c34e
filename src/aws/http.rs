//! How every service, and the probe, is reached: through the proxy that the environment names
//! (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), with TLS by the machine's certificates
//! or by the bundle that the user names (`AWS_CA_BUNDLE`, or `ca_bundle` in the profile). No proxy is
//! asked for this machine itself, nor for the agents on it that hand out its credentials.

use super::address::{Variable, proxy_for};
use super::cause::causes;
use super::flow::watched;
use super::way;
use crate::change::{Fault, FaultKind};
use crate::file;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

/// A client for the SDK, and for all that get credentials. It ends a call where nothing moves for so
/// long.
pub(crate) fn client(
    trust: &TlsContext,
    silence: Duration,
    variable: Variable,
) -> SharedHttpClient {
    let client = |proxy: ProxyConfig| {
        let trust = trust.clone();
        Builder::new().build_with_connector_fn(move |settings, _| {
            connector(&trust, proxy.clone(), settings.cloned())
        })
    };
    let ways = Ways {
        by_proxy: client(ProxyConfig::from_env()),
        direct: client(ProxyConfig::disabled()),
        proxies: Proxies::of(variable),
    };
    watched(SharedHttpClient::new(ways), silence)
}

/// One connection after the other, as `settings` say how long it may take.
fn connector(
    trust: &TlsContext,
    proxy: ProxyConfig,
    settings: Option<HttpConnectorSettings>,
) -> Connector {
    let mut builder = Connector::builder().proxy_config(proxy);
    builder.set_connector_settings(settings);
    builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).tls_context(trust.clone()).build()
}

/// Two ways to a server; its address decides.
#[derive(Debug)]
struct Ways<T> {
    by_proxy: T,
    direct: T,
    proxies: Proxies,
}

/// Which proxy `by_proxy` asks for an address; it does not tell.
#[derive(Clone, Debug)]
struct Proxies {
    matcher: Arc<Matcher>,
    variable: Variable,
}

impl Proxies {
    fn of(variable: Variable) -> Self {
        Self { matcher: Arc::new(Matcher::from_env()), variable }
    }
}

impl HttpClient for Ways<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Ways {
            by_proxy: self.by_proxy.http_connector(settings, components),
            direct: self.direct.http_connector(settings, components),
            proxies: self.proxies.clone(),
        })
    }
}

impl<T: HttpConnector> HttpConnector for Ways<T> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // What is no address the connector refuses itself.
        let Ok(uri) = request.uri().parse::<Uri>() else { return self.by_proxy.call(request) };
        let is_here = uri.host().is_some_and(is_on_this_machine);
        let answer = if is_here { self.direct.call(request) } else { self.by_proxy.call(request) };
        let Proxies { matcher, variable } = self.proxies.clone();
        HttpConnectorFuture::new(async move {
            match answer.await {
                Err(error) => {
                    let proxy = matcher.intercept(&uri).filter(|_| !is_here);
                    let name = proxy_for(uri.scheme_str().unwrap_or_default(), variable);
                    Err(way::told(error, &uri, proxy.as_ref(), name).await)
                }
                answered => answered,
            }
        })
    }
}

/// A proxy is another machine: what it finds under these addresses is its own. The agents that hand
/// out the credentials of instances and containers are at addresses of the link, or, with IPv6, at
/// `fd00:ec2::` (AWS SDKs and Tools Reference Guide, "IMDS credential provider", "Container
/// credential provider").
fn is_on_this_machine(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.segments().starts_with(&[0xfd00, 0xec2])
        }
        Err(_) => host == "localhost",
    }
}

/// Asks a web site, as a visitor's browser on this machine would.
#[derive(Debug)]
pub(crate) struct Web(Ways<Connector>);

impl Web {
    pub(crate) fn new(trust: &TlsContext, variable: Variable) -> Self {
        Self(Ways {
            by_proxy: connector(trust, ProxyConfig::from_env(), None),
            direct: connector(trust, ProxyConfig::disabled(), None),
            proxies: Proxies::of(variable),
        })
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

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    #[test]
    fn only_what_is_on_this_machine_is_asked_without_a_proxy() {
        for (host, expected) in [
            ("169.254.169.254", true),
            ("169.254.170.2", true),
            ("[fd00:ec2::254]", true),
            ("[fd00:ec2::23]", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("localhost", true),
            ("10.0.0.1", false),
            ("[fd00:ec3::254]", false),
            ("localhost.example", false),
            ("sts.us-east-1.amazonaws.com", false),
        ] {
            assert_eq!(is_on_this_machine(host), expected, "{host}");
        }
    }
}
