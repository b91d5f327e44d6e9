/* Checks the URL of a proxy before it is used, and makes it fit to be shown.
 * libcurl itself reports a bad URL only when a request fails, with codes that other failures share, and with the
 * password in the text. */
#include "proxy.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static const char MALFORMED[] =
  "its URL is malformed: expected http://user:password@host:port, with special characters in the user and "
  "the password percent-encoded (an @ is %40)";

/* Parses the URL as libcurl does. An @ behind the host is an error, because a part of the password may stand there:
 * an unencoded slash in the password ends the host early. */
static const char *parse(CURLU *parsed, const char *url)
{
  static const CURLUPart AFTER_HOST[] = {CURLUPART_PATH, CURLUPART_QUERY, CURLUPART_FRAGMENT};
  static const CURLUPart SECRET[] = {CURLUPART_USER, CURLUPART_PASSWORD};
  char *value = NULL;
  CURLUcode result = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
  if (result == CURLUE_OUT_OF_MEMORY)
    return "not enough memory";
  if (result != CURLUE_OK)
    return MALFORMED;
  for (size_t i = 0; i < sizeof AFTER_HOST / sizeof *AFTER_HOST; i++)
    if (curl_url_get(parsed, AFTER_HOST[i], &value, 0) == CURLUE_OK) {
      int has_at = strchr(value, '@') != NULL;
      curl_free(value);
      if (has_at)
        return MALFORMED;
    }
  for (size_t i = 0; i < sizeof SECRET / sizeof *SECRET; i++) {
    result = curl_url_get(parsed, SECRET[i], &value, CURLU_URLDECODE);
    if (result == CURLUE_OK)
      curl_free(value);
    else if (result == CURLUE_URLDECODE) /* libcurl 7.88 would silently use no proxy */
      return "its user or password has control characters";
  }
  return NULL;
}

static const char *invalid_scheme(const char *scheme)
{
  static const char *const SCHEMES[] = {"http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"};
  for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++)
    if (strcmp(scheme, SCHEMES[i]) == 0) {
      int is_built = (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTPS_PROXY) != 0;
      return strcmp(scheme, "https") == 0 && !is_built ? "this libcurl is built without https proxies" : NULL;
    }
  return "its scheme is none of http, https, socks4, socks4a, socks5 and socks5h";
}

const char *hsa_proxy_invalid(const char *url, char *shown, size_t room)
{
  char *scheme = NULL, *host = NULL, *port = NULL;
  CURLU *parsed = curl_url();
  if (parsed == NULL)
    return "not enough memory";
  const char *reason = parse(parsed, url);
  if (reason == NULL
      && (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK
          || curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0'))
    reason = MALFORMED;
  if (reason == NULL)
    reason = invalid_scheme(scheme);
  if (reason == NULL) {
    curl_url_get(parsed, CURLUPART_PORT, &port, 0); /* NULL when there is none */
    snprintf(shown, room, "%s://%s%s%s", scheme, host, port != NULL ? ":" : "", port != NULL ? port : "");
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parsed);
  return reason;
}
