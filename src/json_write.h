#ifndef HSA_JSON_WRITE_H
#define HSA_JSON_WRITE_H

#include "buffer.h"

#include <stdint.h>

/* Appends `count` bytes of UTF-8 as a JSON string, quotes included. */
hsa_status hsa_json_write_string(hsa_buffer *out, const char *bytes, size_t count);
hsa_status hsa_json_write_integer(hsa_buffer *out, int64_t value);

#endif
