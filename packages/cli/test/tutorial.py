"""The tutorial's own rule, on the chain in a file: what GET /chain answers.

Nothing of ours and none of our rules: only what an unmodified tutorial node asks of a chain before it adopts it.
"""
import hashlib
import json
import sys


def hash_of(block):
    return hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()


def valid_proof(last_proof, proof, last_hash, zeros):
    guess = f"{last_proof}{proof}{last_hash}".encode()
    return hashlib.sha256(guess).hexdigest()[:zeros] == "0" * zeros


def valid_chain(chain, zeros):
    last_block = chain[0]
    for block in chain[1:]:
        last_hash = hash_of(last_block)
        if block["previous_hash"] != last_hash:
            return f"block {block['index']} does not name the hash of the block before it"
        if not valid_proof(last_block["proof"], block["proof"], last_hash, zeros):
            return f"block {block['index']} has no proof of {zeros} zeros"
        last_block = block
    return None


answer = json.load(open(sys.argv[1]))
zeros = answer["chain"][0]["rules"]["difficulty"]
assert zeros > 0, "a proof of no zeros proves nothing"
assert answer["length"] == len(answer["chain"]) > 1, "the length is not that of the chain"
fault = valid_chain(answer["chain"], zeros)
if fault:
    sys.exit(fault)
print(f"{answer['length']} blocks")
