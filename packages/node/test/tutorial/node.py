"""The tutorial's node.py on http.server: /chain, /nodes, /nodes/register and /nodes/resolve. Prints its port."""
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from blockchain import Blockchain

blockchain = Blockchain()


def full_chain(_):
    return 200, {'chain': blockchain.chain, 'length': len(blockchain.chain)}


def all_nodes(_):
    return 200, {'nodes': list(blockchain.nodes), 'length': len(blockchain.nodes)}


def register_nodes(values):
    nodes = values.get('nodes')
    if nodes is None:
        return 400, 'Error: Please supply a valid list of nodes'
    for node in nodes:
        blockchain.register_node(node)
    return 201, {'message': 'New nodes have been added', 'total_nodes': list(blockchain.nodes)}


def consensus(_):
    if blockchain.resolve_conflicts():
        return 200, {'message': 'Our chain was replaced', 'new_chain': blockchain.chain}
    return 200, {'message': 'Our chain is authoritative', 'chain': blockchain.chain}


def not_found(_):
    return 404, 'Not Found'


ROUTES = {
    ('GET', '/chain'): full_chain,
    ('GET', '/nodes'): all_nodes,
    ('POST', '/nodes/register'): register_nodes,
    ('GET', '/nodes/resolve'): consensus,
}


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get('Content-Length') or 0)
        values = json.loads(self.rfile.read(length)) if length else None
        status, response = ROUTES.get((self.command, self.path), not_found)(values)
        body = json.dumps(response).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
