//! Sockets: the three loopback listeners, and HTTP to and from the edge's own words.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::console::{self, Console};
use super::event::{HeaderLine, ViewerRequest, header_text};
use super::journal::Journal;
use super::pool::Pool;
use super::viewer::Edge;
use super::{Addresses, EdgeEvent, EdgeSettings, Later, Reply, Supplies, entropy, storage};

/// A connection that has not sent a whole request head after this time is closed.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// Out of descriptors: how long to wait for a connection to close before trying again.
const BREATH: Duration = Duration::from_millis(50);

/// Why the edge cannot serve.
#[derive(Debug)]
pub enum EdgeError {
    /// The address is taken, or may not be used.
    Bind {
        /// The address that was wanted.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for EdgeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EdgeError::Bind { address, .. } = self;
        write!(formatter, "cannot listen on {address}")
    }
}

impl Error for EdgeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let EdgeError::Bind { source, .. } = self;
        Some(source)
    }
}

/// Serves until `stop` is ready. The first event is [`EdgeEvent::Listening`].
///
/// # Guarantees
/// When it returns, or is dropped, every instance of the function has been killed and every
/// connection closed.
///
/// # Errors
/// [`EdgeError::Bind`], before anything is served. Whatever fails later is an event.
pub async fn serve(
    settings: EdgeSettings,
    supplies: Supplies,
    observer: UnboundedSender<EdgeEvent>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), EdgeError> {
    let (for_viewers, viewer) = bind(settings.port).await?;
    let (for_console, console) = bind(0).await?;
    let (for_storage, storage) = bind(0).await?;
    let addresses = Addresses { viewer, console, storage };

    let access_key = format!("DEV{}", &entropy::secret()[..17].to_uppercase());
    let journal = Arc::new(Journal::new(observer));
    let pool = Pool::new(
        settings.function.clone(),
        supplies.package,
        storage,
        access_key.clone(),
        Arc::clone(&journal),
    );
    let page = Arc::new(Console::new(
        addresses,
        settings.about.clone(),
        supplies.switch,
        Arc::clone(&journal),
    ));
    let bucket = settings.bucket.clone();
    let objects = Arc::clone(&supplies.objects);
    let edge = Arc::new(Edge {
        settings,
        objects: supplies.objects,
        now: supplies.now,
        pool: Arc::clone(&pool),
        journal: Arc::clone(&journal),
        id: entropy::secret()[..32].to_owned(),
        served: Mutex::new(HashMap::new()),
    });
    journal.tell(EdgeEvent::Listening(addresses));

    let visitors = listen(for_viewers, move |request, peer| {
        let edge = Arc::clone(&edge);
        Box::pin(async move {
            if let Some(place) = console::place(request.uri().path()) {
                return respond(console::leads_to(addresses.console, place));
            }
            let has_body = !request.body().is_end_stream();
            let address = edge.settings.viewer_address.unwrap_or(peer.ip());
            let (request, size) = viewer_request(&request, address);
            respond(edge.visit(request, has_body, size).await)
        })
    });
    let people = listen(for_console, move |request, _| {
        let page = Arc::clone(&page);
        Box::pin(async move { respond(page.answer(request).await) })
    });
    let function = listen(for_storage, move |request, peer| {
        let (objects, bucket, access_key) =
            (Arc::clone(&objects), bucket.clone(), access_key.clone());
        Box::pin(async move {
            let (request, _) = viewer_request(&request, peer.ip());
            respond(storage::answer(objects.as_ref(), &bucket, &access_key, &request).await)
        })
    });
    tokio::select! {
        () = visitors => {}
        () = people => {}
        () = function => {}
        () = stop => {}
    }
    pool.close().await;
    Ok(())
}

async fn bind(port: u16) -> Result<(TcpListener, SocketAddr), EdgeError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|source| EdgeError::Bind { address, source })
}

/// Accepts for ever. Dropped, it closes all its connections.
async fn listen<F>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>, SocketAddr) -> Later<'static, Response<Full<Bytes>>>
        + Send
        + Sync
        + 'static,
{
    let answer = Arc::new(answer);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    stream.set_nodelay(true).ok();
                    let answer = Arc::clone(&answer);
                    let service = service_fn(move |request| {
                        let reply = answer(request, peer);
                        async move { Ok::<_, Infallible>(reply.await) }
                    });
                    let mut http = http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).title_case_headers(true);
                    // What a peer does wrong on its own connection is told to that peer, by hyper.
                    connections.spawn(async move { http.serve_connection(TokioIo::new(stream), service).await.ok() });
                }
                Err(_) => drop(timeout(BREATH, one_closed(&mut connections)).await),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Ready when one of the connections has been closed.
async fn one_closed<T: 'static>(connections: &mut JoinSet<T>) {
    if connections.join_next().await.is_none() {
        pending::<()>().await;
    }
}

/// Gives a request in the edge's words, and the bytes of its line and headers.
fn viewer_request(request: &Request<Incoming>, client_ip: IpAddr) -> (ViewerRequest, usize) {
    let headers: Vec<HeaderLine> = request
        .headers()
        .iter()
        .map(|(name, value)| HeaderLine {
            name: name.as_str().to_owned(),
            // As over HTTP/2, where only the host, which is no header there, gets a capital letter
            // (CloudFront Developer Guide, "Lambda@Edge event structure").
            key: if name == "host" { "Host".to_owned() } else { name.as_str().to_owned() },
            value: header_text(value.as_bytes()),
        })
        .collect();
    let path = request.uri().path();
    let viewer = ViewerRequest {
        client_ip,
        method: request.method().as_str().to_owned(),
        uri: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
        querystring: request.uri().query().unwrap_or_default().to_owned(),
        headers,
    };
    // Each line has ": " and a line break; the first has two spaces, the version and a line break.
    let lines: usize =
        viewer.headers.iter().map(|line| line.name.len() + line.value.len() + 4).sum();
    let size = viewer.method.len() + viewer.target().len() + 12 + lines;
    (viewer, size)
}

/// Gives a reply in HTTP's words. A header that HTTP cannot carry is left away.
fn respond(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            // Nobody sends as many lines as there is room for; whoever does loses the last of them.
            response.headers_mut().try_append(name, value).ok();
        }
    }
    if let Some(Ok(reason)) = reply.description.map(ReasonPhrase::try_from) {
        response.extensions_mut().insert(reason);
    }
    response
}
