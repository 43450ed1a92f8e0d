/*
 * The search of packages/core/assembly/search.ts in C, four lanes of SSE: what a compiler makes of the same method.
 * Nothing is computed here that is not computed there, nor the other way round.
 *
 *     search TEXT LIMIT SECONDS
 *
 * TEXT is the 224 characters that are hashed, LIMIT the target's first 32 bits in hex. Prints the first four digits with
 * which TEXT's nonce may end so that the seal is low enough, or "none"; then attempts per second of processor time,
 * measured with a limit that hardly anything meets.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES 4
#define TEXT_BYTES 224
typedef uint32_t vec __attribute__((vector_size(4 * LANES)));

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const uint32_t INITIAL[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#define ROT(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define SUM0(x) (ROT(x, 2) ^ ROT(x, 13) ^ ROT(x, 22))
#define SUM1(x) (ROT(x, 6) ^ ROT(x, 11) ^ ROT(x, 25))
#define SIGMA0(x) (ROT(x, 7) ^ ROT(x, 18) ^ ((x) >> 3))
#define SIGMA1(x) (ROT(x, 17) ^ ROT(x, 19) ^ ((x) >> 10))
#define CHOICE(e, f, g) ((g) ^ ((e) & ((f) ^ (g))))

/* What is the same in all attempts that share all but the nonce's last four digits. */
struct job {
  uint32_t midstate[8]; /* after blocks 1 and 2 */
  uint32_t start[8];    /* after round 7 of block 3, but for word 7 */
  uint32_t fixed[22];   /* of block 3: the round's constant and the word, from round 8 on */
  uint32_t part[38];    /* of block 3: what of words 22 to 37 is constant */
  uint32_t last[64];    /* of block 4: the round's constant and the word */
};

static void expand(uint32_t w[64], const char *block) {
  for (int t = 0; t < 16; t++) {
    const uint8_t *p = (const uint8_t *)block + 4 * t;
    w[t] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
  }
  for (int t = 16; t < 64; t++) w[t] = SIGMA1(w[t - 2]) + w[t - 7] + SIGMA0(w[t - 15]) + w[t - 16];
}

static void scalar_round(uint32_t s[8], uint32_t kw) {
  uint32_t t = s[7] + SUM1(s[4]) + CHOICE(s[4], s[5], s[6]) + kw;
  uint32_t next = t + SUM0(s[0]) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
  s[3] += t;
  memmove(s + 1, s, 7 * sizeof *s);
  s[0] = next;
}

