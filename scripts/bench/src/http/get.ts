import { type Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** @throws Error where the answer is no 200 */
export async function get(agent: Agent, url: string): Promise<void> {
  const { statusCode, body } = await new Promise<{ statusCode: number | undefined; body: string }>(
    (resolve, reject) => {
      request(url, { agent }, async (answer) => {
        resolve({ statusCode: answer.statusCode, body: await text(answer) })
      })
        .on('error', reject)
        .end()
    },
  )
  if (statusCode !== 200) throw new Error(`${url} is answered with ${statusCode}: ${body}`)
}
