/* What libcurl is told of a request: how to connect, what to send, whom to call. */
#include "http_private.h"

#include "url.h"

enum {
  PLAIN_UPLOAD = 256 * 1024, /* a full batch in one write */
  PLAIN_DOWNLOAD = 128 * 1024,
  TLS_UPLOAD = 16 * 1024, /* a record */
};

#define SET(option, value)                                                                                   \
  if ((result = curl_easy_setopt(easy, option, value)) != CURLE_OK)                                          \
  return result

static CURLcode set_reach(CURL *easy, hsa_http *http, const char *url)
{
  CURLcode result;
  SET(CURLOPT_URL, url);
  SET(CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "https,http");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#endif
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  int replaces = !http->keep_default_ca && (http->ca_file != NULL || http->ca_path != NULL);
  if (replaces || http->ca_file != NULL)
    SET(CURLOPT_CAINFO, http->ca_file);
  if (replaces || http->ca_path != NULL)
    SET(CURLOPT_CAPATH, http->ca_path);
  if (hsa_url_is_plain(url)) {
    /* This machine, in the clear: no proxy of the environment's may see it. */
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_BUFFERSIZE, (long)PLAIN_DOWNLOAD);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)PLAIN_UPLOAD);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
  }
  if (http->proxy != NULL)
    SET(CURLOPT_PROXY, http->proxy);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_BUFFERSIZE, (long)HSA_HTTP_TLS_DOWNLOAD);
  /* An early response is read before the next part of the body is written: one that is reset behind it would fail
   * the write, and libcurl does not look for a response then. */
  SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)TLS_UPLOAD);
  if (http->http_version == HSA_HTTP_1_1) {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
  }
  SET(CURLOPT_PIPEWAIT, 1L);
  result = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  int may_lack = http->http_version == 0; /* libcurl may be built without HTTP/2 */
  return may_lack && result == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_OK : result;
}

static CURLcode set_message(CURL *easy, const hsa_http_call *call, struct curl_slist *headers)
{
  CURLcode result;
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  if (call->body != NULL) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
    SET(CURLOPT_POSTFIELDS, call->body);
  }
  SET(CURLOPT_CUSTOMREQUEST, call->method);
  SET(CURLOPT_TIMEOUT_MS, call->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, call->connect_timeout_ms);
  return CURLE_OK;
}

static CURLcode set_callbacks(CURL *easy, hsa_http *http, hsa_http_request *request)
{
  CURLcode result;
  SET(CURLOPT_PRIVATE, request);
  SET(CURLOPT_ERRORBUFFER, request->transfer.error);
  SET(CURLOPT_HEADERFUNCTION, hsa_http_request_on_head);
  SET(CURLOPT_HEADERDATA, request);
  SET(CURLOPT_WRITEFUNCTION, hsa_http_request_on_body);
  SET(CURLOPT_WRITEDATA, request);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->max_response);
  SET(CURLOPT_VERBOSE, 1L); /* else there is no debug function */
  SET(CURLOPT_DEBUGFUNCTION, hsa_http_request_on_debug);
  SET(CURLOPT_DEBUGDATA, request);
  SET(CURLOPT_OPENSOCKETFUNCTION, hsa_http_request_on_open);
  SET(CURLOPT_OPENSOCKETDATA, request);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_PREREQFUNCTION, hsa_http_request_on_ready);
  SET(CURLOPT_PREREQDATA, request);
#endif
  SET(CURLOPT_CLOSESOCKETFUNCTION, hsa_http_sockets_on_close);
  SET(CURLOPT_CLOSESOCKETDATA, http);
  SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name look-up that nobody needs any more */
#endif
  return CURLE_OK;
}

#undef SET

CURLcode hsa_http_options_set(hsa_http_request *request, const hsa_http_call *call)
{
  CURL *easy = request->transfer.easy;
  CURLcode result = set_reach(easy, request->http, call->url);
  if (result == CURLE_OK)
    result = set_message(easy, call, request->transfer.headers);
  if (result == CURLE_OK)
    result = set_callbacks(easy, request->http, request);
  return result;
}
