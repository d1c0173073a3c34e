//! Accepts, carries out, answers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderValue,
    TRANSFER_ENCODING,
};
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::classify::Request;
use super::faults::{Due, Fault};
use super::reply::{self, Reply};
use super::wire::{Line, Payload};

/// How a call ends for the client.
enum Ending {
    Answer(Reply),
    BrokenOff(Reply),
    Silence,
    Reset,
    Hang,
}

/// Serves until the runtime is shut down. While the plug is pulled nothing listens.
pub async fn serve(shared: Arc<Shared>, listener: std::net::TcpListener) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(TcpListener::from_std(listener).unwrap());
    let mut plugged = shared.plugged.subscribe();
    loop {
        if let Some(open) = &listener {
            tokio::select! {
                accepted = open.accept() => if let Ok((stream, client)) = accepted {
                    shared.arrives(client);
                    tokio::spawn(connection(Arc::clone(&shared), stream, client));
                },
                _ = plugged.wait_for(|plugged| !plugged) => listener = None,
            }
        } else {
            let _ = plugged.wait_for(|plugged| *plugged).await;
            listener = Some(TcpListener::bind(address).await.unwrap());
            shared.listens();
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, client: SocketAddr) {
    let mut plugged = shared.plugged.subscribe();
    let reset = Arc::new(AtomicBool::new(false));
    let line = Line { stream, reset: Arc::clone(&reset) };
    let _ = line.stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&shared), request, Arc::clone(&reset)));
    let serving =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(line), service);
    tokio::select! {
        _ = serving => {}
        _ = plugged.wait_for(|plugged| !plugged) => reset.store(true, Ordering::Relaxed),
    }
    shared.leaves(client);
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> io::Result<Response<Payload>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::new(head.method, head.uri, head.headers, body);
    let is_head = request.method == Method::HEAD;
    // A client that goes away does not stop AWS: the call lives in a task of its own.
    let ending = tokio::spawn(carry_out(shared, request)).await.map_err(io::Error::other)?;
    match ending {
        Ending::Answer(reply) => Ok(response(&reply, Payload::whole(reply.body.clone()), is_head)),
        Ending::BrokenOff(reply) => {
            reset.store(true, Ordering::Relaxed);
            Ok(response(&reply, Payload::half(&reply.body), false))
        }
        Ending::Silence => Err(io::Error::other("no answer")),
        Ending::Reset => {
            reset.store(true, Ordering::Relaxed);
            Err(io::Error::other("reset"))
        }
        Ending::Hang => std::future::pending().await,
    }
}

fn response(reply: &Reply, payload: Payload, is_head: bool) -> Response<Payload> {
    let mut response = Response::new(payload);
    *response.status_mut() = reply.status.try_into().unwrap();
    response.headers_mut().clone_from(&reply.headers);
    response.headers_mut().remove(CONNECTION);
    response.headers_mut().remove(TRANSFER_ENCODING);
    if !is_head {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

async fn carry_out(shared: Arc<Shared>, request: Request) -> Ending {
    let (entry, due) = shared.open(&request);
    let ending = suffer(&shared, &request, due).await;
    let status = match &ending {
        Ending::Answer(reply) => Some(reply.status),
        _ => None,
    };
    shared.close(entry, status);
    ending
}

async fn suffer(shared: &Shared, request: &Request, due: Due) -> Ending {
    if !due.latency.is_zero() {
        tokio::time::sleep(due.latency).await;
    }
    if let Some(gate) = due.before
        && !gate.passes().await
    {
        return Ending::Reset;
    }
    let instead = match due.fault {
        Some(Fault::Reset) => return Ending::Reset,
        Some(Fault::Unplugged) => {
            shared.unplug();
            return Ending::Reset;
        }
        Some(Fault::Hang) => return Ending::Hang,
        Some(Fault::Status(status)) => Some(reply::broken(request, status)),
        Some(Fault::Throttled) => Some(reply::throttled(request)),
        Some(Fault::ClockSkew) => Some(reply::clock_skew(request)),
        Some(Fault::ExpiredCredentials) => Some(reply::expired_credentials(request)),
        Some(Fault::Conflict) => Some(reply::conflict(request)),
        Some(Fault::Denied) => Some(reply::denied(request)),
        Some(Fault::Says(status, code, text)) => Some(reply::error(request, status, code, text)),
        Some(Fault::Garbled) => {
            Some(reply::Reply::new(200, "application/octet-stream", "\u{1}".repeat(60_000)))
        }
        Some(Fault::Empty) => {
            let empty = reply::Reply::new(200, "application/json", "");
            Some(empty.with_header("x-amzn-requestid", reply::REQUEST_ID))
        }
        Some(Fault::SignInPage) => {
            Some(reply::Reply::new(200, "text/html; charset=utf-8", "<h1>Welcome: sign in</h1>"))
        }
        Some(Fault::ReplyLost | Fault::Truncated | Fault::Latency(_)) | None => None,
    };
    let reply = match instead {
        Some(reply) => reply,
        None => match carried_out(shared, request.clone()).await {
            Ok(reply) => reply,
            Err(error) => {
                eprintln!("the emulator did not answer {}: {error}", request.operation);
                return Ending::Reset;
            }
        },
    };
    if let Some(gate) = due.after
        && !gate.passes().await
    {
        return Ending::Reset;
    }
    match due.fault {
        Some(Fault::ReplyLost) => Ending::Silence,
        Some(Fault::Truncated) => Ending::BrokenOff(reply),
        _ => Ending::Answer(reply),
    }
}

/// What AWS would answer: the emulator's answer, with AWS's rules put back.
async fn carried_out(shared: &Shared, mut request: Request) -> io::Result<Reply> {
    // A rule looks, forwards and takes note; nothing may change in between. Objects are many and
    // have no such rules.
    let needs_turn = !request.is_reading() && request.service() != "s3";
    let _turn = if needs_turn { Some(shared.turn.lock().await) } else { None };
    if let Some(refusal) = shared.world.lock().unwrap().refusal(&request) {
        return Ok(refusal);
    }
    shared.world.lock().unwrap().adapt(&mut request);
    let mut reply = forward(shared.upstreams.of(&request), &request).await?;
    shared.world.lock().unwrap().settle(&request, &mut reply);
    Ok(reply)
}

/// Sends the request on as it is: a signature must still fit when it arrives.
pub async fn forward(upstream: SocketAddr, request: &Request) -> io::Result<Reply> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let mut outgoing = hyper::Request::new(Full::new(request.body.clone()));
    *outgoing.method_mut() = request.method.clone();
    *outgoing.uri_mut() = request.uri.clone();
    outgoing.headers_mut().clone_from(&request.headers);
    // AWS is reached with TLS, which ends here: bucket policies may ask.
    outgoing.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    // Who calls: ministack reads it from the key, moto has a header for it.
    outgoing.headers_mut().insert("x-moto-account-id", request.account().parse().unwrap());
    for name in [CONNECTION, EXPECT, TRANSFER_ENCODING] {
        outgoing.headers_mut().remove(name);
    }
    if request.is_to_aws() {
        // The bucket is in the path now, and may not be found in the name, too.
        outgoing.headers_mut().insert(HOST, upstream.to_string().parse().unwrap());
    }
    let (head, body) = sender.send_request(outgoing).await.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
}
