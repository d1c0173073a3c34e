//! The open questions of `docs/aws.md`, asked of AWS itself, for whoever has a throw-away account:
//!
//! ```sh
//! PROVISION_LIVE_ACCOUNT=<12 digits> cargo test --test live -- --ignored --nocapture
//! ```
//!
//! **What it does.** It makes one stack with a random name, with the real program, and a role for
//! callers who may do little. It tries one experiment for each question, takes everything down, and
//! writes a table to `target/live/<stack>/answers.md`: the question, what AWS answered, what the
//! code takes for granted, and whether that is the same. Beside it are the spec, what each run said,
//! and each run's recording (`--record`, `docs/reporting.md`).
//!
//! **The consent is the number.** It has to be the account of whoever calls, or nothing is written.
//! The caller needs the rights of an administrator, and may not be the account's root user, who
//! cannot take on a role.
//!
//! **Time and costs.** Half an hour to an hour, most of it waiting for three deployments. A few
//! hundred requests and small objects: less than 0.10 USD. At the end, replicas hold the function
//! and its role for some hours, which cost nothing; what to call then is printed. The stack has a
//! `ttl` of a day, after which `provision sweep --expired` ends it, too.
//!
//! **Where it is broken off**, by Ctrl-C or by an experiment that fails, it takes everything down
//! all the same. Only if it is killed does the stack stay; `provision sweep` finds it, but not the
//! log group and the CloudFront Function that begin with its name.
//!
//! Without an account, `cargo test --test live` tries the same experiments on the emulator. What
//! that answers is the emulator's word and ours, not AWS's, and proves that the experiments work.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what is not there fails the experiment; the table is printed"
)]

mod support;

mod live {
    mod accepted;
    mod bench;
    mod caller;
    mod deployed;
    mod distribution;
    mod edge;
    mod experiment;
    mod refusal;
    mod rights;
    mod run;
    mod visitor;
}
