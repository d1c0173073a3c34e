//! The function as a child process.

use super::*;

const PASS: &str = "def handler(event, context): return event['Records'][0]['cf']['request']\n";

#[tokio::test]
async fn a_body_of_bytes_is_marshalled_as_lambda_does() {
    // The shape of the recipe's handler: what boto3's .read() gives is returned as it is.
    for source in [
        "def handler(event, context): return {'status': '200', 'body': '<h1>é</h1>'.encode()}\n",
        "def handler(event, context): return {b'status': '200', 'body': '<h1>é</h1>'.encode()}\n",
    ] {
        let got = python(source).await.get("/").await;
        assert_eq!(
            (got.status, got.body.as_str(), got.x_cache()),
            (200, "<h1>é</h1>", "LambdaGeneratedResponse")
        );
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_a_failed_run() {
    let mut edge =
        python("def handler(event, context): return {'status': '200', 'body': b'\\xff'}\n").await;
    let got = edge.get("/").await;
    assert_eq!((got.status, got.x_cache()), (503, "LambdaExecutionError"));
    assert!(edge.log_line("MarshalError").await.contains("Unable to marshal response"));
}

#[tokio::test]
async fn what_it_throws_is_told_and_it_stays_warm() {
    let mut edge =
        python("def handler(event, context):\n    raise KeyError('no such thing')\n").await;
    let got = edge.get("/").await;
    assert_eq!((got.status, got.x_cache()), (503, "LambdaExecutionError"));
    assert!(got.body.contains("<H1>503 ERROR</H1>") && !got.body.contains("KeyError"));
    assert!(edge.log_line("edge.py").await.contains("line 2, in handler"));
    edge.log_line("KeyError: 'no such thing'").await;
    assert!(edge.visit().await.function.unwrap().cold.is_some());
    edge.get("/").await;
    assert!(edge.visit().await.function.unwrap().cold.is_none());
}

#[tokio::test]
async fn what_it_prints_is_told_and_never_taken_for_a_reply() {
    let source = format!(
        "import logging, os, subprocess, sys\n{PASS}\
         def noisy(event, context):\n print('printed'); sys.stdout.write('no line end'); \
         os.write(1, b'raw\\n')\n \
         subprocess.run(['echo', 'from a child']); logging.getLogger().warning('logged')\n \
         assert sys.stdin.read() == ''\n return inner(event, context)\n\
         inner, handler = handler, noisy\n"
    );
    let mut edge = python(&source).await;
    assert_eq!(edge.get("/").await.status, 200);
    edge.log_line("printed").await;
    edge.log_line("from a child").await;
    assert!(edge.log_line("logged").await.starts_with("[WARNING]"));
}

#[tokio::test]
async fn it_is_killed_when_its_time_is_over_and_starts_afresh() {
    let source = "import time\ndef handler(event, context):\n request = \
        event['Records'][0]['cf']['request']\n \
                  time.sleep(3600 if request['uri'] == '/slow' else 0)\n return request\n";
    let short = |settings: &mut EdgeSettings| settings.function.timeout = Duration::from_secs(1);
    let mut edge = start("python3.13", "edge.py", source, short).await;
    let got = edge.get("/slow").await;
    assert_eq!((got.status, got.x_cache()), (503, "LambdaExecutionError"));
    edge.log_line("Task timed out after 1.00 seconds").await;
    edge.visit().await;
    assert_eq!(edge.get("/").await.status, 200);
    assert!(edge.visit().await.function.unwrap().cold.is_some());
}

#[tokio::test]
async fn an_ended_process_is_a_failed_run_and_the_next_is_cold() {
    let source = "import os\ndef handler(event, context):\n request = \
        event['Records'][0]['cf']['request']\n \
                  if request['uri'] == '/end': os._exit(7)\n return request\n";
    let mut edge = python(source).await;
    assert_eq!(edge.get("/end").await.status, 503);
    edge.log_line("exit status: 7").await;
    edge.visit().await;
    assert_eq!(edge.get("/").await.status, 200);
    assert!(edge.visit().await.function.unwrap().cold.is_some());
}

#[tokio::test]
async fn a_function_that_cannot_be_loaded_says_why() {
    let mut edge = python("import no_such_module\n").await;
    assert_eq!(edge.get("/").await.x_cache(), "LambdaExecutionError");
    edge.log_line("No module named 'no_such_module'").await;
    let edge = python("other = 1\n").await;
    assert_eq!(edge.get("/").await.status, 503);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_gets_no_more_memory_than_was_configured() {
    let mut edge = python(
        "def handler(event, context): return {'status': '200', 'body': \
        str(len(bytearray(200 << 20)))}\n",
    )
    .await;
    assert_eq!(edge.get("/").await.status, 503);
    edge.log_line("MemoryError").await;
}

#[tokio::test]
async fn it_sees_what_lambda_sets_and_nothing_of_this_process() {
    let source = "import json, os\ndef handler(event, context):\n \
                  return {'status': '200', 'body': json.dumps({'all': dict(os.environ), 'name': \
                  context.function_name, \
                  'left': context.get_remaining_time_in_millis(), 'folder': os.getcwd()})}\n";
    let edge = python(source).await;
    let seen = json(&edge.get("/").await.body);
    assert_eq!(seen["name"], "us-east-1.demo-edge");
    assert_eq!(seen["all"]["AWS_LAMBDA_FUNCTION_VERSION"], "7");
    assert!(seen["left"].as_u64().unwrap() <= 5000);
    let environment = seen["all"].as_object().unwrap();
    assert_eq!(environment["AWS_ENDPOINT_URL_S3"], format!("http://{}", edge.addresses.storage));
    for leak in ["HOME", "USER", "CARGO_MANIFEST_DIR", "AWS_PROFILE"] {
        assert!(!environment.contains_key(leak), "{leak}");
    }
}

#[tokio::test]
async fn it_reads_the_bucket_with_its_own_key_only() {
    let source = "import os, urllib.request as http\ndef handler(event, context):\n \
                  url = os.environ['AWS_ENDPOINT_URL_S3'] + '/demo/home.html'\n \
                  key = {'Authorization': 'AWS4-HMAC-SHA256 Credential=' + \
                  os.environ['AWS_ACCESS_KEY_ID'] + '/x'}\n \
                  return {'status': '200', 'body': http.urlopen(http.Request(url, \
                  headers=key)).read()}\n";
    let edge = python(source).await;
    assert_eq!(edge.get("/").await.body, "<h1>home</h1>");
    let stranger =
        send(edge.addresses.storage, "GET /demo/home.html HTTP/1.1\r\nHost: localhost\r\n", "")
            .await;
    assert_eq!(stranger.status, 403);
}

#[tokio::test]
async fn an_edit_of_its_source_shows_without_a_restart() {
    let mut edge =
        python("def handler(event, context): return {'status': '200', 'body': 'before'}\n").await;
    assert_eq!(edge.get("/").await.body, "before");
    let source = "def handler(event, context): return {'status': '200', 'body': 'after'}\n";
    std::fs::write(edge.folder.path().join("code/edge.py"), source).unwrap();
    while edge.get("/").await.body != "after" {}
    edge.event(|event| matches!(event, EdgeEvent::Reloaded { .. }).then_some(())).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_process_outlives_the_edge_idle_or_busy() {
    let source = "import os, time\ndef handler(event, context):\n print('pid', os.getpid())\n \
                  time.sleep(3600 if event['Records'][0]['cf']['request']['uri'] == '/busy' else \
                  0)\n \
                  return {'status': '200'}\n";
    let mut edge = start("python3.13", "edge.py", source, |settings| {
        settings.function.timeout = Duration::from_hours(1);
    })
    .await;
    edge.get("/").await;
    let idle = edge.log_line("pid ").await;
    let mut busy = TcpStream::connect(edge.addresses.viewer).await.unwrap();
    busy.write_all(b"GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let warm = edge.log_line("pid ").await;
    assert_eq!(idle, warm, "one instance is enough for one visitor at a time");
    edge.stop.send(()).unwrap();
    edge.served.await.unwrap().unwrap();
    let process = PathBuf::from("/proc").join(idle.trim_start_matches("pid "));
    // Killed is not yet reaped; a process that was not killed would keep this going for an hour.
    while process.exists() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn node_functions_answer_in_each_of_their_ways() {
    let node = std::process::Command::new("node").arg("--version").output();
    assert!(
        node.is_ok(),
        "node is missing, which runs functions in its language: `apt-get install nodejs`"
    );
    let pass = "event.Records[0].cf.request";
    let cases = [
        ("nodejs22.x", "edge.mjs", format!("export const handler = async (event) => {pass};"), 200),
        (
            "nodejs22.x",
            "edge.js",
            format!("exports.handler = (event, context, callback) => callback(null, {pass});"),
            200,
        ),
        (
            "nodejs22.x",
            "edge.js",
            format!(
                "exports.handler = (e, c, callback) => setTimeout(callback, 1, null, {});",
                pass.replace("event", "e")
            ),
            200,
        ),
        // Neither a promise nor a callback: Lambda answers null, which CloudFront refuses.
        ("nodejs22.x", "edge.js", format!("exports.handler = (event) => {pass};"), 502),
        (
            "nodejs22.x",
            "edge.js",
            "exports.handler = async () => { console.log('shown'); throw new Error('no'); };"
                .into(),
            503,
        ),
        ("nodejs22.x", "edge.js", "exports.other = 1;".into(), 503),
        (
            "nodejs24.x",
            "edge.js",
            format!("exports.handler = (event, context, callback) => callback(null, {pass});"),
            503,
        ),
        (
            "nodejs24.x",
            "edge.mjs",
            format!("export async function handler(event) {{ return {pass}; }}"),
            200,
        ),
    ];
    for (runtime, file, source, status) in cases {
        let edge = start(runtime, file, &source, |_| ()).await;
        for _ in 0..2 {
            assert_eq!(edge.get("/").await.status, status, "{runtime} {source}");
        }
    }
}
