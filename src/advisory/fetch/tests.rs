//! A bucket on a local server; what can go wrong on the way is tested through the program.

use axum::http::StatusCode;

use super::*;

#[tokio::test]
async fn a_bucket_is_fetched_and_built() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
    let serve = |axum::extract::Path((ecosystem, file)): axum::extract::Path<(String, String)>| async move {
        std::fs::read(base.join(ecosystem).join(file)).map_err(|_| StatusCode::NOT_FOUND)
    };
    let kev = async || {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv/known_exploited_vulnerabilities.json")).unwrap()
    };
    let router = axum::Router::new()
        .route("/{ecosystem}/{file}", axum::routing::get(serve))
        .route("/known_exploited_vulnerabilities.json", axum::routing::get(kev))
        .route("/ecosystems.txt", axum::routing::get(async || "npm\nPyPI\nAlpine\nAlmaLinux\nOther\n"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let out = tempfile::tempdir().unwrap();
    let built_at = Timestamp::UNIX_EPOCH + jiff::Span::new().hours(500_000);
    let summary = build_from_url(&format!("http://{address}"), out.path(), built_at, Duration::from_secs(60)).await.unwrap();
    server.abort();
    assert_eq!(summary.shards.iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(), ["alpine-v3.20", "kev", "npm", "pypi"]);
    assert_eq!(summary.gaps.len(), 1, "AlmaLinux is listed and not there; EPSS is not there and not missed: {:?}", summary.gaps);
    assert!(!out.path().join(".feeds").exists() && !out.path().join(folder::FOLDER).exists());
}

#[test]
fn every_feed_has_a_name() {
    assert!(feed_names().contains(&"kev") && feed_names().contains(&"Amazon Linux"));
}

#[test]
fn hosts_are_named_once() {
    let failed = |url: &str, reason: &str| Error::Fetch { url: url.to_owned(), reason: reason.to_owned() };
    let text = |errors: Vec<Error>| together(errors).unwrap().to_string();
    assert!(together(Vec::new()).is_none());
    assert_eq!(text(vec![failed("https://a/x", "refused"), failed("https://a/y", "refused")]), "cannot fetch https://a/x: refused");
    assert_eq!(
        text(vec![failed("https://a/x", "refused"), failed("https://b/y", "refused"), failed("https://a/z", "late")]),
        "cannot fetch https://a, https://b: refused"
    );
    assert_eq!(
        text(vec![failed("https://a/x", "refused"), failed("https://b:8443/y", "timed out")]),
        "cannot fetch anything: https://a: refused; https://b:8443: timed out"
    );
}
