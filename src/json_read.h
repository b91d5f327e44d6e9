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

/* Limits of all who read a text, so that one does not take what another rejects: what a response to a full batch
 * has is some ten thousands of values, each of which may take fifty times its JSON in memory. */
enum { HSA_JSON_MAX_DEPTH = 64, HSA_JSON_MAX_VALUES = 1024 * 1024, HSA_JSON_LONG_NUMBER = 400 };

/* A place in a JSON text, and the token read last. */
typedef struct hsa_json_reader {
  const char *begin, *next, *end;
  const char *text; /* of the token: a string's without its quotes, a number's whole */
  size_t length;
  int has_escapes; /* of a string: it has backslashes in it */
  int is_integer;  /* of a number: it has neither fraction nor exponent */
  int values;      /* that were begun */
  const char *error;
} hsa_json_reader;

void hsa_json_init(hsa_json_reader *reader, const char *text, size_t length);

/* The next token. */
hsa_json_token hsa_json_next(hsa_json_reader *reader);

/* Counts the value that `token` begins, and checks it against the limits: 1, or 0 with reader->error. `depth` is
 * how many objects and lists may be within each other from here on. To be called once for each value. */
int hsa_json_begin(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Reads the rest of the value that `token` begins, and that was begun, checking its syntax: 1, or 0 with
 * reader->error. */
int hsa_json_skip_begun(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Begins it, too. */
int hsa_json_skip(hsa_json_reader *reader, hsa_json_token token, int depth);

/* Notes an error at the token read last; returns 0. */
int hsa_json_fail(hsa_json_reader *reader, const char *error);

/* Writes what a string's text stands for to `to`, which has room for `length` bytes (it is never longer):
 * how many bytes it is. */
size_t hsa_json_unescape(char *to, const char *text, size_t length);

#endif
