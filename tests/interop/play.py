"""play.py PORT - what a server answers where servers differ, one line for each dialogue.

The account is ftpuser, password secret; the folder is the one that play_lib.sh makes. Texts are left out, and 125 is as good
as 150: what is compared is codes, names, bytes and how connections end.
"""
import concurrent.futures
import itertools
import re
import select
import socket
import sys
import time

PORT = int(sys.argv[1])
PATIENCE = 100  # for what must come
SILENCE = 6  # after which nothing comes
uploads = itertools.count()


class Client:
    def __init__(self, login=True):
        self.control = socket.create_connection(("127.0.0.1", PORT), PATIENCE)
        self.buf = b""
        self.reply()
        if login:
            for line in ("USER ftpuser", "PASS secret", "TYPE I"):
                self.say(line)

    def line(self, patience):
        while b"\n" not in self.buf:
            if not select.select([self.control], [], [], patience)[0]:
                return "silence"
            try:
                data = self.control.recv(65536)
            except ConnectionResetError:
                return "reset"
            if not data:
                return "closed"
            self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        return line.decode("latin1").rstrip("\r")

    def reply(self, patience=PATIENCE):
        self.text = line = self.line(patience)
        code = line[:3]
        while line[3:4] == "-" or (code.isdigit() and not line.startswith(code + " ") and line not in ("closed", "reset")):
            line = self.line(PATIENCE)
            self.text += "\n" + line
        return "150" if code == "125" else code if code.isdigit() else line

    def send(self, *lines):
        self.control.sendall("".join(line + "\r\n" for line in lines).encode("latin1"))

    def say(self, line):
        self.send(line)
        return self.reply()

    def replies(self):
        """What comes until it is silent."""
        got = []
        while not got or got[-1] not in ("closed", "reset"):
            reply = self.reply(SILENCE)
            if reply == "silence":
                break
            got.append(reply)
        return got

    def epsv(self):
        assert self.say("EPSV") == "229", self.text
        self.port = int(re.search(r"\|\|\|(\d+)\|", self.text).group(1))
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)


def drain(data):
    got = b""
    try:
        while True:
            block = data.recv(1 << 20)
            if not block:
                return got
            got += block
    except ConnectionResetError:
        return got


def how_it_ends(data):
    data.settimeout(SILENCE)
    try:
        return "data" if data.recv(1) else "closed"
    except socket.timeout:
        return "open"
    except ConnectionResetError:
        return "reset"


def get(c, command):
    data = c.epsv()
    code = c.say(command)
    if code != "150":
        return code
    got = drain(data)
    data.close()
    return len(got), c.reply()


def listing(c, command):
    data = c.epsv()
    code = c.say(command)
    if code != "150":
        return code
    lines = drain(data).decode("latin1").split("\r\n")
    data.close()
    return sorted(re.sub(r".* ", "", line) for line in lines if line), c.reply()


def in_upload(*lines):
    """Commands while an upload moves; then its end."""
    c = Client()
    data = c.epsv()
    c.send("STOR up%d" % next(uploads))
    c.reply()
    data.sendall(b"x" * 1000)
    c.send(*lines)
    early = c.replies()
    data.close()
    return early, c.replies(), Client().say("PWD")


def second_epsv():
    c = Client()
    old = c.epsv()
    port = c.port
    time.sleep(2)  # it has been accepted
    data = c.epsv()
    ends = how_it_ends(old)
    code = c.say("RETR small")
    return ends, port == c.port, code, len(drain(data)), data.close(), c.reply()


def early_close():
    c = Client()
    data = c.epsv()
    code = c.say("RETR big")
    data.recv(1000)
    data.close()
    got = c.replies()
    return code, got, "" if "closed" in got else c.say("PWD")


