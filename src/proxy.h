#ifndef HSA_PROXY_H
#define HSA_PROXY_H

#include <stddef.h>

/* NULL when libcurl can use this URL of a proxy: then `shown` is the URL without user, password, path and query.
 * Otherwise the reason why it cannot, or would misread it: a static text that shows nothing of the URL. */
const char *hsa_proxy_invalid(const char *url, char *shown, size_t room);

#endif
