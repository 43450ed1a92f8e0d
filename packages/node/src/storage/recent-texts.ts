/** Blocks of the main chain that were asked for lately, by their index: the newest are what everybody asks for. */
export class RecentTexts {
  private readonly maxBytes: number
  /** From the one that nobody has asked for the longest. */
  private readonly texts = new Map<number, Buffer>()
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get(index: number): Buffer | undefined {
    const text = this.texts.get(index)
    if (text === undefined) return undefined
    this.texts.delete(index)
    this.texts.set(index, text)
    return text
  }

  /** @param text of one that isn't there */
  add(index: number, text: Buffer): void {
    this.texts.set(index, text)
    this.bytes += text.length
    for (const oldest of this.texts.keys()) {
      if (this.bytes <= this.maxBytes) return
      this.forget(oldest)
    }
  }

  forget(index: number): void {
    this.bytes -= this.texts.get(index)?.length ?? 0
    this.texts.delete(index)
  }

  clear(): void {
    this.texts.clear()
    this.bytes = 0
  }
}
