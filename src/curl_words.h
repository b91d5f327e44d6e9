#ifndef HSA_CURL_WORDS_H
#define HSA_CURL_WORDS_H

#include <stddef.h>

typedef enum hsa_curl_word {
  HSA_CURL_WORD_OTHER,   /* nothing of interest */
  HSA_CURL_WORD_STREAM,  /* the request is this stream of its connection */
  HSA_CURL_WORD_GOAWAY,  /* the server did nothing of streams above this one */
  HSA_CURL_WORD_REFUSED, /* the server did nothing of this request's stream */
} hsa_curl_word;

/* Reads a text of libcurl's debug function. *stream is set for STREAM and GOAWAY. */
hsa_curl_word hsa_curl_words_read(const char *text, size_t length, long *stream);

#endif
