"""The same work as bench_client's, by aioftp.  aioftp_client.py CASE PORT [N]  - prints "RATE CPU"."""
import asyncio
import resource
import sys
import time

import aioftp

case, port = sys.argv[1], int(sys.argv[2])


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


async def lines(c):
    n = 0
    async with c.download_stream("/lines") as s:
        async for line in s.iter_by_line():
            n += len(line)
    return n / 1e6


async def blocks(c):
    n = 0
    async with c.download_stream("/lines") as s:
        async for block in s.iter_by_block(256 * 1024):
            n += len(block)
    return n / 1e6


async def list_by(c, command):
    n = 0
    for _ in range(2):
        async for _ in c.list("/many", raw_command=command):
            n += 1
    return n


async def stat(c, n=2000):
    for i in range(n):
        await c.stat(f"/many/file {i:05}.txt")
    return n


async def small(c, n=1000):
    for i in range(n):
        async with c.download_stream(f"/many/file {i:05}.txt") as s:
            while await s.read(256 * 1024):
                pass
    return n


async def main():
    work = {"lines": lines, "blocks": blocks, "stat": stat, "small": small,
            "list": lambda c: list_by(c, "MLSD"), "list-plain": lambda c: list_by(c, "LIST")}[case]
    async with aioftp.Client.context("127.0.0.1", port, "ftpuser", "secret") as c:
        begun, used = time.perf_counter(), cpu()
        done = await work(c)
        print(f"{done / (time.perf_counter() - begun):.1f} {done / (cpu() - used):.1f}")


asyncio.run(main())
