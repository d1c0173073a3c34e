//! `distribution`: one of our own, or slots of one that exists.

use super::nearest;
use super::reader::{Reader, Section};
use super::scalar::Naming;
use crate::name::{AccountId, DistributionId, EDGE_REGION, StackName};
use crate::resource::distribution::Behavior;
use crate::spec::keys::{self, ATTACHED, Key};
use crate::spec::problem::Problem;
use crate::spec::{AttachedDistribution, DistributionSpec, OwnedDistribution};
use std::collections::BTreeSet;

const CONFIG: &str = "Amazon CloudFront API Reference, \"DistributionConfig\"";
const CNAMES: &str = "Amazon CloudFront Developer Guide, \"Use custom URLs by adding alternate \
    domain names (CNAMEs)\"";
const EITHER: &str = "a distribution is ours (without `id`), or exists already (with `id`) and \
    then keeps its own settings";

const ID: Naming = Naming {
    title: "distribution id",
    rule: "Amazon CloudFront API Reference, \"Distribution\"",
    example: "E2ABCDEF0123",
};

pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &Section<'_>,
    stack: &StackName,
) -> Option<DistributionSpec> {
    let section = reader.section(top, "distribution");
    let attached = section.has("id");
    for key in keys::below("distribution").map(Key::name) {
        if ATTACHED.contains(&key) == attached {
            continue;
        }
        let Some(entry) = section.entry(key) else { continue };
        let (what, fix) = if attached {
            (
                format!("`distribution.{key}` cannot be set on a distribution that exists"),
                "remove it, or remove `id` to get a distribution of your own",
            )
        } else {
            (
                format!("`distribution.{key}` needs `distribution.id`"),
                "add the `id` of the distribution that exists, or remove this key",
            )
        };
        reader.problems.push(Problem::error(&entry.key.place, what, EITHER, fix));
    }
    if attached {
        let id = reader.name(&section, "id", &ID);
        let behaviors = behaviors(reader, &section);
        let replace = reader.flag(&section, "replace").unwrap_or_default();
        // The id only stands in for a refused one, which is an error already.
        let id = id.or_else(|| "E0000000000000".parse::<DistributionId>().ok())?;
        return Some(DistributionSpec::Attached(AttachedDistribution { id, behaviors, replace }));
    }
    Some(DistributionSpec::Owned(OwnedDistribution {
        default_root_object: root_object(reader, &section),
        price_class: price_class(reader, &section),
        aliases: aliases(reader, &section),
        certificate: certificate(reader, &section),
        spa: reader.flag(&section, "spa").unwrap_or_default(),
        comment: comment(reader, &section).unwrap_or_else(|| format!("provision {stack}")),
    }))
}

