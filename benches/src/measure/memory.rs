//! How much memory does it hold, and how large is the program?

use std::time::Duration;

use super::{Bench, SERVICE_COUNT};
use crate::Outcome;
use crate::process::Process;
use crate::report::{Report, Row, at_most, under};
use crate::ticks::{self, Memory};

/// How much memory an idle server may hold, in MB.
const MEMORY_TARGET: f64 = 20.0;

/// How much it may hold with very many services, in MiB.
const MANY_TARGET: f64 = 40.0;

/// How large the program may be, in MB.
const SIZE_TARGET: f64 = 20.0;

/// How long a server is left alone before it counts as idle.
const IDLE: Duration = Duration::from_secs(1);

/// Measures a server that has just started, one that has made its services, and one that has read them.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let bare = Process::peer("bare", bench.home.path(), None)?.ready()?;
    let floor = held(&bare)?;
    let server = bench.groundrun("memory")?.ready()?;
    report.add(row("idle, after its start", held(&server)?, floor, true));
    bench.create(&server, SERVICE_COUNT)?;
    report.add(row("after 1,000 services were created", held(&server)?, floor, false));
    server.stop()?;
    let server = bench.groundrun("memory")?.ready()?;
    report.add(row("idle, after its start with 1,000 services", held(&server)?, floor, false));
    server.stop()?;
    let data_dir = bench.home.path().join("memory-many");
    bench.provide(&data_dir, bench.many())?;
    let server = bench.groundrun("memory-many")?.ready()?;
    let many = held(&server)?;
    let mib = many.rss * 1e6 / 1_048_576.0;
    report.add(Row {
        target: at_most(mib, MANY_TARGET, "MiB"),
        ..row(&format!("idle, after its start with {} services", bench.many()), many, floor, false)
    });
    server.stop()?;
    let size = std::fs::metadata(&bench.binary)?.len();
    let megabytes = size as f64 / 1e6;
    report.add(Row {
        figure: "size of the program, stripped".to_owned(),
        ours: format!("{megabytes:.1} MB ({size} bytes)"),
        target: under(megabytes, SIZE_TARGET, "MB"),
        ..Row::default()
    });
    Ok(())
}

fn held(server: &Process) -> Outcome<Memory> {
    std::thread::sleep(IDLE);
    ticks::memory(server.id())
}

fn row(figure: &str, ours: Memory, bare: Memory, promised: bool) -> Row {
    let show = |memory: Memory| format!("{:.1} MB RSS, {:.1} PSS", memory.rss, memory.pss);
    Row {
        figure: format!("memory: {figure}"),
        ours: show(ours),
        peer: format!("{}, bare server", show(bare)),
        against: format!("{:+.1} MB RSS", ours.rss - bare.rss),
        target: if promised { under(ours.rss, MEMORY_TARGET, "MB") } else { String::new() },
    }
}
