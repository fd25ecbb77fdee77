//! Which signatures does an instance see?

use super::{INVOKER, get, private, public};

/// The tokens that a test sends, and what of them an instance sees.
#[derive(Clone, Copy, PartialEq)]
enum Sent {
    No,
    /// Replaced.
    Stripped,
    /// As sent.
    Whole,
}

#[tokio::test]
async fn both_headers_of_a_public_and_a_private_service() {
    use Sent::{No, Stripped, Whole};
    for (is_public, serverless, authorization) in [
        (false, No, Stripped),
        (false, Stripped, No),
        (false, Stripped, Whole),
        (true, No, No),
        (true, No, Whole),
        (true, Stripped, No),
        (true, Stripped, Whole),
    ] {
        let world = if is_public { public() } else { private() }.up();
        let token = world.bearer(INVOKER, "aud1").await;
        let stripped = format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", token.rsplit_once('.').unwrap().0);
        let headers = [("x-serverless-authorization", serverless), ("authorization", authorization)];
        let sent = headers.iter().filter(|(_, sent)| *sent != No);
        let answer =
            world.send(sent.fold(get("/"), |request, (name, _)| request.header(*name, &token))).await;
        for (name, sent) in headers {
            let expected = match sent {
                No => serde_json::Value::Null,
                Stripped => stripped.clone().into(),
                Whole => token.clone().into(),
            };
            assert_eq!(answer.echoed(name), expected, "{name}, public: {is_public}");
        }
    }
}

#[tokio::test]
async fn a_foreign_token_of_a_public_service_is_its_own() {
    let answer = public().up().send(get("/").header("authorization", "Bearer e30.e30.foreign")).await;
    assert_eq!(answer.echoed("authorization"), "Bearer e30.e30.foreign");
}

#[tokio::test]
async fn every_value_of_the_serverless_header_is_stripped() {
    let request = get("/").header("x-serverless-authorization", "Bearer a.b.c");
    let answer = public().up().send(request.header("x-serverless-authorization", "d.e.f")).await;
    assert_eq!(
        answer.echoed("x-serverless-authorization"),
        serde_json::json!(["Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE", "d.e.SIGNATURE_REMOVED_BY_GOOGLE"])
    );
}
