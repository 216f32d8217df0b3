"""tls_site.py CERT [MODE...] - a small FTP site with TLS for tests of what a server can do wrong.

CERT has a certificate and its key. Prints its port; any login is good; there is one file, /file, of 300000 bytes.

  implicit     TLS from the first byte on
  no-auth      AUTH is unknown
  inject       a reply in the clear stands right behind the 234
  no-prot      PROT is refused
  client=CA    clients must show a certificate that CA has signed
  cut-files=N  the first N downloads end in the middle, with a plain FIN and 226
  cut-lists=N  so do the first N listings
  no-size      SIZE is unknown, and 150 tells no size
  max=1.2      no higher version of TLS
"""
import socket
import socketserver
import ssl
import sys
import threading

BODY = bytes(i * 7 % 251 for i in range(300000))
modes = dict((m.split("=") + [""])[:2] for m in sys.argv[2:])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
if "client" in modes:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(modes["client"])
if "max" in modes:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
lock = threading.Lock()
cuts = {"files": int(modes.get("cut-files", 0)), "lists": int(modes.get("cut-lists", 0))}


def cut_is_due(kind):
    with lock:
        cuts[kind] -= 1
        return cuts[kind] >= 0


class Session(socketserver.BaseRequestHandler):
    def say(self, text):
        self.request.sendall((text + "\r\n").encode())

    def line(self):
        text = b""
        while not text.endswith(b"\n"):
            c = self.request.recv(1)
            if not c:
                return None
            text += c
        return text.decode("latin-1").strip()

    def secure(self):
        self.request = context.wrap_socket(self.request, server_side=True)

    def send(self, kind, data):
        raw, _ = self.listener.accept()
        self.say("150 here" if "no-size" in modes or kind == "lists" else "150 here (%d bytes)" % len(data))
        conn = context.wrap_socket(raw, server_side=True)
        if cut_is_due(kind):
            conn.sendall(data[: len(data) // 2])
        else:
            conn.sendall(data)
            try:
                conn = conn.unwrap()
            except (OSError, ssl.SSLError):
                pass
        conn.close()
        self.say("226 done")

    def setup(self):
        self.offset = 0
        self.listener = None

    def handle(self):
        try:
            self.talk()
        except (OSError, ssl.SSLError):
            pass

    def talk(self):
        if "implicit" in modes:
            self.secure()
        self.say("220 ready")
        while True:
            line = self.line()
            if line is None:
                return
            verb, _, argument = line.partition(" ")
            getattr(self, "do_" + verb.upper(), self.unknown)(argument)

    def unknown(self, _):
        self.say("502 unknown")

    def do_AUTH(self, _):
        if "no-auth" in modes:
            self.unknown(_)
        elif "inject" in modes:
            self.say("234 go on\r\n230 you are in")
        else:
            self.say("234 go on")
            self.secure()

    def do_USER(self, _):
        self.say("331 password")

    def do_PASS(self, _):
        self.say("230 welcome")

    def do_PBSZ(self, _):
        self.say("200 PBSZ=0")

    def do_PROT(self, _):
        self.say("536 no" if "no-prot" in modes else "200 private")

    def do_TYPE(self, _):
        self.say("200 binary")

    def do_PWD(self, _):
        self.say('257 "/"')

    def do_CWD(self, path):
        self.say("250 here" if path in ("/", ".") else "550 No such file or directory")

    def do_SIZE(self, path):
        if "no-size" in modes:
            self.unknown(path)
        else:
            self.say("213 %d" % len(BODY) if path == "/file" else "550 No such file or directory")

    def do_EPSV(self, _):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.say("229 here (|||%d|)" % self.listener.getsockname()[1])

    def do_LIST(self, _):
        row = "-rw-r--r-- 1 u g %d Jan  1  2020 %s\r\n"
        rows = ["drwxr-xr-x 1 u g 0 Jan  1  2020 .\r\n"] + [row % (1, "n%03d" % i) for i in range(50)]
        self.send("lists", "".join(rows + [row % (len(BODY), "file")]).encode())

    def do_REST(self, offset):
        self.offset = int(offset)
        self.say("350 from there")

    def do_RETR(self, path):
        data, self.offset = BODY[self.offset :], 0
        if path == "/file":
            self.send("files", data)
        else:
            self.say("550 No such file or directory")

    def do_QUIT(self, _):
        self.say("221 bye")


class Site(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


with Site(("127.0.0.1", 0), Session) as site:
    print(site.server_address[1], flush=True)
    site.serve_forever()
