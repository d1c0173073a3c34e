//! How many calls each command makes, and how many of them had to wait for an earlier answer:
//! counted at the wire, not timed.
//!
//! `cargo bench --bench calls`; ends with 1 where a budget is exceeded.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and ends where it cannot go on"
)]

#[path = "../tests/support/mod.rs"]
mod support;

#[path = "../tests/wire/shop.rs"]
mod shop;

use shop::{OWNED, Shop};
use std::process::ExitCode;
use std::time::Duration;
use support::Rules;
use support::ledger::{self, Call};

/// On every call, so that calls which do not wait for each other overlap.
const LATENCY: Duration = Duration::from_millis(250);

struct Budget {
    calls: usize,
    /// Looks for log groups, one in each region, beside those calls; all of them in the first
    /// round.
    regions: usize,
    rounds: Option<usize>,
    /// Polling does not count: its length is AWS's affair.
    spares_polling: bool,
}

struct Row {
    command: &'static str,
    calls: usize,
    polling: usize,
    regions: usize,
    /// Looks for log groups that began after an answer had come.
    late: usize,
    rounds: usize,
    budget: Budget,
}

impl Row {
    fn is_kept(&self) -> bool {
        let counted =
            self.calls - self.regions - if self.budget.spares_polling { self.polling } else { 0 };
        let looks = self.regions <= self.budget.regions && self.late == 0;
        looks
            && counted <= self.budget.calls
            && self.budget.rounds.is_none_or(|rounds| self.rounds <= rounds)
    }

    fn print(&self) {
        let Self { command, calls, polling, regions, late, rounds, budget } = self;
        let beside = if budget.spares_polling { " beside polling" } else { "" };
        let looks = if budget.regions > 0 {
            format!(" and {} regions at once ({late} late)", budget.regions)
        } else {
            String::new()
        };
        let within = budget.rounds.map_or(String::new(), |rounds| format!(" in {rounds} rounds"));
        let verdict = if self.is_kept() { "" } else { "   OVER BUDGET" };
        println!(
            "{command:<28} {calls:>5} {polling:>16} {regions:>8} {rounds:>6}   {} \
                calls{beside}{looks}{within}{verdict}",
            budget.calls
        );
    }
}

/// A look after the first write whose answer only says whether something is finished, and a try
/// that came too early.
fn polling(calls: &[Call]) -> usize {
    let first = calls
        .iter()
        .position(|call| shop::writes(std::slice::from_ref(call)).len() == 1)
        .unwrap_or(calls.len());
    let is_look = |call: &&Call| {
        matches!(
            call.operation.as_str(),
            "lambda:GetFunctionConfiguration" | "cloudfront:GetDistribution"
        )
    };
    let is_early = |call: &&Call| {
        call.status.is_some_and(|status| matches!(status, 400 | 409))
            && shop::writes(std::slice::from_ref(call)).len() == 1
    };
    calls[first..].iter().filter(|call| is_look(call) || is_early(call)).count()
}

fn measure(shop: &Shop, command: &'static str, arguments: &str, budget: Budget) -> Row {
    let calls = shop.calls_of(arguments, 0);
    for (operation, count) in ledger::counts(&calls)
        .into_iter()
        .filter(|_| std::env::args().any(|flag| flag == "--calls"))
    {
        println!("    {command:<24} {count:>3} {operation}");
    }
    let looks: Vec<&Call> =
        calls.iter().filter(|call| call.operation == "logs:DescribeLogGroups").collect();
    let first_answer = calls.iter().filter_map(|call| call.ended).min();
    let late =
        looks.iter().filter(|call| first_answer.is_some_and(|first| call.started > first)).count();
    let (polling, rounds) = (polling(&calls), ledger::rounds(&calls));
    Row { command, calls: calls.len(), polling, regions: looks.len(), late, rounds, budget }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Every wait is met by its first look.
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.ground.latency(LATENCY);
    let within = |calls, rounds| Budget { calls, regions: 0, rounds, spares_polling: false };
    let mut rows = vec![
        measure(&shop, "cold apply", "apply --yes", within(24, Some(9))),
        measure(&shop, "plan, nothing to do", "plan --detailed-exitcode", within(20, Some(3))),
    ];
    let nothing = rows[1].calls;
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    rows.push(measure(&shop, "apply, one line changed", "apply --yes", within(nothing + 5, None)));
    for arguments in ["maintenance on --for 45m", "maintenance off"] {
        rows.push(measure(&shop, arguments, arguments, within(5, Some(4))));
    }
    rows.push(measure(
        &shop,
        "destroy",
        "destroy --yes",
        Budget { calls: 36, regions: 13, rounds: None, spares_polling: true },
    ));
    println!(
        "\n{:<28} {:>5} {:>16} {:>8} {:>6}   budget",
        "command", "calls", "of these polling", "regions", "rounds"
    );
    rows.iter().for_each(Row::print);
    if rows.iter().all(Row::is_kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
