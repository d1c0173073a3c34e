//! Input that nobody expects: whatever is in a file or comes over a socket, there is an answer,
//! soon, and nothing is lost.
//!
//! Each target starts from a valid example and damages it, in the bytes or in the structure. `cargo
//! test --test hostile` tries a few hundred; `PROVISION_FUZZ_SECONDS=60` tries for that long, from
//! another seed each time. A failure shows its input, made as small as it gets, and the seed:
//! `PROPTEST_RNG_SEED=… cargo test --test hostile` meets it again. Every target was seen failing on
//! a planted bug.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what is not there fails the test")]

mod damage;
mod edge;
#[cfg(unix)]
mod functions;
#[cfg(target_os = "linux")]
mod memory;
mod plans;
mod policies;
mod requests;
mod shop;
mod specs;
mod trial;
mod worlds;
