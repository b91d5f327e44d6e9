/* Tells record ids from other texts. HubSpot's ids are decimal integers of up to 64 bits; nothing else is
 * sent as one, because HubSpot, spreadsheets and JSON decoders read "1.01E+11" or "0101" as different
 * numbers, and a wrong guess would link a wrong record. Knows neither Lua nor libcurl. */
#include "record_id.h"

#include <stdint.h>
#include <string.h>

static int is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Whether all of eight bytes are digits: '0' to '9' are 0x30 to 0x39, and 6 more has no carry into the upper half. */
static int are_digits(const char *bytes)
{
  uint64_t eight;
  memcpy(&eight, bytes, 8);
  return (((eight & UINT64_C(0xF0F0F0F0F0F0F0F0))
           | (((eight + UINT64_C(0x0606060606060606)) & UINT64_C(0xF0F0F0F0F0F0F0F0)) >> 4)))
         == UINT64_C(0x3333333333333333);
}

static size_t digits_at(const char *bytes, size_t length)
{
  size_t count = 0;
  while (length - count >= 8 && are_digits(bytes + count))
    count += 8;
  while (count < length && is_digit(bytes[count]))
    count++;
  return count;
}

/* ---- what people have in place of an id; each test assumes that those before it did not match ---- */

static int is_empty(const char *bytes, size_t length)
{
  (void)bytes;
  return length == 0;
}

static int has_unusual_character(const char *bytes, size_t length)
{
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] > 0x7e)
      return 1;
  return 0;
}

static int has_outer_space(const char *bytes, size_t length)
{
  return bytes[0] == ' ' || bytes[length - 1] == ' ';
}

static int is_long(const char *bytes, size_t length)
{
  return digits_at(bytes, length) == length && bytes[0] != '0';
}

static int begins_with_zero(const char *bytes, size_t length)
{
  return digits_at(bytes, length) == length;
}

static int is_signed(const char *bytes, size_t length)
{
  return (bytes[0] == '+' || bytes[0] == '-') && digits_at(bytes + 1, length - 1) == length - 1;
}

/* A number with an exponent, such as 1.01E+11: a spreadsheet has dropped its last digits. */
static int is_shortened(const char *bytes, size_t length)
{
  size_t at = bytes[0] == '+' || bytes[0] == '-', digits = digits_at(bytes + at, length - at);
  at += digits;
  if (digits == 0)
    return 0;
  if (at < length && (bytes[at] == '.' || bytes[at] == ',')) {
    at++;
    at += digits_at(bytes + at, length - at);
  }
  if (at == length || (bytes[at] != 'e' && bytes[at] != 'E'))
    return 0;
  at++;
  at += at < length && (bytes[at] == '+' || bytes[at] == '-');
  return at < length && at + digits_at(bytes + at, length - at) == length;
}

/* 101.0 or 101,00; but not 1,234, which may be a number above a thousand, or two ids. */
static int has_decimals(const char *bytes, size_t length)
{
  size_t at = bytes[0] == '+' || bytes[0] == '-';
  at += digits_at(bytes + at, length - at);
  if (at == length || (bytes[at] != '.' && bytes[at] != ','))
    return 0;
  at++;
  return length - at <= 2 && digits_at(bytes + at, length - at) == length - at;
}

/* 202;203 or 1,234,567. */
static int has_separators(const char *bytes, size_t length)
{
  for (size_t i = 0; i < length; i++)
    if (!is_digit(bytes[i]) && strchr(" .,;:|/_&-", bytes[i]) == NULL)
      return 0;
  return is_digit(bytes[0]);
}

/* '101 or ="101", which keeps a spreadsheet from taking an id for a number. */
static int is_quoted(const char *bytes, size_t length)
{
  (void)length;
  return bytes[0] == '\'' || bytes[0] == '"' || bytes[0] == '=';
}

static int is_word(const char *bytes, size_t length, const char *word)
{
  if (length != strlen(word))
    return 0;
  for (size_t i = 0; i < length; i++)
    if ((bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] - 'A' + 'a' : bytes[i]) != word[i])
      return 0;
  return 1;
}

/* #N/A and its like of spreadsheets; NULL and its like of databases and programs. */
static int is_placeholder(const char *bytes, size_t length)
{
  static const char *const words[] = {"null", "nil", "none",    "nan",       "n/a",
                                      "na",   "\\n", "(blank)", "undefined", "-"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (is_word(bytes, length, words[i]))
      return 1;
  return bytes[0] == '#';
}

static int is_address(const char *bytes, size_t length)
{
  return length > 4 && is_word(bytes, 4, "http");
}

static int is_email(const char *bytes, size_t length)
{
  return memchr(bytes + 1, '@', length - 1) != NULL;
}

static int is_anything(const char *bytes, size_t length)
{
  (void)bytes;
  (void)length;
  return 1;
}

static const struct {
  int (*matches)(const char *bytes, size_t length);
  const char *flaw;
} flaws[] = {
  {is_empty, "it is empty; fill it in, or leave the row out"},
  {has_unusual_character, "it has characters that are no digits, perhaps invisible ones such as a no-break "
                          "space; delete them, or type the id anew"},
  {has_outer_space, "it has spaces around it; delete them"},
  {is_long, "it has more digits; look up the record's id in HubSpot"},
  {begins_with_zero, "it begins with 0, as no id does; look up the record's id in HubSpot"},
  {is_placeholder, "it stands for a missing value; look up the record's id in HubSpot, or leave the row out"},
  {is_signed, "it has a sign, as no id has; look up the record's id in HubSpot"},
  {is_shortened, "it is a long number shortened, as spreadsheets do, and its last digits are lost; format "
                 "the column as text, or as a number without decimals, and export it again"},
  {has_decimals,
   "it has decimals; format the column as text, or as a number without decimals, and export it again"},
  {has_separators, "it is several ids, or a number with separators or decimals; give each id a row of its "
                   "own, or format the column as a number without them, and export it again"},
  {is_quoted, "it has a spreadsheet's mark of text or of a formula in front; export the values alone"},
  {is_address, "it is a web address; give the number alone, which a record's address ends with"},
  {is_email, "it is an email; give what HubSpot calls the Record ID, or have a job or the command look "
             "records up, with from_property or to_property"},
  {is_anything, "it is no number; give what HubSpot calls the Record ID"},
};

const char *hsa_record_id_flaw(const char *bytes, size_t length)
{
  size_t i = 0;
  if (length >= 1 && length <= HSA_RECORD_ID_DIGITS && bytes[0] != '0' && digits_at(bytes, length) == length)
    return NULL;
  while (!flaws[i].matches(bytes, length))
    i++;
  return flaws[i].flaw;
}
