"""The tutorial's blockchain.py, wallet.py and node.py as far as POST /transactions/new goes: its own lines.

    node.py PORT
"""
import base64
import hashlib
import json
import sys
from time import time

from flask import Flask, jsonify, request

try:
    from Crypto.Hash import MD5
    from Crypto.PublicKey import RSA
    from Crypto.Signature import PKCS1_v1_5
except ImportError:
    # The same library, as Debian names it.
    from Cryptodome.Hash import MD5
    from Cryptodome.PublicKey import RSA
    from Cryptodome.Signature import PKCS1_v1_5


class Blockchain:
    def __init__(self):
        self.chain = []
        self.transactionsPool = []

        # Create the genesis block
        self.new_block(previous_hash=1, proof=1)

    def new_block(self, proof, previous_hash):
        block = {
            'index': len(self.chain) + 1,
            'timestamp': time(),
            'transactions': self.transactionsPool,
            'proof': proof,
            'previous_hash': previous_hash or self.hash(self.chain[-1]),
        }

        # Reset the pool transactions
        self.transactionsPool = []

        self.chain.append(block)
        return block

    def new_transaction(self, sender, recipient, amount):
        self.transactionsPool.append({
            'sender': sender,
            'recipient': recipient,
            'amount': amount,
        })

    @staticmethod
    def hash(block):
        block_string = json.dumps(block, sort_keys=True).encode()
        return hashlib.sha256(block_string).hexdigest()

    @property
    def last_block(self):
        return self.chain[-1]


class Wallet:
    @staticmethod
    def verification(sender, recipient, amount, signature):
        transaction = "".join([str(part) for part in [sender, recipient, amount]]).encode()
        hashedTransaction = MD5.new(transaction)

        # Instantiate a rsa instance by importing the pub key AKA the sender address
        _rsa = RSA.importKey(base64.b64decode(sender.encode()))
        verifier = PKCS1_v1_5.new(_rsa)
        return verifier.verify(
            hashedTransaction,
            base64.b64decode(signature.encode())
        )


# Instantiate the Node
app = Flask(__name__)

# Instantiate the Blockchain
blockchain = Blockchain()
wallet = Wallet()


@app.route('/transactions/new', methods=['POST'])
def new_transaction():
    values = request.get_json()

    # Check that the required fields are in the POST'ed data
    required = ['sender', 'recipient', 'amount', 'signature']
    if not all(k in values for k in required):
        return 'Missing values', 400

    sender = values['sender']
    recipient = values['recipient']
    amount = values['amount']
    signature = values['signature']

    if not wallet.verification(sender, recipient, amount, signature):
        return 'Signature verification failure', 401

    # Create a new Transaction
    blockchain.new_transaction(sender, recipient, amount,)
    newBlockIndex = blockchain.last_block['index'] + 1
    response = {'message': 'Transaction will be added to Block %d' % newBlockIndex }
    return jsonify(response), 201


if __name__ == '__main__':
    app.run(port=int(sys.argv[1]))
