#ifndef HSA_POOL_H
#define HSA_POOL_H

#include "buffer.h"

/* What a buffer is for: buffers for one thing are about as large. */
typedef enum hsa_pool_kind {
  HSA_POOL_JSON,
  HSA_POOL_ENTRIES,
  HSA_POOL_RESPONSE,
  HSA_POOL_KINDS
} hsa_pool_kind;

/* MOST_BYTES: what a pool keeps at most, of all kinds: the memory of two full batches and their responses. */
enum { HSA_POOL_MOST = 4, HSA_POOL_LEAST_BYTES = 4096, HSA_POOL_MOST_BYTES = 2 * 1024 * 1024 };

/* Memory of buffers that were freed, for those to come. Zeroed, it is an empty pool. NULL is one that keeps nothing. */
typedef struct hsa_pool {
  hsa_buffer spare[HSA_POOL_KINDS][HSA_POOL_MOST];
  int count[HSA_POOL_KINDS];
  size_t bytes;
  unsigned taken; /* how often memory was asked for */
  int is_closed;  /* it keeps nothing any more */
} hsa_pool;

/* Gives memory to an empty buffer, if there is some that its limit allows. */
void hsa_pool_take(hsa_pool *pool, hsa_pool_kind kind, hsa_buffer *buffer);

/* In place of hsa_buffer_free. Returns pool->taken, for hsa_pool_tidy. */
unsigned hsa_pool_give(hsa_pool *pool, hsa_pool_kind kind, hsa_buffer *buffer);

/* Frees all if nobody has asked for memory since hsa_pool_give returned `taken`. */
void hsa_pool_tidy(hsa_pool *pool, unsigned taken);

/* Frees all. */
void hsa_pool_drain(hsa_pool *pool);

#endif
