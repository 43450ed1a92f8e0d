/**
 * The proof-of-work search in AssemblyScript: SHA-256 in the lanes of v128, four or eight nonces at once. After a change:
 * `npm run build:kernel`, which makes src/kernel/search-wasm.ts of it.
 *
 * What is hashed is 224 bytes of ASCII, so four blocks of 64:
 *
 *     block 1, 2                      block 3                                      block 4
 *     previous proof, 48 digits       16 digits of the      nonce,     32 digits   32 digits of the
 *     of the commitment               commitment            16 digits  previous    previous hash, padding
 *                                     words 0-3             words 4-7  hash, 8-15
 *
 * Blocks 1 and 2 are hashed once per job (the midstate), and the schedule of block 4 is computed once. A search runs
 * through the last four digits of the nonce, which are one word: word 7 of block 3. So rounds 0 to 6 of that block are
 * done once per search, its schedule is constant up to word 21, and of words 22 to 36 the greater part is.
 *
 * Of a and e, the values of the last four rounds lie in memory, in a ring; a, b, e and f are held in variables as well.
 * One line is a round: the new e takes the name of f and the new a that of b, so the next line has the names the other
 * way round, and four lines end as they began. More variables or longer bodies of loops are slower: the processor has
 * 16 registers, and V8 makes an order of its own in a long body.
 */

// --- what the caller sees ---

/** Where the caller writes the 224 bytes of text. */
export const TEXT: usize = memory.data(256, 16);
/** What the searches return when there is nothing to be found. */
const NONE: i32 = -1;

/**
 * Makes what is the same in all attempts of a job. To be called when anything but the nonce has changed.
 * @param limit the target's first 32 bits
 */
export function begin(limit: u32): void {
  store<u8>(TEXT + 224, 0x80);
  // The length of the text in bits, in 64 bits.
  store<u64>(TEXT + 248, bswap<u64>(224 * 8));
  store<u32>(LIMIT, limit);
  memory.copy(MIDSTATE, INITIAL, 32);
  compress(MIDSTATE, TEXT);
  compress(MIDSTATE, TEXT + 64);
  expand(TEXT + 192);
  for (let t: usize = 0; t < 256; t += 4) store<u32>(LAST + t, load<u32>(K + t) + load<u32>(SCHEDULE + t));
}

/**
 * Tries the nonces whose last four digits are `first` to `end` - 1; its other digits are those in the text.
 * @param end at most 0x10000
 * @returns the smallest of them whose seal's first 32 bits are not above the target's, or -1
 */
export function search4(first: u32, end: u32): i32 {
  prepare();
  for (let n = first & ~3; n < end; n += 4) {
    const mask = try4(n) & after(first, n);
    if (mask) return n + ctz(mask) < end ? n + ctz(mask) : NONE;
  }
  return NONE;
}

/** The same, eight at a time. */
export function search8(first: u32, end: u32): i32 {
  prepare();
  for (let n = first & ~7; n < end; n += 8) {
    const mask = try8(n) & after(first, n);
    if (mask) return n + ctz(mask) < end ? n + ctz(mask) : NONE;
  }
  return NONE;
}

/** The bits of the lanes that don't lie before the first nonce. */
@inline function after(first: u32, n: u32): u32 {
  return first > n ? u32.MAX_VALUE << (first - n) : u32.MAX_VALUE;
}

// --- memory ---

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16);
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
], 16);
/** The state after blocks 1 and 2. */
const MIDSTATE: usize = memory.data(32, 16);
/** The target's first word. */
const LIMIT: usize = memory.data(16, 16);
/** 64 words of one schedule, while it is computed. */
const SCHEDULE: usize = memory.data(256, 16);
/** Of block 4, for each round: the constant and the word of the schedule. */
const LAST: usize = memory.data(256, 16);
/** Of block 3: the state after round 7, but for word 7, which a and e lack. */
const START: usize = memory.data(32, 16);
/** Of block 3, rounds 8 to 21: the constant and the word of the schedule. */
const FIXED: usize = memory.data(256, 16);
/** Of block 3, words 22 to 36: what of them is constant. */
const PART: usize = memory.data(256, 16);
/** Of block 3, the schedule's words from 17 on: two vectors for each. */
const WORDS: usize = memory.data(2048, 16);
/** a of the last four rounds, and e 64 bytes on: one ring for the first four lanes, one for the others. */
const RING: usize = memory.data(128, 16);
const RING_2: usize = memory.data(128, 16);
/** a after block 3: two vectors. */
const BETWEEN: usize = memory.data(32, 16);

