//! Values of the environment and of AWS's own files that nobody can use: each is told before
//! anybody is asked, and none makes the program fall over. Nothing here reaches a network.

use crate::story::{Answer, Story};
use assert_cmd::Command;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::LazyLock;
use std::thread;

/// Whoever asks there is told at once that they may not.
static NO: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 16 * 1024]);
                let no = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(no.as_bytes());
            });
        }
    });
    format!("http://{address}")
});

const SAYS_NO: &str = "AWS answered with HTTP status 403";

fn signed_in<'a>(story: &Story, command: &'a mut Command) -> &'a mut Command {
    let home = story.path("");
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_MAX_ATTEMPTS", "1").env("AWS_ACCESS_KEY_ID", "AKIAKEY");
    command.env("AWS_SECRET_ACCESS_KEY", "secret").env("AWS_ENDPOINT_URL", NO.as_str())
}

fn plan(story: &Story, flags: &str, environment: &[(&str, &str)]) -> Answer {
    run(story, &format!("plan{flags}"), environment)
}

fn run(story: &Story, line: &str, environment: &[(&str, &str)]) -> Answer {
    let mut command = story.command(line);
    signed_in(story, &mut command).envs(environment.iter().copied());
    let answer = story.answer(&mut command);
    let said = format!("{}{}", answer.out, answer.err);
    assert!(!said.contains("panicked") && !said.contains("has a fault"), "{environment:?}: {said}");
    answer
}

#[test]
fn no_value_of_a_variable_makes_it_fall_over() {
    let story = Story::of_a_shop();
    for name in [
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_CA_BUNDLE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_RETRY_MODE",
        "AWS_ACCOUNT_ID",
        "HTTPS_PROXY",
        "NO_PROXY",
        "HOME",
    ] {
        for value in ["", "\n", "a\rb", "\u{1}", "\u{fc}", "x://y"] {
            let answer = run(&story, "maintenance status", &[(name, value)]);
            assert_eq!(answer.code, 1, "{name}={value:?}: {}{}", answer.out, answer.err);
        }
    }
}

#[test]
fn an_empty_variable_is_none() {
    let story = Story::of_a_shop();
    for name in ["AWS_ENDPOINT_URL_STS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"] {
        let answer = plan(&story, "", &[(name, "")]);
        assert!(answer.err.contains(SAYS_NO), "{name}: {}", answer.err);
    }
    let flag = format!(" --endpoint-url {}", NO.as_str());
    let answer = plan(&story, &flag, &[("AWS_ENDPOINT_URL", " ")]);
    assert!(answer.err.contains(SAYS_NO), "{}", answer.err);
}

/// What is wrong → what is said.
#[test]
fn what_cannot_be_used_is_named_before_anybody_is_asked() {
    let story = Story::of_a_shop();
    story.write(
        ".aws/config",
        "[profile empty]\nendpoint_url =\n[staging]\nregion = eu-west-1\n\
         [profile chain]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = gone\n\
         [profile odd]\naws_access_key_id = AKIA\u{fc}\naws_secret_access_key = secret\n",
    );
    for (flags, environment, says) in [
        ("", &[("AWS_ENDPOINT_URL", " http://127.0.0.1:1")][..], "address in AWS_ENDPOINT_URL"),
        ("", &[("AWS_ENDPOINT_URL", "htp://127.0.0.1:1")], "does not begin with `http://`"),
        ("", &[("AWS_ENDPOINT_URL_IAM", "http:/127.0.0.1:1")], "address in AWS_ENDPOINT_URL_IAM"),
        ("", &[("HTTPS_PROXY", "garbage://x")], "could not use the proxy in HTTPS_PROXY"),
        ("", &[("https_proxy", "http://us er:secretword@127.0.0.1:1")], "there is a blank in it"),
        ("", &[("ALL_PROXY", "socks5://u:secretword@127.0.0.1:1")], "it is a SOCKS proxy"),
        ("", &[("AWS_ACCESS_KEY_ID", "AKIA\n")], "AWS_ACCESS_KEY_ID has a line break"),
        ("", &[("AWS_SESSION_TOKEN", "a\rb")], "AWS_SESSION_TOKEN has a line break"),
        ("", &[("AWS_SECRET_ACCESS_KEY", "")], "AWS_SECRET_ACCESS_KEY is not"),
        (" --profile staging", &[], "[profile staging]"),
        (" --profile chain", &[], "takes its credentials from profile `gone`"),
        (" --profile odd", &[], "`aws_access_key_id` of profile `odd`"),
        (" --profile empty", &[("AWS_ENDPOINT_URL", "")], "`endpoint_url` of the profile"),
    ] {
        let answer = plan(&story, flags, environment);
        assert_eq!(answer.code, 1, "{environment:?} {flags}: {}", answer.err);
        assert!(answer.err.contains(says), "{environment:?} {flags}: {}", answer.err);
        assert!(answer.err.contains("hint: "), "{environment:?} {flags}: {}", answer.err);
        assert!(!answer.err.contains("secretword"), "{}", answer.err);
    }
    for url in ["''", "htp://127.0.0.1:1", "127.0.0.1"] {
        let mut command = story.command("plan");
        signed_in(&story, &mut command).args(["--endpoint-url", url.trim_matches('\'')]);
        let answer = story.answer(&mut command);
        assert_eq!(answer.code, 64, "{url}: {}", answer.err);
    }
    // Whoever asks nobody needs none of it.
    let mut command = story.command("plan --sandbox");
    command.env("HTTPS_PROXY", "garbage://x").env("AWS_ACCESS_KEY_ID", "AKIA\n");
    assert_eq!(story.answer(&mut command).code, 0);
}

/// Wherever an address is named: in a refusal, in a hint, in what is waited for.
#[test]
fn no_message_tells_the_password_of_an_address() {
    let story = Story::of_a_shop();
    let host = NO.trim_start_matches("http://");
    for (line, url) in [
        ("plan", format!("http://user:secretword@{host}")),
        ("plan -v --json", format!("http://user:secretword@{host}")),
        ("apply --yes", "http://user:secretword@127.0.0.1:1".to_owned()),
        ("maintenance on", format!("http://secretword@{host}")),
        ("plan", "htp://user:secretword@127.0.0.1:1".to_owned()),
        ("plan", "http://user:secret?secretword@127.0.0.1:1".to_owned()),
    ] {
        let told = |named: &str, command: &mut Command| {
            let answer = story.answer(command);
            assert_ne!(answer.code, 0, "{line} {url}");
            let said = answer.out + &answer.err;
            assert!(!said.contains("secretword"), "{line} {named} {url}: {said}");
        };
        let mut command = story.command(line);
        signed_in(&story, &mut command).args(["--endpoint-url", &url]);
        told("flag", &mut command);
        let mut command = story.command(line);
        signed_in(&story, &mut command).env("AWS_ENDPOINT_URL", &url);
        told("variable", &mut command);
    }
}
