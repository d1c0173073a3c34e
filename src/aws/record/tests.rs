use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use veil::tests::{all_percent, entities, json, percent};

/// What is somebody's, and how the recording comes to know it.
const VALUES: &[(&str, Known)] = &[
    ("IQoJb3JpZ2luX2VjEJr//aws+4711/x86", Known::Key),
    ("ASIAZEBRA4711", Known::Key),
    ("111122223333", Known::In("<Account>{}</Account>")),
    ("4711-0815", Known::In("{\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"{}\"}}}")),
    ("20261130", Known::In("%7B%22sts%3AExternalId%22%3A%20%5B%22{}%22%2C%22x%22%5D%7D")),
    ("123456789", Known::In("{\"policy\":\"{\\\"aws:Referer\\\":\\\"{}\\\"}\"}")),
    ("7.0.11.2026-1", Known::In("<HeaderValue>{}</HeaderValue>")),
    ("31415926", Known::In("{\"Variables\":{\"A\":\"}\",\"KEY\":\"{}\"}}")),
    ("10.0.0.1", Known::In("cidrs: [{}/32]")),
    ("203.0.113.7", Known::In("%22aws%3ASourceIp%22%3A%22{}%2F32%22")),
    ("198.51.100.9", Known::In("cidrs:{}:8080")),
    ("2001:db8:a::1", Known::In("{\"aws:SourceIp\":[\"{}/64\"]}")),
    ("zebra-shop", Known::Named),
    ("lambda-function", Known::Named),
    ("h\u{fc}tte", Known::Named),
];

