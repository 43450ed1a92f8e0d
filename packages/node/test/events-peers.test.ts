/** Peers that come and go, as the events of real nodes tell it. */
import { expect, it } from 'vitest'
import { isOf, listen } from './support/http-events.ts'
import { addressOf, connect, startNetworkNode } from './support/network-nodes.ts'

it('a peer that connects, and leaves', async () => {
  const [one, two] = await Promise.all([startNetworkNode(), startNetworkNode()])
  const client = await listen(Number(new URL(one.url).port), { types: 'peer', app: one.app })
  const address = await addressOf(two)
  await connect(one, two)
  const peer = address.split('/').at(-1)
  await client.until((heard) => heard.some(isOf('peer')))
  await two.stop()
  const heard = await client.until((all) => all.filter(isOf('peer')).length >= 2)
  expect(heard.slice(1).map(({ data }) => data)).toEqual([
    { peer, status: 'connected', peers: 1 },
    { peer, status: 'left', peers: 0 },
  ])
})
