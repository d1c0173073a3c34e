//! Who signs a call, by the order in which the SDK asks (AWS SDKs and Tools Reference Guide,
//! "Credential provider chain"): so what is wrong is found before anybody is asked, and whoever is
//! refused is told where the keys came from.

use super::address::Variable;
use super::refusal::{CLOCK, NOT_SIGNED_UP};
use crate::change::{Fault, FaultKind};
use aws_config::profile::{Profile, ProfileSet};
use std::path::Path;

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// `AWS_ACCESS_KEY_ID` and its kin.
    Environment,
    /// Keys that stand in a profile.
    Keys(String),
    /// `aws sso login`; with the account and the role in it.
    Sso(String, String),
    /// `aws login`.
    Login(String),
    Process(String),
    /// A token in a file, and what names the file.
    Token(String, String),
    /// Whoever hands out the credentials of a container or an instance.
    Agent,
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    way: Way,
    /// The role that it takes on.
    role: Option<String>,
    /// The profile that wants a code from a device for that.
    device: Option<String>,
    /// The profile that says how long that holds, which the SDK does not send.
    unheeded: Option<String>,
}

/// What the keys in the environment are called.
const KEYS: &str = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN";

/// How many seconds a role is taken on for by the SDK, which asks for no time of its own (AWS STS
/// API Reference, `AssumeRole`).
const HOUR: &str = "3600";

impl Signer {
    /// What of the files is not heeded, and the way out.
    pub(super) fn unheeded(&self) -> Option<(String, String)> {
        let profile = self.unheeded.as_ref()?;
        let what = format!(
            "`duration_seconds` of profile `{profile}` is not heeded: the role is taken on for an \
                hour, and again when that is over"
        );
        let hint = format!(
            "where it has to be that long, let the AWS CLI take the role on: `eval \"$(aws \
                configure export-credentials --profile {profile} --format env)\"`, then run \
                without `--profile`"
        );
        Some((what, hint))
    }

    /// By the flag, the environment and the files; `profiles` has chosen one.
    ///
    /// # Errors
    /// They cannot sign anything, whoever is asked.
    pub(super) fn of(
        flag: Option<&str>,
        variable: Variable,
        profiles: &ProfileSet,
    ) -> Result<Self, Fault> {
        let plain = |way| Self { way, role: None, device: None, unheeded: None };
        if flag.is_none() && is_in_environment(variable)? {
            return Ok(plain(Way::Environment));
        }
        let name = profiles.selected_profile();
        if let Some(profile) = profiles.get_profile(name)
            && let Some(signer) = Self::by_profile(profile, profiles)?
        {
            return Ok(signer);
        }
        let role = variable("AWS_ROLE_ARN");
        if let Some(file) = variable("AWS_WEB_IDENTITY_TOKEN_FILE").filter(|_| flag.is_none()) {
            let way = token(file, "AWS_WEB_IDENTITY_TOKEN_FILE".to_owned())?;
            return Ok(Self { role, ..plain(way) });
        }
        Ok(plain(Way::Agent))
    }

    /// By a profile, and those that it leads to.
    fn by_profile(first: &Profile, profiles: &ProfileSet) -> Result<Option<Self>, Fault> {
        let (mut profile, mut role, mut device) = (first, None, None);
        let lasts = first.get("duration_seconds").filter(|it| it.trim() != HOUR);
        let is_role = first.get("role_arn").is_some();
        let unheeded = lasts.filter(|_| is_role).map(|_| first.name().to_owned());
        let mut seen = vec![first.name()];
        loop {
            let name = profile.name().to_owned();
            let has = |key: &str| profile.get(key).is_some();
            let is_role = has("role_arn") && !has("web_identity_token_file");
            let is_later = profile.name() != first.name();
            if is_role && !(is_later && has("aws_access_key_id")) {
                role = role.or_else(|| profile.get("role_arn").map(str::to_owned));
                device = device.or_else(|| has("mfa_serial").then(|| name.clone()));
                if let Some(source) = profile.get("source_profile").filter(|it| *it != name) {
                    let next = profiles.get_profile(source);
                    profile = next.ok_or_else(|| lost_source(&name, source))?;
                    // The SDK tells of a circle.
                    if seen.contains(&profile.name()) {
                        return Ok(None);
                    }
                    seen.push(profile.name());
                    continue;
                }
            }
            let get = |key: &str| profile.get(key).unwrap_or_default().to_owned();
            let way = if has("credential_source") {
                match get("credential_source").as_str() {
                    "Environment" => Way::Environment,
                    _ => Way::Agent,
                }
            } else if has("web_identity_token_file") {
                role = role.or_else(|| profile.get("role_arn").map(str::to_owned));
                let by = format!("`web_identity_token_file` of profile `{name}`");
                token(get("web_identity_token_file"), by)?
            } else if has("sso_session") || has("sso_start_url") {
                let (role, account) = (get("sso_role_name"), get("sso_account_id"));
                Way::Sso(name, format!("role `{role}` in account {account}"))
            } else if has("login_session") {
                Way::Login(name)
            } else if has("credential_process") {
                Way::Process(name)
            } else if has("aws_access_key_id") {
                for key in ["aws_access_key_id", "aws_session_token"] {
                    if !is_visible(&get(key)) {
                        return Err(unreadable(&format!("`{key}` of profile `{name}`")));
                    }
                }
                Way::Keys(name)
            } else {
                return Ok(None);
            };
            return Ok(Some(Self { way, role, device, unheeded }));
        }
    }

