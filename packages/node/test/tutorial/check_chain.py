"""Reads the answer of a node's /chain from stdin and judges it by the tutorial's rules: prints every hash, then a verdict."""
import json
import sys

from blockchain import Blockchain

answer = json.load(sys.stdin)
chain = answer['chain']
valid = len(chain) == answer['length'] and Blockchain().valid_chain(chain)
print(json.dumps({'hashes': [Blockchain.hash(block) for block in chain], 'valid': valid}))
sys.exit(0 if valid else 1)
