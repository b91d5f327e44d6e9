#ifndef HSA_SECRETS_H
#define HSA_SECRETS_H

#include <stddef.h>

/* The token that was sent, and the one before it. */
enum { HSA_SECRETS_MOST = 2 };

typedef struct hsa_secret {
  const char *bytes;
  size_t length; /* not 0 */
} hsa_secret;

typedef struct hsa_secrets {
  hsa_secret list[HSA_SECRETS_MOST];
  int count;
} hsa_secrets;

typedef struct hsa_secrets_span {
  size_t begin, end;
} hsa_secrets_span;

/* Finds the first span at or after `from` that spells a secret. Returns 0 if there is none. */
int hsa_secrets_find(const hsa_secrets *secrets, const char *text, size_t length, size_t from,
                     hsa_secrets_span *found);

#endif