// --- once per job, once per search: plain words ---

@inline function rounded0(x: u32): u32 { return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22); }
@inline function rounded1(x: u32): u32 { return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25); }
@inline function mixed0(x: u32): u32 { return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3); }
@inline function mixed1(x: u32): u32 { return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10); }
@inline function word(t: usize): u32 { return load<u32>(SCHEDULE + 4 * t); }
@inline function setWord(t: usize, value: u32): void { store<u32>(SCHEDULE + 4 * t, value); }
@inline function nextWord(t: usize): u32 {
  return mixed1(word(t - 2)) + word(t - 7) + mixed0(word(t - 15)) + word(t - 16);
}

/** The schedule's first 16 words: those of the block. */
function readBlock(block: usize): void {
  for (let t: usize = 0; t < 16; t++) setWord(t, bswap(load<u32>(block + 4 * t)));
}

function expand(block: usize): void {
  readBlock(block);
  for (let t: usize = 16; t < 64; t++) setWord(t, nextWord(t));
}

function compress(state: usize, block: usize): void {
  expand(block);
  memory.copy(START, state, 32);
  for (let t: usize = 0; t < 64; t++) round(START, word(t) + load<u32>(K + 4 * t));
  for (let i: usize = 0; i < 32; i += 4) store<u32>(state + i, load<u32>(state + i) + load<u32>(START + i));
}

function round(state: usize, kw: u32): void {
  const a = load<u32>(state), b = load<u32>(state, 4), c = load<u32>(state, 8);
  const e = load<u32>(state, 16), f = load<u32>(state, 20), g = load<u32>(state, 24);
  const t = load<u32>(state, 28) + kw + rounded1(e) + (g ^ (e & (f ^ g)));
  const d = load<u32>(state, 12);
  memory.copy(state + 4, state, 28);
  store<u32>(state, t + rounded0(a) + (b ^ ((a ^ b) & (b ^ c))));
  store<u32>(state, d + t, 16);
}

/** Makes what is the same in all nonces that share all but the last four digits. */
function prepare(): void {
  readBlock(TEXT + 128);
  for (let t: usize = 16; t < 22; t++) setWord(t, nextWord(t));
  for (let t: usize = 17; t < 22; t++) setBoth(WORDS + 32 * t, i32x4.splat(word(t)));
  memory.copy(START, MIDSTATE, 32);
  for (let t: usize = 0; t < 8; t++) round(START, load<u32>(K + 4 * t) + (t < 7 ? word(t) : 0));
  for (let t: usize = 8; t < 22; t++) store<u32>(FIXED + 4 * t, load<u32>(K + 4 * t) + word(t));
  store<u32>(PART + 4 * 22, mixed1(word(20)) + word(15) + word(6));
  store<u32>(PART + 4 * 23, mixed1(word(21)) + word(16) + mixed0(word(8)));
  for (let t: usize = 24; t < 37; t++) store<u32>(PART + 4 * t, mixed0(word(t - 15)) + word(t - 16));
}

function setBoth(at: usize, value: v128): void {
  v128.store(at, value);
  v128.store(at, value, 16);
}

// --- for each attempt: vectors ---

@inline function add(x: v128, y: v128): v128 { return i32x4.add(x, y); }
@inline function xor(x: v128, y: v128): v128 { return v128.xor(x, y); }
@inline function right(x: v128, n: i32): v128 { return i32x4.shr_u(x, n); }
@inline function rot(x: v128, n: i32): v128 { return xor(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n)); }
@inline function sum0(x: v128): v128 { return xor(xor(rot(x, 2), rot(x, 13)), rot(x, 22)); }
@inline function sum1(x: v128): v128 { return xor(xor(rot(x, 6), rot(x, 11)), rot(x, 25)); }
@inline function sigma0(x: v128): v128 { return xor(xor(rot(x, 7), rot(x, 18)), right(x, 3)); }
@inline function sigma1(x: v128): v128 { return xor(xor(rot(x, 17), rot(x, 19)), right(x, 10)); }
/** One word of memory in all lanes. */
@inline function all(at: usize): v128 { return v128.load32_splat(at); }

