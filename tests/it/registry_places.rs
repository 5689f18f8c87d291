//! Where requests and credentials go: mirrors, proxies, redirects, token services; and answers that are no answers.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Response};
use plimsoll::{
    model::{digest::Digest, reference::ImageReference},
    progress::Silent,
    registry::{self, Error, Mirror, Options, Retry},
};
use serde_json::json;

use crate::{
    program::{plimsoll_with, root},
    registry::{MANIFEST, Server, bytes, descriptor, drain, image, look_up, options, pull, reply, with, with_credentials},
};

const BASIC: &str = r#"Basic realm="r""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_asked_under_its_own_path_and_with_its_own_credentials() {
    let (bodies, digest) = image();
    let mirror = Server::start(move |seen| match (&seen.authorization, seen.path.strip_prefix("/v2/hub/team/")) {
        (None, _) => with(reply(401), "www-authenticate", BASIC),
        (Some(_), Some(rest)) => {
            let mut inside = seen.clone();
            inside.path = format!("/v2/{rest}");
            look_up(&bodies, &inside)
        }
        _ => reply(500),
    })
    .await;
    let reference = ImageReference::parse("registry.example/team/app:v1").expect("reference");
    let mirrored = |host: &str, config: &serde_json::Value, folder: &std::path::Path| {
        let path = folder.join("config.json");
        fs::write(&path, config.to_string()).expect("config");
        let mirrors = vec![Mirror::parse(&format!("registry.example={host}/hub")).expect("mirror")];
        Options { mirrors, docker_config: Some(path), ..options() }
    };
    let folder = tempfile::tempdir().expect("folder");
    let (right, wrong) = (json!({ "username": "u", "password": "p" }), json!({ "username": "original", "password": "secret" }));
    let set = mirrored(&mirror.host, &json!({ "auths": { &mirror.host: right, "registry.example": wrong } }), folder.path());
    let source = registry::open(&reference, &set, Arc::new(Silent)).await.expect("source");
    let found = pull(&source, &reference).await.expect("image");
    assert_eq!((found.digest(), found.reference.to_string().as_str()), (&digest, "registry.example/team/app:v1"));
    assert_eq!(
        mirror.seen().iter().filter_map(|seen| seen.authorization.as_deref()).collect::<std::collections::BTreeSet<_>>(),
        ["Basic dTpw"].into()
    );
    assert_eq!(source.fetch_tag("absent").await.expect("an answer"), None);

    // The credential of the registry that is mirrored is not the mirror's to see.
    let seen = mirror.seen().len();
    let set = mirrored(&mirror.host, &json!({ "auths": { "registry.example": wrong } }), folder.path());
    let source = registry::open(&reference, &set, Arc::new(Silent)).await.expect("source");
    let error = source.fetch_root().await.expect_err("denied");
    assert!(matches!(error, Error::Denied { status: 401, .. }) && error.to_string().contains("on its mirror"), "{error}");
    assert!(mirror.seen().iter().skip(seen).all(|seen| seen.authorization.is_none()));
}

#[test]
fn the_command_line_says_what_is_wrong_with_a_mirror() {
    let run = |mirrors: &[&str]| {
        let mut args = vec!["inventory", "registry.example/app"];
        args.extend(mirrors.iter().flat_map(|mirror| ["--registry-mirror", mirror]));
        plimsoll_with(&args, &[], &root()).expect(2)
    };
    let once = run(&["docker.io"]);
    assert!(once.stderr.contains("there is no `=`"), "{}", once.stderr);
    run(&["docker.io=a.example", "docker.io=b.example"]).complains("several");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_used_but_not_for_their_exceptions() {
    let (bodies, _) = image();
    let proxy = Server::start(move |seen| {
        let mut inside = seen.clone();
        inside.path = seen.path.strip_prefix("http://registry.example").unwrap_or("/none").to_owned();
        look_up(&bodies, &inside)
    })
    .await;
    let url = format!("http://{}", proxy.host);
    let run = |environment: Vec<(&'static str, String)>| {
        tokio::task::spawn_blocking(move || {
            let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            plimsoll_with(&["inventory", "registry.example/app:v1", "--insecure-registry", "registry.example"], &environment, &root())
        })
    };
    // The layer is no tar, so the packages are a Gap; but it came.
    let through = run(vec![("HTTP_PROXY", url.clone())]).await.expect("run").expect(3);
    assert!(through.stdout.contains("CycloneDX"), "{}", through.stdout);
    let paths: Vec<String> = proxy.seen().into_iter().map(|seen| seen.path).collect();
    assert!(paths.len() >= 3 && paths.iter().all(|path| path.starts_with("http://registry.example/v2/app/")), "{paths:?}");
    run(vec![("HTTP_PROXY", url), ("NO_PROXY", "registry.example".to_owned())])
        .await
        .expect("run")
        .expect(2)
        .complains("cannot reach registry");
    assert_eq!(proxy.seen().len(), paths.len());

    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let tunnel = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("client");
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).expect("request");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").expect("answer");
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    });
    let run =
        tokio::task::spawn_blocking(move || plimsoll_with(&["inventory", "registry.example/app:v1"], &[("HTTPS_PROXY", &url)], &root()));
    run.await.expect("run").expect(2);
    let heard = tunnel.join().expect("proxy");
    assert!(heard.starts_with("CONNECT registry.example:443 HTTP/1.1\r\n"), "{heard}");
}

