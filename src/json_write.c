/* Appends JSON to a buffer: strings, whose UTF-8 is checked, and integers. Knows neither Lua nor libcurl. */
#include "json_write.h"

#include <string.h>

/* Printable ASCII that needs no escape in a JSON string. */
static int is_plain(unsigned char c)
{
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The length of the well-formed UTF-8 sequence at p (RFC 3629: no surrogates, nothing overlong,
 * nothing beyond U+10FFFF), or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t available)
{
  unsigned char low = 0x80, high = 0xBF;
  size_t length;
  if (p[0] < 0x80)
    return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF)
    length = 2;
  else if (p[0] >= 0xE0 && p[0] <= 0xEF)
    length = 3;
  else if (p[0] >= 0xF0 && p[0] <= 0xF4)
    length = 4;
  else
    return 0;
  if (length > available)
    return 0;
  if (p[0] == 0xE0)
    low = 0xA0;
  else if (p[0] == 0xED)
    high = 0x9F;
  else if (p[0] == 0xF0)
    low = 0x90;
  else if (p[0] == 0xF4)
    high = 0x8F;
  if (p[1] < low || p[1] > high)
    return 0;
  for (size_t i = 2; i < length; i++)
    if ((p[i] & 0xC0) != 0x80)
      return 0;
  return length;
}

static size_t escape(char *to, unsigned char c)
{
  static const char hex[] = "0123456789abcdef";
  to[0] = '\\';
  switch (c) {
  case '"':
  case '\\':
    to[1] = (char)c;
    return 2;
  case '\n':
    to[1] = 'n';
    return 2;
  case '\r':
    to[1] = 'r';
    return 2;
  case '\t':
    to[1] = 't';
    return 2;
  default:
    memcpy(to + 1, "u00", 3);
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return 6;
  }
}

/* An upper bound of what hsa_json_write_string writes between the quotes. Exact for a long text, for which
 * six times its length would be much. */
static size_t written_length(const unsigned char *bytes, size_t count)
{
  enum { LONGEST_ESCAPE = 6, SHORT = 4096 };
  char scratch[LONGEST_ESCAPE];
  size_t length = count;
  if (count <= SHORT)
    return count * LONGEST_ESCAPE;
  for (size_t i = 0; i < count; i++)
    if (bytes[i] < 0x80 && !is_plain(bytes[i]))
      length += escape(scratch, bytes[i]) - 1;
  return length;
}

hsa_status hsa_json_write_string(hsa_buffer *out, const char *bytes, size_t count)
{
  const unsigned char *p = (const unsigned char *)bytes;
  hsa_status status = hsa_buffer_reserve(out, written_length(p, count) + 2);
  if (status != HSA_OK)
    return status;
  char *start = out->data + out->length;
  char *to = start;
  *to++ = '"';
  for (size_t i = 0; i < count;) {
    if (is_plain(p[i])) {
      *to++ = (char)p[i++];
    } else if (p[i] < 0x80) {
      to += escape(to, p[i++]);
    } else {
      size_t length = utf8_sequence(p + i, count - i);
      if (length == 0)
        return HSA_BAD_UTF8;
      memcpy(to, p + i, length);
      to += length;
      i += length;
    }
  }
  *to++ = '"';
  out->length += (size_t)(to - start);
  return HSA_OK;
}

hsa_status hsa_json_write_integer(hsa_buffer *out, int64_t value)
{
  char digits[20]; /* "-9223372036854775808" */
  char *p = digits + sizeof digits;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    *--p = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0)
    *--p = '-';
  return hsa_buffer_append(out, p, (size_t)(digits + sizeof digits - p));
}
