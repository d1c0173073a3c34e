//! What is left of stacks, with their signs of life.

use super::clean::clean;
use super::human::{duration, notes};
use crate::change::Notice;
use crate::name::{AccountId, StackName};
use crate::sweep::Remains;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a look at the account found, and what becomes of it.
pub struct Listing<'a> {
    /// Where it looked.
    pub account: &'a AccountId,
    /// The only one that was asked for.
    pub stack: Option<&'a StackName>,
    /// What was asked for.
    pub chosen: &'a [Remains],
    /// What of it stays all the same, because visitors use it.
    pub staying: &'a [&'a Remains],
    pub notices: &'a [Notice],
    /// Seconds since the Unix epoch.
    pub now: u64,
    /// What happens next.
    pub then: Then,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// What does not stay is taken down.
    Ends,
    /// There is nothing that could be taken down.
    Nothing,
    /// It was chosen, and nobody is there to be asked.
    MayEnd,
    /// Nothing was chosen.
    Choose,
}

impl Listing<'_> {
    fn stays(&self, found: &Remains) -> bool {
        self.staying.iter().any(|staying| staying.stack == found.stack)
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for found in self.chosen {
            self.stack(&mut text, found);
        }
        if self.chosen.is_empty() {
            let whose = self.stack.map_or("ours".into(), |stack| format!("stack `{stack}`"));
            let account = self.account;
            let _ = writeln!(
                text,
                "Nothing of {whose} that was asked for is left in account {account}."
            );
        }
        notes(&mut text, self.notices);
        if !self.staying.is_empty() {
            text.push_str(
                "\nhint: what visitors use is passed over; `--in-use` takes it down too.\n",
            );
        }
        let hint = match self.then {
            _ if self.chosen.is_empty() => "",
            Then::Nothing => "",
            Then::Ends => "\n",
            Then::MayEnd => {
                "\nhint: at a terminal, the same command asks for the name of each stack and takes \
                    it down; with `--yes` it does not ask.\n"
            }
            Then::Choose => {
                "\nhint: `--stack NAME`, `--expired` or `--older-than DURATION` choose what is \
                    taken down; at a terminal each stack is asked for.\n"
            }
        };
        text.push_str(hint);
        text
    }

    fn stack(&self, text: &mut String, found: &Remains) {
        let age =
            found.age(self.now).map(|age| format!(", {} old", duration(age))).unwrap_or_default();
        let over = if found.is_over(self.now) { ", which is over" } else { "" };
        let ttl = found
            .ttl()
            .map(|ttl| format!(", to live for {}{over}", duration(ttl)))
            .unwrap_or_default();
        let used = match (found.is_in_use(), self.stays(found)) {
            (true, true) => ", in use: it stays",
            (true, false) => ", in use",
            (false, _) => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Stack `{}`{age}{ttl}{used}", found.stack);
        for trace in &found.traces {
            let state = match trace.enabled {
                Some(true) => "enabled",
                Some(false) => "disabled",
                None => trace.place.as_deref().unwrap_or_default(),
            };
            let line = format!("    {:<13}{} {state}", trace.kind, trace.name);
            let _ = writeln!(text, "{}", clean(line.trim_end()));
        }
        for id in &found.attached {
            let _ = writeln!(text, "    association  {id} (its slots only)");
        }
        if found.switch_is_on {
            let _ = writeln!(text, "    switch       on");
        }
        let kept: Vec<String> = found.protect().iter().map(ToString::to_string).collect();
        if !kept.is_empty() {
            let _ = writeln!(text, "    protected    {}", kept.join(", "));
        }
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let stack = |found: &Remains| {
            json!({
                "stack": found.stack,
                "traces": found.traces,
                "attached": found.attached,
                "switch": if found.switch_is_on { "on" } else { "off" },
                "in_use": found.is_in_use(),
                "protected": found.protect().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "age_seconds": found.age(self.now).map(|age| age.as_secs()),
                "ttl_seconds": found.ttl().map(|ttl| ttl.as_secs()),
                "expired": found.is_over(self.now),
                "stays": self.stays(found),
            })
        };
        json!({"account": self.account, "stack": self.stack, "stacks": self.chosen.iter().map(stack).collect::<Vec<_>>(),
            "notices": self.notices})
    }
}
