"""dropper.py SERVER_PORT SEED EVERY - an FTP relay whose connections break.

Listens on a free port of 127.0.0.1, which it prints, and passes sessions on to SERVER_PORT, with their passive data
connections. About one data connection in EVERY is reset in the middle, by itself or with its session, and so is one
session in EVERY after some replies. The same seed breaks the same ones, if all comes in the same order."""
import asyncio
import random
import re
import socket
import struct
import sys

SERVER, SEED, EVERY = (int(a) for a in sys.argv[1:4])
HOST = "127.0.0.1"
chance = random.Random(SEED)


def reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class Session:
    def __init__(self, reader, writer):
        self.client = (reader, writer)
        self.writers = [writer]
        self.replies = chance.randrange(10, 200) if chance.randrange(EVERY) == 0 else -1

    def end(self):
        for w in self.writers:
            reset(w)

    async def pump(self, reader, writer, budget):
        """Until the end, or until the budget is used up: then False."""
        while True:
            piece = await reader.read(65536)
            if not piece:
                if writer.can_write_eof():
                    writer.write_eof()
                return True
            if budget is not None:
                piece = piece[: budget[0]]
                budget[0] -= len(piece)
            writer.write(piece)
            await writer.drain()
            if budget is not None and budget[0] == 0:
                return False

    async def data(self, port, reader, writer):
        try:
            server = await asyncio.open_connection(HOST, port)
        except OSError:
            reset(writer)
            return
        self.writers += [writer, server[1]]
        budget = [chance.randrange(1, 400000)] if chance.randrange(EVERY) == 0 else None
        both = chance.randrange(2) == 0
        pumps = [self.pump(reader, server[1], budget), self.pump(server[0], writer, budget)]
        pumps = [asyncio.ensure_future(p) for p in pumps]
        whole = True
        for done in asyncio.as_completed(pumps):
            try:
                whole = await done
            except OSError:
                whole = False
            if not whole:
                break
        for p in pumps:
            p.cancel()
        if whole:
            writer.close()
            server[1].close()
        else:
            reset(writer)
            reset(server[1])
            if both:
                self.end()

    async def passive(self, port):
        async def once(reader, writer):
            listener.close()
            await self.data(port, reader, writer)

        listener = await asyncio.start_server(once, HOST, 0)
        return listener.sockets[0].getsockname()[1]

    async def replies_of(self, reader, writer):
        while line := await reader.readline():
            m = re.match(rb"229 .*\(\|\|\|(\d+)\|\)", line)
            if m:
                port = await self.passive(int(m.group(1)))
                line = b"229 Entering Extended Passive Mode (|||%d|)\r\n" % port
            writer.write(line)
            await writer.drain()
            self.replies -= 1
            if self.replies == 0:
                return

    async def run(self):
        try:
            server = await asyncio.open_connection(HOST, SERVER)
            self.writers.append(server[1])
            up = asyncio.ensure_future(self.pump(self.client[0], server[1], None))
            down = asyncio.ensure_future(self.replies_of(server[0], self.client[1]))
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        except OSError:
            pass
        self.end()


async def main():
    listener = await asyncio.start_server(lambda r, w: Session(r, w).run(), HOST, 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


asyncio.run(main())
