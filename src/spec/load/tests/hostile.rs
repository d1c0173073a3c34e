//! Secrets, and input that nobody means well with.

use super::*;
use proptest::prelude::*;

#[test]
fn a_hostile_file_is_refused_in_no_time() {
    let folder = folder();
    let many_keys: String =
        (0..5_000).flat_map(|n| ["s".to_owned(), n.to_string(), "tack: 1\n".to_owned()]).collect();
    let one_line = format!("stack: shop\ntags: {{ {} }}\n", "x: [1, 2, 3], ".repeat(3_000));
    let long_text = format!("stack: {}\n", "x".repeat(1_000_000));
    for text in [many_keys, one_line, long_text] {
        let problems = load_text(folder.path(), &text).unwrap_err();
        assert!(problems.render(false).len() < 200_000);
    }
}

/// Every key that takes text, filled from a variable.
const ALL_FROM_VARIABLES: &str = "\
stack: ${X}
account: ${X}
region: ${X}
bucket: { name: '${X}', site: '${X}', versioning: '${X}' }
maintenance:
  page: ${X}
  keys: { off: '${X}', on: '${X}' }
  status: ${X}
  retry_after: ${X}
  cache: ${X}
  allow: ['${X}', '${X}']
  bypass: { cidrs: ['${X}'], cookie: '${X}' }
function:
  name: ${X}
  runtime: ${X}
  source: ${X}
  handler: ${X}
  memory: ${X}
  timeout: ${X}
  keep_versions: ${X}
role: { name: '${X}', path: '${X}', permissions_boundary: '${X}' }
distribution:
  default_root_object: ${X}
  price_class: ${X}
  aliases: ['${X}']
  certificate: ${X}
  spa: ${X}
  comment: ${X}
tags: { a: '${X}' }
protect: ['${X}']
";

#[test]
fn the_value_of_a_variable_is_never_told() {
    let folder = folder();
    for secret in [
        "Hunter2 ?",
        "hunter2",
        "/hunter2",
        "HUNTER2.example.org",
        "./hunter2/../hunter2",
        "hunter2.handler",
        "54321",
        "54321MB",
        "54321s",
        "54321.5s",
        "203.54.32.1",
        "203.54.32.1/8",
        "arn:aws:acm:eu-west-1:543210000000:certificate/hunter2",
        "*hunter2*",
        "pythonhunter2",
        "arn:aws:iam::543210000000:policy/hunter2",
        "543210000000",
        "hunter2\n\u{1b}[31m",
    ] {
        let attached = ALL_FROM_VARIABLES
            .replace("  default_root_object", "  id: ${X}\n  default_root_object");
        for text in [ALL_FROM_VARIABLES, &attached] {
            let problems =
                load_text_with(folder.path(), text.as_bytes(), &|_| Some(secret.to_owned()))
                    .unwrap_err();
            let told = format!("{}{}", problems.render(false), problems.json());
            for part in ["unter2", "UNTER2", "54321", "54.32"] {
                assert!(!told.contains(part), "{secret}: {told}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let folder = TempDir::new().unwrap();
        let problems = load_text_with(folder.path(), &bytes, &|name| Some(name.to_owned()));
        if let Err(problems) = problems {
            prop_assert!(problems.errors() > 0);
            let _ = problems.render(true);
        }
    }

    #[test]
    fn no_text_in_a_value_makes_it_panic(value in any::<String>(), plain in "[ \
        -~é\u{1F600}]{0,20}") {
        let folder = TempDir::new().unwrap();
        for text in [ALL_FROM_VARIABLES.to_owned(), ALL_FROM_VARIABLES.replace("${X}", &plain)] {
            if let Err(problems) = load_text_with(folder.path(), text.as_bytes(), &|_| Some(value.clone())) {
                prop_assert!(problems.errors() > 0);
                let _ = problems.render(false);
                let _ = problems.json();
            }
        }
    }

    #[test]
    fn no_mutation_makes_it_panic(at in 0..ALL_FROM_VARIABLES.len(), length in 0..20_usize, with in "[\\[\\]{}:,#&*!|>'\"%@`\\-?~\n\r\t $0-9a-zé\u{0}\u{feff}]{0,8}") {
        let folder = TempDir::new().unwrap();
        let end = (at + length).min(ALL_FROM_VARIABLES.len());
        let text = format!("{}{with}{}", &ALL_FROM_VARIABLES[..at], &ALL_FROM_VARIABLES[end..]);
        if let Err(problems) = load_text_with(folder.path(), text.as_bytes(), &|_| None) {
            prop_assert!(problems.errors() > 0);
            let _ = problems.render(false);
        }
    }
}
