/* libcurl's options for one request: where to connect, what to send, which callbacks to call.
 * Constant options are tables; what depends on the request or the transport is set one by one. */
#include "http_private.h"

#include "url.h"

enum {
  PLAIN_UPLOAD = 256 * 1024, /* a full batch in one write */
  PLAIN_DOWNLOAD = 128 * 1024,
  TLS_UPLOAD = 16 * 1024, /* one TLS record */
};

typedef struct constant {
  CURLoption option; /* 0 ends a list */
  long value;
} constant;

static const constant ALWAYS[] = {
  {CURLOPT_PATH_AS_IS, 1},
  {CURLOPT_FOLLOWLOCATION, 0},
  {CURLOPT_NETRC, CURL_NETRC_IGNORED},
  {CURLOPT_SSL_VERIFYPEER, 1},
  {CURLOPT_SSL_VERIFYHOST, 2},
  {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
#if LIBCURL_VERSION_NUM < 0x075500
  {CURLOPT_PROTOCOLS, CURLPROTO_HTTPS | CURLPROTO_HTTP},
#endif
  {CURLOPT_VERBOSE, 1}, /* without it, libcurl does not call the debug function */
  {CURLOPT_NOSIGNAL, 1},
#if LIBCURL_VERSION_NUM >= 0x075700
  {CURLOPT_QUICK_EXIT, 1}, /* closing does not wait for a name look-up whose answer nobody needs */
#endif
  {0, 0},
};

static const constant PLAIN[] = {
  {CURLOPT_BUFFERSIZE, PLAIN_DOWNLOAD},
  {CURLOPT_UPLOAD_BUFFERSIZE, PLAIN_UPLOAD},
  {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
  {0, 0},
};

static const constant TLS[] = {
  {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
  {CURLOPT_BUFFERSIZE, HSA_HTTP_TLS_DOWNLOAD},
  /* Small parts, so that libcurl reads an early response before it writes on: once the server resets the
   * connection, the write fails, and libcurl does not look for the response any more. */
  {CURLOPT_UPLOAD_BUFFERSIZE, TLS_UPLOAD},
  {0, 0},
};

/* Of a stream. Nothing of HTTP goes over it, and no proxy that the environment names has a part in it. */
static const constant STREAM[] = {
  {CURLOPT_CONNECT_ONLY, 1},
  {CURLOPT_FRESH_CONNECT, 1}, /* never one that requests have used */
  {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
  {CURLOPT_SSL_ENABLE_ALPN, 0},
  {CURLOPT_TCP_KEEPALIVE, 1},
  {CURLOPT_VERBOSE, 0},
  {0, 0},
};

static CURLcode set_constants(CURL *easy, const constant *list)
{
  CURLcode result = CURLE_OK;
  for (; list->option != 0 && result == CURLE_OK; list++)
    result = curl_easy_setopt(easy, list->option, list->value);
  return result;
}

/* Leaves the function, with libcurl's error, when the call fails. */
#define TRY(call)                                                                                            \
  do {                                                                                                       \
    CURLcode tried = (call);                                                                                 \
    if (tried != CURLE_OK)                                                                                   \
      return tried;                                                                                          \
  } while (0)

static CURLcode set_trust(CURL *easy, const hsa_http *http)
{
  int replaces = !http->keep_default_ca && (http->ca_file != NULL || http->ca_path != NULL);
  if (replaces || http->ca_file != NULL)
    TRY(curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file));
  if (replaces || http->ca_path != NULL)
    TRY(curl_easy_setopt(easy, CURLOPT_CAPATH, http->ca_path));
  return CURLE_OK;
}

static CURLcode set_tls_version(CURL *easy, int version)
{
  if (version == HSA_HTTP_1_1)
    return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  TRY(curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L));
  CURLcode result = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  int is_optional = version != HSA_HTTP_2; /* libcurl may be built without HTTP/2 */
  return is_optional && result == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_OK : result;
}

static CURLcode set_connection(CURL *easy, const hsa_http *http, const char *url)
{
  TRY(curl_easy_setopt(easy, CURLOPT_URL, url));
#if LIBCURL_VERSION_NUM >= 0x075500
  TRY(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http"));
#endif
  TRY(set_trust(easy, http));
  if (hsa_url_is_plain(url)) {
    /* Plain http is allowed to loopback only, and never through a proxy from the environment, which would see the
     * token. */
    TRY(curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"));
    return set_constants(easy, PLAIN);
  }
  if (http->proxy != NULL)
    TRY(curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy));
  TRY(set_constants(easy, TLS));
  return set_tls_version(easy, http->http_version);
}

static CURLcode set_message(CURL *easy, const hsa_http_call *call, struct curl_slist *headers)
{
  TRY(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers));
  TRY(curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "")); /* all that libcurl can decode */
  if (call->body != NULL) {
    TRY(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length));
    TRY(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body));
  }
  TRY(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method));
  TRY(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, call->timeout_ms));
  return curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, call->connect_timeout_ms);
}

static CURLcode set_callbacks(CURL *easy, hsa_http_request *request)
{
  hsa_http *http = request->http;
  TRY(curl_easy_setopt(easy, CURLOPT_PRIVATE, request));
  TRY(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->transfer.error));
  TRY(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, hsa_http_request_on_head));
  TRY(curl_easy_setopt(easy, CURLOPT_HEADERDATA, request));
  TRY(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, hsa_http_request_on_body));
  TRY(curl_easy_setopt(easy, CURLOPT_WRITEDATA, request));
  TRY(curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->max_response));
  TRY(curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, hsa_http_request_on_debug));
  TRY(curl_easy_setopt(easy, CURLOPT_DEBUGDATA, request));
  TRY(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, hsa_http_request_on_open));
  TRY(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request));
#if LIBCURL_VERSION_NUM >= 0x075000
  TRY(curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, hsa_http_request_on_ready));
  TRY(curl_easy_setopt(easy, CURLOPT_PREREQDATA, request));
#endif
  TRY(curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, hsa_http_sockets_on_close));
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
}

CURLcode hsa_http_options_set(hsa_http_request *request, const hsa_http_call *call)
{
  CURL *easy = request->transfer.easy;
  TRY(set_constants(easy, ALWAYS));
  TRY(set_connection(easy, request->http, call->url));
  TRY(set_message(easy, call, request->transfer.headers));
  return set_callbacks(easy, request);
}

CURLcode hsa_http_options_connect(CURL *easy, hsa_http *http, const hsa_http_target *target, const char *url)
{
  TRY(set_constants(easy, ALWAYS));
  TRY(set_constants(easy, STREAM));
#if LIBCURL_VERSION_NUM >= 0x075500
  TRY(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http"));
#endif
  TRY(curl_easy_setopt(easy, CURLOPT_URL, url));
  TRY(curl_easy_setopt(easy, CURLOPT_PROXY, ""));
  TRY(set_trust(easy, http));
  TRY(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, target->connect_timeout_ms));
  TRY(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, hsa_http_sockets_on_open));
  TRY(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http));
  TRY(curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, hsa_http_sockets_on_close));
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
}
