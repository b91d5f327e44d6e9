#ifndef HSA_JSON_READ_H
#define HSA_JSON_READ_H

#include <stddef.h>

typedef enum hsa_token {
  HSA_ERROR = 0, /* reader->error says what is wrong */
  HSA_END,
  HSA_OBJECT = '{',
  HSA_OBJECT_END = '}',
  HSA_LIST = '[',
  HSA_LIST_END = ']',
  HSA_COLON = ':',
  HSA_COMMA = ',',
  HSA_STRING = '"',
  HSA_NUMBER = '0',
  HSA_TRUE = 't',
  HSA_FALSE = 'f',
  HSA_NULL = 'n',
} hsa_token;

/* Limits of all who read a text, so that one does not take what another refuses: what an answer to a full batch
 * has is some ten thousands of values, each of which may take fifty times its JSON in memory. */
enum { HSA_MAX_DEPTH = 64, HSA_MOST_VALUES = 1024 * 1024, HSA_LONG_NUMBER = 400 };

/* A place in a JSON text, and the token read last. */
typedef struct hsa_reader {
  const char *begin, *next, *end;
  const char *text; /* of the token: a string's without its quotes, a number's whole */
  size_t length;
  int escaped; /* of a string: it has backslashes in it */
  int whole;   /* of a number: it has neither fraction nor exponent */
  int values;  /* that were begun */
  const char *error;
} hsa_reader;

void hsa_reader_init(hsa_reader *reader, const char *text, size_t length);

/* The next token. */
hsa_token hsa_read(hsa_reader *reader);

/* Counts the value that `token` begins, and checks it against the limits: 1, or 0 with reader->error. `depth` is
 * how many objects and lists may be within each other from here on. To be called once for each value. */
int hsa_begin_value(hsa_reader *reader, hsa_token token, int depth);

/* Reads the rest of the value that `token` begins, and that was begun, checking its syntax: 1, or 0 with
 * reader->error. */
int hsa_skip_begun(hsa_reader *reader, hsa_token token, int depth);

/* Begins it, too. */
int hsa_skip(hsa_reader *reader, hsa_token token, int depth);

/* Notes an error at the token read last; returns 0. */
int hsa_reader_fail(hsa_reader *reader, const char *error);

/* Writes what a string's text stands for to `to`, which has room for `length` bytes (it is never longer):
 * how many bytes it is. */
size_t hsa_unescape(char *to, const char *text, size_t length);

#endif