fn behaviors(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeSet<Behavior> {
    let Some(words) = reader.words(section, "behaviors") else {
        return BTreeSet::from([Behavior::Default]);
    };
    let rule = "Amazon CloudFront API Reference, \"CacheBehavior\": a path pattern has 1 to 255 \
        characters; `default` is the default behavior, `/default` a pattern";
    if let (true, Some(given)) =
        (words.is_empty(), reader.given.get("distribution.behaviors").cloned())
    {
        reader.problems.push(Problem::error(
            &given.place,
            "`distribution.behaviors` names no behavior",
            rule,
            "write `behaviors: [default]`",
        ));
    }
    for word in &words {
        let length = word.text.chars().count();
        if length == 0
            || length > 255
            || word.text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
        {
            let what = format!("`{}` is not a path pattern", word.shown);
            reader.problems.push(Problem::error(
                &word.place,
                what,
                rule,
                "write the pattern as the distribution has it, for example `\"/app/*\"`",
            ));
        }
    }
    words.iter().map(|word| word.text.as_str().into()).collect()
}

fn root_object(reader: &mut Reader<'_>, section: &Section<'_>) -> String {
    const DEFAULT: &str = "index.html";
    const DOCUMENT: &str = "Amazon CloudFront Developer Guide, \"Specify a default root object\"";
    let Some(word) = reader.word(section, "default_root_object") else { return DEFAULT.to_owned() };
    let length = word.text.chars().count();
    let (broken, fix) = if length == 0 || length > 255 {
        ("must be 1 to 255 characters long", format!("write for example `{DEFAULT}`"))
    } else if word.text.starts_with('/') {
        let bare = word.text.trim_start_matches('/');
        (
            "must not begin with `/`",
            if word.literal && !bare.is_empty() {
                format!("write `{}`", crate::spec::problem::visible(bare))
            } else {
                format!("write for example `{DEFAULT}`")
            },
        )
    } else if word.text.split('/').any(|part| matches!(part, "" | "." | ".."))
        || word.text.chars().any(char::is_control)
    {
        ("must be the key of an object", format!("write for example `{DEFAULT}`"))
    } else {
        return word.text;
    };
    reader.refuse(
        section,
        "default_root_object",
        &word.place,
        format!("root object `{}` {broken}", word.shown),
        DOCUMENT,
        fix,
    );
    DEFAULT.to_owned()
}

fn price_class(reader: &mut Reader<'_>, section: &Section<'_>) -> String {
    let Some(word) = reader.word(section, "price_class") else {
        return "PriceClass_100".to_owned();
    };
    let classes = section.words("price_class");
    if classes.contains(&word.text.as_str()) {
        return word.text;
    }
    let fix = nearest::fix(&word.text, &classes);
    reader.refuse(
        section,
        "price_class",
        &word.place,
        format!("unknown price class `{}`", word.shown),
        CONFIG,
        fix,
    );
    "PriceClass_100".to_owned()
}

fn aliases(reader: &mut Reader<'_>, section: &Section<'_>) -> BTreeSet<String> {
    const MOST: usize = 100;
    let words = reader.words(section, "aliases").unwrap_or_default();
    for word in &words {
        let Some(broken) = broken_host(&word.text) else { continue };
        let lower = word.text.to_lowercase();
        let fix = if word.literal && broken_host(&lower).is_none() {
            format!("write `{lower}`")
        } else {
            "write for example `www.example.org`".to_owned()
        };
        reader.problems.push(Problem::error(
            &word.place,
            format!("alias `{}` {broken}", word.shown),
            CNAMES,
            fix,
        ));
    }
    if let (true, Some(given)) =
        (words.len() > MOST, reader.given.get("distribution.aliases").cloned())
    {
        let what = format!("{} aliases are more than {MOST}", words.len());
        reader.problems.push(Problem::error(
            &given.place,
            what,
            "Amazon CloudFront Developer Guide, \"Quotas\"",
            format!("keep {MOST} of them"),
        ));
    }
    words.into_iter().map(|word| word.text).collect()
}

fn broken_host(host: &str) -> Option<&'static str> {
    if host.len() > 253 {
        return Some("must be at most 253 characters long");
    }
    if !host.is_ascii() {
        return Some("must be ASCII; write an international name in its `xn--` form");
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some("must be lower case");
    }
    let labels: Vec<&str> = host.strip_prefix("*.").unwrap_or(host).split('.').collect();
    let label = |label: &&str| {
        let inside = label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        (1..=63).contains(&label.len())
            && inside
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = labels.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if labels.len() < 2 || numeric || !labels.iter().all(label) {
        Some("is not a host name")
    } else {
        None
    }
}

fn certificate(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let word = reader.word(section, "certificate")?;
    let rule =
        format!("{CNAMES}: the certificate is one of AWS Certificate Manager in {EDGE_REGION}");
    let parts: Vec<&str> = word.text.split(':').collect();
    let shaped = match parts.as_slice() {
        ["arn", "aws", "acm", region, account, resource]
            if account.parse::<AccountId>().is_ok() =>
        {
            let id = resource.strip_prefix("certificate/").unwrap_or_default();
            let named =
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            named.then_some(*region)
        }
        _ => None,
    };
    let (what, fix) = match shaped {
        Some(EDGE_REGION) => return Some(word.text),
        Some(_) => (
            format!("certificate `{}` is not in {EDGE_REGION}", word.shown),
            format!("ask for the same certificate in {EDGE_REGION}, and write its ARN here"),
        ),
        None => (
            format!("`{}` is not the ARN of a certificate", word.shown),
            format!("write it as `arn:aws:acm:{EDGE_REGION}:123456789012:certificate/…`"),
        ),
    };
    reader.refuse(section, "certificate", &word.place, what, rule, fix);
    None
}

fn comment(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<String> {
    let word = reader.word(section, "comment")?;
    let length = word.text.chars().count();
    if length <= 128 && !word.text.chars().any(char::is_control) {
        return Some(word.text);
    }
    let what = if length > 128 {
        format!("the comment has {length} characters")
    } else {
        "the comment has more than one line".to_owned()
    };
    reader.refuse(
        section,
        "comment",
        &word.place,
        what,
        format!("{CONFIG}: at most 128 characters on one line"),
        "write a shorter comment",
    );
    None
}
