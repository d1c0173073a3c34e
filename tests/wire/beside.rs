//! What AWS fills in, and what an owner sets beside us, is no drift; and what we write later keeps
//! it.

use super::cloudfront::{edit, read};
use super::shop::{BUCKET, FUNCTION, OWNED, ROLE, Shop};
use crate::support::Rules;
use aws_sdk_lambda::types::{LogFormat, LoggingConfig};
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use provision::aws::Clients;

const LOGGED: &str = "<Logging><Enabled>true</Enabled><IncludeCookies>true</IncludeCookies>\
    <Bucket>theirs.s3.amazonaws.com</Bucket><Prefix>cf/</Prefix></Logging>";

#[tokio::test]
async fn what_stands_beside_us_is_no_drift_and_outlives_our_writes() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let Clients { s3, iam, lambda, .. } = &shop.aws.clients;
    iam.update_role().role_name(ROLE).max_session_duration(7200).send().await.unwrap();
    let logging = LoggingConfig::builder().log_format(LogFormat::Json).build();
    let request = lambda.update_function_configuration().function_name(FUNCTION);
    request.logging_config(logging).send().await.unwrap();
    let aes = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
    let encrypts = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(aes.build().unwrap())
        .bucket_key_enabled(true);
    let rules =
        ServerSideEncryptionConfiguration::builder().rules(encrypts.build()).build().unwrap();
    let request = s3.put_bucket_encryption().bucket(BUCKET);
    request.server_side_encryption_configuration(rules).send().await.unwrap();
    let id = shop.distribution().await.to_string();
    let none = "<Logging><Enabled>false</Enabled><IncludeCookies>false</IncludeCookies>\
        <Bucket></Bucket><Prefix></Prefix></Logging>";
    edit(&shop, &id, none, LOGGED);
    shop.run("plan --detailed-exitcode").exits(0);

    // Each of them is written to for another reason.
    iam.update_role_description().role_name(ROLE).description("theirs").send().await.unwrap();
    let spec = OWNED
        .replace("memory: 128", "memory: 192")
        .replace("comment: shop", "comment: new")
        .replace("team: web", "team: shop")
        .replace("site: ./site", "site: ./site, versioning: true");
    shop.write("provision.yaml", &spec);
    shop.run("apply --yes").exits(0);
    let role = iam.get_role().role_name(ROLE).send().await.unwrap().role.unwrap();
    assert_eq!(role.max_session_duration, Some(7200));
    assert_eq!(role.description(), Some("provision:stack=shop"));
    let function = lambda.get_function_configuration().function_name(FUNCTION).send().await;
    let function = function.unwrap();
    let format = function.logging_config().and_then(|logging| logging.log_format());
    assert_eq!((format, function.memory_size), (Some(&LogFormat::Json), Some(192)));
    let rules = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let rules = rules.server_side_encryption_configuration.unwrap().rules;
    assert_eq!(rules[0].bucket_key_enabled, Some(true));
    let config = read(&shop, &id).body;
    assert!(config.contains(LOGGED) && config.contains("<Comment>new</Comment>"), "{config}");
    shop.run("plan --detailed-exitcode").exits(0);
}
