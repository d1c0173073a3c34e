//! `maintenance`: the page, the switch, who gets past it.

use super::reader::{Reader, Section};
use super::scalar::Word;
use crate::name::ObjectKey;
use crate::resource::site::index;
use crate::spec::problem::Problem;
use crate::spec::{BYPASS_COOKIE, KEY_OFF, KEY_ON, MaintenanceSpec};
use std::path::Path;

const RESPONSES: &str = "Amazon CloudFront Developer Guide, \"Work with requests and responses\"";
const OBJECT_KEYS: &str = "Amazon S3 User Guide, \"Naming Amazon S3 objects\"";

pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &Section<'_>,
    folder: &Path,
) -> Option<MaintenanceSpec> {
    let section = reader.section(top, "maintenance");
    let keys = reader.section(&section, "keys");
    let bypass = reader.section(&section, "bypass");
    let retry_rule = "the header `Retry-After` carries whole seconds (RFC 9110); crawlers that are \
        sent away for longer than a week drop pages";
    let cache_rule = "an edge instance that remembers for longer makes the switch slow for \
        visitors; `0s` asks S3 on every request";
    Some(MaintenanceSpec {
        page: reader.path(&section, "page", folder),
        key_off: object_key(reader, &keys, "off", KEY_OFF)?,
        key_on: object_key(reader, &keys, "on", KEY_ON)?,
        status: status(reader, &section),
        retry_after: reader.duration(&section, "retry_after", 600, retry_rule),
        cache: reader.duration(&section, "cache", 5, cache_rule),
        allow: allow(reader, &section),
        programs: paths(reader, &section, "programs").unwrap_or_default(),
        bypass_cidrs: cidrs(reader, &bypass),
        bypass_cookie: cookie(reader, &bypass),
    })
}

/// Lambda takes 256 letters of description; stack and bucket need up to 120.
const LONGEST_KEY: usize = 128;

fn object_key(
    reader: &mut Reader<'_>,
    keys: &Section<'_>,
    key: &str,
    default: &str,
) -> Option<ObjectKey> {
    let word = reader.word(keys, key);
    let Some(word) = word else { return default.parse().ok() };
    let broken = match word.text.parse::<ObjectKey>() {
        Ok(found) if found.as_str() == index::KEY => {
            "is where `provision` records which objects are ours"
        }
        Ok(found) if found.as_str().len() > LONGEST_KEY => {
            "must have at most 128 bytes, so that the function's description can tell it"
        }
        Ok(found) if found.as_str().contains(['*', '?', '$']) => {
            "must not hold `*`, `?` or `$`, which IAM reads as more than themselves"
        }
        Ok(found) if !found.as_str().split('/').any(|part| matches!(part, "" | "." | "..")) => {
            return Some(found);
        }
        Ok(_) => "must not hold an empty part, `.` or `..` between slashes",
        Err(broken) => broken,
    };
    reader.refuse(
        keys,
        key,
        &word.place,
        format!("object key `{}` {broken}", word.shown),
        OBJECT_KEYS,
        format!("write for example `{key}: {default}`"),
    );
    default.parse().ok()
}

fn status(reader: &mut Reader<'_>, section: &Section<'_>) -> u16 {
    let status = reader.whole(
        section,
        "status",
        503_u16,
        &format!("{RESPONSES}: a status outside of 200 to 599 becomes an error page"),
    );
    let Some(given) = reader.given.get("maintenance.status").cloned() else { return status };
    if matches!(status, 204 | 205 | 304) {
        let what = format!("status `{}` has no body, so there is no page to show", given.shown);
        reader.refuse(
            section,
            "status",
            &given.place,
            what,
            format!("{RESPONSES}: 204 with a body becomes 502"),
            "write `status: 503`",
        );
    } else if status < 400 {
        let what = format!(
            "status `{}` tells crawlers that the maintenance page is the site",
            given.shown
        );
        let rule = "Google Search Central, \"How to deal with planned site downtime\": planned \
            downtime is 503 with `Retry-After`";
        reader.problems.push(Problem::warning(&given.place, what, rule, "write `status: 503`"));
    }
    status
}

