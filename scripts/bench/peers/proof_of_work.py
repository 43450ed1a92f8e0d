"""The tutorial's own loop: python3 proof_of_work.py SECONDS

proof_of_work and valid_proof are the tutorial's, word for word. Prints attempts per second of processor time.
"""
import hashlib
import sys
import time


class Blockchain:
    def hash(self, block):
        return hashlib.sha256(block.encode()).hexdigest()

    def proof_of_work(self, last_block):
        last_proof = last_block['proof']
        last_hash = self.hash(last_block['text'])

        proof = 0
        while self.valid_proof(last_proof, proof, last_hash) is False:
            proof += 1

        return proof

    @staticmethod
    def valid_proof(last_proof, proof, last_hash):
        guess = f'{last_proof}{proof}{last_hash}'.encode()
        guess_hash = hashlib.sha256(guess).hexdigest()
        return guess_hash[:4] == "0000"


blockchain = Blockchain()
attempts = blocks = proof = 0
start = time.process_time()
while time.process_time() - start < float(sys.argv[1]):
    proof = blockchain.proof_of_work({'proof': proof, 'text': str(blocks)})
    attempts += proof + 1
    blocks += 1
print(attempts / (time.process_time() - start))
