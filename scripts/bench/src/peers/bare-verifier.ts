/**
 * As little as a server can do that takes signed transactions with Fastify: `bare-verifier.js PORT`. It parses the body
 * and verifies one signature, always the same, which lies ready as bytes. It hashes, compares and keeps nothing.
 */
import { nativeVerifier } from '@bc/wallet'
import Fastify from 'fastify'
import { curve } from '../chain/holders.ts'

const [, , port = ''] = process.argv
const verifier = nativeVerifier()
if (verifier === undefined) throw new TypeError('this server needs libsecp256k1')
const [digest, secret] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const { signature } = curve().ecdsaSign(digest, secret)
const key = verifier.prepare?.(curve().publicKeyCreate(secret, true))

const app = Fastify()
app.post('/transactions/new', (_, reply) => {
  reply.code(key?.verify(digest, signature) ? 201 : 401).send({ id: 'taken' })
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
