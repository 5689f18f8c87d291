"""Amazon ECR's door in front of a registry that has none, for tests/real/registries.sh.

    ecr_door.py PORT-FILE UPSTREAM HOST CERTIFICATE KEY AUTHORIZATION

Listens on a free port of 127.0.0.1, written to PORT-FILE, as an HTTP proxy that leads to one place alone: `CONNECT HOST:443`. Behind that it
speaks TLS with CERTIFICATE and KEY, answers requests under /v2/ as ECR does (401 with a Basic challenge unless `Authorization: Basic
AUTHORIZATION` is there), and passes the others on to http://UPSTREAM under the name HOST. Every request is logged on standard error:
method, path, and `anonymous`, `refused` or `known`. Ends with the process that started it.
"""

import http.client
import http.server
import os
import ssl
import sys
import threading
import time

PORT_FILE, UPSTREAM, HOST, CERTIFICATE, KEY, AUTHORIZATION = sys.argv[1:]
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERTIFICATE, KEY)


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    is_inside = False

    def do_CONNECT(self):
        if self.path != f"{HOST}:443":
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = CONTEXT.wrap_socket(self.connection, server_side=True)
        except (OSError, ssl.SSLError):
            # Whoever does not trust the certificate hangs up.
            self.close_connection = True
            return
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.is_inside, self.close_connection = True, False

    def do_GET(self):
        shown = self.headers.get("Authorization")
        known = self.is_inside and shown == f"Basic {AUTHORIZATION}"
        print(self.command, self.path, "known" if known else "refused" if shown else "anonymous", file=sys.stderr, flush=True)
        if not known:
            body = b"Not Authorized\n"
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        upstream = http.client.HTTPConnection(UPSTREAM, timeout=30)
        headers = {name: self.headers[name] for name in ("Accept", "Range") if name in self.headers}
        upstream.request(self.command, self.path, headers={**headers, "Host": HOST})
        answer = upstream.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name in ("Content-Type", "Docker-Content-Digest", "Content-Range", "Link"):
            if answer.getheader(name):
                self.send_header(name, answer.getheader(name))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        upstream.close()

    def log_message(self, *_):
        pass


def leave_with_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
server.daemon_threads = True
threading.Thread(target=leave_with_parent, args=(os.getppid(),), daemon=True).start()
with open(PORT_FILE + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
