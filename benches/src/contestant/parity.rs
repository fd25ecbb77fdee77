//! Does a contestant do what groundrun does?
//!
//! What a peer leaves out makes it fast. Before it is measured it must let the caller in by every audience,
//! turn away all others for each reason, and split the requests.

use std::net::SocketAddr;

use http::Request;
use http_body_util::Full;
use serde_json::json;

use super::site::{BLUE, GOLD};
use super::{Contestant, Kind, Site};
use crate::Outcome;
use crate::client::Client;

/// How many requests are split: of 400, 40 ± 6 go to the smaller revision.
const SPLIT: usize = 400;
const EXPECTED: std::ops::RangeInclusive<usize> = 15..=70;

/// A host that nobody has.
const UNKNOWN: &str = "unknown-0000000000-uc.a.run.app";

/// Checks a contestant.
///
/// # Errors
/// It does something else.
pub(super) fn check(contestant: &Contestant, site: &Site) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut asking = Asking { address: contestant.address, site };
        match contestant.kind {
            Kind::Relay | Kind::Direct => {
                return asking.expect("the backend", &site.public.host, None, &[200]).await;
            }
            Kind::Caddy => return asking.public().await,
            _ => {}
        }
        asking.public().await?;
        asking.private().await
    })
}

struct Asking<'s> {
    address: SocketAddr,
    site: &'s Site,
}

impl Asking<'_> {
    async fn public(&mut self) -> Outcome<()> {
        self.expect("the public service", &self.site.public.host, None, &[200]).await?;
        self.split(&self.site.public.host, None).await
    }

    async fn private(&mut self) -> Outcome<()> {
        let (site, host) = (self.site, self.site.private.host.as_str());
        let good = site.signer.sign(&site.claims)?;
        // Twice, before and after the good one: a cache must not let anything through that it keeps.
        for _ in 0..2 {
            self.refused("no token", None).await?;
            self.refused("a signature that is wrong", Some(&forged(&good))).await?;
            self.refused(
                "no signature",
                good.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).as_deref(),
            )
            .await?;
            let wrong = [
                ("another audience", "aud", json!("https://example.com")),
                ("another issuer", "iss", json!("https://issuer.example.com")),
                ("no member", "email", json!("nobody@demo-project.iam.gserviceaccount.com")),
                ("an end that is past", "exp", json!(1_700_000_000)),
            ];
            for (what, claim, value) in wrong {
                let mut claims = site.claims.clone();
                claims[claim] = value;
                if claim == "email" {
                    // groundrun knows accounts by their number as well.
                    claims["sub"] = json!("100000000000000000001");
                    claims["azp"] = claims["sub"].clone();
                }
                self.refused(what, Some(&site.signer.sign(&claims)?)).await?;
            }
            for audience in site.audiences() {
                let token = site.token_with("aud", json!(audience))?;
                self.expect(audience, host, Some(&token), &[200]).await?;
            }
            self.expect("the caller", host, Some(&good), &[200]).await?;
        }
        self.expect("an unknown host", UNKNOWN, None, &[404]).await?;
        self.split(host, Some(&good)).await
    }

    async fn refused(&mut self, what: &str, token: Option<&str>) -> Outcome<()> {
        let host = &self.site.private.host;
        self.expect(what, host, token, &[401, 403]).await
    }

    async fn expect(&mut self, what: &str, host: &str, token: Option<&str>, statuses: &[u16]) -> Outcome<()> {
        // A refusal may close the connection.
        let mut client = Client::connect(self.address).await?;
        let (status, _) = client.answer(request(host, token)?).await?;
        if statuses.contains(&status) { Ok(()) } else { Err(format!("{what}: answered {status}").into()) }
    }

    async fn split(&mut self, host: &str, token: Option<&str>) -> Outcome<()> {
        let mut client = Client::connect(self.address).await?;
        let mut gold = 0;
        for _ in 0..SPLIT {
            let (status, body) = client.answer(request(host, token)?).await?;
            if status != 200 || (body != BLUE && body != GOLD) {
                return Err(format!("answered {status} with {body:?}").into());
            }
            gold += usize::from(body == GOLD);
        }
        if EXPECTED.contains(&gold) {
            Ok(())
        } else {
            Err(format!("{gold} of {SPLIT} instead of a tenth").into())
        }
    }
}

fn request(host: &str, token: Option<&str>) -> Outcome<Request<Full<bytes::Bytes>>> {
    let mut request = Request::get("/").header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Ok(request.body(Full::default())?)
}

/// The same token with one bit of its signature turned.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", signature.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::forged;

    #[test]
    fn a_forged_token_differs_in_its_signature_alone() {
        assert_eq!(forged("a.b.Ab"), "a.b.Bb");
        assert_eq!(forged("a.b.cb"), "a.b.Ab");
    }
}
