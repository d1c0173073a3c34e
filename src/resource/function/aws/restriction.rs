//! What Lambda@Edge refuses in a function: how it is seen, and how it is taken away.

use crate::resource::function::ARCHITECTURE;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder as Request;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FunctionConfiguration,
    SnapStart, SnapStartApplyOn, TracingConfig, TracingMode, VpcConfig,
};
use std::collections::{BTreeSet, HashMap};

/// When a new configuration takes it away.
enum Clearing {
    Always(fn(Request) -> Request),
    /// Not every runtime knows the setting.
    WhereSeen(fn(Request) -> Request),
    /// It goes with the code.
    Never,
}

use Clearing::{Always, Never, WhereSeen};

/// In MB, the smallest and the only one.
const STORAGE: i32 = 512;

type Restriction = (&'static str, fn(&FunctionConfiguration) -> bool, Clearing);

/// CloudFront Developer Guide, "Restrictions on Lambda@Edge".
const RESTRICTIONS: [Restriction; 10] = [
    (
        "environment variables",
        |found| {
            let variables = found.environment().and_then(|environment| environment.variables());
            variables.is_some_and(|variables| !variables.is_empty())
        },
        Always(|request| {
            let none = Environment::builder().set_variables(Some(HashMap::new())).build();
            request.environment(none)
        }),
    ),
    (
        "layers",
        |found| !found.layers().is_empty(),
        Always(|request| request.set_layers(Some(Vec::new()))),
    ),
    (
        "VPC",
        |found| found.vpc_config().is_some_and(|vpc| !vpc.subnet_ids().is_empty()),
        Always(|request| {
            let (subnets, groups) = (Some(Vec::new()), Some(Vec::new()));
            let none = VpcConfig::builder().set_subnet_ids(subnets).set_security_group_ids(groups);
            request.vpc_config(none.build())
        }),
    ),
    (
        "dead letter queue",
        |found| {
            let arn = found.dead_letter_config().and_then(DeadLetterConfig::target_arn);
            arn.is_some_and(|arn| !arn.is_empty())
        },
        Always(|request| {
            request.dead_letter_config(DeadLetterConfig::builder().target_arn("").build())
        }),
    ),
    (
        "active tracing",
        |found| {
            let mode = found.tracing_config().and_then(|tracing| tracing.mode());
            mode == Some(&TracingMode::Active)
        },
        Always(|request| {
            let none = TracingConfig::builder().mode(TracingMode::PassThrough).build();
            request.tracing_config(none)
        }),
    ),
    (
        "ephemeral storage above 512 MB",
        |found| found.ephemeral_storage().is_some_and(|storage| storage.size > STORAGE),
        // Only a missing size does not build.
        Always(|request| {
            request.set_ephemeral_storage(EphemeralStorage::builder().size(STORAGE).build().ok())
        }),
    ),
    (
        "file systems",
        |found| !found.file_system_configs().is_empty(),
        WhereSeen(|request| request.set_file_system_configs(Some(Vec::new()))),
    ),
    (
        "SnapStart",
        |found| {
            let applied = found.snap_start().and_then(|snap| snap.apply_on());
            applied == Some(&SnapStartApplyOn::PublishedVersions)
        },
        WhereSeen(|request| {
            request.snap_start(SnapStart::builder().apply_on(SnapStartApplyOn::None).build())
        }),
    ),
    (
        "KMS key",
        |found| found.kms_key_arn().is_some_and(|arn| !arn.is_empty()),
        WhereSeen(|request| request.kms_key_arn("")),
    ),
    (
        ARCHITECTURE,
        |found| found.architectures().iter().any(|found| *found != Architecture::X8664),
        Never,
    ),
];

/// The names of what Lambda@Edge would refuse.
pub(super) fn refused(configuration: &FunctionConfiguration) -> BTreeSet<String> {
    let found = RESTRICTIONS.iter().filter(|(_, is_seen, _)| is_seen(configuration));
    found.map(|(name, ..)| (*name).to_owned()).collect()
}

/// The request, which also takes away what Lambda@Edge would refuse; `seen` are its names.
pub(super) fn cleared(request: Request, seen: &BTreeSet<String>) -> Request {
    RESTRICTIONS.iter().fold(request, |request, (name, _, clearing)| match clearing {
        Always(clear) => clear(request),
        WhereSeen(clear) if seen.contains(*name) => clear(request),
        WhereSeen(_) | Never => request,
    })
}
