//! The console page.

use super::*;

const PASS: &str = "def handler(event, context): return event['Records'][0]['cf']['request']\n";

async fn turn(edge: &Running, headers: &str) -> Got {
    let address = edge.addresses.console;
    let head = format!(
        "POST /__provision/switch HTTP/1.1\r\nHost: {address}\r\nContent-Length: 11\r\n{headers}"
    );
    send(address, &head, "{\"on\":true}").await
}

async fn look(edge: &Running, path: &str, host: &str) -> Got {
    send(edge.addresses.console, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n"), "").await
}

#[tokio::test]
async fn the_page_turns_the_switch_and_nobody_else_does() {
    let edge = python(PASS).await;
    let own = edge.addresses.console.to_string();
    let page = look(&edge, "/__provision/", &own).await;
    let (_, token) = page.body.split_once("name=\"provision-token\" content=\"").unwrap();
    let token = format!("X-Provision-Token: {}\r\n", &token[..64]);
    for (headers, status) in [
        (String::new(), 403),
        ("X-Provision-Token: 0\r\n".into(), 403),
        (format!("{token}Origin: http://{}\r\n", edge.addresses.viewer), 403),
        (format!("{token}Sec-Fetch-Site: same-site\r\n"), 403),
    ] {
        assert_eq!(turn(&edge, &headers).await.status, status, "{headers}");
    }
    let state = json(&look(&edge, "/__provision/state", &own).await.body);
    assert_eq!(state["switch"]["on"], false);
    let turned =
        turn(&edge, &format!("{token}Origin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n"))
            .await;
    assert_eq!((turned.status, &json(&turned.body)["switch"]["on"]), (200, &Value::Bool(true)));
}

#[tokio::test]
async fn the_page_is_closed_to_foreign_names_and_to_everything_but_itself() {
    let edge = python(PASS).await;
    let own = edge.addresses.console.to_string();
    let page = look(&edge, "/__provision/", &own).await;
    let policy = page.header("content-security-policy").unwrap();
    let (_, nonce) = policy.split_once("script-src 'nonce-").unwrap();
    let nonce = format!("nonce=\"{}\"", &nonce[..64]);
    assert_eq!(
        page.body.matches(&nonce).count(),
        2,
        "one style and one script, both with the nonce"
    );
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(
        !page.body.contains("{{")
            && !page.body.contains(" style=")
            && !page.body.contains(" onclick=")
    );
    assert_eq!(look(&edge, "/__provision/", "evil.example").await.status, 403);
    assert_eq!(look(&edge, "/__provision/other", &own).await.status, 404);
}

#[tokio::test]
async fn the_visitors_port_leads_on_to_it_and_the_state_shows_the_visits() {
    let edge = python(PASS).await;
    let led = edge.get("/__provision/").await;
    let place = format!("http://{}/__provision/", edge.addresses.console);
    assert_eq!((led.status, led.header("location")), (307, Some(place.as_str())));
    edge.get("/robots.txt").await;
    let state =
        json(&look(&edge, "/__provision/state", &edge.addresses.console.to_string()).await.body);
    assert_eq!(
        (&state["count"], &state["visits"][0]["path"]),
        (&json("1"), &json("\"/robots.txt\""))
    );
    assert_eq!(
        (&state["visits"][0]["status"], &state["about"][0]["value"]),
        (&json("200"), &json("\"demo\""))
    );
    assert!(state["visits"][0]["cold"].is_number());
}
