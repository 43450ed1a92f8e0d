/** Starts libp2p and the network on it. The one module that is loaded only by a node that talks to others. */
import { join } from 'node:path'
import { peerSeed } from '../identity.ts'
import { groupOf } from './hosts.ts'
import { Libp2pTransport } from './libp2p/libp2p-transport.ts'
import { TRANSACTION_BYTES } from './messages.ts'
import { Network, type NetworkModules } from './network.ts'
import { Connector } from './peers/connector.ts'
import { hostOf } from './peers/peer-address.ts'
import { PeerExchange } from './peers/peer-exchange.ts'
import { PeerTable } from './peers/peer-table.ts'
import { keepPeers, readPeers } from './peers/stored-peers.ts'
import { machineClock, machineTime } from './time.ts'
import type { PeerId } from './transport.ts'

export interface NetworkOptions {
  /** 0 for any that is free. */
  readonly port: number
  /** Whether to look for peers on the local network, and to ask peers for others; or else only the named are dialled. */
  readonly discovery: boolean
  /** Multiaddresses to dial, and to dial again. */
  readonly peers: readonly string[]
}

export interface JoinedNetwork {
  readonly network: Network
  readonly transport: Libp2pTransport
  /**
   * @param address a multiaddress
   * @returns the peer's name
   * @throws PeerError
   */
  dial(address: string): Promise<PeerId>
  close(): Promise<void>
}

/**
 * @param host the IP address on which the node listens
 * @param dataDirectory where the peer's key and the peers are kept; undefined for what is gone with the node
 */
export async function joinNetwork(
  host: string,
  options: NetworkOptions,
  modules: Omit<NetworkModules, 'transport' | 'time'>,
  dataDirectory: string | undefined,
): Promise<JoinedNetwork> {
  const { chain, log } = modules
  const transport = await Libp2pTransport.create({
    chain: chain.id,
    seed: peerSeed(dataDirectory),
    host,
    port: options.port,
    discovery: options.discovery,
    maxMessageBytes: Math.max(chain.rules.maxBlockBytes, TRANSACTION_BYTES),
    log,
  })
  const clocks = { time: machineTime, clock: machineClock }
  const table = new PeerTable(clocks)
  const addressOf = (peer: PeerId) => transport.addressOf(peer)
  const exchange = new PeerExchange({ chain: chain.id, table, transport, addressOf, ...clocks })
  const connector = new Connector({
    table,
    dialer: transport,
    onConnected: (peer, host) => (options.discovery ? exchange.askFor(peer, host) : Promise.resolve()),
    time: machineTime,
    log,
  })
  // Whom a node would have found by itself: one that is kept to the named ones neither dials nor forgets them.
  const file = dataDirectory === undefined || !options.discovery ? undefined : join(dataDirectory, 'peers.json')
  const network = new Network({ ...modules, transport, time: machineTime })
  readPeers(file, table)
  if (options.discovery) learn(table, transport)
  exchange.serve()
  await transport.open()
  network.start()
  connector.start(options.peers)
  const stopKeeping = keepPeers(file, table, transport, log)
  const close = async () => {
    connector.close()
    exchange.close()
    try {
      stopKeeping()
    } finally {
      await network.close()
    }
  }
  return { network, transport, dial: (address) => connector.dialNow(address), close }
}

/** Where addresses come from, beside the operator and what peers tell of others. */
function learn(table: PeerTable, transport: Libp2pTransport): void {
  transport.onDiscovery((addresses) => {
    for (const address of addresses) table.add(address, 'discovery', { ownWord: true })
  })
  transport.onIntroduction((peer, addresses) => {
    const seen = hostOf(transport.addressOf(peer))
    // Where it is we see; of what it says only the port is news, and that it listens at all.
    const here = addresses.filter((address) => hostOf(address) === seen)
    for (const address of here) if (table.add(address, `peer ${groupOf(seen)}`, { ownWord: true })) return
  })
}
