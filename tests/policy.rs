//! What `provision policy` prints is enough, and no action in it can go: tried with an emulator
//! that checks signatures and IAM policies, behind a proxy that adds what it does not check
//! (`support::proxy::rules::permission`). What their holders can do with them is reasoned over, and
//! a linter that others wrote reads them.
//!
//! `cargo test --test policy` takes every nth action away. All of them, with the tables:
//! `PROVISION_POLICY=all cargo test --test policy -- --nocapture`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what is not there fails the test; the tables are printed"
)]

mod support;

mod policy {
    mod attempts;
    #[expect(dead_code, reason = "the wire tests ask for more")]
    #[path = "../wire/cloudfront.rs"]
    mod cloudfront;
    mod execution;
    mod holder;
    mod linter;
    mod matrix;
    mod operator;
    mod printed;
    mod scene;
    #[path = "../wire/shop.rs"]
    mod shop;
    mod verbs;
}
