"""proxy.py socks5|http [USER:PASSWORD] - a proxy on 127.0.0.1 that goes wherever it is asked to.

Prints its port, then "HOST PORT" for each request that it has granted.
"""
import base64
import socket
import socketserver
import sys
import threading

kind, login = sys.argv[1], (sys.argv[2:] + [None])[0]


def exactly(conn, n):
    data = b""
    while len(data) < n:
        got = conn.recv(n - len(data))
        if not got:
            raise OSError("ended")
        data += got
    return data


def pump(source, target):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()


class Client(socketserver.BaseRequestHandler):
    def ask_socks5(self):
        _, n = exactly(self.request, 2)
        offered = exactly(self.request, n)
        method = 2 if login else 0
        if method not in offered:
            self.request.sendall(b"\5\xff")
            return None
        self.request.sendall(bytes([5, method]))
        if login:
            user = exactly(self.request, exactly(self.request, 2)[1])
            password = exactly(self.request, exactly(self.request, 1)[0])
            good = (user + b":" + password).decode() == login
            self.request.sendall(b"\1\0" if good else b"\1\1")
            if not good:
                return None
        _, _, _, kind_of_address = exactly(self.request, 4)
        if kind_of_address == 1:
            host = socket.inet_ntop(socket.AF_INET, exactly(self.request, 4))
        elif kind_of_address == 4:
            host = socket.inet_ntop(socket.AF_INET6, exactly(self.request, 16))
        else:
            host = exactly(self.request, exactly(self.request, 1)[0]).decode()
        return host, int.from_bytes(exactly(self.request, 2), "big")

    def ask_http(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += exactly(self.request, 1)
        lines = head.decode().split("\r\n")
        if login:
            wanted = "proxy-authorization: basic " + base64.b64encode(login.encode()).decode()
            if wanted.lower() not in (line.lower() for line in lines):
                self.request.sendall(b"HTTP/1.1 407 who are you\r\nContent-Length: 0\r\n\r\n")
                return None
        host, _, port = lines[0].split(" ")[1].rpartition(":")
        return host.strip("[]"), int(port)

    def handle(self):
        try:
            target = self.ask_socks5() if kind == "socks5" else self.ask_http()
            if not target:
                return
            there = socket.create_connection(target)
            print(*target, flush=True)
            self.request.sendall(b"\5\0\0\1\0\0\0\0\0\0" if kind == "socks5" else b"HTTP/1.1 200 go on\r\n\r\n")
        except OSError:
            return
        back = threading.Thread(target=pump, args=(there, self.request), daemon=True)
        back.start()
        pump(self.request, there)
        back.join()


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Proxy(("127.0.0.1", 0), Client) as proxy:
    print(proxy.server_address[1], flush=True)
    proxy.serve_forever()
