//! What AWS fills in is no drift, and each setting is read back.

use super::*;
use crate::resource::function::ARCHITECTURE;
use aws_sdk_lambda::types::builders::FunctionConfigurationBuilder;
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, EnvironmentResponse, EphemeralStorage, FileSystemConfig, Layer,
    LogFormat, LoggingConfig, RuntimeVersionConfig, SnapStartApplyOn, SnapStartOptimizationStatus,
    SnapStartResponse, TracingConfigResponse, TracingMode, VpcConfigResponse,
};
use std::collections::BTreeSet;

/// What AWS fills in by itself, as recorded live.
fn filled_in() -> FunctionConfigurationBuilder {
    let logging = LoggingConfig::builder()
        .log_format(LogFormat::Text)
        .log_group("/aws/lambda/shop-edge")
        .build();
    let off = SnapStartResponse::builder()
        .apply_on(SnapStartApplyOn::None)
        .optimization_status(SnapStartOptimizationStatus::Off);
    FunctionConfiguration::builder()
        .code_sha256("sha")
        .runtime(Runtime::Python313)
        .handler("m.h")
        .memory_size(128)
        .timeout(3)
        .role("arn:role")
        .package_type(PackageType::Zip)
        .architectures(Architecture::X8664)
        .ephemeral_storage(EphemeralStorage::builder().size(512).build().unwrap())
        .tracing_config(TracingConfigResponse::builder().mode(TracingMode::PassThrough).build())
        .environment(EnvironmentResponse::builder().set_variables(Some([].into())).build())
        .vpc_config(
            VpcConfigResponse::builder().set_subnet_ids(Some(Vec::new())).vpc_id("").build(),
        )
        .dead_letter_config(DeadLetterConfig::builder().build())
        .runtime_version_config(
            RuntimeVersionConfig::builder()
                .runtime_version_arn("arn:aws:lambda:us-east-1::runtime:x")
                .build(),
        )
        .logging_config(logging)
        .snap_start(off.build())
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    let bare = FunctionConfiguration::builder()
        .code_sha256("sha")
        .runtime(Runtime::Python313)
        .handler("m.h")
        .memory_size(128);
    assert_eq!(frozen(&filled_in().build()), frozen(&bare.timeout(3).role("arn:role").build()));
}

#[test]
fn each_setting_is_read_back() {
    let whole = frozen(&filled_in().build());
    let rows = [
        filled_in().code_sha256("x"),
        filled_in().runtime(Runtime::Python312),
        filled_in().handler("x.h"),
        filled_in().memory_size(129),
        filled_in().timeout(4),
        filled_in().role("arn:x"),
    ];
    for changed in rows {
        let read = frozen(&changed.build());
        assert!(read != whole && read.name() != whole.name(), "{read:?}");
    }
    let refused = [
        (
            "environment variables",
            filled_in().environment(EnvironmentResponse::builder().variables("A", "b").build()),
        ),
        ("layers", filled_in().layers(Layer::builder().arn("arn").build())),
        ("VPC", filled_in().vpc_config(VpcConfigResponse::builder().subnet_ids("subnet").build())),
        (
            "dead letter queue",
            filled_in().dead_letter_config(DeadLetterConfig::builder().target_arn("arn").build()),
        ),
        (
            "active tracing",
            filled_in()
                .tracing_config(TracingConfigResponse::builder().mode(TracingMode::Active).build()),
        ),
        (
            "ephemeral storage above 512 MB",
            filled_in().ephemeral_storage(EphemeralStorage::builder().size(513).build().unwrap()),
        ),
        (
            "file systems",
            filled_in().file_system_configs(
                FileSystemConfig::builder().arn("arn").local_mount_path("/mnt/x").build().unwrap(),
            ),
        ),
        (
            "SnapStart",
            filled_in().snap_start(
                SnapStartResponse::builder().apply_on(SnapStartApplyOn::PublishedVersions).build(),
            ),
        ),
        ("KMS key", filled_in().kms_key_arn("arn")),
        (ARCHITECTURE, filled_in().set_architectures(Some(vec![Architecture::Arm64]))),
    ];
    for (name, changed) in refused {
        assert_eq!(frozen(&changed.build()).refused, BTreeSet::from([name.to_owned()]));
    }
}
