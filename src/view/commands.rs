//! The commands that texts name, as they have to be typed here: whoever writes a hint does not know
//! in which sandbox or with which spec the user works, so the flags are put in where it is shown.

use serde_json::Value;
use std::borrow::Cow;

/// The verbs that work on a stack.
const VERBS: [&str; 9] =
    ["apply", "destroy", "dev", "maintenance", "plan", "policy", "status", "sweep", "validate"];

/// What follows a command that is meant for the spec of another stack, or for an older one.
const ELSEWHERE: [&str; 3] = [" for stack `", " with the spec ", " and the spec "];

/// Each global flag that a next command needs too, with its value.
pub(super) fn parts(flags: &str) -> Vec<&str> {
    let begins: Vec<usize> = [" --sandbox", " -f ", " --endpoint-url ", " --profile "]
        .iter()
        .filter_map(|flag| flags.find(flag))
        .collect();
    let ends = begins.iter().skip(1).copied().chain([flags.len()]);
    begins.iter().zip(ends).filter_map(|(begin, end)| flags.get(*begin..end)).collect()
}

/// The text with the flags in each of its commands that lacks them.
pub(super) fn complete<'a>(text: &'a str, flags: &str) -> Cow<'a, str> {
    const BEGIN: &str = "`provision ";
    if flags.is_empty() || !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let flags = parts(flags);
    let (mut whole, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        whole.extend([before, BEGIN]);
        let Some((command, behind)) = after.split_once('`') else {
            rest = after;
            continue;
        };
        whole += command;
        if VERBS.contains(&command.split(' ').next().unwrap_or_default()) {
            let is_elsewhere = ELSEWHERE.iter().any(|words| behind.starts_with(words));
            let lacking = flags.iter().filter(|flag| {
                let name = flag.trim_start().split([' ', '=']).next().unwrap_or_default();
                let has_it = command.split([' ', '=']).any(|word| word == name);
                let is_other_spec = is_elsewhere && name == "-f";
                !has_it && !is_other_spec
            });
            whole.extend(lacking.copied());
        }
        whole.push('`');
        rest = behind;
    }
    Cow::Owned(whole + rest)
}

/// The same in every text of a document.
pub(super) fn complete_all(value: &mut Value, flags: &str) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(whole) = complete(text, flags) {
                *text = whole;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| complete_all(value, flags)),
        Value::Object(values) => {
            values.values_mut().for_each(|value| complete_all(value, flags));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &str = " --sandbox=w -f sb/p.yaml --endpoint-url http://a:1 --profile x";

    #[test]
    fn every_command_has_the_flags_that_it_needs_here() {
        for (text, flags, expected) in [
            ("`provision plan` shows it", FLAGS, "`provision plan{}` shows it"),
            (
                "`provision plan` or `provision apply --delete bucket`",
                " --sandbox",
                "`provision plan{}` or `provision apply --delete bucket{}`",
            ),
            // It has them already.
            (
                "`provision status --sandbox=w -f sb/p.yaml --endpoint-url http://a:1 --profile x`",
                FLAGS,
                "`provision status{}`",
            ),
            ("`provision dev --sandbox`", " --sandbox -f b.yaml", "`provision dev{}`"),
            ("`provision plan`", "", "`provision plan`"),
            // Not on a stack, or not closed.
            (
                "`provision init` `provision explain spec`",
                FLAGS,
                "`provision init` `provision explain spec`",
            ),
            ("`provision plan", FLAGS, "`provision plan"),
            ("run `aws sso login`", FLAGS, "run `aws sso login`"),
            // Another spec.
            (
                "`provision destroy` for stack `other` first",
                " --sandbox -f b.yaml",
                "`provision destroy --sandbox` for stack `other` first",
            ),
            (
                "`provision maintenance off` with the spec that was applied last",
                " -f b.yaml",
                "`provision maintenance off` with the spec that was applied last",
            ),
        ] {
            assert_eq!(complete(text, flags), expected.replace("{}", flags), "{text}");
        }
    }

    #[test]
    fn documents_for_machines_name_the_same_commands() {
        let mut document =
            serde_json::json!({"hint": "`provision plan`", "all": [["`provision apply`"]]});
        complete_all(&mut document, " -f 'a b'");
        let expected = serde_json::json!({
            "hint": "`provision plan -f 'a b'`", "all": [["`provision apply -f 'a b'`"]]
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn flags_are_told_apart() {
        let parts = parts(FLAGS);
        assert_eq!(
            parts,
            [" --sandbox=w", " -f sb/p.yaml", " --endpoint-url http://a:1", " --profile x"]
        );
    }
}
