/* Compares the scanners of src/json_scan.h with each other, and with a plain loop, on random texts that end where a page
 * ends: behind it is memory that must not be read. For json_scan_spec.lua.
 *
 *   json_scan SEED COUNT     prints how many places were compared; says which text failed, and fails */
#define _GNU_SOURCE
#include "../../src/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LONGEST = 100 };

static uint32_t state;

static uint32_t number_below(uint32_t limit)
{
  state = state * 1664525U + 1013904223U;
  return (state >> 8) % limit;
}

/* Most of the bytes differ in one bit from one that is looked for, or are one. */
static char random_byte(uint32_t rarity)
{
  static const char close[] = "\"\\\xa2\xdc!#][\x02|\xff";
  return number_below(rarity) == 0 ? close[number_below(sizeof close)] : (char)number_below(256);
}

static const char *scan_plainly(const char *p, const char *end)
{
  while (p < end && *p != '"' && *p != '\\')
    p++;
  return p;
}

static int compare(const char *begin, const char *end)
{
  for (const char *p = begin; p <= end; p++) {
    const char *expected = scan_plainly(p, end);
    if (hsa_json_scan(p, end) != expected || hsa_json_scan_portable(p, end) != expected)
      return 0;
  }
  return 1;
}

int main(int count, char **arguments)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  long texts = count > 2 ? atol(arguments[2]) : 1, places = 0;
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0)
    return 2;
  state = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1;
  for (long i = 0; i < texts; i++) {
    char *end = memory + page, *begin = end - number_below(LONGEST + 1);
    uint32_t rarity = 1 + number_below(40);
    for (char *p = begin; p < end; p++)
      *p = random_byte(rarity);
    if (!compare(begin, end)) {
      printf("text %ld\n", i + 1);
      return 1;
    }
    places += end - begin + 1;
  }
#ifdef HSA_JSON_SCAN_SSE2
  printf("sse2 %ld\n", places);
#else
  printf("portable %ld\n", places);
#endif
  return 0;
}
