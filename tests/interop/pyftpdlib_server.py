"""pyftpdlib_server.py PORT FOLDER [tls|ftps FILE] - serves FOLDER on 127.0.0.1:PORT to ftpuser, password secret.

With TLS (explicit and required, or implicit), FILE has the certificate and its key.
"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

port, folder, mode, certificate = (sys.argv[1:] + [None, None])[:4]
if mode:
    from pyftpdlib.handlers import TLS_FTPHandler

    class Base(TLS_FTPHandler):
        certfile = certificate
        tls_control_required = True
        tls_data_required = True

        def handle(self):
            if mode == "ftps":
                self.secure_connection(self.ssl_context)
            super().handle()
else:
    Base = FTPHandler


class Handler(Base):
    auth_failed_timeout = 0.1


Handler.authorizer = DummyAuthorizer()
Handler.authorizer.add_user("ftpuser", "secret", folder, perm="elradfmwMT")
server = FTPServer(("127.0.0.1", int(port)), Handler)
server.max_cons = 0  # no limit
server.serve_forever()
