//! What the user's own files say, beyond what the SDK reads of them
//! (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").

use super::address::Variable;
use crate::change::{Fault, FaultKind};
use crate::file;
use aws_config::profile::ProfileSet;
use aws_config::profile::parser::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::borrow::Cow;
use std::path::PathBuf;

/// A file of profiles is never larger. In bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The profiles, of which one is chosen.
pub(super) async fn profiles(named: Option<&str>) -> ProfileSet {
    let chosen = named.map(|name| Cow::Owned(name.to_owned()));
    let files = EnvConfigFiles::default();
    // What is wrong with the files, the SDK says when it looks for credentials.
    load(&Fs::real(), &Env::real(), &files, chosen).await.unwrap_or_default()
}

/// Is the profile there that a user asked for?
///
/// # Errors
/// It is not.
pub(super) fn exists(
    named: Option<&str>,
    profiles: &ProfileSet,
    variable: Variable,
) -> Result<(), Fault> {
    let selected = profiles.selected_profile();
    // Files that cannot be read have no profile at all.
    if named.is_some_and(|named| named != selected) {
        return Ok(());
    }
    let is_asked_for = named.is_some() || selected != "default";
    if !is_asked_for || profiles.get_profile(selected).is_some() {
        return Ok(());
    }
    let place = variable("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| {
        let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".aws").join("config"))
    });
    let text = place.and_then(|place| file::read(&place, LARGEST).ok()).unwrap_or_default();
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    Err(unknown(selected, &known, &String::from_utf8_lossy(&text)))
}

/// `config` is the text of the file `config`, which may name the profile in a way that the SDK
/// passes over.
fn unknown(name: &str, known: &[&str], config: &str) -> Fault {
    let sections = config.lines().filter_map(|line| {
        line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
    });
    let mut sections = sections.map(str::trim);
    let bare = |section: &str| {
        let section = section.strip_prefix("profile").unwrap_or(section).trim();
        section.trim_matches(['"', '\'']).trim() == name
    };
    let hint = match sections.find(|section| bare(section)) {
        Some(section) if section == name => format!(
            "the file `config` has a section [{name}]; there, profiles begin with a word: \
                [profile {name}]"
        ),
        Some(section) => format!(
            "the file `config` has a section [{section}], which the AWS CLI reads, but not AWS's \
                SDKs: give the profile a name without blanks and quotes"
        ),
        None if known.is_empty() => {
            "there are none: `aws configure sso` or `aws configure` makes one".to_owned()
        }
        None => format!("choose one of {} with `--profile` or AWS_PROFILE", known.join(", ")),
    };
    let tried = format!("use profile `{name}`");
    Fault::new(FaultKind::Credentials, tried, "no file of AWS's has a profile of this name")
        .hinted(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_is_not_read_is_told_from_one_that_is_not_there() {
        let config = "[default]\n[staging]\n[profile \"with space\"]\n[profile office]\n";
        for (name, says) in [
            ("nobody", "choose one of default, office"),
            ("staging", "[profile staging]"),
            ("with space", "without blanks and quotes"),
        ] {
            let hint = unknown(name, &["default", "office"], config).hint.unwrap();
            assert!(hint.contains(says), "{name}: {hint}");
        }
        assert!(unknown("x", &[], "").hint.unwrap().contains("there are none"));
    }
}
