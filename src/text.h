/* Texts that are compared and hashed in place. */
#ifndef HSA_TEXT_H
#define HSA_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that others own: often part of a JSON text. */
typedef struct hsa_text {
  const char *bytes;
  size_t length;
} hsa_text;

static inline int hsa_text_same(hsa_text one, hsa_text other)
{
  return one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
}

/* 64-bit FNV-1a. */
#define HSA_TEXT_HASH_BASIS UINT64_C(14695981039346656037)
static inline uint64_t hsa_text_hash(uint64_t hash, const char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  return hash;
}

/* A faster hash, of eight bytes at a time. It depends on the byte order: only for tables in memory. */
static inline uint64_t hsa_text_mix(uint64_t hash, hsa_text text)
{
  uint64_t part;
  for (; text.length > 8; text.bytes += 8, text.length -= 8) {
    memcpy(&part, text.bytes, 8);
    hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
  }
  part = 0;
  memcpy(&part, text.bytes, text.length);
  hash = (hash ^ part ^ ((uint64_t)text.length << 56)) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 32);
}

static inline uint64_t hsa_text_hash_pair(hsa_text from, hsa_text to)
{
  return hsa_text_mix(hsa_text_mix(HSA_TEXT_HASH_BASIS, from), to);
}

#endif
