#ifndef HSA_BUFFER_H
#define HSA_BUFFER_H

#include <stddef.h>
#include <string.h>

typedef enum hsa_status {
  HSA_OK = 0,
  HSA_NO_MEMORY,
  HSA_TOO_LARGE, /* the buffer would be over its limit */
  HSA_BAD_UTF8,
} hsa_status;

/* Zeroed, but for the limit, it is an empty buffer. A call that fails changes nothing. */
typedef struct hsa_buffer {
  char *data;
  size_t length;
  size_t capacity;
  size_t limit;
} hsa_buffer;

void hsa_buffer_init(hsa_buffer *buffer, size_t limit);
void hsa_buffer_free(hsa_buffer *buffer);

/* The slow path of hsa_buffer_reserve. */
hsa_status hsa_buffer_grow(hsa_buffer *buffer, size_t extra);

/* Makes room for `extra` more bytes at data + length. */
static inline hsa_status hsa_buffer_reserve(hsa_buffer *buffer, size_t extra)
{
  int fits = buffer->data != NULL && extra <= buffer->capacity - buffer->length;
  return fits ? HSA_OK : hsa_buffer_grow(buffer, extra);
}

static inline hsa_status hsa_buffer_append(hsa_buffer *buffer, const void *bytes, size_t count)
{
  hsa_status status = hsa_buffer_reserve(buffer, count);
  if (status == HSA_OK && count > 0) {
    memcpy(buffer->data + buffer->length, bytes, count);
    buffer->length += count;
  }
  return status;
}

#endif
