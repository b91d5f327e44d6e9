#ifndef HSA_JSON_READ_H
#define HSA_JSON_READ_H

#include <stddef.h>

typedef enum hsa_json_token {
  HSA_JSON_ERROR = 0, /* reader->error says what is wrong */
  HSA_JSON_END,
  HSA_JSON_OBJECT = '{',
  HSA_JSON_OBJECT_END = '}',
  HSA_JSON_LIST = '[',
  HSA_JSON_LIST_END = ']',
  HSA_JSON_COLON = ':',
  HSA_JSON_COMMA = ',',
  HSA_JSON_STRING = '"',
  HSA_JSON_NUMBER = '0',
  HSA_JSON_TRUE = 't',
  HSA_JSON_FALSE = 'f',
  HSA_JSON_NULL = 'n',
} hsa_json_token;

/* Limits that all readers share, so that they accept the same texts. A response to a full batch has some
 * ten thousand values; one as a Lua value may take fifty times the memory of its JSON. */
enum { HSA_JSON_MAX_DEPTH = 64, HSA_JSON_MAX_VALUES = 1024 * 1024, HSA_JSON_LONG_NUMBER = 400 };

/* A position in a JSON text, and the token read last. */
typedef struct hsa_json_reader {
  const char *begin, *next, *end;
  const char *text; /* of the token; a string's is without its quotes */
  size_t length;
  int has_escapes; /* a string with backslashes */
  int is_integer;  /* a number without fraction and exponent */
  int values;      /* passed to hsa_json_begin so far */
  const char *error;
} hsa_json_reader;

void hsa_json_init(hsa_json_reader *reader, const char *text, size_t length);

/* Reads the next token. */
hsa_json_token hsa_json_next(hsa_json_reader *reader);

/* Checks the value that `token` begins against the limits. Returns 0 with reader->error set if it is over
 * one. `depth` is the number of levels that may still be nested. To be called once for each value. */
int hsa_json_begin(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Reads over the rest of a value that hsa_json_begin accepted, and checks its syntax. Returns 0 with
 * reader->error set if that is wrong. */
int hsa_json_skip_begun(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Both. */
int hsa_json_skip(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Sets reader->error, unless it is set. Returns 0. */
int hsa_json_fail(hsa_json_reader *reader, const char *error);

/* Writes the string whose text is given to `to`, which has room for `length` bytes, and returns its
 * length: unescaped, it is never longer. */
size_t hsa_json_unescape(char *to, const char *text, size_t length);

#endif
