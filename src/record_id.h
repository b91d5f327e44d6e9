#ifndef HSA_RECORD_ID_H
#define HSA_RECORD_ID_H

#include <stddef.h>

enum { HSA_RECORD_ID_DIGITS = 19 };

/* NULL if `bytes` spell a record id: 1 to 19 digits, the first not 0. Otherwise what they look like and
 * what to do about it, to end a sentence with. */
const char *hsa_record_id_flaw(const char *bytes, size_t length);

#endif
