/* Keeps the memory of buffers for those to come. The system takes back memory that is freed, and gives it out again page
 * by page, at the first touch of each: with fresh buffers, a batch took 1.2 times as long.
 * It never keeps more than its ceiling, and nothing while no requests are made: see hsa_pool_tidy. Knows neither Lua nor
 * libcurl. */
#include "pool.h"

void hsa_pool_take(hsa_pool *pool, hsa_pool_kind kind, hsa_buffer *buffer)
{
  if (pool == NULL)
    return;
  pool->taken++;
  if (pool->count[kind] == 0)
    return;
  hsa_buffer *spare = &pool->spare[kind][pool->count[kind] - 1];
  if (spare->capacity > buffer->limit)
    return;
  buffer->data = spare->data;
  buffer->capacity = spare->capacity;
  pool->bytes -= spare->capacity;
  pool->count[kind]--;
}

unsigned hsa_pool_give(hsa_pool *pool, hsa_pool_kind kind, hsa_buffer *buffer)
{
  if (pool == NULL || pool->is_closed || pool->count[kind] == HSA_POOL_MOST
      || buffer->capacity < HSA_POOL_LEAST_BYTES || buffer->capacity > HSA_POOL_MOST_BYTES - pool->bytes) {
    hsa_buffer_free(buffer);
  } else {
    pool->spare[kind][pool->count[kind]++] = *buffer;
    pool->bytes += buffer->capacity;
    hsa_buffer_init(buffer, buffer->limit);
  }
  return pool == NULL ? 0 : pool->taken;
}

void hsa_pool_tidy(hsa_pool *pool, unsigned taken)
{
  if (pool != NULL && pool->taken == taken)
    hsa_pool_drain(pool);
}

void hsa_pool_drain(hsa_pool *pool)
{
  for (int kind = 0; kind < HSA_POOL_KINDS; kind++)
    while (pool->count[kind] > 0)
      hsa_buffer_free(&pool->spare[kind][--pool->count[kind]]);
  pool->bytes = 0;
}
