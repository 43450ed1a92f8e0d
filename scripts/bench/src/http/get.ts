import { once } from 'node:events'
import { type Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** @throws Error where the answer is no 200 */
export async function get(agent: Agent, url: string): Promise<void> {
  // It stays: whoever is hung up on in the midst of an answer is told here as well.
  const asked = request(url, { agent })
    .on('error', () => undefined)
    .end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const body = await text(answer)
  if (answer.statusCode !== 200) throw new Error(`${url} is answered with ${answer.statusCode}: ${body}`)
}
