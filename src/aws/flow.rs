//! Bytes on their way to AWS and back. A call may take as long as they flow; where nothing moves for
//! a while, the try ends. What has been sent is counted for whoever waits, and an answer without an
//! end is not read to the end.
//!
//! Of the SDK's own means, the timeouts bound the length of a call, with its body; its stalled
//! stream protection wants a pace, and lets go once the body is handed over. Neither tells a slow
//! line from a dead one.

use crate::context::uploads::{AT_ONCE, Moved};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// No answer of AWS comes near: the longest is the index of a site of very many files. In bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The client that watches over each call of another one.
pub(super) fn watched(client: SharedHttpClient, silence: Duration) -> SharedHttpClient {
    SharedHttpClient::new(Watching { inner: client, silence })
}

#[derive(Clone, Debug)]
struct Watching<T> {
    inner: T,
    silence: Duration,
}

impl HttpClient for Watching<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Watching {
            inner: self.inner.http_connector(settings, components),
            silence: self.silence,
        })
    }
}

impl HttpConnector for Watching<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let pulse = Arc::new(Pulse::new(Moved::here()));
        let body = std::mem::replace(request.body_mut(), SdkBody::taken());
        *request.body_mut() = SdkBody::from_body_1_x(Flow::new(body, Arc::clone(&pulse)));
        let (answer, silence) = (self.inner.call(request), self.silence);
        HttpConnectorFuture::new(async move {
            let mut answered = unless_silent(answer, silence, &pulse).await?;
            if answered.status().is_success() {
                pulse.counts.store(true, Ordering::Relaxed);
            }
            let body = std::mem::replace(answered.body_mut(), SdkBody::taken());
            *answered.body_mut() = SdkBody::from_body_1_x(Limited::new(body, LARGEST_ANSWER));
            Ok(answered)
        })
    }
}

/// When something of one call moved, and how much.
#[derive(Debug)]
struct Pulse {
    begin: Instant,
    last: Mutex<Instant>,
    sent: AtomicU64,
    counts: AtomicBool,
    moved: Moved,
}

impl Pulse {
    fn new(moved: Moved) -> Self {
        let (begin, last) = (Instant::now(), Mutex::new(Instant::now()));
        Self { begin, last, sent: AtomicU64::new(0), counts: AtomicBool::new(false), moved }
    }

    fn moved(&self, bytes: usize) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.moved.add(bytes as u64);
    }

    /// When the call ends unless something moves before. What was handed over may still be in
    /// buffers between here and AWS, which drain as slowly as they filled: whoever has sent for long
    /// may wait longer, up to five times as long.
    fn end(&self, silence: Duration) -> Instant {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let flowed = last.saturating_duration_since(self.begin);
        last + (flowed / 4).clamp(silence, silence * 5)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if !*self.counts.get_mut() {
            self.moved.take_back(*self.sent.get_mut());
        }
    }
}

