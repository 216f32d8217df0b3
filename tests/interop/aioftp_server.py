"""aioftp_server.py PORT FOLDER - serves FOLDER on 127.0.0.1:PORT to ftpuser, password secret."""
import asyncio
import sys

import aioftp

server = aioftp.Server([aioftp.User("ftpuser", "secret", base_path=sys.argv[2])])
asyncio.run(server.run("127.0.0.1", int(sys.argv[1])))
