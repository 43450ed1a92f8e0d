import { alice, blockOn, bob, nonceOf, type Plan, pay, type Site, type Transfer } from '../site.ts'

/** In canonical JSON: `"memo": "", ` and at most 256 letters. */
const FRAME = 12
const LONGEST = 256

/** A good block, but for its size if that is against the rules: its canonical JSON has exactly `bytes` bytes. */
export function ofSize(site: Site, bytes: number): Plan {
  const count = transfersFor(site, bytes)
  let room = bytes - sizeOf(site, Array(count).fill(0))
  const memos = Array.from({ length: count }, () => {
    const taken = room > LONGEST + FRAME + FRAME ? LONGEST : Math.min(LONGEST, room - FRAME)
    // What is left is nothing, or has room for a frame and a letter.
    const letters = room - taken - FRAME > 0 && room - taken - FRAME <= FRAME ? taken - FRAME : taken
    if (letters < 1) return 0
    room -= letters + FRAME
    return letters
  })
  return { transfers: () => fillers(site, memos) }
}

/** As many as fit without memos; so what is left over is less than one more, and a few memos use it up. */
function transfersFor(site: Site, bytes: number): number {
  let count = 1
  while (sizeOf(site, Array(count + 1).fill(0)) <= bytes) count++
  return count
}

function sizeOf(site: Site, memos: readonly number[]): number {
  return blockOn(site, { transfers: () => fillers(site, memos) }).length
}

function fillers(site: Site, memos: readonly number[]): Transfer[] {
  return memos.map((letters, i) => {
    const nonce = nonceOf(site, alice) + i
    return pay(site, alice, bob, 1, 0, letters > 0 ? { nonce, memo: 'x'.repeat(letters) } : { nonce })
  })
}
