//! How many ID tokens does the API mint, against what OpenSSL signs?

use std::rc::Rc;

use bytes::Bytes;

use super::Bench;
use super::series::{Series, figure, median, ratio, times};
use crate::Outcome;
use crate::contestant::{CALLER, Site, program};
use crate::pin::{self, Pinned};
use crate::report::{Report, Row, at_least};
use crate::wire::{self, Load};

/// Mints and lets OpenSSL sign, in turn, on the same core.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "mint")?;
    let openssl = program("openssl");
    let body = format!("{{\"audience\":\"{}\",\"includeEmail\":true}}", site.private.url);
    let request: Bytes = format!(
        "POST /v1/projects/-/serviceAccounts/{CALLER}:generateIdToken HTTP/1.1\r\nhost: {}\r\n\
         authorization: Bearer owner\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        groundrun.address,
        body.len()
    )
    .into();
    let requests: Rc<[Bytes]> = Rc::new([request]);
    let length = wire::length_of(groundrun.address, &requests)?;
    let load = Load::new(requests, length, bench.round());
    let (mut ours, mut signed) = (Series::default(), Vec::new());
    for _ in 0..bench.rounds(7) {
        ours.play(groundrun.pid(), || wire::press(groundrun.address, &load))?;
        if let Some(openssl) = &openssl {
            signed.push(signatures(openssl)?);
        }
    }
    let against = ratio(&ours.rate, &signed);
    report.add(Row {
        figure: "generateIdToken, 32 connections".to_owned(),
        ours: format!("{} /s, p99 {} ms", figure(median(&ours.rate), 0), figure(median(&ours.p99), 1)),
        peer: if signed.is_empty() {
            "openssl: not installed".to_owned()
        } else {
            format!("{} /s, openssl speed rsa2048", figure(median(&signed), 0))
        },
        against: times(against),
        target: at_least(against, 0.8, "×"),
    });
    Ok(())
}

/// The signatures a second that `openssl speed` counts.
fn signatures(openssl: &std::path::Path) -> Outcome<f64> {
    let output = pin::on_its_core(openssl).args(["speed", "-mr", "-seconds", "1", "rsa2048"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    rate(&text).ok_or_else(|| format!("openssl speed says something else: {text}").into())
}

/// The rate in the lines for machines: `+F2:number:bits:signatures a second:verifications a second`.
fn rate(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("+F2:"))?;
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_of_signatures_is_read() {
        let text = "+DTP:2048:private:rsa:1\n+R1:3861:2048:0.97\n+H:x\n+F2:2:2048:4000.5:140000.1\n";
        assert_eq!(rate(text), Some(4000.5));
        assert_eq!(rate("+R1:1:2048:1.0"), None);
    }
}
