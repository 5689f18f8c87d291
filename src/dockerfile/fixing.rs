//! Fixes over the fixtures of every rule, over single texts, and over real Dockerfiles.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::PathBuf,
        time::Instant,
    };

    use crate::{
        dockerfile::{
            LintInput,
            corpus::tests::{corpus, dev_files},
            fix::{Fixed, Secrets, fix},
            images, lint, read, rules,
        },
        model::{
            fix::FixKind,
            lint::{BaseImage, LintSettings},
        },
    };

    const DIGEST: &str = "sha256:6ad8394ad31b269b563566998fd80a8f259e8decf16e807f8310ecc10c687385";
    const ALL: [FixKind; 3] = [FixKind::Safe, FixKind::Unsafe, FixKind::Network];
    /// Rules whose fixes need more than a Dockerfile and digests.
    const NEED_MORE: &[&str] = &["sensitive-context-copied"];

    fn everything_on() -> LintSettings {
        LintSettings { on: rules().iter().map(|meta| meta.id.to_owned()).collect(), ..LintSettings::DEFAULT }
    }

    /// A digest for every image and address that the file names.
    fn bases(bytes: &[u8], settings: &LintSettings) -> BTreeMap<String, BaseImage> {
        let input = LintInput { settings, ..LintInput::new("Dockerfile", bytes) };
        let (dockerfile, _) = read(&input);
        let added = dockerfile.with_keyword("ADD").flat_map(|(_, add)| add.args.iter().map(|argument| argument.text.clone()));
        let base = || BaseImage { digest: Some(DIGEST.to_owned()), ..BaseImage::default() };
        images(&input).into_iter().chain(added).map(|name| (name, base())).collect()
    }

    fn fixed(bytes: &[u8], kinds: &[FixKind], rule: Option<&str>) -> Fixed {
        let settings = everything_on();
        let bases = bases(bytes, &settings);
        let input = LintInput { settings: &settings, bases: &bases, ..LintInput::new("Dockerfile", bytes) };
        fix(&input, &kinds.iter().copied().collect(), Secrets::Mend, &|findings, _| {
            findings.iter().map(|finding| rule.is_none_or(|rule| finding.id == rule)).collect()
        })
    }

    #[test]
    fn every_rule_that_promises_a_fix_has_one_that_holds() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dockerfile");
        let mut wrong = Vec::new();
        for meta in rules() {
            let (mut applied, mut withheld) = (0, BTreeSet::new());
            for entry in fs::read_dir(root.join(meta.id)).expect("fixtures") {
                let bytes = fs::read(entry.expect("an entry").path()).expect("a fixture");
                let once = fixed(&bytes, &ALL, Some(meta.id));
                if once.applied.iter().any(|fix| Some(fix.kind) != meta.fix) {
                    wrong.push(format!("{}: a fix of another kind than {:?}", meta.id, meta.fix));
                }
                let twice = fixed(&once.bytes, &ALL, Some(meta.id));
                if twice.bytes != once.bytes {
                    wrong.push(format!("{}: a second run changes\n{}", meta.id, String::from_utf8_lossy(&once.bytes)));
                }
                applied += once.applied.len();
                withheld.extend(once.withheld.into_iter().map(|withheld| withheld.reason));
            }
            if meta.fix.is_some() && applied == 0 && !NEED_MORE.contains(&meta.id) {
                wrong.push(format!("{}: no fixture is mended {withheld:?}", meta.id));
            }
            if !withheld.is_empty() {
                eprintln!("{}: {applied} mended, withheld: {withheld:?}", meta.id);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn fixes_are_what_a_person_would_write() {
        let table: &[(&str, &[FixKind], &str, &str)] = &[
            (
                "apt-lists-left",
                &[FixKind::Safe],
                "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl\n",
                "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl \\\n    && rm -rf /var/lib/apt/lists/*\n",
            ),
            (
                "apt-lists-left",
                &[FixKind::Safe],
                "FROM debian:12\r\nRUN apt-get update && \\\r\n  apt-get install -y curl\r\n",
                "FROM debian:12\r\nRUN apt-get update && \\\r\n  apt-get install -y curl && \\\r\n  rm -rf /var/lib/apt/lists/*\r\n",
            ),
            // What comes later needs the lists.
            (
                "apt-lists-left",
                &[FixKind::Safe],
                "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n",
                "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n",
            ),
            (
                "apt-lists-left",
                &[FixKind::Safe],
                "FROM debian:12\nRUN apt-get update\nRUN sh /setup.sh\n",
                "FROM debian:12\nRUN apt-get update\nRUN sh /setup.sh\n",
            ),
            // Another user needs it, and so may those of files that build on this one.
            ("sudo-in-run", &[FixKind::Unsafe], "FROM debian:12\nUSER 1000\nRUN sudo id\n", "FROM debian:12\nUSER 1000\nRUN sudo id\n"),
            (
                "sudo-in-run",
                &[FixKind::Unsafe],
                "FROM debian:12\nARG WHO\nUSER $WHO\nRUN sudo id\n",
                "FROM debian:12\nARG WHO\nUSER $WHO\nRUN sudo id\n",
            ),
            (
                "sudo-in-run",
                &[FixKind::Unsafe],
                "FROM debian:12 AS a\nUSER app\nFROM a\nRUN sudo id\n",
                "FROM debian:12 AS a\nUSER app\nFROM a\nRUN sudo id\n",
            ),
            ("sudo-in-run", &[FixKind::Unsafe], "FROM debian:12\nONBUILD RUN sudo id\n", "FROM debian:12\nONBUILD RUN sudo id\n"),
            (
                "sudo-in-run",
                &[FixKind::Unsafe],
                "FROM debian:12\nUSER app\nUSER 0:0\nRUN sudo id\n",
                "FROM debian:12\nUSER app\nUSER 0:0\nRUN id\n",
            ),
            ("sudo-in-run", &[FixKind::Unsafe], "FROM debian:12\nRUN sudo id\nUSER app\n", "FROM debian:12\nRUN id\nUSER app\n"),
            // Nothing comes behind what ends the script.
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN dnf -y install a && exec b && dnf clean all\n",
                "FROM almalinux:9\nRUN dnf -y install a && dnf clean all && exec b && dnf clean all\n",
            ),
            (
                "apt-lists-left",
                &[FixKind::Safe],
                "FROM debian:12\nRUN apt-get update && exec apt-get -y install curl && id\n",
                "FROM debian:12\nRUN apt-get update && exec apt-get -y install curl && id\n",
            ),
            // BusyBox's wget has no `--progress`, and refuses what it does not know.
            ("wget-without-progress", &[FixKind::Safe], "FROM debian:12\nRUN wget x\n", "FROM debian:12\nRUN wget --progress=dot:giga x\n"),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM docker.io/library/ubuntu:24.04\nRUN wget x\n",
                "FROM docker.io/library/ubuntu:24.04\nRUN wget --progress=dot:giga x\n",
            ),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN wget x\n",
                "FROM almalinux:9\nRUN wget --progress=dot:giga x\n",
            ),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM opensuse/leap:15\nRUN wget x\n",
                "FROM opensuse/leap:15\nRUN wget --progress=dot:giga x\n",
            ),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM python:3.12-slim\nRUN wget x\n",
                "FROM python:3.12-slim\nRUN wget --progress=dot:giga x\n",
            ),
            ("wget-without-progress", &[FixKind::Safe], "FROM golang\nRUN wget x\n", "FROM golang\nRUN wget --progress=dot:giga x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM alpine:3.22\nRUN wget x\n", "FROM alpine:3.22\nRUN wget -q x\n"),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM golang:1.24-alpine\nRUN wget x\n",
                "FROM golang:1.24-alpine\nRUN wget -q x\n",
            ),
            ("wget-without-progress", &[FixKind::Safe], "FROM caddy:2\nRUN wget x\n", "FROM caddy:2\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM composer:2\nRUN wget x\n", "FROM composer:2\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM docker:27\nRUN wget x\n", "FROM docker:27\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM traefik:3\nRUN wget x\n", "FROM traefik:3\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM vault:1.13\nRUN wget x\n", "FROM vault:1.13\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM acme/base\nRUN wget x\n", "FROM acme/base\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM acme/debian:1\nRUN wget x\n", "FROM acme/debian:1\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM r.example/python:3\nRUN wget x\n", "FROM r.example/python:3\nRUN wget x\n"),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM python@sha256:0000000000000000000000000000000000000000000000000000000000000000\nRUN wget x\n",
                "FROM python@sha256:0000000000000000000000000000000000000000000000000000000000000000\nRUN wget x\n",
            ),
            ("wget-without-progress", &[FixKind::Safe], "ARG B\nFROM $B\nRUN wget x\n", "ARG B\nFROM $B\nRUN wget x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM debian:12\nRUN busybox wget x\n", "FROM debian:12\nRUN busybox wget -q x\n"),
            ("wget-without-progress", &[FixKind::Safe], "FROM debian:12\nRUN toybox wget x\n", "FROM debian:12\nRUN toybox wget x\n"),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM acme/base AS a\nRUN apt-get install -y wget=1.21 && wget x\nFROM a\nRUN wget y\n",
                "FROM acme/base AS a\nRUN apt-get install -y wget=1.21 && wget --progress=dot:giga x\nFROM a\nRUN wget --progress=dot:giga y\n",
            ),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM acme/base\nRUN wget x && apt-get install -y wget\n",
                "FROM acme/base\nRUN wget x && apt-get install -y wget\n",
            ),
            (
                "wget-without-progress",
                &[FixKind::Safe],
                "FROM acme/base\nRUN apk add wget || apt-get install -y wget\nRUN wget x\n",
                "FROM acme/base\nRUN apk add wget || apt-get install -y wget\nRUN wget x\n",
            ),
            // A failure still decides what it decided.
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN if true; then dnf install -y a; fi\n",
                "FROM almalinux:9\nRUN if true; then dnf install -y a && dnf clean all; fi\n",
            ),
            // What is in the cache is used later.
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN dnf install -y --downloadonly a && cp /var/cache/dnf/*.rpm /\n",
                "FROM almalinux:9\nRUN dnf install -y --downloadonly a && cp /var/cache/dnf/*.rpm /\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN dnf install -y a\nRUN dnf -C install -y b\n",
                "FROM almalinux:9\nRUN dnf install -y a\nRUN dnf -C install -y b\n",
            ),
            (
                "pip-cache-left",
                &[FixKind::Safe],
                "FROM python:3.13 AS a\nRUN pip install x\nFROM python:3.13\nCOPY --from=a /root/.cache/pip /c\n",
                "FROM python:3.13 AS a\nRUN pip install x\nFROM python:3.13\nCOPY --from=a /root/.cache/pip /c\n",
            ),
            (
                "apk-cache-left",
                &[FixKind::Safe],
                "FROM alpine:3.22\nRUN apk add a && cp -r /var/cache/apk /x\n",
                "FROM alpine:3.22\nRUN apk add a && cp -r /var/cache/apk /x\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN (dnf install -y a;)\n",
                "FROM almalinux:9\nRUN (dnf install -y a && dnf clean all;)\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN dnf install -y a;\n",
                "FROM almalinux:9\nRUN dnf install -y a && dnf clean all;\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN cd /x; dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN cd /x; dnf install -y a && dnf clean all; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN set -ex; dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN set -ex; dnf install -y a; dnf clean all; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN set -e; if a; then dnf install -y a; fi\n",
                "FROM almalinux:9\nRUN set -e; if a; then dnf install -y a; fi\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN set -e; b && dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN set -e; b && dnf install -y a; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN a && set -e; dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN a && set -e; dnf install -y a; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN set -e; set +e; dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN set -e; set +e; dnf install -y a; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nRUN set -o errexit; set +o errexit; dnf install -y a; ls\n",
                "FROM almalinux:9\nRUN set -o errexit; set +o errexit; dnf install -y a; ls\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM almalinux:9\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN dnf install -y a; ls\n",
                "FROM almalinux:9\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN dnf install -y a; dnf clean all; ls\n",
            ),
            // What would be added cleans another root or folder.
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN dnf --installroot /mnt install -y a\n",
                "FROM a:9\nRUN dnf --installroot /mnt install -y a\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN dnf install -y --installroot=/mnt a\n",
                "FROM a:9\nRUN dnf install -y --installroot=/mnt a\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN dnf --setopt=cachedir=/c install -y a\n",
                "FROM a:9\nRUN dnf --setopt=cachedir=/c install -y a\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN dnf -c /etc/x.conf install -y a\n",
                "FROM a:9\nRUN dnf -c /etc/x.conf install -y a\n",
            ),
            (
                "zypper-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN zypper -R /mnt install -y a\n",
                "FROM a:9\nRUN zypper -R /mnt install -y a\n",
            ),
            (
                "zypper-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN zypper --installroot /mnt install -y a\n",
                "FROM a:9\nRUN zypper --installroot /mnt install -y a\n",
            ),
            (
                "zypper-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN zypper --root /mnt install -y a\n",
                "FROM a:9\nRUN zypper --root /mnt install -y a\n",
            ),
            (
                "zypper-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN zypper --cache-dir /c install -y a\n",
                "FROM a:9\nRUN zypper --cache-dir /c install -y a\n",
            ),
            (
                "yum-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN yum --installroot=/mnt install -y a\n",
                "FROM a:9\nRUN yum --installroot=/mnt install -y a\n",
            ),
            (
                "dnf-cache-left",
                &[FixKind::Safe],
                "FROM a:9\nRUN dnf -R 3 --setopt=keepcache=0 install -y a\n",
                "FROM a:9\nRUN dnf -R 3 --setopt=keepcache=0 install -y a && dnf clean all\n",
            ),
            (
                "yarn-cache-left",
                &[FixKind::Unsafe],
                "FROM node:22\nRUN yarn install --cache-folder /c\n",
                "FROM node:22\nRUN yarn install --cache-folder /c\n",
            ),
            // The folder that is named last would count.
            (
                "pip-cache-left",
                &[FixKind::Safe],
                "FROM python:3\nRUN pip install --cache-dir /c x\n",
                "FROM python:3\nRUN pip install --cache-dir /c x\n",
            ),
            // A builtin is no program.
            ("shell-form-cmd", &[FixKind::Unsafe], "FROM debian:12\nCMD ulimit -n 10\n", "FROM debian:12\nCMD ulimit -n 10\n"),
            // ADD unpacks what holds an archive, whatever its name.
            (
                "add-instead-of-copy",
                &[FixKind::Safe],
                "FROM debian:12\nADD rootfs /\nADD a.py /a/\nADD src/ /b/\nADD x.bin /c/\n",
                "FROM debian:12\nADD rootfs /\nCOPY a.py /a/\nCOPY src/ /b/\nADD x.bin /c/\n",
            ),
            // A comment at the end, and an end that is none.
            ("apt-lists-left", &[FixKind::Safe], "FROM debian:12\nRUN apt-get update # x\n", "FROM debian:12\nRUN apt-get update # x\n"),
            // Here-documents are left alone.
            (
                "pip-cache-left",
                &[FixKind::Safe],
                "FROM python:3.13\nRUN <<EOF\npip install x==1\nEOF\n",
                "FROM python:3.13\nRUN <<EOF\npip install x==1\nEOF\n",
            ),
            (
                "yum-cache-left",
                &[FixKind::Safe],
                "FROM centos:7\nRUN set -e; yum install -y curl; curl -V\n",
                "FROM centos:7\nRUN set -e; yum install -y curl; yum clean all; curl -V\n",
            ),
            (
                "yum-cache-left",
                &[FixKind::Safe],
                "FROM centos:7\nRUN if yum install -y curl; then true; fi\n",
                "FROM centos:7\nRUN if yum install -y curl; then true; fi\n",
            ),
            (
                "curl-insecure",
                &[FixKind::Unsafe],
                "FROM a:1\nRUN curl -fsSLk -o k \\\n    --insecure \\\n    https://x.dev/a\n",
                "FROM a:1\nRUN curl -fsSL -o k \\\n    https://x.dev/a\n",
            ),
            // A value is no option.
            (
                "curl-insecure",
                &[FixKind::Unsafe],
                "FROM a:1\nRUN curl -k -o -k https://x.dev\n",
                "FROM a:1\nRUN curl -o -k https://x.dev\n",
            ),
            // Words of variables are not changed.
            (
                "curl-insecure",
                &[FixKind::Unsafe],
                "FROM a:1\nENV O=-k\nRUN curl $O https://x.dev\n",
                "FROM a:1\nENV O=-k\nRUN curl $O https://x.dev\n",
            ),
            (
                "node-tls-verify-disabled",
                &[FixKind::Unsafe],
                "FROM a:1\nENV A=1 \\\n    NODE_TLS_REJECT_UNAUTHORIZED=0 \\\n    B=2\n",
                "FROM a:1\nENV A=1 \\\n    B=2\n",
            ),
            (
                "node-tls-verify-disabled",
                &[FixKind::Unsafe],
                "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\nUSER x\n",
                "FROM a:1\nUSER x\n",
            ),
            ("node-tls-verify-disabled", &[FixKind::Unsafe], "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=0 B=1\n", "FROM a:1\nENV B=1\n"),
            ("multiple-cmd", &[FixKind::Unsafe], "FROM a:1\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]\n", "FROM a:1\nCMD [\"c\"]\n"),
            (
                "relative-workdir",
                &[FixKind::Safe],
                "FROM a:1 AS x\nWORKDIR /srv\nFROM x\nWORKDIR app\nWORKDIR lib\n",
                "FROM a:1 AS x\nWORKDIR /srv\nFROM x\nWORKDIR /srv/app\nWORKDIR /srv/app/lib\n",
            ),
            (
                "relative-workdir",
                &[FixKind::Safe],
                "FROM a:1\nWORKDIR /a/./b\nWORKDIR ./c\nWORKDIR ../d\nWORKDIR e\n",
                "FROM a:1\nWORKDIR /a/./b\nWORKDIR /a/b/c\nWORKDIR ../d\nWORKDIR e\n",
            ),
            ("relative-workdir", &[FixKind::Safe], "FROM a:1\nWORKDIR $X\nWORKDIR app\n", "FROM a:1\nWORKDIR $X\nWORKDIR app\n"),
            (
                "stage-name-casing",
                &[FixKind::Safe],
                "FROM a:1 AS Build\nFROM b:1\nCOPY --from=Build /a /b\nRUN --mount=type=bind,from=BUILD,target=/x true\n",
                "FROM a:1 AS build\nFROM b:1\nCOPY --from=build /a /b\nRUN --mount=type=bind,from=build,target=/x true\n",
            ),
            (
                "latest-tag",
                &[FixKind::Network],
                "FROM alpine:latest\nCOPY --from=busybox:latest /a /b\n",
                "FROM alpine:latest@sha256:6ad8394ad31b269b563566998fd80a8f259e8decf16e807f8310ecc10c687385\nCOPY --from=busybox:latest@sha256:6ad8394ad31b269b563566998fd80a8f259e8decf16e807f8310ecc10c687385 /a /b\n",
            ),
            // Overlapping fixes go in rounds; comments, a BOM and NUL stay.
            (
                "",
                &[FixKind::Safe],
                "\u{feff}FROM debian:12\nENV a b\n# keep \0 me\nRUN apt install --no-install-recommends curl=1 && \\\n  # and me\n  rm -rf /var/lib/apt/lists/*\n",
                "\u{feff}FROM debian:12\nENV a=b\n# keep \0 me\nRUN apt-get install -y --no-install-recommends curl=1 && \\\n  # and me\n  rm -rf /var/lib/apt/lists/*\n",
            ),
            (
                "update-without-install",
                &[FixKind::Unsafe],
                "FROM debian:12\nRUN apt-get update\n\nRUN apt-get install -y curl\n",
                "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl\n",
            ),
            (
                "pipe-without-pipefail",
                &[FixKind::Unsafe],
                "FROM debian:12\n# why\nRUN a | b\nRUN c | d\n",
                "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\n# why\nRUN a | b\nRUN c | d\n",
            ),
            ("pipe-without-pipefail", &[FixKind::Unsafe], "FROM alpine:3\nRUN a | b\n", "FROM alpine:3\nRUN set -o pipefail && a | b\n"),
            ("env-self-reference", &[FixKind::Unsafe], "FROM a:1\nENV A=1 B=$A\n", "FROM a:1\nENV A=1\nENV B=$A\n"),
        ];
        for (rule, kinds, before, after) in table {
            let fixed = fixed(before.as_bytes(), kinds, Some(rule).filter(|rule| !rule.is_empty()).copied());
            assert_eq!(String::from_utf8_lossy(&fixed.bytes), *after, "{rule} {before:?}\n{:?}", fixed.withheld);
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let fixed = fixed(b"FROM a:1\nRUN echo \xff\xfe\nENV a b\nLABEL x \xff\nSTOPSIGNAL 9\nmaintainer \xffme\n", &ALL, None);
        assert!(fixed.bytes.windows(8).any(|bytes| bytes == b"echo \xff\xfe\n"), "{:?}", fixed.bytes);
        assert!(fixed.bytes.windows(7).any(|bytes| bytes == b"ENV a=b"));
        assert!(fixed.bytes.contains(&0xff) && !fixed.bytes.contains(&b'?'));
    }

    #[test]
    fn hostile_files_are_mended_or_left() {
        for (text, is_mended) in [
            (format!("FROM a:1\n{}", "RUN apk add x && curl -k https://x.dev && wget x\n".repeat(600)), true),
            (format!("FROM a:1\n{}", "RUN apt-get update # x\nRUN yum install a\n".repeat(600)), true),
            (format!("FROM a:1\n{}", "ENV a b\nenv c d\nWORKDIR a/b/c/d\n".repeat(600)), true),
            (format!("FROM a:1\nENV {}\n", "A=$A B=$A ".repeat(4_000)), true),
            (format!("FROM a:1\nRUN {}true\n", "curl -k -k -k https://x.dev && ".repeat(600)), true),
            (format!("FROM debian:1\n{}", "RUN a | b\n".repeat(600)), true),
            // More of one kind than is reported: what comes to light behind a fix would look like something new.
            (format!("FROM debian:1\n{}", "RUN a | b\n".repeat(4_000)), false),
        ] {
            let fixed = fixed(text.as_bytes(), &ALL, None);
            eprintln!("{} bytes: {} mended, {} withheld", text.len(), fixed.applied.len(), fixed.withheld.len());
            assert_eq!(!fixed.applied.is_empty(), is_mended, "{:?}", text.get(..60));
        }
    }

    #[test]
    fn real_files_are_mended() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let settings = everything_on();
        for kinds in [&ALL[..1], &ALL[..]] {
            let start = Instant::now();
            let mut applied = BTreeMap::<String, usize>::new();
            let mut withheld = BTreeMap::<String, usize>::new();
            let (mut changed, mut wrong) = (0, Vec::new());
            let mut listing = String::new();
            for (file, bytes) in &files {
                let once = fixed(bytes, kinds, None);
                for fix in &once.applied {
                    *applied.entry(fix.id.clone()).or_default() += 1;
                }
                for fix in &once.withheld {
                    *withheld
                        .entry(format!("{}: {}", fix.fix.id, fix.reason.trim_end_matches(|c: char| c.is_ascii_digit())))
                        .or_default() += 1;
                    listing.push_str(&format!("{file}:{} {} {}\n", fix.fix.line, fix.fix.id, fix.reason));
                }
                if once.bytes == *bytes {
                    continue;
                }
                changed += 1;
                if fixed(&once.bytes, kinds, None).bytes != once.bytes {
                    wrong.push(format!("{file}: a second run changes something"));
                }
                let bases = bases(bytes, &settings);
                let count = |bytes: &[u8]| {
                    let report = lint(&LintInput { settings: &settings, bases: &bases, ..LintInput::new("Dockerfile", bytes) });
                    let mut count = BTreeMap::<String, usize>::new();
                    for finding in report.findings {
                        *count.entry(finding.id).or_default() += 1;
                    }
                    (count, report.gaps.len(), report.summary.instructions.len())
                };
                let (before, after) = (count(bytes), count(&once.bytes));
                let grew = after.0.iter().find(|(id, count)| **count > before.0.get(*id).copied().unwrap_or_default());
                if let Some((id, _)) = grew {
                    wrong.push(format!("{file}: more of {id}"));
                }
                if after.1 > before.1 || (kinds.len() == 1 && after.2 != before.2) {
                    wrong.push(format!("{file}: read otherwise"));
                }
            }
            eprintln!(
                "{kinds:?}: {changed} of {} files in {:?}\nmended {applied:#?}\nwithheld {withheld:#?}",
                files.len(),
                start.elapsed()
            );
            if let Some(path) = std::env::var_os("PLIMSOLL_LISTING") {
                fs::write(path, listing).expect("the listing");
            }
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
    }
}
