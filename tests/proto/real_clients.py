"""What Python's own client and aioftp do with a server.  real_clients.py ftplib|aioftp plain|explicit|implicit PORT CA FOLDER
(aioftp: plain, implicit)

FOLDER holds what the server was loaded with.  Exits 0 when every answer was right."""
import asyncio
import ftplib
import io
import os
import pathlib
import ssl
import sys
import tempfile

kind, mode, port, ca, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]


def want(condition, what):
    if not condition:
        sys.exit(f"{kind} {mode}: {what}")


def context():
    c = ssl.create_default_context(cafile=ca)
    c.check_hostname = True
    return c


def local(name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


# --- ftplib ---------------------------------------------------------------------------------------


class Resuming(ftplib.FTP_TLS):
    """Data connections resume the session of the control connection."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size


class Implicit(Resuming):
    """ftplib has no implicit TLS: the socket is wrapped as soon as it is there."""

    @property
    def sock(self):
        return self._sock

    @sock.setter
    def sock(self, value):
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname="127.0.0.1")
        self._sock = value


def with_ftplib():
    if mode == "plain":
        f = ftplib.FTP(timeout=60)
    else:
        f = (Implicit if mode == "implicit" else Resuming)(context=context(), timeout=60)
    f.encoding = "utf-8"
    f.connect("127.0.0.1", port)
    f.login("joe", "secret")
    if mode != "plain":
        f.prot_p()
    names = f.nlst("/")
    want({"big", "empty", "sub"} <= {n.strip("/") for n in names}, f"nlst: {names}")
    facts = dict(f.mlsd("/"))
    want(facts["big"]["size"] == str(len(local("big"))), f"mlsd: {facts}")
    want(f.size("/big") == len(local("big")), "size")
    got = io.BytesIO()
    f.retrbinary("RETR /big", got.write)
    want(got.getvalue() == local("big"), "retr")
    got = io.BytesIO()
    f.retrbinary("RETR /big", got.write, rest=100001)
    want(got.getvalue() == local("big")[100001:], "retr with rest")
    f.storbinary("STOR /up", io.BytesIO(local("big")))
    f.storbinary("APPE /up", io.BytesIO(b"tail"))
    f.storbinary("STOR /up", io.BytesIO(b"0123"), rest=10)
    got = io.BytesIO()
    f.retrbinary("RETR /up", got.write)
    whole = local("big") + b"tail"
    want(got.getvalue() == whole[:10] + b"0123" + whole[14:], "stor, appe, stor with rest")
    lines = []
    f.retrlines("LIST /sub", lines.append)
    want(any("two words" in x for x in lines), f"list: {lines}")
    f.mkd("/one \"two\"")
    f.rename("/up", "/one \"two\"/\u00fcber")
    want("\u00fcber" in [n.rsplit("/", 1)[-1] for n in f.nlst("/one \"two\"")], "rename")
    f.cwd("/one \"two\"")
    want(f.pwd() == "/one \"two\"", "pwd")
    f.delete("\u00fcber")
    f.cwd("..")
    f.rmd("one \"two\"")
    try:
        f.retrbinary("RETR /missing", lambda b: None)
        want(False, "missing")
    except ftplib.error_perm as e:
        want(str(e).startswith("550"), f"missing: {e}")
    # An abort in the middle, and the session goes on.
    s = f.transfercmd("RETR /huge")
    s.recv(1000)
    f.abort()
    s.close()
    try:
        f.voidresp()
    except ftplib.all_errors:
        pass
    want(f.quit().startswith("221"), "quit")


# --- aioftp ---------------------------------------------------------------------------------------


async def with_aioftp():
    import aioftp

    c = aioftp.Client(ssl=context() if mode == "implicit" else None, socket_timeout=60)
    await c.connect("127.0.0.1", port)
    await c.login("joe", "secret")
    names = {str(p): i for p, i in await c.list("/", recursive=True)}
    want(names["/big"]["size"] == str(len(local("big"))), f"list: {names}")
    want("/sub/two words" in names and names["/sub"]["type"] == "dir", f"list: {names}")
    want((await c.stat("/sub"))["type"] == "dir" and not await c.exists("/missing"), "stat")
    with tempfile.TemporaryDirectory() as d:
        for name in ("big", "empty", "sub"):
            await c.download("/" + name, d)
        for name in ("big", "empty", "sub/two words", "sub/deep/leaf"):
            want(pathlib.Path(d, name).read_bytes() == local(name), f"download: {name}")
        await c.upload(pathlib.Path(d, "sub"), "/copy", write_into=True)
        await c.upload(pathlib.Path(d, "big"), "/big copy", write_into=True)
    async with c.download_stream("/big copy", offset=7) as s:
        want(await s.read(-1) == local("big")[7:], "download from an offset")
    async with c.append_stream("/big copy") as s:
        await s.write(b"tail")
    want((await c.stat("/big copy"))["size"] == str(len(local("big")) + 4), "append")
    s = await c.download_stream("/huge")
    await s.read(1000)
    await c.abort()
    s.close()
    await c.make_directory("/a/b/c")
    await c.rename("/big copy", "/a/b/c/moved")
    want(await c.is_file("/a/b/c/moved"), "rename")
    await c.change_directory("/a/b")
    want(str(await c.get_current_directory()) == "/a/b", "pwd")
    await c.change_directory("/")
    await c.remove("/a")
    await c.remove("/copy")
    want(not await c.exists("/a"), "remove")
    await c.quit()


if kind == "ftplib":
    with_ftplib()
else:
    asyncio.run(asyncio.wait_for(with_aioftp(), 90))
