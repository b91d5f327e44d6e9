/* Reads JSON text (RFC 8259) token by token, from memory, without copying.
 * Knows neither Lua nor HubSpot; its callers build, compare or skip. Lenient in one thing only: control
 * characters in strings are taken as they are. To look for them costs 8 % of decoding; and what they could do
 * is done elsewhere: nothing with one is an id, and what is printed is made one line. To refuse them would make
 * a success whose text has one, as of a gateway, a response that confirms nothing. */
#include "json_read.h"

#include "json_scan.h"

#include <string.h>

/* Half of all tokens are one character long. hsa_json_next needs no stack frame for them, as long as the
 * compiler does not inline the functions for the others. */
#define OUT_OF_LINE __attribute__((noinline))

void hsa_json_init(hsa_json_reader *reader, const char *text, size_t length)
{
  *reader = (hsa_json_reader){.begin = text, .next = text, .end = text + length, .text = text};
}

int hsa_json_fail(hsa_json_reader *reader, const char *error)
{
  if (reader->error == NULL)
    reader->error = error;
  return 0;
}

static hsa_json_token fail(hsa_json_reader *reader, const char *error)
{
  hsa_json_fail(reader, error);
  return HSA_JSON_ERROR;
}

/* The four hexadecimal digits at p, or -1. */
static long hex4(const char *p, const char *end)
{
  long value = 0;
  if (end - p < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* The length of the escape that begins at p, or 0. */
static size_t escape_length(const char *p, const char *end)
{
  if (end - p < 2)
    return 0;
  if (p[1] == 'u')
    return hex4(p + 2, end) < 0 ? 0 : 6;
  return memchr("\"\\/bfnrt", p[1], 8) != NULL ? 2 : 0;
}

/* Reads a string from its first backslash on. */
static hsa_json_token read_escaped_string(hsa_json_reader *reader, const char *p)
{
  reader->has_escapes = 1;
  while (p < reader->end && *p == '\\') {
    size_t length = escape_length(p, reader->end);
    if (length == 0)
      return fail(reader, "an escape that JSON does not have");
    p = hsa_json_scan(p + length, reader->end);
  }
  if (p == reader->end)
    return fail(reader, "a string without an end");
  reader->length = (size_t)(p - reader->text);
  reader->next = p + 1;
  return HSA_JSON_STRING;
}

static OUT_OF_LINE hsa_json_token read_string(hsa_json_reader *reader)
{
  const char *begin = reader->next, *stop = hsa_json_scan(begin, reader->end);
  reader->text = begin;
  reader->has_escapes = 0;
  if (stop == reader->end || *stop == '\\')
    return read_escaped_string(reader, stop);
  reader->length = (size_t)(stop - begin);
  reader->next = stop + 1;
  return HSA_JSON_STRING;
}

static const char *skip_digits(const char *p, const char *end)
{
  while (p < end && *p >= '0' && *p <= '9')
    p++;
  return p;
}

static OUT_OF_LINE hsa_json_token read_number(hsa_json_reader *reader)
{
  const char *p = reader->next - 1, *end = reader->end, *digits;
  reader->text = p;
  reader->is_integer = 1;
  p += *p == '-';
  digits = p;
  p = skip_digits(p, end);
  if (p == digits || (*digits == '0' && p - digits > 1))
    return fail(reader, "not a number");
  if (p < end && *p == '.') {
    reader->is_integer = 0;
    digits = ++p;
    if ((p = skip_digits(p, end)) == digits)
      return fail(reader, "not a number");
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    reader->is_integer = 0;
    p++;
    p += p < end && (*p == '+' || *p == '-');
    digits = p;
    if ((p = skip_digits(p, end)) == digits)
      return fail(reader, "not a number");
  }
  reader->length = (size_t)(p - reader->text);
  reader->next = p;
  return HSA_JSON_NUMBER;
}

static OUT_OF_LINE hsa_json_token read_word(hsa_json_reader *reader, const char *word, hsa_json_token token)
{
  size_t length = strlen(word);
  reader->text = reader->next - 1;
  if ((size_t)(reader->end - reader->text) < length || memcmp(reader->text, word, length) != 0)
    return fail(reader, "not a JSON value");
  reader->length = length;
  reader->next = reader->text + length;
  return token;
}

hsa_json_token hsa_json_next(hsa_json_reader *reader)
{
  const char *p = reader->next;
  while (p < reader->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  reader->text = p;
  if (p == reader->end)
    return HSA_JSON_END;
  reader->next = p + 1;
  switch (*p) {
  case '"':
    return read_string(reader);
  case '{':
  case '}':
  case '[':
  case ']':
  case ':':
  case ',':
    return (hsa_json_token)*p;
  case 't':
    return read_word(reader, "true", HSA_JSON_TRUE);
  case 'f':
    return read_word(reader, "false", HSA_JSON_FALSE);
  case 'n':
    return read_word(reader, "null", HSA_JSON_NULL);
  default:
    return *p == '-' || (*p >= '0' && *p <= '9') ? read_number(reader) : fail(reader, "not a JSON value");
  }
}

static int skip_object(hsa_json_reader *reader, int depth)
{
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_OBJECT_END)
    return 1;
  for (;;) {
    if (token != HSA_JSON_STRING || hsa_json_next(reader) != HSA_JSON_COLON)
      return hsa_json_fail(reader, "a key is missing");
    if (!hsa_json_skip(reader, hsa_json_next(reader), depth - 1))
      return 0;
    token = hsa_json_next(reader);
    if (token != HSA_JSON_COMMA)
      return token == HSA_JSON_OBJECT_END ? 1 : hsa_json_fail(reader, "an object without an end");
    token = hsa_json_next(reader);
  }
}

static int skip_list(hsa_json_reader *reader, int depth)
{
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_LIST_END)
    return 1;
  for (;;) {
    if (!hsa_json_skip(reader, token, depth - 1))
      return 0;
    token = hsa_json_next(reader);
    if (token != HSA_JSON_COMMA)
      return token == HSA_JSON_LIST_END ? 1 : hsa_json_fail(reader, "a list without an end");
    token = hsa_json_next(reader);
  }
}

int hsa_json_begin(hsa_json_reader *reader, hsa_json_token token, int depth)
{
  if (depth == 0 && (token == HSA_JSON_OBJECT || token == HSA_JSON_LIST))
    return hsa_json_fail(reader, "nested too deeply");
  if (++reader->values > HSA_JSON_MAX_VALUES)
    return hsa_json_fail(reader, "more values than a response has");
  if (token == HSA_JSON_NUMBER && reader->length >= HSA_JSON_LONG_NUMBER)
    return hsa_json_fail(reader, "a number too long");
  return 1;
}

int hsa_json_skip_begun(hsa_json_reader *reader, hsa_json_token token, int depth)
{
  switch (token) {
  case HSA_JSON_OBJECT:
    return skip_object(reader, depth);
  case HSA_JSON_LIST:
    return skip_list(reader, depth);
  case HSA_JSON_STRING:
  case HSA_JSON_NUMBER:
  case HSA_JSON_TRUE:
  case HSA_JSON_FALSE:
  case HSA_JSON_NULL:
    return 1;
  default:
    return hsa_json_fail(reader, "a value is missing");
  }
}

int hsa_json_skip(hsa_json_reader *reader, hsa_json_token token, int depth)
{
  return hsa_json_begin(reader, token, depth) && hsa_json_skip_begun(reader, token, depth);
}

/* ---- escapes ---- */

static size_t write_utf8(char *to, long code)
{
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (char)(0xC0 | (code >> 6));
    to[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (char)(0xE0 | (code >> 12));
    to[1] = (char)(0x80 | ((code >> 6) & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | (code >> 18));
  to[1] = (char)(0x80 | ((code >> 12) & 0x3F));
  to[2] = (char)(0x80 | ((code >> 6) & 0x3F));
  to[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

/* Reads the code point of a \u escape whose digits begin at *p, and moves *p behind it. A pair of
 * surrogates is one code point; a surrogate by itself is U+FFFD. */
static long read_unicode(const char **p, const char *end)
{
  long code = hex4(*p, end);
  *p += 4;
  if (code < 0xD800 || code > 0xDFFF)
    return code;
  if (code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
    long low = hex4(*p + 2, end);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      *p += 6;
      return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  return 0xFFFD;
}

size_t hsa_json_unescape(char *to, const char *text, size_t length)
{
  const char *p = text, *end = text + length;
  char *begin = to;
  while (p < end) {
    if (*p != '\\') {
      *to++ = *p++;
      continue;
    }
    char kind = p[1];
    p += 2;
    if (kind == 'u') {
      to += write_utf8(to, read_unicode(&p, end));
      continue;
    }
    *to++ = (char)(kind == 'b'   ? '\b'
                   : kind == 'f' ? '\f'
                   : kind == 'n' ? '\n'
                   : kind == 'r' ? '\r'
                   : kind == 't' ? '\t'
                                 : kind);
  }
  return (size_t)(to - begin);
}
