//! Whatever interrupts a command, running it again heals it: proven call by call, with the real
//! binary.
//!
//! `cargo test --test survive` tries a sample of each matrix. All of it, with the tables:
//! `PROVISION_SURVIVE=all cargo test --test survive -- --nocapture`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what is not there fails the test; the tables are printed"
)]

mod support;

mod survive {
    mod census;
    #[expect(dead_code, reason = "the wire tests ask for more")]
    #[path = "../wire/cloudfront.rs"]
    mod cloudfront;
    mod crowd;
    mod desk;
    mod faults;
    mod foreign;
    mod kills;
    mod matrix;
    mod replicas;
    #[path = "../wire/shop.rs"]
    mod shop;
    mod signals;
    mod verbs;
    mod yard;
}
