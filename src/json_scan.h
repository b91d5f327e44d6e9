/* Where the plain part of a JSON string ends: 16 bytes at a time with SSE2, else eight. Two calls of memchr take longer,
 * because most strings of a response have some ten bytes: decoding a batch took 1.03 times as long with them. No byte at
 * or behind `end` is read. */
#ifndef HSA_JSON_SCAN_H
#define HSA_JSON_SCAN_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(HSA_PORTABLE)
#define HSA_JSON_SCAN_SSE2
#include <emmintrin.h>
#endif

/* The first quote or backslash from `p` on, or `end`. For every machine; see hsa_json_scan. */
static inline const char *hsa_json_scan_portable(const char *p, const char *end)
{
  const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
  for (; end - p >= 8; p += 8) {
    uint64_t bytes, quotes, backslashes;
    memcpy(&bytes, p, 8);
    quotes = bytes ^ (ones * '"'); /* the bytes that match are 0 */
    backslashes = bytes ^ (ones * '\\');
    /* Not 0 if one of them has a byte that is 0. Which one it is cannot be read from this in every byte order. */
    if (((((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & highs) != 0)
      break;
  }
  while (p < end && *p != '"' && *p != '\\')
    p++;
  return p;
}

/* The same, as fast as this machine can. */
static inline const char *hsa_json_scan(const char *p, const char *end)
{
#ifdef HSA_JSON_SCAN_SSE2
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
  for (; end - p >= 16; p += 16) {
    __m128i bytes = _mm_loadu_si128((const void *)p);
    int found =
      _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    if (found != 0)
      return p + __builtin_ctz((unsigned)found);
  }
#endif
  return hsa_json_scan_portable(p, end);
}

#endif
