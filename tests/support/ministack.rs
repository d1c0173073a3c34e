//! The emulator that has everything, CloudFront too. It can check signatures and policies.

use super::emulator::Recipe;
use super::venv;

pub const MINISTACK: Recipe = Recipe {
    name: "ministack",
    python: || venv::programs("ministack", "1.5.33", &[]).join("python3"),
    program: "
from ministack.app import main
sys.argv = ['ministack']
sys.exit(main())
",
    settings: |home, port| {
        vec![
            ("STATE_DIR", home.join("state").display().to_string()),
            ("S3_DATA_DIR", home.join("s3").display().to_string()),
            ("S3_PERSIST", "0".to_owned()),
            ("BIND_HOST", "127.0.0.1".to_owned()),
            ("GATEWAY_PORT", port.to_string()),
            ("AUTH", "false".to_owned()),
        ]
    },
    reset: "/_ministack/reset",
};

/// Checks signatures and IAM policies.
pub const WITH_AUTH: [(&str, &str); 1] = [("AUTH", "true")];
