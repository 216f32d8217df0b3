"""pyftpdlib_server.py PORT FOLDER - serves FOLDER on 127.0.0.1:PORT to ftpuser, password secret."""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


class Handler(FTPHandler):
    auth_failed_timeout = 0.1


Handler.authorizer = DummyAuthorizer()
Handler.authorizer.add_user("ftpuser", "secret", sys.argv[2], perm="elradfmwMT")
FTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
