//! The wire: one client for each service, each in the region where its service belongs.

use crate::change::Fault;
use crate::name::{EDGE_REGION, Region};
use address::Variable;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_sts::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use surroundings::Surroundings;
use tokio::sync::watch;

pub(crate) mod address;
mod answer;
pub(crate) mod body;
pub(crate) mod capture;
pub(crate) mod cause;
pub(crate) mod clock;
pub(crate) mod fault;
mod flow;
pub(crate) mod http;
mod keys;
pub(crate) mod lost;
pub(crate) mod meter;
mod profile;
pub(crate) mod record;
mod refusal;
mod signer;
mod surroundings;
mod tries;
pub(crate) mod wait;
mod way;

/// How patient a command is with each call.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long nothing may move in one attempt.
    pub silence: Duration,
    /// How long one attempt may take as a whole, where that is bounded.
    pub attempt: Option<Duration>,
    /// How often a call is tried that nobody answers.
    pub attempts: u32,
}

impl Patience {
    /// For runs that change much and may take as long as their data does.
    pub const RUN: Self = Self { silence: Duration::from_mins(1), attempt: None, attempts: 5 };
    /// For the switch: a user waits for it, and its data is small.
    pub const TURN: Self = Self {
        silence: Duration::from_secs(10),
        attempt: Some(Duration::from_secs(10)),
        attempts: 5,
    };
}

/// Where AWS is and who asks.
#[derive(Clone, Debug)]
pub struct Connection {
    /// `--endpoint-url`: an emulator instead of AWS.
    pub endpoint_url: Option<String>,
    /// An S3 endpoint is set in the environment; such endpoints know buckets only by path.
    pub s3_endpoint: bool,
    /// `--profile`.
    pub profile: Option<String>,
    /// The bucket's region.
    pub region: Region,
    /// Print each call on stderr (`-v`).
    pub verbose: bool,
    /// With each call.
    pub patience: Patience,
    /// `AWS_CA_BUNDLE`: the certificates to trust instead of the machine's.
    pub ca_bundle: Option<PathBuf>,
    /// Where every exchange goes (`--record`).
    pub recording: Option<record::Recording>,
    /// Reads the environment.
    pub variable: Variable,
    /// Turns true when the user has had enough.
    pub stop: watch::Receiver<bool>,
}

/// The clients, and how patiently they poll.
#[derive(Clone, Debug)]
pub struct Clients {
    /// In the bucket's region.
    pub s3: aws_sdk_s3::Client,
    /// Global.
    pub iam: aws_sdk_iam::Client,
    /// Lambda@Edge functions live in one region.
    pub lambda: aws_sdk_lambda::Client,
    /// Global.
    pub cloudfront: aws_sdk_cloudfront::Client,
    /// In the edge's region; the edge writes its logs in others, too.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// For the caller's identity.
    pub sts: aws_sdk_sts::Client,
    /// Who asks; `None`: nobody is signed in.
    pub credentials: Option<SharedCredentialsProvider>,
    /// How often to ask while waiting.
    pub rhythm: wait::Rhythm,
    /// Whose certificates are trusted.
    pub trust: TlsContext,
    /// Which calls have no answer yet.
    pub calls: meter::Calls,
    /// Who is asked, by whom.
    pub surroundings: Surroundings,
    /// Where every exchange goes.
    pub recording: Option<record::Recording>,
}