/** One word in each lane: the ASCII codes of the four hex digits of a number below 0x10000. */
@inline function digits(n: v128): v128 {
  const high = v128.or(
    i32x4.shl(v128.and(n, i32x4.splat(0xf000)), 12),
    i32x4.shl(v128.and(n, i32x4.splat(0x0f00)), 8),
  );
  const low = v128.or(i32x4.shl(v128.and(n, i32x4.splat(0x00f0)), 4), v128.and(n, i32x4.splat(0x000f)));
  const values = v128.or(high, low);
  // 1 in each byte that is a letter; the letters lie 0x27 = 32 + 8 - 1 behind the figures.
  const letters = v128.and(right(add(values, i32x4.splat(0x06060606)), 4), i32x4.splat(0x01010101));
  const gap = i32x4.sub(add(i32x4.shl(letters, 5), i32x4.shl(letters, 3)), letters);
  return add(add(values, i32x4.splat(0x30303030)), gap);
}

/** What round `i` (of four) adds to d, and to what makes the new a. h and g are older values of e. */
@inline function temp(ring: usize, i: usize, e: v128, f: v128, kw: v128): v128 {
  const h = v128.load(ring + 64 + 16 * ((i + 1) & 3));
  const g = v128.load(ring + 64 + 16 * ((i + 2) & 3));
  const choice = xor(g, v128.and(e, xor(f, g)));
  return add(add(add(h, kw), choice), sum1(e));
}

/** The new e takes the place of the oldest one, which was h. d is an older value of a. */
@inline function nextE(ring: usize, i: usize, t: v128): v128 {
  const e = add(v128.load(ring + 16 * ((i + 1) & 3)), t);
  v128.store(ring + 64 + 16 * ((i + 1) & 3), e);
  return e;
}

/** @param ab a xor b, which is b xor c of the next round: `bc` here */
@inline function nextA(ring: usize, i: usize, t: v128, a: v128, b: v128, ab: v128, bc: v128): v128 {
  const majority = xor(b, v128.and(ab, bc));
  const next = add(add(t, majority), sum0(a));
  v128.store(ring + 16 * ((i + 1) & 3), next);
  return next;
}

/** Words 22 and 23 of the schedule, the first that vary. `lanes` is 0 for the first four, 16 for the others. */
@inline function word22(w7: v128, lanes: usize): v128 {
  const w = add(all(PART + 4 * 22), sigma0(w7));
  v128.store(WORDS + 32 * 22 + lanes, w);
  return w;
}
@inline function word23(w7: v128, lanes: usize): v128 {
  const w = add(all(PART + 4 * 23), w7);
  v128.store(WORDS + 32 * 23 + lanes, w);
  return w;
}

/** Word t of the schedule where its greater part is constant. `words` is where word t - 16 lies. */
@inline function partWord(words: usize, part: usize): v128 {
  const w = add(add(all(part), v128.load(words, 9 * 32)), sigma1(v128.load(words, 14 * 32)));
  v128.store(words, w, 16 * 32);
  return w;
}

/** Word t of the schedule. */
@inline function fullWord(words: usize): v128 {
  const old = add(v128.load(words), v128.load(words, 9 * 32));
  const w = add(add(old, sigma0(v128.load(words, 32))), sigma1(v128.load(words, 14 * 32)));
  v128.store(words, w, 16 * 32);
  return w;
}

// In a ring before a round that is a multiple of four: a, b and c, or e, f and g. d or h is the one that is left.
@inline function newest(half: usize): v128 { return v128.load(half); }
@inline function second(half: usize): v128 { return v128.load(half, 48); }
@inline function third(half: usize): v128 { return v128.load(half, 32); }

