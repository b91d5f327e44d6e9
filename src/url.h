#ifndef HSA_URL_H
#define HSA_URL_H

/* NULL when a request with a token may be sent to `url`. Otherwise the reason why not: a static text that does not
 * repeat the URL. */
const char *hsa_url_invalid(const char *url);

/* Whether `url`, which is valid, is plain http. */
int hsa_url_is_plain(const char *url);

#endif
