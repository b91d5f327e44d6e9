/* Finds secrets in a text, also if they are escaped or cut short.
 * Takes any bytes for text; knows neither Lua nor the structure of JSON. */
#include "secrets.h"

/* A prefix of this length counts as the secret: servers and libcurl cut long messages. All tokens of
 * HubSpot begin with the same 8 characters or so ("pat-na1-"), which are not secret. */
enum { SHORTEST_BEGINNING = 12 };

/* JSON within JSON within JSON doubles the backslash of an escape twice. A limit is needed, because a text
 * of backslashes only would take quadratic time. */
enum { MOST_BACKSLASHES = 8, MOST_DIGITS = 6 };

static int digit(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : 16;
}

/* Reads up to `most` digits at *p and moves *p behind them. Returns -1 if there are fewer than `least`. */
static long read_number(const char **p, const char *end, int base, int least, int most)
{
  long value = 0;
  int count = 0;
  for (; count < most && *p < end && digit(**p) < base; ++*p, count++)
    value = value * base + digit(**p);
  return count < least ? -1 : value;
}

/* The character that the escape at *p stands for, and *p moved behind it; -1 when there is none: \/ and
 * \u002d as in JSON, %2D as in a URL, &#45; and &#x2d; as in HTML. */
static long read_escape(const char **p, const char *end)
{
  const char *begin = *p;
  if (*begin == '%') {
    ++*p;
    return read_number(p, end, 16, 2, 2);
  }
  if (*begin == '&') {
    if (end - begin < 3 || begin[1] != '#')
      return -1;
    int is_hexadecimal = begin[2] == 'x' || begin[2] == 'X';
    *p += 2 + is_hexadecimal;
    long code = read_number(p, end, is_hexadecimal ? 16 : 10, 1, MOST_DIGITS);
    return *p < end && *(*p)++ == ';' ? code : -1;
  }
  while (*p < end && **p == '\\' && *p - begin < MOST_BACKSLASHES)
    ++*p;
  if (*p == begin || *p == end)
    return -1;
  char c = *(*p)++;
  return c == 'u' ? read_number(p, end, 16, 4, 4) : (unsigned char)c;
}

/* The number of bytes at p that spell the character, or 0. */
static size_t spelling(const char *p, const char *end, char wanted)
{
  if (p == end)
    return 0;
  if (*p == wanted)
    return 1;
  if (*p != '\\' && *p != '%' && *p != '&')
    return 0;
  const char *behind = p;
  return read_escape(&behind, end) == (unsigned char)wanted ? (size_t)(behind - p) : 0;
}

/* The number of bytes at `text` that spell the secret, or a long enough prefix of it; or 0. */
static size_t shown(const hsa_secret *secret, const char *text, const char *end)
{
  const char *p = text;
  size_t count = 0, length;
  while (count < secret->length && (length = spelling(p, end, secret->bytes[count])) > 0) {
    p += length;
    count++;
  }
  return count == secret->length || count >= SHORTEST_BEGINNING ? (size_t)(p - text) : 0;
}

static size_t longest(const hsa_secrets *secrets, const char *text, const char *end)
{
  size_t most = 0;
  for (int i = 0; i < secrets->count; i++) {
    size_t length = shown(&secrets->list[i], text, end);
    most = length > most ? length : most;
  }
  return most;
}

/* Whether a secret may begin with this byte: a quick test that most bytes of a text fail. */
static int may_begin(const hsa_secrets *secrets, char c)
{
  for (int i = 0; i < secrets->count; i++)
    if (c == secrets->list[i].bytes[0])
      return 1;
  return c == '\\' || c == '%' || c == '&';
}

/* The least number of bytes that can spell one of the secrets. */
static size_t shortest(const hsa_secrets *secrets)
{
  size_t least = SHORTEST_BEGINNING;
  for (int i = 0; i < secrets->count; i++)
    least = secrets->list[i].length < least ? secrets->list[i].length : least;
  return least;
}

/* Overlapping spans are joined: what looks like a prefix of a secret may overlap with the secret itself. */
int hsa_secrets_find(const hsa_secrets *secrets, const char *text, size_t length, size_t from,
                     hsa_secrets_span *found)
{
  const char *end = text + length;
  size_t least = shortest(secrets), most;
  for (size_t i = from; i + least <= length; i++) {
    if (!may_begin(secrets, text[i]) || (most = longest(secrets, text + i, end)) == 0)
      continue;
    *found = (hsa_secrets_span){i, i + most};
    while (++i < found->end)
      if ((most = longest(secrets, text + i, end)) > found->end - i)
        found->end = i + most;
    return 1;
  }
  return 0;
}