impl Clients {
    /// The same with S3 in another region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        Self { s3: self.s3_in(Some(region.as_str())), ..self.clone() }
    }

    /// An S3 client for another region.
    #[must_use]
    pub fn s3_in(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        let Some(region) = region else { return self.s3.clone() };
        let config =
            self.s3.config().to_builder().region(aws_config::Region::new(region.to_owned()));
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Can anybody be asked? Only who has to ask needs to know.
    ///
    /// # Errors
    /// The user's files or environment do not say whom, or as whom.
    pub(crate) fn usable(&self) -> Result<(), Fault> {
        self.surroundings.usable()
    }

    /// When the credentials end that are in use now, where they say so. Some are renewed before.
    pub async fn credentials_end(&self) -> Option<SystemTime> {
        self.credentials.as_ref()?.provide_credentials().await.ok()?.expiry()
    }

    /// A client of CloudWatch Logs for another region.
    #[must_use]
    pub fn logs_in(&self, region: &Region) -> aws_sdk_cloudwatchlogs::Client {
        let config =
            self.logs.config().to_builder().region(aws_config::Region::new(region.to_string()));
        aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
    }

    /// Makes the clients. Reads the ecosystem's own variables and files (`AWS_PROFILE`,
    /// `AWS_ENDPOINT_URL`, …); asks nobody until the first call.
    ///
    /// # Errors
    /// The bundle of certificates cannot be read.
    pub async fn connect(connection: &Connection) -> Result<Self, Fault> {
        let profile = connection.profile.as_deref();
        let profiles = profile::profiles(profile).await;
        let surroundings = Surroundings::of(connection, &profiles);
        let bundle = profiles.get("ca_bundle").map(PathBuf::from);
        let trust = http::trust(connection.ca_bundle.as_deref().or(bundle.as_deref()))?;
        let patience = connection.patience;
        let http = http::client(&trust, patience.silence, connection.variable);
        let home = home(profile).await;
        let retries = tries::retries(patience.attempts);
        let mut timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(5));
        timeouts.set_operation_attempt_timeout(patience.attempt);
        let timeouts = timeouts.build();
        // `flow` watches over what is sent; this one over what comes.
        let stalls = StalledStreamProtectionConfig::enabled()
            .upload_enabled(false)
            .grace_period(patience.silence);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .region(home.clone())
            .retry_config(retries.clone())
            .stalled_stream_protection(stalls.build())
            .timeout_config(timeouts.clone());
        if let Some(profile) = &connection.profile {
            // A flag weighs more than keys in the environment, which the SDK's own chain would ask
            // first.
            let config = ProviderConfig::without_region()
                .with_http_client(http)
                .with_region(home)
                .with_retry_config(retries)
                .with_timeout_config(timeouts);
            let keys = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_name(profile)
                .build();
            loader = loader.profile_name(profile).credentials_provider(keys);
        }
        if let Some(url) = &connection.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let shared = loader.load().await;
        let keys = shared.credentials_provider().map(keys::checked);
        let mut shared = shared.into_builder();
        shared.set_credentials_provider(keys);
        let shared = shared.region(aws_config::Region::from_static(EDGE_REGION)).build();
        let emulated = shared.endpoint_url().is_some() || connection.s3_endpoint;
        let calls = meter::Calls::default();
        let listeners = listeners(connection, &calls);
        let s3 = aws_sdk_s3::config::Builder::from(&shared)
            .region(aws_config::Region::new(connection.region.to_string()))
            .force_path_style(emulated)
            // Uploads carry the MD5 that was planned, which says more than a checksum of whatever
            // was read; and without one the body goes as it is, in no chunks of AWS's own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        // Each service has a type of its own for the same configuration.
        macro_rules! client {
            ($service:ident, $config:expr) => {{
                let mut config: $service::config::Builder = $config;
                for listener in &listeners {
                    config.push_interceptor(listener.clone());
                }
                config.set_retry_partition(Some(tries::partition()));
                $service::Client::from_conf(config.build())
            }};
        }
        Ok(Self {
            s3: client!(aws_sdk_s3, s3),
            iam: client!(aws_sdk_iam, (&shared).into()),
            lambda: client!(aws_sdk_lambda, (&shared).into()),
            cloudfront: client!(aws_sdk_cloudfront, (&shared).into()),
            logs: client!(aws_sdk_cloudwatchlogs, (&shared).into()),
            sts: client!(aws_sdk_sts, (&shared).into()),
            credentials: shared.credentials_provider(),
            rhythm: if emulated { wait::Rhythm::EMULATOR } else { wait::Rhythm::AWS },
            trust,
            calls,
            surroundings,
            recording: connection.recording.clone(),
        })
    }
}

/// Who hears of each call of each client.
fn listeners(connection: &Connection, calls: &meter::Calls) -> Vec<SharedInterceptor> {
    let Patience { silence, attempt, attempts } = connection.patience;
    let tries = tries::Tries { stop: connection.stop.clone(), attempts };
    let meter = meter::Meter {
        calls: calls.clone(),
        patience: attempt.unwrap_or(silence),
        is_verbose: connection.verbose,
    };
    let recorder = connection.recording.clone().map(record::Recorder);
    let answer = SharedInterceptor::new(answer::Answer);
    // The first hears of a try before the meter does, which asks it what came of it.
    [SharedInterceptor::new(tries), SharedInterceptor::new(meter), answer]
        .into_iter()
        .chain(recorder.map(SharedInterceptor::new))
        .collect()
}

/// The user's own region: there whoever hands out credentials is asked, as an `aws login` belongs to
/// a region, and a company's network may let nobody out to another STS.
async fn home(profile: Option<&str>) -> Option<aws_config::Region> {
    let mut files = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        files = files.profile_name(profile);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(files.build())
        .or_else(aws_config::Region::from_static(EDGE_REGION))
        .region()
        .await
}
