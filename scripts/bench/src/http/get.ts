import { once } from 'node:events'
import { type Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** @throws Error where the answer is no 200 */
export async function get(agent: Agent, url: string): Promise<void> {
  // Of an answer that breaks off, reading it tells; unheard here as well, it would end the bench and not only the row.
  const asked = request(url, { agent })
    .on('error', () => undefined)
    .end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const body = await text(answer)
  if (answer.statusCode !== 200) throw new Error(`${url} is answered with ${answer.statusCode}: ${body}`)
}
