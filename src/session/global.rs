//! The flags that every verb has, and the environment: the only place that reads it.

use crate::aws::address;
use crate::aws::record::Recording;
use crate::cloud::world::Delays;
use crate::view::View;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags of every verb; before or after it.
#[derive(Debug, Args)]
pub struct Global {
    /// The spec
    #[arg(short, long, global = true, default_value = "provision.yaml", value_name = "FILE")]
    pub file: PathBuf,
    /// Work on a simulated cloud in a folder instead of AWS: no account, no network
    /// [default folder: .provision/sandbox beside the spec]
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap: the flag, and its folder")]
    pub sandbox: Option<Option<PathBuf>>,
    /// How long the sandbox takes, in seconds
    #[arg(long, global = true, hide = true, value_name = "deploy=N,replicas=N")]
    #[arg(env = "PROVISION_SANDBOX_DELAYS", value_parser = parse_delays)]
    pub sandbox_delays: Option<Delays>,
    /// Print JSON: one document, or one event per line
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Print each AWS call on stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// An emulator instead of AWS
    #[arg(long, global = true, value_name = "URL")]
    #[arg(value_parser = parse_endpoint)]
    pub endpoint_url: Option<String>,
    /// Credentials and settings from this profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Write what is said to AWS, and what it answers, to this new folder, without names and
    /// secrets: for a bug report
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "sandbox")]
    pub record: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) recording: Recording,
}

impl Global {
    /// The flags that a next command on the same stack needs too, each with a space before it.
    #[must_use]
    pub fn again(&self) -> String {
        let mut flags = String::new();
        match &self.sandbox {
            Some(Some(folder)) => {
                flags.extend([" --sandbox=", &quoted(&folder.display().to_string())]);
            }
            Some(None) => flags.push_str(" --sandbox"),
            None => {}
        }
        if !self.is_default_file() {
            flags.extend([" -f ", &quoted(&self.file.display().to_string())]);
        }
        for (flag, value) in
            [(" --endpoint-url ", &self.endpoint_url), (" --profile ", &self.profile)]
        {
            flags.extend(value.iter().map(|value| format!("{flag}{}", quoted(value))));
        }
        flags
    }

    /// A view that names commands as they have to be typed here.
    #[must_use]
    pub fn view(&self) -> View {
        View::new(self.json).naming(self.again())
    }

    /// Is the spec the one that is looked for where nobody names another?
    #[must_use]
    pub fn is_default_file(&self) -> bool {
        self.file.as_os_str() == "provision.yaml"
    }
}

/// A word as a shell takes it.
#[must_use]
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// At a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Reads a variable of the environment.
#[must_use]
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok()
}

/// Is it an address that can be asked?
///
/// # Errors
/// What is wrong with the text.
fn parse_endpoint(text: &str) -> Result<String, String> {
    address::checked(text)
        .map(|_| text.to_owned())
        .map_err(|why| format!("{why}; write it as `http://HOST:PORT`"))
}

/// Reads `deploy=2,replicas=20` (seconds).
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn parse_delays(text: &str) -> Result<Delays, String> {
    let mut delays = Delays::default();
    for part in text.split(',') {
        let (name, seconds) =
            part.split_once('=').ok_or_else(|| format!("`{part}` is not NAME=SECONDS"))?;
        let seconds: u64 =
            seconds.parse().map_err(|_| format!("`{seconds}` is not a number of seconds"))?;
        if seconds > 86_400 {
            return Err(format!("`{seconds}` seconds are more than a day"));
        }
        match name {
            "deploy" => delays.deploy = seconds,
            "replicas" => delays.replicas = seconds,
            _ => return Err(format!("`{name}` is neither `deploy` nor `replicas`")),
        }
    }
    Ok(delays)
}