    /// The same fault with the way out for this signer.
    pub(crate) fn explain(&self, fault: Fault) -> Fault {
        let is_about_others = fault.hint.as_deref() == Some(CLOCK)
            || fault.code.as_deref().is_some_and(|code| NOT_SIGNED_UP.contains(&code));
        if fault.kind != FaultKind::Credentials || is_about_others {
            return fault;
        }
        let hint = match fault.code.as_deref() {
            Some(code) if code.starts_with("ExpiredToken") || code == "RequestExpired" => {
                self.renewal()
            }
            Some(_) => {
                let known = fault.hint.as_deref().unwrap_or_default();
                format!("{known}; {}", self.renewal())
            }
            None => match self.failure(&fault.message) {
                Some(hint) => hint,
                None => return fault,
            },
        };
        fault.hinted(hint)
    }

    /// Why nobody could sign, by what the SDK says of it.
    fn failure(&self, said: &str) -> Option<String> {
        let denied = said.contains("AccessDenied");
        let role = self.role.as_deref().unwrap_or_default();
        if let Some(profile) = self.device.as_ref().filter(|_| denied) {
            return Some(format!(
                "profile `{profile}` wants a code from an MFA device (`mfa_serial`), which the SDK \
                    does not ask for: let the AWS CLI ask, and take its keys: `eval \"$(aws \
                    configure export-credentials --profile {profile} --format env)\"`, then run \
                    the same command without `--profile`"
            ));
        }
        match &self.way {
            Way::Token(..) if denied => Some(format!(
                "the trust policy of {role} does not take this token: compare its conditions \
                    (`aud`, `sub`) with what the token says"
            )),
            Way::Sso(profile, what) if said.contains("No access") || said.contains("Forbidden") => {
                Some(format!(
                    "whoever is signed in has no {what}: correct `sso_account_id` and \
                        `sso_role_name` of profile `{profile}`, or have it assigned"
                ))
            }
            _ if denied && self.role.is_some() => Some(format!(
                "taking on {role} was refused: the policies of whoever signs in and the role's \
                    trust policy both have to allow `sts:AssumeRole`"
            )),
            Way::Agent => None,
            _ => Some(self.renewal()),
        }
    }

    /// Where the keys came from, and how to get new ones.
    fn renewal(&self) -> String {
        match &self.way {
            Way::Environment => format!(
                "the keys stand in the environment, which weighs more than AWS_PROFILE: put new \
                    ones there, or unset {KEYS}, or name a profile with `--profile`, which weighs \
                    more"
            ),
            Way::Keys(profile) => format!(
                "the keys stand in profile `{profile}`: put new ones there (`aws configure \
                    --profile {profile}`), or name another profile with `--profile`"
            ),
            Way::Sso(profile, _) => {
                format!("sign in again: `aws sso login --profile {profile}`")
            }
            Way::Login(profile) => format!("sign in again: `aws login --profile {profile}`"),
            Way::Process(profile) => format!(
                "run the `credential_process` of profile `{profile}` by hand: it has to print keys \
                    that work as JSON, and to end with 0"
            ),
            Way::Token(file, by) => format!(
                "the token in {file} ({by}) is from whoever started this job, and only they make a \
                    new one: run the job again, or give its token a longer life"
            ),
            Way::Agent => "whoever hands out credentials on this machine (container, instance) \
                gave these: name a profile with `--profile`, or repair its role"
                .to_owned(),
        }
    }
}

/// Are there keys in the environment?
///
/// # Errors
/// Half of them, or such as no header can carry. The SDK would look elsewhere for the former, and
/// so sign as somebody else.
fn is_in_environment(variable: Variable) -> Result<bool, Fault> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let (id, secret) = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY"));
    let secret = secret.or_else(|| set("SECRET_ACCESS_KEY"));
    let half = |has: &str, lacks: &str| {
        Fault::new(FaultKind::Credentials, "sign in", format!("{has} is set, and {lacks} is not"))
            .hinted(format!("set {lacks} too, or unset {has}, or name a profile with `--profile`"))
    };
    match (&id, &secret) {
        (None, None) => return Ok(false),
        (Some(_), None) => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (None, Some(_)) => return Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        (Some(_), Some(_)) => {}
    }
    // The SDK takes blanks off the token's ends alone.
    let token = set("AWS_SESSION_TOKEN").map(|token| token.trim().to_owned());
    for (name, value) in [("AWS_ACCESS_KEY_ID", id), ("AWS_SESSION_TOKEN", token)] {
        if value.is_some_and(|value| !is_visible(&value)) {
            return Err(unreadable(name));
        }
    }
    Ok(true)
}

/// Can a header carry it? The SDK takes that for granted.
pub(super) fn is_visible(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}

fn unreadable(name: &str) -> Fault {
    let what = format!("{name} has a line break, a blank or a letter in it that no key has");
    Fault::new(FaultKind::Credentials, "sign in", what)
        .hinted("copy it again, without what stands around it")
}

fn lost_source(profile: &str, source: &str) -> Fault {
    let what = format!(
        "profile `{profile}` takes its credentials from profile `{source}` (`source_profile`), \
            which no file of AWS's has"
    );
    Fault::new(FaultKind::Credentials, "sign in", what).hinted(format!(
        "add profile `{source}`, or correct `source_profile`, or name another profile with \
            `--profile`"
    ))
}

fn token(file: String, by: String) -> Result<Way, Fault> {
    match Path::new(&file).metadata() {
        Ok(_) => Ok(Way::Token(file, by)),
        Err(error) => {
            let tried = format!("read the token in {file} ({by})");
            Err(Fault::new(FaultKind::Credentials, tried, error.to_string()).hinted(
                "the CI job or the cluster writes it: check that it is started with a token, or \
                    name a profile with `--profile`",
            ))
        }
    }
}

#[cfg(test)]
mod tests;
