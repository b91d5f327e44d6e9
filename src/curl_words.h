#ifndef HSA_CURL_WORDS_H
#define HSA_CURL_WORDS_H

#include <stddef.h>

typedef enum hsa_word {
  HSA_WORD_OTHER,
  HSA_WORD_STREAM,  /* the request is this stream of its connection */
  HSA_WORD_GOAWAY,  /* the server did nothing of streams above this one */
  HSA_WORD_REFUSED, /* the server did nothing of this request's stream */
} hsa_word;

/* What libcurl tells in words only; *stream is set for STREAM and GOAWAY. */
hsa_word hsa_curl_words(const char *text, size_t length, long *stream);

#endif
