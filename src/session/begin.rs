//! How a run begins and, whatever happens in it, ends.

use super::exit::Exit;
use crate::view::View;
use std::panic;

/// Begins the program again without the variables of AWS's that are empty, where there are any: an
/// empty one is as good as none for the AWS CLI, but the SDK takes some at their word, and no
/// running program can safely take a variable from itself.
#[cfg(unix)]
pub(crate) fn without_empty_variables() {
    use std::os::unix::process::CommandExt as _;
    let is_empty = |value: &std::ffi::OsStr| value.to_string_lossy().trim().is_empty();
    let empty: Vec<_> = std::env::vars_os()
        .filter(|(name, value)| name.to_string_lossy().starts_with("AWS_") && is_empty(value))
        .map(|(name, _)| name)
        .collect();
    if empty.is_empty() {
        return;
    }
    let mut words = std::env::args_os();
    let (Some(name), Ok(program)) = (words.next(), std::env::current_exe()) else { return };
    let mut command = std::process::Command::new(program);
    command.arg0(name).args(words);
    for name in empty {
        command.env_remove(name);
    }
    // It returns only where it cannot be done: then whatever needs the variables refuses them.
    drop(command.exec());
}

/// A fault of the program's own ends it with a documented code, and words for people and machines.
pub(crate) fn panics_end_it(view: View) {
    panic::set_hook(Box::new(move |panicked| {
        let place = panicked.location().map(|place| format!(" ({place})")).unwrap_or_default();
        let what = panicked.payload_as_str().unwrap_or("no reason is known");
        let hint = "whatever was done up to here stays done, and the same command goes on from \
            there; please report this (`provision explain reporting`)";
        view.error(&format!("provision has a fault: {what}{place}"), Some(hint));
        #[expect(clippy::disallowed_methods, clippy::exit, reason = "nothing can go on")]
        std::process::exit(Exit::Failed as i32);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    #[ignore = "ends the program: what the other test runs"]
    fn panics() {
        panics_end_it(View::new(true));
        panic!("URL was unset");
    }

    #[test]
    fn a_fault_of_our_own_ends_with_a_documented_code() {
        let this = std::env::current_exe().unwrap();
        let test = "session::begin::tests::panics";
        let words = ["--exact", test, "--ignored", "--nocapture"];
        let output = Command::new(this).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let document = said.lines().find(|line| line.starts_with('{')).unwrap();
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        assert!(document.to_string().contains("URL was unset"), "{document}");
    }
}
