#!/usr/bin/env python3
"""Writes one Dockerfile of a megabyte for each shape that could make a reader superlinear: dockerfile_shapes.py FOLDER [BYTES]

The name of a file is its shape. With BYTES the files are of that size instead, to compare times at n and 2n.
"""
import os
import sys

HEAD = "FROM alpine:3.22\n"


def fill(line, size, head=HEAD, tail=""):
    """A text of about `size` bytes: head, the line over and over with its number in it, tail."""
    out, length, number = [head], len(head) + len(tail), 0
    while length < size:
        text = line(number) if callable(line) else line
        out.append(text)
        length += len(text)
        number += 1
    out.append(tail)
    return "".join(out)


def lines_of(text, longest=60_000):
    """One RUN for each piece that fits into a physical line."""
    return "".join(f"RUN {text[at:at + longest]}\n" for at in range(0, len(text), longest))


def continued(word, size, head="RUN "):
    """One instruction over very many physical lines."""
    return fill(f"{word} \\\n", size, HEAD + head, "true\n")


def doubling(size):
    out = ["ARG A0=xxxxxxxx"]
    for number in range(size // 24):
        out.append(f"ARG A{number + 1}=$A{number}$A{number}")
    return "\n".join(out) + "\nFROM $A5\n"


def doubling_env(size):
    out = [HEAD + "ENV A0=xxxxxxxx"]
    for number in range(size // 24):
        out.append(f"ENV A{number + 1}=$A{number}$A{number}")
    return "\n".join(out) + "\n"


def chained_stages(size):
    return fill(lambda n: f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n // 2} /a /b\n" if n else "FROM alpine:3.22 AS s0\n", size, "")


SHAPES = {
    "line-65535": lambda n: HEAD + "RUN " + "x" * 65_531 + "\n",
    "lines-65535": lambda n: fill("RUN " + "x" * 65_530 + "\n", n),
    "line-too-long": lambda n: HEAD + "RUN " + "a b " * (n // 4) + "\n",
    "instructions": lambda n: fill(lambda i: f"RUN echo {i}\n", n),
    "instructions-10000": lambda n: fill("RUN apt-get update && apt-get install -y curl && curl -k https://x.dev/a | sh\n", n),
    "env-instructions": lambda n: fill(lambda i: f"ENV A{i}=$A{i - 1}b\n", n),
    "env-same": lambda n: fill("ENV A=$A:/b\n", n),
    "arg-instructions": lambda n: fill(lambda i: f"ARG A{i}=b\n", n),
    "env-path": lambda n: fill("ENV PATH=/opt/bin:$PATH\n", n),
    "secrets": lambda n: fill(lambda i: f"ENV API_TOKEN_{i}=kz7Rw4qv{i}Hx\n", n),
    "secrets-words": lambda n: fill("curl -k a && \\\n", n, HEAD + "ENV K0_PASSWORD=root K1_PASSWORD=server K2_PASSWORD=curl K3_PASSWORD=8080\nRUN ", "true\n"),
    "secrets-words-lines": lambda n: fill("root \\\n", n, HEAD + "ENV A_PASSWORD=root\nENV a b\nRUN ", "true\n"),
    "secrets-run": lambda n: fill(lambda i: f"RUN export DB_PASSWORD{i}=kz7Rw4qv{i}Hx\n", n),
    "masks": lambda n: fill("docker twine -p 0 ", n, HEAD + "CMD "),
    "tokens": lambda n: fill(lambda i: f"RUN curl -H 'Authorization: Bearer kz7Rw4qvHx{i}' https://u:kz7Rw4qv{i}@x.dev/a\n", n),
    "stages": lambda n: fill(lambda i: f"FROM alpine:3.22 AS s{i}\nRUN true\n", n, ""),
    "stages-1000": lambda n: fill(lambda i: f"FROM alpine:3.22 AS s{i}\n" + "RUN true\n" * 100, n, ""),
    "stages-same-name": lambda n: fill("FROM alpine:3.22 AS s\n", n, ""),
    "stages-chained": chained_stages,
    "stages-unnamed": lambda n: fill(lambda i: f"FROM alpine:3.22\nCOPY --from={i} /a /b\n", n),
    "stages-users": lambda n: fill(lambda i: f"FROM s{i - 1} AS s{i}\nUSER a\nWORKDIR b\nCMD c\n" if i else "FROM alpine:3.22 AS s0\n", n, ""),
    "stages-env": lambda n: fill(lambda i: f"FROM s{i - 1} AS s{i}\nENV A{i}=b\nRUN a | b\n" if i else "FROM alpine:3.22 AS s0\n" + "".join(f"ENV B{k}=b\n" for k in range(9_000)), n, ""),
    "stages-shell": lambda n: fill(lambda i: f"FROM s{i - 1} AS s{i}\nRUN a | b\nRUN pip install a\nCOPY a b\n" if i else 'FROM alpine:3.22 AS s0\nSHELL ["sh", "-c"]\nENV PIP_NO_CACHE_DIR=0\nWORKDIR /a\n', n, ""),
    "stages-wide": lambda n: fill(lambda i: f"FROM s{i - 1} AS s{i}\n" if i else "FROM alpine:3.22 AS s0\nENV A=b\n", 36_000, "", "RUN a | b\nENV A=$A\n" * (n // 20)),
    "workdirs": lambda n: fill("WORKDIR a\n", n),
    "users": lambda n: fill("USER root\n", n),
    "shells": lambda n: fill('SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b\n', n),
    "nested-substitution": lambda n: HEAD + lines_of("echo " + "$(echo " * 8_000 + ")" * 8_000) + continued("$(echo", n // 8),
    "nested-substitution-long": lambda n: continued("$(echo", n),
    "nested-closed": lambda n: HEAD + "RUN echo " + "$(echo \\\n" * (n // 12) + ")" * (n // 12) + "\n",
    "nested-backticks": lambda n: continued("`echo", n),
    "nested-parentheses": lambda n: continued("(", n),
    "nested-braces": lambda n: HEAD + "ENV A=" + "${A:-" * 10_000 + "x" + "}" * 10_000 + "\n",
    "nested-braces-many": lambda n: fill("ENV A=" + "${A:-" * 200 + "x" + "}" * 200 + "\n", n),
    "nested-ifs": lambda n: continued("if true; then", n),
    "nested-shells": lambda n: HEAD + lines_of("sh -c \"" * 8_000),
    "env-pairs": lambda n: fill(lambda i: f"A{i}=b ", min(n, 65_000), HEAD + "ENV ", "\n"),
    "env-pairs-100000": lambda n: fill(lambda i: f"A{i}=b \\\n", n, HEAD + "ENV ", "Z=z\n"),
    "label-pairs": lambda n: fill(lambda i: f"a.b{i}=\"c d\" \\\n", n, HEAD + "LABEL ", "z=z\n"),
    "arg-doubling": doubling,
    "env-doubling": doubling_env,
    "env-copies": lambda n: doubling_env(600) + fill(lambda i: f"ENV B{i}=$A18$A18\n", n, ""),
    "env-used": lambda n: HEAD + f"ENV A={'a' * 60_000}\n" + fill("RUN echo $A $A | sh\n", n, ""),
    "env-replaced": lambda n: HEAD + f"ENV A={'a' * 60_000}\n" + fill("ENV B=${A//a/$A}\n", n, ""),
    "locals-doubling": lambda n: HEAD + fill(lambda i: f"A{i + 1}=$A{i}$A{i}; ", 60_000, "RUN A0=xxxx; ", "\n") * 16,
    "locals-used": lambda n: HEAD + f"RUN A={'a' * 50_000}; \\\n" + fill("echo $A $A; \\\n", n, "", "true\n"),
    "group-heredoc": lambda n: HEAD + "RUN <<E\n{\n" + "cat\n" * 40_000 + "} <<F\n" + "a" * (n // 3) + "\nF\nE\n",
    "group-redirects": lambda n: HEAD + "RUN curl -O http://x/f; { \\\n" + "md5sum f; \\\n" * (n // 24) + "}" + " >a" * 1_000 + "\n",
    "group-redirects-many": lambda n: fill("RUN curl -O http://x/f; { " + "md5sum f>b; " * 400 + "}" + " <a" * 200 + "\n", n),
    "checks-in-groups": lambda n: fill("RUN curl -O http://x/f; " + "{ " * 20 + "md5sum f>a; " * 500 + "} | cat>b; " * 20 + "\n", n),
    "nested-12": lambda n: fill("RUN " + "a $(" * 12 + "b" + ")" * 12 + "\n", n),
    "nested-cases": lambda n: fill("RUN " + "case a in b) x; " * 3 + "y" + "; esac" * 3 + "\n", n),
    "nested-cases-12": lambda n: fill("RUN " + "case a in b) x; " * 12 + "y" + "; esac" * 12 + "\n", n),
    "open-brackets": lambda n: fill("RUN " + "(" * 24 + "\n", n),
    "open-brackets-8": lambda n: fill("RUN " + "(" * 8 + "\n", n),
    "subscripts": lambda n: fill("RUN a ${a[0]} ${b[${c}]}\n", n),
    "nested-subscripts": lambda n: fill("RUN a " + "${a[" * 4 + "]}" * 4 + "\n", n),
    "nested-arithmetic": lambda n: fill("RUN a " + "$[<( b " * 6 + "c" + "]" * 6 + "\n", n),
    "open-expansions": lambda n: fill("RUN <<F\ncat <<E\n" + "${a##" * 7 + "\nE\nF\n", n),
    "nested-quotes-12": lambda n: fill('RUN ' + 'a "$(' * 12 + "b" + ')"' * 12 + "\n", n),
    "env-pattern": lambda n: HEAD + f"ENV A={'a' * 60_000}\n" + fill("ENV B=${A##*b} C=${A%%b*}\n", 10_000, ""),
    "json-array": lambda n: fill('"a", \\\n', n, HEAD + "RUN [", '"b"]\n'),
    "json-cmd": lambda n: fill('"a", \\\n', n, HEAD + "CMD [", '"b"]\n'),
    "json-broken": lambda n: fill('["a", \\\n', n, HEAD + "RUN ", "]\n"),
    "heredocs": lambda n: fill("RUN <<E\ntrue\nE\n", n),
    "heredoc-passwd": lambda n: fill(lambda i: f"u{i}:x:{i + 1}:0::/:\n", n, HEAD + "COPY <<E /etc/passwd\n", "E\n"),
    "heredoc-settings": lambda n: fill("a=b token password\n", n, HEAD + "COPY <<E /root/.netrc\n", "E\n"),
    "group-heredoc-passwd": lambda n: HEAD + "RUN <<E\n{\n" + "cat\n" * 40_000 + "} <<F >> /etc/passwd\n" + "a:x:1:1::/:\n" * (n // 36) + "F\nE\n",
    "heredocs-one-line": lambda n: HEAD + "RUN " + "".join(f"<<E{i} " for i in range(8_000)) + "\n" + fill(lambda i: f"E{i}\n", n // 4, ""),
    "heredocs-open": lambda n: fill("RUN <<E\ntrue\n", n),
    "heredoc-long": lambda n: fill("echo a >> /b && cat /b | sh\n", n, HEAD + "RUN <<E\n", "E\n"),
    "heredoc-copy": lambda n: fill(lambda i: f"COPY <<E /bin/x{i}\ntrue\nE\nRUN x{i}\n", n),
    "heredoc-written": lambda n: fill(lambda i: f"RUN echo true >> /x && sh /x\n", n),
    "comments": lambda n: fill("# a comment\n", n),
    "comments-inside": lambda n: fill("  # a comment\n", n, HEAD + "RUN true \\\n", "  && false\n"),
    "blank-inside": lambda n: fill("\n", n, HEAD + "RUN true \\\n", "  && false\n"),
    "blank-lines": lambda n: fill("\n", n),
    "continued": lambda n: continued("a", n),
    "continued-bare": lambda n: fill("\\\n", n, HEAD + "RUN true \\\n", "true\n"),
    "copy-from": lambda n: fill("COPY --from=alpine:3.22 /a /b\n", n),
    "copy-sources": lambda n: continued("a", n, "COPY "),
    "copy-relative": lambda n: fill("COPY . .\nCOPY a b\n", n),
    "long-words": lambda n: fill("RUN " + "a" * 60_000 + " " + "-k" * 2_000 + "\n", n),
    "long-word": lambda n: continued("a" * 1000, n).replace(" \\", "\\"),
    "pipes": lambda n: continued("a |", n),
    "pipes-echo": lambda n: continued("echo a | tee /b |", n),
    "pipes-group": lambda n: HEAD + "RUN { \\\n" + "echo a; \\\n" * (n // 16) + "} | tee -a /etc/passwd /root/.netrc\n",
    "pipes-shells": lambda n: continued("echo true | sh |", n),
    "and-chain": lambda n: continued("apt-get install -y curl &&", n),
    "and-chain-cd": lambda n: continued("cd /a && rm -rf /b &&", n),
    "semicolons": lambda n: continued("a=b; $a;", n),
    "assignments": lambda n: continued("A=b", n),
    "functions": lambda n: continued("f() { f; }; f;", n),
    "aliases": lambda n: continued("alias a=b; a;", n),
    "evals": lambda n: continued("eval 'eval true';", n),
    "options": lambda n: continued("-o a", n, "RUN curl "),
    "packages": lambda n: continued("curl", n, "RUN apt-get install -y "),
    "redirects": lambda n: continued(">a", n),
    "check-comments": lambda n: fill("# check=skip=all\nRUN true\n", n),
    "check-directives": lambda n: fill("# check=skip=all\n", n, "", HEAD),
    "check-names": lambda n: fill("JSONArgsRecommended,", 60_000, "# check=skip=", "x\n" + HEAD + "CMD a\n" * (n // 8)),
    "ignores": lambda n: fill("# plimsoll ignore=root-user,DL3008 reason=a\nRUN sudo apt-get install -y a\n", n),
    "ignores-file": lambda n: fill("# plimsoll ignore-file=root-user reason=a\nRUN sudo true\n", n),
    "ignores-stage": lambda n: fill("# hadolint stage ignore=DL3004\nFROM alpine\nRUN sudo true\n", n, ""),
    "ignores-hadolint": lambda n: fill("# hadolint ignore=DL3004\nRUN sudo true\n", n),
    "ignores-trivy": lambda n: fill("# trivy:ignore:DS-0002\nRUN sudo true\n", n),
    "ignores-stacked": lambda n: fill("# trivy:ignore:*\n", n, HEAD, "RUN sudo true\n"),
    "ignores-checkov": lambda n: fill("# checkov:skip=CKV_DOCKER_3:a\nRUN sudo true\n", n),
    "ignores-long": lambda n: fill("DL3004,", 60_000, HEAD + "# hadolint ignore=", "DL3008\n" + "RUN sudo true\n" * (n // 16)),
    "quotes-open": lambda n: fill("RUN echo 'a\n", n),
    "quotes-open-env": lambda n: fill("ENV A='a B=\"c\n", n),
    "quotes-open-long": lambda n: continued("'a\"", n),
    "escaped-quotes": lambda n: fill('ENV A="' + '\\"' * 20_000 + '"\n', n),
    "dollars": lambda n: continued("$a$b${c}", n),
    "dollars-env": lambda n: fill("ENV A=" + "$B" * 20_000 + "\n", n),
    "onbuild": lambda n: fill("ONBUILD RUN curl -k https://x.dev | sh\n", n),
    "onbuild-chain": lambda n: HEAD + fill("ONBUILD ", 60_000, "", "RUN true\n") + fill("ONBUILD ONBUILD RUN true\n", n, ""),
    "flags": lambda n: fill("--mount=type=cache,target=/a ", 60_000, HEAD + "RUN ", "true\n") + fill("RUN --mount=type=bind,from=a true\n", n, ""),
    "flags-same": lambda n: fill("--chown=a ", 60_000, HEAD + "COPY ", "a b\n"),
    "mounts": lambda n: fill("from=alpine,", 60_000, HEAD + "RUN --mount=", "target=/a true\n"),
    "title-long": lambda n: fill("RUN sudo " + "a" * 60_000 + "\nADD https://x.dev/" + "b" * 60_000 + " /\nWORKDIR " + "c" * 60_000 + "\n", n),
    "ignores-findings": lambda n: fill("# plimsoll ignore=sudo-in-run reason=a\nRUN sudo a\n", n // 2) + "RUN sudo a\n" * (n // 22),
    "expose": lambda n: continued("80-90/tcp", n, "EXPOSE "),
    "volumes": lambda n: fill("VOLUME /a /b /c\n", n),
    "unknown": lambda n: fill("FOO bar\n", n),
    "no-from": lambda n: fill("RUN sudo true\n", n, ""),
    "empty-words": lambda n: fill("RUN\n", n),
    "crlf": lambda n: fill("RUN echo a \\\r\n  b\r\n", n),
    "nul": lambda n: fill("RUN \0\0 a\n", n),
    "wide": lambda n: fill("RUN echo ééé äöü 漢字 && sudo true\n", n),
    "wide-line": lambda n: HEAD + "RUN " + "é; sudo true;" * 4_000 + "\n",
    "wide-findings": lambda n: HEAD + "RUN " + "sudo a;" * 9_000 + "\n",
    "urls": lambda n: continued("https://u:p@x.dev/a", n, "RUN curl "),
    "adds": lambda n: fill("ADD https://x.dev/a.tar.gz /a\n", n),
    "labels": lambda n: fill(lambda i: f"LABEL a{i}=b\n", n),
    "maintainers": lambda n: fill("MAINTAINER a\n", n),
    "froms-variable": lambda n: fill(lambda i: f"FROM $A{i}\n", n, "ARG A=b\n"),
    "platforms": lambda n: fill("FROM --platform=linux/amd64 alpine\n", n, ""),
    "cases": lambda n: fill("case a in a) b;; esac;", 60_000, HEAD + "RUN ", "\n") * 4,
    "tests": lambda n: continued("[ a = b ] &&", n),
    "arithmetic": lambda n: continued("echo $((", n),
    "brackets": lambda n: continued("[[ a ||", n),
    "private-keys": lambda n: fill("RUN echo '-----BEGIN RSA PRIVATE KEY-----'\n", n),
    "token-prefixes": lambda n: continued("ghp_AKIA", n),
    "base64": lambda n: fill("RUN echo " + "QUJD" * 15_000 + " | base64 -d | sh\n", n),
    "checks": lambda n: fill("sha256sum -c|", 500_000, HEAD + "RUN curl -O https://x.dev/a && ", "cat\n") * 2,
    "xargs": lambda n: continued("xargs", n),
    "sudos": lambda n: continued("sudo", n),
    "envs": lambda n: continued("env A=b", n),
}


def main(folder, size=1 << 20):
    os.makedirs(folder, exist_ok=True)
    for name, make in SHAPES.items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(make(size).encode()[: size + (64 << 10)])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