#[derive(Clone, Copy)]
enum Known {
    /// A request is signed with it.
    Key,
    /// The spec names it.
    Named,
    /// From where it stands in another exchange.
    In(&'static str),
}

fn bytes(text: &str, between: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// Every four letters apart, where it has not signs of its own and is too short to do without.
fn apart(text: &str, by: &str) -> String {
    if text.len() < 11 && text.contains(|letter: char| !letter.is_alphanumeric()) {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(by)
}

/// The ways in which it may be written.
const FORMS: &[fn(&str) -> String] = &[
    str::to_owned,
    percent,
    |value| percent(&percent(value)),
    all_percent,
    json,
    |value| percent(&json(value)),
    entities,
    |value| entities(&all_percent(value)),
    |value| STANDARD.encode(value),
    |value| bytes(value, ""),
    |value| bytes(value, "").to_uppercase(),
    |value| bytes(value, " "),
    |value| bytes(value, "-"),
    |value| percent(&bytes(value, ":")),
    |value| value.replace(|letter: char| !letter.is_alphanumeric(), "-"),
    |value| value.replace(|letter: char| !letter.is_alphanumeric(), " "),
    |value| apart(value, "-"),
    |value| apart(value, " "),
    |value| percent(&apart(value, " ")),
];

/// Where it may stand.
const TEXTS: &[&str] = &[
    "{}",
    "/{}?prefix={}%2F&marker=({})",
    "arn:aws:lambda:us-east-1::function:{}:7",
    "<Message>not allowed: {}. Ask ({}).</Message>",
    "{\"Statement\":[{\"Resource\":\"arn:aws:s3:::{}/*\",\"Sid\":\"{}\"}]}",
    "%7B%22Resource%22%3A%22{}%22%7D",
];

fn exchange(text: &str) -> Exchange {
    let headers = || BTreeMap::from([("x-amz-meta-note".to_owned(), text.to_owned())]);
    Exchange {
        service: "s3".to_owned(),
        operation: "ListObjectsV2".to_owned(),
        region: "us-east-1".to_owned(),
        method: "GET".to_owned(),
        path: text.to_owned(),
        asked: headers(),
        sent: Body::Text(text.to_owned()),
        status: Some(200),
        said: headers(),
        answer: Body::Text(text.to_owned()),
    }
}

/// Everything that is written of these exchanges, and of a spec with the same text.
fn written(value: &str, known: Known, texts: &[String]) -> String {
    let recording = Recording::default();
    let mut spec = texts.concat();
    match known {
        Known::Key => recording.hides([value].into_iter()),
        Known::Named => {}
        Known::In(place) => spec += &place.replace("{}", value),
    }
    let name = matches!(known, Known::Named).then(|| value.to_owned());
    recording.is_about(spec.clone(), name);
    let mut recorded = recording.0.lock().unwrap();
    recorded.exchanges.extend(texts.iter().map(|text| exchange(text)));
    // What tells comes last: it is known before anything is written.
    recorded.exchanges.push(exchange(&spec));
    drop(recorded);
    let (lines, spec, _) = recording.veiled();
    lines + &spec.unwrap()
}

/// As a word, or as several in their order, whatever is between these.
fn is_told(text: &str, value: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (text, value) = (words(text), words(value));
    text.windows(value.len()).any(|found| found == value)
}

/// Plain, percent-encoded, escaped, in base64, in hexadecimal, with signs between: nothing that is
/// somebody's stays in any place of an exchange.
#[test]
fn no_form_of_what_is_somebodys_stays_anywhere() {
    for (value, known) in VALUES {
        for form in FORMS {
            let form = form(value);
            let texts: Vec<String> = TEXTS.iter().map(|text| text.replace("{}", &form)).collect();
            let written = written(value, *known, &texts);
            for told in [*value, form.as_str()] {
                let line = written.lines().find(|line| is_told(line, told));
                assert_eq!(line, None, "{value} as {form}");
            }
        }
    }
}

/// A service that refuses a signature answers with all that was signed.
#[test]
fn what_was_signed_is_not_in_a_recording() {
    let signed = "GET\n/\n\nhost:s3\nx-amz-security-token:4711+0815/12\n\nhost\ne3b0c442";
    let [hex, long] = [bytes(signed, " "), "ab12".repeat(16)];
    let refused = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature does not match\
         </Message><AWSAccessKeyId>4711</AWSAccessKeyId><StringToSign>{signed}</StringToSign>\
         <SignatureProvided>{long}</SignatureProvided><StringToSignBytes>{hex}\
         </StringToSignBytes><CanonicalRequest>{}</CanonicalRequest><CanonicalRequestBytes>{hex}\
         </CanonicalRequestBytes></Error>",
        signed.replace('s', "&lt;"),
    );
    let told = "The request signature does not match.\n\nThe Canonical String for this request \
        should have been\n'4711'\n\nThe String-to-Sign should have been\n'0815'";
    let query =
        format!("<Error><Message>{told}</Message><Code>SignatureDoesNotMatch</Code></Error>");
    let json = format!("{{\"message\":{},\"x\":1}}", serde_json::to_string(told).unwrap());
    for (text, left) in [
        (
            refused.as_str(),
            "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature does not \
             match</Message><AWSAccessKeyId></AWSAccessKeyId><StringToSign></StringToSign>\
             <SignatureProvided></SignatureProvided><StringToSignBytes></StringToSignBytes>\
             <CanonicalRequest></CanonicalRequest><CanonicalRequestBytes>\
             </CanonicalRequestBytes></Error>",
        ),
        (
            &query,
            "<Error><Message>The request signature does not match.\n\nThe Canonical String for \
             this request should have been</Message><Code>SignatureDoesNotMatch</Code></Error>",
        ),
        (
            &json,
            "{\"message\":\"The request signature does not match.\\n\\nThe Canonical String for \
             this request should have been\",\"x\":1}",
        ),
    ] {
        let mut veil = Veil::hiding(&[]);
        let veiled = veil.text(text, Keeps::Digests);
        let shape = |text: &str| text.split(char::is_alphanumeric).collect::<String>();
        assert_eq!(shape(&veiled), shape(left), "{veiled}");
        for told in ["4711", "0815", "ab12", "47 45"] {
            assert!(!veiled.contains(told), "{veiled}");
        }
    }
}

/// The digest of a bypass token is no digest of an object.
#[test]
fn what_lets_people_past_the_page_does_not_stay() {
    let digest = "0123456789abcdef".repeat(4);
    let mut put = exchange("");
    put.operation = "PutObject".to_owned();
    put.asked = [BYPASS, "etag"].map(|name| (name.to_owned(), digest.clone())).into();
    let veiled = put.veiled(&mut Veil::hiding(&[]));
    assert_ne!(veiled.asked[BYPASS], digest);
    assert_eq!(veiled.asked["etag"], digest);
}
