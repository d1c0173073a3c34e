//! What may reach a terminal or the log of a CI. Texts of others pass [`clean`] where they enter a
//! line, and everything passes [`text`] or [`json`] on its way out.

use crate::spec::problem::steers;
use serde_json::Value;
use std::fmt::{Display, Write as _};

/// How commands of CI systems begin: of GitHub and Azure, anywhere in a line.
const COMMANDS: [&str; 2] = ["##[", "##vso["];
/// At the beginning of a line, after blanks.
const COMMAND: &str = "::";

/// Text from the outside world may hold anything, also what would steer a terminal or turn the
/// order of letters. It stays on its line.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => clean.push(' '),
            letter if steers(letter) => clean.extend(letter.escape_unicode()),
            letter => clean.push(letter),
        }
    }
    clean
}

/// Text for people as it goes out: in it are line ends and our own colours, and nothing else that
/// steers; no line of it is a command to a CI system; no address tells a password.
pub(super) fn text(text: &str) -> String {
    let text = without_passwords(text);
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let begin = line.len() - behind_blanks(line).len();
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            let at = line.len() - rest.len();
            let commands = COMMANDS.iter().any(|command| rest.starts_with(command))
                || at == begin && rest.starts_with(COMMAND);
            let length = match colour(rest) {
                Some(length) => length,
                None if commands || steers(letter) && !matches!(letter, '\n' | '\t') => {
                    safe.extend(letter.escape_unicode());
                    rest = &rest[letter.len_utf8()..];
                    continue;
                }
                None => letter.len_utf8(),
            };
            safe.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    safe
}

/// A document as it goes out: the same for machines, with JSON's own escapes.
pub(super) fn json(document: &Value, pretty: bool) -> String {
    let written = if pretty { format!("{document:#}") } else { document.to_string() };
    let written = without_passwords(&written);
    let mut safe = String::with_capacity(written.len());
    for (at, letter) in written.char_indices() {
        let commands = COMMANDS.iter().any(|command| written[at..].starts_with(command));
        if commands || steers(letter) && letter != '\n' {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// The line without what a reader of commands passes over: blanks and colours.
fn behind_blanks(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some(length) = colour(rest) {
        rest = rest[length..].trim_start();
    }
    rest
}

/// How long the colour is that the text begins with: `ESC [ … m`.
fn colour(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\u{1b}[")?;
    let length = inside.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    inside[length..].starts_with('m').then(|| text.len() - inside.len() + length + 1)
}

/// `http://user:password@host` without what stands before the host.
fn without_passwords(text: &str) -> String {
    const SCHEME: &str = "://";
    // As our own texts name the form of an address.
    const FORM: &str = "USER:PASSWORD";
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(SCHEME) {
        safe.extend([before, SCHEME]);
        let ends = |letter: char| letter.is_whitespace() || "/\"'`\\<>".contains(letter);
        let authority = after.split(ends).next().unwrap_or_default();
        rest = match authority.rfind('@') {
            Some(at) if authority.get(..at) != Some(FORM) => {
                safe.push_str("***");
                &after[at..]
            }
            _ => after,
        };
    }
    without_odd_passwords(&(safe + rest))
}

/// The same of what was to be an address: `user:password@host`, `http:/user:password@host`.
fn without_odd_passwords(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let ends = |letter: char| letter.is_whitespace() || "\"'`<>".contains(letter);
        let begin = before
            .rfind(ends)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[begin..];
        let plain = ["https:", "http:"].iter().find_map(|scheme| word.strip_prefix(scheme));
        // An ARN ends with a name, which may be a mail address.
        let tells = plain.unwrap_or(word).contains(':')
            && !word.starts_with("arn:")
            && !["USER:PASSWORD", "***"].iter().any(|shown| word.ends_with(shown));
        safe.push_str(if tells { &before[..begin] } else { before });
        safe.push_str(if tells { "***@" } else { "@" });
        rest = after;
    }
    safe + rest
}

/// The same of anything that can be shown.
pub(super) fn shown(text: impl Display) -> String {
    self::text(&text.to_string())
}
