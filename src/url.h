#ifndef HSA_URL_H
#define HSA_URL_H

/* NULL when a request with credentials may go to `url`; else the reason, as a static string that does
 * not repeat the URL. */
const char *hsa_url_invalid(const char *url);

/* True when `url`, already accepted, is plain http. */
int hsa_url_is_plain(const char *url);

#endif
