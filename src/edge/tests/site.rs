//! What visitors get of the site.

use super::*;

const PASS: &str = "def handler(event, context): return event['Records'][0]['cf']['request']\n";

#[tokio::test]
async fn a_page_comes_as_from_cloudfront() {
    let mut edge = python(PASS).await;
    let first = edge.get("/").await;
    assert_eq!(
        (first.status, first.body.as_str(), first.x_cache()),
        (200, "<h1>home</h1>", "Miss")
    );
    for (name, value) in
        [("Server", "AmazonS3"), ("Content-Type", "text/html"), ("Content-Length", "13")]
    {
        assert_eq!(first.header(name), Some(value));
    }
    assert!(first.header("via").unwrap().ends_with(".cloudfront.net (CloudFront)"));
    assert!(
        first.header("x-amz-request-id").is_none()
            && first.header("x-amz-cf-id").unwrap().ends_with("==")
    );
    assert_eq!(edge.get("/").await.x_cache(), "RefreshHit");
    std::fs::write(edge.folder.path().join("site/home.html"), "edited").unwrap();
    let edited = edge.get("/?a=b").await;
    assert_eq!((edited.body.as_str(), edited.x_cache()), ("edited", "Miss"));
    let paths = [edge.visit().await.path, edge.visit().await.path, edge.visit().await.path];
    assert_eq!(paths, ["/", "/", "/?a=b"]);
}

#[tokio::test]
async fn one_row_per_request() {
    let edge = python(PASS).await;
    let etag = format!("If-None-Match: {}\r\n", edge.get("/").await.header("etag").unwrap());
    for (method, path, headers, status, x_cache, length) in [
        ("HEAD", "/", "", 200, "RefreshHit", 0),
        ("GET", "/", etag.as_str(), 304, "RefreshHit", 0),
        ("GET", "/home.html", "Range: bytes=0-3\r\n", 206, "RefreshHit", 4),
        ("GET", "/%68ome.html", "", 200, "RefreshHit", 13),
        ("GET", "/missing", "", 403, "Error", 0),
        ("GET", "/%ff", "", 400, "Error", 0),
        ("GET", "/../code/edge.py", "", 403, "Error", 0),
        ("POST", "/", "Content-Length: 0\r\n", 403, "Error", 0),
        ("OPTIONS", "/", "", 403, "Error", 0),
        ("DELETE", "/home.html", "", 403, "Error", 0),
    ] {
        let got = edge.send(method, path, headers).await;
        assert_eq!((got.status, got.x_cache()), (status, x_cache), "{method} {path} {headers}");
        assert!(status >= 400 || got.body.len() == length, "{method} {path}: {}", got.body);
    }
    let long = edge.get(&format!("/{}", "a".repeat(8192))).await;
    let large = edge.send("GET", "/", &format!("X-Large: {}\r\n", "a".repeat(33_000))).await;
    assert_eq!((long.status, large.status), (414, 494));
}

#[tokio::test]
async fn a_single_page_application_finds_itself_everywhere() {
    let spa = |settings: &mut EdgeSettings| {
        settings.distribution.custom_errors = CustomError::missing("home.html", 200);
    };
    let edge = start("python3.13", "edge.py", PASS, spa).await;
    let got = edge.get("/deep/link").await;
    assert_eq!((got.status, got.body.as_str(), got.x_cache()), (200, "<h1>home</h1>", "Error"));
    std::fs::remove_file(edge.folder.path().join("site/home.html")).unwrap();
    assert_eq!(
        edge.get("/deep/link").await.status,
        403,
        "without its page, the error is the origin's own"
    );
}

