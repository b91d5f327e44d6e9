/* Checks src/pool.c: what it keeps, what it gives out, and when it gives all back. For pool_spec.lua. */
#include "../../src/pool.h"

#include <stdio.h>

static int failures;

static void check(int holds, const char *what)
{
  if (!holds) {
    printf("not so: %s\n", what);
    failures++;
  }
}

static hsa_buffer buffer_of(size_t capacity)
{
  hsa_buffer buffer;
  hsa_buffer_init(&buffer, 64 * 1024 * 1024);
  if (hsa_buffer_reserve(&buffer, capacity) != HSA_OK)
    check(0, "there is memory");
  return buffer;
}

static void check_reuse(void)
{
  hsa_pool pool = {.bytes = 0};
  hsa_buffer one = buffer_of(8192), two = buffer_of(0), small = buffer_of(100);
  char *data = one.data;
  one.length = 10;
  hsa_buffer_free(&two);
  hsa_pool_give(&pool, HSA_POOL_JSON, &one);
  check(one.data == NULL && one.length == 0 && one.capacity == 0 && one.limit > 0,
        "a buffer is empty once given");
  hsa_pool_give(&pool, HSA_POOL_JSON, &small);
  check(pool.count[HSA_POOL_JSON] == 1 && small.data == NULL, "little memory is not kept");
  hsa_pool_take(&pool, HSA_POOL_RESPONSE, &two);
  check(two.data == NULL, "memory is kept for what it was for");
  hsa_pool_take(&pool, HSA_POOL_JSON, &two);
  check(two.data == data && two.capacity == 8192 && two.length == 0, "memory is used again");
  check(pool.bytes == 0, "what is used is not counted");
  hsa_pool_give(&pool, HSA_POOL_JSON, &two);
  hsa_buffer tight;
  hsa_buffer_init(&tight, 4096);
  hsa_pool_take(&pool, HSA_POOL_JSON, &tight);
  check(tight.data == NULL, "no buffer gets more than its limit");
  hsa_pool_drain(&pool);
}

static void check_ceiling(void)
{
  hsa_pool pool = {.bytes = 0};
  size_t kept = 0;
  for (int i = 0; i < 40; i++) {
    hsa_buffer buffer = buffer_of((size_t)(i % 7 + 1) * 200 * 1024);
    hsa_pool_give(&pool, (hsa_pool_kind)(i % HSA_POOL_KINDS), &buffer);
    check(pool.bytes <= HSA_POOL_MOST_BYTES, "it has a ceiling");
  }
  for (int kind = 0; kind < HSA_POOL_KINDS; kind++)
    for (int i = 0; i < pool.count[kind]; i++)
      kept += pool.spare[kind][i].capacity;
  check(kept == pool.bytes && kept > HSA_POOL_MOST_BYTES / 2, "it counts what it keeps");
  hsa_buffer large = buffer_of(HSA_POOL_MOST_BYTES + 1);
  hsa_pool_drain(&pool);
  hsa_pool_give(&pool, HSA_POOL_JSON, &large);
  check(pool.bytes == 0 && large.data == NULL, "what is over the ceiling by itself is freed");
}

static void check_tidy(void)
{
  hsa_pool pool = {.bytes = 0};
  hsa_buffer one = buffer_of(8192), other;
  hsa_buffer_init(&other, 8192);
  unsigned taken = hsa_pool_give(&pool, HSA_POOL_JSON, &one);
  hsa_pool_take(&pool, HSA_POOL_JSON, &other);
  unsigned later = hsa_pool_give(&pool, HSA_POOL_JSON, &other);
  hsa_pool_tidy(&pool, taken);
  check(pool.bytes > 0, "it keeps memory while some is asked for");
  hsa_pool_tidy(&pool, later);
  check(pool.bytes == 0, "it keeps none once nobody asks");
}

static void check_none(void)
{
  hsa_pool pool = {.is_closed = 1};
  hsa_buffer one = buffer_of(8192), other = buffer_of(8192);
  hsa_pool_give(&pool, HSA_POOL_JSON, &one);
  hsa_pool_give(NULL, HSA_POOL_JSON, &other);
  check(one.data == NULL && other.data == NULL && pool.bytes == 0,
        "what is closed, or not there, keeps nothing");
  hsa_pool_take(NULL, HSA_POOL_JSON, &one);
  hsa_pool_tidy(NULL, 0);
  check(one.data == NULL, "no pool gives nothing");
}

int main(void)
{
  check_reuse();
  check_ceiling();
  check_tidy();
  check_none();
  puts(failures == 0 ? "checked" : "failed");
  return failures;
}
