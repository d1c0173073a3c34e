//! Proof from the edge: asks the site as a visitor would, and counts what comes back.

use crate::aws::http::Web;
use crate::view::switch::{Answer, ProbeReport};
use futures_util::future::join_all;
use std::time::Duration;

/// A visitor would have left by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// Each path is asked this many times, so that more than one edge instance gets to answer.
const TIMES: usize = 3;

/// Asks `url` and some paths below it. `expect_page`: what the switch says.
///
/// # Errors
/// The address cannot be used.
pub(crate) async fn probe(web: &Web, url: &str, expect_page: bool) -> Result<ProbeReport, String> {
    let base = url.trim_end_matches('/');
    let local = base
        .strip_prefix("http://")
        .is_some_and(|rest| rest.starts_with("127.0.0.1") || rest.starts_with("localhost"));
    if !base.starts_with("https://") && !local {
        return Err(format!("`{url}` is not an https address"));
    }
    // A path that nobody can have cached, beside those that people ask for.
    let fresh = format!("/provision-probe-{:08x}", fastrand::u32(..));
    let paths = ["/", "/index.html", &fresh];
    let asked = paths.iter().flat_map(|path| (0..TIMES).map(|_| ask(web, base, path)));
    let answers: Vec<Answer> = join_all(asked).await;
    let as_expected =
        answers.iter().all(|answer| answer.is_page == expect_page && answer.error.is_none());
    Ok(ProbeReport { url: format!("{base}/"), expect_page, answers, as_expected })
}

async fn ask(web: &Web, base: &str, path: &str) -> Answer {
    let mut answer = Answer { path: path.to_owned(), ..Answer::default() };
    match try_ask(web, &format!("{base}{path}")).await {
        Ok((status, version, cache)) => {
            answer.status = Some(status);
            answer.is_page = version.is_some();
            answer.version = version;
            answer.cache = cache;
        }
        Err(why) => answer.error = Some(why),
    }
    answer
}

type Seen = (u16, Option<String>, Option<String>);

async fn try_ask(web: &Web, url: &str) -> Result<Seen, String> {
    let answered = tokio::time::timeout(PATIENCE, web.ask(url, "provision-probe")).await;
    let (status, mut headers) = answered.map_err(|_| "no answer in time".to_owned())??;
    Ok((status, headers.remove("x-provision-version"), headers.remove("x-cache")))
}
