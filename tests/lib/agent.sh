# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# HAProxy's agent on a backend, in small: it answers on port 9000 with what it was told to say last. Source after
# lab.sh. Not here: what balancers make of it.

AGENT= # its process, once it runs

agent_word() { # WORDS: for good, as they are read while they are written
	echo "$1" >"$TMP/word.new"
	mv "$TMP/word.new" "$TMP/word"
}

agent_begin() { # BACKEND WORDS
	cat >"$TMP/agent.py" <<-'END'
		import socketserver, sys
		class Agent(socketserver.BaseRequestHandler):
		    def handle(self):
		        self.request.sendall(open(sys.argv[1], "rb").read())
		class Server(socketserver.TCPServer):
		    allow_reuse_address = True
		    def handle_error(self, *_):
		        pass  # who asked has gone
		Server(("", 9000), Agent).serve_forever()
	END
	agent_word "$2"
	"$LAB" exec "$1" python3 "$TMP/agent.py" "$TMP/word" &
	AGENT=$!
	cleanup "kill -KILL $AGENT"
}
