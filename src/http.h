#ifndef HSA_HTTP_H
#define HSA_HTTP_H

#include "buffer.h"

#include <stdint.h>

typedef struct hsa_http hsa_http; /* a transport */
typedef struct hsa_http_request hsa_http_request;

enum { HSA_HTTP_1_1 = 1, HSA_HTTP_2 };

/* Strings are copied; NULL stands for libcurl's default. */
typedef struct hsa_http_options {
  const char *proxy;
  const char *ca_file;
  const char *ca_path;
  int keep_default_ca; /* of ca_file and ca_path, one that is NULL stays libcurl's, also beside the other */
  int http_version;    /* HSA_HTTP_1_1, HSA_HTTP_2, or 0 for what libcurl makes of it */
  size_t max_response; /* bytes, after decompression */
} hsa_http_options;

/* What to ask. All but `body` is copied; `body` must stay until the request is done or freed. */
typedef struct hsa_http_call {
  const char *method;
  const char *url;
  const char *const *headers; /* "Name: value", ended by NULL */
  const char *body;           /* NULL for none */
  size_t body_length;
  long timeout_ms;
  long connect_timeout_ms;
} hsa_http_call;

/* What came of a request: a response, or a failure; or both, when the response broke off (`broken`): then status,
 * head and body are as far as they came. */
typedef struct hsa_http_result {
  const char *failure; /* its kind: network, timeout, tls, too_large, closed; NULL with a response */
  int code;            /* of a failure: the CURLcode, or 0 */
  int broken;          /* a failure, and a part of a response that may be of use */
  char message[256];   /* of a failure */
  long proxy_status;   /* a proxy's answer to CONNECT, or 0 */
  long proxy_code;     /* the CURLproxycode of a SOCKS proxy that refused, or 0 */
  int looked_up;       /* whether the address to connect to, the proxy's or the server's, was found */
  int sent;            /* whether the server may have done any of it */
  int again;           /* of a failure: worth a try on another connection at once */
  long status;
  const char *http_version;
  long connects; /* new connections it took: 0 when one was reused */
  double elapsed;
  hsa_buffer head; /* the header lines of the last response, each ended by CR LF */
  hsa_buffer body;
} hsa_http_result;

/* The version of the libcurl in use, e.g. "7.88.1". Initializes libcurl, once per process; NULL when
 * that fails. */
const char *hsa_http_libcurl(void);

/* NULL when there is no memory or no descriptor left: errno says which. */
hsa_http *hsa_http_new(const hsa_http_options *options);
void hsa_http_free(hsa_http *http);

/* Ends every request, which fail as `closed`, and every connection. The descriptor stays, readable from here
 * on, for those who wait for it, until all is freed. */
void hsa_http_shutdown(hsa_http *http);
int hsa_http_is_open(const hsa_http *http); /* whether it is not shut down */

/* Readable whenever hsa_http_step has something to do or a request is done and not received. The same for the
 * transport's life, in a forked child too (where every call below first begins anew). */
int hsa_http_fd(hsa_http *http);

/* Does what is ready; never waits. */
void hsa_http_step(hsa_http *http);

/* Makes the descriptor readable in at most `nanoseconds`, once: the next step that finds the time come has
 * done with it. The soonest of several counts. */
void hsa_http_wake(hsa_http *http, int64_t nanoseconds);

/* Requests that are not done. */
size_t hsa_http_pending(const hsa_http *http);

/* NULL, with *reason a static reason, when it cannot be sent. */
hsa_http_request *hsa_http_submit(hsa_http *http, const hsa_http_call *call, const char **reason);

/* NULL while the request is under way. The result lives as long as the request. */
const hsa_http_result *hsa_http_request_result(const hsa_http_request *request);

/* The owner of a request that is done has its result. */
void hsa_http_request_receive(hsa_http_request *request);

/* Ends it if it is under way, and frees it. */
void hsa_http_request_free(hsa_http_request *request);

#endif