/** The ring before round 8: of a and e, in the order in which they will be overwritten from slot 1 on. */
@inline function startRing(ring: usize, w: v128): void {
  v128.store(ring, add(all(START), w), 0);
  v128.store(ring, all(START + 12), 16);
  v128.store(ring, all(START + 8), 32);
  v128.store(ring, all(START + 4), 48);
  v128.store(ring, add(all(START + 16), w), 64);
  v128.store(ring, all(START + 28), 80);
  v128.store(ring, all(START + 24), 96);
  v128.store(ring, all(START + 20), 112);
}

/** Between blocks 3 and 4: the state before block 3 is added. */
@inline function nextBlock(ring: usize, between: usize): void {
  for (let i: usize = 0; i < 2; i++) {
    const half = ring + 64 * i, before = MIDSTATE + 16 * i;
    v128.store(half, add(v128.load(half), all(before)));
    v128.store(half, add(v128.load(half, 16), all(before + 12)), 16);
    v128.store(half, add(v128.load(half, 32), all(before + 8)), 32);
    v128.store(half, add(v128.load(half, 48), all(before + 4)), 48);
  }
  v128.store(between, v128.load(ring));
}

/** @returns a bit for each lane whose first word is not above the limit */
@inline function hits(a: v128, between: usize): u32 {
  return i32x4.bitmask(i32x4.le_u(add(a, v128.load(between)), all(LIMIT)));
}

/** Tries the nonces n to n + 3. Returns a bit for each that may be a hit. */
function try4(n: u32): u32 {
  const R = RING;
  const w7 = digits(add(i32x4.splat(n), i32x4(0, 1, 2, 3)));
  startRing(R, w7);
  let a = newest(R), b = second(R), e = newest(R + 64), f = second(R + 64);
  let ab = a, bc = xor(b, third(R));
  let t = a, kw = a;
  // Block 3, rounds 8 to 19.
  for (let at = FIXED + 4 * 8; at < FIXED + 4 * 20; at += 16) {
    t = temp(R, 0, e, f, all(at)), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    t = temp(R, 1, f, e, all(at + 4)), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    t = temp(R, 2, e, f, all(at + 8)), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    t = temp(R, 3, f, e, all(at + 12)), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  }
  // Rounds 20 to 23.
  kw = all(FIXED + 4 * 20);
  t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
  kw = all(FIXED + 4 * 21);
  t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
  kw = add(all(K + 4 * 22), word22(w7, 0));
  t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
  kw = add(all(K + 4 * 23), word23(w7, 0));
  t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  // Rounds 24 to 35.
  let words = WORDS + 32 * 8;
  for (let at: usize = 4 * 24; at < 4 * 36; at += 16, words += 128) {
    kw = add(all(K + at), partWord(words, PART + at));
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    kw = add(all(K + at + 4), partWord(words + 32, PART + at + 4));
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    kw = add(all(K + at + 8), partWord(words + 64, PART + at + 8));
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    kw = add(all(K + at + 12), partWord(words + 96, PART + at + 12));
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  }
  // Rounds 36 to 63.
  for (let at: usize = 4 * 36; at < 4 * 64; at += 16, words += 128) {
    kw = add(all(K + at), fullWord(words));
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    kw = add(all(K + at + 4), fullWord(words + 32));
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    kw = add(all(K + at + 8), fullWord(words + 64));
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    kw = add(all(K + at + 12), fullWord(words + 96));
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  }
  // Block 4.
  nextBlock(R, BETWEEN);
  a = newest(R), b = second(R), e = newest(R + 64), f = second(R + 64);
  bc = xor(b, third(R));
  for (let at = LAST; at < LAST + 4 * 64; at += 16) {
    t = temp(R, 0, e, f, all(at)), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    t = temp(R, 1, f, e, all(at + 4)), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    t = temp(R, 2, e, f, all(at + 8)), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    t = temp(R, 3, f, e, all(at + 12)), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  }
  return hits(a, BETWEEN);
}

