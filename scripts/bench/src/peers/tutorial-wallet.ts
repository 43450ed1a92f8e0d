/** Transactions as the tutorial's wallet signs them: RSA with PKCS #1 v1.5 over MD5, the public key for an address. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** Fewer than on the other chains: a key of 2,048 bits takes long to make, and the node reads it anew each time. */
const SENDERS = 8

/** @returns bodies for `POST /transactions/new` */
export function rsaTransactions(count: number): string[] {
  const wallets = Array.from({ length: SENDERS }, makeWallet)
  const walletOf = (i: number) => wallets[i % SENDERS] as Wallet
  return Array.from({ length: count }, (_, i) => {
    const [{ address: sender, secret }, { address: recipient }, amount] = [walletOf(i), walletOf(i + 1), i + 1]
    const signature = sign('md5', Buffer.from(`${sender}${recipient}${amount}`), secret).toString('base64')
    return JSON.stringify({ sender, recipient, amount, signature })
  })
}

interface Wallet {
  readonly secret: KeyObject
  readonly address: string
}

function makeWallet(): Wallet {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return { secret: privateKey, address: Buffer.from(pem).toString('base64') }
}
