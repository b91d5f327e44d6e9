/* A growable buffer with a limit. Knows neither Lua nor libcurl. */
#include "buffer.h"

#include <stdlib.h>

enum { SMALLEST = 256 };

void hsa_buffer_init(hsa_buffer *buffer, size_t limit)
{
  *buffer = (hsa_buffer){.limit = limit};
}

void hsa_buffer_free(hsa_buffer *buffer)
{
  free(buffer->data);
  hsa_buffer_init(buffer, buffer->limit);
}

hsa_status hsa_buffer_grow(hsa_buffer *buffer, size_t extra)
{
  /* As length <= limit, the subtraction cannot wrap; nor can the addition below. */
  if (extra > buffer->limit - buffer->length)
    return HSA_TOO_LARGE;
  size_t needed = buffer->length + extra;
  size_t capacity = buffer->capacity < SMALLEST ? SMALLEST : buffer->capacity;
  while (capacity < needed)
    capacity = capacity > buffer->limit / 2 ? buffer->limit : capacity * 2;
  if (capacity > buffer->limit)
    capacity = buffer->limit; /* which is at least what is needed: see above */
  char *data = realloc(buffer->data, capacity);
  if (data == NULL)
    return HSA_NO_MEMORY;
  buffer->data = data;
  buffer->capacity = capacity;
  return HSA_OK;
}
