/**
 * What has come of a stream and is not of use yet. Each kept chunk has at least twice the length of the next: what comes byte
 * by byte is held in a few buffers, not in one for each byte, and each byte is copied a few times at most.
 */
export class HeldBytes {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** How many buffers hold it. */
  get chunks(): number {
    return this.#chunks.length;
  }

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    let last = chunk;
    for (let before = this.#chunks.at(-1); before !== undefined && before.length < 2 * last.length; ) {
      last = Buffer.concat([before, last]);
      this.#chunks.pop();
      before = this.#chunks.at(-1);
    }
    if (last.length > 0) this.#chunks.push(last);
  }

  /** Its first bytes in one buffer, at least so many where there are as many. They stay. */
  first(bytes: number): Buffer {
    const [first] = this.#chunks;
    return first !== undefined && first.length >= bytes ? first : this.whole();
  }

  /** All of it in one buffer. It stays. */
  whole(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Takes so many bytes away. */
  take(bytes: number): Buffer {
    const whole = this.whole();
    const rest = whole.subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return whole.subarray(0, bytes);
  }
}