def abor(command):
    c = Client()
    data = c.epsv()
    c.say(command)
    if command.startswith("STOR"):
        data.sendall(b"x" * 1000)
    c.send("ABOR")
    early = c.replies()
    size = len(drain(data)) if command.startswith("RETR") else 0
    data.close()
    return early, "all" if size == BIG else "part", c.replies(), c.say("PWD")


def armed_after_550():
    c = Client()
    data = c.epsv()
    code = c.say("RETR none")
    ends = how_it_ends(data)
    if ends != "open":
        return code, ends
    return code, ends, c.say("RETR small"), len(drain(data)), data.close(), c.reply()


def rest(offset):
    c = Client()
    c.say("REST %d" % offset)
    return get(c, "RETR small")


def kept_open():
    c = Client()
    data = c.epsv()
    c.say("RETR small")
    drain(data)
    waits = not c.buf and not select.select([c.control], [], [], SILENCE)[0]
    data.close()
    return waits, c.reply()


def cwd_list(name):
    c = Client()
    code = c.say("CWD " + name)
    return code, listing(c, "LIST -a") if code == "250" else ""


def store_early():
    c = Client()
    data = c.epsv()
    data.sendall(b"hello")
    data.shutdown(socket.SHUT_WR)
    return c.say("STOR early"), c.reply()


def ascii_size():
    c = Client()
    c.say("TYPE A")
    return c.say("SIZE small")


BIG = 32 << 20
DIALOGUES = [
    ("second EPSV", second_epsv),
    ("SIZE in an upload", lambda: in_upload("SIZE small")),
    ("EPSV in an upload", lambda: in_upload("EPSV")),
    ("RNFR in an upload", lambda: in_upload("RNFR small")),
    ("PWD in an upload", lambda: in_upload("PWD")),
    ("download closed early", early_close),
    ("ABOR of a download", lambda: abor("RETR big")),
    ("ABOR of an upload", lambda: abor("STOR up%d" % next(uploads))),
    ("ABOR of nothing", lambda: Client().say("ABOR")),
    ("armed after a 550", armed_after_550),
    ("REST past the end", lambda: rest(6)),
    ("REST to the end", lambda: rest(5)),
    ("data connection kept open", kept_open),
    ("upload before its 150", store_early),
    ("SIZE in ASCII", ascii_size),
    ("RNTO first", lambda: Client().say("RNTO x")),
    ("before login", lambda: (Client(False).say("PWD"), Client(False).say("NONE"))),
    ("unknown", lambda: Client().say("NONE")),
    ("many, LIST", lambda: get(Client(), "LIST many")[1]),
]
LISTINGS = [
    "MLSD dir", "MLSD d[1]", "MLSD small", "MLSD none", "LIST d[1]", "LIST d?1]", "LIST two words", "LIST -a dir", "LIST -a",
    "LIST {x}", "LIST back\\slash", "LIST none", "LIST small", "NLST dir",
]
LACKS = ["FEAT", "NOOP", "HELP", "STAT", "MDTM small", "MDTM dir", "MDTM 20200101000000 small", "MFMT 20200101000000 small",
         "MLST small", "RANG 0 1", "HASH small", "AVBL", "SITE CHMOD 644 small", "STRU F", "REST 0", "PASV", "EPSV 1"]


def all_at_once(dialogues):
    """Most of them wait for nothing to come."""
    with concurrent.futures.ThreadPoolExecutor(len(dialogues)) as pool:
        for name, answer in [(name, pool.submit(dialogue)) for name, dialogue in dialogues]:
            print("%s: %s" % (name, answer.result()))


all_at_once(DIALOGUES)
for n in range(next(uploads)):
    Client().say("DELE up%d" % n)
for command in LISTINGS:
    print("%s: %s" % (command, listing(Client(), command)))
for name in ("d[1]", "two words", "back\\slash", "-dash"):
    print("CWD %s, LIST -a: %s" % (name, cwd_list(name)))
for command in LACKS:
    print("%s: %s" % (command, Client().say(command)))
