//! The command line: verbs and exit codes.

use crate::commands;
use crate::session::Exit;
use crate::session::failure::Failure;
use crate::session::global::{Color, Global};
use crate::session::{begin, record, signals};
use crate::view::out;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Puts a frontend on S3 + CloudFront into a maintenance window, and takes everything away again
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  provision init demo                            write a spec and a small site to start from
  provision apply --sandbox -f demo/provision.yaml   see it all without an AWS account
  provision plan                                 what would change
  provision apply                                make it so
  provision maintenance on --for 45m             visitors see the maintenance page
  provision destroy                              take everything down again
  provision explain                              the documentation, page by page

Exit codes:
  0 done, or nothing to do     1 a step failed              2 plan --detailed-exitcode: there are \
  changes
  3 pending, run again later   4 refused: conflicts, or no   64 wrong command line   65 wrong \
  spec   130 interrupted";

#[derive(Debug, Subcommand)]
enum Verb {
    Init(commands::init::Init),
    Validate(commands::validate::Validate),
    Plan(commands::plan::PlanVerb),
    Apply(commands::apply::Apply),
    Destroy(commands::destroy::Destroy),
    Status(commands::status::Status),
    Maintenance(commands::maintenance::Maintenance),
    Dev(commands::dev::Dev),
    Policy(commands::policy::Policy),
    Sweep(commands::sweep::Sweep),
    Explain(commands::explain::Explain),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    #[cfg(unix)]
    begin::without_empty_variables();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let (text, fails) = (error.render(), error.use_stderr());
            if fails {
                out::aside(text.ansi());
            } else {
                out::result(text.ansi());
            }
            return ExitCode::from(if fails { Exit::Usage as u8 } else { 0 });
        }
    };
    match cli.global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error),
        };
    let view = cli.global.view();
    begin::panics_end_it(view);
    let exit = runtime.block_on(run(&cli)).unwrap_or_else(|failure| {
        failure.show(view);
        failure.exit()
    });
    // Also of a run that failed or was stopped: that is when it is wanted. What was refused for its
    // folder has nothing to record.
    if let Some(folder) = cli.global.record.as_ref().filter(|_| exit != Exit::Usage) {
        record::write(folder, &cli.global.recording, exit, view);
    }
    // A prompt that nobody answers must not hold the program.
    runtime.shutdown_background();
    ExitCode::from(told(exit) as u8)
}

fn fail(error: &std::io::Error) -> ExitCode {
    out::aside(format_args!("error: the program could not start: {error}\n"));
    ExitCode::from(Exit::Failed as u8)
}

/// What was done is done; but whoever reads no result must not take it for a good one.
fn told(exit: Exit) -> Exit {
    let Some(why) = out::lost() else { return exit };
    out::aside(format_args!("error: not all of the result could be written to stdout: {why}\n"));
    if matches!(exit, Exit::Done | Exit::Changes) { Exit::Failed } else { exit }
}

async fn run(cli: &Cli) -> Result<Exit, Failure> {
    signals::limits_are_errors();
    let global = &cli.global;
    global.record.as_deref().map_or(Ok(()), record::check)?;
    match &cli.verb {
        Verb::Init(verb) => commands::init::run(global, verb),
        Verb::Validate(verb) => commands::validate::run(global, verb),
        Verb::Plan(verb) => commands::plan::run(global, verb).await,
        Verb::Apply(verb) => commands::apply::run(global, verb).await,
        Verb::Destroy(verb) => commands::destroy::run(global, verb).await,
        Verb::Status(verb) => commands::status::run(global, verb).await,
        Verb::Maintenance(verb) => commands::maintenance::run(global, verb).await,
        Verb::Dev(verb) => commands::dev::run(global, verb).await,
        Verb::Policy(verb) => commands::policy::run(global, verb).await,
        Verb::Sweep(verb) => commands::sweep::run(global, verb).await,
        Verb::Explain(verb) => Ok(commands::explain::run(global, verb)),
    }
}