/** Tries the nonces n to n + 7: a round of two groups of four in turns, as each has to wait for itself. */
function try8(n: u32): u32 {
  const R = RING, S = RING_2;
  const w7 = digits(add(i32x4.splat(n), i32x4(0, 1, 2, 3)));
  startRing(R, w7);
  let a = newest(R), b = second(R), e = newest(R + 64), f = second(R + 64);
  let ab = a, bc = xor(b, third(R));
  const w72 = digits(add(i32x4.splat(n + 4), i32x4(0, 1, 2, 3)));
  startRing(S, w72);
  let a2 = newest(S), b2 = second(S), e2 = newest(S + 64), f2 = second(S + 64);
  let ab2 = a2, bc2 = xor(b2, third(S));
  let t = a, kw = a;
  // Block 3, rounds 8 to 19.
  for (let at = FIXED + 4 * 8; at < FIXED + 4 * 20; at += 16) {
    kw = all(at);
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    t = temp(S, 0, e2, f2, kw), f2 = nextE(S, 0, t), ab2 = xor(a2, b2), b2 = nextA(S, 0, t, a2, b2, ab2, bc2);
    kw = all(at + 4);
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    t = temp(S, 1, f2, e2, kw), e2 = nextE(S, 1, t), bc2 = xor(b2, a2), a2 = nextA(S, 1, t, b2, a2, bc2, ab2);
    kw = all(at + 8);
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    t = temp(S, 2, e2, f2, kw), f2 = nextE(S, 2, t), ab2 = xor(a2, b2), b2 = nextA(S, 2, t, a2, b2, ab2, bc2);
    kw = all(at + 12);
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
    t = temp(S, 3, f2, e2, kw), e2 = nextE(S, 3, t), bc2 = xor(b2, a2), a2 = nextA(S, 3, t, b2, a2, bc2, ab2);
  }
  // Rounds 20 to 23.
  kw = all(FIXED + 4 * 20);
  t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
  t = temp(S, 0, e2, f2, kw), f2 = nextE(S, 0, t), ab2 = xor(a2, b2), b2 = nextA(S, 0, t, a2, b2, ab2, bc2);
  kw = all(FIXED + 4 * 21);
  t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
  t = temp(S, 1, f2, e2, kw), e2 = nextE(S, 1, t), bc2 = xor(b2, a2), a2 = nextA(S, 1, t, b2, a2, bc2, ab2);
  kw = add(all(K + 4 * 22), word22(w7, 0));
  t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
  kw = add(all(K + 4 * 22), word22(w72, 16));
  t = temp(S, 2, e2, f2, kw), f2 = nextE(S, 2, t), ab2 = xor(a2, b2), b2 = nextA(S, 2, t, a2, b2, ab2, bc2);
  kw = add(all(K + 4 * 23), word23(w7, 0));
  t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
  kw = add(all(K + 4 * 23), word23(w72, 16));
  t = temp(S, 3, f2, e2, kw), e2 = nextE(S, 3, t), bc2 = xor(b2, a2), a2 = nextA(S, 3, t, b2, a2, bc2, ab2);
  // Rounds 24 to 35.
  let words = WORDS + 32 * 8;
  for (let at: usize = 4 * 24; at < 4 * 36; at += 16, words += 128) {
    kw = add(all(K + at), partWord(words, PART + at));
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    kw = add(all(K + at), partWord(words + 16, PART + at));
    t = temp(S, 0, e2, f2, kw), f2 = nextE(S, 0, t), ab2 = xor(a2, b2), b2 = nextA(S, 0, t, a2, b2, ab2, bc2);
    kw = add(all(K + at + 4), partWord(words + 32, PART + at + 4));
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    kw = add(all(K + at + 4), partWord(words + 48, PART + at + 4));
    t = temp(S, 1, f2, e2, kw), e2 = nextE(S, 1, t), bc2 = xor(b2, a2), a2 = nextA(S, 1, t, b2, a2, bc2, ab2);
    kw = add(all(K + at + 8), partWord(words + 64, PART + at + 8));
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    kw = add(all(K + at + 8), partWord(words + 80, PART + at + 8));
    t = temp(S, 2, e2, f2, kw), f2 = nextE(S, 2, t), ab2 = xor(a2, b2), b2 = nextA(S, 2, t, a2, b2, ab2, bc2);
    kw = add(all(K + at + 12), partWord(words + 96, PART + at + 12));
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
    kw = add(all(K + at + 12), partWord(words + 112, PART + at + 12));
    t = temp(S, 3, f2, e2, kw), e2 = nextE(S, 3, t), bc2 = xor(b2, a2), a2 = nextA(S, 3, t, b2, a2, bc2, ab2);
  }
  // Rounds 36 to 63.
  for (let at: usize = 4 * 36; at < 4 * 64; at += 16, words += 128) {
    kw = add(all(K + at), fullWord(words));
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    kw = add(all(K + at), fullWord(words + 16));
    t = temp(S, 0, e2, f2, kw), f2 = nextE(S, 0, t), ab2 = xor(a2, b2), b2 = nextA(S, 0, t, a2, b2, ab2, bc2);
    kw = add(all(K + at + 4), fullWord(words + 32));
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    kw = add(all(K + at + 4), fullWord(words + 48));
    t = temp(S, 1, f2, e2, kw), e2 = nextE(S, 1, t), bc2 = xor(b2, a2), a2 = nextA(S, 1, t, b2, a2, bc2, ab2);
    kw = add(all(K + at + 8), fullWord(words + 64));
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    kw = add(all(K + at + 8), fullWord(words + 80));
    t = temp(S, 2, e2, f2, kw), f2 = nextE(S, 2, t), ab2 = xor(a2, b2), b2 = nextA(S, 2, t, a2, b2, ab2, bc2);
    kw = add(all(K + at + 12), fullWord(words + 96));
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
    kw = add(all(K + at + 12), fullWord(words + 112));
    t = temp(S, 3, f2, e2, kw), e2 = nextE(S, 3, t), bc2 = xor(b2, a2), a2 = nextA(S, 3, t, b2, a2, bc2, ab2);
  }
  // Block 4.
  nextBlock(R, BETWEEN);
  a = newest(R), b = second(R), e = newest(R + 64), f = second(R + 64);
  bc = xor(b, third(R));
  nextBlock(S, BETWEEN + 16);
  a2 = newest(S), b2 = second(S), e2 = newest(S + 64), f2 = second(S + 64);
  bc2 = xor(b2, third(S));
  for (let at = LAST; at < LAST + 4 * 64; at += 16) {
    kw = all(at);
    t = temp(R, 0, e, f, kw), f = nextE(R, 0, t), ab = xor(a, b), b = nextA(R, 0, t, a, b, ab, bc);
    t = temp(S, 0, e2, f2, kw), f2 = nextE(S, 0, t), ab2 = xor(a2, b2), b2 = nextA(S, 0, t, a2, b2, ab2, bc2);
    kw = all(at + 4);
    t = temp(R, 1, f, e, kw), e = nextE(R, 1, t), bc = xor(b, a), a = nextA(R, 1, t, b, a, bc, ab);
    t = temp(S, 1, f2, e2, kw), e2 = nextE(S, 1, t), bc2 = xor(b2, a2), a2 = nextA(S, 1, t, b2, a2, bc2, ab2);
    kw = all(at + 8);
    t = temp(R, 2, e, f, kw), f = nextE(R, 2, t), ab = xor(a, b), b = nextA(R, 2, t, a, b, ab, bc);
    t = temp(S, 2, e2, f2, kw), f2 = nextE(S, 2, t), ab2 = xor(a2, b2), b2 = nextA(S, 2, t, a2, b2, ab2, bc2);
    kw = all(at + 12);
    t = temp(R, 3, f, e, kw), e = nextE(R, 3, t), bc = xor(b, a), a = nextA(R, 3, t, b, a, bc, ab);
    t = temp(S, 3, f2, e2, kw), e2 = nextE(S, 3, t), bc2 = xor(b2, a2), a2 = nextA(S, 3, t, b2, a2, bc2, ab2);
  }
  return hits(a, BETWEEN) | (hits(a2, BETWEEN + 16) << 4);
}
