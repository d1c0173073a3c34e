//! The real binary and the real SDK, over the wire, against an emulator that keeps AWS's rules
//! (`support`).
//!
//! Every test has an AWS of its own. Where a kind is added, `kinds` wants one more test.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]
#![expect(clippy::print_stdout, reason = "`--nocapture` shows how many requests were tried")]

mod support;

mod wire {
    mod adopt;
    mod attached;
    mod beside;
    mod changes;
    mod cloudfront;
    mod company;
    mod copies;
    mod credentials;
    mod destroy;
    mod drift;
    mod ends;
    mod faults;
    mod filled;
    mod keys;
    mod kinds;
    mod logs;
    mod lost;
    mod maintenance;
    mod names;
    mod objects;
    mod owned;
    mod refusals;
    mod regions;
    mod replay;
    mod saved;
    mod second;
    mod shop;
    mod stopped;
    mod sweep;
    mod truth;
    mod twin;
    mod upload;
    mod waits;
}
