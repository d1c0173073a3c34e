//! Ctrl-C and SIGTERM while a call is on its way.

use super::desk::Ran;
use super::faults::is_true;
use super::matrix::{Row, name, sampled};
use super::shop::writes;
use super::verbs::{self, Verb};
use super::yard::Yard;
use crate::support::{At, Held, Moment};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

const INTERRUPTED: Option<i32> = Some(130);

/// The command, stopped with one call in its hands.
struct Stopped {
    child: Child,
    words: BufReader<ChildStderr>,
    held: Held,
}

impl Stopped {
    /// `None`: the command ended before it made that many calls.
    fn at(yard: &Yard, number: usize) -> Option<Self> {
        let held = yard.ground().hold(At::Call(number), Moment::Before);
        let desk = yard.desk();
        let mut command = desk.command(yard.verb.arguments);
        let mut child = command
            .envs(yard.ground().environment())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let words = BufReader::new(child.stderr.take().unwrap());
        let is_reached = held.wait_reached_unless(|| child.try_wait().unwrap().is_some());
        is_reached.then_some(Self { child, words, held })
    }

    /// Waits until the command has said that it has heard.
    fn wait_heard(&mut self) {
        let mut line = String::new();
        while !line.contains("once more stops at once") {
            line.clear();
            assert!(self.words.read_line(&mut line).unwrap() > 0, "it ended without a word");
        }
    }

    fn released(mut self) -> Ran {
        self.held.release();
        ended(&mut self.child, self.words)
    }

    /// Waits for the end with the call still in its hands.
    fn insisted(mut self) -> Ran {
        let ran = ended(&mut self.child, self.words);
        self.held.drop_connection();
        ran
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let told =
        Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(told.success());
}

fn ended(child: &mut Child, mut words: impl Read) -> Ran {
    let mut output = Output {
        status: std::process::ExitStatus::default(),
        stdout: Vec::new(),
        stderr: Vec::new(),
    };
    child.stdout.take().unwrap().read_to_end(&mut output.stdout).unwrap();
    words.read_to_end(&mut output.stderr).unwrap();
    output.status = child.wait().unwrap();
    Ran::new(&output)
}

async fn stops(verb: Verb, nth: usize) {
    let mut row = Row::new(verb.name, &["calls", "signals", "in a look", "too late", "converged"]);
    let yard = Yard::new(verb).await;
    yard.begin().await;
    yard.run();
    let calls = yard.ground().calls().len();
    row.add("calls", calls);
    yard.run_until_done().unwrap();
    let expected = yard.census().await;
    let grid = (1..=calls).flat_map(|number| {
        [(number, "INT", false), (number, "TERM", false), (number, "INT", true)]
    });
    for (number, name_of_signal, insists) in sampled(grid, nth) {
        yard.begin().await;
        let others = yard.ground().proxy.clients();
        let Some(mut stopped) = Stopped::at(&yard, number) else {
            row.add("too late", 1);
            continue;
        };
        row.add("signals", 1);
        signal(&stopped.child, name_of_signal);
        stopped.wait_heard();
        let ran = if insists {
            signal(&stopped.child, "TERM");
            stopped.insisted()
        } else {
            stopped.released()
        };
        yard.ground().clear_faults();
        yard.ground().proxy.wait_deserted_but_for(&others);
        let calls = yard.ground().calls();
        let cell = format!(
            "SIG{name_of_signal} at call {number} ({}){}",
            name(&calls, number),
            if insists { ", twice" } else { "" }
        );
        let again = yard.run_until_done();
        if ran.plan().is_none() {
            row.add("in a look", 1);
        }
        let truth = match again {
            Err(why) => Err(why),
            Ok(_) if ran.code != INTERRUPTED => {
                Err(format!("it ended with {:?}:\n{}", ran.code, ran.said))
            }
            Ok(_) if ran.plan().is_none() && !writes(&calls).is_empty() => {
                Err("it wrote before it planned".to_owned())
            }
            Ok(_) if insists || ran.plan().is_none() => Ok(()),
            Ok(_) if ran.outcome().is_none_or(|outcome| outcome["interrupted"] != true) => {
                Err(format!("no word about it:\n{}", ran.said))
            }
            Ok(again) => is_true(&ran, &again[0]),
        };
        let same = Some(expected.differences(&yard.census().await))
            .filter(|text| !text.is_empty())
            .map_or(Ok(()), Err);
        row.note(&cell, truth.and(same));
    }
    row.show();
}

#[tokio::test]
async fn a_stopped_apply_goes_on_later() {
    stops(verbs::APPLY, 17).await;
}

#[tokio::test]
async fn a_stopped_change_in_a_foreign_distribution_goes_on_later() {
    stops(verbs::CHANGE_ATTACHED, 17).await;
}

#[tokio::test]
async fn a_stopped_destroy_goes_on_later() {
    stops(verbs::DESTROY, 17).await;
}