/// The answer, unless nothing moves for too long.
async fn unless_silent(
    answer: impl Future<Output = Result<HttpResponse, ConnectorError>>,
    silence: Duration,
    pulse: &Pulse,
) -> Result<HttpResponse, ConnectorError> {
    tokio::pin!(answer);
    loop {
        let end = pulse.end(silence);
        if let Ok(answered) = timeout_at(end, &mut answer).await {
            return answered;
        }
        if pulse.end(silence) == end {
            return Err(ConnectorError::timeout(Silent(silence).into()));
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("nothing moved for {} seconds", .0.as_secs())]
struct Silent(Duration);

/// A body that tells when it moves, in pieces that move often: what is larger, such as a package in
/// memory, would look like silence while it is sent.
struct Flow {
    inner: Pin<Box<SdkBody>>,
    rest: Bytes,
    pulse: Arc<Pulse>,
}

impl Flow {
    fn new(body: SdkBody, pulse: Arc<Pulse>) -> Self {
        Self { inner: Box::pin(body), rest: Bytes::new(), pulse }
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(this.inner.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(AT_ONCE));
        this.pulse.moved(piece.len());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && Body::is_end_stream(&*self.inner)
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (Body::size_hint(&*self.inner), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(inner.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Done;
    use crate::context::uploads::Uploads;
    use futures_util::FutureExt;
    use http_body_util::BodyExt;
    use std::future::{pending, poll_fn};

    const HOUR: Duration = Duration::from_hours(1);

    fn answer(status: u16) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::empty())
    }

    /// One that began so long ago and has not moved since.
    fn pulse(ago: Duration) -> Pulse {
        let mut pulse = Pulse::new(Moved::default());
        pulse.begin -= ago;
        pulse.last = Mutex::new(pulse.begin);
        pulse
    }

    #[test]
    fn whoever_has_sent_for_long_may_wait_longer() {
        let minute = Duration::from_mins(1);
        for (flowed, waits) in [(0, 1), (4, 1), (8, 2), (20, 5), (600, 5)] {
            let pulse = pulse(Duration::ZERO);
            let last = pulse.begin + minute * flowed;
            *pulse.last.lock().unwrap() = last;
            assert_eq!(pulse.end(minute), last + minute * waits, "{flowed} minutes");
        }
    }

    #[tokio::test]
    async fn silence_ends_a_call_and_its_length_does_not() {
        let silent = pulse(HOUR);
        let fault = unless_silent(pending(), Duration::from_mins(1), &silent).await.unwrap_err();
        assert!(fault.is_timeout() && format!("{fault:?}").contains("Silent(60s)"), "{fault:?}");
        // Each time it is looked at the call is overdue, and has moved since.
        let mut pieces = 20;
        let slow = pulse(HOUR);
        let slowly = poll_fn(|context| {
            context.waker().wake_by_ref();
            pieces -= 1;
            slow.moved(1);
            if pieces == 0 { Poll::Ready(Ok(answer(200))) } else { Poll::Pending }
        });
        assert!(unless_silent(slowly, Duration::from_mins(1), &slow).await.is_ok());
        assert_eq!(slow.sent.load(Ordering::Relaxed), 20);
    }

    #[tokio::test]
    async fn a_body_in_memory_moves_in_pieces_and_stays_whole() {
        let bytes: Vec<u8> = (0..AT_ONCE * 2 + 5).map(|at| at.to_le_bytes()[0]).collect();
        let pulse = Arc::new(pulse(HOUR));
        let mut flow = Flow::new(SdkBody::from(bytes.clone()), Arc::clone(&pulse));
        assert_eq!(flow.size_hint().exact(), Some(bytes.len() as u64));
        let mut came = Vec::new();
        let mut sizes = Vec::new();
        while let Some(frame) = flow.frame().now_or_never().unwrap() {
            let data = frame.unwrap().into_data().unwrap();
            sizes.push(data.len());
            came.extend_from_slice(&data);
            let left = bytes.len() - came.len();
            assert_eq!(flow.size_hint().exact(), Some(left as u64));
            assert!(pulse.end(Duration::ZERO) > Instant::now() - HOUR, "it has moved");
        }
        assert_eq!((came == bytes, sizes), (true, vec![AT_ONCE, AT_ONCE, 5]));
        assert!(flow.is_end_stream());
    }

    /// Reads the whole body, and answers.
    #[derive(Debug)]
    struct Answers(u16, usize);

    impl HttpConnector for Answers {
        fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
            let body = std::mem::replace(request.body_mut(), SdkBody::taken());
            let mut answer = answer(self.0);
            *answer.body_mut() = SdkBody::from(vec![0; self.1]);
            HttpConnectorFuture::new(async move {
                body.collect().await.unwrap();
                Ok(answer)
            })
        }
    }

    #[tokio::test]
    async fn only_what_was_taken_counts_as_sent() {
        let upload = async {
            for (status, sent) in [(200, 5), (503, 5), (412, 5), (204, 10)] {
                let watching = watching(Answers(status, 0));
                watching.call(HttpRequest::new(SdkBody::from("12345"))).await.unwrap();
                assert_eq!(Moved::here().count(), sent, "{status}");
            }
            Ok(Done::AlreadySo)
        };
        Uploads::default().of(10, upload).await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_a_bound() {
        for (size, is_read) in [(LARGEST_ANSWER, true), (LARGEST_ANSWER + 1, false)] {
            let watching = watching(Answers(200, size));
            let answer = watching.call(HttpRequest::new(SdkBody::empty())).await.unwrap();
            assert_eq!(answer.into_body().collect().await.is_ok(), is_read, "{size}");
        }
    }

    fn watching(inner: impl HttpConnector + 'static) -> Watching<SharedHttpConnector> {
        Watching { inner: SharedHttpConnector::new(inner), silence: HOUR }
    }
}
