//! What the user's own files say, beyond what the SDK reads of them
//! (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").

use crate::change::{Fault, FaultKind};
use aws_config::profile::ProfileSet;
use aws_config::profile::parser::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::borrow::Cow;
use std::path::PathBuf;

/// The bundle of certificates that the profile names.
///
/// # Errors
/// A profile that a user asked for does not exist.
pub(super) async fn ca_bundle(named: Option<&str>) -> Result<Option<PathBuf>, Fault> {
    let chosen = named.map(|name| Cow::Owned(name.to_owned()));
    let files = EnvConfigFiles::default();
    // What is wrong with the files, the SDK says when it looks for credentials.
    let Ok(profiles) = load(&Fs::real(), &Env::real(), &files, chosen).await else {
        return Ok(None);
    };
    let selected = profiles.selected_profile();
    let is_asked_for = named.is_some() || selected != "default";
    if is_asked_for && profiles.get_profile(selected).is_none() {
        return Err(unknown(selected, &profiles));
    }
    Ok(profiles.get("ca_bundle").map(PathBuf::from))
}

fn unknown(name: &str, profiles: &ProfileSet) -> Fault {
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let hint = if known.is_empty() {
        "there are none: `aws configure sso` or `aws configure` makes one".to_owned()
    } else {
        format!("choose one of {} with `--profile` or AWS_PROFILE", known.join(", "))
    };
    let tried = format!("use profile `{name}`");
    Fault::new(FaultKind::Credentials, tried, "no file of AWS's has a profile of this name")
        .hinted(hint)
}
