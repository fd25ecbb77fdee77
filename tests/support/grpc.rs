//! How does a story speak gRPC? With the published messages, framed by hand: what is tested is what is on
//! the wire.

use bytes::Bytes;
pub use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
pub use googleapis_tonic_google_cloud_run_v2::google::iam::v1 as iam;
pub use googleapis_tonic_google_cloud_run_v2::google::{longrunning, rpc};
use http::Method;
pub use prost::Message;
pub use prost_types::Duration;

use crate::{Ask, Client, Http2};

/// How a call was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The number of the status.
    pub code: i32,
    /// What is wrong.
    pub message: String,
    /// The details.
    pub details: rpc::Status,
}

impl Refused {
    /// The detail of this type, if there is one.
    pub fn detail<M: Message + Default>(&self, name: &str) -> Option<M> {
        let all = self.details.details.iter();
        let any = all.into_iter().find(|any| any.type_url == format!("type.googleapis.com/{name}"))?;
        M::decode(any.value.as_slice()).ok()
    }
}

/// Calls a method, such as `google.cloud.run.v2.Services/GetService`.
///
/// # Errors
/// The call was refused.
pub async fn call<Answer>(client: &Client, method: &str, asked: &impl Message) -> Result<Answer, Refused>
where
    Answer: Message + Default,
{
    send(client, method, framed(&asked.encode_to_vec())).await
}

/// Calls a method with a bearer token.
///
/// # Errors
/// The call was refused.
pub async fn call_as<Answer>(
    client: &Client,
    bearer: &str,
    method: &str,
    asked: &impl Message,
) -> Result<Answer, Refused>
where
    Answer: Message + Default,
{
    let ask = begin(client, method, framed(&asked.encode_to_vec())).bearer(bearer);
    finish(ask).await
}

/// A message as it is sent: not compressed, its length, itself.
pub fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], length.to_be_bytes().as_slice(), message].concat().into()
}

/// Sends bytes to a method.
///
/// # Errors
/// The call was refused.
pub async fn send<Answer: Message + Default>(
    client: &Client,
    method: &str,
    bytes: Bytes,
) -> Result<Answer, Refused> {
    finish(begin(client, method, bytes)).await
}

fn begin(client: &Client, method: &str, bytes: Bytes) -> Ask {
    let ask = client.ask(Method::POST, format!("/{method}")).body("application/grpc", bytes);
    ask.header("te", "trailers").http2(Http2)
}

async fn finish<Answer: Message + Default>(ask: Ask) -> Result<Answer, Refused> {
    let answer = ask.send().await.expect(200);
    let code: i32 = answer.header("grpc-status").expect("every call has a status").parse().unwrap();
    if code == 0 {
        let message = answer.body.get(5..).expect("an answer is framed");
        return Ok(Answer::decode(message).unwrap());
    }
    let message = answer.header("grpc-message").unwrap_or_default();
    let message = percent_encoding::percent_decode_str(message).decode_utf8().unwrap().into_owned();
    let details = answer.header("grpc-status-details-bin").unwrap_or_default();
    // Binary metadata has no padding.
    let padding = "=".repeat((4 - details.len() % 4) % 4);
    let details = crate::from_base64(&format!("{details}{padding}"));
    let details = rpc::Status::decode(details.as_slice()).unwrap();
    Err(Refused { code, message, details })
}
