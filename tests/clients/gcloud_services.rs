//! What else gcloud does to services and revisions.

use super::gcloud::Gcloud;

#[tokio::test(flavor = "multi_thread")]
async fn traffic_tags_and_revisions() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let deploy = "run deploy hello --image=us-docker.pkg.dev/cloudrun/container/hello";
    gcloud.ok(&format!("{deploy}:v1 --no-allow-unauthenticated")).await;
    let first = gcloud.revisions("hello").await.remove(0);

    // A tagged revision without traffic: gcloud names it and routes to it in the same write.
    let tagged = gcloud.run(&format!("{deploy}:v2 --no-traffic --tag=green")).await;
    assert!(tagged.ok, "{}", tagged.told);
    assert!(tagged.told.contains("http://green---hello-"), "{}", tagged.told);
    let second = gcloud.revisions("hello").await.remove(0);
    let traffic = "run services describe hello --format=value(status.traffic)";
    assert!(gcloud.ok(traffic).await.contains(&first));

    gcloud.ok(&format!("run services update-traffic hello --to-revisions={first}=10,{second}=90")).await;
    let split = gcloud.ok(traffic).await;
    assert!(split.contains("'percent': 10") && split.contains("'percent': 90"), "{split}");
    gcloud.ok("run services update-traffic hello --to-latest").await;
    assert_eq!(gcloud.revisions("hello").await.len(), 2, "traffic cuts no revision");

    // The oldest has neither traffic nor a tag; the latest cannot go.
    gcloud.ok(&format!("run revisions delete {first}")).await;
    assert_eq!(gcloud.revisions("hello").await, std::slice::from_ref(&second));
    let told = gcloud.refused(&format!("run revisions delete {second}")).await;
    assert!(
        told.contains(&format!("The latest created Revision '{second}' cannot be directly deleted.")),
        "{told}"
    );

    gcloud.ok(&format!("{deploy}:v3 --revision-suffix=one")).await;
    let told = gcloud.refused(&format!("{deploy}:v4 --revision-suffix=one")).await;
    assert!(
        told.contains("Revision named 'hello-one' with different configuration already exists."),
        "{told}"
    );
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_descriptions_settings_and_deletion() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let deployed = gcloud
        .run(
            "run deploy big --image=us-docker.pkg.dev/p/r/app --allow-unauthenticated --set-env-vars=A=1,B=two \
             --service-account=sa1@demo-project.iam.gserviceaccount.com --port=9000 --use-http2 --memory=1Gi --cpu=2 \
             --concurrency=10 --timeout=60 --min-instances=1 --max-instances=5 --labels=team=web",
        )
        .await;
    assert!(deployed.ok, "{}", deployed.told);
    assert!(!deployed.told.contains("warnings"), "{}", deployed.told);
    let shown = gcloud
        .ok("run services describe big --format=value(spec.template.spec.containerConcurrency,spec.template.spec.timeoutSeconds)")
        .await;
    assert_eq!(shown, "10\t60");

    // Service-level settings print "has been updated", and cut a revision all the same.
    for flag in ["--ingress=internal", "--min=3", "--no-invoker-iam-check", "--invoker-iam-check"] {
        let updated = gcloud.run(&format!("run services update big {flag}")).await;
        assert!(updated.ok && updated.told.contains("has been updated"), "{flag}\n{}", updated.told);
    }
    assert_eq!(gcloud.revisions("big").await.len(), 5);

    assert_eq!(gcloud.ok("run services list --format=value(metadata.name)").await, "big");
    for kind in ["configurations", "routes"] {
        assert_eq!(gcloud.ok(&format!("run {kind} list --format=value(metadata.name)")).await, "big");
        gcloud.ok(&format!("run {kind} describe big")).await;
    }
    assert!(
        gcloud.ok("run regions list --format=value(locationId)").await.lines().any(|id| id == "us-central1")
    );
    assert!(gcloud.refused("run services describe nosuch").await.contains("Cannot find service [nosuch]"));

    let told = gcloud.refused("run services update big --update-env-vars=PORT=1").await;
    assert!(told.contains("The following reserved env names were provided: PORT"), "{told}");

    gcloud.ok("projects add-iam-policy-binding demo-project --member=user:a@example.com --role=roles/run.invoker").await;
    let policy = gcloud.ok("projects get-iam-policy demo-project --format=value(bindings.members)").await;
    assert!(policy.contains("user:a@example.com"), "{policy}");
    gcloud.ok("iam service-accounts create builder --display-name=Builder").await;
    let accounts = gcloud.ok("iam service-accounts list --format=value(email)").await;
    assert!(accounts.contains("builder@demo-project.iam.gserviceaccount.com"), "{accounts}");

    gcloud.ok("run services delete big").await;
    assert_eq!(gcloud.ok("run services list --format=value(metadata.name)").await, "");
    gcloud.stop().await;
}
