/** Whoever has many blocks at hand has some of them read by other threads while those before them are imported. */

/** Blocks that are read and imported together: so many at the most, and of so much canonical JSON. */
export const PART_BLOCKS = 100
export const PART_BYTES = 500_000
/** Parts that are under way or waiting for whoever imports them. */
export const AHEAD = 8

/**
 * What `read` makes of the items, in their order and a part of them at a time.
 * @param items each with the bytes that it holds
 * @throws whatever reading a part throws, once those before it were taken
 */
export async function* readAhead<Item, Read>(
  items: Iterable<Item> | AsyncIterable<Item>,
  bytesOf: (item: Item) => number,
  read: (part: readonly Item[]) => Promise<readonly Read[]>,
): AsyncGenerator<readonly Read[], void, undefined> {
  const reading: Promise<readonly Read[]>[] = []
  for await (const part of inParts(items, bytesOf)) {
    const one = read(part)
    // One that fails behind the end of the import is nobody's.
    one.catch(() => undefined)
    reading.push(one)
    if (reading.length >= AHEAD) yield (await reading.shift()) as readonly Read[]
  }
  for (const one of reading) yield await one
}

async function* inParts<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  bytesOf: (item: Item) => number,
): AsyncGenerator<readonly Item[], void, undefined> {
  let [part, bytes]: [Item[], number] = [[], 0]
  for await (const item of items) {
    const more = bytesOf(item)
    if (part.length >= PART_BLOCKS || (part.length > 0 && bytes + more > PART_BYTES)) {
      yield part
      ;[part, bytes] = [[], 0]
    }
    part.push(item)
    bytes += more
  }
  if (part.length > 0) yield part
}
