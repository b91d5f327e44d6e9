/* Reads what libcurl tells about HTTP/2 streams only in the texts for its debug function: no option and no error code
 * says that the server did not process a request. The texts are those of libcurl 7.83 to 8.17. With any other, such a
 * request counts as one that may have been done, which is the safe mistake.
 * Only the beginning of a text is compared, because the rest may contain the server's own words. */
#include "curl_words.h"

#include <stdlib.h>
#include <string.h>

/* The text behind `words`, or NULL when it does not begin with them. */
static const char *after(const char *text, const char *words)
{
  size_t length = strlen(words);
  return strncmp(text, words, length) == 0 ? text + length : NULL;
}

static const char *after_any(const char *text, const char *const *words)
{
  const char *rest = NULL;
  while (rest == NULL && *words != NULL)
    rest = after(text, *words++);
  return rest;
}

static int number(const char *digits, long *value)
{
  char *end;
  *value = strtol(digits, &end, 10);
  return end > digits;
}

hsa_curl_word hsa_curl_words_read(const char *text, size_t length, long *stream)
{
  static const char *const OPENED[] = {"Using Stream ID: ", "[HTTP/2] [", NULL};
  static const char *const GOAWAY[] = {"received GOAWAY, ", "recveived GOAWAY, ", NULL};
  static const char *const REFUSED[] = {"REFUSED_STREAM, retrying", NULL};
  char line[128]; /* a copy with a NUL, which libcurl's text may lack */
  const char *rest;
  size_t count = length < sizeof line ? length : sizeof line - 1;
  memcpy(line, text, count);
  line[count] = '\0';
  if ((rest = after_any(line, OPENED)) != NULL && number(rest, stream))
    return HSA_CURL_WORD_STREAM;
  if ((rest = after_any(line, GOAWAY)) != NULL && (rest = strstr(rest, "last_stream=")) != NULL
      && number(rest + strlen("last_stream="), stream))
    return HSA_CURL_WORD_GOAWAY;
  return after_any(line, REFUSED) != NULL ? HSA_CURL_WORD_REFUSED : HSA_CURL_WORD_OTHER;
}