const PATHS: &str =
    "a path is compared as it stands in the request: exactly, or up to one `*` at its end";

fn allow(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let Some(paths) = paths(reader, section, "allow") else {
        return vec!["/robots.txt".to_owned(), "/.well-known/*".to_owned()];
    };
    if let (true, Some(given)) =
        (paths.iter().any(|path| path == "/*"), reader.given.get(&section.address("allow")))
    {
        let what = "`/*` lets every request past the maintenance page";
        let fix = "remove it, or name the paths";
        reader.problems.push(Problem::warning(&given.place, what, PATHS, fix));
    }
    paths
}

fn paths(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<Vec<String>> {
    let words = reader.words(section, key)?;
    for word in &words {
        let without_star = word.text.strip_suffix('*').unwrap_or(&word.text);
        let broken = if !word.text.starts_with('/') {
            "must begin with `/`"
        } else if without_star.contains('*') {
            "may hold `*` only as its last character"
        } else if without_star.contains(['?', '#']) {
            "must not hold `?` or `#`: only the path is compared"
        } else if word.text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            "must not hold spaces; write them as `%20`"
        } else if word.text.len() > 1024 {
            "must be at most 1,024 bytes long"
        } else {
            continue;
        };
        let fix = if word.literal && !word.text.starts_with('/') {
            format!("write `\"/{}\"`", word.shown)
        } else {
            "write for example `\"/health/*\"`".to_owned()
        };
        reader.problems.push(Problem::error(
            &word.place,
            format!("path `{}` in `maintenance.{key}` {broken}", word.shown),
            PATHS,
            fix,
        ));
    }
    Some(words.into_iter().map(|word| word.text).collect())
}

fn cidrs(reader: &mut Reader<'_>, bypass: &Section<'_>) -> Vec<String> {
    let words = reader.words(bypass, "cidrs").unwrap_or_default();
    for word in &words {
        let rule =
            "a network is an address and the number of its fixed bits (RFC 4632), IPv4 or IPv6";
        if let Some((what, fix)) = broken_network(word) {
            reader.problems.push(Problem::error(&word.place, what, rule, fix));
        } else if word.text.ends_with("/0") {
            let what = format!("`{}` lets every visitor past the maintenance page", word.shown);
            reader.problems.push(Problem::warning(
                &word.place,
                what,
                rule,
                "name the networks of your team",
            ));
        }
    }
    words.into_iter().map(|word| word.text).collect()
}

fn broken_network(word: &Word) -> Option<(String, String)> {
    let example = "write for example `203.0.113.0/24`".to_owned();
    let suggestion =
        |network: String| if word.literal { format!("write `{network}`") } else { example.clone() };
    if let Ok(address) = word.text.parse::<std::net::IpAddr>() {
        let single = ipnet::IpNet::from(address);
        return Some((
            format!("`{}` is an address, not a network", word.shown),
            suggestion(single.to_string()),
        ));
    }
    match word.text.parse::<ipnet::IpNet>() {
        Ok(network) if network.addr() == network.network() => None,
        Ok(network) => Some((
            format!("`{}` is an address inside of a network", word.shown),
            suggestion(network.trunc().to_string()),
        )),
        Err(_) => Some((format!("`{}` is not a network", word.shown), example)),
    }
}

fn cookie(reader: &mut Reader<'_>, bypass: &Section<'_>) -> String {
    let Some(word) = reader.word(bypass, "cookie") else { return BYPASS_COOKIE.to_owned() };
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if (1..=64).contains(&word.text.len()) && word.text.bytes().all(token) {
        return word.text;
    }
    let what = format!("`{}` cannot be the name of a cookie", word.shown);
    let rule = "RFC 6265: a cookie's name is a token, made of letters, digits and \
        ``!#$%&'*+-.^_`|~``; at most 64 here";
    reader.refuse(
        bypass,
        "cookie",
        &word.place,
        what,
        rule,
        format!("write for example `cookie: {BYPASS_COOKIE}`"),
    );
    BYPASS_COOKIE.to_owned()
}
