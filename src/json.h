#ifndef HSA_JSON_H
#define HSA_JSON_H

#include "buffer.h"

#include <stdint.h>

/* Appends `count` bytes of UTF-8 as a JSON string, quotes included. */
hsa_status hsa_json_string(hsa_buffer *out, const char *bytes, size_t count);
hsa_status hsa_json_integer(hsa_buffer *out, int64_t value);

/* True when the text has an object key that ends in ObjectId and whose value is an integer. */
int hsa_json_has_numeric_ids(const char *text, size_t length);

/* Appends `text` with each such integer in quotes, so that no digit of an id is lost to a decoder
 * that reads numbers as doubles. All else passes through unchanged, valid JSON or not. */
hsa_status hsa_json_quote_ids(hsa_buffer *out, const char *text, size_t length);

#endif