/// `public.ecr.aws` as Amazon runs it: everybody gets a token, whoever has a login gets a better one. It is asked under its own name.
#[tokio::test(flavor = "multi_thread")]
async fn ecr_public_is_pulled_from_by_everybody_and_by_who_is_logged_in() {
    const HOST: &str = "public.ecr.aws";
    let (bodies, _) = image();
    let proxy = Server::start(move |seen| {
        let Some(path) = seen.path.strip_prefix("http://public.ecr.aws") else { return reply(500) };
        if path.starts_with("/token/") {
            return match seen.authorization.as_deref() {
                None => bytes("application/json", r#"{"token":"anonymous"}"#),
                // AWS:secret
                Some("Basic QVdTOnNlY3JldA==") => bytes("application/json", r#"{"token":"known"}"#),
                Some(_) => reply(401),
            };
        }
        if !matches!(seen.authorization.as_deref(), Some("Bearer anonymous" | "Bearer known")) {
            return with(
                reply(401),
                "www-authenticate",
                r#"Bearer realm="http://public.ecr.aws/token/",service="public.ecr.aws",scope="aws""#,
            );
        }
        let mut inside = seen.clone();
        inside.path = path.replacen("/v2/harbour/app/", "/v2/app/", 1);
        look_up(&bodies, &inside)
    })
    .await;
    let folder = tempfile::tempdir().expect("folder");
    let helper = folder.path().join("docker-credential-ecr-login");
    fs::write(
        &helper,
        format!("#!/bin/sh\nread host; [ $host = {HOST} ] || exit 1\nprintf '{{\"Username\":\"AWS\",\"Secret\":\"secret\"}}'\n"),
    )
    .expect("helper");
    #[cfg(unix)]
    fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    let url = format!("http://{}", proxy.host);
    for (config, token, code) in [
        (json!({}), "Bearer anonymous", 3),
        (json!({ "auths": { HOST: { "auth": "QVdTOnNlY3JldA==" } } }), "Bearer known", 3),
        (json!({ "credHelpers": { HOST: "ecr-login" } }), "Bearer known", 3),
        (json!({ "auths": { HOST: {} }, "credsStore": "ecr-login" }), "Bearer known", 3),
        // Of another registry, which has the same helper.
        (json!({ "credHelpers": { "111122223333.dkr.ecr.us-east-1.amazonaws.com": "ecr-login" } }), "Bearer anonymous", 3),
        // An old password is not passed over in silence.
        (json!({ "auths": { HOST: { "username": "AWS", "password": "old" } } }), "", 2),
    ] {
        let before = proxy.seen().len();
        let file = folder.path().join("config.json");
        fs::write(&file, config.to_string()).expect("config");
        let file = file.display().to_string();
        let (url, path) = (url.clone(), path.clone());
        let run = tokio::task::spawn_blocking(move || {
            let args = ["inventory", "public.ecr.aws/harbour/app:v1", "--insecure-registry", HOST, "--docker-config", &file, "--no-cache"];
            plimsoll_with(&args, &[("HTTP_PROXY", url.as_str()), ("PATH", &path)], &root())
        });
        let run = run.await.expect("run").expect(code);
        if code == 2 {
            assert!(run.stderr.contains("aws ecr-public get-login-password --region us-east-1 | docker login"), "{}", run.stderr);
        }
        let seen: Vec<_> = proxy.seen().into_iter().skip(before).collect();
        let tokens: Vec<_> = seen.iter().filter(|seen| seen.path.contains("/token/")).collect();
        let asked = "http://public.ecr.aws/token/?service=public.ecr.aws&scope=repository%3Aharbour%2Fapp%3Apull&scope=aws";
        assert!(tokens.len() == 1 && tokens[0].path == asked, "{tokens:?}");
        let shown: std::collections::BTreeSet<_> =
            seen.iter().filter(|seen| !seen.path.contains("/token/")).filter_map(|seen| seen.authorization.as_deref()).collect();
        assert!(shown.iter().eq([token].iter().filter(|token| !token.is_empty())), "{config}: {shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_or_a_404_of_another_host_is_not_the_registrys() {
    for (status, challenge) in [(401, "basic"), (401, "bearer"), (404, "none")] {
        let other = Server::start(move |seen| {
            let bearer = format!(r#"Bearer realm="http://{}/token""#, seen.host);
            with(reply(status), "www-authenticate", if challenge == "bearer" { bearer.as_str() } else { BASIC })
        })
        .await;
        let location = other.host.clone();
        let server = Server::start(move |seen| with(reply(307), "location", &format!("http://{location}{}", seen.path))).await;
        let folder = tempfile::tempdir().expect("folder");
        let source = server.open(&with_credentials(folder.path(), &server.host, &json!({ "username": "u", "password": "p" }))).await;
        for error in [
            source.fetch_root().await.expect_err("redirected"),
            source.fetch_tag("sig").await.expect_err("redirected"),
            source.fetch_referrers(&Digest::sha256_of(b"")).await.expect_err("redirected"),
            source.fetch_blob(&descriptor(b"x"), 10).await.expect_err("redirected"),
        ] {
            assert!(matches!(error, Error::Unexpected { status: got, .. } if got == status), "{error}");
        }
        assert!(other.seen().iter().all(|seen| seen.authorization.is_none() && !seen.path.contains("token")), "{challenge}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_whose_bytes_were_damaged_on_the_way_is_refused() {
    let (bodies, digest) = image();
    let header = digest.to_string();
    let server = Server::start(move |seen| {
        let mut answer = with(look_up(&bodies, seen), "docker-content-digest", &header);
        if seen.path.ends_with("/v1") {
            let text = String::from_utf8(bodies[&seen.path].1.clone()).expect("JSON");
            *answer.body_mut() = Body::from(text.replacen("manifest.v1", "manifest.v2", 1));
        }
        answer
    })
    .await;
    let error = server.open(&options()).await.fetch_root().await.expect_err("damaged");
    assert!(matches!(&error, Error::DigestMismatch { expected, .. } if *expected == digest), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_errors_of_blobs_are_cut_off() {
    let endless = || Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])));
    for status in [401, 403, 404, 418, 500] {
        let server = Server::start(move |_| Response::builder().status(status).body(endless()).expect("reply")).await;
        let source = server.open(&options()).await;
        let began = Instant::now();
        assert!(drain(&source, &descriptor(b"x")).await.is_err());
        assert!(began.elapsed() < Duration::from_secs(5), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_ask_for_more_patience_than_our_own_but_not_beyond_the_deadline() {
    let (bodies, _) = image();
    let patient = Server::start(move |seen| {
        if seen.before > 0 {
            return look_up(&bodies, seen);
        }
        with(with(reply(503), "retry-after", "Sun, 22 Nov 2026 12:00:01 GMT"), "date", "Sun, 22 Nov 2026 12:00:00 GMT")
    })
    .await;
    let retry = Retry { attempts: 2, initial_backoff: Duration::from_millis(1), max_backoff: Duration::from_millis(1) };
    let began = Instant::now();
    patient.open(&Options { retry, ..options() }).await.fetch_root().await.expect("second attempt");
    assert!(began.elapsed() >= Duration::from_secs(1));
    let never = Server::start(|_| with(reply(429), "retry-after", "86400")).await;
    let began = Instant::now();
    let error = never.open(&options()).await.fetch_root().await.expect_err("too long");
    assert!(error.to_string().contains("it asks to wait 86400 s") && began.elapsed() < Duration::from_secs(5), "{error}");
    assert_eq!(never.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_early_without_a_length_is_asked_for_again() {
    let content: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let host = listener.local_addr().expect("address");
    let served = content.clone();
    std::thread::spawn(move || {
        // The first answer ends in the middle, which without a length looks like its end; the second one is the rest.
        for (from, to, head) in [
            (0, 70_001, "200 OK".to_owned()),
            (70_001, 200_000, "206 Partial Content\r\nContent-Range: bytes 70001-199999/200000".to_owned()),
        ] {
            let (mut stream, _) = listener.accept().expect("client");
            let mut request = [0; 4096];
            let count = stream.read(&mut request).expect("request");
            let asked = String::from_utf8_lossy(&request[..count]).to_lowercase().contains("range: bytes=70001-");
            assert_eq!(asked, from > 0);
            stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes()).expect("head");
            stream.write_all(&served[from..to]).expect("body");
        }
    });
    let reference = ImageReference::parse(&format!("{host}/app:v1")).expect("reference");
    let source = registry::open(&reference, &options(), Arc::new(Silent)).await.expect("source");
    assert_eq!(drain(&source, &descriptor(&content)).await.expect("whole"), 200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_service_on_another_port_is_not_the_registry() {
    let tokens = Server::start(|_| bytes("application/json", r#"{"token":"t"}"#)).await;
    let challenge = format!(r#"Bearer realm="http://{}/token""#, tokens.host);
    let server = Server::start(move |seen| match &seen.authorization {
        Some(_) => bytes(MANIFEST, "{}"),
        None => with(reply(401), "www-authenticate", &challenge),
    })
    .await;
    let folder = tempfile::tempdir().expect("folder");
    for entry in [json!({ "username": "u", "password": "p" }), json!({ "identitytoken": "refresh" })] {
        let source = server.open(&with_credentials(folder.path(), &server.host, &entry)).await;
        let error = source.fetch_root().await.expect_err("plain http");
        assert!(matches!(error, Error::UnsafeRealm { .. }) && error.to_string().contains(&tokens.host), "{error}");
    }
    assert!(tokens.seen().is_empty());
    // Somebody who has no credentials has nothing to lose there.
    server.open(&options()).await.fetch_root().await.expect("anonymous");
}
