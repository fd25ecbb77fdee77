//! Is a command that runs as a service account that account, and nobody else, to whatever it calls?

use groundrun_tests::Program;

/// The command line, against an emulator that it starts itself.
#[tokio::test]
async fn a_command_runs_as_an_account() {
    let email = "a-account@demo-project.iam.gserviceaccount.com";
    let script = "echo $GCE_METADATA_HOST $GCE_METADATA_IP $GCE_METADATA_ROOT \
                  [$CLOUDSDK_AUTH_ACCESS_TOKEN] [$GOOGLE_APPLICATION_CREDENTIALS] $GROUNDRUN_LISTEN";
    let program = env!("CARGO_BIN_EXE_groundrun");
    let run = |identity: [&'static str; 2]| {
        let arguments = ["exec", "--listen", "127.0.0.1:0", "--ephemeral", identity[0], identity[1]];
        let mut command = Program::command(program, arguments);
        command.args(["--", "sh", "-c", script]).env("GOOGLE_APPLICATION_CREDENTIALS", "key.json");
        Program::run(command)
    };
    let finished = run(["--as", email]).await;
    let words: Vec<&str> = finished.stdout.split_whitespace().collect();
    assert_eq!((words[0], words[1]), (words[1], words[2]), "{finished:?}");
    assert_eq!((words[3], words[4]), ("[]", "[]"));
    assert_ne!(words[0], words[5], "the workload has a port of its own");
    assert!(finished.status.success());

    let finished = run(["--service", "none"]).await;
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.starts_with("error: no such workload: "), "{}", finished.stderr);
    assert!(finished.stderr.contains("\nhint: this emulator was started for the command"), "{finished:?}");
}

/// With `--mode all` the port of the workload is the proxy of the command, so that the name of the metadata
/// server that is built into a library leads to the workload's own.
#[tokio::test]
async fn a_command_is_its_account_by_the_names_of_the_metadata_server_too() {
    let email = "a-account@demo-project.iam.gserviceaccount.com";
    let program = env!("CARGO_BIN_EXE_groundrun");
    let script = "echo $HTTP_PROXY $CLOUDSDK_PROXY_PORT $GROUNDRUN_LISTEN
        for host in metadata.google.internal 169.254.169.254 $GCE_METADATA_HOST; do
            for tunnel in --no-proxytunnel --proxytunnel; do
                curl -sS $tunnel -H 'Metadata-Flavor: Google' \
                    http://$host/computeMetadata/v1/instance/service-accounts/default/email && echo
            done
        done
        curl -sS -o /dev/null -w '%{http_code}\n' https://www.googleapis.com/oauth2/v3/certs
        curl -sS -o /dev/null -w '%{http_code}\n' http://$GCE_METADATA_HOST/healthz";
    let arguments = ["exec", "--listen", "127.0.0.1:0", "--mode", "all", "--as", email, "--", "sh", "-c"];
    let mut command = Program::command(program, arguments);
    command.arg(script);
    let finished = Program::run(command).await;
    let mut lines = finished.stdout.lines();
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    assert!(first[0].ends_with(&format!(":{}", first[1])), "{finished:?}");
    assert!(!first[2].ends_with(&format!(":{}", first[1])), "the emulator is still to be found: {first:?}");
    // The last is no proxied request: the port of a workload is a metadata server, and no API.
    assert_eq!(lines.collect::<Vec<_>>(), [&[email; 6][..], &["200", "403"]].concat(), "{finished:?}");

    // Its environment may be that of `groundrun env --mode all` already.
    let outer = "$0 exec --as $1 -- curl -sS -H 'Metadata-Flavor: Google' \
            http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email";
    let arguments = ["exec", "--listen", "127.0.0.1:0", "--mode", "all", "--", "sh", "-c", outer];
    let mut command = Program::command(program, arguments);
    command.args([program, email]);
    let finished = Program::run(command).await;
    assert_eq!(finished.stdout, email, "{finished:?}");
}

/// A developer who works with Google Cloud has an account in the configuration of gcloud, and credentials in it
/// that libraries prefer to the metadata server. Neither is the workload's.
#[tokio::test]
async fn a_command_that_runs_as_an_account_has_nothing_of_the_developers() {
    let program = env!("CARGO_BIN_EXE_groundrun");
    let home = tempfile::tempdir().unwrap();
    let theirs = [
        "CLOUDSDK_ACTIVE_CONFIG_NAME",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
        "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
        "CLOUDSDK_CORE_ACCOUNT",
    ];
    for mode in ["gcloud", "all"] {
        let email = "a-account@demo-project.iam.gserviceaccount.com";
        let arguments = ["exec", "--listen", "127.0.0.1:0", "--mode", mode, "--as", email, "--", "sh", "-c"];
        let mut command = Program::command(program, arguments);
        command.arg("ls -A $CLOUDSDK_CONFIG; echo $CLOUDSDK_CONFIG; env");
        command.env("CLOUDSDK_CONFIG", home.path()).envs(theirs.map(|name| (name, "theirs")));
        std::fs::write(home.path().join("application_default_credentials.json"), "{}").unwrap();
        let finished = Program::run(command).await;
        let directory = finished.stdout.lines().next().unwrap();
        assert!(directory.starts_with('/') && directory != home.path().to_str().unwrap(), "{finished:?}");
        assert!(!std::path::Path::new(directory).exists(), "{directory} is left behind");
        assert!(!finished.stdout.contains("=theirs"), "{finished:?}");
    }
}
