//! What is read from S3, call and body as one: an answer that breaks off in its body is no answer,
//! and the SDK, which has the head by then, does not ask again.

use super::fault::broken_off;
use crate::change::Fault;
use aws_sdk_s3::operation::get_object::GetObjectOutput;

/// How often an answer may break off.
const TRIES: usize = 5;

/// What came: the head, and the bytes, unless there are more than was asked for.
pub(crate) type Whole = (GetObjectOutput, Option<Vec<u8>>);

/// Reads what `call` asks for, up to `most` bytes of it. `tried` says what is read.
///
/// # Errors
/// The call's; [`Unreachable`](crate::change::FaultKind::Unreachable) where each answer breaks off.
pub(crate) async fn read<F>(
    tried: &str,
    most: u64,
    call: impl Fn() -> F,
) -> Result<Option<Whole>, Fault>
where
    F: Future<Output = Result<Option<GetObjectOutput>, Fault>>,
{
    let mut left = TRIES;
    loop {
        left -= 1;
        let Some(mut answer) = call().await? else { return Ok(None) };
        let length = u64::try_from(answer.content_length().unwrap_or_default());
        if length.is_ok_and(|length| length > most) {
            return Ok(Some((answer, None)));
        }
        match std::mem::take(&mut answer.body).collect().await {
            Ok(body) => return Ok(Some((answer, Some(body.to_vec())))),
            Err(_) if left > 0 => {}
            Err(error) => return Err(broken_off(tried, &error)),
        }
    }
}