static void compress(uint32_t state[8], const char *block) {
  uint32_t w[64], s[8];
  expand(w, block);
  memcpy(s, state, sizeof s);
  for (int t = 0; t < 64; t++) scalar_round(s, K[t] + w[t]);
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void prepare(struct job *job, const char text[256]) {
  uint32_t w[64];
  memcpy(job->midstate, INITIAL, sizeof INITIAL);
  compress(job->midstate, text);
  compress(job->midstate, text + 64);
  expand(w, text + 192);
  for (int t = 0; t < 64; t++) job->last[t] = K[t] + w[t];
  expand(w, text + 128);
  memcpy(job->start, job->midstate, sizeof job->start);
  for (int t = 0; t < 8; t++) scalar_round(job->start, K[t] + (t < 7 ? w[t] : 0));
  for (int t = 8; t < 22; t++) job->fixed[t] = K[t] + w[t];
  job->part[22] = SIGMA1(w[20]) + w[15] + w[6];
  job->part[23] = SIGMA1(w[21]) + w[16] + SIGMA0(w[8]);
  for (int t = 24; t < 29; t++) job->part[t] = w[t - 7] + SIGMA0(w[t - 15]) + w[t - 16];
  for (int t = 29; t < 37; t++) job->part[t] = SIGMA0(w[t - 15]) + w[t - 16];
  job->part[37] = w[21];
}

static inline vec splat(uint32_t x) { return x - (vec){}; }

/* The four hex digits of a number below 0x10000, as ASCII. */
static inline vec digits(vec n) {
  vec v = ((n & 0xf000) << 12) | ((n & 0xf00) << 8) | ((n & 0xf0) << 4) | (n & 0xf);
  vec letters = ((v + 0x06060606) >> 4) & 0x01010101;
  return v + 0x30303030 + (letters << 5) + (letters << 3) - letters;
}

#define ROUND(a, b, c, d, e, f, g, h, hkw) \
  {                                        \
    vec t = (hkw) + CHOICE(e, f, g) + SUM1(e); \
    d += t;                                \
    vec ab = a ^ b;                        \
    h = t + (b ^ (ab & bc)) + SUM0(a);     \
    bc = ab;                               \
  }
#define W(t) w[(t) & 15]
#define WORD(t)                                                                     \
  W(t) = (t) == 22  ? job->part[22] + SIGMA0(w7)                                    \
         : (t) == 23 ? job->part[23] + w7                                           \
         : (t) < 29  ? job->part[(t) < 38 ? (t) : 0] + SIGMA1(W((t) - 2))           \
         : (t) < 37  ? job->part[(t) < 38 ? (t) : 0] + W((t) - 7) + SIGMA1(W((t) - 2)) \
         : (t) == 37 ? job->part[37] + W(30) + SIGMA0(W(22)) + SIGMA1(W(35))        \
                     : W((t) - 16) + W((t) - 7) + SIGMA0(W((t) - 15)) + SIGMA1(W((t) - 2));
#define ROUND3(a, b, c, d, e, f, g, h, t) \
  if ((t) >= 22) WORD(t)                  \
  ROUND(a, b, c, d, e, f, g, h, (t) < 22 ? h + job->fixed[(t) < 22 ? (t) : 0] : h + K[t] + W(t))
#define EIGHT_OF_BLOCK_3(t)                                                           \
  ROUND3(a, b, c, d, e, f, g, h, t) ROUND3(h, a, b, c, d, e, f, g, (t) + 1)           \
  ROUND3(g, h, a, b, c, d, e, f, (t) + 2) ROUND3(f, g, h, a, b, c, d, e, (t) + 3)     \
  ROUND3(e, f, g, h, a, b, c, d, (t) + 4) ROUND3(d, e, f, g, h, a, b, c, (t) + 5)     \
  ROUND3(c, d, e, f, g, h, a, b, (t) + 6) ROUND3(b, c, d, e, f, g, h, a, (t) + 7)

/* The nonces whose last four digits are `first` to `end` - 1; -1 where none may be low enough. */
__attribute__((noinline)) static int search(const struct job *job, uint32_t limit, uint32_t first, uint32_t end) {
  for (uint32_t n = first; n < end; n += LANES) {
    const vec lanes = {0, 1, 2, 3};
    const vec w7 = digits(n + lanes);
    const uint32_t *s = job->start, *m = job->midstate;
    vec w[16];
    vec a = s[0] + w7, b = splat(s[1]), c = splat(s[2]), d = splat(s[3]);
    vec e = s[4] + w7, f = splat(s[5]), g = splat(s[6]), h = splat(s[7]);
    vec bc = b ^ c;
    EIGHT_OF_BLOCK_3(8)
    EIGHT_OF_BLOCK_3(16)
    EIGHT_OF_BLOCK_3(24)
    EIGHT_OF_BLOCK_3(32)
    EIGHT_OF_BLOCK_3(40)
    EIGHT_OF_BLOCK_3(48)
    EIGHT_OF_BLOCK_3(56)
    a += m[0], b += m[1], c += m[2], d += m[3], e += m[4], f += m[5], g += m[6], h += m[7];
    const vec between = a;
    bc = b ^ c;
    for (const uint32_t *k = job->last; k < job->last + 64; k += 8) {
      ROUND(a, b, c, d, e, f, g, h, h + k[0])
      ROUND(h, a, b, c, d, e, f, g, g + k[1])
      ROUND(g, h, a, b, c, d, e, f, f + k[2])
      ROUND(f, g, h, a, b, c, d, e, e + k[3])
      ROUND(e, f, g, h, a, b, c, d, d + k[4])
      ROUND(d, e, f, g, h, a, b, c, c + k[5])
      ROUND(c, d, e, f, g, h, a, b, b + k[6])
      ROUND(b, c, d, e, f, g, h, a, a + k[7])
    }
    const vec hit = (vec)(a + between <= splat(limit));
    if (hit[0] | hit[1] | hit[2] | hit[3])
      for (uint32_t i = 0; i < LANES; i++)
        if (hit[i]) return n + i < end ? (int)(n + i) : -1;
  }
  return -1;
}

int main(int argc, char **argv) {
  if (argc != 4 || strlen(argv[1]) != TEXT_BYTES) return fputs("usage: search TEXT LIMIT SECONDS\n", stderr), 2;
  char text[256] = {0};
  static struct job job;
  memcpy(text, argv[1], TEXT_BYTES);
  text[TEXT_BYTES] = (char)0x80;
  text[254] = (char)(TEXT_BYTES * 8 >> 8);
  text[255] = (char)(TEXT_BYTES * 8 & 255);
  prepare(&job, text);
  const int found = search(&job, strtoul(argv[2], NULL, 16), 0, 0x10000);
  found < 0 ? puts("none") : printf("%04x\n", found);

  const double seconds = atof(argv[3]);
  const clock_t start = clock();
  double spent, attempts = 0;
  do {
    prepare(&job, text);
    if (search(&job, 0, 0, 0x10000) < 0) attempts += 0x10000;
    spent = (double)(clock() - start) / CLOCKS_PER_SEC;
  } while (spent < seconds);
  printf("%.0f\n", attempts / spent);
  return 0;
}