#[tokio::test]
async fn what_the_bucket_hides_is_not_there() {
    let hide = |settings: &mut EdgeSettings| {
        settings.distribution.hidden = vec!["docs/".into(), "home.html".into()];
    };
    let edge = start("python3.13", "edge.py", PASS, hide).await;
    let site = edge.folder.path().join("site");
    std::fs::create_dir(site.join("docs")).unwrap();
    std::fs::write(site.join("docs/a"), "a").unwrap();
    for (path, status) in
        [("/home.html", 403), ("/docs/a", 403), ("/d%6fcs/a", 403), ("/robots.txt", 200)]
    {
        assert_eq!(edge.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_function_stands_where_it_is_associated() {
    let refuse = "def handler(event, context): return {'status': '503', 'headers': {'retry-after': \
        [{'value': '600'}]}}\n";
    let there =
        |settings: &mut EdgeSettings| settings.distribution.function_on = vec!["/app/*".into()];
    let mut edge = start("python3.13", "edge.py", refuse, there).await;
    let page = edge.get("/app/a").await;
    assert_eq!(
        (page.status, page.header("retry-after"), page.x_cache()),
        (503, Some("600"), "LambdaGeneratedResponse")
    );
    assert!(edge.visit().await.function.is_some());
    assert_eq!(edge.get("/robots.txt").await.status, 200);
    assert!(edge.visit().await.function.is_none());
}

#[tokio::test]
async fn the_function_sees_the_root_as_the_distribution_says() {
    let source = "def handler(event, context):\n return {'status': '200', 'body': \
        event['Records'][0]['cf']['request']['uri']}\n";
    for (before, uri) in [(false, "/"), (true, "/home.html")] {
        let edge = start("python3.13", "edge.py", source, |settings| {
            settings.distribution.root_before_function = before;
        })
        .await;
        assert_eq!(edge.get("/").await.body, uri);
    }
}

#[tokio::test]
async fn a_changed_uri_is_what_the_origin_is_asked_for() {
    let source = "def handler(event, context):\n request = event['Records'][0]['cf']['request']\n \
                  request['uri'] = '/robots.txt'\n return request\n";
    let edge = python(source).await;
    assert_eq!(edge.get("/anything").await.body, "all");
}

#[tokio::test]
async fn an_invalid_result_is_cloudfronts_error_page_and_a_line_in_the_log() {
    let mut edge = python("def handler(event, context): return None\n").await;
    let got = edge.get("/").await;
    assert_eq!((got.status, got.x_cache()), (502, "LambdaValidationError"));
    assert!(got.body.contains("The JSON output must be an object type."));
    edge.log_line("Validation error: the result is null, not an object").await;
}

#[tokio::test]
async fn a_visitor_can_seem_to_come_from_elsewhere() {
    let source = "def handler(event, context):\n return {'status': '200', 'body': \
        event['Records'][0]['cf']['request']['clientIp']}\n";
    for (address, body) in [(None, "127.0.0.1"), (Some("2001:db8::7"), "2001:db8::7")] {
        let from = |settings: &mut EdgeSettings| {
            settings.viewer_address = address.map(|one| one.parse().unwrap());
        };
        let edge = start("python3.13", "edge.py", source, from).await;
        assert_eq!(edge.get("/").await.body, body);
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let edge = python(PASS).await;
    let taken = edge.addresses.viewer.port();
    let objects = Arc::new(Folder::open(edge.folder.path(), |_, _| Labels::default()).unwrap());
    let supplies = Supplies {
        objects,
        switch: Arc::new(Variable(AtomicBool::new(false))),
        package: Arc::new(|| Err("none".to_owned())),
        now: || SystemTime::UNIX_EPOCH,
    };
    let settings = EdgeSettings {
        port: taken,
        distribution: distribution(),
        function: Function {
            name: String::new(),
            version: String::new(),
            search_path: String::new(),
            account: String::new(),
            region: String::new(),
            memory: 128,
            timeout: Duration::from_secs(1),
            instances: 1,
        },
        bucket: String::new(),
        about: Vec::new(),
        viewer_address: None,
        masked: String::new(),
    };
    let error = serve(settings, supplies, mpsc::unbounded_channel().0, async {}).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on 127.0.0.1:{taken}"));
}
