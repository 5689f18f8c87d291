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
    let summary =
        build_from_url(&format!("http://{address}"), out.path(), Timestamp::UNIX_EPOCH + jiff::Span::new().hours(500_000)).await.unwrap();
    server.abort();
    assert_eq!(summary.shards.iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(), ["alpine-v3.20", "kev", "npm", "pypi"]);
    assert_eq!(summary.gaps.len(), 1, "AlmaLinux is listed and not there; EPSS is not there and not missed: {:?}", summary.gaps);
    assert!(!out.path().join(".feeds").exists() && !out.path().join(folder::FOLDER).exists());
}

#[test]
fn files_belong_to_ecosystems() {
    for (name, expected, built) in [
        ("npm/all.zip", Some("npm"), true),
        ("npm/modified_id.csv", Some("npm"), false),
        ("Rocky Linux/all.zip", Some("Rocky Linux"), true),
        ("amazon/2/php8.0/x86_64/updateinfo.xml.gz", Some("Amazon Linux"), true),
        ("amazon/repositories.txt", Some("Amazon Linux"), true),
        ("debian-tracker/debian.json", Some("Debian"), true),
        ("kev/known_exploited_vulnerabilities.json", None, true),
        ("ecosystems.txt", None, false),
    ] {
        assert_eq!((ecosystem_of(name), is_built(name)), (expected, built), "{name}");
    }
    assert!(feed_names().contains(&"kev") && feed_names().contains(&"Amazon Linux"));
}
