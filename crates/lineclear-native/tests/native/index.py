"""Serves a folder as package index on a free port, and writes down what is asked for.

usage: index.py FOLDER PORT_FILE LOG_FILE
"""

import functools
import http.server
import os
import sys

folder, port_file, log_file = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    def send_head(self):
        with open(log_file, "a") as log:
            log.write(self.path + "\n")
        if os.path.isfile(self.translate_path(self.path) + ".json"):
            self.path += ".json"
        return super().send_head()

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
