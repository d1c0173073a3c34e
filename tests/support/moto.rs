//! An emulator from another head, for what it keeps of AWS: S3, IAM, Lambda and CloudWatch
//! Logs. Of CloudFront it loses the associations and access controls (docs/aws.md, "CloudFront on
//! moto").

use super::emulator::Recipe;
use super::venv;

pub const MOTO: Recipe = Recipe {
    name: "moto",
    python: || venv::programs("moto", "5.2.5", &SERVER).join("python3"),
    program: include_str!("moto.py"),
    settings: |home, port| {
        vec![
            ("MOTO_PORT", port.to_string()),
            ("MOTO_LAMBDA_DATA_DIR", home.join("lambda").display().to_string()),
            // A bucket is its account's.
            ("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false".to_owned()),
            // Roles get policies of AWS's attached.
            ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true".to_owned()),
            // Buckets are in the path, and 127.0.0.1 is none.
            ("S3_IGNORE_SUBDOMAIN_BUCKETNAME", "true".to_owned()),
        ]
    },
    reset: "/moto-api/reset",
};

/// What its server takes for the services that we use; the extra `server` is for all of them, and
/// twice as large.
const SERVER: [&str; 2] = ["flask==3.1.3", "flask-cors==6.0.5"];
