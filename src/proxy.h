#ifndef HSA_PROXY_H
#define HSA_PROXY_H

#include <stddef.h>

/* Why libcurl cannot use the URL of a proxy, or would misread it: a static reason that shows nothing of it.
 * NULL when it can; then `shown` is the URL without user, password, path and query. */
const char *hsa_proxy_invalid(const char *url, char *shown, size_t room);

#endif
